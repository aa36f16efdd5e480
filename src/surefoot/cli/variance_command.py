"""``surefoot variance``: where the spread of one candidate's losses comes from."""

from __future__ import annotations

from pathlib import Path

from surefoot.cli.console import busy, console
from surefoot.cli.one_candidate import asked_for, counting, resumable, say_dry
from surefoot.cli.results import say_paths, say_sentences


def run(
    study_path: Path,
    candidate: str | None,
    source: Path | None,
    journal: Path | None,
    figure: Path | None,
    engine: str | None,
    workers: int | None,
    design: dict[str, int],
    dry_run: bool,
    retry_failed: bool,
) -> None:
    """Run the command; ``design`` are fields of `VarianceDesign`; errors are those of the parts."""
    from surefoot.executors.local import LocalExecutor
    from surefoot.report.figures import save
    from surefoot.report.study_figures import variance_figure
    from surefoot.studies.runner import missing
    from surefoot.studies.variance import VarianceDesign, VarianceStudy, variance

    out = console()
    asked = asked_for(
        out, "variance", study_path, candidate, source, journal, figure, engine, workers
    )
    plan = VarianceDesign(**design)
    study = VarianceStudy(
        candidate=asked.candidate, setting=asked.setting, seed=asked.seed, engine=asked.engine
    )
    out.print(asked.headline("Variance"), style="bold", soft_wrap=True)
    instances = study.instances(plan)
    with LocalExecutor(asked.workers, asked.engine) as executor:
        if dry_run:
            say_dry(out, asked, {study.setting: len(instances)}, executor.workers)
            return
        with resumable(asked.journal), study.open(asked.journal) as record:
            left = sum(1 for _ in missing(instances, study.setting, record))
            total = len(instances)
            with counting(out, "instances", total - left, total) as advance:
                found = variance(study, plan, record, executor, advance, retry_failed=retry_failed)
    say_sentences(out, "Spread", found.lines())
    with busy(out, "drawing"):
        save(variance_figure(found, label=asked.label, title=asked.title), asked.figure)
    say_paths(out, {"Journal": str(asked.journal), "Figure": str(asked.figure)})
