"""Adam with a warm-up and a cosine decay, for a few small tensors.

``torch.optim`` is not used because its first use imports torch's compiler, which takes longer than the fit of a short
clip.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 0.15
DECAY_OF_MEAN, DECAY_OF_SQUARE, TINY = 0.9, 0.999, 1e-8


def minimise(
    loss: Callable[[Sequence[Tensor], int], Tensor], start: Sequence[Tensor], steps: int, rate: float
) -> list[Tensor]:
    """The values after some optimisation steps (Kingma and Ba, https://arxiv.org/abs/1412.6980).

    Args:
        loss: function of the values and the step number.
        start: float tensors; they are not changed.
        rate: the largest step length.
    """
    values = [tensor.detach().clone().requires_grad_() for tensor in start]
    means, squares = [torch.zeros_like(v) for v in values], [torch.zeros_like(v) for v in values]
    for step in range(steps):
        slopes = torch.autograd.grad(loss(values, step), values)
        length = rate * _share_of_rate(step, steps) / (1 - DECAY_OF_MEAN ** (step + 1))
        with torch.no_grad():
            for value, slope, mean, square in zip(values, slopes, means, squares, strict=True):
                mean.lerp_(slope, 1 - DECAY_OF_MEAN)
                square.mul_(DECAY_OF_SQUARE).addcmul_(slope, slope, value=1 - DECAY_OF_SQUARE)
                size = (square / (1 - DECAY_OF_SQUARE ** (step + 1))).sqrt_().add_(TINY)
                value.addcdiv_(mean, size, value=-length)
    return [value.detach() for value in values]


def _share_of_rate(step: int, steps: int) -> float:
    """Rises from 0.04 to 1 over the warm-up, then falls to 0."""
    done, top = step / max(1, steps - 1), WARM_UP
    if done < top:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * done / top))
    return 0.5 * (1 + math.cos(math.pi * (done - top) / (1 - top)))
