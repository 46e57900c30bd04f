"""Frame rates, in frames per second: those that make sense, and those that stand in where a file says none."""

# The same for flags and for what files say.
SLOWEST_RATE, FASTEST_RATE = 0.1, 1000.0

# What the published TM2M loader takes every reference motion for.
LOADER_FPS = 16.0
# At which the published renderer shows a motion.
DRAWING_FPS = 20.0
