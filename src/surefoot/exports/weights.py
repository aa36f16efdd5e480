"""What a trained network has learned: its weights as arrays, a torch module, a torch program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.errors import ExportError, require
from surefoot.instances import Training
from surefoot.replacing import replaced

if TYPE_CHECKING:
    from torch import nn


def weights_of(training: Training) -> Mapping[str, NDArray[np.float32]]:
    """Return the arrays of a trained instance by name, in torch's names and shapes.

    Raises `ExportError` if the instance failed or its family has no arrays.
    """
    outcome = training.outcome
    if training.predictor is None:
        raise ExportError(
            f"instance {outcome.instance} of {outcome.candidate} {outcome.status} and left no "
            f"weights ({outcome.message or 'no message'}): export another instance"
        )
    weights = training.predictor.weights
    if not weights:
        raise ExportError(
            f"engine {outcome.engine} trains without arrays of weights: there is nothing to export"
        )
    return weights


def write_weights(candidate: Candidate, training: Training, file: Path) -> None:
    """Write the arrays of a trained instance, `weights_of` it, to an ``.npz`` file."""
    weights = weights_of(training)
    with replaced(file, ExportError) as part, part.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **weights)


def torch_module(candidate: Candidate, training: Training) -> nn.Module:
    """Return a trained network as a ``torch.nn.Module`` in evaluation mode, ready to use.

    Raises
    ------
    ExportError
        If the candidate is no network, or its instance failed.
    MissingExtraError
        Without torch.
    """
    if not isinstance(candidate, ConvNet | ModuleCandidate):
        raise ExportError(f"{candidate.label} is no network: only those become torch modules")
    require("torch", extra="torch")
    from surefoot.engines.torch.eager import module_of

    return module_of(candidate, weights_of(training))


def write_program(candidate: Candidate, training: Training, file: Path) -> None:
    """Write a network to a ``.pt2`` file, a program of `torch.export` for any number of examples.

    Raises
    ------
    ExportError
        If the candidate is no `ConvNet`, its instance failed or the file cannot be written.
    MissingExtraError
        Without torch.
    """
    module = torch_module(candidate, training)
    if not isinstance(candidate, ConvNet):
        raise ExportError(
            f"{candidate.label} ({candidate.family}) cannot be written as .pt2: its code is yours; "
            "write its weights as .npz"
        )
    torch = require("torch", extra="torch")
    columns = [math.prod(candidate.input_shape), *([candidate.side] if candidate.side else [])]
    examples = tuple(torch.zeros(2, number) for number in columns)
    rows = torch.export.Dim("examples", min=1)
    shapes = tuple({0: rows} for _ in columns)
    program = torch.export.export(module, examples, dynamic_shapes=shapes)
    with replaced(file, ExportError) as part, part.open("wb") as stream:
        torch.export.save(program, stream)


TRAINED = {".npz": write_weights, ".pt2": write_program}
"""How a trained instance is written, by the suffix of the file."""
