"""Which engine trains a candidate: the one named, or the first that does not refuse."""

from __future__ import annotations

import logging

from surefoot import registry
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.engines.base import Engine
from surefoot.errors import EngineError, MissingExtraError, nearest
from surefoot.instances import Setting

AUTO = "auto"
PREFERRED = ("fused_cpu", "direct", "estimator", "torch_eager")
"""Order in which ``auto`` asks the engines; any others that are registered come after."""

_logger = logging.getLogger("surefoot")


class Chooser:
    """Chooses the engine of each candidate of a study, building every engine once.

    Parameters
    ----------
    engine
        Name of the engine to use for all, or ``auto``. Under a name, a candidate that is fitted in
        one call (a baseline) still goes to the engine that can do so.

    Raises
    ------
    EngineError
        If the name is unknown.
    """

    def __init__(self, engine: str = AUTO) -> None:
        self.engine = engine
        self._engines: dict[str, Engine] = {}
        self._said: set[tuple[str, str, str]] = set()
        known = registry.names("engines")
        if engine not in (AUTO, *known):
            raise EngineError(f"engine {engine!r} is unknown: {nearest(engine, [AUTO, *known])}")
        self._auto = [name for name in PREFERRED if name in known]
        self._auto += [name for name in known if name not in PREFERRED]

    def choose(self, candidate: Candidate, setting: Setting) -> Engine:
        """Return the engine that trains a candidate.

        When an engine ahead in the order refuses, a line saying why is logged once.

        Raises
        ------
        EngineError
            If every engine asked refuses; the message holds their reasons.
        """
        refusals: dict[str, str] = {}
        for name in self._order(candidate):
            try:
                engine = self._build(name)
            except MissingExtraError as error:
                refusals[name] = str(error)
                continue
            reason = engine.refusal(candidate, setting)
            if reason is None:
                self._say(candidate, name, refusals)
                return engine
            refusals[name] = reason
        raise EngineError(
            f"no engine trains {candidate.label} ({candidate.family}): "
            + "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
        )

    def _order(self, candidate: Candidate) -> list[str]:
        order = self._auto if self.engine == AUTO else ["direct", self.engine]
        if isinstance(candidate, DirectCandidate):
            return sorted(order, key=lambda name: name != "direct")
        return order if self.engine == AUTO else [self.engine]

    def _build(self, name: str) -> Engine:
        if name not in self._engines:
            engine: Engine = registry.lookup("engines", name)()
            self._engines[name] = engine
        return self._engines[name]

    def _say(self, candidate: Candidate, chosen: str, refusals: dict[str, str]) -> None:
        for name, reason in refusals.items():
            said = (name, chosen, candidate.family)
            if said not in self._said:
                self._said.add(said)
                _logger.info("%s trains %s: %s refused (%s)", chosen, candidate.label, name, reason)


def choose(candidate: Candidate, setting: Setting, engine: str = AUTO) -> Engine:
    """Return the engine that trains one candidate; `Chooser` does so for many."""
    return Chooser(engine).choose(candidate, setting)
