"""Make motion_rep/mannequin_coarse.npz: a quarter of the mannequin's triangles, on existing vertices, for pictures in
which the triangles are small.

Run it once if mannequin-x changes its mesh. Needs: pip install fast-simplification scipy
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.messages import say

TARGET = Path(__file__).resolve().parents[2] / "motion_rep" / "bodies" / "mannequin_coarse.npz"
TRIANGLES = 12_000


def build_parser() -> Parser:
    return Parser(description=__doc__)


def _run(args) -> int:
    import numpy as np
    import torch

    from motion_rep.bodies.mannequin_body import MannequinBody
    from motion_rep.kinematics.parameters import BodyParameters

    body = MannequinBody()
    rest = BodyParameters(torch.eye(3)[None], torch.eye(3).expand(1, 21, 3, 3), torch.zeros(1, 3))
    vertices = body.vertices(rest)[0]
    faces = np.concatenate(
        [
            _simplified(vertices, body.faces, part, TRIANGLES / len(body.faces))
            for part in _parts(body.faces, len(vertices))
        ]
    )
    used, corners = np.unique(faces, return_inverse=True)
    kinds = {
        "vertices": used.astype(np.uint16),
        "faces": corners.reshape(-1, 3).astype(np.uint16),
        "full_count": np.int64(len(vertices)),
    }
    np.savez_compressed(TARGET, **kinds)
    say(f"{len(faces)} of {len(body.faces)} triangles, {len(used)} of {len(vertices)} vertices -> {TARGET}")
    return DONE


def _parts(faces, count: int) -> list:
    """Vertex numbers of each closed piece."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pieces, labels = connected_components(
        coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count)), directed=False
    )
    return [np.flatnonzero(labels == piece) for piece in range(pieces)]


def _simplified(vertices, faces, part, share: float):
    """(F, 3) triangles of one piece between its own vertices: quadric simplification, then each corner moves to the
    nearest vertex.
    """
    import fast_simplification
    import numpy as np
    from scipy.spatial import cKDTree

    number = np.full(len(vertices), -1)
    number[part] = np.arange(len(part))
    own = number[faces[np.isin(faces[:, 0], part)]]
    points, simple = fast_simplification.simplify(
        vertices[part].astype(np.float64), own, target_reduction=1 - share, agg=2
    )
    _, nearest = cKDTree(vertices[part]).query(points)
    corners = nearest[simple]
    return part[corners[(corners != np.roll(corners, 1, axis=1)).all(axis=1)]]


main = command_main(build_parser, _run)
if __name__ == "__main__":
    raise SystemExit(main())
