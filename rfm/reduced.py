"""The trap as a recursion on four numbers: exact, and of a cost that does not depend on n.

Withhold the axis of a reflection of an Abelian group of odd order n and start from M₀ = I. Two
training samples then stand in one of five relations, and nothing else about them counts: they are
equal, swapped, share an operand in place, share one crosswise, or share none. So for addition and
the swap M is [[A, C], [C, A]] with A = a₁I + a₂J and C = c₁I + c₂J in every iteration, and

    M (u, ±u) = μ± (u, ±u) for Σu = 0,   M (1, ±1) = ν± (1, ±1).

The formulas are plain arithmetic: they take floating-point numbers, fractions and sympy's symbols.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor

from rfm.arguments import flag, instance, integer, real
from rfm.kernels import Kernel
from rfm.solve import SingularKernelError
from rfm.symmetry import Symmetry

Number = Any
"""A float, a fraction or an expression of sympy."""

LEAST, MOST = 5, 10**12  # orders
VANISHED = sys.float_info.min / sys.float_info.epsilon  # a metric lost in underflow


class Expansion(NamedTuple):
    """The coefficients α_c(a, b) = x [a + b = c] + y + z ([a = v] + [b = v]), where 2v = c.

    Attributes:
        x: of the samples of the class.
        y: of all samples.
        z: of those that share an operand with the withheld point (v, v).
        D: Σ_w α_c(u, w) for u ≠ v.
        E: what that sum has more at u = v: −1/l₁.
        l: the three eigenvalues l₀, l₁, l₂ of K + λI on functions of the unordered pair {a, b}.
    """

    x: Number
    y: Number
    z: Number
    D: Number
    E: Number
    l: tuple[Number, Number, Number]  # noqa: E741


class Gains(NamedTuple):
    """What the AGOP multiplies the squares of the eigenvalues of M by: AGOP = M H M.

    Attributes:
        odd: η₋, eigenvalue of H on (u, −u).
        even: η₊, on (u, u).
        constant: κ₊, on (1, 1); zero for a radial kernel. On (1, −1) it is always zero.
    """

    odd: Number
    even: Number
    constant: Number


def expansion(n: Number, k: Sequence[Number], ridge: Number = 0) -> Expansion:
    """Solve (K + λI) α = Y by counting.

    The unordered pairs form a triangular graph, so K has three eigenvalues on their functions.

    Args:
        n: the order, odd.
        k: kernel values of two samples that are equal, swapped, share an operand in place, share
            one crosswise, share none.
        ridge: λ.
    """
    e0, e1, e2 = k[0] + k[1], k[2] + k[3], 2 * k[4]
    l0 = e0 + 2 * (n - 2) * e1 + (n - 2) * (n - 3) * e2 / 2 + ridge
    l1 = e0 + (n - 4) * e1 - (n - 3) * e2 + ridge
    l2 = e0 - 2 * e1 + e2 + ridge
    x = 1 / l2
    z = (1 / l2 - 1 / l1) / (n - 2)
    y = (1 / l0 - 1 / l2 - 2 * z) / n
    D = (n - 1) / (n * l0) + 1 / (n * l1)
    return Expansion(x, y, z, D, -1 / l1, (l0, l1, l2))


def gains(n: Number, w: Sequence[Number], α: Expansion, radial: bool, centred: bool) -> Gains:
    """The eigenvalues of H = (1/N) Σ_{j,c} (h_jc − h̄_c)(h_jc − h̄_c)ᵀ, by counting.

    For a sample (a, b) and a class c let h be Σ_i α_ic w_i x_i, for a radial kernel with x_i − x
    instead of x_i, and h = (p, q) its two operands. Then p + q and p − q are what is squared. At
    an operand u they are sums over the samples that contain u.

    Args:
        n: the order.
        w: gradient weights of the five relations, as ``k`` in :func:`expansion`.
        α: the coefficients.
        radial: whether the kernel is radial; an inner-product kernel otherwise.
        centred: whether mean gradients are subtracted.
    """
    x, y, z, D, E, _ = α
    equal, one, none = w[0] + w[1], w[2] + w[3], 2 * w[4]  # of both orders of a sample, for p + q
    ω = w[2] - w[3]  # the same for p − q
    β = w[0] - w[1] - ω
    # How many classes; α_c(a, b); whether a = v; for the other operands u: how many, α_c(u, a),
    # α_c(u, b), whether u = v.
    relations = (
        (1, x + y, 0, ((1, y + z, y + z, 1), (n - 3, y, y, 0))),  # c = a + b
        (2, y + z, 1, ((1, y + z, x + y, 0), (n - 3, y + z, y, 0))),  # a = v (or b)
        (n - 3, y, 0, ((1, x + y, y, 0), (1, y, x + y, 0), (1, y + z, y + z, 1), (n - 5, y, y, 0))),
    )
    odd = even = constant = total = at_v = 0
    for classes, α_ab, a_is_v, others in relations:
        sums = D + E * a_is_v, D
        plus = [(1, (equal - one) * α_ab + one * r) for r in sums]
        minus = [(1, β * α_ab + ω * r) for r in sums]  # at b with the other sign
        for count, α_ua, α_ub, u_is_v in others:
            r = D + E * u_is_v
            plus.append((count, (one - none) * (α_ua + α_ub) + none * r))
            minus.append((count, ω * (α_ub - α_ua)))
            at_v += classes * u_is_v * plus[-1][1]
        if radial:
            own = sum(count * value for count, value in plus) / 2  # Σ_i α_ic w_i
            plus[:2] = [(1, value - own) for _, value in plus[:2]]
            minus[:2] = [(1, value - own) for _, value in minus[:2]]
        at_v += classes * a_is_v * plus[0][1]
        whole = sum(count * value for count, value in plus)
        odd += classes * sum(count * value**2 for count, value in minus)
        even += classes * (sum(count * value**2 for count, value in plus) - whole**2 / n)
        constant += classes * whole**2 / n
        total += classes * whole
    if centred:  # the mean of p + q over the samples is one number at v, another elsewhere
        even -= (at_v - total / n) ** 2 / (n - 1)
        constant -= total**2 / n**2
    return Gains(odd / (2 * (n - 1)), even / (2 * (n - 1)), constant / 2)


@dataclass(frozen=True)
class FourNumbers:
    """A metric of the trap.

    Attributes:
        n: order of the group, odd and at least 5.
        even: μ₊, its eigenvalue on (u, u), Σu = 0.
        odd: μ₋, on (u, −u).
        constant: ν₊, on (1, 1).
        opposite: ν₋, on (1, −1).

    Raises:
        ValueError: if the order is even or less than 5, or an eigenvalue is negative.
    """

    n: int
    even: float = 1.0
    odd: float = 1.0
    constant: float = 1.0
    opposite: float = 1.0

    def __post_init__(self) -> None:
        n = integer(self.n, "n", LEAST, MOST)
        if n % 2 == 0:
            raise ValueError(
                f"four numbers are enough for odd orders only, not for {n}: where a ⋆ a = e for "
                "some a ≠ e, the labels on the axis repeat, and pairs of samples differ by that too"
            )
        object.__setattr__(self, "n", n)
        for name in ("even", "odd", "constant", "opposite"):
            value = real(getattr(self, name), name, "a finite number of at least 0", 0)
            object.__setattr__(self, name, value)

    @property
    def entries(self) -> tuple[float, float, float, float]:
        """a₁, a₂, c₁, c₂ of A = a₁I + a₂J and C = c₁I + c₂J."""
        a1, c1 = (self.even + self.odd) / 2, (self.even - self.odd) / 2
        a, c = (self.constant + self.opposite) / 2, (self.constant - self.opposite) / 2
        return a1, (a - a1) / self.n, c1, (c - c1) / self.n

    def relations(self, radial: bool) -> list[float]:
        """Squared distances, or inner products, of two samples in each of the five relations.

        Raises:
            ValueError: if ``radial`` is no bool.
        """
        if flag(radial, "radial"):
            μ, ν = self.odd, self.even
            return [0.0, 4 * μ, ν + μ, ν + 3 * μ, 2 * (ν + μ)]
        a1, a2, c1, c2 = self.entries
        b = 2 * (a2 + c2)
        return [2 * a1 + b, 2 * c1 + b, a1 + b, c1 + b, b]

    def from_axis(self, radial: bool) -> list[float]:
        """The same of a withheld point (t, t) and a sample that has t, or has not.

        Raises:
            ValueError: if ``radial`` is no bool.
        """
        if flag(radial, "radial"):
            return [self.even + self.odd, 3 * self.even + self.odd]
        _, a2, _, c2 = self.entries
        b = 2 * (a2 + c2)
        return [self.even + b, b]

    def fit(self, kernel: Kernel, ridge: float = 0.0) -> Expansion:
        """The coefficients of the machine that is fitted under this metric.

        Raises:
            ValueError: if ``kernel`` is no kernel, or the ridge not a finite number of at least 0.
            rfm.SingularKernelError: if K + λI is singular, or its entries are not finite.
        """
        instance(kernel, Kernel, "kernel")
        ridge = real(ridge, "ridge", "a finite number of at least 0", 0)
        k = _values(kernel, kernel.profile, self.relations(kernel.translation_invariant))
        try:
            return expansion(self.n, k, ridge)
        except ZeroDivisionError:
            raise SingularKernelError(f"the kernel matrix is singular under {self}") from None

    def margin(self, kernel: Kernel, ridge: float = 0.0) -> float:
        """The lead of the right class at each withheld point: −2 (k_near − k_far) / l₁.

        All other classes tie, and it is negative whenever a nearer sample counts for more: the
        right class is the only one without a sample in row t, so it is last.

        Raises:
            ValueError: as :meth:`fit`.
            rfm.SingularKernelError: as :meth:`fit`.
        """
        fitted = self.fit(kernel, ridge)
        u = self.from_axis(kernel.translation_invariant)
        near, far = _values(kernel, kernel.profile, u)
        return 2 * (near - far) * fitted.E

    def step(
        self, kernel: Kernel, ridge: float = 0.0, power: float = 0.5, centred: bool = True
    ) -> FourNumbers:
        """The next metric, AGOP^s: μ±′ = (μ±² η±)^s, ν₊′ = (ν₊² κ₊)^s, ν₋′ = 0.

        Raises:
            ValueError: as :meth:`fit`, if the power is not positive or ``centred`` no bool, or if
                the next metric is not finite.
            rfm.SingularKernelError: as :meth:`fit`.
        """
        power = real(power, "power", "a positive finite number", 5e-324)
        centred, fitted = flag(centred, "centred"), self.fit(kernel, ridge)
        radial = kernel.translation_invariant
        w = _values(kernel, kernel.weight, self.relations(radial), first=0.0 if radial else None)
        η = gains(self.n, w, fitted, radial, centred)

        def root(eigenvalue: float, gain: float) -> float:
            return (eigenvalue**2 * max(gain, 0.0)) ** power  # less than 0 by rounding only

        constant = 0.0 if radial else root(self.constant, η.constant)
        return FourNumbers(self.n, root(self.even, η.even), root(self.odd, η.odd), constant, 0.0)

    def metric(self, mirror: Symmetry) -> Tensor:
        """M as a (2n, 2n) matrix when the axis of this reflection is withheld.

        Raises:
            ValueError: if it is no reflection, or of a group of another order.
        """
        instance(mirror, Symmetry, "mirror")
        task = mirror.task
        if not mirror.reflects or task.n != self.n:
            raise ValueError(f"mirror must be a reflection of a group of order {self.n}")
        a1, a2, c1, c2 = self.entries
        A = a1 * torch.eye(self.n, dtype=torch.float64) + a2
        C = c1 * mirror.matrix()[self.n :, : self.n].double() + c2
        return torch.cat([torch.cat([A, C.T], 1), torch.cat([C, A], 1)])


def _values(
    kernel: Kernel,
    function: Callable[[Tensor], Tensor],
    u: list[float],
    first: float | None = None,
) -> list[float]:
    """A profile or weight at some numbers; ``first`` stands for the first, a weight of x − x.

    Raises:
        rfm.SingularKernelError: if a value is not finite.
    """
    found = kernel.checked(function, torch.tensor(u, dtype=torch.float64)).tolist()
    if first is not None:
        found[0] = first
    if not all(math.isfinite(value) for value in found):
        raise SingularKernelError(f"{kernel!r} is not finite at one of {u}")
    return found


def reduced(
    n: int,
    kernel: Kernel,
    iterations: int = 60,
    *,
    ridge: float = 0.0,
    power: float = 0.5,
    centred: bool = True,
) -> pd.DataFrame:
    """Run the trap of any group of odd order n: a fit and an update are some hundred operations.

    Args:
        n: the order.
        kernel: the kernel.
        iterations: how many times to fit and update.
        ridge: λ ≥ 0.
        power: s > 0.
        centred: whether mean gradients are subtracted before the AGOP.

    Returns:
        One row an iteration, as in the table of a :class:`rfm.Run`: ``even``, ``odd``,
        ``constant`` and ``opposite``, the metric M_{t−1} that it was fitted with; ``ratio``, even
        over odd; ``margin`` at the withheld points; ``step``, ‖M_t − M_{t−1}‖ / ‖M_{t−1}‖.

    Raises:
        ValueError: as :class:`FourNumbers`, or for a setting out of range.
        rfm.SingularKernelError: as :meth:`FourNumbers.fit`.
        ArithmeticError: if the metric vanishes.
    """
    instance(kernel, Kernel, "kernel")
    iterations = integer(iterations, "iterations", 1)
    ridge = real(ridge, "ridge", "a finite number of at least 0", 0)
    power = real(power, "power", "a positive finite number", 5e-324)
    centred, M, rows = flag(centred, "centred"), FourNumbers(n), []
    for t in range(1, iterations + 1):
        new = M.step(kernel, ridge, power, centred)
        if max(new.even, new.odd) <= VANISHED:
            raise ArithmeticError(f"the metric has vanished in iteration {t}: {new}")
        rows.append(
            {
                "iteration": t,
                "even": M.even,
                "odd": M.odd,
                "constant": M.constant,
                "opposite": M.opposite,
                "ratio": M.even / M.odd if M.odd else math.inf,
                "margin": M.margin(kernel, ridge),
                "step": _norm(new, M) / _norm(M),
            }
        )
        M = new
    return pd.DataFrame(rows).set_index("iteration")


def _norm(M: FourNumbers, other: FourNumbers | None = None) -> float:
    """Frobenius norm of a metric, or of its difference from another."""
    names = ("even", "odd", "constant", "opposite")
    values = [getattr(M, k) - (getattr(other, k) if other else 0.0) for k in names]
    weights = M.n - 1, M.n - 1, 1, 1
    return math.sqrt(sum(m * v**2 for m, v in zip(weights, values, strict=True)))
