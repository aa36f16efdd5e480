"""A stack of a candidate's modules, run by ``torch.func``: one forward pass for all instances.

``torch.func.vmap`` maps a module's forward pass over the stack's first axis. It takes what computes
predictions from arrays alone: no random numbers (dropout), no control flow that depends on data, no
layer for which torch has no such rule. Whether it can is tried once for each candidate (`trial`),
on a few examples of the study's own, against the modules themselves.

On a GPU, convolutions are made to follow the deterministic algorithms of cuDNN without TF32; that
is set for the whole process.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from surefoot.candidates.fields import is_import_path
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.data.population import Rows
from surefoot.engines.torch.jobs import initial_module, module_loss
from surefoot.engines.torch.stacked.model import StackedModel
from surefoot.engines.torch.training import TorchPredictor, as_columns, own_random_numbers
from surefoot.escaping import one_line
from surefoot.instances import Instance, Predictor, Setting
from surefoot.seeds.ledger import InstanceSeed, Role

_EXAMPLES = 3
"""On so many it is tried whether vmap takes a module."""


class StackedModules(StackedModel):
    """Instances of one `ModuleCandidate`."""

    def __init__(
        self, candidate: ModuleCandidate, setting: Setting, size: int, device: torch.device
    ) -> None:
        with own_random_numbers():
            self._module = candidate.make()
        arrays, trained = _arrays(self._module), trial(candidate, setting).trained
        shapes = {name: tuple(arrays[name].shape) for name in trained}
        others = {name: one for name, one in arrays.items() if name not in trained}
        super().__init__(size, shapes, others, device)
        self._candidate = candidate
        self._norms = [
            one
            for one in self._module.modules()
            if isinstance(one, _BatchNorm) and one.track_running_stats
        ]
        self._module.to(device)
        if device.type == "cuda":
            torch.backends.cudnn.deterministic = True
            torch.backends.cudnn.benchmark = torch.backends.cudnn.allow_tf32 = False

    @torch.no_grad()
    def start(self, place: int, instance: Instance, rows: Rows) -> None:
        """Give a place to an instance, as its factory makes it from the ledger's seed."""
        with own_random_numbers():
            arrays = _arrays(initial_module(self._candidate, instance.seed))
        for name, values in {**self.leaves, **self.buffers}.items():
            values[place] = arrays[name]

    def train(self, features: Tensor, side: Tensor | None, steps: Tensor) -> Tensor:
        """Return predictions in training; see `StackedModel.train`."""
        self._module.train()
        return self._predictions(features, side)

    def predict(self, features: Tensor, side: Tensor | None, momentum: float | None) -> Tensor:
        """Return predictions of trained instances; see `StackedModel.predict`."""
        self._module.eval()
        if momentum is None:
            return self._predictions(features, side)
        own = [norm.momentum for norm in self._norms]
        for norm in self._norms:
            norm.train()
            norm.momentum = momentum
        predictions = self._predictions(features, side)
        for norm, value in zip(self._norms, own, strict=True):
            norm.momentum = value
        return predictions

    def _predictions(self, features: Tensor, side: Tensor | None) -> Tensor:
        arrays = {**self.leaves, **self.buffers}
        return mapped(self._module, arrays, features, side, self._candidate.input_shape)

    @torch.no_grad()
    def predictor(self, place: int) -> Predictor:
        """Return what an instance has become, on the CPU."""
        module, arrays = copy.deepcopy(self._module).cpu(), self.arrays(place)
        for name, values in _arrays(module).items():
            values.copy_(torch.from_numpy(arrays[name]))
        takes_side, shape = self._candidate.side, self._candidate.input_shape
        return TorchPredictor(module.eval(), takes_side, input_shape=shape)

    @property
    def has_statistics(self) -> bool:
        """Whether there is batch normalisation with running averages."""
        return bool(self._norms)


def mapped(
    module: nn.Module,
    arrays: Mapping[str, Tensor],
    features: Tensor,
    side: Tensor | None,
    input_shape: Sequence[int] | None,
) -> Tensor:
    """Return predictions [stack, n, outputs] of a module with arrays [stack, *shape] by name.

    ``features`` are [stack, n, F] and handed on in ``input_shape``, ``side`` [stack, n, S]. Buffers
    that the module changes are changed.
    """
    if input_shape is not None:
        features = torch.unflatten(features, 2, tuple(input_shape))

    def one(arrays: dict[str, Tensor], *inputs: Tensor) -> Tensor:
        return as_columns(functional_call(module, arrays, inputs))

    return torch.vmap(one)(dict(arrays), features, *([] if side is None else [side]))


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a module can be trained in a stack: ``why`` not, in words that follow "since", or "".

    ``trained`` are the parameters that get a gradient; optimisers leave all others as they are.
    """

    why: str = ""
    trained: tuple[str, ...] = ()


def trial(candidate: ModuleCandidate, setting: Setting) -> Trial:
    """Try, once for all candidates alike, whether a module can be trained in a stack.

    One that fails altogether is trained alone, too, so that its outcome says how.
    """
    alike = replace(candidate, learning_rate=1.0, decay=0.0)
    what = alike.key, setting.halves.population.fingerprint, str(setting.loss)
    if what not in _tried:
        _tried[what] = _trial(alike, setting)
    return _tried[what]


_tried: dict[tuple[str, str, str], Trial] = {}


def _trial(candidate: ModuleCandidate, setting: Setting) -> Trial:
    for part in ("optimizer", "schedule"):
        if is_import_path(path := getattr(candidate, part)):
            return Trial(f"its {part} {path} updates one module")
    try:
        with own_random_numbers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _compared(candidate, setting)
    except Exception as error:
        said = (str(error).splitlines() or [""])[0].partition(". ")[0]
        return Trial(one_line(f"torch says: {type(error).__name__}: {said}"))


def _compared(candidate: ModuleCandidate, setting: Setting) -> Trial:
    """Compare two modules in a stack with each by itself, in training and in evaluation.

    Raises `AssertionError` where they differ, and whatever torch does where it has no rule.
    """
    population, shape = setting.halves.population, candidate.input_shape
    modules = [initial_module(candidate, InstanceSeed(0, Role.PILOT, i)) for i in (0, 1)]
    alone = [TorchPredictor(one, candidate.side, input_shape=shape) for one in modules]
    inputs, rows = alone[0].inputs(population.features, population.side), torch.arange(_EXAMPLES)
    states = [_arrays(module) for module in modules]
    stack = {name: torch.stack([one[name].detach() for one in states]) for name in states[0]}
    features, *side = (torch.stack([one[rows]] * 2) for one in inputs)
    target = torch.stack([torch.from_numpy(population.target[:_EXAMPLES])] * 2)
    expected, attributes = (_EXAMPLES, population.outputs), _attributes(modules[0])
    template = copy.deepcopy(modules[0])
    trained = {name: one for name, one in modules[0].named_parameters() if one.requires_grad}
    if any(one.dtype != torch.float32 for one in trained.values()):
        return Trial("not all of its parameters are float32")
    for training in (True, False):
        for module in (*modules, template):
            module.train(training)
        together = mapped(template, stack, features, side[0] if side else None, shape)
        own = [predictor(inputs, rows) for predictor in alone]
        if own[0].shape != expected:
            return Trial(f"its predictions have shape {tuple(own[0].shape)}, not {expected}")
        if training:
            gradients = torch.autograd.grad(own[0].sum(), [*trained.values()], allow_unused=True)
        torch.testing.assert_close(together, torch.stack(own), rtol=1e-3, atol=1e-4)
        for number, module in enumerate(modules):
            for name, values in _arrays(module).items():
                torch.testing.assert_close(stack[name][number], values.detach())
        if _attributes(modules[0]) != attributes:
            return Trial("its forward pass changes attributes that are no buffers")
    if isinstance(candidate.loss, str):
        torch.vmap(module_loss(candidate, setting))(together, target)
    reached = zip(trained, gradients, strict=True)
    return Trial(trained=tuple(name for name, one in reached if one is not None))


def _arrays(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's own parameters and buffers by name; none of them is a copy."""
    return dict(module.named_parameters()) | dict(module.named_buffers())


def _attributes(module: nn.Module) -> dict[str, str]:
    """Return what else a module and its parts hold, in words."""
    own = vars(nn.Module()).keys()
    return {
        f"{name}.{key}": repr(value)
        for name, part in module.named_modules()
        for key, value in vars(part).items()
        if key not in own
    }
