"""Metrics to start from instead of the identity, and what can be taken from them or given them.

A recursive feature machine keeps every symmetry that its training set and its start have in common
(equivariance). So what a start must have or lack to fall into a trap is found by symmetrising a
random one under one group after another.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from rfm.arguments import instance, integer, members, square
from rfm.equivalence import Equivalence
from rfm.products import TableTask
from rfm.seeds import Seed, generator
from rfm.symmetry import Symmetry


def wishart(task: TableTask, seed: Seed, width: int = 256) -> Tensor:
    """W Wᵀ / width with independent normal entries in W (2n, width): a random metric (2n, 2n).

    Its mean is the identity, its entries are off it by about width^(−1/2), and its rank is the
    width where that is below 2n.

    Raises:
        ValueError: for what is no task or seed, or a width below 1.
    """
    instance(task, TableTask, "task")
    width = integer(width, "width", 1)
    W = torch.randn(task.dimension, width, generator=generator(seed), dtype=torch.float64)
    return W @ W.T / width


def entry_orbits(moves: Iterable[Symmetry | Equivalence]) -> Tensor:
    """Which entries of a symmetric matrix some maps of a task lead to, (2n, 2n) int64.

    Two entries have the same number if the group that the maps generate, or transposition, takes
    one to the other. The group is not listed.

    Raises:
        ValueError: unless they are one or more symmetries and equivalences of one task.
    """
    moves = members(moves, "moves")
    for g in moves:
        if not isinstance(g, Symmetry | Equivalence):
            raise ValueError(f"moves must be symmetries or equivalences, not {g!r:.200}")
        if g.task != moves[0].task:
            raise ValueError(f"moves must be of one task, not of {moves[0].task} and {g.task}")
    if not moves:
        raise ValueError("moves must be one or more symmetries or equivalences")
    d = moves[0].task.dimension
    orbit, maps = torch.arange(d * d).view(d, d), [g.coordinates() for g in moves]
    while True:  # every entry takes the least number that a map leads to, or comes from
        before = orbit
        for c in maps:
            back = torch.empty_like(orbit)
            back[c[:, None], c] = orbit
            orbit = torch.minimum(orbit, torch.minimum(orbit[c][:, c], back))
        orbit = torch.minimum(orbit, orbit.T)
        if torch.equal(orbit, before):
            return orbit


def averaged(M: Tensor, orbits: Tensor) -> Tensor:
    """M with each entry replaced by the mean over its orbit, as of :func:`entry_orbits`.

    Raises:
        ValueError: if M is no symmetric matrix of finite numbers, or ``orbits`` of another shape.
    """
    M = square(M, "M")
    if not isinstance(orbits, Tensor) or orbits.shape != M.shape or orbits.dtype != torch.int64:
        raise ValueError(f"orbits must be an int64 tensor of shape {tuple(M.shape)}")
    label = orbits.flatten().unique(return_inverse=True)[1]
    sums = M.new_zeros(int(label.max()) + 1).index_add_(0, label, M.flatten())
    return (sums / torch.bincount(label))[label].view(M.shape)


def symmetrised(M: Tensor, moves: Iterable[Symmetry | Equivalence]) -> Tensor:
    """The mean of Π(g) M Π(g)ᵀ over the group that some maps of a task generate, (2n, 2n).

    It is positive if M is, and has all symmetries exactly.

    Args:
        M: (2n, 2n) symmetric.
        moves: one or more symmetries and equivalences of one task.

    Raises:
        ValueError: if M is no symmetric matrix of finite numbers with the shape of the task, or for
            other moves.
    """
    orbits = entry_orbits(moves)
    return averaged(square(M, "M", len(orbits)), orbits)
