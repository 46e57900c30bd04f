"""Stand-in for SAM 3D Body's tools/build_fov_estimator.py."""


class FOVEstimator:
    def __init__(self, name="moge2", device="cuda", **kwargs):
        assert name == "moge2"
