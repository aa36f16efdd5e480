"""The recipe studies' tables and figure, from their journals: medians, tails and who beats whom.

Nothing is trained: the journals are those of

    surefoot compare examples/recipes-energy.toml --source photons:A -j recipes-energy-A.db
    surefoot compare examples/steady-energy.toml --source photons:A -j steady-energy-A.db
    surefoot compare examples/steady-ratio.toml --source photons:A -j steady-ratio-A.db

and so on for B and for ``…-position.toml``. A size counts when every candidate has all of its
instances there. Networks that learn the energy over the sum stand among those that learn the
energy: their relative errors are the same, on the same draws.

    python benchmarks/recipes.py --journals DIRECTORY --json recipes.json --docs

``--docs`` writes tables and figure into docs/; ``--quick`` reads the journals and prints.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import surefoot
from surefoot.errors import StudyFileError
from surefoot.journal import Journal
from surefoot.reports.figures import figure_of
from surefoot.reports.views.chart import (
    Axis,
    Panel,
    Points,
    Rule,
    Texts,
    Tone,
    boxes_of,
    scattered,
    strips,
)
from surefoot.studies.sizes.compare import CompareStudy, Comparison
from surefoot.study_files.build import comparison_of
from surefoot.study_files.read import read_study_file

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ("steady", "recipes")
QUESTIONS = ("energy", "position")
SOURCES = ("A", "B")
TOP = {"energy": 1.25, "position": 2.0}
"""Where the figure ends, in medians of the reference."""


def comparison(name: str, question: str, source: str, journals: Path) -> Comparison | None:
    """Return the comparison of a journal at the sizes that are complete; None without any."""
    path = journals / f"{name}-{question}-{source}.db"
    if not path.exists():
        return None
    file = read_study_file(ROOT / f"examples/{name}-{question}.toml")
    table = file.tables.population.model_dump(exclude_unset=True) | {"source": f"photons:{source}"}
    study = comparison_of(file, surefoot.load_population(**table))
    with Journal.read(path) as journal:
        count = Counter((one.candidate, one.sample) for one in journal.outcomes())
        sizes = [size for size in study.ordered if complete(study, size, count)]
        return replace(study, sizes=sizes).comparison(journal) if sizes else None


def joined(energy: Comparison, ratio: Comparison) -> Comparison:
    """Return the comparison of energies with the networks of one of the energy over the sum.

    The scaled sum is in both, and has the same losses if they are of the same draws.
    """
    assert energy.reference is not None
    assert ratio.reference is not None
    sizes = tuple(size for size in energy.sizes if size in ratio.sizes)
    energies, ratios = (
        one.losses[:, [one.sizes.index(size) for size in sizes]] for one in (energy, ratio)
    )
    np.testing.assert_allclose(energies[energy.reference], ratios[ratio.reference], rtol=1e-5)
    own = [row for row in range(len(ratio.names)) if row != ratio.reference]
    return replace(
        energy,
        names=(*(ratio.names[row] for row in own), *energy.names),
        sizes=sizes,
        losses=np.concatenate([ratios[own], energies]),
        reference=len(own) + energy.reference,
    )


def complete(study: CompareStudy, size: int, count: Counter[tuple[str, int]]) -> bool:
    """Say whether everyone has all instances at a size."""
    return all(count[one.key, size] >= study.n for one in study.everyone)


def figures(found: Comparison) -> Iterator[dict[str, Any]]:
    """Yield what is said of each candidate at each size."""
    boosted = next(place for place, name in enumerate(found.names) if name.startswith("XGBoost"))
    assert found.reference is not None
    for at, size in enumerate(found.sizes):
        for row, name in enumerate(found.names):
            network = found.names.index(plain_of(name, found))
            losses = found.losses[row, at]
            yield {
                "candidate": name,
                "examples": size,
                "median": float(found.medians[row, at]),
                "quartiles": found.quantiles(0.25)[row, at].item(),
                "third": found.quantiles(0.75)[row, at].item(),
                "largest": float(losses.max()),
                "bound": float(found.certificate(row, at).bound.value),
                "removed": 1.0 - float(found.spreads[row, at] / found.spreads[network, at]),
                "above": float((losses > 1.05 * np.median(losses)).mean()),
                "beats_reference": found.wins(row, found.reference, at).estimate,
                "beats_xgboost": found.wins(row, boosted, at).estimate,
            }


def plain_of(name: str, found: Comparison) -> str:
    """Return the paper's model of which a candidate is a recipe; itself if it is of none."""
    model = name.split(",")[0]
    return model if model.startswith("model") and model in found.names else name


def tables(question: str, source: str, found: Comparison) -> str:
    """Return a journal's figures as Markdown: all of the largest size, medians of the others."""
    assert found.reference is not None
    rows, largest = list(figures(found)), found.sizes[-1]
    unit = f", {found.unit}" if found.unit else ""
    reference = found.names[found.reference]
    varied = any(plain_of(name, found) != name for name in found.names)
    lines = [
        f"**{question.capitalize()}, photons {source}**, {largest:,} examples{unit}:",
        "",
        f"| candidate | median | quartiles | largest of {found.n} | {'spread removed | ' * varied}"
        f"beats {reference} | beats {boosted(found)} |",
        "|-|-|-|-|-|-|" + "-|" * varied,
    ]
    for row in rows:
        if row["examples"] != largest:
            continue
        name = row["candidate"]
        removed = f"{row['removed']:.0%} | " if row["removed"] > 0 else "none | "
        if plain_of(name, found) == name:
            removed = " | "
        beats = [
            "" if name == other else f"{row[key]:.0%}"
            for key, other in (("beats_reference", reference), ("beats_xgboost", boosted(found)))
        ]
        lines.append(
            f"| {name} | {row['median']:.4g} | {row['quartiles']:.4g} – {row['third']:.4g} | "
            f"{row['largest']:.4g} | {removed * varied}{' | '.join(beats)} |"
        )
    if len(found.sizes) > 1:
        heads = " | ".join(f"{size:,}" for size in found.sizes)
        lines += ["", f"Median / largest of {found.n} by examples:", "", f"| candidate | {heads} |"]
        lines.append("|-|" + "-|" * len(found.sizes))
        for name in found.names:
            cells = " | ".join(
                f"{row['median']:.4g} / {row['largest']:.4g}"
                for row in rows
                if row["candidate"] == name
            )
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def boosted(found: Comparison) -> str:
    """Return the name of the boosted trees."""
    return next(name for name in found.names if name.startswith("XGBoost"))


def figure(found: dict[tuple[str, str], Comparison]) -> Any:
    """Return the losses at the largest size, as boxes, a panel a journal."""
    return figure_of([panel_of(*place, one) for place, one in found.items()])


def panel_of(question: str, source: str, one: Comparison) -> Panel:
    """Return the losses over the reference's median; those beyond the edge are counted there."""
    reference = one.medians[one.reference, -1] if one.reference is not None else 1.0
    rows = [row[np.isfinite(row)] / reference for row in one.losses[:, -1]]
    label = f"loss / median of {one.names[one.reference or 0]}"
    near = [row[row <= TOP[question]] for row in rows]
    top = min(TOP[question], max(row.max(initial=1.0) for row in near) + 0.02)
    across = Axis(label, min(row.min() for row in rows) - 0.01, top)
    places, up, names = strips(one.names, across)
    heights = [place + scattered(len(row), 0.16) for place, row in zip(places, near, strict=True)]
    beyond = [int((row > TOP[question]).sum()) for row in rows]
    edges = [place for place, count in zip(places, beyond, strict=True) if count]
    words = tuple(f"{count} →" for count in beyond if count)
    edge, above = np.full(len(words), top), (-3.0, 14.0)
    far = Texts(edge, np.array(edges), words, align="right", offset=above)
    marks = (
        boxes_of(rows, places, 0.42, across="x", label="quartiles"),
        Points(np.concatenate(near), np.concatenate(heights), size=3.0, label="an instance"),
        Rule(1.0, "x", Tone.QUIET, "dotted"),
    )
    title = f"{question}, {source}, {one.sizes[-1]:,} examples"
    return Panel(title, across, up, (*marks, names, far), height=45 + 14 * len(rows))


def main() -> None:
    """Read, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--journals", type=Path, default=Path("."), help="where the journals are")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--docs", action="store_true", help="write tables and figure into docs/")
    parser.add_argument("--quick", action="store_true", help="print; write nothing into docs/")
    options = parser.parse_args()
    rows = dict[str, list[dict[str, Any]]]()
    for name in STUDIES:
        found = {
            (question, source): one
            for question in QUESTIONS
            for source in SOURCES
            if (one := comparison(name, question, source, options.journals)) is not None
        }
        for source in SOURCES:
            ratio = comparison(name, "ratio", source, options.journals)
            if ratio is not None and ("energy", source) in found:
                found["energy", source] = joined(found["energy", source], ratio)
        text = "\n\n".join(tables(*place, one) for place, one in found.items())
        print(text)
        rows |= {"-".join((name, *place)): list(figures(one)) for place, one in found.items()}
        if found and options.docs and not options.quick:
            write(name, text)
            figure(found).savefig(ROOT / f"docs/figures/{name}.png", dpi=150)
    if not rows:
        raise StudyFileError(
            f"{options.journals} holds none of steady-energy-A.db … recipes-position-B.db"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def write(name: str, text: str) -> None:
    """Put tables into the page on recipes, between their marks."""
    page, start, end = ROOT / "docs/recipes.md", f"<!-- {name}: measured -->", f"<!-- /{name} -->"
    before, rest = page.read_text().split(start)
    page.write_text(f"{before}{start}\n\n{text}\n\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
