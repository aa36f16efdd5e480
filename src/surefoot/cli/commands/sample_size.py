"""``surefoot sample-size``: how one candidate's losses depend on the number of examples."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from surefoot.cli.one_candidate import asked_for, say_dry, training
from surefoot.cli.show.console import busy, console
from surefoot.cli.show.results import say_paths, say_sentences
from surefoot.errors import SurefootError

if TYPE_CHECKING:
    from surefoot.cli.options import Common
    from surefoot.studies.sizes.sample_size import SampleSizeStudy

_RANGE = re.compile(r"(\d+):(\d+):(\d+)")


def run(
    common: Common,
    sizes: str,
    n: int,
    equal_test: bool,
    rule: dict[str, Any],
) -> None:
    """Run the command; ``rule`` are fields of `RobustRule`; errors are those of the parts."""
    from surefoot.report.figures import save
    from surefoot.report.study_figures import sample_size_figure
    from surefoot.studies.sizes.robust_size import RobustRule
    from surefoot.studies.sizes.sample_size import SampleSizeStudy, sample_size

    out = console()
    robust = RobustRule(**rule)
    asked = asked_for(out, "sample-size", common)
    study = SampleSizeStudy(
        candidate=asked.candidate,
        setting=asked.setting,
        seed=asked.seed,
        engine=asked.engine,
        equal_test=equal_test,
    )
    chosen, left_out = sizes_of(sizes, study)
    out.print(asked.headline("Sample size"), style="bold", soft_wrap=True)
    out.print(
        f"{len(chosen)} sizes from {chosen[0]:,} to {chosen[-1]:,}, {n} instances each{left_out}",
        soft_wrap=True,
    )
    instances = study.instances(chosen, n)
    if common.dry_run:
        counts = {replace(study.setting, sampling=study.sampling(size)): n for size in chosen}
        say_dry(out, asked, counts)
        return
    with training(out, asked, study, instances) as on:
        found = sample_size(
            study,
            chosen,
            n,
            on.record,
            on.executor,
            on.told,
            rule=robust,
            retry_failed=common.retry_failed,
        )
    say_sentences(out, "Sample size", found.lines(), "bold")
    with busy(out, "drawing"):
        save(sample_size_figure(found, label=asked.label, title=asked.title), asked.figure)
    say_paths(out, {"Journal": str(asked.journal), "Figure": str(asked.figure)})


def sizes_of(text: str, study: SampleSizeStudy) -> tuple[list[int], str]:
    """Return the sizes that an option names, and words on those that the population cannot give.

    ``paper`` is the paper's grid, as far as the population holds enough examples;
    ``100:8000:12`` is 12 sizes in equal ratios from 100 to 8,000; ``500,1000,2000`` are sizes.

    Raises
    ------
    SurefootError
        If it is none of these, or a size named is impossible.
    """
    from surefoot.studies.sizes.sample_size import geometric_sizes, paper_sizes

    if text == "paper":
        whole = paper_sizes()
        fitting = [size for size in whole if size <= study.largest]
        if not fitting:
            raise SurefootError(
                f"the paper's sizes begin at {whole[0]}, but "
                f"{study.setting.halves.population.name} has {study.largest:,} examples for a "
                "sample: give --sizes"
            )
        gone = len(whole) - len(fitting)
        words = f" ({gone} larger sizes of the paper's grid need more data)" if gone else ""
        return study.check_sizes(fitting), words
    span = _RANGE.fullmatch(text)
    if span is not None:
        first, last, count = map(int, span.groups())
        return study.check_sizes(geometric_sizes(first, last, count)), ""
    try:
        return study.check_sizes([int(part.replace("_", "")) for part in text.split(",")]), ""
    except ValueError as error:
        if isinstance(error, SurefootError):
            raise
        raise SurefootError(
            f"--sizes {text!r} cannot be read: write 'paper', a range first:last:count such as "
            "100:8000:12, or sizes such as 500,1000,2000"
        ) from None
