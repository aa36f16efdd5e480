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

    def __init__(self, channels: int = 3, outputs: int = 1, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3)
        self.norm = nn.BatchNorm2d(channels, momentum=momentum)
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


class Partly(Dense):
    """Trains only its last layer and has one that it never uses; its inputs are scaled by luck."""

    def __init__(self) -> None:
        super().__init__()
        self.layers[0].requires_grad_(False)
        self.unused = nn.Linear(3, 2)
        self.register_buffer("scale", 1.0 + torch.rand(()))
        self.register_buffer("shift", torch.rand(225), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features * self.scale + self.shift)


class Choosy(Dense):
    """Lets the data decide which way they go."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features if features.sum() > 0 else -features)


class Lucky(Dense):
    """Keeps random numbers where torch does not look for them."""

    def __init__(self) -> None:
        super().__init__()
        self.scales = [torch.rand(())]

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features * (1.0 + self.scales[0]))


class Recurrent(nn.Module):
    """Reads an image row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.reader, self.head = nn.LSTM(15, 3, batch_first=True), nn.Linear(3, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.reader(features[:, 0])[0][:, -1])


class Attentive(nn.Module):
    """Layer normalisation and attention over the rows of an image, then pooled; [n]."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.head = nn.LayerNorm(15), nn.Linear(15, 1)
        self.attention = nn.MultiheadAttention(15, 3, batch_first=True)

    def forward(self, features: Tensor) -> Tensor:
        x = self.norm(features[:, 0])
        return self.head(self.attention(x, x, x)[0].mean(1)).squeeze(1)


def dense(width: int = 8, **others: float) -> nn.Module:
    return Dense(width, **others)


def unmarked(width: int = 8):
    return Dense(width)


def liar() -> nn.Module:
    return 3  # type: ignore[return-value]


def log_cosh(prediction: Tensor, target: Tensor, scale: float = 1.0) -> Tensor:
    return torch.log(torch.cosh((prediction - target) / scale)).mean()
