"""A video of one person to SMPL-X parameters on a CPU, for previews. Each file imports only from files above it.

| file | role |
| --- | --- |
| `weights.py` | names and checksums of the landmark networks |
| `landmarks.py` | 33 landmarks per frame: the output of a landmark source |
| `networks.py` | BlazePose's detector and landmark network |
| `sides.py` | decides over time which landmarks are left and right |
| `identity.py` | finds where the tracker moved to another person |
| `tracking.py` | follows one person through the frames |
| `people.py` | lists the people in a video |
| `up_direction.py` | which way is up, from how the person stands |
| `markers.py` | points of the body that landmarks mark |
| `lifting.py` | landmarks of a frame or a second to an estimate of the neutral body; weights in two `npz` files |
| `adam.py` | the optimiser of the fit |
| `body_fit.py` | the fit of the body over time |
| `chunks.py` | cuts long clips into pieces and blends the results |
| `image_match.py` | compares the fitted body with the landmarks |
| `video_capture.py` | a video to a capture |
| `command.py` | the work of `capture_preview.py` |
"""
