"""Products with one-hot pairs x = e_a ‖ e_b: sums of a few rows and entries, no multiplications."""

from __future__ import annotations

import torch
from torch import Tensor


def columns(y: Tensor, M: Tensor) -> Tensor:
    """M times the codes of the pairs ``y`` (N′, 2), shape (2n, N′)."""
    n = M.shape[0] // 2
    return (M[y[:, 0]] + M[n + y[:, 1]]).T.contiguous()


def sum_rows(x: Tensor, table: Tensor, out: Tensor | None = None) -> Tensor:
    """The codes of the pairs ``x`` (N, 2) times a ``table`` (2n, N′): its rows a and n+b, added."""
    out = torch.index_select(table, 0, x[:, 0], out=out)
    return out.add_(table.index_select(0, table.shape[0] // 2 + x[:, 1]))


def inner_products(x: Tensor, y: Tensor, M: Tensor) -> Tensor:
    """xᵀMx′ for one-hot pairs without a matrix product.

    xᵀMx′ = M[a, a′] + M[a, n+b′] + M[n+b, a′] + M[n+b, n+b′].

    Args:
        x: (N, 2) int64 positions (a, b), on the device of ``M``.
        y: (N′, 2) int64 positions (a′, b′).
        M: (2n, 2n), symmetric.

    Returns:
        (N, N′), dtype of ``M``.
    """
    return sum_rows(x, columns(y, M))


def squared_norms(x: Tensor, M: Tensor) -> Tensor:
    """xᵀMx for one-hot pairs ``x`` (N, 2); returns (N,)."""
    a, b = x[:, 0], M.shape[0] // 2 + x[:, 1]
    return M[a, a] + M[b, b] + 2 * M[a, b]
