"""Verdicts of reviewers: their files, which of several counts, and who reviews which entry."""
