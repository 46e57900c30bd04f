"""The decision about each entry and its record."""
