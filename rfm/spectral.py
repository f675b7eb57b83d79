"""Powers and products of metrics in which zero stays zero."""

from __future__ import annotations

import torch
from torch import Tensor

from rfm.arguments import real, square


def matrix_power(M: Tensor, s: float) -> Tensor:
    """M^s of a symmetric positive semi-definite M, by eigendecomposition.

    An eigenvalue below 10·d·ε of the largest, negative ones included, is zero to working precision
    and is set to zero: a root would turn rounding of size ε into features of size ε^s.

    Raises:
        ValueError: if s is not positive, or M is not a symmetric matrix of finite
            numbers in double or single precision.
    """
    s = real(s, "power", "a positive finite number", 0)
    if s == 0:
        raise ValueError("power must be a positive finite number, not 0")
    M = square(M, "M")
    if M.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"M must be in double or single precision, not {M.dtype}")
    values, vectors = torch.linalg.eigh(M)
    values = torch.where(values > floor(values), values, 0.0) ** s
    return (vectors * values) @ vectors.T


def sandwich(M: Tensor, inner: Tensor) -> Tensor:
    """M · inner · M for a positive semi-definite M, with the null directions of M kept exactly.

    They can be the large ones of ``inner``. In plain products they come back as rounding, and a
    root would turn that into features. So the product is taken on the range of M.
    """
    values, vectors = torch.linalg.eigh(M)
    inside = values > floor(values)
    values, vectors = values[inside], vectors[:, inside]
    core = values[:, None] * (vectors.T @ inner @ vectors) * values
    product = vectors @ core @ vectors.T
    return (product + product.T) / 2


def floor(values: Tensor) -> Tensor:
    """Below this, eigenvalues in ascending order are zero to working precision."""
    return 10 * len(values) * torch.finfo(values.dtype).eps * values[-1]
