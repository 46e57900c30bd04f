"""Stand-in for SMPLest-X's main/base.py: a network whose answer depends on who is in the middle of the crop."""

import logging
from pathlib import Path

import torch
from human_models.human_models import SMPLX

K_DEPTH = 56.38  # the depth range of the real network's crop camera


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs, targets, meta_info, mode):
        image = inputs["img"]
        if set(inputs) != {"img"} or targets != {} or meta_info != {} or mode != "test":
            raise ValueError("the network is called as model({'img': ...}, {}, {}, 'test')")
        if (
            tuple(image.shape) != (1, 3, 512, 384)
            or image.dtype != torch.float32
            or not 0 <= float(image.min()) <= float(image.max()) <= 1
        ):
            raise ValueError(f"img is {tuple(image.shape)} {image.dtype}, expected (1, 3, 512, 384) float32 in [0, 1]")
        red, _, blue = image[0, :, 200:312, 150:234].mean(dim=(1, 2))
        turn = 0.2 if red > blue else -0.3
        zeros = torch.zeros(1, 10475, 3).cuda()  # as the real code does, without asking for a device
        body = torch.zeros(1, 63).cuda()
        body[0, 5] = turn
        return {
            "smplx_root_pose": torch.tensor([[0.0, turn, 0.0]]).cuda() * self.scale,
            "smplx_body_pose": body,
            "smplx_shape": torch.full((1, 10), turn).cuda(),
            "cam_trans": torch.tensor([[0.02, 0.3, 0.7 * K_DEPTH]]).cuda(),
            "smplx_mesh_cam": zeros,
        }


class Tester:
    def __init__(self, cfg):
        assert SMPLX.made, "the body model comes before the network"
        self.cfg = cfg
        self.logger = logging.getLogger("stand-in")
        assert Path(cfg.log.log_dir).is_dir(), "prepare_log() was not called"

    def _make_model(self):
        model = torch.nn.DataParallel(Network()).cuda()
        checkpoint = torch.load(self.cfg.model.pretrained_model_path)
        model.load_state_dict({"module." + key: value for key, value in checkpoint["network"].items()}, strict=False)
        model.eval()
        self.model = model
