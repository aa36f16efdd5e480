"""One size of a comparison as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rich.table import Table

    from surefoot.studies.sizes.comparison import Comparison


def plain_table(*columns: str) -> Table:
    """Return an empty table without lines, the first column of words, the others of numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left", overflow="fold")
    return table


def comparison_table(found: Comparison, size: int) -> Table:
    """Return a table of all candidates at a size (by place), the lowest median first.

    ``bound`` is the certificate's; ``beats …`` is the chance of a smaller loss than the
    reference's on the next retraining, with its interval.
    """
    unit = f" ({found.unit})" if found.unit else ""
    numbers = [f"median{unit}", "quartiles", "largest", "bound"]
    if found.reference is not None:
        numbers.append(f"beats {found.names[found.reference]}")
    table = plain_table(f"{found.sizes[size]:,} examples", *numbers)
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
        table.add_row(*cells)
    return table
