"""Read captures of all documented systems: one adapter per system; all return the same Capture."""
