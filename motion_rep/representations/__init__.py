"""Motions in other representations: 272, 201, AMASS, SMPL-X npz; exports of HumanML3D's 263 and Kimodo."""
