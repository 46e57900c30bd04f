"""Shared basics: errors, the command line, frame rates."""
