"""A headless Chromium of this machine, for the tests that look at pages as a person does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = "there is no Chromium here: apt-get install chromium, or name one in SUREFOOT_CHROMIUM"


def find_chromium() -> str:
    """Return the path of a Chromium, "" if there is none."""
    return os.environ.get("SUREFOOT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser with a new profile; without one the test fails."""
    found = find_chromium()
    if not found:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, headless=True, args=list(FLAGS), timeout=60_000
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser, *, offline: bool = False, **options: object) -> Iterator[Page]:
    """Open an empty page; what its console calls an error fails the test when it is closed.

    Unless it holds one of the texts in the list ``expected`` of the page. ``offline`` cuts the
    network off; ``options`` are those of Playwright's ``new_context``.
    """
    errors: list[str] = []
    context = browser.new_context(offline=offline, **options)
    context.set_default_timeout(40_000)
    page = context.new_page()
    page.expected = expected = []  # type: ignore[attr-defined]
    page.on("console", lambda one: errors.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    unexpected = [one for one in errors if not any(text in one for text in expected)]
    if unexpected:
        raise AssertionError("the browser's console says: " + "; ".join(unexpected))
