"""What the text-to-video stand-ins share: they write down what they were asked, then behave as STAND_IN_MODE says."""

import json
import os
import sys
import time
from pathlib import Path

from videos import one_person, write_video


def finish(path, asked, frames, fps):
    """Write the video ``path``, or fail in one of the ways of the real programs."""
    mode = os.environ.get("STAND_IN_MODE", "")
    with open(os.environ["STAND_IN_LOG"], "a", encoding="utf-8") as log:
        log.write(json.dumps(asked) + "\n")
    print("a progress bar of the program")
    if mode == "no file":
        sys.exit(0)  # as Wan does when its encoder fails: the exception is only logged
    if mode == "crash" or mode and mode in asked["prompt"]:
        sys.exit("CUDA out of memory")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if mode == "text":
        Path(path).write_text("not a video")
    elif mode == "empty":
        Path(path).touch()
    else:
        write_video(path, one_person(frames), fps=fps, size=(64, 48))
    if mode == "late crash":
        sys.exit("CUDA error while freeing memory")
    if mode == "wait":
        print("still running", flush=True)
        while True:
            time.sleep(1)
