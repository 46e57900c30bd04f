"""The names of entry fields and of record keys used in more than one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Fields of an archive's entry.
ID, GLOBAL_ID = "id", "global_id"
NAME = "name"  # only in entries whose ids are numbers
PROMPT, MOTION_DETAILED, VIDEO_DETAILED = "prompt", "prompt_motion_detailed", "prompt_video_detailed"
TEXT_KEYS = (VIDEO_DETAILED, MOTION_DETAILED)  # the fields that TM2M's config may choose as its text
EMBED_SUFFIX = "_wanvideot5_embed_path"  # suffix of a text key: field with the path of the text's embedding
TEXT_ANNOTATIONS = "motion_text_annot"  # ViMoGen-228K: one text or a list of texts
MOTION_PATH, MOTION_DURATION = "motion_path", "motion_duration"
VIDEO_PATH, EVAL_PATH = "video_path", "mbench_eval_path"
JUDGE_VIDEO_PATH = "judge_video_path"  # the clip for the judge: fewer and smaller pictures of the same motion
JUDGE_FPS = "judge_sampling_fps"  # the sampling rate for which that clip was drawn
PATH_FIELDS = (MOTION_PATH, VIDEO_PATH, EVAL_PATH, JUDGE_VIDEO_PATH)
SOURCE_VIDEO, SOURCE_CAPTURE = "source_video_path", "capture_path"  # sources of a motion
OVERLAY_PATH, DEPTH_PATH = "overlay_path", "depth_path"  # made by motion_checker.py
OTHER_PATH_FIELDS = (OVERLAY_PATH, DEPTH_PATH, SOURCE_VIDEO, SOURCE_CAPTURE)
PATH_SUFFIX = "path"  # of every field with a path, also of those that only other programs use
USE_REF_MOTION = "use_ref_motion"
JUDGED_CONTENT = "judged_content"  # digests of the motion, the clip and the text on which use_ref_motion was decided
# Of a candidate; see motion_gating.archives.candidates.
GROUP, SEED, RANK, CHOSEN, RANK_REASONS = "group", "seed", "rank", "chosen", "rank_reasons"

# Keys of a record of the quality report; use_ref_motion is one of them too.
JITTER, VLM_MATCHES, VLM_ANALYSIS = "jitter_degree", "vlm_matches", "vlm_analysis"
IMAGE_FIT = "image_fit"  # the share of visible landmarks that lie on the captured body
# of a refined motion: the jitter before, and the record of the repairs
JITTER_RAW, REFINED = "jitter_degree_raw", "refined"
VLM_ERROR, VLM_ERROR_KIND, METRICS_ERROR = "vlm_error", "vlm_error_kind", "metrics_error"
KEPT, DROPPED = "kept_from_archive", "dropped_from_archive"  # an earlier true that this record does not change
REASONS, FAILED_CHECKS, JUDGE, CONTENT = "reasons", "failed_checks", "judge", "content"
FAST = "fast_not_trembling"


@dataclass(frozen=True)
class Fields:
    """Names of the entry fields that the gate reads."""

    video: str = VIDEO_PATH
    evaluation: str = EVAL_PATH
    prompt: str = PROMPT

    @property
    def of_files(self) -> tuple[str, str]:
        """The fields with paths."""
        return self.video, self.evaluation

    def judged_video(self, entry: Mapping[str, object]) -> str:
        """The field of an entry with the clip for a judge: the one drawn for judges, unless another field was
        chosen.
        """
        return JUDGE_VIDEO_PATH if self.video == VIDEO_PATH and entry.get(JUDGE_VIDEO_PATH) else self.video
