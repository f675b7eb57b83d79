"""Tables and matrices whose rows and columns go by other names."""

from __future__ import annotations

import torch
from torch import Tensor

from rfm.arguments import square
from rfm.seeds import Seed, generator


def blocks(M: Tensor) -> Tensor:
    """The same matrix, after making sure that it is one of two operands with n coordinates each.

    Raises:
        ValueError: if it is not a symmetric matrix of finite numbers with 2n rows, n ≥ 2.
    """
    M = square(M, "M")
    if len(M) % 2 or len(M) < 4:
        raise ValueError(f"M must have 2n rows, n of at least 2 for each operand, not {len(M)}")
    return M


def shuffled(M: Tensor, seed: Seed) -> tuple[Tensor, Tensor, Tensor]:
    """A feature matrix with the coordinates of each operand in a random order, and the two orders.

    Returns:
        The new matrix (2n, 2n), ``rows`` and ``columns``, (n,) int64: coordinate i of the first
        operand is now what ``rows[i]`` was before, of the second what ``columns[i]`` was.

    Raises:
        ValueError: if M is not a symmetric matrix of finite numbers with 2n rows, or for a seed
            that is none.
    """
    M, drawn = blocks(M), generator(seed)
    n = len(M) // 2
    rows, columns = (torch.randperm(n, generator=drawn) for _ in range(2))
    both = torch.cat([rows, n + columns])
    return M[both][:, both], rows, columns


def same_law(table: Tensor, other: Tensor) -> bool:
    """Whether two tables are equal but for the names of their entries.

    Args:
        table: (m, n) int64.
        other: (m, n) int64.

    Raises:
        ValueError: unless they are int64 tensors of one shape, with an entry.
    """
    for one in (table, other):
        if not isinstance(one, Tensor) or one.dtype != torch.int64 or not one.numel():
            raise ValueError("the tables must be int64 tensors with one or more entries")
    if table.shape != other.shape:
        raise ValueError(f"the tables must have one shape, not {table.shape} and {other.shape}")
    pairs = torch.stack([table.flatten(), other.flatten()], 1).unique(dim=0)
    return len(pairs) == len(table.unique()) == len(other.unique())
