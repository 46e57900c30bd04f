"""Long clips in bounded memory.

Stretches between gaps, cut into overlapping chunks that are fitted alone and blended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from motion_rep.kinematics.array_rotations import between_rotations
from motion_rep.preview_capture.body_fit import FittedBody

CHUNK_FRAMES, OVERLAP_FRAMES = 300, 30


def stretches(detected: np.ndarray, longest_gap: int) -> list[slice]:
    """Runs of frames that begin and end with a detection and contain no gap longer than ``longest_gap`` frames."""
    seen = np.flatnonzero(detected)
    if not len(seen):
        return []
    breaks = np.flatnonzero(np.diff(seen) > longest_gap + 1)
    firsts, lasts = np.concatenate((seen[:1], seen[breaks + 1])), np.concatenate((seen[breaks], seen[-1:]))
    return [slice(int(a), int(b) + 1) for a, b in zip(firsts, lasts, strict=True)]


def cut(frames: int, chunk: int = CHUNK_FRAMES, overlap: int = OVERLAP_FRAMES) -> list[slice]:
    """Equal chunks of at most ``chunk`` frames that cover a stretch; neighbours share about ``overlap`` frames."""
    number = max(1, -(-(frames - overlap) // (chunk - overlap)))
    starts = np.linspace(0, frames - min(chunk, frames), number).round().astype(int)
    length = min(chunk, frames) if number > 1 else frames
    return [slice(int(start), int(start) + length) for start in starts]


def blend(parts: Iterable[tuple[slice, FittedBody]]) -> FittedBody:
    """One body from one or more chunks in order; overlaps are blended smoothly."""
    rest = iter(parts)
    _, whole = next(rest)
    for where, part in rest:
        whole = _join(whole, part, len(whole.transl) - where.start)
    return whole


def _join(first: FittedBody, second: FittedBody, shared: int) -> FittedBody:
    share = (np.arange(shared, dtype=first.transl.dtype) + 1) / (shared + 1)
    weight, kept = share * share * (3 - 2 * share), len(first.transl) - shared

    def rotations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        w = np.broadcast_to(weight.reshape(-1, *[1] * (a.ndim - 3)), (shared, *a.shape[1:-2]))
        return np.concatenate((a[:kept], between_rotations(a[kept:], b[:shared], w), b[shared:]))

    middle = first.transl[kept:] + weight[:, None] * (second.transl[:shared] - first.transl[kept:])
    transl = np.concatenate((first.transl[:kept], middle, second.transl[shared:]))
    return FittedBody(rotations(first.root, second.root), rotations(first.body, second.body), transl)


def fit_in_chunks(
    frames: int, fit: Callable[[slice], FittedBody], progress: Callable[[Iterable], Iterable] = iter
) -> FittedBody:
    """Fit a stretch chunk by chunk; only one chunk's fit is held at a time."""
    return blend((piece, fit(piece)) for piece in progress(cut(frames)))
