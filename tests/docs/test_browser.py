"""The site in a real Chromium: search, squares, narrow screens; nothing comes from the network.

Where there is no Chromium, or no Sphinx to build the site with, tests are skipped.
"""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import picture
from tests.browser.chromium import CHROMIUM, start
from tests.programs import program

pytestmark = pytest.mark.slow
PATIENCE = 60.0
RESULTS = "#search-results ul.search li"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a directory and says nothing."""

    def log_message(self, format: str, *values: Any) -> None:  # noqa: A002 - its name there
        """Be quiet."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served: what Chromium asks of any other place is a fault."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    running = start(program(*CHROMIUM), program("chromedriver"))
    yield running
    running.quit()


@pytest.fixture
def driver(chromium: webdriver.Chrome, address: str) -> Iterator[webdriver.Chrome]:
    """Chromium, which in the end must have had no error and have asked for this site alone."""
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get_log("performance")
    size(chromium, 1280)
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
    entries = (json.loads(each["message"])["message"] for each in chromium.get_log("performance"))
    asked = {
        entry["params"]["request"]["url"]
        for entry in entries
        if entry["method"] == "Network.requestWillBeSent"
    }
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def size(driver: webdriver.Chrome, width: int, scheme: str = "light") -> None:
    """Another width of the screen, and a colour scheme."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def search(driver: webdriver.Chrome, address: str, words: str) -> list[str]:
    """The titles that are found from the front page."""
    driver.get(address)
    driver.find_element(By.CSS_SELECTOR, "input[name=q]").send_keys(words, Keys.ENTER)
    WebDriverWait(driver, PATIENCE).until(
        lambda _: (
            "Search finished" in driver.find_element(By.ID, "search-results").text
            or "did not match" in driver.find_element(By.ID, "search-results").text
        )
    )
    return [each.text for each in driver.find_elements(By.CSS_SELECTOR, f"{RESULTS} > a")]


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("EPOLLEXCLUSIVE", "Operation"),
        ("worker_connections", "Options"),
        ("waitpid", "8. waitpid in a loop"),
        ("smuggling", "Findings"),
    ],
)
def test_search_finds(words: str, page: str, driver: webdriver.Chrome, address: str) -> None:
    assert page in search(driver, address, words)


def test_search_leads_to_the_page_and_shows_where(driver: webdriver.Chrome, address: str) -> None:
    search(driver, address, "EPOLLEXCLUSIVE")
    WebDriverWait(driver, PATIENCE).until(
        lambda _: driver.find_elements(By.CSS_SELECTOR, f"{RESULTS} .context")
    )
    [first, *_] = driver.find_elements(By.CSS_SELECTOR, RESULTS)
    assert "EPOLLEXCLUSIVE" in first.text
    first.find_element(By.CSS_SELECTOR, "a").click()
    WebDriverWait(driver, PATIENCE).until(lambda _: "/docs/" in driver.current_url)
    assert "EPOLLEXCLUSIVE" in driver.find_element(By.TAG_NAME, "article").text


def test_search_for_what_is_nowhere_says_so(driver: webdriver.Chrome, address: str) -> None:
    assert search(driver, address, "xyzzyplugh") == []


def test_a_square_opens_to_its_cases(driver: webdriver.Chrome, address: str) -> None:
    driver.get(address)
    [square, *_] = driver.find_elements(By.CSS_SELECTOR, "table.grid td.fail a")
    server, name = square.get_attribute("aria-label").split(":")[0].split(", ")
    square.click()
    WebDriverWait(driver, PATIENCE).until(
        lambda _: f"/grid/{server}.html#{name}" in driver.current_url
    )
    section = driver.find_element(By.ID, name)
    [case, *_] = section.find_elements(By.CSS_SELECTOR, "details[open] td.fail")
    assert case.is_displayed()
    [passed, *_] = driver.find_elements(By.CSS_SELECTOR, "details.pass:not([open])")
    # By its key: the page still scrolls smoothly to the section, and a click would hit a neighbour.
    passed.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert passed.find_element(By.CSS_SELECTOR, "td.pass").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(
    width: int, scheme: str, driver: webdriver.Chrome, address: str
) -> None:
    size(driver, width, scheme)
    for name in ("", "grid/onegate.html", "docs/options.html", "docs/results/grid.html"):
        driver.get(address + name)
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, name
        ground = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is (scheme == "light")


def test_the_picture_of_a_report_says_of_what_it_is(small: dict[str, Any], tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps(small))
    run, cells = small["run"], len(small["cells"])
    expected = f"2026-11-23, wsgi-matrix {run['tool_version']}, {run['where']}: {cells} cells."
    assert picture.origin(results) == expected
