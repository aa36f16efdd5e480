"""A residual network for small images: the paper's preliminary model (§3.3), as a torch module.

ResNet-18 (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016)
without the strided stem, which would leave nothing of 15×15 cells: a 3×3 convolution, four stages
of two basic blocks, the last three of which halve the image, the mean over cells and a fully
connected layer. 11.2 million parameters at ``width`` 64.

>>> from surefoot.candidates.module.candidate import ModuleCandidate
>>> net = ModuleCandidate(ResNet, {"width": 8}, input_shape=(1, 15, 15), initialization="he")
>>> net.number_of_parameters
175673
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class Block(nn.Module):
    """A basic block: x ↦ relu(x' + conv(relu(conv(x)))), each convolution normalised.

    x' is x, or a normalised 1×1 convolution of it where the shape changes.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [n, inputs, rows, columns] to [n, outputs, rows / stride, columns / stride]."""
        residual = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.shortcut(x) + self.norm2(self.conv2(residual)))


class ResNet(nn.Module):
    """A residual network of basic blocks.

    Parameters
    ----------
    width
        Channels of the first stage; each further stage doubles them.
    blocks
        Number of blocks of each stage.
    channels, outputs
        Channels of the images and number of outputs.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: Sequence[int] = (2, 2, 2, 2),
        channels: int = 1,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        stages, inputs = [], width
        for stage, number in enumerate(blocks):
            for block in range(number):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(Block(inputs, width << stage, stride))
                inputs = width << stage
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(inputs, outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map images [n, channels, rows, columns] to predictions [n, outputs]."""
        maps = self.stages(self.stem(features))
        prediction: torch.Tensor = self.head(maps.mean(dim=(2, 3)))
        return prediction
