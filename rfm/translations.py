"""A machine on a split that all translations keep: one small system for each character.

Write b′ = τ(b), so that the class of (a, b) is a ⋆ b′. A translation (a, b′) ↦ (a ⋆ t, b′ ⋆ t)
takes class c to c ⋆ t ⋆ t and keeps the difference d = a⁻¹ ⋆ b′ of a pair. If it maps the training
set to itself, for every t, then training is all pairs with d in a set Δ. The kernel matrix is then
a function of t = a⁻¹ ⋆ a′, d and d′, so that the Fourier transform over t splits it into one
Hermitian block (Δ, Δ) for each character; and one sample of each difference, with all classes,
stands for the whole training set in the AGOP. Cost n |Δ|³ instead of (n |Δ|)³.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from rfm.kernels import RESOLUTION, Kernel
from rfm.machine import SHRUNK, TIE
from rfm.pieces import rows_at_a_time
from rfm.products import TableTask
from rfm.solve import JITTERS, SingularKernelError, tell_jitter
from rfm.spectral import LOST, RoundingError, floor
from rfm.splits import Kind, Split
from rfm.tasks import abelian_task

SMALL = 96  # orders up to which a transform is a matrix product, which is faster there
PIECE = 2**24  # numbers of a temporary, 128 MB in double precision


class Translations:
    """The translations of a task: elements as numbers in Z_{n₁} × … × Z_{n_k}, and characters.

    Attributes:
        task: the task.
        shape: (n₁, …, n_k).
        elements: (n,) position of the element with each number.
        plus: (n, n) number of i ⋆ j.
        minus: (n, n) number of i ⋆ j⁻¹.
        coordinates: (2n,) where a code has a = 0, 1, …, then b′ = 0, 1, ….
        table: (characters, n) their values, for small n.
    """

    def __init__(self, task: TableTask):
        task = abelian_task(task, "a computation by characters")
        group = task.group
        self.task, self.shape = task, group.moduli
        number = group.logarithm
        self.elements = e = torch.argsort(number)
        self.plus = number[group.table[e[:, None], e]]
        self.minus = number[group.table[e[:, None], group.inverses[e]]]
        self.coordinates = torch.cat([e, task.n + task.twist[e]])
        self.halves = self._halves()
        self.table = None
        if task.n <= SMALL:
            self.table = self.transform(torch.eye(task.n, dtype=torch.float64), 0)

    def _halves(self) -> tuple[Tensor, Tensor, Tensor]:
        """Representatives t of A / A[2]; for each t the place of its own; those of A / 2A."""
        doubled = self.plus.diagonal()
        values, place = doubled.unique(return_inverse=True)
        first = torch.full((len(values),), len(doubled)).scatter_reduce(
            0, place, torch.arange(len(doubled)), "amin"
        )
        classes, left = [], torch.ones(len(doubled), dtype=torch.bool)
        while left.any():
            classes.append(int(left.nonzero()[0]))
            left[self.plus[classes[-1], values]] = False
        return first, place, torch.tensor(classes)

    def transform(self, f: Tensor, axis: int) -> Tensor:
        """Σ_t f(t) χ̄(t) over an axis with n real numbers; complex, with the characters there.

        Of a character and its conjugate only one is listed, but for some of a product.
        """
        if self.table is not None:
            rest = f.movedim(axis, 0).flatten(1)
            table = self.table.real.to(f.dtype), self.table.imag.to(f.dtype)
            F = torch.complex(*(part @ rest for part in table))
            return F.unflatten(1, (*f.shape[:axis], *f.shape[axis + 1 :])).movedim(0, axis)
        axes = tuple(range(axis, axis + len(self.shape)))
        return torch.fft.rfftn(f.unflatten(axis, self.shape), dim=axes).flatten(axes[0], axes[-1])

    def inverse(self, F: Tensor, axis: int) -> Tensor:
        """The f with this transform."""
        axes = tuple(range(axis, axis + len(self.shape)))
        F = F.unflatten(axis, (*self.shape[:-1], self.shape[-1] // 2 + 1))
        return torch.fft.irfftn(F, s=self.shape, dim=axes).flatten(axes[0], axes[-1])

    def differences(self, split: Split) -> tuple[Tensor, Tensor]:
        """The numbers of the differences d that are in training, Δ, and of the others.

        Raises:
            ValueError: if a translation takes a training point to a test point, with an example, or
                training labels are not the task's.
        """
        task = self.task
        if split.flipped.any():
            raise ValueError("translations=True needs the task's own labels, and some are flipped")
        mirror = task.mirror(task.samples)
        train = split.kind == Kind.TRAIN
        share = torch.bincount(mirror[train], minlength=task.n)
        mixed = ((share > 0) & (share < task.n)).nonzero().flatten()
        if len(mixed):
            pairs = task.samples[mirror == mixed[0]]
            inside = train[task.index(pairs)]
            (a, b), (c, d) = (pairs[which][0].tolist() for which in (inside, ~inside))
            raise ValueError(
                "the training set is not kept by all translations: "
                f"({task.element(a)}, {task.element(b)}) is in it and "
                f"({task.element(c)}, {task.element(d)}), which has the same difference, is not"
            )
        inside = (share == task.n)[self.elements]
        return inside.nonzero().flatten(), (~inside).nonzero().flatten()

    def check(self, M: Tensor) -> None:
        """Raise ValueError if a metric is not symmetric under all translations."""
        off = float((self.average(M) - M).abs().max())
        if off > (1e-9 if M.dtype == torch.float64 else 1e-5) * float(M.abs().max()):
            raise ValueError(
                "M0 must be symmetric under all translations (a, b′) ↦ (a ⋆ t, b′ ⋆ t), but an "
                f"entry differs from those it should equal by {off:.1e}"
            )

    def pairs(self, a: Tensor, d: Tensor) -> Tensor:
        """The pairs of positions (a, b) with b′ = a ⋆ d, shape (…, 2), for numbers a and d."""
        second = self.elements[self.plus[a, d]]
        first = self.elements[a].expand_as(second)
        return torch.stack([first, self.task.twist[second]], -1)

    def entries(self, M: Tensor) -> Tensor:
        """m_pq(δ), (2, 2, n), of M with entries m_pq(u′ ⋆ u⁻¹) in its blocks p, q.

        Of a matrix that is not made so, the means over the translations.
        """
        n = self.task.n
        sorted_ = M[self.coordinates][:, self.coordinates].view(2, n, 2, n)
        return sorted_.permute(0, 2, 1, 3).gather(3, self.plus.expand(2, 2, n, n)).mean(2)

    def spectrum(self, M: Tensor) -> Tensor:
        """M̂_pq(χ) = Σ_δ m_pq(δ) χ̄(δ), (characters, 2, 2), of the mean of M over translations."""
        return self.transform(self.entries(M), 2).permute(2, 0, 1)

    def average(self, M: Tensor) -> Tensor:
        """The mean of M over all translations, (2n, 2n); what is zero in M stays zero."""
        return self._spread(self.entries(M))

    def matrix(self, spectrum: Tensor) -> Tensor:
        """The (2n, 2n) matrix with this spectrum, in the coordinates of the task."""
        return self._spread(self.inverse(spectrum.permute(1, 2, 0), 2))

    def _spread(self, m: Tensor) -> Tensor:
        """The matrix with entries m_pq(u′ ⋆ u⁻¹), made exactly symmetric."""
        n = self.task.n
        sorted_ = m[:, :, self.minus.T].permute(0, 2, 1, 3).reshape(2 * n, 2 * n)
        M = torch.empty_like(sorted_)
        M[self.coordinates[:, None], self.coordinates] = sorted_
        return (M + M.T) / 2


@dataclass(frozen=True)
class BlockFactor:
    """Cholesky factors of all blocks, with what :class:`rfm.Factor` tells of a single one."""

    L: Tensor
    ridge: float
    jitter: float
    largest: float
    condition: float


@dataclass(frozen=True, eq=False)
class TranslationMachine:
    """The machine of :class:`rfm.KernelMachine` on a split that all translations keep.

    Attributes:
        kernel: the kernel.
        M: (2n, 2n) metric, symmetric under translations.
        translations: of the task.
        differences: Δ, with k elements, and those not in training.
        α: (n, k, R) coefficients at the sample (a, d) of one class of each coset of A ⋆ A. Those
            of c ⋆ t ⋆ t at (a, d) are those of c at (a ⋆ t⁻¹, d).
        transformed: (characters, k, R) their transforms over a.
        factor: the factors that α was solved with.
    """

    kernel: Kernel
    M: Tensor
    translations: Translations
    differences: tuple[Tensor, Tensor]
    α: Tensor
    transformed: Tensor
    factor: BlockFactor

    @classmethod
    def fit(
        cls,
        translations: Translations,
        differences: tuple[Tensor, Tensor],
        kernel: Kernel,
        M: Tensor,
        ridge: float = 0.0,
        *,
        warn: bool = True,
    ) -> TranslationMachine:
        """Solve (K + λI) α = Y, a block for each character."""
        T, (Δ, _) = translations, differences
        M = T.average(M)
        K = _values(T, kernel, Δ, Δ, M)  # (n, k, k)
        diagonal = K[0].diagonal()
        scale, largest = float(diagonal.mean()), float(diagonal.max())
        blocks = T.transform(K, 0)  # Hermitian
        del K
        factor = factorise_blocks(blocks, ridge, scale, largest, len(Δ) * T.task.n, warn)
        *_, classes = T.halves
        labels = T.plus[T.plus.diagonal()[:, None], Δ]  # (n, k): the class a ⋆ a ⋆ d
        Y = (labels[:, :, None] == classes).to(M.dtype)
        transformed = torch.cholesky_solve(T.transform(Y, 0), factor.L)
        α = T.inverse(transformed, 0)
        return cls(kernel, M, T, differences, α, transformed, factor)

    def class_coefficients(self) -> Tensor:
        """α_c(e, d) for every class, (k, n) in positions: at the samples (identity, d)."""
        T = self.translations
        t = torch.arange(T.task.n)
        table = self.α.new_empty(self.α.shape[1], T.task.n)
        for α, c in zip(self.α.unbind(2), T.halves[2], strict=True):
            table[:, T.elements[T.plus[c, T.plus[t, t]]]] = α[T.minus[0, t]].T
        return table

    def scores(self, d: Tensor) -> Tensor:
        """f at the pairs (identity, d), for numbers d, (m, n) with classes by position."""
        T, (Δ, _) = self.translations, self.differences
        n, table = T.task.n, self.α.new_empty(len(d), T.task.n)
        rows = max(1, PIECE // (n * len(Δ)))
        for some, part in zip(d.split(rows), table.split(rows), strict=True):
            k = T.transform(_values(T, self.kernel, some, Δ, self.M), 0)
            # Σ_{a, d′} α(a ⋆ t⁻¹, d′) k(a, d′)
            f = T.inverse(k.mT @ self.transformed.conj(), 0)  # (n, m, R)
            for values, c in zip(f.unbind(2), T.halves[2], strict=True):
                part[:, T.elements[T.plus[c, T.plus.diagonal()]]] = values.T
        return table

    def predict(self, pairs: Tensor) -> Tensor:
        """f at pairs of positions, (N′, n): that of the pair's difference with classes moved."""
        T, task = self.translations, self.translations.task
        number = task.group.logarithm
        a, d = number[pairs[:, 0]], number[task.mirror(pairs)]
        different, place = d.unique(return_inverse=True)
        table = self.scores(different)
        back = T.minus[:, T.plus.diagonal()].T[a]  # number of c ⋆ (a ⋆ a)⁻¹ for each c
        return table[place[:, None], T.elements[back]][:, number]

    def train_predictions(self) -> Tensor:
        """f at the training pairs (identity, d), one for each d in Δ, (k, n): Y − λα."""
        Δ = self.differences[0]
        f = self.targets - self.factor.ridge * self.class_coefficients()
        return f if float(f.abs().max()) > SHRUNK else self.scores(Δ)

    @property
    def targets(self) -> Tensor:
        """Y at those pairs, (k, n)."""
        return self.translations.task.one_hot_labels(self.train, self.M.dtype)

    @property
    def train(self) -> Tensor:
        """Those pairs, (k, 2) positions."""
        Δ = self.differences[0]
        return self.translations.pairs(torch.zeros_like(Δ), Δ)

    @property
    def coefficients(self) -> Tensor:
        """α at those pairs, (k, n)."""
        return self.class_coefficients()

    @cached_property
    def resolution(self) -> float:
        """As :attr:`rfm.KernelMachine.resolution`."""
        eps = torch.finfo(self.M.dtype).eps
        sums = 10 * eps * self.factor.largest * float(self.α.abs().sum((0, 1)).max())
        return max(sums, TIE[self.M.dtype] * min(1.0, float(self.train_predictions().abs().max())))

    def agop(self, centred: bool = True) -> Tensor:
        """As :meth:`rfm.KernelMachine.agop`, from one sample of each difference."""
        T, (Δ, _) = self.translations, self.differences
        n, k = T.task.n, len(Δ)
        radial = self.kernel.translation_invariant
        t, place, _ = T.halves
        M̂ = T.spectrum(self.M).conj()
        values, vectors = torch.linalg.eigh(M̂)
        limit = floor(torch.cat([values.flatten(), values.new_zeros(2 * n - values.numel())]))
        values = torch.where(values.abs() > limit, values, 0.0)
        through = values[:, :, None] * vectors.mH  # (characters, 2, 2)
        core = torch.zeros_like(M̂)
        size, u, columns = 0.0, torch.arange(n), torch.arange(k)
        earlier = T.minus[:, t]  # (n, T): a ⋆ t⁻¹
        rows = max(1, PIECE // (2 * n * len(t)))
        for α in self.α.unbind(2):
            sums, origin = α.new_zeros(n, 2, len(t)), None
            by_second = α[T.minus[:, Δ], columns]  # at (b′ ⋆ d⁻¹, d), the sample with b′
            for some in columns.split(rows):
                w = _values(T, self.kernel, Δ[some], Δ, self.M, weights=True)  # (n, k, m)
                own = torch.arange(len(some))
                if radial:
                    w[0, some, own] = 0.0
                h = α.new_empty(n, 2, len(some), len(t))
                step = max(1, PIECE // (8 * k * len(t)))
                for a in (slice(at, at + step) for at in range(0, n, step)):
                    h[a, 0] = w[a].mT @ α[earlier[a]].mT
                    first = T.minus[a, Δ]  # of the samples with b′ in a
                    h[a, 1] = w[first, columns].mT @ by_second[earlier[a]].mT
                if radial:
                    total = h[:, 0].sum(0)
                    h[0, 0] -= total
                    h[Δ[some], 1, own] -= total
                if centred:
                    if origin is None:  # h of the first sample, moved along with the class
                        fixed = (place == place[0]).nonzero().flatten()  # A[2]
                        first = torch.stack([h[T.minus[u, e], :, 0, 0] for e in fixed]).mean(0)
                        origin = first[T.minus[:, t]].mT  # (n, 2, T)
                    h -= origin[:, :, None]
                    sums += h.sum(2)
                size = max(size, *(abs(float(end)) for end in h.aminmax()))
                H = through @ T.transform(h, 0).flatten(2)  # (characters, 2, m T)
                core += H.conj() @ H.mT
            if centred:
                # h̄(u) = Σ_{d, a} h_{d, −a}(u ⋆ a⁻¹) / N, a ∈ A; Σ_c is Σ_A divided by |A[2]|
                mean = sums[T.minus, :, place[T.minus[0]]].sum(1) / (n * k)  # (n, 2)
                H = through @ T.transform(mean, 0)[:, :, None]
                core -= (n * k) * (len(t) / n) * (H.conj() @ H.mT)
        top, eps = float(values.abs().max()), torch.finfo(α.dtype).eps
        if eps * size * top > LOST * float(core.abs().max()) ** 0.5 / n:
            raise RoundingError("the gradients are lost in the rounding of what they are sums of")
        spectrum = vectors.conj() @ core @ vectors.mT
        return T.matrix(spectrum) / (n * k)


def _values(
    T: Translations, kernel: Kernel, d: Tensor, Δ: Tensor, M: Tensor, weights: bool = False
) -> Tensor:
    """A kernel's values, or weights, of (identity, d) and (a, d′), (n, k, len(d)): a, d′, d.

    With m_pq(δ) for the entries of M between u of operand p and u ⋆ δ of operand q, their inner
    product is m₀₀(a) + m₀₁(a ⋆ d′) + m₁₀(a ⋆ d⁻¹) + m₁₁(a ⋆ d′ ⋆ d⁻¹).
    """
    n, radial = T.task.n, kernel.translation_invariant
    m = M[T.coordinates[[0, n]]][:, T.coordinates].view(2, 2, n)
    function_ = kernel.weight_ if weights else kernel.value_
    at_zero = kernel.checked(function_, M.new_zeros(1))
    unknown = RESOLUTION * torch.finfo(M.dtype).eps * 2 * float(m[0, 0, 0] + m[1, 1, 0])
    second = T.plus[:, Δ]  # a ⋆ d′
    of_both, of_Δ, of_d = m[1, 1][T.minus[:, d]], m[0, 1][second], m[1, 0][T.minus[:, d]]
    of_Δ += m[0, 0][:, None]
    if radial:
        norms = m[0, 0, 0] + m[1, 1, 0] + 2 * m[0, 1]
        of_both, of_Δ, of_d = -2 * of_both, norms[Δ] - 2 * of_Δ, norms[d] - 2 * of_d
    found = M.new_empty(n, len(Δ), len(d))
    for a in torch.arange(n).split(rows_at_a_time(found[0].numel(), found[0].device)):
        u = of_both[second[a]]
        u += of_Δ[a, :, None]
        u += of_d[a, None]
        if radial:
            coincide = u <= unknown
            u.masked_fill_(coincide, 0.0)
        found[a] = kernel.checked(function_, u)
        if radial and weights and not bool(torch.isfinite(at_zero)):
            found[a] = found[a].masked_fill(coincide, 0.0)
    return found


def factorise_blocks(
    blocks: Tensor, ridge: float, scale: float, largest: float, N: int, warn: bool
) -> BlockFactor:
    """As :func:`rfm.factorise`, whose rule is applied to the pivots of all blocks together."""
    finite = torch.finfo(blocks.real.dtype)
    diagonal = blocks.diagonal(dim1=-2, dim2=-1)
    plain = diagonal.real.clone()
    for jitter in (0.0, *(j * scale for j in JITTERS[blocks.real.dtype])):
        diagonal.copy_(plain + (ridge + jitter))
        L, info = torch.linalg.cholesky_ex(blocks)
        pivots = L.diagonal(dim1=-2, dim2=-1).real
        low, high = float(pivots.min()), float(pivots.max())
        if not bool(info.any()) and low > 0 and low**2 > N * finite.eps * high**2:
            if jitter and warn:
                tell_jitter(N, jitter)
            return BlockFactor(L, ridge + jitter, jitter, largest, (high / low) ** 2)
    raise SingularKernelError(f"kernel matrix of size {N} cannot be factorised")
