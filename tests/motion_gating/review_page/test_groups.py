"""Which groups an entry of the page belongs to."""

from __future__ import annotations

import pytest

from motion_gating.review_page.records import ReviewEntry, capture_words, groups_of


@pytest.mark.parametrize(("fast", "groups"), [(True, ["jitter", "fast"]), (False, ["jitter"]), (None, ["jitter"])])
def test_a_fast_motion_is_in_a_group_of_its_own(fast, groups):
    record = {"use_ref_motion": False, "jitter_degree": 0.1, "failed_checks": ["jitter_degree"]}
    record |= {} if fast is None else {"fast_not_trembling": fast}
    assert groups_of(ReviewEntry({"id": 1}, record), 0.04) == groups


def test_the_page_tells_how_well_the_capture_fits():
    fit = {"image_fit": 0.62, "image_miss_95": 0.4, "most_people": 2, "unseen": ["head"], "shot_cuts": [9]}
    (words,) = capture_words(ReviewEntry({"id": 1}, {"capture_fit": fit}))
    assert words.startswith("capture: 62% of visible landmarks within 0.2 torso lengths")
    assert words.endswith("2 people in view; new shot at frame 9; never seen: head")
    for record in (None, {}, {"capture_fit": None}, {"capture_fit": {"image_fit": "high"}}):
        assert capture_words(ReviewEntry({"id": 1}, record)) == []
