"""Provenance: which data, seeds, versions and processor the numbers come from, and how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.learning.stopping import Stopping
from surefoot.reports.views.chart import Column, Table, View
from surefoot.seeds.ledger import Role
from surefoot.studies.description import Description
from surefoot.studies.duration import duration_words
from surefoot.studies.extension import history
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.journal import Journal

READING = (
    "Any recorded instance can be trained again from these seeds, by surefoot replay, to the "
    "same loss."
)


def provenance(journal: Journal) -> View:
    """Return where the numbers of a journal come from."""
    study, notes = Description.read(journal.study), journal.notes()
    rows = dict(_study(study))
    seconds, counted = 0.0, list[str]()
    for role in Role:
        if measures := journal.measures(role):
            seconds += sum(one.seconds for one in measures)
            counted.append(f"{len(measures):,} {role.name.lower().replace('_', ' ')}")
    rows["instances"] = ", ".join(counted) or "none yet"
    rows["engines"] = ", ".join(f"{name} ({n:,})" for name, n in journal.engines().items())
    rows["training time"] = f"{duration_words(seconds)} in sum over all instances"
    version, created = journal.written()
    rows["described"] = f"{created[:16].replace('T', ' ')} UTC, by surefoot {version}"
    rows |= {name: str(value) for name, value in notes.get("machine", {}).items()}
    for engine, kinds in notes.get("processors", {}).items():
        rows[f"processors of {engine}"] = ", ".join(map(str, kinds))
    if journal.chain.length:
        rows["digest"] = f"{journal.chain.digest.hex()} of {journal.chain.length:,} rows"
    said = history(journal.extensions())
    words = [Paragraph("Extensions", tuple(said))] if said else []
    if command := notes.get("command"):
        words.append(Paragraph("Command that goes on", (str(command),), layout="table"))
    table = Table((Column("", tuple(rows)), Column("", tuple(rows.values()))))
    return View("provenance", "Provenance", tuple(words), (), (table,), READING)


def _study(study: Description) -> dict[str, str]:
    """Return what decides the results of a study, in words."""
    data, halves, drawn = study.population, study.halves, study.sampling
    size = "all" if drawn.size is None else f"{drawn.size:,}"
    test = "the whole test half" if drawn.test_size is None else f"{drawn.test_size:,}"
    return {
        "data": f"{data.name}: {data.examples:,} examples, target {data.target}",
        "fingerprint of the data": data.fingerprint,
        "halves": f"{halves.pool:,} to draw from, {halves.test:,} to test on",
        "fingerprint of the halves": halves.fingerprint,
        "draw": f"{size} training examples, tested on {test}",
        "loss": f"{study.loss} / {study.unit}" if study.unit else str(study.loss),
        "stopping": _stopping(study.stopping),
        "candidates": f"{len(study.candidates):,}",
        "draws": "paired" if study.paired else "each candidate its own",
        "seed": str(study.seed),
        "engine asked for": study.engine,
    }


def _stopping(rule: Stopping) -> str:
    """Return when a training stops, in words."""
    most = f"at most {rule.max_epochs} epochs"
    if rule.reading == "none":
        return most
    return (
        f"{most}, at least {rule.min_epochs}; {rule.reading} within {rule.tolerance:.0%} over "
        f"{rule.window} epochs"
    )
