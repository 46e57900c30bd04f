"""TokenHMR's ``tokenhmr/track.py``: PHALP's file, the same as from 4D-Humans; only ``--format`` can distinguish the
two.
"""

from motion_rep.hmr_formats.phalp import phalp_format

FORMAT = phalp_format("tokenhmr")
