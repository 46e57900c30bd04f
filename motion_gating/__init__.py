"""Render reference motions, judge them, and decide which may condition a model. See README.md for the table of files."""
