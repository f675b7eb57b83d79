"""Kernels on one-hot pairs under a metric M, and the weights their gradients need.

Two families cover the usual ones. A radial kernel is φ(‖x − x′‖²_M), an inner-product kernel is
ψ(xᵀMx′). A new kernel is a subclass with two methods of a line each; both work in place, because
at the sizes of interest a spare matrix costs as much as the factorisation saves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from rfm.gradients import grouped_products, quadratic_products

BLOCK = 2**18  # kernel values worked on at a time, so that all passes over them stay in the cache


def columns(y: Tensor, M: Tensor) -> Tensor:
    """M times the codes of the pairs ``y`` (N′, 2), shape (2n, N′)."""
    n = M.shape[0] // 2
    return (M[y[:, 0]] + M[n + y[:, 1]]).T.contiguous()


def sum_rows(x: Tensor, table: Tensor, out: Tensor | None = None) -> Tensor:
    """The codes of the pairs ``x`` (N, 2) times a ``table`` (2n, N′): its rows a and n+b, added."""
    out = torch.index_select(table, 0, x[:, 0], out=out)
    return out.add_(table.index_select(0, table.shape[0] // 2 + x[:, 1]))


def inner_products(x: Tensor, y: Tensor, M: Tensor) -> Tensor:
    """xᵀMx′ for one-hot pairs without a matrix product.

    xᵀMx′ = M[a, a′] + M[a, n+b′] + M[n+b, a′] + M[n+b, n+b′].

    Args:
        x: (N, 2) int64 positions (a, b), on the device of ``M``.
        y: (N′, 2) int64 positions (a′, b′).
        M: (2n, 2n), symmetric.

    Returns:
        (N, N′), dtype of ``M``.
    """
    return sum_rows(x, columns(y, M))


def squared_norms(x: Tensor, M: Tensor) -> Tensor:
    """xᵀMx for one-hot pairs ``x`` (N, 2); returns (N,)."""
    a, b = x[:, 0], M.shape[0] // 2 + x[:, 1]
    return M[a, a] + M[b, b] + 2 * M[a, b]


class Kernel(ABC):
    """k_M(x, x′) on one-hot pairs: a function of one number u for each pair of samples.

    The gradient of a kernel machine f = Σ_i α_i k_M(·, x_i) at x is M Σ_i α_i w_i (x_i − x) for a
    radial and M Σ_i α_i w_i x_i for an inner-product kernel, w_i given by :meth:`weights`.
    """

    translation_invariant: bool

    @abstractmethod
    def value_(self, u: Tensor) -> Tensor:
        """Kernel values, in place: φ(u) or ψ(u)."""

    @abstractmethod
    def weight_(self, u: Tensor) -> Tensor:
        """Gradient weights, in place: −2φ′(u) or ψ′(u)."""

    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        """Kernel values (N, N′) for pairs ``x`` (N, 2) and ``y`` (N′, 2), written to ``out``."""
        return self._apply(self.value_, x, y, M, out)

    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        """Gradient weights w (N, N′) for pairs ``x`` (N, 2) and ``y`` (N′, 2)."""
        return self._apply(self.weight_, x, y, M, None)

    def gradient_products(self, x: Tensor, α: Tensor, M: Tensor, centred: bool) -> Tensor:
        """Σ_{j,c} (h_jc − h̄_c)(h_jc − h̄_c)ᵀ, (2n, 2n), for gradients g_jc = M h_jc of a fit.

        Args:
            x: (N, 2) training pairs.
            α: (N, n) coefficients.
            M: (2n, 2n).
            centred: whether the mean h̄_c over the samples is subtracted; zero stands for it if not.
        """
        return grouped_products(
            lambda some: self.weights(x, some, M), self.translation_invariant, x, α, centred
        )

    def _apply(
        self,
        function_: Callable[[Tensor], Tensor],
        x: Tensor,
        y: Tensor,
        M: Tensor,
        out: Tensor | None,
    ) -> Tensor:
        """A function of every u, a few rows at a time."""
        out = M.new_empty(len(x), len(y)) if out is None else out
        table = self._table(y, M)
        rows = max(1, BLOCK // max(1, len(y)))
        for some, block in zip(x.split(rows), out.split(rows), strict=True):
            function_(self._finish_(sum_rows(some, table, block), some, M))
        return out

    @abstractmethod
    def _table(self, y: Tensor, M: Tensor) -> Tensor:
        """(2n, N′): what the rows a and n+b must hold for u, up to what :meth:`_finish_` adds."""

    @abstractmethod
    def _finish_(self, sums: Tensor, x: Tensor, M: Tensor) -> Tensor:
        """The u of ``x`` (N, 2) from the sums of table rows (N, N′), in place."""


class RadialKernel(Kernel):
    """φ(u) of the squared distance u = ‖x − x′‖²_M = xᵀMx + x′ᵀMx′ − 2xᵀMx′.

    A subclass gives φ(u) as ``value_`` and −2φ′(u) as ``weight_``, both in place.
    """

    translation_invariant = True

    def _table(self, y: Tensor, M: Tensor) -> Tensor:
        table = columns(y, M).mul_(-2)
        table[: M.shape[0] // 2] += squared_norms(y, M)  # each x has exactly one first operand
        return table

    def _finish_(self, sums: Tensor, x: Tensor, M: Tensor) -> Tensor:
        return sums.add_(squared_norms(x, M)[:, None]).clamp_(min=0)


class InnerProductKernel(Kernel):
    """ψ(u) of the inner product u = xᵀMx′.

    A subclass gives ψ(u) as ``value_`` and ψ′(u) as ``weight_``, both in place.
    """

    translation_invariant = False

    def _table(self, y: Tensor, M: Tensor) -> Tensor:
        return columns(y, M)

    def _finish_(self, sums: Tensor, x: Tensor, M: Tensor) -> Tensor:
        return sums


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
        return u.mul_(-0.5 / self.bandwidth**2).exp_()

    def weight_(self, u: Tensor) -> Tensor:
        return self.value_(u).mul_(self.bandwidth**-2)


@dataclass(frozen=True)
class Quadratic(InnerProductKernel):
    """(xᵀMx′)² [B, section 2].

    The released code has 3(xᵀMx′)²; a constant factor has no effect at ridge 0.
    """

    def value_(self, t: Tensor) -> Tensor:
        return t.square_()

    def weight_(self, t: Tensor) -> Tensor:
        return t.mul_(2)

    def gradient_products(self, x: Tensor, α: Tensor, M: Tensor, centred: bool) -> Tensor:
        return quadratic_products(x, α, M, centred)
