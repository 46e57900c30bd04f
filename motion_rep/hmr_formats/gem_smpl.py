"""GEM-SMPL's ``smpl_params.pt`` (NVIDIA, formerly GENMO); GEM-X, which has another body, is recognised and refused."""

from __future__ import annotations

from collections.abc import Mapping

from motion_rep.hmr_formats.gvhmr import Sections
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.format import Format, Lookalike

SECTIONS = Sections("gem-smpl", "body_params_incam", "body_params_global")
# GEM-X writes the 76 joints of NVIDIA's SOMA body under the same names.
SOMA_POSE = 228
SOMA_ADVICE = (
    f"comes from GEM-X: its body_pose has {SOMA_POSE} numbers per frame, the 76 joints of the SOMA body, which has "
    "other bones and rest axes than SMPL-X. Run GEM-SMPL on the video (extract_motion.sh --model gem-smpl), or "
    "convert the body with NVIDIA's own tools first"
)


def _is_soma(document: Document) -> bool:
    for name in (SECTIONS.camera, SECTIONS.world):
        part = document.value.get(name) if isinstance(document.value, Mapping) else None
        pose = part.get("body_pose") if isinstance(part, Mapping) else None
        if tuple(getattr(pose, "shape", ()))[-1:] == (SOMA_POSE,):
            return True
    return False


_SMPL = SECTIONS.format()
FORMAT = Format(
    matches=lambda document: _SMPL.matches(document) and not _is_soma(document),
    tracks=_SMPL.tracks,
    lookalikes=(Lookalike(_is_soma, SOMA_ADVICE),),
)
