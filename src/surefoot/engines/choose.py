"""Which engine trains a candidate: the one named, or the first that does not refuse."""

from __future__ import annotations

import logging

from surefoot import checks, registry
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.engines.base import Engine, StackEngine
from surefoot.engines.devices import AUTO, device_refusal, engine_and_device, is_gpu
from surefoot.errors import ConfigurationError, EngineError, MissingExtraError
from surefoot.instances import Setting

STACKED = "torch_stacked"
"""What ``auto`` asks first where there is a GPU, and never on a CPU."""
PREFERRED = ("fused_cpu", "direct", "estimator", "torch_eager")
"""Order in which ``auto`` asks the engines; any others that are registered come after."""

_logger = logging.getLogger("surefoot")


class Chooser:
    """Chooses the engine of each candidate of a study, building every engine once.

    Raises `ConfigurationError` if the name is unknown, or its device is none that it can use.

    Parameters
    ----------
    engine
        Name of the engine to use for all, or ``auto``; either may have a device in brackets
        (`surefoot.engines.devices`). Under a name, a candidate that is fitted in one call (a
        baseline) still goes to the engine that can do so.
    here
        Whether this machine trains. If others do, they have the devices, and ``auto`` uses a GPU
        only if one is asked for.
    """

    def __init__(self, engine: str = AUTO, *, here: bool = True) -> None:
        name, self._device = engine_and_device(engine)
        names = registry.names("engines")
        checks.known("engine", name, [AUTO, *names])
        self.engine, self._here, self._auto, self._order = engine, here, name == AUTO, [name]
        if self._auto:
            self._order = [name for name in PREFERRED if name in names]
            self._order += [name for name in names if name not in (*PREFERRED, STACKED)]
            if STACKED in names and (here or self._device != AUTO) and is_gpu(self._device):
                self._order.insert(0, STACKED)
        self._engines: dict[str, Engine] = {}
        self._setting: Setting | None = None
        self._chosen: dict[Candidate, Engine] = {}
        self._said: set[tuple[str, str, str]] = set()
        wants_gpu = not self._auto and self._device.startswith("cuda")
        if wants_gpu and not isinstance(self._built(name), StackEngine):
            raise ConfigurationError(
                f"engine {engine!r} is not known: {name} trains on the CPU; name a module's "
                f"device in the candidate, or use {STACKED}({self._device})"
            )

    def choose(self, candidate: Candidate, setting: Setting) -> Engine:
        """Return the engine that trains a candidate.

        When an engine ahead in the order refuses, a line saying why is logged once.

        Raises `EngineError` if every engine asked refuses, with their reasons, or if this machine,
        which is to train, does not have the device.
        """
        if self._setting is not setting:
            self._setting, self._chosen = setting, {}
        if self._here and (missing := device_refusal(self._device)) is not None:
            raise EngineError(f"engine {self.engine!r} cannot train here: {missing}")
        if candidate not in self._chosen:
            self._chosen[candidate] = self._choose(candidate, setting)
        return self._chosen[candidate]

    def _choose(self, candidate: Candidate, setting: Setting) -> Engine:
        order, refusals = self._order, dict[str, str]()
        if isinstance(candidate, DirectCandidate):
            order = ["direct", *(name for name in order if name != "direct")]
        for name in order:
            try:
                reason = self._refusal(name, candidate, setting)
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

    def _built(self, name: str) -> Engine:
        if name not in self._engines:
            engine: Engine = registry.lookup("engines", name)()
            if isinstance(engine, StackEngine) and self._device != AUTO:
                engine = engine.on(self._device)
            self._engines[name] = engine
        return self._engines[name]

    def _refusal(self, name: str, candidate: Candidate, setting: Setting) -> str | None:
        """Return why an engine does not train a candidate, None if it does.

        ``auto`` takes stacks for what they can hold; an engine asked for by name trains the others
        one by one, which is said once.
        """
        engine = self._built(name)
        if not isinstance(engine, StackEngine):
            return engine.refusal(candidate, setting)
        reason = (engine if self._here else engine.on(AUTO)).refusal(candidate, setting)
        if reason is not None or (why := engine.alone(candidate, setting)) is None:
            return reason
        if self._auto:
            return f"it would train one instance at a time, since {why}"
        if (said := (name, "alone", candidate.family)) not in self._said:
            self._said.add(said)
            _logger.warning(
                "%s trains %s one instance at a time, since %s", name, candidate.label, why
            )
        return None
