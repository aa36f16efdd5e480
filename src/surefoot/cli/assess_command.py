"""``surefoot assess``: fresh instances of one candidate, their certificate and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.cli.console import busy, console
from surefoot.cli.one_candidate import Asked, asked_for, say_dry, training
from surefoot.cli.results import say_paths, say_sentences
from surefoot.engines.base import Outcome

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.cli.options import Common
    from surefoot.studies.assess import Assessment


def run(
    common: Common,
    n: int | None,
) -> None:
    """Run the command; errors are those of the parts."""
    from surefoot.studies.assess import assess
    from surefoot.studies.study import AssessStudy
    from surefoot.studies.watch import Silent

    out = console()
    asked = asked_for(out, "assess", common)
    wish = asked.file.tables.certificate
    study = AssessStudy(
        candidate=asked.candidate,
        setting=asked.setting,
        seed=asked.seed,
        engine=asked.engine,
        n=n or wish.n or 59,
        content=wish.content,
        confidence=wish.confidence,
    )
    out.print(asked.headline("Assess"), style="bold", soft_wrap=True)
    if common.dry_run:
        say_dry(out, asked, {study.setting: study.n})
        return
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
    say_sentences(out, "Certificate", found.certificate.text().splitlines(), "bold")
    _draw(out, asked, found)


def _draw(out: Console, asked: Asked, found: Assessment) -> None:
    from surefoot.report.figures import save
    from surefoot.report.journal_figures import bound_label
    from surefoot.report.study_figures import assessment_figure

    end = np.array([np.nan], dtype=np.float32)
    with busy(out, "drawing"):
        figure = assessment_figure(
            [o.curve if np.isfinite(o.loss) else np.append(o.curve, end) for o in found.outcomes],
            found.losses,
            label=asked.label,
            title=asked.title,
            bound=found.certificate.bound.value,
            bound_label=bound_label(found.certificate),
        )
        save(figure, asked.figure)
    say_paths(out, {"Journal": str(asked.journal), "Figure": str(asked.figure)})
