"""Motions in other representations: 272 (rows_272), 201 (rows_201), AMASS and SMPL-X archives (archives); exports of
HumanML3D's 263 (humanml3d) and Kimodo (kimodo). recognition identifies the contents of a file; conversion converts one
file, run converts many.
"""
