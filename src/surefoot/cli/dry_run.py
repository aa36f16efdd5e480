"""What a selection would cost, before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.cli.estimate import probe, words, work_of_epoch

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.racing.state import PlannedRound
    from surefoot.studies.study import SelectStudy


def say_plan(out: Console, study: SelectStudy, workers: int) -> None:
    """Print candidates, rounds, trainings per round, the total and the estimated hours."""
    plan = study.race.plan()
    certified = len(study.groups(study.candidates)) if study.certify else 0
    fresh = certified * study.certify
    total = sum(one.trainings for one in plan) + fresh
    rows = [("candidates", f"{len(study.candidates):,}{_sizes(study)}")]
    rows.append(("draws", _draws(study)))
    rows += [_round(one) for one in plan]
    rows.append(("race", f"{sum(one.trainings for one in plan):,} trainings"))
    if study.baseline is not None and study.screen is not None:
        rows.append(("baseline", f"{study.baseline.label}, fitted on the same draws"))
    if fresh:
        rows.append(("certificate", _fresh(study, certified)))
    exact = all(one.exact for one in plan)
    rows.append(("total", f"{total:,} trainings" + ("" if exact else " at most, or so")))
    if study.certify:
        exhaustive = len(study.candidates) * study.certify
        rows.append(
            (
                "exhaustive",
                f"{exhaustive:,} trainings (every candidate {study.certify} times), "
                f"{exhaustive / total:.3g} times as many",
            )
        )
    for name, text in rows:
        out.print(f"{name:<14}{text}", soft_wrap=True)
    out.print(f"{'time':<14}{_time(out, study, plan, fresh, workers)}", soft_wrap=True)


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


def _round(one: PlannedRound) -> tuple[str, str]:
    about = "" if one.exact else "about "
    name = "screen" if one.name == "screen" else f"round {one.number}"
    stay = "the screen decides who stays" if one.keep is None else f"{one.keep:,} stay"
    return name, f"{about}{one.survivors:,} candidates, {one.trainings:,} trainings, {stay}"


def _fresh(study: SelectStudy, certified: int) -> str:
    if certified == 1:
        return f"{study.certify} trainings of the winner"
    fresh = certified * study.certify
    whom = f"the best of each {study.certify_best_of}"
    return f"{certified} x {study.certify} = {fresh} trainings, of {whom}"


def _time(
    out: Console, study: SelectStudy, plan: list[PlannedRound], fresh: int, workers: int
) -> str:
    """Return the estimate: trainings of mean size, between the fewest and the most epochs."""
    from surefoot.cli.console import busy

    with busy(out, "measuring the engine's speed"):
        rate = probe(study.candidates, study.setting, study.engine)
    mean = sum(work_of_epoch(c, study.setting) for c in study.candidates) / len(study.candidates)
    trainings = sum(one.trainings for one in plan) + fresh
    seconds = trainings * mean * rate / workers
    stopping = study.setting.stopping
    most = stopping.max_epochs
    least = most if stopping.reading == "none" else min(stopping.min_epochs, most)
    epochs = f"{most} epochs each" if least == most else f"{least} to {most} epochs each"
    estimate = words(seconds * most)
    if least != most:
        estimate = f"{words(seconds * least)} to {estimate}"
    return (
        f"about {estimate} on {workers} core{'s' if workers > 1 else ''} ({epochs}; speed measured "
        "just now on three candidates)"
    )
