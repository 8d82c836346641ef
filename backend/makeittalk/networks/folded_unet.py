"""A UNet that works below a picture's resolution: a square of pixels is channels of one (space to depth)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class FoldedUNet(nn.Module):
    """Levels of convolutions with residual blocks, each at half the one before; a narrow way up with skips.

    It begins by answering 0.
    """

    def __init__(
        self, inputs: int, outputs: int, fold: int, widths: Sequence[int], blocks: int, first: int = 3
    ) -> None:
        """
        Args:
            inputs: channels of the folded picture. outputs: channels of the answer, unfolded. fold: side of the square.
            widths: channels of each level. blocks: residual blocks of a level on the way down.
            first: side of the first convolution's kernel.
        """
        super().__init__()
        self.fold, self.levels = fold, len(widths)
        self.stem = nn.Sequential(*_convolution(inputs, widths[0], size=first), *_blocks(widths[0], blocks))
        self.down = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, stride=2), *_blocks(after, blocks))
            for before, after in itertools.pairwise(widths)
        )
        self.narrow = nn.ModuleList(
            nn.Sequential(*_convolution(below, above))
            for above, below in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.join = nn.ModuleList(nn.Sequential(*_convolution(2 * width, width)) for width in widths[-2::-1])
        self.out = nn.Conv2d(widths[0], outputs * fold**2, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    @property
    def step(self) -> int:
        """Sides of its pictures are multiples of this many pixels."""
        return int(self.fold * 2 ** (self.levels - 1))

    def answer(self, folded: Tensor) -> Tensor:
        """What it says of a folded picture (B, inputs, h, w): (B, outputs, fold · h, fold · w), unbounded."""
        return functional.pixel_shuffle(self.folded_answer(folded), self.fold)

    def folded_answer(self, folded: Tensor) -> Tensor:
        """`answer` before it is unfolded, (B, outputs · fold², h, w)."""
        levels = [self.stem(folded)]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = levels.pop()
        for narrow, join in zip(self.narrow, self.join, strict=True):
            y = functional.interpolate(narrow(y), scale_factor=2.0, mode="nearest")
            y = join(torch.cat([y, levels.pop()], dim=1))
        answer: Tensor = self.out(y)
        return answer


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def _convolution(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _blocks(width: int, count: int) -> list[nn.Module]:
    return [_Residual(width) for _ in range(count)]
