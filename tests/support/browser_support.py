"""Chromium for the tests of the review page, and what a person does there."""

from __future__ import annotations

import secrets
import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1366,820",
)
# A generous end for waits: the machine may be busy.
PATIENCE = 100
# A reviewer who has been asked for a name, and gave none.
NAMELESS = "localStorage.clear(); localStorage.setItem('motion-review-setting asked', '1')"


def chromium(tmp_path_factory):
    """A Chromium until the caller goes on; its downloads lie in ``downloads``."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("there is no chromium with chromedriver (apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    downloads = tmp_path_factory.mktemp("downloads")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    started.downloads = downloads
    yield started
    started.quit()


def size(browser, width: int, height: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def wait(browser, script: str):
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.05).until(lambda driver: driver.execute_script(script))


def load_again(browser, address: str) -> None:
    """Load a page anew. Another process of the browser may show it, which sees a moment later what was stored."""
    mark = secrets.token_hex(8)
    browser.execute_script("localStorage.setItem('mark of the tests', arguments[0])", mark)

    def sees_what_was_stored(driver) -> bool:
        driver.get("about:blank")
        driver.get(address)
        return driver.execute_script("return localStorage.getItem('mark of the tests')") == mark

    WebDriverWait(browser, PATIENCE, poll_frequency=0.05).until(sees_what_was_stored)


def press(browser, *keys: str) -> None:
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def shown(browser) -> list[str]:
    return browser.execute_script("return state.shown.map((entry) => entry.id)")


def open_id(browser) -> str:
    return browser.execute_script("return byKey.get(state.open).id")


def click(browser, selector: str) -> None:
    browser.find_element(By.CSS_SELECTOR, selector).click()


def given_ids(page) -> dict:
    """The verdicts that the page keeps, by id."""
    script = "return entries.filter((e) => verdictOf(e).verdict).map((e) => [e.id, verdictOf(e).verdict])"
    return dict(page.execute_script(script))


def bring(page, path, items) -> None:
    """Import a verdict file; ``items`` is JSON text."""
    path.write_text(items)
    page.execute_script("tell('')")
    page.find_element(By.ID, "import").send_keys(str(path))
    wait(page, "return find('notice').textContent.includes('imported')")
