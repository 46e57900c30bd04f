"""Numbers about one motion."""
