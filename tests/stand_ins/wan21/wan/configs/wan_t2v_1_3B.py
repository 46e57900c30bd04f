"""Stand-in for a configuration of Wan 2.1."""
