"""``surefoot variance``: where the spread of one candidate's losses comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.cli.one_candidate import asked_for, say_dry, training
from surefoot.cli.show.console import busy, console
from surefoot.cli.show.results import say_paths, say_sentences

if TYPE_CHECKING:
    from surefoot.cli.options import Common


def run(
    common: Common,
    design: dict[str, int],
) -> None:
    """Run the command; ``design`` are fields of `VarianceDesign`; errors are those of the parts."""
    from surefoot.report.figures import save
    from surefoot.report.study_figures import variance_figure
    from surefoot.studies.variance.run import VarianceDesign, VarianceStudy, variance

    out = console()
    asked = asked_for(out, "variance", common)
    plan = VarianceDesign(**design)
    study = VarianceStudy(
        candidate=asked.candidate, setting=asked.setting, seed=asked.seed, engine=asked.engine
    )
    out.print(asked.headline("Variance"), style="bold", soft_wrap=True)
    instances = study.instances(plan)
    if common.dry_run:
        say_dry(out, asked, {study.setting: len(instances)})
        return
    with training(out, asked, study, instances) as on:
        found = variance(
            study, plan, on.record, on.executor, on.told, retry_failed=common.retry_failed
        )
    say_sentences(out, "Spread", found.lines())
    with busy(out, "drawing"):
        save(variance_figure(found, label=asked.label, title=asked.title), asked.figure)
    say_paths(out, {"Journal": str(asked.journal), "Figure": str(asked.figure)})
