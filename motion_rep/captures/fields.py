"""Names of the documented capture file's entries. Imports only the standard library."""

from __future__ import annotations

ROOT, BODY, TRANSL = REQUIRED = ("global_orient", "body_pose", "transl")
FOCAL, WIDTH, HEIGHT = "focal_length", "width", "height"
FPS, FRAME_INDEX = "fps", "frame_index"
