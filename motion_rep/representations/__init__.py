"""Motions in other representations: 272 (rows_272), 201 (rows_201), AMASS and SMPL-X archives (archives); exports of
HumanML3D's 263 (humanml3d) and Kimodo (kimodo). recognition says what a file holds; conversion does one file, run many.
"""
