"""Tables and figure of ``selection_quality.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
START, END = "<!-- selection quality: measured -->", "<!-- /selection quality -->"
CRITERIA = ("mean", "quantile(0.9)", "max")
OURS, PAPER = "surefoot", "paper's schedule"
FLOOR = "all 8,192 trainings, predicted"
STYLES = {
    OURS: {"color": "black", "linewidth": 2.5, "marker": "o"},
    PAPER: {"color": "black", "linewidth": 1.5, "linestyle": "--", "marker": "s"},
    "sequential halving": {"color": "0.45", "linestyle": "-", "marker": "^"},
    "random search, 5 instances": {"color": "0.6", "linestyle": ":", "marker": "v"},
    "Optuna TPE, 5 instances": {"color": "0.45", "linestyle": "-.", "marker": "D"},
    "Optuna TPE, WilcoxonPruner": {"color": "0.6", "linestyle": "--", "marker": "P"},
    "SMAC3": {"color": "0.3", "linestyle": "", "marker": "*", "markersize": 10},
}


def tables(figures: dict[str, Any]) -> str:
    """Return all figures as Markdown."""
    parts = []
    if "simulated" in figures:
        parts += [_simulated(figures["simulated"], figures["screened_out"])]
    if "recorded" in figures:
        parts += [_recorded(figures["recorded"])]
    return "\n\n".join(parts)


def _simulated(found: list[dict[str, Any]], screens: dict[str, float]) -> str:
    lines = [
        "| world | schedule | trainings | P(best) | P(within 1 %) | regret | winner's curse |",
        "| - | - | - | - | - | - | - |",
    ]
    for one in found:
        world = f"noise 0.25, spread {one['spread']:g}, ρ {one['rho']:g}"
        for name, row in one["schedules"].items():
            lines.append(
                f"| {world} | {name} | {row['trainings']:,.0f} | {row['p_best']:.3f} | "
                f"{row['p_within_1_percent']:.3f} | {row['regret']:.4f} | "
                f"{row['winners_curse']:+.1%} |"
            )
            world = ""
    races = found[0]["races"]
    lines += [
        "",
        f"{races} races per world. Of candidates equal to the baseline, a single-shot screen at "
        f"baseline + 20 % removes {screens['none']:.1%}, the noise-aware screen "
        f"{screens['noise']:.2%}.",
    ]
    return "\n".join(lines)


def _recorded(rows: list[dict[str, Any]]) -> str:
    known = {(r["method"], r["budget"], r["criterion"]): r for r in rows}
    lines = []
    for criterion in CRITERIA:
        budgets = sorted({r["budget"] for r in rows})
        lines += [
            f"| {criterion} | " + " | ".join(f"{b:,} trainings" for b in budgets) + " | runs |",
            "| - |" + " - |" * (len(budgets) + 1),
        ]
        for method in dict.fromkeys(r["method"] for r in rows):
            cells = []
            for budget in budgets:
                row = known.get((method, budget, criterion))
                cells.append("" if row is None else _cell(row))
            runs = {r["repetitions"] for r in rows if r["method"] == method}
            lines.append(f"| {method} | " + " | ".join(cells) + f" | {max(runs)} |")
        lines.append("")
    return "\n".join([*lines, *_shares(known)]).rstrip()


def _shares(known: dict[tuple[str, int, str], dict[str, Any]]) -> list[str]:
    """surefoot's regret as a share of the paper's schedule's, as it is and above the floor."""
    budgets = sorted({budget for name, budget, _ in known if name == PAPER})
    floors = {c: row["regret"] for (name, _, c), row in known.items() if name == FLOOR}
    lines = [
        "| surefoot / paper's schedule | " + " | ".join(f"{b:,} trainings" for b in budgets) + " |",
        "| - |" + " - |" * len(budgets),
    ]
    for criterion, floor in floors.items():
        cells = []
        for budget in budgets:
            ours = known[OURS, budget, criterion]["regret"]
            paper = known[PAPER, budget, criterion]["regret"]
            above = f" ({(ours - floor) / (paper - floor):.0%})" if paper > floor else ""
            cells.append(f"{ours / paper:.0%}{above}" if paper > 0.0 else "")
        lines.append(f"| {criterion} | " + " | ".join(cells) + " |")
    return lines if floors and budgets else []


def _cell(row: dict[str, Any]) -> str:
    return (
        f"{100 * row['regret']:.2f} ± {100 * row['regret_error']:.2f} %, "
        f"{row['p_best']:.2f} / {row['p_within_1_percent']:.2f}"
    )


def write_docs(text: str) -> None:
    """Put the tables between the marks in docs/benchmarks.md."""
    page = DOCS / "benchmarks.md"
    before, rest = page.read_text(encoding="utf-8").split(START)
    page.write_text(f"{before}{START}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def figure(rows: list[dict[str, Any]]) -> None:
    """Draw regret and probability of the best against the budget, a column per criterion."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(10, 6.2), layout="constrained")
    panels = drawn.subplots(2, len(CRITERIA), sharex=True, sharey="row")
    everything = {r["criterion"]: r for r in rows if r["method"] == FLOOR}
    for column, criterion in enumerate(CRITERIA):
        top, bottom = panels[0][column], panels[1][column]
        top.set_title(f"criterion: {criterion}")
        for method, style in STYLES.items():
            own = [r for r in rows if (r["method"], r["criterion"]) == (method, criterion)]
            if not own:
                continue
            own.sort(key=lambda r: r["budget"])
            budget = [r["budget"] for r in own]
            regret, error = [100 * r["regret"] for r in own], [100 * r["regret_error"] for r in own]
            top.errorbar(budget, regret, yerr=error, label=method, **style)
            bottom.plot(budget, [r["p_within_1_percent"] for r in own], **style)
        if criterion in everything:
            reach = everything[criterion]
            top.axhline(100 * reach["regret"], color="0.7", linewidth=1)
            bottom.axhline(reach["p_within_1_percent"], color="0.7", linewidth=1)
        for panel in (top, bottom):
            panel.set_xscale("log")
            panel.set_xticks([500, 1000, 2000], ["500", "1,000", "2,000"])
            panel.minorticks_off()
        top.set_yscale("log")
        bottom.set_xlabel("trainings")
    panels[0][0].set_ylabel("regret: winner's true loss\nabove the best, %")
    panels[1][0].set_ylabel("probability that the winner is\nwithin 1 % of the best")
    handles, labels = panels[0][0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    drawn.savefig(DOCS / "figures" / "selection-quality.svg")
