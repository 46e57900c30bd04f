"""TokenHMR's ``tokenhmr/track.py``: PHALP's file, as 4D-Humans writes it; only ``--format`` can tell the two apart."""

from motion_rep.hmr_formats.phalp import phalp_format

FORMAT = phalp_format("tokenhmr")
