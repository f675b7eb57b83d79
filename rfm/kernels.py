"""Kernels on one-hot pairs under a metric M, and the weights their gradients need.

Two families cover the usual ones. A radial kernel is φ(‖x − x′‖²_M), an inner-product kernel is
ψ(xᵀMx′). A new kernel is a subclass with two methods of a line each; both work in place, because
at the sizes of interest a spare matrix costs as much as the factorisation saves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor


def inner_products(x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
    """xᵀMx′ for one-hot pairs without a matrix product.

    xᵀMx′ = M[a, a′] + M[a, n+b′] + M[n+b, a′] + M[n+b, n+b′].

    Args:
        x: (N, 2) int64 positions (a, b), on the device of ``M``.
        y: (N′, 2) int64 positions (a′, b′).
        M: (2n, 2n), symmetric.
        out: optional (N, N′) tensor to write to.

    Returns:
        (N, N′), dtype of ``M``.
    """
    n = M.shape[0] // 2
    columns = (M[y[:, 0]] + M[n + y[:, 1]]).T.contiguous()  # (2n, N′)
    out = torch.index_select(columns, 0, x[:, 0], out=out)
    return out.add_(columns.index_select(0, n + x[:, 1]))


def squared_norms(x: Tensor, M: Tensor) -> Tensor:
    """xᵀMx for one-hot pairs ``x`` (N, 2); returns (N,)."""
    a, b = x[:, 0], M.shape[0] // 2 + x[:, 1]
    return M[a, a] + M[b, b] + 2 * M[a, b]


class Kernel(ABC):
    """k_M(x, x′) on one-hot pairs.

    The gradient of a kernel machine f = Σ_i α_i k_M(·, x_i) at x is M Σ_i α_i w_i (x_i − x) for a
    radial and M Σ_i α_i w_i x_i for an inner-product kernel, w_i given by :meth:`weights`.
    """

    translation_invariant: bool

    @abstractmethod
    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        """Kernel values (N, N′) for pairs ``x`` (N, 2) and ``y`` (N′, 2)."""

    @abstractmethod
    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        """Gradient weights w (N, N′): −2φ′(‖x − x′‖²_M), or ψ′(xᵀMx′)."""


class RadialKernel(Kernel):
    """φ(u) of the squared distance u = ‖x − x′‖²_M."""

    translation_invariant = True

    @abstractmethod
    def value_(self, u: Tensor) -> Tensor:
        """φ(u), in place."""

    @abstractmethod
    def weight_(self, u: Tensor) -> Tensor:
        """−2φ′(u), in place."""

    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        return self.value_(self._squared_distances(x, y, M, out))

    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        return self.weight_(self._squared_distances(x, y, M, None))

    @staticmethod
    def _squared_distances(x: Tensor, y: Tensor, M: Tensor, out: Tensor | None) -> Tensor:
        t = inner_products(x, y, M, out)
        norms = squared_norms(x, M)[:, None] + squared_norms(y, M)
        return torch.sub(norms, t, alpha=2, out=t).clamp_(min=0)


class InnerProductKernel(Kernel):
    """ψ(t) of the inner product t = xᵀMx′."""

    translation_invariant = False

    @abstractmethod
    def value_(self, t: Tensor) -> Tensor:
        """ψ(t), in place."""

    @abstractmethod
    def weight_(self, t: Tensor) -> Tensor:
        """ψ′(t), in place."""

    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        return self.value_(inner_products(x, y, M, out))

    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        return self.weight_(inner_products(x, y, M))


@dataclass(frozen=True)
class Gaussian(RadialKernel):
    """exp(−‖x − x′‖²_M / 2L²), the form of the paper's released code, with L = 2.5 there.

    The paper itself writes exp(−‖x − x′‖²_M / L); :meth:`as_printed` gives that form.

    Attributes:
        bandwidth: L > 0, in units of the distance.
    """

    bandwidth: float = 2.5

    def __post_init__(self) -> None:
        if not self.bandwidth > 0:
            raise ValueError(f"bandwidth must be positive, not {self.bandwidth}")

    @classmethod
    def as_printed(cls, L: float = 2.5) -> Gaussian:
        """exp(−‖x − x′‖²_M / L), the kernel as the paper prints it [B, section 2]."""
        if not L > 0:
            raise ValueError(f"L must be positive, not {L}")
        return cls(bandwidth=sqrt(L / 2))

    def value_(self, u: Tensor) -> Tensor:
        return u.div_(-2 * self.bandwidth**2).exp_()

    def weight_(self, u: Tensor) -> Tensor:
        return self.value_(u).div_(self.bandwidth**2)


@dataclass(frozen=True)
class Quadratic(InnerProductKernel):
    """(xᵀMx′)² [B, section 2].

    The released code has 3(xᵀMx′)²; a constant factor has no effect at ridge 0.
    """

    def value_(self, t: Tensor) -> Tensor:
        return t.square_()

    def weight_(self, t: Tensor) -> Tensor:
        return t.mul_(2)
