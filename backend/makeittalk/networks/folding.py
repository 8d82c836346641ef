"""Makes a trained network cheap to run: norms folded into convolutions, numbers that the device is fast with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

#: What a CPU reports when it multiplies bfloat16 itself; others emulate it, more slowly than float32.
_NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16")


def fold_norms(module: nn.Module) -> nn.Module:
    """A module in eval mode with every norm that follows a convolution in a Sequential folded into it.

    The module is changed; use what is returned.
    """
    for name, child in list(module.named_children()):
        setattr(module, name, fold_norms(child))
    if not isinstance(module, nn.Sequential):
        return module
    layers: list[nn.Module] = []
    for layer in module:
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(before, layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def fast_dtype(device: str) -> torch.dtype:
    """What convolutions run fastest in: half precision on a GPU, bfloat16 on a CPU that has it, else float32."""
    if device != "cpu":
        return torch.float16
    ask: Callable[[], Mapping[str, object]] = getattr(torch.cpu, "get_capabilities", dict)
    able = ask()
    return torch.bfloat16 if any(able.get(name) for name in _NATIVE_BFLOAT16) else torch.float32
