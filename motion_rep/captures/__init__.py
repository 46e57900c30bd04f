"""SMPL-X captures: the type, its file, checks and resampling."""
