"""What the live page costs: `surefoot watch` of a race of 50,000 outcomes, seen by a real browser.

Measured are the time until the page shows everything, the time from an outcome recorded to its
loss on the page, the longest time for which the page does not answer meanwhile, and the share of a
core that the server takes with nothing new, and with two new outcomes a second. Losses are drawn,
not trained. Needs a Chromium and what the tests need: ``python benchmarks/live_page.py``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser import chromium, tab
from tests.reports.raced import Drawn, large_study, write

from surefoot.journal import Journal, Role
from surefoot.racing import Halving
from surefoot.studies.race_record import recorded_race

FRAMES = """() => {
  window.longest = 0;
  let last = performance.now();
  const frame = (now) => {
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
SEEN = """text => document.querySelector('.state').textContent.includes(text)"""


def cpu_seconds(process: int) -> float:
    """Return the seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=7200)
    parser.add_argument("--outcomes", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each share of a core")
    asked = parser.parse_args()
    study = large_study(asked.candidates, schedule=Halving(warmup=6))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "race.db"
        recorded = write(path, study, asked.outcomes)
        print(f"{recorded:,} outcomes of {asked.candidates:,} candidates")
        command = [sys.executable, "-m", "surefoot", "watch", str(path), "-p", "0", "--no-browser"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[1]
            with chromium() as browser, tab(browser) as page, study.open(path) as journal:
                page.set_default_timeout(120_000)
                began = time.perf_counter()
                page.goto(url)
                page.wait_for_selector("#survival canvas")
                page.wait_for_selector("html[data-live]")
                print(f"until everything is shown: {time.perf_counter() - began:.1f} s")
                measure(page, server.pid, journal, study, asked.seconds)
        finally:
            server.terminate()
            server.wait()


def measure(page, server: int, journal: Journal, study, seconds: float) -> None:
    """Measure the page while nothing is new, and while outcomes come in."""
    page.wait_for_timeout(5000)
    share(server, seconds, "with nothing new", lambda: page.wait_for_timeout(1000 * seconds))
    page.evaluate(FRAMES)
    drawn, delays = Drawn(study, seed=11), []
    count = journal.count()

    def record() -> None:
        nonlocal count
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            key, number = recorded_race(journal).state().need[0]
            journal.add(drawn.outcome(key, Role.RACE, number))
            count, began = count + 1, time.perf_counter()
            page.wait_for_function(SEEN, arg=f"{count:,} of")
            delays.append(time.perf_counter() - began)
            page.wait_for_timeout(max(0.0, 500.0 - 1000.0 * delays[-1]))

    share(server, seconds, "with outcomes coming in", record)
    print(
        f"from recorded to shown: median {np.median(delays):.2f} s, longest {max(delays):.2f} s "
        f"({len(delays)} outcomes)"
    )
    print(f"longest time without a frame: {page.evaluate('window.longest') / 1000:.2f} s")


def share(process: int, seconds: float, what: str, wait) -> None:
    """Print the share of a core that a process takes while something is waited for."""
    before, began = cpu_seconds(process), time.perf_counter()
    wait()
    took = time.perf_counter() - began
    print(f"{what}: {(cpu_seconds(process) - before) / took:.1%} of a core over {took:.0f} s")


if __name__ == "__main__":
    main()
