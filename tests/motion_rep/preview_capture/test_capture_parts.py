"""Properties of the preview capture's parts that need no downloaded network."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from motion_rep.common.end_signals import Ended, signals_raise_ended
from motion_rep.common.errors import InputError, UsageError
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.preview_capture import networks
from motion_rep.preview_capture.adam import minimise
from motion_rep.preview_capture.body_fit import (
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


def smooth_body(frames: int, dtype=torch.float32) -> FittedBody:
    """A person who turns a little, swings arms and bends knees, 4 m in front of the camera."""
    time = torch.linspace(0, 2, frames, dtype=dtype)
    bends = torch.zeros(frames, 21, 3, dtype=dtype)
    bends[:, 3, 0] = bends[:, 4, 0] = 0.5 + 0.3 * torch.sin(3 * time)
    bends[:, 0, 0] = bends[:, 1, 0] = -0.4 - 0.2 * torch.sin(3 * time)
    bends[:, 15, 2] = -1.0 + 0.3 * torch.sin(2 * time)
    bends[:, 16, 2] = 1.0
    upright = rotvec_to_matrix(torch.tensor([torch.pi, 0.0, 0.0], dtype=dtype))
    root = upright @ rotvec_to_matrix(torch.stack((0 * time, 0.3 * torch.sin(time), 0 * time), -1))
    transl = torch.stack((0.2 * torch.sin(time), 0.3 + 0 * time, 4 + 0.1 * time), -1)
    return FittedBody(root, rotvec_to_matrix(bends), transl)


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
    values = torch.tensor([[9.0], [1.0], [9.0], [9.0], [4.0], [9.0]])
    known = torch.tensor([False, True, False, False, True, False])
    assert bridge(values, known)[:, 0].tolist() == pytest.approx([1, 1, 2, 3, 4, 4])


@pytest.mark.parametrize("frames", [1, 10, 299, 300, 301, 571, 1000, 7200])
def test_chunks_cover_every_frame_and_are_bounded(frames):
    pieces = cut(frames)
    assert pieces[0].start == 0 and pieces[-1].stop == frames
    assert all(piece.stop - piece.start <= CHUNK_FRAMES for piece in pieces)
    assert all(a.stop - b.start >= 20 for a, b in zip(pieces, pieces[1:], strict=False))


def test_blending_equal_chunks_gives_the_whole():
    body = smooth_body(700, torch.float64)
    parts = [(p, FittedBody(body.root[p], body.body[p], body.transl[p])) for p in cut(700)]
    whole = blend(parts)
    assert torch.allclose(whole.root, body.root, atol=1e-7) and torch.allclose(whole.body, body.body, atol=1e-7)
    assert torch.allclose(whole.transl, body.transl)


def test_blending_passes_smoothly_from_one_chunk_to_the_next():
    body = smooth_body(330)
    shifted = FittedBody(body.root, body.body, body.transl + torch.tensor([0.3, 0.0, 0.0]))
    first, second = cut(330)
    whole = blend(
        [
            (first, FittedBody(*(v[first] for v in (body.root, body.body, body.transl)))),
            (second, FittedBody(*(v[second] for v in (shifted.root, shifted.body, shifted.transl)))),
        ]
    )
    added = (whole.transl - body.transl)[:, 0]
    assert added[0] == pytest.approx(0) and added[-1] == pytest.approx(0.3)
    assert added.diff().max() < 0.3 / (first.stop - second.start) * 2.5


def test_stretches_split_at_long_gaps_only():
    seen = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 0], bool)
    assert stretches(seen, 1) == [slice(1, 5), slice(8, 9)]
    assert stretches(seen, 3) == [slice(1, 9)]
    assert stretches(np.zeros(4, bool), 3) == []


def perfect_inputs(body: FittedBody, focal: float = 700.0) -> tuple[BodyEstimate, ImagePoints]:
    pose = forward_kinematics(body.root, body.body, body.transl)
    frames, markers = len(body.transl), blazepose_markers(body.transl.dtype)
    placed = markers.place(pose)
    centre = torch.tensor([640.0, 360.0], dtype=placed.dtype)
    pixels = placed[..., :2] / placed[..., 2:] * focal + centre
    estimate = BodyEstimate(
        pose.positions - pose.positions[:, :1],
        torch.full((frames, 22, 3), 0.05),
        torch.eye(3).expand(frames, 3, 3),
        pose.rotations,
    )
    return estimate, ImagePoints(pixels, torch.ones(pixels.shape[:2]), focal, centre)


def test_fit_finds_the_body_from_perfect_landmarks():
    body = smooth_body(24)
    estimate, points = perfect_inputs(body)
    found = fit_body(estimate, points, blazepose_markers(), 30.0, FitSettings(steps=60))
    away = (
        forward_kinematics(found.root, found.body, found.transl).positions
        - forward_kinematics(body.root, body.body, body.transl).positions
    )
    assert away.norm(dim=-1).mean() < 0.03


def test_fit_bridges_frames_without_landmarks():
    body = smooth_body(24)
    estimate, points = perfect_inputs(body)
    weight = points.weight.clone()
    weight[10:14] = 0
    wrong = estimate.joints.clone()
    wrong[10:14] = 0
    holes = BodyEstimate(wrong, estimate.spread, estimate.view, estimate.rotations)
    found = fit_body(
        holes,
        ImagePoints(points.pixels, weight, points.focal_length, points.centre),
        blazepose_markers(),
        30.0,
        FitSettings(steps=60),
    )
    assert (found.transl - body.transl)[10:14].norm(dim=-1).max() < 0.1


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_the_slopes_of_the_fit_are_those_of_its_terms(frames):
    """Compared with the terms at nearby values, along random directions, with bends beyond every limit."""
    random = torch.Generator().manual_seed(7)

    def shaken(values: torch.Tensor, size: float) -> torch.Tensor:
        return values + size * torch.randn(values.shape, generator=random, dtype=values.dtype)

    body = smooth_body(24, torch.float64)
    estimate, points = perfect_inputs(FittedBody(body.root[:frames], body.body[:frames], body.transl[:frames]))
    spread = 0.05 + 0.05 * torch.rand(estimate.spread.shape, generator=random, dtype=torch.float64)
    view = rotvec_to_matrix(shaken(torch.zeros(frames, 3, dtype=torch.float64), 0.5))
    estimate = BodyEstimate(shaken(estimate.joints, 0.1), spread, view, estimate.rotations)
    weight = torch.rand(points.weight.shape, generator=random, dtype=torch.float64)
    points = ImagePoints(shaken(points.pixels, 9.0), weight, points.focal_length, points.centre.double())
    settings = FitSettings()
    terms = _Terms(estimate, points, blazepose_markers(torch.float64), 30.0, settings)
    values = shaken(torch.zeros(69, frames, dtype=torch.float64), 0.4).numpy()
    values[66:] += body.transl[:frames].numpy().T
    values[3 + 3 * 3] = 2.9  # the left knee bends too far
    root = body.root[:frames].permute(1, 2, 0).numpy()
    _, slope = terms.slope(root, values, settings.steps // 3)
    # The image term takes the depth of the pelvis as given, so the direction leaves it alone.
    for _ in range(5):
        way = shaken(torch.zeros(69, frames, dtype=torch.float64), 1e-6).numpy()
        way[68] = 0
        change = terms.slope(root, values + way, 199)[0] - terms.slope(root, values - way, 199)[0]
        assert change == pytest.approx(2 * (slope * way).sum(), rel=1e-5)


def test_fit_answers_one_frame():
    body = smooth_body(24)
    one = FittedBody(body.root[:1], body.body[:1], body.transl[:1])
    found = fit_body(*perfect_inputs(one), blazepose_markers(), 30.0, FitSettings(steps=5))
    assert found.transl.isfinite().all() and found.transl.shape == (1, 3)


def test_descent_finds_the_lowest_point_and_leaves_its_start_alone():
    start = np.array([5.0, -3.0])
    found = minimise(lambda values, _: 2 * (values - (1.0, 2.0)), start, steps=400, rate=0.1)
    assert found == pytest.approx([1.0, 2.0], abs=1e-2)
    assert start.tolist() == [5.0, -3.0]


def test_fit_calms_shaking_landmarks_without_losing_the_motion():
    body = smooth_body(40)
    estimate, points = perfect_inputs(body)
    shaking = torch.from_numpy(np.random.default_rng(3).normal(0, 3.0, points.pixels.shape)).float()
    found = fit_body(
        estimate, ImagePoints(points.pixels + shaking, points.weight, 700.0, points.centre), blazepose_markers(), 30.0
    )
    truth, joints = (forward_kinematics(b.root, b.body, b.transl).positions for b in (body, found))
    assert (
        torch.diff(joints, 2, dim=0).norm(dim=-1).mean() < 2.0 * torch.diff(truth, 2, dim=0).norm(dim=-1).mean() + 1e-3
    )
    assert (joints - joints[:, :1] - truth + truth[:, :1]).norm(dim=-1).mean() < 0.03


@pytest.mark.parametrize("noise", [1.0, 2.5])
def test_the_same_clip_at_three_rates_gives_the_same_motion(noise):
    """Landmarks shake by 1 and 2.5 pixels, the estimate by 30 and 75 mm in every frame, and the arms swing."""
    body, rates = smooth_body(121), (60, 30, 15)
    estimate, points = perfect_inputs(body)
    random = np.random.default_rng(5)
    shaking = points.pixels + torch.from_numpy(random.normal(0, noise, points.pixels.shape)).float()
    joints = estimate.joints + torch.from_numpy(random.normal(0, 0.03 * noise, estimate.joints.shape)).float()
    found = {}
    for rate in rates:
        rows = slice(None, None, 60 // rate)
        part = BodyEstimate(joints[rows], estimate.spread[rows], estimate.view[rows], estimate.rotations[rows])
        seen = ImagePoints(shaking[rows], points.weight[rows], points.focal_length, points.centre)
        fitted = fit_body(part, seen, blazepose_markers(), float(rate))
        places = forward_kinematics(fitted.root, fitted.body, fitted.transl).positions[:: rate // 15]
        found[rate] = places - places[:, :1]
    for rate in rates[1:]:
        assert (found[rate] - found[60]).norm(dim=-1).mean() < 0.010


def test_missing_or_altered_weights_name_the_command(tmp_path):
    with pytest.raises(UsageError, match=r"missing.*fetch_capture_weights"):
        require_weights(DETECTOR, tmp_path)
    (tmp_path / DETECTOR.name).write_bytes(b"other")
    assert not is_intact(DETECTOR, tmp_path)
    with pytest.raises(UsageError, match=r"sha256 differs.*fetch_capture_weights"):
        require_weights(DETECTOR, tmp_path)


def test_noise_is_judged_from_the_clip_not_from_its_movement():
    _, points = perfect_inputs(smooth_body(40))
    pelvis = torch.tensor([0.0, 0.0, 4.0]).expand(40, 3)
    shaking = points.pixels + torch.from_numpy(np.random.default_rng(1).normal(0, 3.5, points.pixels.shape)).float()
    noisy = ImagePoints(shaking, points.weight, points.focal_length, points.centre)
    assert image_noise(points, pelvis) < 0.002
    assert image_noise(noisy, pelvis) == pytest.approx(3.5 / 700 * 4, rel=0.1)


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
