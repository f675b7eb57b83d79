"""The trap from any start that the swap and all translations keep: a recursion on two spectra.

In a group of odd order every pair has a midpoint: (a, b) = (m ⋆ h, m ⋆ h⁻¹). Its class a ⋆ b is
m ⋆ m, so that m says the class; h is the half-difference, the identity on the axis and nowhere
else. A metric that the swap and all translations keep is [[A, C], [C, A]] with A and C symmetric
and circulant. It has two eigenvalues for each character χ: μ₊(χ) on (χ, χ) and μ₋(χ) on (χ, −χ),
the same for χ and χ̄. With χ = cos_χ + i sin_χ,

    xᵀ M x′ = (2/n) Σ_χ cos_χ(m′ ⋆ m⁻¹) [μ₊ cos_χ(h) cos_χ(h′) + μ₋ sin_χ(h) sin_χ(h′)].

On the axis all sines are 0, and μ₊ is all that is seen. Training on all other pairs keeps the form.
:class:`rfm.FourNumbers` is the case in which μ± do not depend on χ ≠ 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rfm.arguments import flag, instance, real, row, square
from rfm.equivalence import automorphisms
from rfm.immutable import Immutable
from rfm.kernels import RESOLUTION, Kernel
from rfm.machine import TIE
from rfm.symmetry import Symmetry
from rfm.translations import BlockFactor, Translations, factorise_blocks

LARGEST = 255  # order; a step then takes about 1 GB


class Midpoints(Immutable):
    """The pairs of a task by midpoint and half-difference, and the characters of its group.

    Elements and characters are numbers as in ``rfm.translations``, of pairs (a, b) whose second
    operand is renamed so that the reflection exchanges the two. Of h and h⁻¹, and of χ and χ̄, one
    is listed.

    Attributes:
        mirror: the reflection whose axis is h = identity.
        n: order of the group.
        h: (k,) half-differences, k = (n − 1)/2.
        place: (n,) where h or h⁻¹ is in that list; 0 for the identity.
        sign: (n,) 1 for a listed h, −1 for its inverse, 0 for the identity.
        plus: (n, n) number of i ⋆ j.
        minus: (n, n) number of i ⋆ j⁻¹.
        coordinates: (2n,) where a code has each element as first, then as second operand.
        cos: (k + 1, n), of χ = 1 and one of χ, χ̄ each, at all elements.
        sin: (k + 1, n).
        count: (k + 1,) how many characters each stands for: 1, then 2.

    Raises:
        ValueError: if ``mirror`` is no reflection, or its group's order is even or above 255.
    """

    def __init__(self, mirror: Symmetry):
        instance(mirror, Symmetry, "mirror")
        task = mirror.task
        if not mirror.reflects:
            raise ValueError(f"mirror must be a reflection, not {mirror!r}")
        if task.n % 2 == 0 or task.n > LARGEST:
            raise ValueError(
                f"a pair has one midpoint in groups of odd order, here up to {LARGEST}, "
                f"not in {task.group} of order {task.n}"
            )
        moves, n = Translations(task), task.n
        self.mirror, self.n, self.plus, self.minus = mirror, n, moves.plus, moves.minus
        self.coordinates = torch.cat([moves.elements, mirror.coordinates()[moves.elements]])
        inverse = moves.minus[0]
        self.h = h = torch.arange(n)[torch.arange(n) < inverse]
        place, sign = torch.zeros(2, n, dtype=torch.int64)
        for elements, turned in ((h, 1), (inverse[h], -1)):
            place[elements], sign[elements] = torch.arange(len(h)), turned
        self.place, self.sign = place, sign
        listed = torch.cat([torch.zeros(1, dtype=torch.int64), h])
        moduli = torch.tensor(task.group.moduli)
        digits = torch.cartesian_prod(*map(torch.arange, task.group.moduli)).view(n, -1).double()
        turns = 2 * torch.pi * ((digits[listed] / moduli) @ digits.T % 1)
        self.cos, self.sin = torch.cos(turns), torch.sin(turns)
        self.count = torch.tensor([1.0] + [2.0] * len(h), dtype=torch.float64)

    def spectrum(self, f: Tensor) -> Tensor:
        """f̂(χ) = Σ_t f(t) χ(t), (k + 1, …), of even functions ``f`` (n, …)."""
        return torch.tensordot(self.cos, f, 1)

    def function(self, F: Tensor) -> Tensor:
        """The even functions, (n, …), with the spectra ``F`` (k + 1, …)."""
        return torch.tensordot(self.cos.T * self.count, F, 1) / self.n


@dataclass(frozen=True, eq=False)
class OnAxis(Immutable):
    """What a fitted machine says of the axis.

    Attributes:
        scores: (n,) of a class at the axis point that is t away from its own, by number of t.
        continued: (k + 1,) their transform. In the frequency χ a class is the constant 1 as a
            function of h ≠ identity; this is the value at h = identity of what interpolates it.
        resolution: a lead of less is a tie, as in :attr:`rfm.KernelMachine.resolution`.
        jitter: what was added to the diagonal of a singular kernel matrix.
    """

    scores: Tensor
    continued: Tensor
    resolution: float
    jitter: float

    @property
    def lead(self) -> float:
        """Of the right class over the best other one, the same at every point of the axis."""
        return float(self.scores[0] - self.scores[1:].max())

    @property
    def right(self) -> bool:
        """Whether the right class leads, at all points of the axis or at none."""
        return self.lead > self.resolution


@dataclass(frozen=True, eq=False)
class TwoSpectra(Immutable):
    """A metric that the swap and all translations keep, by its eigenvalues.

    Attributes:
        mid: the pairs of the task.
        even: μ₊, (k + 1,) by character, positive or zero.
        odd: μ₋, (k + 1,).

    Raises:
        ValueError: if these are no such vectors in double precision.
    """

    mid: Midpoints
    even: Tensor
    odd: Tensor

    def __post_init__(self) -> None:
        instance(self.mid, Midpoints, "mid")
        for name in ("even", "odd"):
            value = row(
                getattr(self, name), len(self.mid.count), torch.float64, name, "eigenvalues"
            )
            if not bool((value >= 0).all() & value.isfinite().all()):
                raise ValueError(f"{name} must be finite numbers of at least 0")
            object.__setattr__(self, name, value)

    @classmethod
    def relative(cls, mid: Midpoints, signs: Tensor) -> TwoSpectra:
        """The metric with μ± = 1 ± ρ for ρ(χ), χ ≠ 1, (k,) from −1 to 1, and the identity on χ = 1.

        Raises:
            ValueError: if ρ is no such vector.
        """
        instance(mid, Midpoints, "mid")
        ρ = row(signs, len(mid.h), torch.float64, "signs", "numbers from -1 to 1")
        if not bool((ρ.abs() <= 1).all()):
            raise ValueError("signs must be numbers from -1 to 1")
        ρ = torch.cat([ρ.new_zeros(1), ρ])
        return cls(mid, 1 + ρ, 1 - ρ)

    @classmethod
    def of(cls, mid: Midpoints, M: Tensor) -> TwoSpectra:
        """The spectra of a positive metric (2n, 2n), of its mean over the swap and translations.

        Raises:
            ValueError: if M is not a symmetric matrix of finite numbers with that shape, or has a
                negative eigenvalue.
        """
        instance(mid, Midpoints, "mid")
        n, M = mid.n, square(M, "M", 2 * mid.n).double()
        where = mid.coordinates
        blocks = M[where][:, where].view(2, n, 2, n).transpose(1, 2)
        shifted = blocks.gather(3, mid.plus.expand(2, 2, n, n)).mean(2)  # by δ = u′ ⋆ u⁻¹
        within, across = (shifted[0, 0] + shifted[1, 1]) / 2, (shifted[0, 1] + shifted[1, 0]) / 2
        a, c = mid.spectrum(within), mid.spectrum(across)
        tiny = 1e-12 * float(a.abs().max())
        even, odd = (torch.where(μ.abs() <= tiny, μ.abs(), μ) for μ in (a + c, a - c))
        return cls(mid, even, odd)

    @property
    def signs(self) -> Tensor:
        """ρ(χ) = (μ₊ − μ₋) / (μ₊ + μ₋) for χ ≠ 1, (k,), of the cross block over diagonal ones."""
        return ((self.even - self.odd) / (self.even + self.odd))[1:]

    @property
    def metric(self) -> Tensor:
        """M, (2n, 2n), in the coordinates of the task."""
        mid = self.mid
        m = mid.function(torch.stack([self.even + self.odd, self.even - self.odd], 1) / 2)
        A, C = m[mid.minus].unbind(-1)
        M = torch.empty(2 * mid.n, 2 * mid.n, dtype=torch.float64)
        M[mid.coordinates[:, None], mid.coordinates] = torch.cat(
            [torch.cat([A, C], 1), torch.cat([C, A], 1)]
        )
        return M

    def axis(self, kernel: Kernel, ridge: float = 0.0) -> OnAxis:
        """Fit, and say what comes out on the axis: f̂(χ) = 2 k̂₀ᵀ (K̂ + λ)⁻¹ 1.

        Raises:
            ValueError: if ``kernel`` is no kernel, or the ridge not a finite number of at least 0.
            rfm.SingularKernelError: if a kernel matrix cannot be factorised.
        """
        _, _, axis = relations = self._relations(kernel)
        α, factor = self._solve(kernel, relations, ridge)
        k = kernel.checked(kernel.profile, axis)
        continued = 2 * (self.mid.spectrum(k) * α).sum(1)
        largest = float(self.mid.function(α).abs().sum()) * 2 * factor.largest
        resolution = max(10 * torch.finfo(k.dtype).eps * largest, TIE[k.dtype])
        return OnAxis(self.mid.function(continued), continued, resolution, factor.jitter)

    def step(
        self, kernel: Kernel, ridge: float = 0.0, power: float = 0.5, centred: bool = True
    ) -> TwoSpectra:
        """The next metric, AGOP^s: μ±′ = (μ±² η±)^s.

        With (p, q) the two operands of Σ_i α_i w_i x_i, for a radial kernel with x_i − x instead
        of x_i, 2n η± is the mean over samples and classes of the squared size of the transform of
        p ± q at χ. One class stands for all.

        Raises:
            ValueError: as :meth:`axis`, if the power is not positive or ``centred`` no bool.
            rfm.SingularKernelError: as :meth:`axis`.
        """
        power = real(power, "power", "a positive finite number", 5e-324)
        centred, mid, n = flag(centred, "centred"), self.mid, self.mid.n
        relations = self._relations(kernel)
        α = mid.function(self._solve(kernel, relations, ridge)[0])  # of the class 1: by m, h
        w, swapped = (_weights(kernel, u) for u in relations[:2])
        if kernel.translation_invariant:
            w[0].fill_diagonal_(0.0)
        j = torch.arange(1, n)  # {u, u ⋆ j²} has midpoint u ⋆ j and half-difference j⁻¹ or j
        at, place = mid.plus[:, j], mid.place[j]  # relative to the sample's midpoint m
        coefficients = α[mid.plus[:, at], place].permute(1, 2, 0)  # u, j, m
        sums = (w + swapped)[at, :, place].mT @ coefficients  # p + q by u, h, m
        gaps = ((swapped - w)[at, :, place] * mid.sign[j][:, None]).mT @ coefficients  # p − q
        if kernel.translation_invariant:
            own, which = sums.sum(0) / 2, torch.arange(len(mid.h))
            for u, sign in ((mid.h, 1), (mid.minus[0, mid.h], -1)):
                sums[u, which] -= own
                gaps[u, which] -= sign * own
        N = n * (n - 1)
        parts = [[torch.tensordot(f, p, 1) for f in (mid.cos, mid.sin)] for p in (sums, gaps)]
        η = [sum(part.square().sum((1, 2)) for part in p) / N for p in parts]
        if centred:  # the mean of p + q is, but for a phase, real; that of p − q is 0
            (c, s), at_m = parts[0], (mid.cos[:, None], mid.sin[:, None])
            mean = 2 * (c * at_m[0] - s * at_m[1]).sum((1, 2)) / N
            η[0] -= mean.square() / 2
        even, odd = (
            (μ.square() * gain.clamp(min=0)) ** power
            for μ, gain in zip((self.even, self.odd), η, strict=True)
        )
        odd[0] = 0.0  # the halves of a code both sum to 1
        if kernel.translation_invariant:
            even[0] = 0.0
        return TwoSpectra(mid, even, odd)

    def _relations(self, kernel: Kernel) -> tuple[Tensor, Tensor, Tensor]:
        """The number a kernel is a function of: for x and x′ by m′ ⋆ m⁻¹, h, h′ (n, k, k).

        Then for x and the swapped x′, and for the identity on the axis and x′ (n, k).
        """
        instance(kernel, Kernel, "kernel")
        mid, radial = self.mid, kernel.translation_invariant
        c, s = mid.cos[:, mid.h], mid.sin[:, mid.h]
        even = 2 * mid.function((self.even[:, None] * c)[:, :, None] * c[:, None])
        odd = 2 * mid.function((self.odd[:, None] * s)[:, :, None] * s[:, None])
        axis, origin = 2 * mid.function(self.even[:, None] * c), 2 * mid.function(self.even)[0]
        if not radial:
            return even + odd, even - odd, axis
        norms = (even + odd)[0].diagonal()
        sums = norms[:, None] + norms
        found = sums - 2 * (even + odd), sums - 2 * (even - odd), origin + norms - 2 * axis
        unknown = RESOLUTION * torch.finfo(norms.dtype).eps * float(norms.max())
        for u in found:
            u[u <= unknown] = 0.0
        found[0][0].fill_diagonal_(0.0)
        return found

    def _solve(
        self, kernel: Kernel, relations: tuple[Tensor, Tensor, Tensor], ridge: float
    ) -> tuple[Tensor, BlockFactor]:
        """α̂ of one class, (k + 1, k), and how it was solved."""
        ridge = real(ridge, "ridge", "a finite number of at least 0", 0)
        same, swapped = (kernel.checked(kernel.profile, u) for u in relations[:2])
        diagonal = same[0].diagonal()
        scale, largest = float(diagonal.mean()), float(diagonal.max())
        K = self.mid.spectrum(same + swapped)
        N = self.mid.n * (self.mid.n - 1)
        factor = factorise_blocks((K + K.mT) / 2, ridge, scale, largest, N, False)
        return torch.cholesky_solve(K.new_ones(*K.shape[:2], 1), factor.L)[..., 0], factor


def sign_patterns(mid: Midpoints, opposite: bool = False) -> list[tuple[Tensor, int]]:
    """Signs of all χ ≠ 1, one pattern (k,) of −1 and 1 for each orbit under the automorphisms.

    Each comes with the size of its orbit. All 2^k are gone through, k = (n − 1)/2.

    Args:
        mid: the pairs of the task.
        opposite: take them as signs of sin_χ, which χ̄ changes, and a pattern and its opposite as
            the same; else as signs of cos_χ.

    Raises:
        ValueError: if ``mid`` is something else, k is above 20, or ``opposite`` no bool.
    """
    instance(mid, Midpoints, "mid")
    opposite, group, k = flag(opposite, "opposite"), mid.mirror.task.group, len(mid.h)
    if k > 20:
        raise ValueError(f"a group of order {mid.n} has 2^{k} patterns; at most 2^20 are listed")
    elements = torch.argsort(group.logarithm)
    moved = group.logarithm[automorphisms(group)[:, elements[mid.h]]]  # χ ↦ χ∘φ
    powers, least = torch.arange(k), torch.arange(2**k)
    bits = least[:, None] >> powers & 1
    for place, sign in zip(mid.place[moved], mid.sign[moved], strict=True):
        image = (bits[:, place] ^ (opposite & (sign < 0)).long()) << powers
        least = torch.minimum(least, code := image.sum(1))
        if opposite:
            least = torch.minimum(least, 2**k - 1 - code)
    firsts, counts = least.unique(return_counts=True)
    signs = 2.0 * bits[firsts].double() - 1
    return list(zip(signs, counts.tolist(), strict=True))


def _weights(kernel: Kernel, u: Tensor) -> Tensor:
    """Gradient weights; zero at distance zero if they are infinite there."""
    found = kernel.checked(kernel.weight, u)
    if kernel.translation_invariant and not bool(found[u == 0].isfinite().all()):
        found = found.masked_fill(u == 0, 0.0)
    return found
