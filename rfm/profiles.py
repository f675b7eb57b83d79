"""The package's own kernels; their in-place versions make them fast, not what they are."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from rfm.arguments import real
from rfm.gradients import quadratic_products
from rfm.kernels import InnerProductKernel, RadialKernel, fitted

EXTREMES = 1e-150, 1e150  # of a bandwidth L, so that L² and 1/L² are floating-point numbers


def _length(value: float, name: str) -> float:
    allowed = f"positive, a number from {EXTREMES[0]:g} to {EXTREMES[1]:g}"
    return real(value, name, allowed, *EXTREMES)


@dataclass(frozen=True)
class _Bandwidth(RadialKernel):
    """What the radial kernels share, a bandwidth."""

    bandwidth: float = 2.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", _length(self.bandwidth, "bandwidth"))


@dataclass(frozen=True)
class Gaussian(_Bandwidth):
    """exp(−‖x − x′‖²_M / 2L²), the form of the paper's released code, with L = 2.5 there.

    The paper itself writes exp(−‖x − x′‖²_M / L); :meth:`as_printed` gives that form.

    Attributes:
        bandwidth: L > 0, in units of the distance.

    Raises:
        ValueError: if the bandwidth is not a positive number, or so extreme that L² or 1/L² is not
            a floating-point number.
    """

    @classmethod
    def as_printed(cls, L: float = 2.5) -> Gaussian:
        """exp(−‖x − x′‖²_M / L), the kernel as the paper prints it [B, section 2].

        Raises:
            ValueError: as the class.
        """
        return cls(bandwidth=sqrt(_length(L, "L") / 2))

    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u / (2 * self.bandwidth**2))

    def value_(self, u: Tensor) -> Tensor:
        return u.mul_(-0.5 / self.bandwidth**2).exp_()

    def weight_(self, u: Tensor) -> Tensor:
        return self.value_(u).mul_(self.bandwidth**-2)


@dataclass(frozen=True)
class Laplace(_Bandwidth):
    """exp(−‖x − x′‖_M / L), the kernel of the first RFMs.

    It has a tip at x = x′, where its gradient is taken as zero.

    Attributes:
        bandwidth: L > 0, in units of the distance.

    Raises:
        ValueError: as :class:`Gaussian`.
    """

    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u.sqrt() / self.bandwidth)

    def weight(self, u: Tensor) -> Tensor:
        return self.profile(u) / (self.bandwidth * u.sqrt())

    def value_(self, u: Tensor) -> Tensor:
        return u.sqrt_().div_(-self.bandwidth).exp_()


@dataclass(frozen=True)
class Matern(_Bandwidth):
    """The Matérn kernel of smoothness ν = 3/2 or 5/2, in the distance z = √(2ν) ‖x − x′‖_M / L.

    (1 + z) e^{−z} for 3/2 and (1 + z + z²/3) e^{−z} for 5/2; 1/2 would be :class:`Laplace`.

    Attributes:
        bandwidth: L > 0, in units of the distance.
        smoothness: ν.

    Raises:
        ValueError: as :class:`Gaussian`, or for another smoothness.
    """

    smoothness: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "smoothness", real(self.smoothness, "smoothness", "1.5 or 2.5", 0))
        if self.smoothness not in (1.5, 2.5):
            raise ValueError(f"smoothness must be 1.5 or 2.5, not {self.smoothness}")

    def profile(self, u: Tensor) -> Tensor:
        z = self._distance(u)
        square = z * z / 3 if self.smoothness == 2.5 else 0
        return (1 + z + square) * torch.exp(-z)

    def weight(self, u: Tensor) -> Tensor:
        z = self._distance(u)
        rest = (1 + z) / 3 if self.smoothness == 2.5 else 1
        return 2 * self.smoothness / self.bandwidth**2 * rest * torch.exp(-z)

    def _distance(self, u: Tensor) -> Tensor:
        return (2 * self.smoothness * u).sqrt() / self.bandwidth


@dataclass(frozen=True)
class Quadratic(InnerProductKernel):
    """(xᵀMx′)² [B, section 2].

    The released code has 3(xᵀMx′)²; a constant factor has no effect at ridge 0.
    """

    def profile(self, u: Tensor) -> Tensor:
        return u * u

    def value_(self, u: Tensor) -> Tensor:
        return u.square_()

    def weight_(self, u: Tensor) -> Tensor:
        return u.mul_(2)

    def gradient_products(self, x: Tensor, α: Tensor, M: Tensor, centred: bool) -> Tensor:
        return quadratic_products(*fitted(x, α, M, centred), centred)
