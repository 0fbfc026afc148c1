"""A real Chromium, headless, with a fresh profile; made-up reports; axe-core.

Where one of these is missing, tests are skipped; in CI they fail.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from wsgi_matrix.reports import html
from wsgi_matrix.results import results_json

from tests.browser import made_up
from tests.browser.chromium import CHROMIUM, start
from tests.programs import program

AXE_VERSION = "4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
BUILD = Path(__file__).parents[2] / "build" / "browser"
PATIENCE = 120.0


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; its pages are closed by :func:`browser`."""
    running = start(program(*CHROMIUM), program("chromedriver"))
    yield running
    running.quit()


class Browser:
    """What the tests do to a page."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Load ``url`` in a document of its own, whatever is open."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def opened(self, url: str) -> None:
        """:meth:`open`, and wait until the report is unpacked."""
        self.open(url)
        self.wait(lambda: self.all("main[aria-busy=false]"))

    def all(self, selector: str) -> list:
        """What is visible of ``selector``."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return [each for each in found if each.is_displayed()]

    def one(self, selector: str):
        """The first visible of ``selector``, as soon as there is one."""
        return self.wait(lambda: self.all(selector))[0]

    def count(self, selector: str) -> int:
        """How many of ``selector`` are rendered; quicker than :meth:`all` for thousands."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((each) => each.checkVisibility()).length"
        )
        return self.script(script, selector)

    def wait(self, condition):
        """What ``condition()`` returns as soon as it is true."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.02).until(
            lambda _: condition()
        )

    def script(self, text: str, *values):
        """Run JavaScript in the page."""
        return self.driver.execute_script(text, *values)

    def emulate(self, media: str = "", **features: str) -> None:
        """Another medium (``print``), or features of one (``prefers_color_scheme="dark"``)."""
        named = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": named}
        )

    def errors(self) -> list[str]:
        """What the console has since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for since it was last asked."""
        entries = (json.loads(entry["message"])["message"] for entry in self.log())
        return [
            entry["params"]["request"]["url"]
            for entry in entries
            if entry["method"] == "Network.requestWillBeSent"
        ]

    def log(self) -> list:
        """The performance log, and empty it."""
        return self.driver.get_log("performance")


@pytest.fixture
def browser(chromium):
    """The browser, with an empty page of usual size, and logs that are this test's own."""
    made = Browser(chromium)
    made.emulate()
    chromium.set_window_size(1280, 900)
    made.open("about:blank")
    made.errors()
    made.log()
    return made


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """``reports("small")``: the path of the report on the made-up run of that name."""
    made: dict[str, Path] = {}
    folder = tmp_path_factory.mktemp("reports")

    def make(name: str) -> Path:
        if name not in made:
            made[name] = folder / f"{name} – ü #1.html"
            text = html.render(results_json.results(getattr(made_up, name)()))
            made[name].write_text(text, encoding="utf-8")
        return made[name]

    return make


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, fetched by npm into build/ and held against its digest."""
    archive = BUILD / f"axe-core-{AXE_VERSION}.tgz"
    if not archive.exists():
        program("npm")
        BUILD.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "pack",
            "--silent",
            f"axe-core@{AXE_VERSION}",
            "--pack-destination",
            BUILD,
        ]
        subprocess.run(command, check=True, timeout=500, stdout=subprocess.DEVNULL)
    digest = hashlib.sha512(archive.read_bytes()).digest()
    assert base64.b64encode(digest).decode() == AXE_SHA512
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()
