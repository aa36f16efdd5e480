"""Make the pictures of pages in the docs: a report, on a phone too, and the live page of a journal.

    python tools/make_screenshots.py results/energy.db docs/figures

A headless Chromium takes them: that of the PATH, or the one that SUREFOOT_CHROMIUM names.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import surefoot

WIDE = {"width": 1180, "height": 900}
PHONE = {"width": 390, "height": 844}
PARTS = {"duel": "report-duel", "survival": "report-survival"}
"""Views that have a picture of their own, and what it is called."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; `FileNotFoundError` if there is none."""
    path = os.environ.get("SUREFOOT_CHROMIUM") or shutil.which("chromium")
    if not path:
        raise FileNotFoundError("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def shoot_report(browser: Browser, page: Path, folder: Path) -> None:
    """Take the report's beginning, some of its views, and its beginning on a phone."""
    tab = browser.new_page(viewport=WIDE)
    tab.goto(page.as_uri())
    tab.wait_for_selector("#fresh canvas")
    tab.wait_for_timeout(1000)
    tab.screenshot(path=folder / "report.png")
    for part, name in PARTS.items():
        section = tab.locator(f"#{part}")
        section.scroll_into_view_if_needed()
        tab.wait_for_timeout(1000)
        section.screenshot(path=folder / f"{name}.png")
    phone = browser.new_page(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
    phone.goto(f"{page.as_uri()}#fresh")
    phone.wait_for_timeout(2500)
    phone.screenshot(path=folder / "report-phone.png")


def shoot_live(browser: Browser, journal: Path, folder: Path) -> None:
    """Take the live page of a journal, served meanwhile on a free port."""
    command = [sys.executable, "-m", "surefoot", "watch", str(journal), "--port", "0"]
    command += ["--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            if found is None:
                raise RuntimeError("surefoot watch named no address")
            tab = browser.new_page(viewport=WIDE)
            tab.goto(found[0])
            tab.wait_for_selector("canvas", state="attached")
            tab.wait_for_timeout(3000)
            tab.screenshot(path=folder / "watch.png")
        finally:
            server.terminate()


def main() -> None:
    """Make all pictures of a journal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("journal", type=Path)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        page = surefoot.report(asked.journal, Path(scratch) / "report.html")
        shoot_report(browser, page, asked.folder)
        shoot_live(browser, asked.journal, asked.folder)


if __name__ == "__main__":
    main()
