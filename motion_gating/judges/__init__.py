"""Judges: each answers match, mismatch or undecided, with a reason, for a clip and a description."""
