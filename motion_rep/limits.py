"""Frame rates that make sense, in frames per second; the same for flags and for what files say."""

SLOWEST_RATE, FASTEST_RATE = 0.1, 1000.0
