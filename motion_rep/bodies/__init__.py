"""Bodies that can be posed and drawn."""
