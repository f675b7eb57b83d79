"""Powers and products of metrics in which zero stays zero."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from rfm.arguments import real, square

SEEN = 1e-10  # share of an AGOP that the rounding of its sum may have
LOST = 1e-3  # share of a gradient that its own rounding may have


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


class VanishedError(ArithmeticError):
    """A metric has vanished, overflowed or is not finite: nothing can be learned with it."""


def sound(matrix: Tensor, name: str) -> Tensor:
    """The matrix, after making sure that its entries are finite and not lost in underflow.

    Raises:
        VanishedError: if they are not.
    """
    largest, finite = float(matrix.abs().max()), torch.finfo(matrix.dtype)
    if not math.isfinite(largest):  # the maximum of what has a NaN is NaN
        raise VanishedError(f"the {name} has overflowed or is not finite")
    if largest <= finite.tiny / finite.eps:
        raise VanishedError(f"the {name} has vanished: its largest entry is {largest:.1e}")
    return matrix


class RoundingError(ArithmeticError):
    """What was to be computed is smaller than the rounding of what it is the difference of."""


def nonzero(M: Tensor) -> tuple[Tensor, Tensor]:
    """The eigenvectors (2n, r) of a symmetric M whose eigenvalues (r,) are not zero, and these."""
    values, vectors = torch.linalg.eigh(M)
    inside = values.abs() > floor(values)
    return vectors[:, inside], values[inside]


def outer_products(M: Tensor, squared: Callable[[Tensor | None], Tensor]) -> Tensor:
    """Σ g gᵀ of gradients g = M h, with the null directions of M kept exactly.

    Those can be the large ones of h. In plain products they come back as rounding, and a root
    would turn that into features. So the product is taken on the range of M; and where rounding
    of Σ h hᵀ would still be seen in the result, every h goes to the range before it is squared.

    Args:
        M: (2n, 2n), symmetric.
        squared: gives Σ h hᵀ, (2n, 2n), for None, and Σ Rh (Rh)ᵀ for a matrix R.

    Raises:
        RoundingError: if the rounding of h itself is larger than what is left of it.
    """
    vectors, values = nonzero(M)
    inner, eps = squared(None), torch.finfo(M.dtype).eps
    core = values[:, None] * (vectors.T @ inner @ vectors) * values
    of_h, of_M, of_core = torch.stack([x.abs().max() for x in (inner, values, core)]).tolist()
    size = of_h**0.5 * of_M  # of M h without cancelling
    if eps * size**2 > SEEN * of_core:
        core = squared(values[:, None] * vectors.T)
        if eps * size > LOST * float(core.abs().max()) ** 0.5:
            raise RoundingError("the gradients are lost in the rounding of what they are sums of")
    product = vectors @ core @ vectors.T
    return (product + product.T) / 2


def floor(values: Tensor) -> Tensor:
    """Below this, eigenvalues are zero to working precision, in absolute value."""
    return 10 * len(values) * torch.finfo(values.dtype).eps * values.abs().max()
