"""The decision on each entry, and its record."""
