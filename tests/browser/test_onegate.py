"""A real browser as the client of onegate: many parts over few connections, a form, a stream."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.browser import site
from tests.server.helpers import serving


@pytest.fixture
def address(tmp_path):
    """The site, served by onegate with keep-alive."""
    source = Path(site.__file__).read_text(encoding="utf-8")
    with serving(tmp_path, source, "--workers", "1", "--threads", "8") as server:
        yield f"http://127.0.0.1:{server.port}"


def test_a_page_with_many_parts_comes_over_few_connections(browser, address):
    browser.open(f"{address}/")
    browser.wait(lambda: browser.driver.title == "ended")
    loaded = "return [...document.images].filter((each) => each.naturalWidth === 8).length"
    assert browser.script(loaded) == site.PARTS
    colour = "return getComputedStyle(document.body).backgroundColor"
    assert browser.script(colour) == "rgb(1, 2, 3)"
    assert browser.errors() == []
    browser.open(f"{address}/asked")
    asked = json.loads(browser.one("pre").text)
    ports = Counter(port for _, _, port in asked)
    # A browser opens six connections to a host at most; the stream holds one of them.
    assert len(asked) > site.PARTS
    assert len(ports) <= 7
    assert max(ports.values()) > 2


def test_events_of_a_stream_come_one_by_one(browser, address):
    browser.open(f"{address}/")
    browser.wait(lambda: browser.driver.title == "ended")
    assert [line.text for line in browser.all("#events li")] == [
        f"event {number} ü" for number in range(site.EVENTS)
    ]


def test_a_form_with_a_file_comes_whole(browser, address, tmp_path):
    upload = tmp_path / "größe.txt"
    upload.write_text("line\n" * 100_000, encoding="utf-8")
    browser.open(f"{address}/")
    browser.one("[name=name]").send_keys("Jürgen <b>")
    browser.driver.find_element("css selector", "[name=file]").send_keys(str(upload))
    browser.one("button").click()
    browser.wait(lambda: " of " in browser.driver.title)
    got, announced = browser.driver.title.split(" of ")
    assert got == announced
    text = browser.one("pre").text
    assert "Jürgen <b>" in text
    assert 'filename="größe.txt"' in text
    assert text.count("line") == 100_000
