"""Stand-in for diffusers: the calls of our runner with the names and defaults of the real pipelines."""

import json
import os

import numpy as np
import torch


class AutoencoderKLWan:
    @classmethod
    def from_pretrained(cls, model, subfolder=None, torch_dtype=None):
        assert subfolder == "vae" and torch_dtype is torch.float32 and "wan" in model.lower()
        return cls()


class DiffusionPipeline:
    @classmethod
    def from_pretrained(cls, model, torch_dtype=None, **parts):
        assert torch_dtype is torch.bfloat16 and ("vae" in parts) is ("wan" in model.lower())
        found = cls()
        found.model = model
        return found

    def enable_model_cpu_offload(self):
        self.offload = "model"

    def enable_sequential_cpu_offload(self):
        self.offload = "sequential"

    def __call__(
        self,
        prompt=None,
        negative_prompt=None,
        height=480,
        width=832,
        num_frames=81,
        num_inference_steps=50,
        guidance_scale=5.0,
        generator=None,
        **more,
    ):
        assert set(more) == ({"frame_rate"} if "ltx" in self.model.lower() else set())
        asked = {"prompt": prompt, "model": self.model, "seed": generator.initial_seed(), "offload": self.offload}
        asked.update(frames=num_frames, size=[width, height], steps=num_inference_steps)
        with open(os.environ["STAND_IN_LOG"], "a", encoding="utf-8") as log:
            log.write(json.dumps(asked) + "\n")
        return type("Output", (), {"frames": np.zeros((1, num_frames, 48, 64, 3), np.float32)})
