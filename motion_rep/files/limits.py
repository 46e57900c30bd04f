"""All limits of the file readers."""

from __future__ import annotations

from dataclasses import dataclass

from motion_rep.common.errors import InputError

# Size of a file, and of its unpacked contents. WHAM's meshes of five people over two minutes take 1.5 GB.
MOST_FILE_BYTES = 4 << 30
MOST_BYTES = 2 << 30
# JSON takes about ten times its size in memory.
MOST_JSON_BYTES = 256 << 20
# Instructions of a pickle, and values in its containers; a shared value counts once per container.
MOST_STEPS = 10_000_000
# Containers within containers.
MOST_DEPTH = 64
# Unpacked size allowed for any file, plus an allowance per stored byte. Compressed captures stay far below.
FREE_BYTES, BYTES_PER_BYTE = 64 << 20, 128
FREE_STEPS, STEPS_PER_BYTE = 200_000, 64
# Bytes of a tensor that repeats one stored number.
MOST_REPEATED_BYTES = 1 << 24
# numpy's own limits are 64 dimensions and 63 bits.
MOST_DIMENSIONS = 32
MOST_SIZE = 1 << 48
# Larger whole numbers have no float.
MOST_BITS = 1023
# A key of a dict: values of a tuple, characters of a text, bits of all whole numbers. Long equal texts take long to
# compare, and Python gives the same hash to many numbers beyond 60 bits, so that each key is compared with all others.
MOST_KEY_PARTS = 4
MOST_KEY_CHARACTERS = 4096
MOST_KEY_BITS = 60
# Directory of a zip file: about 50,000 entries, of which zipfile keeps a kilobyte each.
MOST_DIRECTORY_BYTES = 4 << 20
# Header of a numpy array; numpy's own limit counts only after it has been unpacked.
MOST_HEADER_BYTES = 1 << 16
# Rows of a capture or a motion: 55 minutes at 30 frames per second, about 1 GB of memory.
MOST_FRAMES = 100_000


@dataclass(frozen=True)
class Limits:
    """Limits for one file: unpacked bytes and pickle instructions."""

    bytes: int = MOST_BYTES
    steps: int = MOST_STEPS


def limits_for(size: int) -> Limits:
    """The limits of a file, or of a compressed member, of ``size`` bytes."""
    return Limits(
        min(MOST_BYTES, FREE_BYTES + BYTES_PER_BYTE * size), min(MOST_STEPS, FREE_STEPS + STEPS_PER_BYTE * size)
    )


def require_frames(frames: int) -> None:
    """Reject a clip that needs too much memory.

    Raises:
        InputError: more than :data:`MOST_FRAMES`; without the file's name.
    """
    if frames > MOST_FRAMES:
        raise InputError(f"has {frames:,} frames, expected at most {MOST_FRAMES:,}. Cut it into parts.")
