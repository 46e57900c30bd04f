"""Read and write video with PyAV (FFmpeg's libraries).

``container``: open a file and choose its video stream. ``picture_shape``: square pixels, upright. ``reading``: frames
and their times. ``animated_webp``: the one format that FFmpeg does not decode. ``timing``: even and uneven frame times.
``shot_cuts``: where new shots begin. ``writing``: H.264 out.
"""
