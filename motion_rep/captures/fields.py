"""Names of the documented capture file's entries; only the standard library is imported here."""

from __future__ import annotations

ROOT, BODY, TRANSL = REQUIRED = ("global_orient", "body_pose", "transl")
FOCAL, WIDTH, HEIGHT = CAMERA = ("focal_length", "width", "height")
FPS, FRAME_INDEX, SOURCE = "fps", "frame_index", "source"
