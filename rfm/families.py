"""Kernels for a study of kernels: powers with a bias, and radial ones in units of their metric.

Both are for comparisons. :class:`Polynomial` holds what a bandwidth can mean for a kernel of inner
products, and :class:`Normalised` takes the size of the metric away from a radial kernel, so that
its bandwidth alone says how far it sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.optimize import brentq
from torch import Tensor

from rfm.arguments import instance, integer, real
from rfm.kernels import InnerProductKernel, RadialKernel

FARTHEST = 6  # the powers of ten that are tried as bandwidths, and those of one over them
MEAN = 4.0  # the mean squared distance of two samples drawn at random, under M with trace 2n


@dataclass(frozen=True)
class Polynomial(InnerProductKernel):
    """(xᵀMx′ + b)^m; with m = 2 and b = 0 it is :class:`rfm.Quadratic`.

    A bandwidth L, (xᵀMx′/L² + 1)^m, is a bias b = L², up to a factor that has no effect at ridge 0.
    Without a bias there is no bandwidth: (xᵀMx′/L²)^m differs from (xᵀMx′)^m by a factor alone.

    Attributes:
        degree: m ≥ 1.
        bias: b ≥ 0, for which the kernel is positive semi-definite.

    Raises:
        ValueError: if the degree is no integer from 1 on, or the bias no finite number from 0 on.
    """

    degree: int = 2
    bias: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "degree", integer(self.degree, "degree", 1))
        bias = real(self.bias, "bias", "a finite number from 0 on", 0)
        object.__setattr__(self, "bias", bias)

    def profile(self, u: Tensor) -> Tensor:
        return (u + self.bias) ** self.degree

    def weight(self, u: Tensor) -> Tensor:
        return self.degree * (u + self.bias) ** (self.degree - 1)


@dataclass(frozen=True)
class Normalised(RadialKernel):
    """A radial kernel that sees the metric M as M · 2n / tr M, so that its size has no effect.

    The size of the identity, at which every run begins by default. Two samples drawn at random then
    have a mean squared distance of 4, if the rows of each block of M sum to zero, as they do from
    the first iteration on. The gradients that the AGOP is made of differ by a factor from those of
    the kernel under the scaled metric, so M goes through the same directions as in a recursion that
    scales M in every iteration; its own size means nothing, and a rule to stop should look at its
    direction, :func:`rfm.direction_converged`.

    Attributes:
        kernel: the kernel that is normalised.

    Raises:
        ValueError: if that is no radial kernel.
    """

    kernel: RadialKernel

    def __post_init__(self) -> None:
        instance(self.kernel, RadialKernel, "kernel")

    def profile(self, u: Tensor) -> Tensor:
        return self.kernel.profile(u)

    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        return self.kernel.gram(x, y, _scaled(M), out=out)

    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        return self.kernel.weights(x, y, _scaled(M))


def _scaled(M: Tensor) -> Tensor:
    return M * (len(M) / M.trace())


def size(M: Tensor) -> float:
    """tr M / 2n, the mean eigenvalue of a metric (2n, 2n): 1 for the identity."""
    return float(M.trace()) / len(M)


def bandwidth_for(make: Callable[[float], RadialKernel], value: float) -> float:
    """The bandwidth at which a kernel has a given value at the mean squared distance 4.

    Under it kernels of several families agree in how alike two samples are on average, as far as
    :class:`Normalised` fixes the distance. Rounded to four digits after the point.

    Args:
        make: the kernel of a bandwidth, such as :class:`rfm.Gaussian`.
        value: between 0 and 1, both left out.

    Raises:
        ValueError: for another value, or one that no bandwidth from 1e-6 to 1e6 gives.
    """
    value = real(value, "value", "a number between 0 and 1", 0, 1)
    far = torch.tensor([[MEAN]], dtype=torch.float64)

    def excess(scale: float) -> float:
        return float(make(10.0**scale).profile(far.clone())) - value

    if not excess(-FARTHEST) < 0 < excess(FARTHEST):
        raise ValueError(f"no bandwidth gives the value {value} at the mean distance")
    return round(10.0 ** brentq(excess, -FARTHEST, FARTHEST), 4)
