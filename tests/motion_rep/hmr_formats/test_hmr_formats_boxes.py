"""People are told apart by where their boxes were."""

from __future__ import annotations

from motion_rep.hmr_results.box_tracks import MAX_FRAMES_AWAY, Box, link_boxes, overlap


def box(frame: int, x: float, size: float = 100) -> Box:
    return Box(frame, (x, 0, size, size))


def test_overlap_is_a_share_of_both():
    assert overlap(box(0, 0), box(0, 0)) == 1 and overlap(box(0, 0), box(0, 100)) == 0
    assert abs(overlap(box(0, 0), box(0, 50)) - 1 / 3) < 1e-12
    assert overlap(box(0, 0, 0), box(0, 0, 0)) == 0


def test_two_people_in_changing_order_stay_two():
    boxes = [
        box(frame, x)
        for frame in range(10)
        for x in ((10 * frame, 300 - 5 * frame) if frame % 2 else (300 - 5 * frame, 10 * frame))
    ]
    people = link_boxes(boxes)
    assert [[boxes[index].corner_and_size[0] for index in person] for person in people] == [
        [300 - 5 * f for f in range(10)],
        [10 * f for f in range(10)],
    ]


def test_the_closest_box_wins_not_the_first():
    boxes = [box(0, 0), box(1, 60), box(1, 5)]
    assert link_boxes(boxes) == [[0, 2], [1]]


def test_somebody_who_was_away_too_long_is_somebody_new():
    assert link_boxes([box(0, 0), box(MAX_FRAMES_AWAY, 0)]) == [[0, 1]]
    assert link_boxes([box(0, 0), box(MAX_FRAMES_AWAY + 1, 0)]) == [[0], [1]]
