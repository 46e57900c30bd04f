"""Clips drawn for the judge."""
