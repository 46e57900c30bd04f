"""The 3D viewer of motions: what stands on its stage, its clock, and the page that shows both (through viser)."""
