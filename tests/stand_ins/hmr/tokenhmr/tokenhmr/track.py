"""Stand-in for TokenHMR's tokenhmr/track.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from phalp import main

values = main("render.colors", "+checkpoint", "+model_config")
assert values["render.colors"] == "slahmr"
assert Path(values["+checkpoint"]).is_file() and Path(values["+model_config"]).is_file()
