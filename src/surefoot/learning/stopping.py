"""Early stopping by the paper's window rule (§3.7), in both of its readings.

The rule looks at the test losses of the last ``window`` epochs, once ``min_epochs`` have passed.
The paper's sentence, "training continued until the maximum loss in the previous 30 epochs exceeded
the minimum loss in the previous 30 epochs by 10 %", can be read in two ways:

``plateau``
    stop as soon as the window is flat: max ≤ (1 + tolerance) · min. The default.
``explosion``
    the literal reading: stop as soon as the window is no longer flat: max > (1 + tolerance) · min.
``none``
    never stop early: train ``max_epochs`` epochs.

Whatever the reading, the loss of an instance is that of its last epoch, never of its best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from surefoot import checks

Reading = Literal["plateau", "explosion", "none"]


@dataclass(frozen=True, slots=True)
class Stopping:
    """When to stop training an instance.

    Parameters
    ----------
    max_epochs
        The cap on epochs.
    min_epochs
        Epochs trained in any case; capped at ``max_epochs``.
    window
        Number of latest epochs compared.
    tolerance
        Allowed ratio max/min − 1 within the window.
    reading
        ``plateau``, ``explosion`` or ``none``, as described in the module.

    Raises
    ------
    ConfigurationError
        If a value is out of range or the reading is unknown.
    """

    max_epochs: int = 300
    min_epochs: int = 100
    window: int = 30
    tolerance: float = 0.10
    reading: Reading = "plateau"

    def __post_init__(self) -> None:
        checks.known("stopping reading", self.reading, get_args(Reading))
        checks.count(
            1,
            of="stopping",
            max_epochs=self.max_epochs,
            min_epochs=self.min_epochs,
            window=self.window,
        )
        checks.must(
            "be a non-negative number such as 0.10",
            lambda number: 0 <= number < float("inf"),
            of="stopping",
            tolerance=self.tolerance,
        )

    @property
    def code(self) -> int:
        """Number of the reading for compiled engines: none 0, plateau 1, explosion 2."""
        return {"none": 0, "plateau": 1, "explosion": 2}[self.reading]

    def should_stop(self, curve: Sequence[float]) -> bool:
        """Return whether training ends after the last epoch of ``curve`` [epochs so far]."""
        epochs = len(curve)
        if epochs >= self.max_epochs:
            return True
        if self.reading == "none" or epochs < max(self.min_epochs, self.window):
            return False
        latest = curve[epochs - self.window :]
        flat = max(latest) <= (1.0 + self.tolerance) * min(latest)
        return flat if self.reading == "plateau" else not flat
