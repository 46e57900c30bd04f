"""refine_motion.py as a user meets it, and --refine of the converter."""

from __future__ import annotations

import json

import pytest
import torch

from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.motions.motion_file import read_motion, write_motion
from motion_rep.motions.stamp import motion_digest
from motion_rep.refine_motion import main
from scripts.dev.refining_evaluation.clips import clip_of, noisy, sample, tilt

COMMAND = "motion_rep/refine_motion.py"


@pytest.fixture
def raw(tmp_path):
    """A folder with a noisy, tilted squat and a clean wave."""
    folder = tmp_path / "raw"
    (folder / "sub").mkdir(parents=True)
    write_motion(folder / "squat.pt", clip_of(noisy(sample("squat").turned(tilt(12, 2))), with_camera=True))
    write_motion(folder / "sub/wave.pt", clip_of(sample("wave")))
    return folder


def test_one_file_by_path_from_another_folder(raw, run_script, tmp_path):
    before = (raw / "squat.pt").read_bytes()
    done = run_script(
        COMMAND, "-i", raw / "squat.pt", "-o", tmp_path / "out.pt", "--report", tmp_path / "r/report.json"
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    line = done.stdout.splitlines()[0]
    assert line.startswith("squat.pt: smoothed, levelled by 1") and "2 stands planted; jitter 0.0" in line
    assert "lean 1" in line and "speed kept" in line
    assert (raw / "squat.pt").read_bytes() == before, "the raw file stays"
    (record,) = json.loads((tmp_path / "r/report.json").read_text())
    assert record["outputs"] == [str(tmp_path / "out.pt")] and record["figures"]["lean"] < 2
    made = torch.load(tmp_path / "out.pt", weights_only=True)
    assert made["refined"]["raw_motion"] == motion_digest(read_motion(raw / "squat.pt").motion)
    assert made["fps"] == 16.0 and tuple(made["extrinsic"].shape) == (4, 4)
    assert torch.equal(made["intrinsic"], torch.load(raw / "squat.pt", weights_only=True)["intrinsic"])


def test_a_folder_is_resumed_and_made_again_with_other_settings(raw, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["-i", str(raw), "-o", str(out), "--workers", "0"]) == 0
    assert "2 refined, 0 unchanged, 0 failed" in capsys.readouterr().out
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.pt")) == ["squat.pt", "sub/wave.pt"]
    assert main(["-i", str(raw), "-o", str(out), "--workers", "0"]) == 0
    assert "0 refined, 2 unchanged, 0 failed" in capsys.readouterr().out
    assert main(["-i", str(raw), "-o", str(out), "--workers", "0", "--level", "off"]) == 0
    assert "0 refined, 2 regenerated (input or settings changed), 0 unchanged" in capsys.readouterr().out


def test_a_file_that_is_no_motion_fails_and_the_others_do_not(raw, tmp_path, capsys):
    torch.save({"transl": torch.zeros(3, 3)}, raw / "capture.pt")
    failures = tmp_path / "failures.json"
    code = main(["-i", str(raw), "-o", str(tmp_path / "out"), "--workers", "0", "--failures", str(failures)])
    assert code == 1 and "2 refined, 0 unchanged, 1 failed" in capsys.readouterr().out
    (failure,) = json.loads(failures.read_text())["failures"]
    assert failure["error"].startswith(f"{raw}/capture.pt: contains a dict with the keys transl, expected")


def test_cut_names_its_parts(raw, tmp_path, capsys):
    assert main(["-i", str(raw / "sub/wave.pt"), "-o", str(tmp_path / "w.pt"), "--cut-at", "30", "50"]) == 0
    assert [len(read_motion(tmp_path / f"w_part{number}.pt")) for number in (1, 2, 3)] == [30, 20, 30]
    assert not (tmp_path / "w.pt").exists()
    names = ", ".join(f"{tmp_path}/w_part{number}.pt" for number in (1, 2, 3))
    assert f"wave.pt -> {names}\n" in capsys.readouterr().out


def test_the_input_is_never_the_output(raw, capsys):
    assert main(["-i", str(raw / "squat.pt"), "-o", str(raw / "squat.pt")]) == 2
    assert "--output and --input are the same file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flag, value, message",
    [
        ("--level", "1,x", "'1,x' is not auto, off or PITCH,ROLL in degrees"),
        ("--level", "91,0", "'91,0' is not auto, off or PITCH,ROLL in degrees"),
        ("--smooth", "-1", "'-1' is not auto, off or a number above 0, up to 100"),
        ("--trim", "3:2", "'3:2' ends before it starts; expected START:END in seconds"),
        ("--trim", "nan:2", "'nan:2' is not auto, off or START:END in seconds"),
        ("--heading", "inf", "'inf' is not an angle (-360 to 360 degrees)"),
        ("--cut-at", "0", "'0' is not a row (a whole number above zero)"),
    ],
)
def test_wrong_values_end_in_one_line(flag, value, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["-i", "a.pt", "-o", "b.pt", f"{flag}={value}"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and message in error and error.count("\n") == 1


def test_the_converter_refines(repo, tmp_path):
    capture = repo / "data_samples/captures/arm_raise_jittery.pt"
    for name, flags in (("raw", []), ("refined", ["--refine"])):
        assert convert(["-i", str(capture), "-o", str(tmp_path / f"{name}.pt"), *flags]) == 0
    assert main(["-i", str(tmp_path / "raw.pt"), "-o", str(tmp_path / "after.pt")]) == 0
    refined, after = (read_motion(tmp_path / f"{name}.pt") for name in ("refined", "after"))
    assert refined.refined["smooth"] == {"pose": 1.0, "path": 1.0}
    assert (refined.motion - after.motion).abs().max() < 1e-6


def test_motions_of_world_captures_are_not_levelled(tmp_path, make_capture):
    """AMASS has z up: its file says so, and the motion keeps that."""
    torch.save(make_capture(frames=20), tmp_path / "camera.pt")
    assert convert(["-i", str(tmp_path / "camera.pt"), "-o", str(tmp_path / "camera_motion.pt")]) == 0
    assert "up_from" not in torch.load(tmp_path / "camera_motion.pt", weights_only=True)
    assert convert(["-i", str(tmp_path / "camera.pt"), "--up", "z", "-o", str(tmp_path / "world_motion.pt")]) == 0
    assert torch.load(tmp_path / "world_motion.pt", weights_only=True)["up_from"] == "world"
    assert read_motion(tmp_path / "world_motion.pt").up_from == "world"
