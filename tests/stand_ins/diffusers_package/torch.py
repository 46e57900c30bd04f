"""Stand-in for the little that our runner asks of torch, which takes more than a second to import."""

float32, bfloat16 = "float32", "bfloat16"


class Generator:
    def __init__(self, device):
        assert device == "cpu"

    def manual_seed(self, seed):
        self._seed = seed
        return self

    def initial_seed(self):
        return self._seed
