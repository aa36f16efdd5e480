"""Which engine trains a candidate: the one named, or the first that does not refuse."""

from __future__ import annotations

import logging

from surefoot import checks, registry
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.engines.base import Engine
from surefoot.errors import EngineError, MissingExtraError
from surefoot.instances import Setting

AUTO = "auto"
PREFERRED = ("fused_cpu", "direct", "estimator", "torch_eager")
"""Order in which ``auto`` asks the engines; any others that are registered come after."""

_logger = logging.getLogger("surefoot")


class Chooser:
    """Chooses the engine of each candidate of a study, building every engine once.

    Raises `ConfigurationError` if the name is unknown.

    Parameters
    ----------
    engine
        Name of the engine to use for all, or ``auto``. Under a name, a candidate that is fitted in
        one call (a baseline) still goes to the engine that can do so.
    """

    def __init__(self, engine: str = AUTO) -> None:
        names = registry.names("engines")
        checks.known("engine", engine, [AUTO, *names])
        self.engine, self._order = engine, [engine]
        if engine == AUTO:
            self._order = [name for name in PREFERRED if name in names]
            self._order += [name for name in names if name not in PREFERRED]
        self._engines: dict[str, Engine] = {}
        self._setting: Setting | None = None
        self._chosen: dict[Candidate, Engine] = {}
        self._said: set[tuple[str, str, str]] = set()

    def choose(self, candidate: Candidate, setting: Setting) -> Engine:
        """Return the engine that trains a candidate.

        When an engine ahead in the order refuses, a line saying why is logged once.

        Raises `EngineError` if every engine asked refuses; the message holds their reasons.
        """
        if self._setting is not setting:
            self._setting, self._chosen = setting, {}
        if candidate not in self._chosen:
            self._chosen[candidate] = self._choose(candidate, setting)
        return self._chosen[candidate]

    def _choose(self, candidate: Candidate, setting: Setting) -> Engine:
        order, refusals = self._order, dict[str, str]()
        if isinstance(candidate, DirectCandidate):
            order = ["direct", *(name for name in order if name != "direct")]
        for name in order:
            try:
                if name not in self._engines:
                    self._engines[name] = registry.lookup("engines", name)()
                reason = self._engines[name].refusal(candidate, setting)
            except MissingExtraError as error:
                reason = str(error)
            if reason is None:
                break
            refusals[name] = reason
        else:
            raise EngineError(
                f"no engine trains {candidate.label} ({candidate.family}): "
                + "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
            )
        for other, reason in refusals.items():
            if (said := (other, name, candidate.family)) not in self._said:
                self._said.add(said)
                _logger.info("%s trains %s: %s refused (%s)", name, candidate.label, other, reason)
        return self._engines[name]
