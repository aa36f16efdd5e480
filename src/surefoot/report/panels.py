"""The panels of the figures: each draws one statement into given axes.

Everything is told by shape, width and dash besides shade, so that figures read in greyscale.
Losses that are not finite (diverged or failed instances) are counted in words, never drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

BLACK, DARK, MIDDLE, LIGHT = "0.05", "0.3", "0.55", "0.85"
MANY_INSTANCES = 12
WIDE_RANGE = 8.0


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


def loss_label(loss: str, unit: str = "") -> str:
    """Return the label of a loss axis.

    >>> loss_label("rmse", "mm"), loss_label("relative_rmse")
    ('test loss (rmse) / mm', 'test loss (relative rmse)')
    """
    label = f"test loss ({loss.replace('_', ' ')})"
    return f"{label} / {unit}" if unit else label


def draw_curves(
    axes: Axes,
    curves: Sequence[ArrayLike],
    *,
    label: str,
    baseline: float | None = None,
) -> None:
    """Draw the test loss [epochs] of every instance against the epoch, and their median.

    The median is over the instances still trained at an epoch; each curve ends in a dot at the
    loss that counts.
    """
    arrays = [np.asarray(curve, dtype=np.float64) for curve in curves]
    arrays = [array for array in arrays if array.size]
    many = len(arrays) > MANY_INSTANCES
    for array in arrays:
        epochs = np.arange(1, array.size + 1)
        axes.plot(epochs, _finite(array), color=MIDDLE, linewidth=0.6 if many else 0.9, zorder=2)
        if np.isfinite(array[-1]):
            axes.plot(array.size, array[-1], ".", color=DARK, markersize=4, zorder=3)
    if len(arrays) > 1:
        longest = max(array.size for array in arrays)
        stacked = np.full((len(arrays), longest), np.nan)
        for row, array in zip(stacked, arrays):
            row[: array.size] = _finite(array)
        seen = ~np.isnan(stacked).all(axis=0)
        middle = np.full(longest, np.nan)
        middle[seen] = np.nanmedian(stacked[:, seen], axis=0)
        epochs = np.arange(1, longest + 1)
        axes.plot(epochs, middle, color=BLACK, linewidth=2.0, label="median", zorder=4)
    _draw_baseline(axes, baseline, along="x")
    _scale_losses(axes.set_yscale, _all_finite(arrays))
    _note(axes, sum(not np.isfinite(array[-1]) for array in arrays))
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    _legend(axes)


def draw_rounds(
    axes: Axes,
    rounds: Sequence[RoundLosses],
    *,
    label: str,
    baseline: float | None = None,
) -> None:
    """Draw one box per round: the losses so far of the candidates that took part in it.

    Boxes are quartiles, whiskers reach the furthest loss within 1.5 interquartile ranges, circles
    lie beyond; diamonds are the mean loss of the later winner.
    """
    everything = [np.asarray(one.losses, dtype=np.float64).ravel() for one in rounds]
    finite = [losses[np.isfinite(losses)] for losses in everything]
    places = [place for place, losses in enumerate(finite, start=1) if losses.size]
    if places:
        axes.boxplot(
            [finite[place - 1] for place in places],
            positions=places,
            widths=0.55,
            patch_artist=True,
            boxprops={"facecolor": LIGHT, "edgecolor": DARK},
            medianprops={"color": BLACK, "linewidth": 1.6},
            whiskerprops={"color": DARK},
            capprops={"color": DARK},
            flierprops={"markersize": 3, "markeredgecolor": MIDDLE},
        )
    for place, one in enumerate(rounds, start=1):
        own = np.asarray(one.winner, dtype=np.float64)
        own = own[np.isfinite(own)]
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
    _draw_baseline(axes, baseline, along="x")
    _scale_losses(axes.set_yscale, _all_finite(finite))
    _note(axes, sum(array.size - kept.size for array, kept in zip(everything, finite)))
    names = [
        f"{'screen' if one.name == 'screen' else one.number}\n{one.candidates:,}" for one in rounds
    ]
    axes.set_xticks(np.arange(1, len(rounds) + 1), names)
    axes.set_xlim(0.4, len(rounds) + 0.6)
    axes.set_xlabel("round, and candidates in it")
    axes.set_ylabel(label)
    _legend(axes)


def draw_certificate(
    axes: Axes,
    fresh: ArrayLike,
    *,
    label: str,
    bound: float | None = None,
    bound_label: str = "certified bound",
    racing: ArrayLike = (),
    baseline: float | None = None,
) -> None:
    """Draw the distribution of fresh losses [n] as steps, the certified bound and racing losses.

    A step curve gives the share of fresh instances with a loss of at most the abscissa; racing
    losses are crosses on its foot.
    """
    losses = np.sort(np.asarray(fresh, dtype=np.float64))
    finite = losses[np.isfinite(losses)]
    raced = np.asarray(racing, dtype=np.float64)
    raced = raced[np.isfinite(raced)]
    if finite.size:
        share = np.arange(1, finite.size + 1) / losses.size
        axes.step(
            np.concatenate([finite[:1], finite]),
            np.concatenate([[0.0], share]),
            where="post",
            color=BLACK,
            linewidth=1.8,
            label=f"{losses.size} fresh instances",
        )
    if raced.size:
        axes.plot(raced, np.zeros(raced.size), "x", color=DARK, label="in the race", clip_on=False)
    if bound is not None and np.isfinite(bound):
        axes.axvline(bound, color=BLACK, linestyle=(0, (6, 2)), linewidth=1.4, label=bound_label)
    _draw_baseline(axes, baseline, along="y")
    _note(axes, int(losses.size - finite.size))
    axes.locator_params(axis="x", nbins=5)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel(label)
    axes.set_ylabel("share of retrainings at most this")
    _legend(axes)


def _finite(array: Floats) -> Floats:
    return np.where(np.isfinite(array), array, np.nan)


def _all_finite(arrays: Sequence[Floats]) -> Floats:
    return np.concatenate([np.empty(0), *(array[np.isfinite(array)] for array in arrays)])


def _draw_baseline(axes: Axes, baseline: float | None, *, along: str) -> None:
    if baseline is None or not np.isfinite(baseline):
        return
    draw = axes.axhline if along == "x" else axes.axvline
    draw(baseline, color=DARK, linestyle=":", linewidth=1.4, label="baseline")


def _scale_losses(set_scale: Any, values: Floats) -> None:
    """Use a logarithmic axis when positive losses span more than a factor of 8."""
    if values.size and values.min() > 0 and values.max() > WIDE_RANGE * values.min():
        set_scale("log")


def _note(axes: Axes, missing: int) -> None:
    if missing:
        axes.set_title(
            f"{missing} diverged or failed, not drawn", fontsize="small", loc="right", color=DARK
        )


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize="small")
