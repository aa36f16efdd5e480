"""What every part of the campaign shares: its size, its seeds, and the only ends that are allowed.

The suite runs a small share with a fixed seed. ``SUREFOOT_CAMPAIGN=1 pytest -m slow -s
tests/campaign`` runs the whole campaign, a hundred thousand inputs and a thousand kills, with new
seeds, which are printed and given again by ``SUREFOOT_CAMPAIGN_SEED``; 0.1 runs a tenth of it.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from surefoot.cli.main import main
from surefoot.errors import SurefootError

SHARE = float(os.environ.get("SUREFOOT_CAMPAIGN", "0.01"))
"""Share of the whole campaign that slow tests run."""
SECONDS = 30
"""An input that takes longer hangs."""
MEMORY = 6 << 30
"""Bytes that an input may allocate beyond what the process holds."""
LONGEST = 2000
"""Characters of the longest sentence."""

INTERRUPTED = 130
CODES = frozenset({0, 1, 2, 3})
"""Exit codes of a command that did what it could."""


class Hangs(BaseException):
    """Raised by the alarm; nothing in surefoot catches it."""


@dataclass
class Campaign:
    """A number of inputs made from seeds, and what ended otherwise than allowed."""

    name: str
    inputs: int
    seed: int
    found: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    ends: dict[str, int] = field(default_factory=dict)

    def dice(self) -> Iterator[random.Random]:
        """Yield the dice of one input after the other."""
        print(f"\n{self.name}: {self.inputs} inputs, seed {self.seed}")
        began = time.monotonic()
        for number in range(self.inputs):
            yield random.Random(f"{self.name} {self.seed} {number}")
        took = time.monotonic() - began
        print(f"{self.name}: {dict(sorted(self.ends.items()))} in {took:.0f} s")

    def judge(self, call: Callable[[], Any], about: str) -> Any:
        """Call, and keep what is neither a success nor one sentence; return what it returned."""
        try:
            with limited():
                result = call()
        except SurefootError as error:
            self._judge_sentence(str(error), about)
            return None
        except (Hangs, Exception) as error:
            self._keep(error, about)
            return None
        self._count("success")
        return result

    def judge_command(self, arguments: list[str], about: str) -> None:
        """Run a command line in this process and keep whatever end is not allowed."""
        out, err = io.StringIO(), io.StringIO()
        try:
            with limited(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main(arguments)
        except SystemExit as end:
            code = end.code or 0
            if code not in CODES:
                self._tell(f"exit code {code}", f"{about}: {err.getvalue()[-300:]}")
            elif code == 0 or not err.getvalue():
                self._count("success")
            elif err.getvalue().startswith("surefoot: "):
                self._judge_sentence(err.getvalue().removesuffix("\n"), about)
            elif "Error" in err.getvalue() and "Traceback" not in err.getvalue():
                self._count("usage")
            else:
                self._tell("stderr", f"{about}: {err.getvalue()[-300:]}")
        except (Hangs, Exception) as error:
            self._keep(error, about)

    def check(self) -> None:
        """Fail with everything that was found."""
        if self.found:
            head = f"{len(self.found)} kinds of end that are not allowed (seed {self.seed}):\n"
            pytest.fail(head + "\n".join(self.found[:40]), pytrace=False)

    def _judge_sentence(self, text: str, about: str) -> None:
        if "\n" in text or not text.strip() or len(text) > LONGEST:
            self._tell(f"sentence {text[:60]!r}", f"{about}: {text[:300]!r}")
        else:
            self._count("one sentence")

    def _keep(self, error: BaseException, about: str) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if "/surefoot/" in one.filename] or frames
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno} {own[-1].name}"
        kind = f"{type(error).__name__} at {place}"
        self._tell(kind, f"{about}: {str(error)[:200]}")

    def _tell(self, kind: str, words: str) -> None:
        self._count("NOT ALLOWED")
        if kind not in self.seen:
            self.seen.add(kind)
            self.found.append(f"- {kind}: {words}")

    def _count(self, end: str) -> None:
        self.ends[end] = self.ends.get(end, 0) + 1


def campaign(name: str, small: int, large: int, *, slow: bool) -> Campaign:
    """Return a part: ``small`` inputs in the suite, a share of ``large`` in the long campaign."""
    given = os.environ.get("SUREFOOT_CAMPAIGN_SEED")
    seed = int(given) if given else (random.SystemRandom().randrange(1 << 32) if slow else 0)
    return Campaign(name, max(1, round(SHARE * large)) if slow else small, seed)


def cannot(what: str) -> NoReturn:
    """Skip a part that cannot be tried here; who asked for the campaign is told by a failure."""
    if "SUREFOOT_CAMPAIGN" in os.environ:
        pytest.fail(f"{what}: this part of the campaign was not tried")
    pytest.skip(what)


both = pytest.mark.parametrize(
    "slow", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["share", "long"]
)
"""A test of the small share and of the long campaign."""


@contextlib.contextmanager
def limited(seconds: int = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Raise `Hangs` after so many seconds, and let allocations beyond ``memory`` fail."""

    def ring(*_: object) -> None:
        raise Hangs(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, limits[1]))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)
