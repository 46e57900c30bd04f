"""Metadata archives, read and written as streams."""
