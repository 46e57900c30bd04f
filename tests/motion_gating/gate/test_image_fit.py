"""The image fit travels from the capture to the gate, which can demand a least one."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from gate_support import gate, make_archive, read

from motion_gating.rendering.clip_render import eval_dict
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.captures.image_fit import ImageFit
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import motion_clip, motion_dict

FIT = ImageFit(np.full(40, 0.5), 0.62, 0.4, most_people=2, changes=(7,), unseen=("head",))


def eval_file(fit: ImageFit | None) -> dict:
    """The eval file of a person who stands still, through the motion file's dict."""
    capture = {
        "global_orient": torch.tensor([[torch.pi, 0.0, 0.0]]).repeat(40, 1),
        "body_pose": torch.zeros(40, 63),
        "transl": torch.tensor([[0.0, 0.3, 4.0]]).repeat(40, 1),
        "fps": 16.0,
        **(fit.to_dict() if fit else {}),
    }
    clip = motion_clip(motion_dict(convert(capture_from_dict(capture)).clip))
    return eval_dict(clip, agreed_joints(clip.motion), body_parameters(clip.motion.double()))


def judged(folder, made: dict, *flags: str, code: int = 0):
    meta = make_archive(folder, (1,))
    (path,) = folder.rglob("*_eval.pt")
    torch.save(made, path)
    people = folder / "verdicts.json"
    people.write_text(json.dumps([{"id": 1, "matches": True}]))
    done = gate(meta, "--judge", "manual", "--verdicts", people, *flags)
    assert done.returncode == code, done.stderr
    return read(folder / "report.json")[0], read(folder / "report.run.json")


@pytest.mark.parametrize(("bound", "failed"), [("0.6", []), ("0.62", []), ("0.7", ["image_fit"])])
def test_a_capture_off_the_image_is_rejected_with_its_reason(tmp_path, bound, failed):
    record, block = judged(tmp_path, eval_file(FIT), "--min-image-fit", bound)
    assert record["failed_checks"] == failed and record["use_ref_motion"] is not bool(failed)
    assert any(reason.startswith("image_fit 0.62 ") for reason in record["reasons"])
    assert block["limits"]["min_image_fit"] == float(bound)


def test_the_record_holds_what_the_capture_noted(tmp_path):
    record, _ = judged(tmp_path, eval_file(FIT))
    assert record["image_fit"] == 0.62 and record["use_ref_motion"] is True
    assert record["capture_fit"] == FIT.summary() and "image_fit_per_frame" not in record["capture_fit"]


@pytest.mark.parametrize("note", [None, {"image_fit": "high"}, {"image_fit": 3.0}, {"image_fit": float("nan")}])
def test_an_unknown_image_fit_decides_nothing(tmp_path, note):
    made = eval_file(None) if note is None else {**eval_file(None), "image_fit": note}
    record, _ = judged(
        tmp_path, made if note is None else {**made, "image_fit": note}, "--min-image-fit", "0.9", code=1
    )
    assert record["image_fit"] is None and record["use_ref_motion"] is None and record["failed_checks"] == []
    assert "image_fit is unknown: the capture of this motion did not store it" in record["reasons"]
