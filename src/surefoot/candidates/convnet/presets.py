"""The paper's named networks (Tables 1–3 and Appendix 6.1, layer summaries from its talk slides).

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
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from surefoot.candidates.convnet.layers import Conv, Pool
from surefoot.candidates.convnet.network import ConvNet
from surefoot.errors import CandidateError, nearest

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


def preset(name: str, **changes: Any) -> ConvNet:
    """Return one of the paper's networks, with fields changed if wished.

    >>> preset("model_1").number_of_parameters
    23923
    >>> preset("model_1", learning_rate=1e-3).learning_rate
    0.001

    Raises
    ------
    CandidateError
        If the name is unknown.
    """
    if name not in _PRESETS:
        raise CandidateError(f"preset {name!r} is unknown: {nearest(name, PRESETS)}")
    return replace(_PRESETS[name], **({"objective": "root"} | changes))
