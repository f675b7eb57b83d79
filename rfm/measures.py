"""Progress measures: what can be read off a feature matrix while accuracy stands still [M]."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rfm.arguments import instance, square
from rfm.judging import leads
from rfm.machine import TIE
from rfm.products import TableTask
from rfm.profiles import Quadratic
from rfm.seeds import Seed, generator
from rfm.splits import Split
from rfm.symmetry import Symmetry
from rfm.tasks import Task
from rfm.translations import Translations


def circulant_deviation(M: Tensor, task: Task) -> float:
    """How far the off-diagonal block C of a feature matrix is from constant diagonals [M].

    D(C) = Σ_k Σ_{(i,j) on diagonal k} (C_ij − mean_k)² / ‖C‖²_F, from 0 (each diagonal constant)
    to 1. The diagonals are the supports of the reflections' permutation matrices: cyclic
    diagonals for x + y, anti-diagonals for x − y, and for × and ÷ the same after relabelling by the
    discrete logarithm. NaN if C = 0.

    Args:
        M: (2n, 2n); the lower left block, second operand by first, is C.
        task: the task that M was learned on.

    Raises:
        ValueError: if M is not a matrix of finite numbers with that shape.
    """
    instance(task, Task, "task")
    M = _unit(square(M, "M", task.dimension, symmetric=False))
    C = M[task.n :, : task.n]
    diagonal = task.mirror(task.samples)  # C[b, a] lies on the diagonal of the mirror of (a, b)
    entries = C.T.flatten()
    means = torch.zeros(task.n, dtype=M.dtype).scatter_add_(0, diagonal, entries) / task.n
    norm = float(entries.square().sum())
    return float((entries - means[diagonal]).square().sum()) / norm if norm else math.nan


def relative_spectrum(M: Tensor, task: Task) -> Tensor:
    """ρ(χ) = Ĉ(χ) / √(Â(χ) D̂(χ)) of a metric's mean over translations, complex, for χ ≠ 1.

    Â and D̂ are the Fourier transforms of the circulant parts of the diagonal blocks, Ĉ that of the
    cross block. The modulus of ρ, at most 1, says how far M ties the waves of frequency χ in the
    two operands together: 0 not at all, 1 as one. Of χ and its conjugate one is listed, but for
    some of a product.

    Args:
        M: (2n, 2n) symmetric positive semi-definite.
        task: the task that M was learned on.

    Raises:
        ValueError: if M is not a symmetric matrix of finite numbers with that shape.
    """
    instance(task, Task, "task")
    M = _unit(square(M, "M", task.dimension))
    spectrum = Translations(task).spectrum(M)[1:]
    a, c, d = spectrum[:, 0, 0].real, spectrum[:, 0, 1], spectrum[:, 1, 1].real
    return c / (a * d).clamp(min=1e-300).sqrt()


def alignment(M: Tensor, other: Tensor) -> float:
    """Cosine of the angle between two feature matrices as vectors: AGOP alignment [M].

    NaN if one of them is zero.

    Raises:
        ValueError: if they are not square matrices of finite numbers with one shape.
    """
    M = _unit(square(M, "M", symmetric=False))
    other = _unit(square(other, "the other matrix", len(M), symmetric=False))
    return float((M * other).sum() / (M.norm() * other.norm()))


def votes(M: Tensor, pairs: Tensor, voters: Tensor, task: TableTask) -> Tensor:
    """Mean vote of each class at each pair under the off-diagonal blocks of a feature matrix.

    Every voter x' votes for its own label with the weight t(x, x')², where t is xᵀ M x' without the
    diagonal blocks of M: for x = (a, b) and x' = (a', b') the sum of C[b, a'] and C[b', a]. No pair
    votes on itself: it counts among the voters of its class with a vote of 0. The mean is 0 for a
    class without voters.

    Args:
        M: (2n, 2n) symmetric; the lower left block, second operand by first, is C.
        pairs: (m, 2) int64.
        voters: (N, 2) int64.
        task: the task that gives voters their labels.

    Returns:
        (m, n): votes by pair and class, in double precision, with M over its largest entry.

    Raises:
        ValueError: if M is not a symmetric matrix of finite numbers with the shape of the task, or
            these are not pairs of positions.
    """
    instance(task, TableTask, "task")
    cross, n = _unit(square(M, "M", task.dimension)).clone(), task.n
    cross[:n, :n] = cross[n:, n:] = 0
    pairs, voters = task.checked(pairs).reshape(-1, 2), task.checked(voters).reshape(-1, 2)
    weights = Quadratic().gram(pairs, voters, cross)
    weights[task.index(pairs)[:, None] == task.index(voters)] = 0
    labels = task.one_hot_labels(voters)
    return weights @ labels / labels.sum(0).clamp(min=1)


def vote_accuracy(M: Tensor, split: Split) -> float:
    """Share of the test points at which the right class has the most votes of training points.

    As in a run, a tie counts as wrong, and a lead below 1e-9 of the most votes is one. See
    :func:`votes`.

    Raises:
        ValueError: if ``split`` is not a split, or M as there.
    """
    instance(split, Split, "split")
    found = votes(M, split.test, split.train, split.task)
    lead = leads(found, split.task.label(split.test))
    return float((lead > TIE[found.dtype] * found.amax()).double().mean())


def odd_part(M: Tensor, mirror: Symmetry) -> Tensor:
    """½ (M − Π(g) M Π(g)ᵀ) for a reflection g, (2n, 2n): what changes sign under it.

    For g = s of a direct operation this is the swap-odd part. It vanishes if and only if M commutes
    with Π(g); a training set that g maps to itself keeps it zero (equivariance, chapter 04).

    Raises:
        ValueError: if ``mirror`` is not a reflection, or M not a matrix of finite numbers
            with the shape of its task.
    """
    instance(mirror, Symmetry, "mirror")
    if not mirror.reflects:
        raise ValueError(f"the odd part is that under a reflection, not under {mirror!r}")
    M = square(M, "M", mirror.task.dimension, symmetric=False)
    return (M - _conjugate(M, mirror)) / 2


def commutators(M: Tensor, task: Task) -> Tensor:
    """‖Π(g) M − M Π(g)‖_F / ‖M‖_F for each g of Dih(A), (2n,), in the order of its symmetries.

    A commutator is zero where M has the symmetry g. For a reflection it is twice the norm of the
    odd part. Since Π(g) is orthogonal, it is also the norm of M − Π(g) M Π(g)ᵀ.

    Let a coordinate a of the first operand have the phase a, and b of the second the phase b⁻¹. A
    rotation r^k multiplies all phases by k. So if the entries of M are sorted into a table W with
    one row for each phase p of their first index, and columns for the two halves and the quotient
    of the phases, then conjugation by r^k only moves its rows, p ↦ p ⋆ k. And sr^k is s after r^k.

    Raises:
        ValueError: if M is not a matrix of finite numbers with the shape of the task, or
            is zero.
    """
    instance(task, Task, "task")
    M = _unit(square(M, "M", task.dimension, symmetric=False))
    if not M.any():
        raise ValueError("M must not be zero")
    group, s = task.group, Symmetry(task, task.group.identity, reflects=True)
    table, p = group.table, torch.arange(task.n)
    coordinate = torch.stack([p, task.n + task.twist[group.inverses]])  # by half and phase
    rows, columns = coordinate[:, None, :, None], coordinate[None, :, table]

    def by_phase(matrix: Tensor) -> Tensor:
        return matrix[rows, columns].permute(2, 0, 1, 3).reshape(task.n, -1)  # (n, 4n)

    W = by_phase(M)
    norms = [
        (V[table[k]] - W).norm() for V in (W, by_phase(_conjugate(M, s))) for k in range(task.n)
    ]
    return torch.stack(norms) / M.norm()


def _unit(M: Tensor) -> Tensor:
    """M in double precision over its largest entry, so that no square over- or underflows."""
    M = M.double()
    largest = M.abs().max()
    return M / largest if largest > 0 else M


def _conjugate(M: Tensor, g: Symmetry) -> Tensor:
    """Π(g) M Π(g)ᵀ, by renaming coordinates instead of two products."""
    before = g.inverse().coordinates()
    return M[before][:, before]


def random_circulant_features(task: Task, seed: Seed, dtype: torch.dtype = torch.float64) -> Tensor:
    """The metric (2n, 2n) of inputs mapped by random circulant features [M].

    The features are (M*)^{1/4} x with M* = [[A, Cᵀ], [C, A]], A = I − J/n, and C constant along the
    diagonals of the operation, one value for each drawn from U[0, 1], their mean removed. Distances
    between them are those of the metric (M*)^{1/2} on x, which is returned; negative eigenvalues
    of M* are set to zero, as a root of them needs.

    Args:
        task: the task, whose operation says which diagonals.
        seed: an integer or a generator.
        dtype: of the result, float32 or float64.

    Raises:
        ValueError: for another dtype, or what is no task or seed.
    """
    instance(task, Task, "task")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float64 or torch.float32, not {dtype}")
    n = task.n
    draws = torch.rand(n, generator=generator(seed), dtype=dtype)
    C = (draws - draws.mean())[task.mirror(task.samples)].reshape(n, n).T
    A = torch.eye(n, dtype=dtype) - 1 / n
    values, vectors = torch.linalg.eigh(torch.cat([torch.cat([A, C.T], 1), torch.cat([C, A], 1)]))
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
