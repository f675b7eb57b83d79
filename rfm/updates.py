"""How a recursive feature machine makes its next metric of a fit: the rule as an object.

The rule of the paper is :class:`AGOP`. The others stand beside it because they have been proposed
since, and because they show what of the paper's findings is about the AGOP. Whatever permutes
coordinates and keeps the training set permutes all of them along (equivariance).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from rfm.arguments import flag, real
from rfm.machine import KernelMachine
from rfm.pieces import samples_at_a_time
from rfm.spectral import floor, matrix_power, sound


class Update(ABC):
    """The next metric of a recursive feature machine, a function of the machine fitted last.

    A rule of your own is a subclass with this one method; as a frozen dataclass it prints its
    parameters, which a table then shows.
    """

    @abstractmethod
    def __call__(self, machine: KernelMachine) -> Tensor:
        """The next M, (2n, 2n) symmetric positive semi-definite, dtype and device of the last."""


@dataclass(frozen=True)
class _OfTheAGOP(Update):
    """What rules made of the AGOP share: power and centring."""

    power: float = 0.5
    centred: bool = True

    def __post_init__(self) -> None:
        power = real(self.power, "power", "a positive finite number", 0)
        if not power:
            raise ValueError("power must be a positive finite number, not 0")
        object.__setattr__(self, "power", power)
        object.__setattr__(self, "centred", flag(self.centred, "centred"))


@dataclass(frozen=True)
class AGOP(_OfTheAGOP):
    """M ← AGOP^s [B, section 2], what :func:`rfm.fit` does if nothing else is said.

    Attributes:
        power: s > 0.
        centred: whether mean gradients are subtracted before the AGOP.

    Raises:
        ValueError: for another power, or a ``centred`` that is no bool.
    """

    def __call__(self, machine: KernelMachine) -> Tensor:
        """AGOP^s of the fit, (2n, 2n)."""
        return matrix_power(sound(machine.agop(self.centred), "AGOP"), self.power)


@dataclass(frozen=True)
class Diagonal(_OfTheAGOP):
    """M ← diag(AGOP)^s: coordinates are weighed by how much the fit depends on them, and not mixed.

    Iterative reweighting by derivatives, with the recipe of :class:`AGOP`. On one-hot pairs such a
    metric compares operands for equality only, with a weight for each.

    Attributes:
        power: s > 0.
        centred: whether mean gradients are subtracted before the AGOP.

    Raises:
        ValueError: as :class:`AGOP`.
    """

    def __call__(self, machine: KernelMachine) -> Tensor:
        """The diagonal of the AGOP to the power s, (2n, 2n)."""
        squares = sound(machine.agop(self.centred), "AGOP").diagonal()
        return torch.diag(torch.where(squares > floor(squares), squares, 0.0) ** self.power)


@dataclass(frozen=True)
class FACT(Update):
    """M ← (F M² Fᵀ)^{1/4} or M ← (F Fᵀ)^{1/2}, F the products of loss gradients and inputs.

    A network with weight decay that has converged has WᵀW = F for each of its weight matrices W
    (features at convergence theorem). Both rules have the metrics with M = F as fixed points. The
    first is the geometric mean with the last metric. It is the one to use: without the mean, the
    quadratic kernel turns a scale γ of M into γ⁻², which is off to zero or infinity in a few steps.

    Attributes:
        averaged: whether it is the first rule.

    Raises:
        ValueError: if ``averaged`` is no bool.
    """

    averaged: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "averaged", flag(self.averaged, "averaged"))

    def __call__(self, machine: KernelMachine) -> Tensor:
        """The root of F M² Fᵀ, or of F Fᵀ, (2n, 2n)."""
        F = sound(fact(machine), "FACT")
        U, values, _ = torch.linalg.svd(F @ machine.M if self.averaged else F)
        values = torch.where(values > floor(values), values, 0.0)
        return (U * (values.sqrt() if self.averaged else values)) @ U.mT


def fact(machine: KernelMachine) -> Tensor:
    """F = Σ_{i,c} α_ic ∇f_c(x_i) x_iᵀ over the training set, (2n, 2n), in general not symmetric.

    For the loss ½ Σ_i ‖f(x_i) − y_i‖² / N and the penalty ½ λ/N ‖f‖² a kernel machine has
    f(x_i) − y_i = −λ α_i. So −(1/λ) Σ_i ∇ℓ_i x_iᵀ is this sum, in which λ is gone: there is a limit
    for ridge 0, and no constant to choose. With w_ij the weights of the kernel and
    a_ij = (α_i · α_j) w_ij it is M Σ_ij a_ij x_i x_jᵀ for an inner-product kernel and
    −½ M Σ_ij a_ij (x_i − x_j)(x_i − x_j)ᵀ for a radial one.
    """
    x, α, M, kernel = machine.train, machine.coefficients, machine.M, machine.kernel
    n, (a, b) = len(M) // 2, x.unbind(1)
    weights, total = kernel.slopes(x, M), M.new_zeros(2 * n, 2 * n)
    for j in torch.arange(len(x), device=x.device).split(samples_at_a_time(n, x.device)):
        A = weights(x[j]) * (α @ α[j].T)  # (N, m)
        h = M.new_zeros(2 * n, len(j))  # Σ_i a_ij x_i
        if kernel.translation_invariant:
            own = torch.arange(len(j), device=x.device)
            A[j, own] = 0.0  # times x_j − x_j
            h[a[j], own] -= A.sum(0)
            h[n + b[j], own] -= A.sum(0)
        h.index_add_(0, a, A)
        h.index_add_(0, n + b, A)
        total.index_add_(1, a[j], h)
        total.index_add_(1, n + b[j], h)
    return M @ ((total + total.T) / 2)
