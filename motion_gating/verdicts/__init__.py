"""Verdicts of reviewers: their files, which of several verdicts counts, and who reviews which entry."""
