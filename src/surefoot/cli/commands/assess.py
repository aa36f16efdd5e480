"""``surefoot assess``: fresh instances of one candidate, their certificate and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.cli.one_candidate import Asked, asked_for, say_dry, training
from surefoot.cli.show.console import busy, console
from surefoot.cli.show.results import say_paths, say_sentences
from surefoot.errors import SurefootError
from surefoot.instances import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.cli.options import Common
    from surefoot.statistics.promise import Promise
    from surefoot.studies.assess.run import Assessment


BROKEN = 1
"""Exit code when the promise asked about is broken."""


def run(common: Common, n: int | None, limit: float | None, allowed: int | None) -> int:
    """Run the command and return its exit code; ``limit`` and ``allowed`` make a promise."""
    from surefoot.studies.assess.run import assess
    from surefoot.studies.base import AssessStudy
    from surefoot.studies.watch import Silent

    out = console()
    asked = asked_for(out, "assess" if limit is None else "promise", common)
    wish = asked.file.tables.certificate
    promise = promise_of(limit, allowed, n, wish.content, wish.confidence)
    study = AssessStudy(
        candidate=asked.candidate,
        setting=asked.setting,
        seed=asked.seed,
        engine=asked.engine,
        n=n or wish.n or 59,
        content=wish.content,
        confidence=wish.confidence,
        promise=promise,
    )
    out.print(asked.headline("Assess"), style="bold", soft_wrap=True)
    if common.dry_run:
        say_dry(out, asked, {study.setting: study.n})
        if promise is not None:
            out.print("fewer if the promise is broken before")
        return 0
    with training(out, asked, study, study.instances()) as on:

        class Bar(Silent):
            def outcome(self, outcome: Outcome) -> None:
                on.told(outcome)

        found = assess(study, on.record, on.executor, Bar(), retry_failed=common.retry_failed)
    losses = found.losses[np.isfinite(found.losses)]
    if losses.size:
        quartiles = np.quantile(losses, [0.0, 0.25, 0.5, 0.75, 1.0])
        names = ("smallest", "first quartile", "median", "third quartile", "largest")
        words = ", ".join(f"{name} {value:.4g}" for name, value in zip(names, quartiles))
        say_sentences(out, "Losses", [f"{len(found.losses)} instances: {words}"])
    if spread := found.spread():
        say_sentences(out, "Spread", spread)
    if promise is not None:
        say_sentences(out, "Promise", found.promised(), "bold")
    if found.certificate is None:
        why = (
            "none: it would need a number of instances fixed beforehand, not one that losses decide"
        )
        say_sentences(out, "Certificate", [why])
    else:
        said = str(found.certificate).splitlines()
        say_sentences(out, "Certificate", said, "bold" if promise is None else "")
    _draw(out, asked, found)
    return BROKEN if found.kept is False else 0


def promise_of(
    limit: float | None, allowed: int | None, n: int | None, content: float, confidence: float
) -> Promise | None:
    """Return the promise that options make, or None; raises `SurefootError` if they disagree."""
    from surefoot.statistics.promise import Promise

    if limit is None:
        if allowed is not None:
            raise SurefootError("--allowed counts losses above a --promise: give that too")
        return None
    if n is not None:
        raise SurefootError(
            f"--instances {n} cannot be asked for: a promise decides how many it takes"
        )
    return Promise(limit, content, confidence, allowed or 0)


def _draw(out: Console, asked: Asked, found: Assessment) -> None:
    from surefoot.report.figures import save
    from surefoot.report.journal_figures import bound_label
    from surefoot.report.study_figures import assessment_figure

    end = np.array([np.nan], dtype=np.float32)
    if found.certificate is not None:
        bound, name = found.certificate.bound.value, bound_label(found.certificate)
    else:
        assert found.study.promise is not None
        bound, name = found.study.promise.limit, "limit of the promise"
    with busy(out, "drawing"):
        figure = assessment_figure(
            [o.curve if np.isfinite(o.loss) else np.append(o.curve, end) for o in found.outcomes],
            found.losses,
            label=asked.label,
            title=asked.title,
            bound=bound,
            bound_label=name,
        )
        save(figure, asked.figure)
    say_paths(out, {"Journal": str(asked.journal), "Figure": str(asked.figure)})
