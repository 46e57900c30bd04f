"""Scenes, renderers, lit and depth pictures."""
