"""Read files of pickle and joblib."""

from __future__ import annotations

import os
from typing import BinaryIO

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.file_kind import VIDEO, found_at_start, kind_at_start, text_at_start
from motion_rep.files.limits import limits_for
from motion_rep.safe_loading.bounded_stream import BoundedStream, inflated
from motion_rep.safe_loading.unpickler import NotAPickle, load_data


def load_data_pickle(file: BinaryIO) -> object:
    """The contents of an open pickle or joblib file, compressed or not.

    Raises:
        InputError: unreadable, truncated, or not plain data; without the file's name.
    """
    try:
        return load_data(BoundedStream(inflated(file), limits_for(os.fstat(file.fileno()).st_size)))
    except InputError as error:
        found = found_at_start(file)
        if found and (isinstance(error, NotAPickle) or kind_at_start(file) or _is_prose(text_at_start(file) or "")):
            hint = " extract_motion.sh and capture_preview.py make one from a video." if VIDEO in found else ""
            raise InputError(
                f"is not a torch, pickle, joblib or numpy file ({found}), expected a capture.{hint}"
            ) from None
        raise
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or one_line(error)}.") from None


def _is_prose(start: str) -> bool:
    """Whether a quoted beginning contains words and spaces; the oldest pickles are letters without spaces."""
    return start[1:2].isalpha() and " " in start
