"""What the tests of the shell scripts share."""

from chain_support import programs  # noqa: F401
