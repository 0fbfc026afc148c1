"""Starting a headless Chromium, for the tests and for the picture of the README."""

from __future__ import annotations

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def start(binary: str, driver: str) -> webdriver.Chrome:
    """A browser with a fresh profile, which its driver makes and removes."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))
