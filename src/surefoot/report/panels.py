"""The panels of races and assessments: each draws one statement into given axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from surefoot.report.style import (
    BLACK,
    BOX,
    DARK,
    MIDDLE,
    draw_baseline,
    finite,
    is_wide,
    legend,
    note_lost,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from surefoot.instances import Outcome
    from surefoot.statistics.certificate import Certificate

MANY_INSTANCES = 12
"""More curves than this are drawn thinner."""


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


def curves_of(outcomes: Sequence[Outcome]) -> list[ArrayLike]:
    """Return the curves [epochs] of instances; a diverged one's ends with NaN, which counts it."""
    end = np.array([np.nan], dtype=np.float32)
    return [o.curve if np.isfinite(o.loss) else np.append(o.curve, end) for o in outcomes]


def bound_label(certificate: Certificate) -> str:
    """Return the certificate's promise in a few words for a legend."""
    share = certificate.content if certificate.reached else certificate.bound.content
    unit = f" {certificate.unit}" if certificate.unit else ""
    return f"≥ {np.floor(share * 1000) / 10:g} % lose ≤ {certificate.bound.value:.4g}{unit}"


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
    arrays = [np.asarray(curve, dtype=np.float64) for curve in curves]
    arrays = [array for array in arrays if array.size]
    longest = max((array.size for array in arrays), default=0)
    shown = np.full((len(arrays), longest), np.nan)
    for row, array in zip(shown, arrays):
        row[: array.size] = np.where(np.isfinite(array), array, np.nan)
        epochs, width = np.arange(1, array.size + 1), 0.6 if len(arrays) > MANY_INSTANCES else 0.9
        axes.plot(epochs, row[: array.size], color=MIDDLE, linewidth=width, zorder=2)
        if np.isfinite(array[-1]):
            axes.plot(array.size, array[-1], ".", color=DARK, markersize=4, zorder=3)
    if len(arrays) > 1:
        seen = ~np.isnan(shown).all(axis=0)
        middle = np.full(longest, np.nan)
        middle[seen] = np.nanmedian(shown[:, seen], axis=0)
        epochs = np.arange(1, longest + 1)
        axes.plot(epochs, middle, color=BLACK, linewidth=2.0, label="median", zorder=4)
    draw_baseline(axes, baseline)
    if is_wide(finite(shown)):
        axes.set_yscale("log")
    note_lost(axes, sum(not np.isfinite(array[-1]) for array in arrays))
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    legend(axes)


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
    places = [place for place, kept in enumerate(losses, start=1) if kept.size]
    if places:
        kept = [losses[place - 1] for place in places]
        axes.boxplot(kept, positions=places, widths=0.55, **BOX)
    for place, one in enumerate(rounds, start=1):
        own = finite(one.winner)
        if own.size:
            axes.plot(
                place,
                own.mean(),
                "D",
                color=BLACK,
                markerfacecolor="white",
                markersize=6,
                zorder=5,
                label="winner (mean)" if place == 1 else None,
            )
    draw_baseline(axes, baseline)
    if is_wide(np.concatenate([np.empty(0), *losses])):
        axes.set_yscale("log")
    note_lost(axes, sum(np.size(one.losses) - kept.size for one, kept in zip(rounds, losses)))
    names = [
        f"{'screen' if one.name == 'screen' else one.number}\n{one.candidates:,}" for one in rounds
    ]
    axes.set_xticks(np.arange(1, len(rounds) + 1), names)
    axes.set_xlim(0.4, len(rounds) + 0.6)
    axes.set_xlabel("round, and candidates in it")
    axes.set_ylabel(label)
    legend(axes)


def draw_certificate(
    axes: Axes,
    fresh: ArrayLike,
    *,
    label: str = "test loss",
    bound: float | None = None,
    bound_label: str = "certified bound",
    racing: ArrayLike = (),
    baseline: float | None = None,
) -> None:
    """Draw the distribution of fresh losses [n] as steps, the certified bound and racing losses.

    A step curve gives the share of fresh instances with a loss of at most the abscissa; racing
    losses are crosses on its foot.
    """
    count, losses, raced = np.size(fresh), np.sort(finite(fresh)), finite(racing)
    if losses.size:
        axes.step(
            np.append(losses[:1], losses),
            np.arange(losses.size + 1) / count,
            where="post",
            color=BLACK,
            linewidth=1.8,
            label=f"{count} fresh instances",
        )
    if raced.size:
        axes.plot(raced, np.zeros(raced.size), "x", color=DARK, label="in the race", clip_on=False)
    if bound is not None and np.isfinite(bound):
        axes.axvline(bound, color=BLACK, linestyle=(0, (6, 2)), linewidth=1.4, label=bound_label)
    draw_baseline(axes, baseline, losses="x")
    note_lost(axes, count - losses.size)
    axes.locator_params(axis="x", nbins=5)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel(label)
    axes.set_ylabel("share of retrainings at most this")
    legend(axes)
