"""Convolutional networks in short: by flat fields, as study files write them, or by a name.

A network's convolutions are one list of channels, empty for fully connected layers alone; kernel,
padding, bias and pooling are given once for all of them or as a list with one entry per
convolution. Pooling is a word: ``max2`` (size 2, stride 2), ``max2s1`` (size 2, stride 1),
``average3``, ``none``.

The paper's networks have names (Tables 1–3 and Appendix 6.1, layer summaries from its talk slides).
All train the root of a batch's mean loss, as the paper does (§3.2).

===========  ==================================================  ===================  ============
preset       after two 3×3 convolutions without bias             optimiser            parameters
===========  ==================================================  ===================  ============
model_1      energy: FC 576→9→1                                  NAdam 1e-4           23,923
model_2      energy + sum of deposits: FC 577→9→1                AdamW 1e-3           23,932
model_3      position: FC 64→64→9→1, PReLU                       AdamW 1e-4           23,644
model_4      position + barycentre: FC 64→64, 66→9→1, PReLU      AdamW 1e-4           23,662
nas_1        energy + sum: FC 16→32, 33→9→1                      AdamW 1e-3            5,756
nas_2        energy + sum: FC 16→128→64, 65→9→1                  AdamW 1e-2           15,932
===========  ==================================================  ===================  ============

``resnet`` is the paper's preliminary model (§3.3) as a `ModuleCandidate` of `surefoot.ResNet`:
11.2 million parameters, batch 32, rate 0.01, L2 0.01. Its optimiser is not told; Adam is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, overload

from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.space import SearchSpace
from surefoot.checks import known
from surefoot.errors import CandidateError

_POOL = re.compile(r"(max|average)(\d+)(?:s(\d+))?")

LISTS = ("channels", "hidden")
"""Fields whose one value is a list of numbers."""

_FIRST = Conv(32, kernel=3, bias=False, pool=Pool("max", 2))


def _second(channels: int, pool: Pool) -> Conv:
    return Conv(channels, kernel=3, bias=False, pool=pool)


_WIDE = (_FIRST, _second(64, Pool("max", 2, stride=1)))
_DEEP = (_FIRST, _second(64, Pool("max", 4)))
_NAS = (_FIRST, _second(16, Pool("max", 4)))

_PRESETS = {
    "model_1": ConvNet(
        _WIDE, (9,), optimizer="nadam", learning_rate=1e-4, batch_size=64, decay=0.01
    ),
    "model_2": ConvNet(
        _WIDE, (9,), side=1, side_layer=0, optimizer="adamw", learning_rate=1e-3, decay=0.1
    ),
    "model_3": ConvNet(_DEEP, (64, 9), "prelu", optimizer="adamw", learning_rate=1e-4, decay=0.1),
    "model_4": ConvNet(
        _DEEP, (64, 9), "prelu", side=2, optimizer="adamw", learning_rate=1e-4, decay=0.1
    ),
    "nas_1": ConvNet(_NAS, (32, 9), side=1, optimizer="adamw", learning_rate=1e-3, decay=0.001),
    "nas_2": ConvNet(
        _NAS, (128, 64, 9), side=1, side_layer=2, optimizer="adamw", learning_rate=1e-2, decay=0.01
    ),
}

PRESETS: tuple[str, ...] = tuple(_PRESETS)
RESNET: Literal["resnet"] = "resnet"
NAMED = (*PRESETS, RESNET)
"""What `preset` knows: the paper's small networks, and its residual one."""
_RESIDUAL: dict[str, Any] = {
    "factory": "surefoot.ResNet",
    "initialization": "he",
    "input_shape": (1, 15, 15),
    "learning_rate": 0.01,
    "decay": 0.01,
    "objective": "root",
}


def convnet(
    channels: Sequence[int],
    hidden: Sequence[int] = (),
    *,
    kernel: int | Sequence[int] = 3,
    padding: str | Sequence[str] = "valid",
    conv_bias: bool | Sequence[bool] = True,
    pool: str | Sequence[str] = "none",
    **fields: Any,
) -> ConvNet:
    """Return the `ConvNet` that the short notation describes.

    Parameters
    ----------
    channels
        Output channels of each convolution; their number is the number of convolutions. None for
        fully connected layers alone, on any number of features (``input_shape=[10]``).
    hidden
        Units of the hidden fully connected layers.
    kernel, padding, conv_bias, pool
        One value for all convolutions, or one per convolution; ``pool`` as in the module.
    fields
        Any other field of `ConvNet`: ``activation``, ``optimizer``, ``learning_rate``, …

    Raises
    ------
    CandidateError
        If a list has another length than ``channels``, a word is not a pooling, or the network
        is impossible.

    >>> convnet([32, 64], [9], conv_bias=False, pool=["max2", "max2s1"]).number_of_parameters
    23923
    >>> convnet([], [32, 32], input_shape=[10], scale=True).label
    'fc32-32-1 scaled relu adam lr 0.001 batch 32'
    """
    n = len(channels)
    kernels = _per_convolution("kernel", kernel, n)
    paddings = _per_convolution("padding", padding, n)
    biases = _per_convolution("conv_bias", conv_bias, n)
    pools = _per_convolution("pool", pool, n)
    convolutions = tuple(
        Conv(c, kernel=k, padding=p, bias=b, pool=parse_pool(word))
        for c, k, p, b, word in zip(channels, kernels, paddings, biases, pools, strict=True)
    )
    return ConvNet(convolutions, tuple(hidden), **fields)


def parse_pool(word: str) -> Pool | None:
    """Return the pooling that a word means, None for ``none``.

    >>> parse_pool("max2s1")
    Pool(kind='max', size=2, stride=1)

    Raises `CandidateError` if the word is not a pooling.
    """
    if word == "none":
        return None
    match = _POOL.fullmatch(word)
    if match is None:
        raise CandidateError(
            f"pool = {word!r} is not a pooling: write 'max2', 'max2s1' (stride 1), 'average3' "
            "or 'none'"
        )
    kind, size, stride = match.groups()
    return Pool("max" if kind == "max" else "average", int(size), int(stride) if stride else None)


@overload
def preset(name: Literal["resnet"], **changes: Any) -> ModuleCandidate: ...
@overload
def preset(name: str, **changes: Any) -> ConvNet: ...
def preset(name: str, **changes: Any) -> ConvNet | ModuleCandidate:
    """Return one of the paper's networks, with fields changed if wished.

    >>> preset("model_1").number_of_parameters
    23923
    >>> preset("model_1", learning_rate=1e-3).learning_rate
    0.001

    Raises `CandidateError` if the name is unknown.
    """
    known("preset", name, NAMED, error=CandidateError)
    if name == RESNET:
        return ModuleCandidate(**(_RESIDUAL | changes))
    return replace(_PRESETS[name], **({"objective": "root"} | changes))


def choices_of(name: str, value: Any) -> list[Any]:
    """Return the choices that the value of a field offers.

    A list is a list of choices, except that one list of numbers is one value of ``channels`` and
    of ``hidden``; anything else is the only choice.

    >>> choices_of("kernel", [3, 5]), choices_of("channels", [8, 16])
    ([3, 5], [[8, 16]])
    """
    if not isinstance(value, list):
        return [value]
    if name in LISTS and not any(isinstance(entry, list) for entry in value):
        return [value]
    return value


def convnet_space(fields: Mapping[str, Any]) -> SearchSpace:
    """Return the space of all combinations of the choices that ``fields`` offer `convnet`.

    With a field ``preset`` (a name or a list of names of `surefoot.preset`) the other fields change
    fields of these networks instead.

    >>> len(convnet_space({"channels": [[8], [16]], "learning_rate": [1e-3, 1e-2], "pool": "max2"}))
    4
    """
    choices = {name: choices_of(name, value) for name, value in fields.items()}
    if "preset" in choices:
        return SearchSpace.product(
            lambda **arguments: preset(arguments.pop("preset"), **arguments), **choices
        )
    if "channels" not in choices:
        raise CandidateError("a space of networks needs 'channels', such as [[8, 16], [16, 32]]")
    return SearchSpace.product(convnet, **choices)


def _per_convolution(name: str, value: Any, n: int) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [value] * n
    if len(value) != n:
        raise CandidateError(
            f"{name} = {list(value)} has {len(value)} entries for {n} convolutions: give one per "
            "convolution, or one value for all"
        )
    return value
