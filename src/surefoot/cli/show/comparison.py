"""Comparisons at several sizes, and on other data, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.cli.show.console import table

if TYPE_CHECKING:
    from rich.table import Table

    from surefoot.studies.sizes.compare import Comparison
    from surefoot.studies.sizes.transfer import Transfer


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
            cells.append("" if same else f"{chance:.0%}")
        made.add_row(*cells)
    return made


def transfer_table(transfer: Transfer) -> Table:
    """Return a table of the candidates at home and on the other data."""
    found, (home, there) = transfer.comparison, transfer.populations
    assert found.reference is not None
    unit = f" ({found.unit})" if found.unit else ""
    reference = found.names[found.reference]
    numbers = [f"median on {home}{unit}", f"on {there}{unit}", "quartiles", "bound"]
    numbers.append(f"beats {reference}")
    made = table("candidate", *numbers, right=numbers)
    first, third = found.quantiles(0.25)[:, 0], found.quantiles(0.75)[:, 0]
    for row, name in enumerate(found.names):
        chance = found.wins(row, found.reference, 0)
        made.add_row(
            name,
            f"{np.median(transfer.at_home[row]):.4g}" if transfer.at_home[row].size else "",
            f"{found.medians[row, 0]:.4g}",
            f"{first[row]:.4g} – {third[row]:.4g}",
            f"{found.certificate(row, 0).bound.value:.4g}",
            "" if row == found.reference else f"{chance:.0%}",
        )
    return made
