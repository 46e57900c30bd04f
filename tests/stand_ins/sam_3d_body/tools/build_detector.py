"""Stand-in for SAM 3D Body's tools/build_detector.py."""


class HumanDetector:
    def __init__(self, name="vitdet", device="cuda", **kwargs):
        assert name == "vitdet"
