"""Figures of one motion."""
