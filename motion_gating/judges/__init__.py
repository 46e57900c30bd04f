"""Judges: each answers match, mismatch or undecided, with a reason, to a clip and a description."""
