"""Which engine trains a candidate: the one named, or the first that does not refuse."""

from __future__ import annotations

import logging

from surefoot import registry
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.engines.base import Engine
from surefoot.errors import ConfigurationError, EngineError, MissingExtraError, nearest
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
        self._chosen: tuple[Setting | None, dict[Candidate, Engine]] = (None, {})
        self._said: set[tuple[str, str, str]] = set()
        known = registry.names("engines")
        if engine not in (AUTO, *known):
            raise ConfigurationError(
                f"engine {engine!r} is unknown: {nearest(engine, [AUTO, *known])}"
            )
        self._order = [engine]
        if engine == AUTO:
            self._order = [name for name in PREFERRED if name in known]
            self._order += [name for name in known if name not in PREFERRED]

    def choose(self, candidate: Candidate, setting: Setting) -> Engine:
        """Return the engine that trains a candidate.

        When an engine ahead in the order refuses, a line saying why is logged once.

        Raises
        ------
        EngineError
            If every engine asked refuses; the message holds their reasons.
        """
        if self._chosen[0] is not setting:
            self._chosen = (setting, {})
        chosen = self._chosen[1]
        if candidate not in chosen:
            chosen[candidate] = self._choose(candidate, setting)
        return chosen[candidate]

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
                self._say(candidate, name, refusals)
                return self._engines[name]
            refusals[name] = reason
        raise EngineError(
            f"no engine trains {candidate.label} ({candidate.family}): "
            + "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
        )

    def _say(self, candidate: Candidate, chosen: str, refusals: dict[str, str]) -> None:
        for name, reason in refusals.items():
            said = (name, chosen, candidate.family)
            if said not in self._said:
                self._said.add(said)
                _logger.info("%s trains %s: %s refused (%s)", chosen, candidate.label, name, reason)
