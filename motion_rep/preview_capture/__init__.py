"""Turn a video of one person into SMPL-X parameters on the CPU, for previews. Each file imports only from files above
it.

| file | role |
| --- | --- |
| `weights.py` | names and checksums of the landmark networks |
| `landmarks.py` | 33 landmarks per frame: the output of a landmark source |
| `network_file.py` | removes what is not needed from a network |
| `networks.py` | BlazePose's detector and landmark network |
| `sides.py` | decides over time which landmarks are left and right |
| `identity.py` | finds where the tracker moved to another person |
| `tracking.py` | follows one person through the frames |
| `people.py` | lists the people in a video |
| `up_direction.py` | estimates which way is up from how the person stands |
| `markers.py` | points of the body that correspond to landmarks |
| `lifting.py` | estimates the neutral body from the landmarks of a frame or a second; weights in two `npz` files |
| `adam.py` | the optimiser of the fit |
| `body_fit.py` | the fit of the body over time |
| `chunks.py` | cuts long clips into pieces and blends the results |
| `image_match.py` | compares the fitted body with the landmarks |
| `video_capture.py` | turns a video into a capture |
| `command.py` | the work of `capture_preview.py` |
"""
