"""Which groups an entry of the page belongs to."""

from __future__ import annotations

import pytest

from motion_gating.review_page.records import ReviewEntry, groups_of


@pytest.mark.parametrize(("fast", "groups"), [(True, ["jitter", "fast"]), (False, ["jitter"]), (None, ["jitter"])])
def test_a_fast_motion_is_in_a_group_of_its_own(fast, groups):
    record = {"use_ref_motion": False, "jitter_degree": 0.1, "failed_checks": ["jitter_degree"]}
    record |= {} if fast is None else {"fast_not_trembling": fast}
    assert groups_of(ReviewEntry({"id": 1}, record), 0.04) == groups
