"""``python -m tests.browser.picture``: the picture of the last report, for README and manual."""

from __future__ import annotations

import json
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from docs.generate import blocks
from tests.browser.chromium import CHROMIUM, start
from tests.programs import program

SIZE = (1280, 1000)
ROOT = Path(__file__).parents[2]
RUN = ROOT / "build" / "matrix"
PAGE = ROOT / "docs" / "results" / "report.md"


def take(report: Path, picture: Path) -> None:
    """Save what a reader sees first of ``report``, in the light scheme."""
    driver = start(program(*CHROMIUM), program("chromedriver"))
    try:
        light = [{"name": "prefers-color-scheme", "value": "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": light})
        metrics = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get(f"{report.resolve().as_uri()}#view=grid")
        WebDriverWait(driver, 20).until(
            lambda _: driver.find_elements(By.CSS_SELECTOR, "main[aria-busy=false]")
        )
        driver.save_screenshot(str(picture))
    finally:
        driver.quit()


def origin(results: Path) -> str:
    """When the run was, with which version, where, and how large."""
    value = json.loads(results.read_text("utf-8"))
    run = value["run"]
    day, version = run["started"].partition("T")[0], run["tool_version"]
    return f"{day}, wsgi-matrix {version}, {run['where']}: {len(value['cells'])} cells."


if __name__ == "__main__":
    take(RUN / "report.html", PAGE.with_suffix(".png"))
    text = blocks.fill(PAGE.read_text("utf-8"), "picture", origin(RUN / "results.json"))
    PAGE.write_text(text, "utf-8")
