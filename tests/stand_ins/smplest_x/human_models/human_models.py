"""Stand-in for SMPLest-X's human_models/human_models.py."""


class SMPLX:
    """One instance, made before the network, as the network expects it."""

    made = 0

    def __init__(self, human_model_path):
        if SMPLX.made:
            raise Exception("This class is a singleton!")
        SMPLX.made = 1
        self.face = [[0, 1, 2]]
