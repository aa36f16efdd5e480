"""Figures of a race and of an assessment: rounds, curves, certificate and front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from surefoot.errors import JournalError, nearest
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.reports import style
from surefoot.reports.style import BLACK, DARK, MIDDLE, Style, finite
from surefoot.seeds.ledger import Role
from surefoot.studies.select.selection import Selection

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.racing.state import Round
    from surefoot.statistics.certificate import Certificate
    from surefoot.studies.assess.study import Assessment
    from surefoot.studies.select.rivals import Rivals

SHOWN_ROUNDS = 13
"""As many boxes as the paper's race of 6,912 candidates has rounds, and have room for a label."""
NAMED = 6
"""Candidates of a front that are named in its figure."""
MANY_INSTANCES = 12
"""More curves than this are drawn thinner."""
PANELS = {
    "rounds": "losses by round",
    "curves": "the winner's instances",
    "certificate": "the winner, trained afresh",
}
KINDS = ("race", *PANELS, "pareto")


def draw_selection(
    selection: Selection, journal: Journal, what: str = "race", key: str | None = None
) -> Figure:
    """Return a figure of a selection, with the curves of its journal.

    Parameters
    ----------
    what
        ``rounds``, ``curves``, ``certificate``, or ``race`` for all three; ``pareto`` for spread
        against mean.
    key
        Key of the candidate of the curves; None for the winner, or the leader while there is none.

    Raises
    ------
    JournalError
        If ``what`` is unknown or the journal does not hold what is to be drawn yet.
    """
    if what not in KINDS:
        raise JournalError(f"{what!r} cannot be drawn: {nearest(what, KINDS)}")
    study, leader = selection.record.study, selection.state.ranking[0]
    shown = leader if key is None else key
    label, name = style.loss_label(str(study.loss), study.unit), study.population.name
    if what == "pareto":
        return pareto_figure(selection.rivals, selection.labels, label=label, title=name)
    title = f"{name}: {selection.known[shown].label}"
    certificate = selection.certificates.get(shown)
    if certificate is None and what == "certificate":
        raise JournalError(f"{title} has no fresh instances yet: there is no certificate")
    baseline = selection.baseline
    chosen = tuple(PANELS) if what == "race" else (what,)
    figure, panels = style.new_figure(len(chosen), title)
    for panel, axes in zip(chosen, panels, strict=True):
        match panel:
            case "rounds":
                rounds = _rounds(selection, leader if what == "rounds" else shown)
                draw_rounds(axes, rounds, label=label, baseline=baseline)
            case "curves":
                draw_curves(axes, _curves(journal, shown), label=label, baseline=baseline)
            case _:
                raced = selection.record.table.row(shown)
                fresh = () if certificate is None else certificate.losses
                bound = None if certificate is None else bound_of(certificate)
                draw_certificate(
                    axes, fresh, label=label, bound=bound, racing=raced, baseline=baseline
                )
    if what == "race":
        style.name_panels(panels, PANELS.values())
    return figure


def assessment_figure(found: Assessment, *, label: str, title: str = "") -> Figure:
    """Return learning curves beside the distribution of the losses and their bound.

    Where a broken promise leaves no certificate, the line is the promise's limit.
    """
    figure, panels = style.new_figure(2, title)
    if found.certificate is not None:
        bound = bound_of(found.certificate)
    else:
        assert found.asked.promise is not None
        bound = found.asked.promise.limit, "limit of the promise"
    draw_curves(panels[0], curves_of(found.outcomes), label=label)
    draw_certificate(panels[1], found.losses, label=label, bound=bound)
    style.name_panels(panels, ("all instances", "their losses"))
    return figure


def pareto_figure(
    found: Rivals, labels: Mapping[str, str], *, label: str, title: str = ""
) -> Figure:
    """Return the spread of the racing losses against their mean, the front joined and named."""
    figure, (axes,) = style.new_figure(1, title)
    points = np.column_stack([found.location, found.spread])
    seen = np.isfinite(found.location) & np.isfinite(found.spread)
    alike = np.array([key in found.shortlist for key in found.compared])
    tested = np.array([key in found.tested for key in found.compared])
    for mask, marker, words in (
        (seen & tested & ~alike, "x", "worse than the winner"),
        (seen & alike, "o", "not to be told from it"),
        (seen & ~tested & ~alike, ".", "too few instances to tell"),
    ):
        if mask.any():
            axes.plot(*points[mask].T, marker, color=DARK, markerfacecolor="white", label=words)
    place = {key: row for row, key in enumerate(found.compared)}
    front = sorted((place[key] for key in found.front), key=lambda row: found.location[row])
    front = [row for row in front if seen[row]]
    line: Style = {"color": BLACK, "linewidth": 1.0, "drawstyle": "steps-post"}
    axes.plot(*points[front].T, label="nobody is better in both", **line)
    own = place[found.winner]
    if seen[own]:
        axes.plot(*points[own], "D", color=BLACK, markersize=8, label="winner")
    names = [f"mean {label}"]
    for number, row in enumerate(front[:NAMED], start=1):
        axes.annotate(str(number), points[row], (5, 5), textcoords="offset points")
        names.append(f"{number} {labels[found.compared[row]]}")
    axes.set_xlabel("\n".join(names), fontsize="small")
    axes.set_ylabel("standard deviation")
    axes.locator_params(nbins=5)
    style.legend(axes)
    return figure


@dataclass(frozen=True)
class RoundLosses:
    """A round to draw: all losses so far of those who took part, and those of the winner.

    ``number`` counts from 1; ``name`` is ``screen`` or ``race``; ``candidates`` took part.
    """

    number: int
    name: str
    candidates: int
    losses: ArrayLike
    winner: ArrayLike


def _rounds(selection: Selection, winner: str) -> list[RoundLosses]:
    if not selection.state.rounds:
        raise JournalError("no round of the race is complete yet: there is nothing to draw")
    drawn, row = [], selection.record.table.row
    for one in drawn_rounds(selection.state.rounds):
        losses = {key: row(key)[:count] for key, count in zip(one.keys, one.counts)}
        everything, own = np.concatenate(list(losses.values())), losses.get(winner, np.empty(0))
        drawn.append(RoundLosses(one.number, one.name, len(losses), everything, own))
    return drawn


def drawn_rounds(rounds: Sequence[Round]) -> list[Round]:
    """Return the rounds worth a box: all, or the first, the last and some where somebody left.

    A race by test or in pairs has dozens of rounds, most of which remove nobody.
    """
    if len(rounds) <= SHOWN_ROUNDS:
        return list(rounds)
    inner = [one for one in rounds[1:-1] if one.eliminations] or rounds[1:-1]
    boxes = SHOWN_ROUNDS - 2
    if len(inner) > boxes:
        inner = [inner[round(place)] for place in np.linspace(0, len(inner) - 1, boxes)]
    return [rounds[0], *inner, rounds[-1]]


def _curves(journal: Journal, key: str) -> list[ArrayLike]:
    """Return the curves of a candidate's fresh instances, or of its racing ones before those."""
    for role in (Role.CERTIFY, Role.ASSESS, Role.RACE):
        if outcomes := journal.outcomes(role, key):
            return curves_of(outcomes)
    raise JournalError(f"candidate {key} has no instance in the journal yet")


def curves_of(outcomes: Sequence[Outcome]) -> list[ArrayLike]:
    """Return the curves [epochs] of instances; a diverged one's ends with NaN, which counts it."""
    end = np.array([np.nan], dtype=np.float32)
    return [o.curve if np.isfinite(o.loss) else np.append(o.curve, end) for o in outcomes]


def bound_of(certificate: Certificate) -> tuple[float, str]:
    """Return the certificate's bound, and its promise in a few words for a legend."""
    value = certificate.bound.value
    limit = f"{value:.4g} {certificate.unit}".rstrip()
    return value, f"≥ {certificate.kept} lose ≤ {limit}"


def draw_curves(
    axes: Axes,
    curves: Sequence[ArrayLike],
    *,
    label: str = "test loss",
    baseline: float | None = None,
) -> None:
    """Draw the test loss [epochs] of every instance against the epoch, and their median.

    The median is over the instances still trained at an epoch; each curve ends in a dot at the
    loss that counts.
    """
    arrays = [np.asarray(curve, dtype=np.float64) for curve in curves if np.size(curve)]
    ends = np.array([(array.size, array[-1]) for array in arrays]).reshape(-1, 2)
    ends = ends[np.isfinite(ends[:, 1])]
    shown = np.full((max((array.size for array in arrays), default=0), len(arrays)), np.nan)
    for column, array in zip(shown.T, arrays):
        column[: array.size] = np.where(np.isfinite(array), array, np.nan)
    epochs = np.arange(1, len(shown) + 1)
    width = 0.6 if len(arrays) > MANY_INSTANCES else 0.9
    axes.plot(epochs, shown, color=MIDDLE, linewidth=width, zorder=2)
    axes.plot(*ends.T, ".", color=DARK, markersize=4, zorder=3)
    if len(arrays) > 1:
        middle = np.full(len(shown), np.nan)
        seen = ~np.isnan(shown).all(axis=1)
        middle[seen] = np.nanmedian(shown[seen], axis=1)
        axes.plot(epochs, middle, color=BLACK, linewidth=2.0, label="median", zorder=4)
    style.draw_baseline(axes, baseline)
    if style.is_wide(finite(shown)):
        axes.set_yscale("log")
    style.note_lost(axes, len(arrays) - len(ends))
    axes.set(xlabel="epoch", ylabel=label)
    style.legend(axes)


def draw_rounds(
    axes: Axes,
    rounds: Sequence[RoundLosses],
    *,
    label: str = "test loss",
    baseline: float | None = None,
) -> None:
    """Draw one box per round: the losses so far of the candidates that took part in it.

    Diamonds are the mean loss of the later winner.
    """
    losses = [finite(one.losses) for one in rounds]
    places = np.arange(1, len(rounds) + 1)
    style.draw_boxes(axes, losses, places, 0.55)
    means = np.array([own.mean() if (own := finite(one.winner)).size else np.nan for one in rounds])
    if np.isfinite(means).any():
        white: Style = {"color": BLACK, "markerfacecolor": "white", "zorder": 5}
        axes.plot(places, means, "D", label="winner (mean)", **white)
    style.draw_baseline(axes, baseline)
    if style.is_wide(np.concatenate([np.empty(0), *losses])):
        axes.set_yscale("log")
    style.note_lost(axes, sum(np.size(one.losses) - kept.size for one, kept in zip(rounds, losses)))
    names = [
        f"{'screen' if one.name == 'screen' else one.number}\n{one.candidates:,}" for one in rounds
    ]
    axes.set_xticks(places, names)
    axes.set(xlim=(0.4, len(rounds) + 0.6), xlabel="round, and candidates in it", ylabel=label)
    style.legend(axes)


def draw_certificate(
    axes: Axes,
    fresh: ArrayLike,
    *,
    label: str = "test loss",
    bound: tuple[float, str] | None = None,
    racing: ArrayLike = (),
    baseline: float | None = None,
) -> None:
    """Draw the distribution of fresh losses [n] as steps, a bound by its name and racing losses.

    A step curve gives the share of fresh instances with a loss of at most the abscissa; racing
    losses are crosses on its foot.
    """
    count, losses, raced = np.size(fresh), np.sort(finite(fresh)), finite(racing)
    if losses.size:
        steps, shares = np.append(losses[:1], losses), np.arange(losses.size + 1) / count
        words = f"{count} fresh instances"
        axes.step(steps, shares, where="post", color=BLACK, linewidth=1.8, label=words)
    if raced.size:
        axes.plot(raced, np.zeros(raced.size), "x", color=DARK, label="in the race", clip_on=False)
    if bound is not None and np.isfinite(bound[0]):
        value, words = bound
        axes.axvline(value, color=BLACK, linestyle=(0, (6, 2)), linewidth=1.4, label=words)
    style.draw_baseline(axes, baseline, losses="x")
    style.note_lost(axes, count - losses.size)
    axes.locator_params(axis="x", nbins=5)
    axes.set(ylim=(-0.03, 1.05), xlabel=label, ylabel="share of retrainings at most this")
    style.legend(axes)
