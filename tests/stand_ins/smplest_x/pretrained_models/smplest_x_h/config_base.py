config = {
    "model": {
        "human_model_path": "./human_models/human_model_files",
        "focal": (5000, 5000),
        "princpt": (96, 128),
        "input_body_shape": (256, 192),
        "input_img_shape": (512, 384),
    },
    "data": {"bbox_ratio": 1.2},
    "inference": {
        "detection": {
            "model_path": "./pretrained_models/yolov8x.pt",
            "conf": 0.5,
            "save": False,
            "verbose": False,
            "iou_thr": 0.5,
        }
    },
}
