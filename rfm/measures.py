"""Progress measures: what can be read off a feature matrix while accuracy stands still [M]."""

from __future__ import annotations

import torch
from torch import Tensor

from rfm.seeds import Seed, generator
from rfm.symmetry import Symmetry
from rfm.tasks import Task


def circulant_deviation(M: Tensor, task: Task) -> float:
    """How far the off-diagonal block C of a feature matrix is from constant diagonals [M].

    D(C) = Σ_k Σ_{(i,j) on diagonal k} (C_ij − mean_k)² / ‖C‖²_F, from 0 (each diagonal constant)
    to 1. The diagonals are the supports of the reflections' permutation matrices: cyclic
    diagonals for x + y, anti-diagonals for x − y, and for × and ÷ the same after relabelling by the
    discrete logarithm.

    Args:
        M: (2n, 2n); the lower left block, second operand by first, is C.
        task: the task that M was learned on.
    """
    C = M[task.n :, : task.n]
    diagonal = task.mirror(task.samples)  # C[b, a] lies on the diagonal of the mirror of (a, b)
    entries = C.T.flatten()
    means = torch.zeros(task.n, dtype=M.dtype).scatter_add_(0, diagonal, entries) / task.n
    return float((entries - means[diagonal]).square().sum() / entries.square().sum())


def alignment(M: Tensor, other: Tensor) -> float:
    """Cosine of the angle between two feature matrices as vectors: AGOP alignment [M]."""
    return float((M * other).sum() / (M.norm() * other.norm()))


def odd_part(M: Tensor, mirror: Symmetry) -> Tensor:
    """½ (M − Π(g) M Π(g)ᵀ) for a reflection g, (2n, 2n): what changes sign under it.

    For g = s of a direct operation this is the swap-odd part. It vanishes if and only if M commutes
    with Π(g); a training set that g maps to itself keeps it zero (equivariance, chapter 04).

    Raises:
        ValueError: if ``mirror`` is not a reflection.
    """
    if not mirror.reflects:
        raise ValueError(f"the odd part is that under a reflection, not under {mirror!r}")
    return (M - _conjugate(M, mirror)) / 2


def commutators(M: Tensor, task: Task) -> Tensor:
    """‖Π(g) M − M Π(g)‖_F / ‖M‖_F for each g of Dih(A), (2n,), in the order of its symmetries.

    A commutator is zero where M has the symmetry g. For a reflection it is twice the norm of the
    odd part. Since Π(g) is orthogonal, it is also the norm of M − Π(g) M Π(g)ᵀ.
    """
    norms = [(M - _conjugate(M, g)).norm() for g in task.symmetries]
    return torch.stack(norms) / M.norm()


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
        dtype: of the result.
    """
    n = task.n
    draws = torch.rand(n, generator=generator(seed), dtype=dtype)
    C = (draws - draws.mean())[task.mirror(task.samples)].reshape(n, n).T
    A = torch.eye(n, dtype=dtype) - 1 / n
    values, vectors = torch.linalg.eigh(torch.cat([torch.cat([A, C.T], 1), torch.cat([C, A], 1)]))
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
