"""Make one video with a model of Hugging Face's diffusers; runs in the user's own environment without this toolkit.

python diffusers_video.py --model Wan-AI/Wan2.1-T2V-1.3B-Diffusers --prompt TEXT --output V.mp4 --seed 42
"""

from __future__ import annotations

import argparse
import sys


class Family:
    """The requirements of a family of models: frames are a multiple of ``step`` plus 1, sizes multiples of ``side``."""

    def __init__(self, fps, step, frames, size, side, precise_vae=False, takes_rate=False):
        self.fps, self.step, self.frames, self.size, self.side = fps, step, frames, size, side
        self.precise_vae, self.takes_rate = precise_vae, takes_rate


# The first part found in a model's name decides; export_to_video would write 10 frames per second.
FAMILIES = (
    ("wan2.2-ti2v-5b", Family(24, 4, 121, "1280x704", 32, precise_vae=True)),
    ("wan", Family(16, 4, 81, "832x480", 16, precise_vae=True)),
    ("hunyuanvideo-1.5", Family(24, 4, 121, "848x480", 16)),
    ("ltx-2", Family(24, 8, 121, "768x512", 32, takes_rate=True)),
    ("cogvideox1.5", Family(16, 16, 81, "1360x768", 16)),
    ("cogvideox", Family(8, 8, 49, "720x480", 16)),
)
OFFLOAD = {"model": "enable_model_cpu_offload", "sequential": "enable_sequential_cpu_offload"}


class CannotRun(Exception):
    """An error that the user can fix; the message is one line."""


def build_parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a name on Hugging Face, or a folder")
    parser.add_argument("--prompt")
    parser.add_argument("--negative-prompt")
    parser.add_argument("--output", help="the mp4 to write")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--frames", type=int, help="default: the model's own")
    parser.add_argument("--size", metavar="WxH", help="default: the model's own")
    parser.add_argument("--steps", type=int, help="denoising steps (default: the pipeline's)")
    parser.add_argument("--guidance", type=float, help="guidance scale; default: the pipeline's")
    parser.add_argument(
        "--offload",
        choices=(*OFFLOAD, "none"),
        default="model",
        help="keep parts of the model in main memory: model needs less GPU memory, sequential the least, but is slow",
    )
    parser.add_argument("--check", action="store_true", help="check only the model's name, --frames and --size")
    return parser


def family_of(model):
    """The family of a model by its name."""
    name = model.rstrip("/").split("/")[-1].lower()
    for part, family in FAMILIES:
        if part in name:
            return family
    known = ", ".join(part for part, _ in FAMILIES)
    raise CannotRun(f"{model}: its frame rate is not known. Use a model whose name contains one of {known}.")


def plan(args):
    """(family, frames, width, height)."""
    family = family_of(args.model)
    frames = args.frames or family.frames
    if frames % family.step != 1 or frames <= 1:
        near = max(1, frames // family.step) * family.step + 1
        raise CannotRun(f"--frames {frames}: {args.model} makes {family.step}n+1 frames (like {near}).")
    text = args.size or family.size
    width, _, height = text.partition("x")
    if not (text.isascii() and width.isdigit() and height.isdigit()):
        raise CannotRun(f"--size is '{text}', expected WxH, like {family.size}.")
    if int(width) % family.side or int(height) % family.side or not int(width) * int(height):
        raise CannotRun(f"--size {text}: {args.model} needs multiples of {family.side}, like {family.size}.")
    return family, frames, int(width), int(height)


def load_pipeline(args, family):
    try:
        import diffusers
        import torch
    except ImportError as error:
        raise CannotRun(
            f"{error}. Run: pip install diffusers transformers accelerate imageio imageio-ffmpeg torch (in the "
            "environment that DIFFUSERS_PYTHON names)."
        ) from None
    parts = {}
    if family.precise_vae:
        # In half precision, the decoder of Wan makes grey pictures.
        parts["vae"] = diffusers.AutoencoderKLWan.from_pretrained(
            args.model, subfolder="vae", torch_dtype=torch.float32
        )
    pipeline = diffusers.DiffusionPipeline.from_pretrained(args.model, torch_dtype=torch.bfloat16, **parts)
    if args.offload == "none":
        return pipeline.to("cuda")
    getattr(pipeline, OFFLOAD[args.offload])()
    return pipeline


def make_video(args):
    import torch

    family, frames, width, height = plan(args)
    if not args.prompt or not args.output:
        raise CannotRun("--prompt and --output are needed.")
    pipeline = load_pipeline(args, family)
    more = {"negative_prompt": args.negative_prompt, "num_inference_steps": args.steps, "guidance_scale": args.guidance}
    call = {key: value for key, value in more.items() if value is not None}
    if family.takes_rate:
        call["frame_rate"] = float(family.fps)
    generator = torch.Generator(device="cpu").manual_seed(args.seed)
    made = pipeline(
        prompt=args.prompt, width=width, height=height, num_frames=frames, generator=generator, **call
    ).frames[0]
    from diffusers.utils import export_to_video

    export_to_video(made, args.output, fps=family.fps)


def main():
    args = build_parser().parse_args()
    try:
        if args.check:
            plan(args)
        else:
            make_video(args)
    except CannotRun as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
