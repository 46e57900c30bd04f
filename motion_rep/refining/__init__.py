"""Repairs of a motion on its body parameters: level, smooth, plant the feet, trim and other exact changes."""
