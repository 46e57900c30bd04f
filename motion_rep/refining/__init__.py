"""Repairs of a motion's body parameters: level, smooth, plant the feet; trim and other exact changes."""
