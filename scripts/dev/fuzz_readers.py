"""Feed damaged and generated files to every reader of the project for a limited time, and report every outcome that is
neither a result nor a one-line error.

A finding is: an unexpected exception, an error of more than one line, a crash, more than 20 seconds or more than 1.5 GB
for a small file, a program started, a connection made, or a file written elsewhere. The files that caused findings are
kept in the folder --findings.
"""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.flag_values import positive_int
from motion_rep.common.messages import say, say_error
from motion_rep.common.overwriting import folder_path

MOST_SECONDS, MOST_MEMORY = 20, 3 * 2**29
LARGEST_PROCESS = 12 * 2**30
# Each target is run in processes of this many seconds, so that a crash costs little.
SLICE = 20
FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "socket.connect",
    "ctypes.dlopen",
    "webbrowser.open",
)
CHANGING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "os.symlink", "os.truncate")


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--seconds", type=positive_int, default=600, help="time limit for all targets together")
    parser.add_argument(
        "--findings", type=folder_path, default=Path("fuzz_findings"), help="folder for the files that caused findings"
    )
    parser.add_argument("--seed", type=positive_int, default=1, help="another seed tries different files")
    parser.add_argument("--child", metavar="TARGET", help="fuzz this target in this process")
    return parser


def _run(args) -> int:
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise UsageError(
            "hypothesis is not installed. Run: bash scripts/dev/fuzz.sh, or pip install -r tests/requirements.txt"
        ) from None
    if args.child:
        return _child(args)
    from scripts.dev.fuzz_targets import all_targets

    with tempfile.TemporaryDirectory() as folder:
        names = [target.name for target in all_targets(Path(folder))]
    args.findings.mkdir(parents=True, exist_ok=True)
    end, seed = time.monotonic() + args.seconds, args.seed
    while time.monotonic() < end:
        for name in names:
            _one_process(name, seed, min(SLICE, max(3, args.seconds // len(names))), args.findings)
        seed += 1
    found = sorted(args.findings.glob("*.txt"))
    for path in found:
        say_error(f"{path}: {path.read_text().splitlines()[0]}")
    say(f"{len(names)} readers, {seed - args.seed} rounds, {len(found)} findings in {args.findings}")
    return SOME_FAILED if found else DONE


def _one_process(name: str, seed: int, seconds: int, findings: Path) -> None:
    command = [
        sys.executable,
        __file__,
        "--child",
        name,
        "--seed",
        str(seed),
        "--seconds",
        str(seconds),
        "--findings",
        str(findings.resolve()),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TMPDIR": scratch})
        if done.returncode:
            (findings / f"crash {name} {seed}.txt").write_text(
                f"{name}: the process ended with code {done.returncode}\n{done.stderr[-4000:]}"
            )
            # The file that crashed a reader still exists.
            for path in Path(scratch).glob("*/in/*.*"):
                shutil.copy(path, findings / f"crash {name} {seed}{path.suffix}")
    say(f"{name}: {done.stdout.strip()}")


def _child(args) -> int:
    import hypothesis
    from hypothesis import strategies as st

    from scripts.dev.fuzz_targets import all_targets, wild_file, wild_values

    folder = Path(tempfile.mkdtemp())
    target = next(found for found in all_targets(folder) if found.name == args.child)
    inside, end = folder / "in", time.monotonic() + args.seconds
    inside.mkdir()
    os.chdir(inside)
    tempfile.tempdir = str(inside)
    watch = _Watch(target, inside / target.file_name, args.findings)
    watch.file.write_bytes(target.seeds[0])
    watch.read()
    # A reader that requests more gets an error from the system, not all memory of the machine.
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_PROCESS, LARGEST_PROCESS))
    watch.begin()
    wild = wild_values()

    @hypothesis.settings(
        max_examples=300,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(
        st.sampled_from(target.seeds),
        st.randoms(use_true_random=False),
        st.sampled_from(("bytes", "bytes", "torch", "pickle", "json")),
    )
    def attempt(seed: bytes, random, how: str) -> None:
        # Always drawn, because hypothesis needs the same draws every time.
        data = _damaged(seed, random) if how == "bytes" else wild_file(how, _wild_dict(random, wild))
        if time.monotonic() < end:
            watch.file.write_bytes(data)
            watch.read()

    try:
        for number in itertools.count():
            if time.monotonic() > end:
                break
            hypothesis.seed(args.seed * 10_000 + number)(attempt)()
    finally:
        watch.end()
        os.chdir("/")
        shutil.rmtree(folder)
    say(f"{watch.count} files, {watch.refused} refused, {watch.found} findings")
    return DONE


class _Hang(BaseException):
    """Raised if a reader takes too long."""


class _Watch:
    """Read the file repeatedly, and keep it if something is wrong."""

    def __init__(self, target, file: Path, findings: Path) -> None:
        self.file, self.count, self.refused, self.found = file, 0, 0, 0
        self._target, self._findings, self._seen, self._active, self._deeds = target, findings, set(), False, []

    def begin(self) -> None:
        """From now on, programs, connections and files elsewhere are findings."""
        sys.addaudithook(self._audit)
        signal.signal(signal.SIGALRM, self._alarm)
        self._active = True

    def end(self) -> None:
        self._active = False

    def read(self) -> None:
        self.count += 1
        self._deeds.clear()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        try:
            self._target.read(self.file)
        except self._target.accepted as error:
            self.refused += 1
            if isinstance(error, InputError) and "\n" in str(error):
                self._keep("an error of several lines", repr(str(error)))
        except _Hang:
            self._keep(f"more than {MOST_SECONDS} seconds", traceback.format_exc())
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._keep(f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}", traceback.format_exc())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before > MOST_MEMORY:
            self._keep("too much memory", "")
        for deed in self._deeds:
            self._keep(deed, "")

    def _audit(self, event: str, arguments: tuple) -> None:
        if not self._active:
            return
        writes = (
            event == "open"
            and isinstance(arguments[0], (str, bytes))
            and isinstance(arguments[2], int)
            and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        if event in FORBIDDEN or ((writes or event in CHANGING) and not self._is_ours(arguments[0])):
            self._deeds.append(f"{event} {str(arguments[0])[:80]}")

    def _is_ours(self, path: object) -> bool:
        return (
            Path(os.fsdecode(path)).resolve().is_relative_to(self.file.parent)
            if isinstance(path, (str, bytes, os.PathLike))
            else True
        )

    def _alarm(self, *_) -> None:
        raise _Hang

    def _keep(self, what: str, more: str) -> None:
        """Write the finding, if it is the first of its kind, with the file that caused it."""
        if what in self._seen:
            return
        self._seen.add(what)
        self.found += 1
        active, self._active = self._active, False
        name = f"{self._target.name} {len(self._seen)} {os.getpid()}"
        (self._findings / f"{name}{self.file.suffix}").write_bytes(self.file.read_bytes())
        (self._findings / f"{name}.txt").write_text(f"{self._target.name}: {what}\n{more}")
        self._active = active


def _damaged(seed: bytes, random) -> bytes:
    """A file with a few of its bytes changed, cut out, repeated or moved."""
    data = bytearray(seed)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at, length = random.randrange(len(data) + 1), random.choice((1, 1, 2, 4, 8, 64, 1024))
        kind = random.randrange(8)
        if kind == 0:
            data[at : at + length] = random.randbytes(length)
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = data[at : at + length]
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at : at + length] = random.choice((b"\xff", b"\x00", b"\x7f", b"9")) * length
        elif kind == 7:
            # An instruction of a pickle, or a part of a text, that is repeated very often.
            data[at:at] = data[at : at + random.choice((1, 1, 2, 3))] * random.choice((1000, 1000, 10_000, 100_000))
        elif kind == 5 and data:
            data[at % len(data)] ^= 1 << random.randrange(8)
        else:
            start = random.randrange(len(data) + 1)
            data[at : at + length] = data[start : start + length]
    return bytes(data)


KEYS = (
    "global_orient",
    "body_pose",
    "transl",
    "focal_length",
    "width",
    "height",
    "fps",
    "frame_index",
    "motion",
    "intrinsic",
    "extrinsic",
    "start_time",
    "joints",
    "pose",
    "trans",
    "poses",
    "betas",
    "mocap_framerate",
    "smpl_params_incam",
    "frame_ids",
    "id",
    "matches",
    "analysis",
    "smpl",
    "camera",
    "tid",
    0,
)


def _wild_dict(random, wild: tuple) -> object:
    """A capture or a motion, more or less, with values that do not belong there."""
    from scripts.dev.fuzz_targets import _capture

    value = dict(_capture()) if random.random() < 0.7 else {}
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        value[random.choice(KEYS)] = random.choice(wild)
    return random.choice((value, value, value, [value], {"x": value}, random.choice(wild)))


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
