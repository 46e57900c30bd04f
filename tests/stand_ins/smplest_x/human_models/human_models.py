"""Stand-in for SMPLest-X's human_models/human_models.py."""


class SMPLX:
    def __init__(self, human_model_path):
        self.face = [[0, 1, 2]]
