"""``python -m tests.browser.picture REPORT PNG``: the picture of a report, for the README."""

from __future__ import annotations

import sys
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.chromium import CHROMIUM, start
from tests.programs import program

SIZE = (1280, 1000)


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


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
