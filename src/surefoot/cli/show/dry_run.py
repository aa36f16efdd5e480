"""What a selection would cost, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from surefoot.cli.show.console import busy
from surefoot.racing.state import stretch_name, stretches
from surefoot.studies.duration import cores, duration_words, has_epochs, mean_seconds, probe
from surefoot.studies.select.cost import Trainings, count_trainings

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.racing.state import PlannedRound
    from surefoot.studies.select.study import SelectStudy


def say_plan(out: Console, study: SelectStudy, workers: int) -> None:
    """Print candidates, rounds, trainings per round, the total and the estimated hours."""
    with busy(out, "measuring the engine's speed"):
        rates = probe(study.candidates, study.setting, study.engine)
    stopping = study.setting.stopping
    longer = stopping.max_epochs
    least = longer if stopping.reading == "none" else min(stopping.min_epochs, longer)
    fewest, longest = (
        mean_seconds(study.candidates, study.setting, rates, epochs) for epochs in (least, longer)
    )
    planned = count_trainings(study, longest if study.cost == "seconds" else None)
    rows = [("candidates", f"{planned.candidates:,}{_sizes(study)}"), ("draws", _draws(study))]
    bounded = "" if study.race.rule.fixed else "at most "
    rows += _rounds(study, planned.rounds)
    rows.append(("race", f"{bounded}{planned.race:,} trainings"))
    if study.baseline is not None and study.screen is not None:
        rows.append(("baseline", f"{study.baseline.label}, fitted on the same draws"))
    if planned.certifying:
        rows.append(("certificate", _fresh(study, planned)))
    unless = "" if planned.exact else ", if the screen removes nobody"
    if bounded:
        unless = " (surefoot plan tells how many are likely)"
    rows.append(("total", f"{bounded}{planned.total:,} trainings{unless}"))
    if planned.exhaustive:
        factor = planned.exhaustive / planned.total
        times = "" if bounded else f", {factor:.3g} times as many"
        text = f"{planned.exhaustive:,} trainings (every candidate {study.certify} times)"
        rows.append(("exhaustive", text + times))
    share = planned.total / workers
    estimate = duration_words(share * longest)
    if fewest != longest:
        estimate = f"{duration_words(share * fewest)} to {estimate}"
    rows.append(
        (
            "time",
            f"{bounded or 'about '}{estimate} on {cores(workers)}{_epochs(study, least, longer)}",
        )
    )
    for name, text in rows:
        out.print(f"{name:<14}{text}", soft_wrap=True)


def _sizes(study: SelectStudy) -> str:
    sizes = [c.number_of_parameters for c in study.candidates if hasattr(c, "number_of_parameters")]
    return f", {min(sizes):,} to {max(sizes):,} parameters" if sizes else ""


def _draws(study: SelectStudy) -> str:
    halves, sampling = study.setting.halves, study.setting.sampling
    method = "with" if sampling.method == "bootstrap" else "without"
    test = halves.test.size if sampling.test_size is None else sampling.test_size
    return (
        f"{halves.train_size(sampling):,} of {halves.pool.size:,} pool examples {method} "
        f"replacement; losses on {test:,} of {halves.test.size:,} test examples"
    )


def _rounds(study: SelectStudy, planned: Sequence[PlannedRound]) -> list[tuple[str, str]]:
    """Return a row per stretch of rounds; one for all that a rule ends when it will."""
    rule = study.race.rule
    if rule.fixed:
        return [_stretch(stretch) for stretch in stretches(planned)]
    race = [one for one in planned if one.name == "race"]
    rows = [_stretch([one]) for one in planned if one.name == "screen"]
    if race:
        upto = max(one.upto for one in race)
        text = f"until one candidate is left or each has {upto} instances; '{rule.name}' decides"
        rows.append(("rounds", text))
    return rows


def _stretch(rounds: Sequence[PlannedRound]) -> tuple[str, str]:
    first, last = rounds[0], rounds[-1]
    about = "" if last.exact else "about "
    name = stretch_name(last.name, first.number, last.number)
    stay = "the screen decides who stays" if last.keep is None else f"{last.keep:,} stay"
    trainings = sum(one.trainings for one in rounds)
    return name, f"{about}{last.survivors:,} candidates, {trainings:,} trainings, {stay}"


def _fresh(study: SelectStudy, planned: Trainings) -> str:
    if planned.certified == 1:
        return f"{planned.certifying} trainings of the winner"
    return (
        f"{planned.certified} x {study.certify} = {planned.certifying} trainings, of the best with "
        f"each value of {study.certify_best_of}"
    )


def _epochs(study: SelectStudy, least: int, longest: int) -> str:
    """Return what the estimate rests on."""
    measured = "speed measured just now on a few candidates"
    if not any(has_epochs(c) for c in study.candidates):
        return f" ({measured})"
    return f" ({longest if least == longest else f'{least} to {longest}'} epochs each; {measured})"
