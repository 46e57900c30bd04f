"""Stand-in for CameraHMR's mesh_estimator.py: its structure around a detector that sees coloured rectangles."""

import os
from glob import glob

import cv2
import numpy as np
import torch


class Renderer:
    def __init__(self, focal_length, img_w, img_h, faces, same_mesh_color):
        raise RuntimeError("no OpenGL here")


class Network(torch.nn.Module):
    """The answer depends on the colour: red people are turned by 0.2, blue ones by -0.3."""

    def __init__(self, joints, shapes):
        super().__init__()
        self.joints, self.shapes = joints, shapes

    def forward(self, batch):
        count = len(batch["img"])
        turns = torch.tensor([0.2 if red else -0.3 for red in batch["img"].tolist()])
        body = torch.eye(3).expand(count, self.joints, 3, 3)
        params = {
            "global_orient": _turn(turns)[:, None],
            "body_pose": body,
            "betas": torch.full((count, self.shapes), 0.1),
        }
        camera = torch.stack([torch.full((count,), 0.9), torch.full((count,), 0.01), torch.full((count,), 0.02)], 1)
        return params, camera, batch["cam_int"][:, 0, 0]


class BodyModel:
    """The buffers of smplx.SMPLLayer that give the rest pelvis: two vertices, the pelvis between them."""

    v_template = torch.tensor([[0.0, -0.2, 0.0], [0.0, -0.3, 0.1]])
    shapedirs = torch.zeros(2, 3, 10)
    shapedirs[:, 1, 0] = 0.5
    J_regressor = torch.full((24, 2), 0.5)
    faces = [[0, 1, 1]]


class HumanMeshEstimator:
    def __init__(self, model_type="smpl"):
        self.model = Network(*{"smpl": (23, 10), "smplx": (21, 16)}[model_type])
        self.smpl_model = BodyModel()

    def process_image(self, img_path, output_img_folder, i):
        image = cv2.imread(str(img_path))
        boxes, red = _people(image, reverse=i % 2)
        height, width = image.shape[:2]
        focal = 200.0 + 10 * (i % 3)
        for start in range(0, len(boxes), 8):
            part = boxes[start : start + 8]
            batch = {
                "img": torch.tensor(red[start : start + 8]),
                "box_center": (part[:, :2] + part[:, 2:]) / 2,
                "box_size": (part[:, 2:] - part[:, :2]).amax(1),
                "img_size": torch.tensor([[height, width]]).expand(len(part), 2).float(),
                "cam_int": torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]).expand(
                    len(part), 3, 3
                ),
            }
            with torch.no_grad():
                self.model(batch)
            stem, extension = os.path.splitext(os.path.basename(img_path))
            renderer = Renderer(
                focal_length=focal, img_w=width, img_h=height, faces=self.smpl_model.faces, same_mesh_color=True
            )
            picture = renderer.render_front_view(np.zeros((len(part), 2, 3)), bg_img_rgb=image.copy())
            cv2.imwrite(os.path.join(output_img_folder, f"{stem}_{i:06d}{extension}"), picture)
            renderer.delete()

    def run_on_images(self, image_folder, out_folder):
        for number, path in enumerate(glob(os.path.join(image_folder, "*.jpg"))):
            self.process_image(path, out_folder, number)


def _people(image, reverse):
    blue, red = image[:, :, 0].astype(int), image[:, :, 2].astype(int)
    found = [
        (_box(mask), is_red) for mask, is_red in ((red - blue > 90, True), (blue - red > 90, False)) if mask.sum() > 30
    ]
    found = found[::-1] if reverse else found
    return torch.tensor([box for box, _ in found], dtype=torch.float32).reshape(-1, 4), [is_red for _, is_red in found]


def _box(mask):
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def _turn(angles):
    """Rotations about y."""
    cosine, sine, zero, one = angles.cos(), angles.sin(), torch.zeros_like(angles), torch.ones_like(angles)
    return torch.stack([cosine, zero, sine, zero, one, zero, -sine, zero, cosine], -1).reshape(-1, 3, 3)
