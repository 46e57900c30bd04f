"""Stand-in for Open-Sora v2's scripts/diffusion/inference.py: every argument is a flag and a value, the prompt goes
through a CSV file.
"""

import csv
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from text_to_video_result import finish

KNOWN = {"save_dir", "prompt", "offload_model", "num_frames", "aspect_ratio", "seed", "sampling_option.seed"}


def auto_convert(value):
    """As opensora/utils/config.py does: numbers and words of logic lose their text."""
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            pass
    words = {"true": True, "false": False, "none": None}
    return words.get(value.lower(), value)


def main():
    config, rest = sys.argv[1], sys.argv[2:]
    assert Path(config).is_file() and len(rest) % 2 == 0
    args = {}
    for flag, value in zip(rest[::2], rest[1::2], strict=True):
        assert flag.startswith("--") and not value.startswith("-"), f"Invalid argument: {flag} {value}"
        args[flag[2:].replace("-", "_")] = value
    converted = auto_convert(args["prompt"])
    assert isinstance(converted, str) and converted, f"prompt must be provided, found {converted!r}"
    assert set(args) == KNOWN, f"unknown or missing: {set(args) ^ KNOWN}"
    assert (
        args["aspect_ratio"] in ("16:9", "9:16", "1:1") and args["offload_model"] == "True" and Path("ckpts").is_dir()
    )
    folder = Path(args["save_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prompt.csv").write_text(f'text\n"{args["prompt"]}"', encoding="utf-8", newline="")
    with open(folder / "prompt.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == ["text"]
    args["prompt"] = row["text"]
    resolution = "768px" if "768px" in config else "256px"
    (folder / "generated_condition").mkdir(exist_ok=True)
    finish(
        folder / f"video_{resolution}" / "prompt_0000.mp4",
        {**args, "resolution": resolution, "ranks": os.environ["STAND_IN_RANKS"]},
        int(args["num_frames"]),
        24,
    )


main()
