"""Which views a journal has, by its kind of study.

A kind is a function from an open journal to its views, made known by an entry point of
``surefoot.views``; failures and provenance are everybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from surefoot import registry
from surefoot.errors import JournalError, RaceError, StatisticsError
from surefoot.journal import Journal
from surefoot.reports.views.assessment import (
    assessed_curves,
    assessed_losses,
    assessment_verdict,
)
from surefoot.reports.views.bands import Curves, bands, curves_of
from surefoot.reports.views.candidates import ranking
from surefoot.reports.views.chart import Floats, View, loss_label
from surefoot.reports.views.comparison import comparison
from surefoot.reports.views.criteria import race_criteria
from surefoot.reports.views.curse import race_against_fresh
from surefoot.reports.views.curves import learning_curves
from surefoot.reports.views.duel import duel
from surefoot.reports.views.failures import failures
from surefoot.reports.views.fresh import fresh_losses
from surefoot.reports.views.front import front
from surefoot.reports.views.parallel import parallel
from surefoot.reports.views.performance import performance_profiles
from surefoot.reports.views.plan import pilot_losses
from surefoot.reports.views.profiles import profiles
from surefoot.reports.views.provenance import provenance
from surefoot.reports.views.ranks import critical_differences
from surefoot.reports.views.sample_size import sample_sizes
from surefoot.reports.views.survival import survival
from surefoot.reports.views.variance import variance_split
from surefoot.reports.views.verdict import race_verdict
from surefoot.seeds.ledger import Role
from surefoot.studies.assess.study import recorded_assessment
from surefoot.studies.description import Description, SizesDescription
from surefoot.studies.plan.pilot import recorded_pilot
from surefoot.studies.select.selection import Selection, recorded_selection
from surefoot.studies.sizes.compare import Comparison, recorded_comparison
from surefoot.studies.sizes.sample_size import recorded_sample_size
from surefoot.studies.text import Paragraph
from surefoot.studies.variance.study import recorded_variance

RANKED = 10
"""Candidates of a race in its appendix."""

Views = Callable[[Journal], Iterator[View | None]]
"""What an entry point of ``surefoot.views`` names: None is a view that has nothing to show yet."""


def views_of(journal: Journal) -> list[View]:
    """Return what there is to see in a journal, the verdict first and the appendix last.

    A journal that holds too little for its question yet says so, in place of an answer.
    """
    kind, found = Description.read(journal.study).kind, list[View]()
    try:
        if kind in registry.names("views"):
            own: Views = registry.lookup("views", kind)
            found += [view for view in own(journal) if view is not None]
    except (JournalError, RaceError, StatisticsError) as error:
        words = Paragraph("", (f"There is no answer yet: {error}.",), bold=True)
        found.append(View("verdict", "Verdict", (words,)))
    found += [failures(journal), provenance(journal)]
    return sorted(found, key=lambda view: view.appendix)


def heading(journal: Journal) -> tuple[str, str]:
    """Return what a page about a journal is called, and in a line what it is about."""
    study, notes = Description.read(journal.study), journal.notes()
    known, words = journal.candidates(), study.kind.replace("_", " ")
    title = str(notes.get("study", {}).get("name", "")) or f"{journal.place.stem}: {words}"
    if len(study.candidates) == 1:
        asked = known[study.candidates[0]].label
    else:
        asked = f"{len(study.candidates):,} candidates"
    unit = f" / {study.unit}" if study.unit else ""
    return title, (
        f"{words}: {asked}, {study.loss}{unit} on {study.population.name}, "
        f"{journal.count():,} instances recorded"
    )


def select_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a race, as far as it has come."""
    selection = recorded_selection(journal)
    yield race_verdict(selection)
    yield fresh_losses(selection)
    yield duel(selection)
    yield survival(selection)
    yield front(selection)
    yield profiles(selection)
    yield learning_curves(journal, selection)
    yield race_criteria(selection)
    yield parallel(selection)
    yield race_against_fresh(selection)
    yield ranking(selection)
    names, losses = paired_best(selection)
    if len(names) > 1:
        yield critical_differences(names, losses, selection.record.study.unit)
        yield performance_profiles(names, losses)


def paired_best(selection: Selection) -> tuple[list[str], Floats]:
    """Return the best candidates that share instances, and their losses ``[k, n]`` on those.

    As many candidates as share ten instances with the first, else as share five.
    """
    table = selection.table
    keys = selection.state.ranking[:RANKED]
    rows = table.select(keys)
    known = np.cumprod(~np.isnan(rows), axis=1).sum(axis=1)
    for fewest in (10, 5):
        chosen = np.flatnonzero(known >= fewest)
        if len(chosen) > 2 or fewest == 5:
            break
    n = int(known[chosen].min()) if len(chosen) else 0
    names = [selection.labels[keys[row]] for row in chosen]
    return names, rows[chosen, :n]


def assess_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of an assessment."""
    found = recorded_assessment(journal)
    yield assessment_verdict(found)
    yield assessed_losses(found)
    yield assessed_curves(found)
    one = curves_of(found.label, found.outcomes)
    yield bands([one] if one else [], loss_label(str(found.asked.loss), found.asked.unit))


def variance_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a variance study."""
    yield variance_split(recorded_variance(journal), _label(journal))


def sample_size_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a study of sample sizes."""
    yield sample_sizes(recorded_sample_size(journal), _label(journal))


def compare_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a comparison; the appendix is about its largest size."""
    found = recorded_comparison(journal)
    yield comparison(found, _label(journal))
    yield bands(recorded_curves(journal, found), _label(journal))
    yield from compared(found)


def recorded_curves(journal: Journal, found: Comparison) -> list[Curves]:
    """Return the curves of a comparison's candidates at its largest size."""
    keys = SizesDescription.read(journal.study).candidates
    told = []
    for key, name in zip(keys, found.names, strict=True):
        recorded = journal.outcomes(Role.COMPARE, key)
        outcomes = [o for o in recorded if o.sample == found.sizes[-1] and o.instance < found.n]
        told.append(curves_of(name, outcomes))
    return [one for one in told if one is not None]


def compared(found: Comparison) -> Iterator[View | None]:
    """Yield the appendix of a comparison: ranks and performance profiles at its largest size."""
    order = np.argsort(found.medians[:, -1], kind="stable")
    names, losses = [found.names[row] for row in order], found.losses[order, -1]
    yield critical_differences(names, losses, found.unit, f" at {found.sizes[-1]:,} examples")
    yield performance_profiles(names, losses)


def pilot_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a plan's pilot."""
    study = Description.read(journal.study)
    labels = {key: one.label for key, one in journal.candidates().items()}
    yield pilot_losses(recorded_pilot(journal), labels, str(study.loss), study.unit)


def _label(journal: Journal) -> str:
    study = Description.read(journal.study)
    return loss_label(str(study.loss), study.unit)
