"""Sizes of pictures, in pixels."""

# Width and height of the picture of an unknown camera.
DEFAULT_SIZE = (1920, 1080)
# A side beyond this means a damaged file.
LARGEST_SIDE = 16_384
