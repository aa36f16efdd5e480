"""Torch modules, factories and losses for the tests of torch candidates: importable by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dense(nn.Module):
    """One hidden layer over flat features, with torch's own dropout."""

    def __init__(self, width: int = 8, dropout: float = 0.0, inputs: int = 225, outputs: int = 1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, outputs)
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


class WithSide(nn.Module):
    """Images through a convolution, side features beside them; predictions [n]."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 5, stride=3)
        self.head = nn.Linear(channels * 16 + 1, 1)

    def forward(self, features: Tensor, side: Tensor) -> Tensor:
        maps = torch.relu(self.conv(features)).flatten(1)
        return self.head(torch.cat([maps, side], dim=1)).squeeze(1)


class Normed(nn.Module):
    """A convolution, batch normalisation and a head."""

    def __init__(self, channels: int = 3, outputs: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3)
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, outputs)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(torch.relu(self.norm(self.conv(features))).mean(dim=(2, 3)))


class Moody(Dense):
    """Raises in the third training step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def forward(self, features: Tensor) -> Tensor:
        self.steps += self.training
        if self.steps == 3:
            raise ArithmeticError("no descent today")
        return super().forward(features)


def dense(width: int = 8, **others: float) -> nn.Module:
    return Dense(width, **others)


def unmarked(width: int = 8):
    return Dense(width)


def liar() -> nn.Module:
    return 3  # type: ignore[return-value]


def log_cosh(prediction: Tensor, target: Tensor, scale: float = 1.0) -> Tensor:
    return torch.log(torch.cosh((prediction - target) / scale)).mean()
