"""Vectors, rotations, the SMPL-X skeleton, changes of basis, cameras and foot contact."""
