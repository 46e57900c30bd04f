"""Pictures are what geometry says: pinhole rectangles, metric depth, smooth edges; both renderers agree, and golden
pictures stay as they were.
"""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
import torch
from checkout import TESTS

from motion_rep.bodies.body_models import load_body
from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.common.errors import UsageError
from motion_rep.drawing.contact_shadow import PartOutlines
from motion_rep.drawing.depth_clip import DepthPainter, DepthRange, depth_range
from motion_rep.drawing.lit_clip import lit_frames, scene_of
from motion_rep.drawing.mbench_scene import Bounds, eye_of, front_view, ground_mesh, mbench_scene
from motion_rep.drawing.opencv_renderer import OpenCvRenderer
from motion_rep.drawing.renderers import load_renderer
from motion_rep.drawing.scene import NEAR, Mesh, Region, View, region_of, view_of_camera
from motion_rep.drawing.shading import shade
from motion_rep.kinematics.camera import default_camera
from motion_rep.kinematics.frames import Y_UP_FROM_Z_UP
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.motions.encoding import body_parameters, encode_capture
from motion_rep.motions.motion_file import read_motion

GOLDEN = TESTS / "golden"
# Set to write the golden pictures anew; look at them before you commit them.
WRITE_GOLDEN = "WRITE_GOLDEN_PICTURES"


def load_gl():
    try:
        return load_renderer("gl")
    except UsageError as error:
        pytest.skip(f"OpenGL does not start here: {error}")


@pytest.fixture(scope="module")
def gl():
    return load_gl()


@pytest.fixture(params=["opencv", "gl"])
def renderer(request):
    return OpenCvRenderer() if request.param == "opencv" else request.getfixturevalue("gl")


def camera_view(width=60, height=40, focal=(50.0, 50.0), centre=None) -> View:
    x, y = centre or (width / 2, height / 2)
    return View(np.array([[focal[0], 0, x], [0, focal[1], y], [0, 0, 1.0]]), np.eye(4), width, height)


def quad(left, top, right, bottom, depth, color=(1.0, 0.0, 0.0)) -> Mesh:
    """A rectangle in OpenCV camera axes, counter-clockwise as the camera sees it."""
    corners = np.array(
        [[left, top, depth], [left, bottom, depth], [right, bottom, depth], [right, top, depth]], np.float32
    )
    return Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.tile(np.asarray(color, np.float32), (4, 1)))


def whole(region: Region, part: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The picture with the drawn rectangle in it."""
    picture = background.copy()
    picture[region.slices()] = part
    return picture


def draw(renderer, view, meshes, background=None):
    background = np.full((view.height, view.width, 3), 255, np.uint8) if background is None else background
    part, region = renderer.draw(view, meshes, background)
    return whole(region, part, background)


def draw_depth(renderer, view, mesh):
    part, region = renderer.draw_depth(view, mesh.vertices, mesh.faces)
    return whole(region, part, np.full((view.height, view.width), np.inf, np.float32))


@pytest.mark.parametrize(
    "centre, focal", [(None, (50, 50)), ((22.0, 27.0), (50, 50)), ((33.0, 15.0), (60, 45)), ((-10.0, 70.0), (50, 50))]
)
def test_a_rectangle_covers_the_pixels_that_the_pinhole_says(centre, focal):
    check_rectangle(OpenCvRenderer(), centre, focal)


def test_opengl_draws_the_same_rectangle_through_a_shifted_centre(gl):
    check_rectangle(gl, (22.0, 27.0), (60, 45))


def check_rectangle(renderer, centre, focal):
    view = camera_view(centre=centre, focal=focal)
    # Pixels 12 to 40 and 10 to 30 through this camera, 2 m away.
    x, y = view.intrinsic[0, 2], view.intrinsic[1, 2]
    mesh = quad(*(2 * (np.array([12, 10, 40, 30]) - [x, y, x, y]) / [*focal, *focal]), depth=2.0)
    expected = np.zeros((40, 60), bool)
    expected[10:30, 12:40] = True
    picture = draw(renderer, view, [mesh])
    np.testing.assert_array_equal(picture[11:29, 13:39], np.broadcast_to([255, 0, 0], (18, 26, 3)))
    outside = ~cv2.dilate(expected.astype(np.uint8), np.ones((3, 3))).astype(bool)
    assert (picture[outside] == 255).all()
    # Edges lie on pixel borders, so rounding moves them by a part of a pixel at most.
    assert abs((255.0 - picture[..., 1]).sum() / 255 - expected.sum()) < 0.03 * expected.sum()
    depth = draw_depth(renderer, view, mesh)
    assert np.isfinite(depth[11:29, 13:39]).all() and np.isinf(depth[outside]).all()
    np.testing.assert_allclose(depth[11:29, 13:39], 2.0, rtol=1e-4)


def test_depth_of_a_tilted_plane_is_metric_in_every_pixel(renderer):
    view = camera_view(centre=(20.0, 25.0))
    corners = np.array([[-3, -3, 2], [-3, 3, 3], [3, 3, 5], [3, -3, 4]], np.float32)  # z = 3.5 + x / 3 + y / 6
    depth = draw_depth(
        renderer, view, Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.ones((4, 3), np.float32))
    )
    columns, rows = np.meshgrid(np.arange(60) + 0.5, np.arange(40) + 0.5)
    slope = ((columns - 20) / 50) / 3 + ((rows - 25) / 50) / 6
    expected = 3.5 / (1 - slope)
    found = np.isfinite(depth)
    assert found.mean() > 0.85
    np.testing.assert_allclose(depth[found], expected[found], rtol=0.01)


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_nearer_covers_what_is_farther(renderer, order):
    near, far = quad(-0.2, -0.2, 0.2, 0.2, 1.0, (0, 1, 0)), quad(-2, -2, 2, 2, 3.0, (0, 0, 1))
    picture = draw(renderer, camera_view(), [near, far][::order])
    assert picture[20, 30].tolist() == [0, 255, 0] and picture[20, 45].tolist() == [0, 0, 255]


def test_colours_run_between_the_corners(renderer):
    mesh = quad(-0.4, -0.4, 0.4, 0.4, 1.0)
    colors = np.array([[0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1]], np.float32)
    row = draw(renderer, camera_view(), [Mesh(mesh.vertices, mesh.faces, colors)])[20, 12:48, 0].astype(int)
    assert (np.diff(row) > 0).all()
    np.testing.assert_allclose(row, (np.arange(36) + 2.5) / 40 * 255, atol=8)


def test_edges_are_smooth_and_as_large_as_the_triangle(renderer):
    triangle = Mesh(
        np.array([[-0.5, -0.3, 1], [0.0, 0.35, 1], [0.45, -0.2, 1]], np.float32),
        np.array([[0, 1, 2]], np.int32),
        np.zeros((3, 3), np.float32),
    )
    cover = 1 - draw(renderer, camera_view(), [triangle])[..., 0] / 255
    assert ((cover > 0.1) & (cover < 0.9)).sum() > 30
    first, second, third = triangle.vertices[:, :2] * 50
    area = abs(np.cross(np.append(second - first, 0), np.append(third - first, 0))[2]) / 2
    assert cover.sum() == pytest.approx(area, rel=0.02)


def test_the_background_shows_around_the_body_and_is_not_changed(renderer):
    background = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    before = background.copy()
    picture = draw(renderer, camera_view(), [quad(-0.2, -0.2, 0.2, 0.2, 1.0)], background)
    np.testing.assert_array_equal(background, before)
    np.testing.assert_array_equal(picture[:, :18], before[:, :18])
    np.testing.assert_array_equal(picture[32:], before[32:])


def test_bodies_half_in_view_out_of_view_and_behind_the_camera(renderer):
    view = camera_view()
    half = draw(renderer, view, [quad(0.3, -0.2, 2.0, 0.2, 1.0)])
    assert half[20, 59].tolist() == [255, 0, 0] and (half[:, :40] == 255).all()
    for lost in (quad(5.0, 5.0, 6.0, 6.0, 1.0), quad(-0.2, -0.2, 0.2, 0.2, -1.0)):
        assert (draw(renderer, view, [lost]) == 255).all()
        assert np.isinf(draw_depth(renderer, view, lost)).all()


def test_faces_that_cross_the_camera_smear_nothing():
    """Unfiltered, this triangle covers a quarter of the picture, mostly where it is not."""
    corners = np.array([[0.23, -0.23, 1.61], [0.96, 0.37, 0.63], [0.38, -0.22, -0.45]], np.float32)
    crossing = Mesh(corners, np.array([[0, 1, 2], [0, 2, 1]], np.int32), np.zeros((3, 3), np.float32))
    assert (draw(OpenCvRenderer(), camera_view(), [crossing]) == 255).all()
    assert np.isinf(draw_depth(OpenCvRenderer(), camera_view(), crossing)).all()


def test_depth_enlarged_is_the_same_picture_in_more_pixels(renderer):
    view, mesh = camera_view(centre=(22.0, 27.0)), quad(-0.31, -0.4, 0.37, 0.2, 1.5)
    part, region = renderer.draw_depth(view, mesh.vertices, mesh.faces, 3)
    large = whole(region, part, np.full((120, 180), np.inf, np.float32))
    share = np.isfinite(large).reshape(40, 3, 60, 3).mean(axis=(1, 3))
    small = np.isfinite(draw_depth(renderer, view, mesh))
    assert (share[small] > 0.3).all() and (share[~small] < 0.7).all()


def test_a_region_holds_all_points_and_stays_in_the_picture():
    view = camera_view()
    points = np.array([[0, 0, 1], [0.1, 0.19, 1], [100, 0, 1]], np.float32)
    assert region_of(view, points, margin=0) == Region(30, 20, 60, 30)
    assert region_of(view, np.array([[0, 0, NEAR / 2]], np.float32)) == Region(0, 0, 60, 40)
    assert region_of(view, np.array([[-100, 0, 1]], np.float32), margin=0).width == 0


# A whole body.


@pytest.fixture(scope="module")
def body():
    return MannequinBody()


@pytest.fixture
def walk(make_capture) -> BodyParameters:
    return body_parameters(encode_capture(capture_from_dict(make_capture(frames=6, seed=1))).motion)


def first_frame_view(walk: BodyParameters, width=160, height=200) -> View:
    camera = default_camera(width, height, walk.transl[0] + torch.tensor([0.0, 0.0, -0.4]), 3.0)
    return view_of_camera(camera, width, height)


def test_every_vertex_is_inside_the_silhouette_and_no_nearer_than_the_depth(renderer, body, walk):
    view, vertices = first_frame_view(walk), body.vertices(walk)[0]
    depth = draw_depth(renderer, view, Mesh(vertices, body.faces, np.zeros_like(vertices)))
    points = view.to_camera(vertices)
    pixels = (points @ view.intrinsic.T)[:, :2] / points[:, 2:]
    inside = ((pixels >= 1) & (pixels < [view.width - 1, view.height - 1])).all(axis=1)
    columns, rows = pixels[inside].astype(int).T
    finite = np.where(np.isfinite(depth), depth, 0).astype(np.float32)
    near = -cv2.dilate(-np.where(np.isfinite(depth), depth, 99).astype(np.float32), np.ones((3, 3)))
    far = cv2.dilate(finite, np.ones((3, 3)))
    assert (far[rows, columns] > 0).mean() > 0.999
    assert (points[inside, 2] > near[rows, columns] - 0.02).all()
    # Some vertices are what is seen.
    assert (points[inside, 2] < far[rows, columns] + 0.01).mean() > 0.4


def test_both_renderers_draw_the_same_body(gl, body, walk):
    view, vertices = first_frame_view(walk), body.vertices(walk)[0]
    mesh = Mesh(
        vertices,
        body.faces,
        shade(body.normals(walk, body.vertices(walk))[0], vertices, eye_of(view), np.array([0.0, 0, 1])),
    )
    ours, theirs = draw(OpenCvRenderer(), view, [mesh]), draw(gl, view, [mesh])
    assert overlap(ours, theirs, lambda rgb: (rgb != 255).any(-1)) > 0.95
    assert abs(ours.astype(int) - theirs).mean() < 1.0
    depths = [draw_depth(renderer, view, mesh) for renderer in (OpenCvRenderer(), gl)]
    both = np.isfinite(depths[0]) & np.isfinite(depths[1])
    # They sample a pixel at places that differ by half a pixel.
    assert np.median(abs(depths[0][both] - depths[1][both])) < 0.01


def test_near_is_white_far_is_black_and_one_range_holds_for_the_whole_clip(body, walk):
    walk = walk._replace(
        transl=walk.transl + torch.linspace(0, 1.0, len(walk.transl))[:, None] * torch.tensor([0.0, 1.0, 0.0])
    )
    camera, renderer = default_camera(120, 150, walk.transl[0] + torch.tensor([0.0, 0.0, -0.4]), 4.0), OpenCvRenderer()
    span = depth_range(body, renderer, walk, camera, 120, 150)
    painter = DepthPainter(renderer, body.faces, camera, 120, 150, span)
    pictures = [painter.picture(row, vertices) for row, vertices in enumerate(body.vertices(walk))]
    # The person comes nearer, so it gets lighter.
    means = [picture[picture > 0].mean() for picture in pictures]
    assert all(later > earlier + 5 for earlier, later in zip(means[:-1], means[1:], strict=True))
    assert max(picture.max() for picture in pictures) > 250
    assert all(picture[0].max() == picture[:, 0].max() == 0 for picture in pictures)
    distances = np.concatenate(
        [
            (v @ camera.world_to_camera.numpy()[:3, :3].T + camera.world_to_camera.numpy()[:3, 3])[:, 2]
            for v in body.vertices(walk)
        ]
    )
    assert span.near == pytest.approx(distances.min(), abs=0.01) and span.far <= distances.max() + 1e-3


def test_grey_levels_are_linear_between_near_and_far():
    grey = DepthRange(2.0, 4.0).to_grey(np.array([[1.0, 2.0, 3.0, 4.0, 5.0, np.inf]], np.float32))
    assert grey.tolist() == [[255, 255, 128, 0, 0, 0]]


def test_a_body_out_of_view_gives_black_pictures(body, walk):
    camera = default_camera(64, 64, torch.tensor([0.0, -100.0, 0.0]), 3.0)  # with its back to the person
    assert depth_range(body, OpenCvRenderer(), walk, camera, 64, 64) is None
    assert (
        DepthPainter(OpenCvRenderer(), body.faces, camera, 64, 64, None).picture(0, body.vertices(walk)[0]).max() == 0
    )


# The MBench scene.


def test_the_scene_is_centred_as_published():
    bounds = Bounds(np.array([-1.0, 0.0, 0.5]), np.array([2.0, 1.8, 1.5]))
    scene = mbench_scene(bounds, np.array([0.3, 0.9, 0.7]))
    np.testing.assert_allclose(scene.offset, [-0.3, -0.9, -0.7])
    np.testing.assert_allclose(scene.bounds.low, [-1.3, -0.9, -0.2])
    np.testing.assert_allclose(scene.bounds.high, [1.7, 0.9, 0.8])
    ground = ground_mesh(scene).vertices
    np.testing.assert_allclose([ground.min(0), ground.max(0)], [[-1.8, -0.9, -0.7], [2.2, -0.9, 1.3]], atol=1e-6)


@pytest.mark.parametrize(
    "low, high, distance",
    [
        ([-0.5, -0.9, -0.5], [0.5, 0.9, 0.5], 4.3),
        ([-0.5, -0.1, -2.0], [0.5, 0.1, 0.5], 4.0),
        ([-6.0, -0.9, -0.5], [1.0, 0.9, 0.5], 7.0),
    ],
)
def test_the_camera_is_the_published_one(low, high, distance):
    bounds = Bounds(np.array(low), np.array(high))
    view = front_view(mbench_scene(bounds, np.array([0.0, 0.0, 0.0])), 96, 96)
    np.testing.assert_allclose(eye_of(view), [(low[0] + high[0]) / 2, 1.5, distance])
    assert view.intrinsic[1, 1] == pytest.approx(48 / np.tan(np.pi / 6))
    ahead = view.world_to_camera[2, :3]
    np.testing.assert_allclose(ahead, [0, -0.5, -np.sqrt(0.75)], atol=1e-12)  # 30 degrees down
    assert np.linalg.det(view.world_to_camera[:3, :3]) == pytest.approx(1)


def test_the_bounds_of_a_scene_hold_every_frame_exactly(body, walk):
    posed = body.vertices(walk) @ np.asarray(Y_UP_FROM_Z_UP, np.float32).T
    scene = scene_of(body, walk)
    np.testing.assert_allclose(scene.boxes[:, 0], posed.min(1) + scene.offset, atol=1e-5)
    np.testing.assert_allclose(scene.boxes[:, 1], posed.max(1) + scene.offset, atol=1e-5)
    np.testing.assert_array_equal(scene.bounds.low, scene.boxes[:, 0].min(0))
    np.testing.assert_array_equal(scene.bounds.high, scene.boxes[:, 1].max(0))


def overlap(one: np.ndarray, other: np.ndarray, silhouette) -> float:
    """Intersection over union of two pictures' silhouettes."""
    first, second = silhouette(one), silhouette(other)
    return (first & second).sum() / (first | second).sum()


def test_frames_are_the_published_renderers(shared):
    paths = shared / "real" / "wan22_motion.pt", shared / "body" / "SMPLX_NEUTRAL.npz"
    references = [shared / "spec" / f"mbench_reference_{number}.png" for number in (1, 2, 3)]
    if not all(path.is_file() for path in (*paths, *references)):
        pytest.skip("the published pictures are not beside this checkout")
    parameters = body_parameters(read_motion(paths[0]).motion.double())
    body = load_body("smplx", paths[1])
    rows = [0, len(parameters.transl) // 2 + 1, len(parameters.transl) - 1]
    for row, picture in enumerate(lit_frames(body, OpenCvRenderer(), parameters, 960, 960)):
        if row in rows:
            published = cv2.cvtColor(cv2.imread(str(references[rows.index(row)])), cv2.COLOR_BGR2RGB)
            assert overlap(picture, published, lambda rgb: (rgb < 235).any(-1)) > 0.97
            # The body alone; its dark rims are shaded differently.
            assert overlap(picture, published, lambda rgb: rgb[..., 2].astype(int) - rgb[..., 0] > 30) > 0.94


def test_the_same_frame_alone_and_among_others_and_in_threads(body, walk):
    pictures = [list(lit_frames(body, OpenCvRenderer(), walk, 64, 64, threads=threads)) for threads in (0, 2)]
    assert len(pictures[0]) == len(walk.transl)
    for one, other in zip(*pictures, strict=True):
        np.testing.assert_array_equal(one, other)


def test_limbs_stand_out_and_the_ground_shows_where_the_feet_are(body, walk):
    picture = next(iter(lit_frames(body, OpenCvRenderer(), walk, 240, 240))).astype(int)
    blue = picture[..., 2] - picture[..., 0] > 40
    grey = (
        (abs(picture - picture.mean(-1, keepdims=True)).max(-1) < 6) & (picture[..., 0] < 215) & (picture[..., 0] > 100)
    )
    assert blue.sum() > 1000 and grey.sum() > 2000
    luminance = picture[blue].mean(-1)
    assert np.percentile(luminance, 95) - np.percentile(luminance, 5) > 50
    shadow = grey & (picture[..., 0] < 190)
    rows = np.nonzero(shadow)[0]
    assert shadow.sum() > 20 and rows.mean() > np.nonzero(blue)[0].mean()  # below the middle of the body


def test_a_shadow_is_darker_where_the_foot_is_closer():
    foot = np.array([[x, y, z] for x in (0, 0.1) for y in (0, 0.05) for z in (0, 0.2, 0.25)] * 4, np.float32)
    outlines = PartOutlines(np.zeros(len(foot), int))
    low, high = outlines.shadow(foot, 0.0), outlines.shadow(foot + np.float32([0, 0.4, 0]), 0.0)
    assert low.colors.mean() < high.colors.mean()
    assert abs(low.vertices[:, 1]).max() < 0.005 and abs(high.vertices[:, 1]).max() < 0.005


def test_light_stays_between_black_and_white_and_falls_from_above():
    normals = np.random.default_rng(2).normal(size=(500, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    eye, up = np.array([0.0, 1.0, 5.0]), np.array([0.0, 1.0, 0.0])
    colors = shade(normals, np.zeros_like(normals), eye, up)
    assert colors.dtype == np.float32 and colors.min() >= 0 and colors.max() <= 1
    down, raised, facing = shade(
        np.array([[0, -1, 0], [0, 1, 0], [0, 0, 1]], np.float32), np.zeros((3, 3), np.float32), eye, up
    ).mean(1)
    assert down < raised and down < facing


# Choosing a renderer.


def test_without_a_gpu_the_cpu_draws(monkeypatch):
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    assert load_renderer("auto").name == load_renderer("opencv").name == "opencv"


def test_an_unknown_renderer_is_refused():
    with pytest.raises(UsageError, match="expected one of auto, opencv, gl"):
        load_renderer("vulkan")


# Golden pictures.


def golden_pictures(body: MannequinBody) -> dict[str, np.ndarray]:
    """A person with raised arms in both kinds of picture, small."""
    pose = torch.zeros(2, 22, 3, dtype=torch.float64)
    pose[:, 16, 2], pose[:, 17, 2], pose[1, 4, 0], pose[1, 1, 0] = 0.9, -0.5, 1.2, -1.0
    level = torch.tensor([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]], dtype=torch.float64)  # y up to z up, facing +y
    walk = BodyParameters(
        level @ rotvec_to_matrix(pose[:, 0]),
        rotvec_to_matrix(pose[:, 1:]),
        torch.tensor([[0.0, 0.3, 1.3]] * 2, dtype=torch.float64),
    )
    lit = list(lit_frames(body, OpenCvRenderer(), walk, 128, 128))[1]
    camera = default_camera(96, 128, torch.tensor([0.0, 0.0, 0.9]), 3.2)
    painter = DepthPainter(
        OpenCvRenderer(), body.faces, camera, 96, 128, depth_range(body, OpenCvRenderer(), walk, camera, 96, 128)
    )
    depth = painter.picture(1, body.vertices(walk)[1])
    return {"lit.png": lit[..., ::-1], "depth.png": depth}


@pytest.mark.parametrize("name", ["lit.png", "depth.png"])
def test_pictures_look_as_they_did_when_somebody_last_looked(body, name):
    picture = golden_pictures(body)[name]
    if os.environ.get(WRITE_GOLDEN):
        GOLDEN.mkdir(exist_ok=True)
        cv2.imwrite(str(GOLDEN / name), picture)
    golden = cv2.imread(str(GOLDEN / name), cv2.IMREAD_UNCHANGED)
    difference = abs(picture.astype(int) - golden)
    hint = f"look at it, and if it is better, run the tests once with {WRITE_GOLDEN}=1"
    assert picture.shape == golden.shape, hint
    assert difference.mean() < 1.0 and (difference > 40).mean() < 0.005, hint


def test_the_farthest_point_of_an_overlay_differs_from_nothing():
    depth = np.array([[2.0, 3.0, 4.0, np.inf]], np.float32)
    assert DepthRange(2.0, 4.0).to_grey(depth).tolist() == [[255, 128, 0, 0]]
    assert DepthRange(2.0, 4.0).to_grey(depth, darkest=90).tolist() == [[255, 172, 90, 0]]
