"""The reference engine: any `ConvNet` or torch module, trained by torch from the seed ledger.

A `ConvNet`'s initial weights, batch order and dropout masks come from the ledger, never from torch,
so another engine can train the same instance and must agree with this one. A `ModuleCandidate`'s
batch order does too; what its own code draws follows torch's generator, seeded from the ledger.
Runs on one CPU thread; several instances run in several processes. Needs the extra ``torch``, which
is imported when first used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Literal

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.data.population import Matrix
from surefoot.engines.base import Engine, Monitor, data_refusal
from surefoot.errors import CandidateError, require
from surefoot.instances import Instance, Predictor, Setting
from surefoot.learning.losses import Loss
from surefoot.seeds.ledger import Stream

if TYPE_CHECKING:
    import torch

Network = ConvNet | ModuleCandidate


class TorchEager(Engine):
    """Trains a `ConvNet` or a `ModuleCandidate` in eager torch, on one CPU thread."""

    name: ClassVar[str] = "torch_eager"
    workers: ClassVar[Literal["threads", "processes"]] = "processes"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse other families, what does not fit the data, and a missing torch or device."""
        if not isinstance(candidate, Network):
            return f"torch_eager trains ConvNet and torch module candidates, not {candidate.family}"
        if importlib.util.find_spec("torch") is None:
            return "torch_eager needs torch; install it with: pip install 'surefoot[torch]'"
        trained = candidate.loss if isinstance(candidate.loss, Loss) else None
        reason = data_refusal(candidate, setting, trained)
        if reason is None and isinstance(candidate, ModuleCandidate):
            reason = module_refusal(candidate)
        return reason

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Predictor:
        """Train one instance; raises `MissingExtraError` if torch is not installed."""
        require("torch", extra="torch")
        from surefoot.engines.torch.jobs import job_of
        from surefoot.engines.torch.training import one_thread, own_random_numbers, train_epochs

        order_key = instance.seed.key(Stream.ORDER)
        with one_thread(), own_random_numbers():
            job = job_of(instance, setting)
            train_epochs(job, setting, instance.draw(setting), order_key, monitor)
        return job.shipped

    def pausing(self, candidate: Candidate, setting: Setting) -> str | None:
        """Put a `ConvNet` aside; a module may hold what no state of its own tells."""
        return f"torch {version('torch')}" if isinstance(candidate, ConvNet) else None


def predictor_of(candidate: Network, weights: Mapping[str, Matrix]) -> Predictor:
    """Return the predictor that left these weights, on the CPU; raises as `module_of`."""
    module = module_of(candidate, weights)
    from surefoot.engines.torch.training import TorchPredictor

    return TorchPredictor(module, candidate.side > 0, input_shape=candidate.input_shape)


def module_of(candidate: Network, weights: Mapping[str, Matrix]) -> torch.nn.Module:
    """Return a trained candidate as a ``torch.nn.Module``, in evaluation mode.

    That of a `ConvNet` maps features [n, F] or [n, channels, rows, columns] and, if the network
    takes them, side features [n, S] to predictions [n, outputs]; that of a `ModuleCandidate` is
    what its factory makes. ``weights`` are those of a predictor.

    Raises `MissingExtraError` without torch, `CandidateError` for weights of another candidate.
    """
    require("torch", extra="torch")
    from surefoot.engines.torch.module import ConvModule, load
    from surefoot.engines.torch.training import own_random_numbers

    with own_random_numbers():
        module = ConvModule(candidate) if isinstance(candidate, ConvNet) else candidate.make()
    load(module, weights, candidate.label)
    return module.eval()


def module_refusal(candidate: ModuleCandidate) -> str | None:
    """Return one sentence that says what a module lacks, else None."""
    try:
        candidate.check()
    except CandidateError as error:
        return f"{candidate.label} cannot be trained: {error}"
    import torch

    kind = candidate.device.partition(":")[0]
    if kind != "cpu" and not getattr(torch, "cuda" if kind == "cuda" else "mps").is_available():
        return f"{candidate.label} cannot be trained: this machine has no device {kind!r}"
    return None
