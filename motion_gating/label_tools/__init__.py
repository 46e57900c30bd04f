"""Entries with texts, figures and verdicts for other labelling programs: Label Studio and FiftyOne."""
