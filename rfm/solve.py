"""The one place where a kernel matrix is factorised: Cholesky, its jitter and its warning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from rfm.arguments import ordinary, real

# Tried in turn, in units of the mean diagonal; each can lift a pivot above the rule's N·ε.
JITTERS = {torch.float64: (1e-10, 1e-8, 1e-6), torch.float32: (1e-4, 1e-3, 1e-2)}


class JitterWarning(RuntimeWarning):
    """A kernel matrix was singular to working precision and was solved with a ridge added."""


class SingularKernelError(RuntimeError):
    """A kernel matrix could not be factorised, even with the largest jitter."""


@dataclass(frozen=True, eq=False)
class Factor:
    """K + (λ + jitter) I = L Lᵀ.

    Attributes:
        L: (N, N) lower triangular.
        ridge: what was added to the diagonal in all, λ + jitter.
        jitter: the part of it that nobody asked for, 0 for a regular matrix.
        largest: the largest entry of K, which stands on its diagonal.
    """

    L: Tensor
    ridge: float
    jitter: float
    largest: float

    def solve(self, Y: Tensor) -> Tensor:
        """(K + ridge·I)⁻¹ Y, shape of ``Y`` (N, c), by two triangular solves.

        Raises:
            ValueError: if Y is no such matrix with the dtype and device of L.
        """
        wanted = self.L.dtype, self.L.device, len(self.L)
        if not isinstance(Y, Tensor) or Y.ndim != 2 or (Y.dtype, Y.device, len(Y)) != wanted:
            raise ValueError(
                f"Y must be a matrix of {len(self.L)} rows with the dtype and device of L"
            )
        half = torch.linalg.solve_triangular(self.L, Y, upper=False)
        return torch.linalg.solve_triangular(self.L.mT, half, upper=True)

    @property
    def condition(self) -> float:
        """(max L_ii / min L_ii)², a lower bound on the 2-norm condition number."""
        pivots = self.L.diagonal()
        return float((pivots.max() / pivots.min()) ** 2)


def factorise(
    K: Tensor, ridge: float = 0.0, out: Tensor | None = None, *, warn: bool = True
) -> Factor:
    """Cholesky factor of K + λI by a rule that does not depend on rounding luck.

    A matrix whose smallest pivot L_ii² is below N·ε of its largest counts as singular, whether or
    not the factorisation happened to go through; ε is the unit roundoff of the dtype. Then
    1e-10, 1e-8, 1e-6 times the mean diagonal (in single precision 1e-4, 1e-3, 1e-2) is added in
    turn until the pivots are large enough, with a :class:`JitterWarning`.

    Args:
        K: (N, N) symmetric positive semi-definite, float64 or float32, of which the lower triangle
            is read. Its diagonal is overwritten.
        ridge: λ ≥ 0, in units of K.
        out: optional (N, N) tensor for the factor.
        warn: whether a jitter is told by a warning; ``Factor.jitter`` tells it in any case.

    Raises:
        ValueError: if K is no square matrix of that kind, or the ridge is not a finite number of at
            least 0.
        SingularKernelError: if K has entries that are not finite, has vanished, or no jitter
            helped.
    """
    _check(K, out)
    ridge = real(ridge, "ridge", "a finite number of at least 0", 0)
    N, finite = K.shape[0], torch.finfo(K.dtype)
    diagonal = K.diagonal().clone()
    scale, largest = torch.stack([diagonal.mean(), diagonal.max()]).tolist()
    if abs(scale) + ridge <= finite.tiny / finite.eps:
        raise SingularKernelError(
            f"kernel matrix of size {N} has vanished: its mean diagonal is {scale:.1e}"
        )
    info = torch.empty((), dtype=torch.int32, device=K.device)
    L = torch.empty_like(K).mT if out is None else out
    for jitter in (0.0, *(j * scale for j in JITTERS[K.dtype])):
        K.diagonal().copy_(diagonal + (ridge + jitter))
        torch.linalg.cholesky_ex(K, out=(L, info))
        failed, least, most = torch.stack([info.to(L.dtype), *L.diagonal().aminmax()]).tolist()
        if not failed and least**2 > N * finite.eps * most**2:
            if jitter and warn:
                tell_jitter(N, jitter)
            return Factor(L, ridge + jitter, jitter, largest)
    if not bool(torch.isfinite(K).all()):
        raise SingularKernelError(
            f"kernel matrix of size {N} has entries that are not finite; the features have "
            "overflowed or a kernel parameter is out of range"
        )
    raise SingularKernelError(
        f"kernel matrix of size {N} is singular even with {JITTERS[K.dtype][-1]:.0e} of its mean "
        "diagonal added; use a larger ridge, or double precision"
    )


def tell_jitter(N: int, jitter: float) -> None:
    """Warn of what was added to the diagonal of a kernel matrix of size N."""
    warnings.warn(
        f"kernel matrix of size {N} is singular to working precision: "
        f"{jitter:.1e} added to its diagonal",
        JitterWarning,
        stacklevel=3,
    )


def _check(K: Tensor, out: Tensor | None) -> None:
    for name, matrix in (("K", K), ("out", K if out is None else out)):
        square = isinstance(matrix, Tensor) and matrix.ndim == 2 and len(matrix) == matrix.shape[1]
        if not square or not len(matrix) or matrix.dtype not in JITTERS:
            what = getattr(matrix, "dtype", type(matrix)), tuple(getattr(matrix, "shape", ()))
            raise ValueError(f"{name} must be a square float64 or float32 matrix, not {what}")
        ordinary(matrix, name)
        if matrix.requires_grad or matrix.shape != K.shape:
            raise ValueError(f"{name} must be a matrix of K's size, without gradient")
