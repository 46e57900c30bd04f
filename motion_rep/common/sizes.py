"""Sizes of pictures, in pixels, and the view of an unknown camera."""

# Width and height of the picture of an unknown camera.
DEFAULT_SIZE = (1920, 1080)
# A side beyond this means a damaged file.
LARGEST_SIDE = 16_384
# Degrees: vertical in the preview capture, along the larger side in a default camera.
DEFAULT_FIELD_OF_VIEW = 55.0
