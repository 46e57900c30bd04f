"""Sizes of pictures, in pixels."""

# The picture of a camera that nothing is known about: width, height.
DEFAULT_SIZE = (1920, 1080)
# A side beyond this means a damaged file.
LARGEST_SIDE = 16_384
