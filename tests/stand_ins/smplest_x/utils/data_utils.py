"""Stand-in for SMPLest-X's utils/data_utils.py, with the real signatures."""

import cv2
import numpy as np


def load_img(path, order="RGB"):
    image = cv2.imread(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if not isinstance(image, np.ndarray):
        raise OSError(f"Fail to read {path}")
    return (image[:, :, ::-1] if order == "RGB" else image).astype(np.float32)


def process_bbox(bbox, img_width, img_height, input_img_shape, ratio=1.25):
    x, y, w, h = (float(value) for value in bbox)
    if w * h <= 400:
        return None
    aspect = input_img_shape[1] / input_img_shape[0]
    centre = (x + w / 2, y + h / 2)
    w, h = max(w, aspect * h) * ratio, max(h, w / aspect) * ratio
    return np.array([centre[0] - w / 2, centre[1] - h / 2, w, h], dtype=np.float32)


def generate_patch_image(cvimg, bbox, scale, rot, do_flip, out_shape):
    assert (scale, rot, do_flip) == (1.0, 0.0, False)
    x, y, w, h = bbox
    matrix = np.array(
        [[out_shape[1] / w, 0, -x * out_shape[1] / w], [0, out_shape[0] / h, -y * out_shape[0] / h]], dtype=np.float32
    )
    return cv2.warpAffine(cvimg, matrix, (out_shape[1], out_shape[0])).astype(np.float32), matrix, None
