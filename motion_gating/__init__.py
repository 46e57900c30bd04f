"""Render reference motions, judge them, and decide which may condition a model. README.md lists the folders."""
