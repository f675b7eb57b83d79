"""What can be read off a feature matrix before accuracy moves [M]."""

from __future__ import annotations

import torch
from torch import Tensor

from rfm.seeds import Seed, generator
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
