"""Captures from every system the documentation names: one adapter per system, all giving the same Capture (see
reading.py).
"""
