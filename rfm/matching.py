"""Symmetries of a table whose rows and columns have lost their names.

A pair of permutations (g, h), of rows and of columns, is a symmetry of C if C[g a, h b] ≈ C[a, b].
Nothing is said here about groups: each pair is found by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

SHARPNESS, ROUNDS, SWEEPS = 0.6, 25, 6  # others find the same  # pragma: no mutate
AT_A_TIME = 2**22  # entries of soft permutations, bounds memory  # pragma: no mutate
CERTAIN = 60.0  # a logarithm of odds, any large one  # pragma: no mutate
HARD = 20  # the most rounds of hard assignments, few are needed  # pragma: no mutate
DIGITS = 6  # of scores of size one; what comes after is rounding  # pragma: no mutate
UNEVEN = 0.01  # far above rounding  # pragma: no mutate
STARTS = 12  # random permutations from which a symmetry is looked for  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Match:
    """A pair of permutations under which a table is nearly the same.

    Attributes:
        rows: (n,) int64, a ↦ g a.
        columns: (n,) int64, b ↦ h b.
        fit: the mean of C[g a, h b] C[a, b] for C with mean 0 and variance 1; 1 if both agree.
    """

    rows: Tensor
    columns: Tensor
    fit: float


def standardised(C: Tensor) -> Tensor | None:
    """C in double precision with mean 0 and variance 1; None if all entries are the same."""
    C = C.double() / C.abs().max().clamp(min=torch.finfo(torch.float64).tiny)
    C = C - C.mean()
    size = C.square().mean().sqrt()
    return C / size if size > 1e-12 else None


def fit(C: Tensor, rows: Tensor, columns: Tensor) -> float:
    """The mean of C[g a, h b] C[a, b]."""
    return float((C[rows][:, columns] * C).mean())


def matches(C: Tensor, row: int) -> Iterator[Match]:
    """For every other row, the best symmetry found that takes ``row`` to it.

    Say g takes row r to row q, and of the others nothing is known. Then C[r, b] C[q, b′] speaks for
    h b = b′, and once something is known of h, the sum of C[a, b] C[a′, h b] over b for g a = a′:

        Q = balanced exp(β Cᵀ P C),  P = balanced exp(β C Q Cᵀ),

    where P and Q are soft permutations, P[a, a′] the weight of g a = a′, and P[r, q] stays 1. From
    what P is in the end, two assignments take turns until they stand still.

    Where C has many symmetries, the least difference grows until it chooses among them. So that
    this is not left to rounding, P is uneven at first, by numbers that are drawn once for all.

    Args:
        C: (n, n) with mean 0 and variance 1.
        row: r.
    """
    n, drawn = len(C), torch.Generator().manual_seed(0)
    others = torch.tensor([q for q in range(n) if q != row])
    for some in others.split(max(1, AT_A_TIME // n**2)):
        known = C.new_zeros(len(some), n, n)
        known[:, row, :] = -CERTAIN
        known[torch.arange(len(some)), :, some] = -CERTAIN
        known[torch.arange(len(some)), row, some] = CERTAIN
        uneven = UNEVEN * torch.rand(known.shape, generator=drawn, dtype=C.dtype)
        P = balanced(known + uneven)
        for _ in range(ROUNDS):
            Q = balanced(SHARPNESS * (C.T @ (P @ C)))
            P = balanced(SHARPNESS * (C @ Q @ C.T) + known)
        for soft in P:
            yield _hardened(C, n * soft)


def wandering(C: Tensor) -> Iterator[Match]:
    """The symmetries at which assignments that take turns arrive from random permutations.

    They are not looked for row by row, so that of a table with those of one group, few among all
    permutations, they meet few or none. Of one that any permutation of its rows keeps, with the
    columns that belong to it, all of them are symmetries.

    Args:
        C: (n, n) with mean 0 and variance 1.
    """
    drawn = torch.Generator().manual_seed(0)
    for _ in range(STARTS):
        yield _hardened(
            C, torch.eye(len(C), dtype=C.dtype)[torch.randperm(len(C), generator=drawn)]
        )


def balanced(scores: Tensor) -> Tensor:
    """The exponentials of scores (..., n, n), scaled until rows and columns sum to one, nearly.

    Sinkhorn: entries become u_a P_ab v_b, where v = 1 / Pᵀu and u = 1 / Pv take turns.
    """
    P = (scores - scores.amax(-1, keepdim=True)).exp_()
    tiny = torch.finfo(P.dtype).tiny
    u = torch.ones_like(P[..., :1])
    for _ in range(SWEEPS):
        v = (P.mT @ u).clamp_(min=tiny).reciprocal_()
        u = (P @ v).clamp_(min=tiny).reciprocal_()
    return P.mul_(u).mul_(v.mT)


def _settled(scores: Tensor) -> Tensor:
    """Scores of the size of one without their last digits, so that equal ones are equal."""
    return scores.round(decimals=DIGITS)


def _hardened(C: Tensor, soft: Tensor) -> Match:
    """Alternate assignments of rows and columns, the best for each other, from a soft one."""
    rows = _assigned(soft)
    for _ in range(HARD):
        columns = _assigned(C.T @ C[rows])
        before, rows = rows, _assigned(C @ C[:, columns].T)
        if torch.equal(before, rows):
            break
    return Match(rows, columns, fit(C, rows, columns))


def _assigned(scores: Tensor) -> Tensor:
    """The permutation with the largest sum of scores, the same wherever some are equal."""
    return torch.from_numpy(linear_sum_assignment(_settled(scores).numpy(), maximize=True)[1])
