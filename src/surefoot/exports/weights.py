"""A trained instance as a file: its arrays, or a program of torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.errors import ExportError, require
from surefoot.instances import Training
from surefoot.replacing import MARK, replaced


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
    if not training.predictor.weights:
        raise ExportError(
            f"engine {outcome.engine} trains without arrays of weights: there is nothing to export"
        )
    return training.predictor.weights


def write_weights(candidate: Candidate, training: Training, file: Path) -> None:
    """Write the arrays of a trained instance, `weights_of` it, to an ``.npz`` file."""
    weights = weights_of(training)
    with replaced(file, ExportError) as part:
        with part.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **weights)
        with ZipFile(part, "a") as archive:
            archive.comment = MARK.encode()


def write_program(candidate: Candidate, training: Training, file: Path) -> None:
    """Write a network to a ``.pt2`` file, a program of `torch.export` for any number of examples.

    Raises `ExportError` as `weights_of` does, and if the candidate is no `ConvNet`.
    """
    weights = weights_of(training)
    if not isinstance(candidate, ConvNet):
        raise ExportError(
            f"{candidate.label} ({candidate.family}) cannot be written as .pt2: its code is yours; "
            "write its weights as .npz"
        )
    torch = require("torch", extra="torch")
    from surefoot.engines.torch.eager import module_of

    columns = [math.prod(candidate.input_shape), *([candidate.side] if candidate.side else [])]
    examples = tuple(torch.zeros(2, number) for number in columns)
    rows = torch.export.Dim("examples", min=1)
    shapes = tuple({0: rows} for _ in columns)
    module = module_of(candidate, weights)
    program = torch.export.export(module, examples, dynamic_shapes=shapes)
    written = BytesIO()  # on a full disk torch would end the process
    torch.export.save(program, written, extra_files={MARK: candidate.label})
    with replaced(file, ExportError) as part:
        part.write_bytes(written.getvalue())


TRAINED = {".npz": write_weights, ".pt2": write_program}
"""How a trained instance is written, by the suffix of the file."""
