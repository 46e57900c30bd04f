"""Properties of the preview capture's parts that need no downloaded network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from checkout import REPO

from motion_rep.common.end_signals import Ended, signals_raise_ended
from motion_rep.common.errors import InputError, UsageError
from motion_rep.kinematics.array_chain import frames_last
from motion_rep.kinematics.array_rotations import rotation_matrices
from motion_rep.preview_capture import networks
from motion_rep.preview_capture.adam import minimise
from motion_rep.preview_capture.body_fit import (
    LEFT_KNEE,
    BodyEstimate,
    FitSettings,
    FittedBody,
    ImagePoints,
    _Terms,
    bridge,
    fit_body,
    image_noise,
)
from motion_rep.preview_capture.chunks import CHUNK_FRAMES, blend, cut, stretches
from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.lifting import (
    WORLD_SHARE,
    Lens,
    LiftedFrames,
    LiftingNetwork,
    _with_world_depths,
    features,
    mirrored,
    view_axes,
)
from motion_rep.preview_capture.markers import blazepose_markers
from motion_rep.preview_capture.network_file import without_output
from motion_rep.preview_capture.weights import DETECTOR, is_intact, require_weights


def random_track(frames: int, seed: int = 0) -> LandmarkTrack:
    random = np.random.default_rng(seed)
    image = random.uniform(100, 500, (frames, COUNT, 2))
    return LandmarkTrack(
        image, random.normal(0, 0.3, (frames, COUNT, 3)), random.uniform(0, 1, (frames, COUNT)), np.ones(frames, bool)
    )


def smooth_body(frames: int, dtype=np.float32) -> FittedBody:
    """A person who turns a little, swings arms and bends knees, 4 m in front of the camera."""
    time = np.linspace(0, 2, frames, dtype=dtype)
    bends = np.zeros((frames, 21, 3), dtype)
    bends[:, 3, 0] = bends[:, 4, 0] = 0.5 + 0.3 * np.sin(3 * time)
    bends[:, 0, 0] = bends[:, 1, 0] = -0.4 - 0.2 * np.sin(3 * time)
    bends[:, 15, 2] = -1.0 + 0.3 * np.sin(2 * time)
    bends[:, 16, 2] = 1.0
    upright = rotation_matrices(np.array([np.pi, 0.0, 0.0], dtype))
    root = upright @ rotation_matrices(np.stack((0 * time, 0.3 * np.sin(time), 0 * time), -1))
    transl = np.stack((0.2 * np.sin(time), 0.3 + 0 * time, 4 + 0.1 * time), -1)
    return FittedBody(root, rotation_matrices(bends), transl)


def joints_of(body: FittedBody) -> np.ndarray:
    """(T, 22, 3) metres."""
    return body.pose().positions.T


def rows_of(body: FittedBody, rows: slice) -> FittedBody:
    return FittedBody(body.root[rows], body.body[rows], body.transl[rows])


def apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.linalg.norm(first - second, axis=-1)


def test_detector_has_the_anchors_of_its_output():
    assert networks._anchors().shape == (2254, 2)
    assert (networks._anchors() > 0).all() and (networks._anchors() < 1).all()


def test_region_is_upright_for_an_upright_person_and_turns_with_it():
    assert networks.Region.around(np.array([50.0, 80.0]), np.array([50.0, 20.0])).angle == pytest.approx(0)
    assert networks.Region.around(np.array([50.0, 80.0]), np.array([110.0, 80.0])).angle == pytest.approx(np.pi / 2)
    assert not networks.Region.around(np.array([5.0, 5.0]), np.array([5.0, 5.0])).usable()


def test_overlapping_detections_become_one_and_others_stay():
    boxes = np.array([[0.3, 0.5, 0.2, 0.2], [0.31, 0.5, 0.2, 0.2], [0.8, 0.5, 0.2, 0.2]])
    points = np.repeat(boxes[:, None, :2], 4, axis=1)
    merged = networks._merge(boxes, points, np.array([0.9, 0.6, 0.7]))
    assert [score for score, _ in merged] == [0.9, 0.7]
    assert 0.3 < merged[0][1][0, 0] < 0.31


def test_heatmap_moves_a_landmark_only_where_it_is_sure():
    heat = np.full((64, 64, 39), -20.0)
    heat[33, 31, 0] = 20.0
    heat[33, 31, 1] = -2.0
    refined = networks._refine(np.full((39, 2), 0.5), heat)
    assert refined[0] == pytest.approx([31 / 64, 33 / 64])
    assert refined[1] == pytest.approx([0.5, 0.5])


def test_mirroring_twice_changes_nothing():
    track = random_track(4)
    again = mirrored(mirrored(track, 640), 640)
    assert np.allclose(again.image, track.image) and np.allclose(again.world, track.world)


def test_view_axes_point_at_the_hips():
    track, lens = random_track(5), Lens(700.0, 640, 480)
    axes = view_axes(track.image, lens)
    ray = lens.rays(track.image[:, [23, 24]].mean(1))
    assert np.allclose(axes[:, :, 2], ray / np.linalg.norm(ray, axis=1, keepdims=True))
    assert np.allclose(axes @ axes.transpose(0, 2, 1), np.eye(3)) and np.allclose(np.linalg.det(axes), 1)


def test_features_do_not_depend_on_the_picture_s_resolution():
    track = random_track(3)
    large = LandmarkTrack(track.image * 2, track.world, track.visibility, track.detected)
    assert np.allclose(features(track, Lens(700.0, 640, 480)), features(large, Lens(1400.0, 1280, 960)), atol=1e-5)


def test_lifting_gives_rotations_and_mirrors_with_the_image():
    track, lens, network = random_track(3), Lens(700.0, 640, 480), LiftingNetwork.load()
    straight, flipped = network.lift(track, lens), network.lift(mirrored(track, 640), lens)
    assert np.allclose(np.linalg.det(straight.rotations), 1) and (straight.spread > 0).all()
    swap = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20]
    assert np.allclose(flipped.joints[:, swap] * (-1, 1, 1), straight.joints, atol=1e-4)


def test_depths_lean_towards_those_of_the_world_landmarks():
    """Across the view, the lifted joints stay; shoulders take neck and head along."""
    track = random_track(2)
    still = np.zeros((2, 22, 3))
    lifted = LiftedFrames(still, still + 0.1, np.tile(np.eye(3), (2, 1, 1)), np.tile(np.eye(3), (2, 22, 1, 1)))
    found = _with_world_depths(lifted, track).joints
    depth = track.world[..., 2] - track.world[:, [23, 24], 2].mean(1, keepdims=True)
    assert np.allclose(found[:, [18, 21, 7]], WORLD_SHARE * depth[:, [13, 16, 27], None] * (0, 0, 1))
    assert np.allclose(found[:, 15, 2], WORLD_SHARE * depth[:, [11, 12]].mean(1))


def test_a_damaged_lifting_network_is_one_clear_error(tmp_path):
    np.savez(tmp_path / "net.npz", mean=np.zeros(3))
    with pytest.raises(InputError, match="does not contain the lifting network"):
        LiftingNetwork.load(tmp_path / "net.npz")


def test_landmarks_of_the_wrong_shape_are_refused():
    with pytest.raises(InputError, match="world has shape"):
        LandmarkTrack(np.zeros((2, COUNT, 2)), np.zeros((2, COUNT, 2)), np.zeros((2, COUNT)), np.ones(2, bool))


def test_bridge_interpolates_inside_and_holds_at_the_ends():
    values = np.array([[9.0], [1.0], [9.0], [9.0], [4.0], [9.0]])
    known = np.array([False, True, False, False, True, False])
    assert bridge(values, known)[:, 0].tolist() == pytest.approx([1, 1, 2, 3, 4, 4])


@pytest.mark.parametrize("frames", [1, 10, 299, 300, 301, 571, 1000, 7200])
def test_chunks_cover_every_frame_and_are_bounded(frames):
    pieces = cut(frames)
    assert pieces[0].start == 0 and pieces[-1].stop == frames
    assert all(piece.stop - piece.start <= CHUNK_FRAMES for piece in pieces)
    assert all(a.stop - b.start >= 20 for a, b in zip(pieces, pieces[1:], strict=False))


def test_blending_equal_chunks_gives_the_whole():
    body = smooth_body(700, np.float64)
    whole = blend([(p, rows_of(body, p)) for p in cut(700)])
    assert np.allclose(whole.root, body.root, atol=1e-7) and np.allclose(whole.body, body.body, atol=1e-7)
    assert np.allclose(whole.transl, body.transl)


def test_blending_passes_smoothly_from_one_chunk_to_the_next():
    body = smooth_body(330)
    shifted = FittedBody(body.root, body.body, body.transl + np.array([0.3, 0.0, 0.0]))
    first, second = cut(330)
    whole = blend([(first, rows_of(body, first)), (second, rows_of(shifted, second))])
    added = (whole.transl - body.transl)[:, 0]
    assert added[0] == pytest.approx(0) and added[-1] == pytest.approx(0.3)
    assert np.diff(added).max() < 0.3 / (first.stop - second.start) * 2.5


def test_stretches_split_at_long_gaps_only():
    seen = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 0], bool)
    assert stretches(seen, 1) == [slice(1, 5), slice(8, 9)]
    assert stretches(seen, 3) == [slice(1, 9)]
    assert stretches(np.zeros(4, bool), 3) == []


def perfect_inputs(body: FittedBody, focal: float = 700.0) -> tuple[BodyEstimate, ImagePoints]:
    pose, frames, dtype = body.pose(), len(body.transl), body.transl.dtype
    placed = blazepose_markers(dtype).place(pose).T
    centre = np.array([640.0, 360.0], dtype)
    pixels = placed[..., :2] / placed[..., 2:] * dtype.type(focal) + centre
    positions, rotations = pose.positions.T, pose.rotations.transpose(3, 2, 0, 1)
    view = np.tile(np.eye(3, dtype=dtype), (frames, 1, 1))
    estimate = BodyEstimate(positions - positions[:, :1], np.full_like(positions, 0.05), view, rotations)
    return estimate, ImagePoints(pixels, np.ones_like(pixels[..., 0]), focal, centre)


def shaken(points: ImagePoints, noise: float, seed: int) -> ImagePoints:
    """The points moved by some pixels in every frame."""
    moves = np.random.default_rng(seed).normal(0, noise, points.pixels.shape).astype(np.float32)
    return ImagePoints(points.pixels + moves, points.weight, points.focal_length, points.centre)


def test_fit_finds_the_body_from_perfect_landmarks():
    body = smooth_body(24)
    estimate, points = perfect_inputs(body)
    found = fit_body(estimate, points, blazepose_markers(), 30.0, FitSettings(steps=60))
    assert apart(joints_of(found), joints_of(body)).mean() < 0.03


def test_fit_bridges_frames_without_landmarks():
    body = smooth_body(24)
    estimate, points = perfect_inputs(body)
    weight, wrong = points.weight.copy(), estimate.joints.copy()
    weight[10:14] = 0
    wrong[10:14] = 0
    holes = BodyEstimate(wrong, estimate.spread, estimate.view, estimate.rotations)
    seen = ImagePoints(points.pixels, weight, points.focal_length, points.centre)
    found = fit_body(holes, seen, blazepose_markers(), 30.0, FitSettings(steps=60))
    assert apart(found.transl, body.transl)[10:14].max() < 0.1


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_the_slopes_of_the_fit_are_those_of_its_terms(frames):
    """Compared with the terms at nearby values, along random directions, with bends beyond every limit."""
    random = np.random.default_rng(7)
    body = rows_of(smooth_body(24, np.float64), slice(frames))
    estimate, points = perfect_inputs(body)
    joints = estimate.joints + random.normal(0, 0.1, estimate.joints.shape)
    view = rotation_matrices(random.normal(0, 0.5, (frames, 3)))
    estimate = BodyEstimate(joints, random.uniform(0.05, 0.1, joints.shape), view, estimate.rotations)
    pixels = points.pixels + random.normal(0, 9.0, points.pixels.shape)
    points = ImagePoints(pixels, random.uniform(0, 1, pixels.shape[:2]), points.focal_length, points.centre)
    terms = _Terms(estimate, points, blazepose_markers(np.float64), 30.0, FitSettings())
    values = random.normal(0, 0.4, (69, frames))
    values[66:] += body.transl.T
    values[3 * LEFT_KNEE] = 2.9  # bent too far
    root = frames_last(body.root)
    _, slope = terms.slope(root, values, FitSettings().steps // 3)
    for _ in range(5):
        way = random.normal(0, 1e-6, values.shape)
        way[68] = 0  # the image term takes the depth of the pelvis as given
        change = terms.slope(root, values + way, 199)[0] - terms.slope(root, values - way, 199)[0]
        assert change == pytest.approx(2 * (slope * way).sum(), rel=1e-5)


def test_fit_answers_one_frame():
    one = rows_of(smooth_body(24), slice(1))
    found = fit_body(*perfect_inputs(one), blazepose_markers(), 30.0, FitSettings(steps=5))
    assert np.isfinite(found.transl).all() and found.transl.shape == (1, 3)


def test_descent_finds_the_lowest_point_and_leaves_its_start_alone():
    start = np.array([5.0, -3.0])
    found = minimise(lambda values, _: 2 * (values - (1.0, 2.0)), start, steps=400, rate=0.1)
    assert found == pytest.approx([1.0, 2.0], abs=1e-2)
    assert start.tolist() == [5.0, -3.0]


def test_fit_calms_shaking_landmarks_without_losing_the_motion():
    body = smooth_body(40)
    estimate, points = perfect_inputs(body)
    found = fit_body(estimate, shaken(points, 3.0, seed=3), blazepose_markers(), 30.0)
    truth, joints = joints_of(body), joints_of(found)
    shaking = [np.linalg.norm(np.diff(path, 2, axis=0), axis=-1).mean() for path in (joints, truth)]
    assert shaking[0] < 2.0 * shaking[1] + 1e-3
    assert apart(joints - joints[:, :1], truth - truth[:, :1]).mean() < 0.03


@pytest.mark.parametrize("noise", [1.0, 2.5])
def test_the_same_clip_at_three_rates_gives_the_same_motion(noise):
    """Landmarks shake by 1 and 2.5 pixels, the estimate by 30 and 75 mm in every frame, and the arms swing."""
    body, rates = smooth_body(121), (60, 30, 15)
    estimate, points = perfect_inputs(body)
    points = shaken(points, noise, seed=5)
    moves = np.random.default_rng(6).normal(0, 0.03 * noise, estimate.joints.shape)
    joints = estimate.joints + moves.astype(np.float32)
    found = {}
    for rate in rates:
        rows = slice(None, None, 60 // rate)
        part = BodyEstimate(joints[rows], estimate.spread[rows], estimate.view[rows], estimate.rotations[rows])
        seen = ImagePoints(points.pixels[rows], points.weight[rows], points.focal_length, points.centre)
        places = joints_of(fit_body(part, seen, blazepose_markers(), float(rate)))[:: rate // 15]
        found[rate] = places - places[:, :1]
    for rate in rates[1:]:
        assert apart(found[rate], found[60]).mean() < 0.010


def test_missing_or_altered_weights_name_the_command(tmp_path):
    with pytest.raises(UsageError, match=r"missing.*fetch_capture_weights"):
        require_weights(DETECTOR, tmp_path)
    (tmp_path / DETECTOR.name).write_bytes(b"other")
    assert not is_intact(DETECTOR, tmp_path)
    with pytest.raises(UsageError, match=r"sha256 differs.*fetch_capture_weights"):
        require_weights(DETECTOR, tmp_path)


def test_noise_is_judged_from_the_clip_not_from_its_movement():
    _, points = perfect_inputs(smooth_body(40))
    pelvis = np.tile((0.0, 0.0, 4.0), (40, 1))
    assert image_noise(points, pelvis) < 0.002
    assert image_noise(shaken(points, 3.5, seed=1), pelvis) == pytest.approx(3.5 / 700 * 4, rel=0.1)


def test_a_signal_is_raised_only_when_stderr_is_back(monkeypatch, capfd):
    """Else its error line is lost: stderr is mute while a network loads."""

    class Interpreter:
        def __init__(self, **_):
            os.kill(os.getpid(), signal.SIGTERM)

        def allocate_tensors(self):
            print("allocated", flush=True)

    monkeypatch.setattr(networks, "optional_module", lambda *_: SimpleNamespace(Interpreter=Interpreter))
    with pytest.raises(Ended), signals_raise_ended():
        networks._interpreter(b"")
    os.write(2, b"seen")
    assert capfd.readouterr() == ("allocated\n", "seen")


def two_headed_network() -> bytes:
    """A TFLite network: outputs are logistic(x), the square of logistic(x), and its negation after the logistic."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")

    def made(kind: str, **fields: object) -> object:
        thing = getattr(schema, kind)()
        for name, value in fields.items():
            setattr(thing, name, value)
        return thing

    numbers = [getattr(schema.BuiltinOperator, name) for name in ("LOGISTIC", "SQUARE", "NEG")]
    codes = [made("OperatorCodeT", builtinCode=n, deprecatedBuiltinCode=n, version=1) for n in numbers]
    graph = made(
        "SubGraphT",
        tensors=[made("TensorT", shape=[1, 3], name=f"t{k}".encode()) for k in range(5)],
        inputs=[0],
        outputs=[1, 2, 4],
        operators=[
            made("OperatorT", opcodeIndex=code, inputs=[before], outputs=[after])
            for code, before, after in ((0, 0, 1), (1, 1, 2), (2, 1, 3), (0, 3, 4))
        ],
    )
    model = made("ModelT", version=3, operatorCodes=codes, subgraphs=[graph], buffers=[schema.BufferT()])
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("removed, operators", [(0, 4), (1, 3), (2, 2)])
def test_without_an_output_a_network_computes_less_and_gives_the_same(removed, operators):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    whole = two_headed_network()
    found = []
    for model in (whole, without_output(whole, removed)):
        net = interpreter.Interpreter(
            model_content=model,
            experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        net.allocate_tensors()
        net.set_tensor(net.get_input_details()[0]["index"], np.array([[0.1, -2.0, 3.0]], np.float32))
        net.invoke()
        found.append(([net.get_tensor(o["index"]).tolist() for o in net.get_output_details()], net._get_ops_details()))
    (values, all_steps), (fewer, steps) = found
    assert fewer == [value for number, value in enumerate(values) if number != removed]
    assert (len(all_steps), len(steps)) == (4, operators)


def test_the_capture_starts_without_torch():
    """Its import would take longer than everything else of a short clip."""
    code = "import sys, motion_rep.preview_capture.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPO, check=False).returncode == 0
