"""Measure how often a judge and a threshold are right."""
