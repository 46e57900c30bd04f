"""The 3D viewer of motions: its stage, its clock, and the page that shows both (with viser)."""
