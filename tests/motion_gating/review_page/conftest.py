"""One Chromium for all tests of the review page."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
    from browser_support import chromium

    yield from chromium(tmp_path_factory)
