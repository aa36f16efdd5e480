"""Comparisons at several sizes, and on other data, as tables and in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surefoot.cli.show.console import table
from surefoot.statistics.tolerance import content_reached

if TYPE_CHECKING:
    from rich.table import Table

    from surefoot.studies.sizes.comparison import Comparison


def comparison_table(found: Comparison, size: int) -> Table:
    """Return a table of all candidates at a size (by place), the lowest median first.

    ``bound`` is the certificate's; ``beats …`` is the chance of a smaller loss than the
    reference's on the next retraining, with its interval.
    """
    unit = f" ({found.unit})" if found.unit else ""
    numbers = [f"median{unit}", "quartiles", "largest", "bound"]
    if found.reference is not None:
        numbers.append(f"beats {found.names[found.reference]}")
    made = table(f"{found.sizes[size]:,} examples", *numbers, right=numbers)
    medians, alike = found.medians[:, size], found.alike(size)
    first, third = found.quantiles(0.25)[:, size], found.quantiles(0.75)[:, size]
    for row in np.argsort(medians, kind="stable").tolist():
        certificate = found.certificate(row, size)
        cells = [
            found.names[row] + (" *" if row in alike else ""),
            f"{medians[row]:.4g}",
            f"{first[row]:.4g} – {third[row]:.4g}",
            f"{max(certificate.losses):.4g}",
            f"{certificate.bound.value:.4g}",
        ]
        if found.reference is not None:
            chance = found.wins(row, found.reference, size)
            same = row == found.reference
            words = f"{chance.estimate:.0%} ({chance.low:.0%} to {chance.high:.0%})"
            cells.append("" if same else words)
        made.add_row(*cells)
    return made


def bound_sentence(n: int, content: float, confidence: float) -> str:
    """Return in words what the column ``bound`` of a comparison means with n instances."""
    reached = min(content, math.floor(1000 * content_reached(n, confidence)) / 1000)
    return (
        f"With {100 * confidence:g} % confidence, at least {100 * reached:g} % of a candidate's "
        "retrainings lose at most its bound; each bound by itself, on this pool and test half."
    )


def transfer_table(
    found: Comparison, homes: list[NDArray[np.float64]], home: str, there: str
) -> Table:
    """Return a table of the candidates at home and on the other data."""
    assert found.reference is not None
    unit = f" ({found.unit})" if found.unit else ""
    reference = found.names[found.reference]
    numbers = [f"median on {home}{unit}", f"on {there}{unit}", "quartiles", "bound"]
    numbers.append(f"beats {reference}")
    made = table("candidate", *numbers, right=numbers)
    first, third = found.quantiles(0.25)[:, 0], found.quantiles(0.75)[:, 0]
    for row, name in enumerate(found.names):
        chance = found.wins(row, found.reference, 0)
        words = f"{chance.estimate:.0%} ({chance.low:.0%} to {chance.high:.0%})"
        made.add_row(
            name,
            f"{np.median(homes[row]):.4g}" if homes[row].size else "",
            f"{found.medians[row, 0]:.4g}",
            f"{first[row]:.4g} – {third[row]:.4g}",
            f"{found.certificate(row, 0).bound.value:.4g}",
            "" if row == found.reference else words,
        )
    return made


def transfer_sentences(
    found: Comparison, homes: list[NDArray[np.float64]], home: str, there: str
) -> list[str]:
    """Return in words how the winner stands to the baseline at home and on the other data."""
    assert found.reference is not None
    own, base = found.medians[0, 0], found.medians[found.reference, 0]
    name, reference = found.names[0], found.names[found.reference]
    words = f"On {there} the median loss of {name} is {_against(own, base)} that of {reference}"
    if homes[0].size and homes[found.reference].size:
        at_home = _against(float(np.median(homes[0])), float(np.median(homes[found.reference])))
        words += f"; on {home} it is {at_home} it"
    chance = found.wins(0, found.reference, 0)
    lines = [
        words + ".",
        f"On the next retraining there it loses less with a probability of about "
        f"{chance.estimate:.0%} ({chance.low:.0%} to {chance.high:.0%}).",
    ]
    best = found.best(0)
    if best not in (0, found.reference):
        lines.append(f"The best of those retrained is {found.names[best]}.")
    return lines


def _against(value: float, other: float) -> str:
    """Return how a loss lies to another one.

    >>> _against(0.018, 0.02), _against(0.022, 0.02)
    ('10.0 % below', '10.0 % above')
    """
    if not (np.isfinite(value) and np.isfinite(other) and other > 0.0):
        return "not to be compared with"
    share = 100.0 * (value / other - 1.0)
    return f"{abs(share):.1f} % {'below' if share < 0.0 else 'above'}"
