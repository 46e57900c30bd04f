"""Judges: each says of a clip and a description match, mismatch or undecided with a reason."""
