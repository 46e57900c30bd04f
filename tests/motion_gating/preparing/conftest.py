"""What the tests of this folder share."""

from chain_support import programs  # noqa: F401
from preparing_support import command  # noqa: F401
