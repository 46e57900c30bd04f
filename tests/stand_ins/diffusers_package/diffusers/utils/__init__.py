"""Stand-in for diffusers.utils: 10 frames per second unless told."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from videos import one_person, write_video


def export_to_video(video_frames, output_video_path=None, fps=10):
    write_video(Path(output_video_path), one_person(len(video_frames)), fps=fps, size=(64, 48))
    return output_video_path
