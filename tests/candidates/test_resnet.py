"""The residual network: parameters, shapes and what its blocks compute."""

import pytest
import torch

from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.resnet import Block, ResNet


def test_at_width_64_it_has_the_papers_eleven_million_parameters() -> None:
    assert ModuleCandidate(ResNet).number_of_parameters == 11_168_193


@pytest.mark.parametrize(("blocks", "cells"), [((1,), 15), ((1, 1), 8), ((2, 2, 2, 2), 2)])
def test_stages_halve_the_image_and_double_the_channels(blocks, cells: int) -> None:
    net = ResNet(4, blocks, channels=2, outputs=3).eval()
    maps = net.stages(net.stem(torch.zeros(5, 2, 15, 15)))
    assert maps.shape == (5, 4 << (len(blocks) - 1), cells, cells)
    assert net(torch.zeros(5, 2, 15, 15)).shape == (5, 3)


def test_a_block_whose_residual_is_zero_is_the_positive_part() -> None:
    block = Block(3, 3, 1).eval()
    torch.nn.init.zeros_(block.norm2.weight)
    x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(block(x), torch.relu(x))


def test_a_block_by_its_formula() -> None:
    block = Block(2, 4, 2).eval()
    x = torch.randn(3, 2, 7, 7, generator=torch.Generator().manual_seed(2))
    functional = torch.nn.functional
    scale = (1 + 1e-5) ** -0.5
    inner = torch.relu(functional.conv2d(x, block.conv1.weight, stride=2, padding=1) * scale)
    residual = functional.conv2d(inner, block.conv2.weight, padding=1) * scale
    assert isinstance(block.shortcut, torch.nn.Sequential)
    short = functional.conv2d(x, block.shortcut[0].weight, stride=2) * scale
    torch.testing.assert_close(block(x), torch.relu(short + residual))
