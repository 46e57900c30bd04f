"""An error names its place once, and keeps its kind."""

from __future__ import annotations

import pytest

from motion_rep.common.errors import InputError, UsageError, located


@pytest.mark.parametrize("kind", [InputError, UsageError])
@pytest.mark.parametrize("message", ["is empty", "a.pt: is empty"])
def test_the_place_is_named_once(kind, message):
    with pytest.raises(kind) as caught, located("outer"), located("a.pt"):
        raise kind(message)
    assert type(caught.value) is kind and str(caught.value) == "outer: a.pt: is empty"


def test_other_errors_pass():
    with pytest.raises(KeyError), located("a.pt"):
        raise KeyError("x")
