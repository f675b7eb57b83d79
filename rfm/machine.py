"""The kernel machine on one-hot pairs, and the average gradient outer product (AGOP) of its fit."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from rfm.gradients import CHUNK
from rfm.kernels import Kernel
from rfm.solve import Factor, factorise


@dataclass(frozen=True, eq=False)
class KernelMachine:
    """f(x) = Σ_i α_i k_M(x, x_i), fitted by (K + λI) α = Y.

    Attributes:
        kernel: the kernel k.
        M: (2n, 2n) symmetric positive semi-definite metric.
        train: (N, 2) int64 pairs x_i.
        targets: (N, c) Y.
        coefficients: (N, c) α.
        factor: the Cholesky factor that α was solved with.
    """

    kernel: Kernel
    M: Tensor
    train: Tensor
    targets: Tensor
    coefficients: Tensor
    factor: Factor

    @classmethod
    def fit(
        cls,
        train: Tensor,
        targets: Tensor,
        kernel: Kernel,
        M: Tensor,
        ridge: float = 0.0,
        scratch: tuple[Tensor, Tensor] | None = None,
    ) -> KernelMachine:
        """Solve (K + λI) α = Y: one kernel matrix, one factorisation.

        Args:
            train: (N, 2) int64.
            targets: (N, c), dtype and device of ``M``.
            kernel: the kernel.
            M: (2n, 2n).
            ridge: λ ≥ 0.
            scratch: two (N, N) tensors to overwrite with the kernel matrix and its factor, see
                ``rfm.machine.scratch``; the factor of the returned machine then lives there.

        Raises:
            rfm.SingularKernelError: if K cannot be factorised.
        """
        K, L = scratch or (None, None)
        K = kernel.gram(train, train, M, out=K)
        factor = factorise(K, ridge, out=L)
        return cls(kernel, M, train, targets, factor.solve(targets), factor)

    def predict(self, pairs: Tensor) -> Tensor:
        """f at ``pairs`` (N′, 2), shape (N′, c)."""
        return torch.cat(
            [
                self.kernel.gram(self.train, chunk, self.M).T @ self.coefficients
                for chunk in pairs.split(CHUNK)
            ]
        )

    def train_predictions(self) -> Tensor:
        """f at the training pairs, (N, c): Y − λα, which needs no product."""
        return self.targets - self.factor.ridge * self.coefficients

    def agop(self, centred: bool = True) -> Tensor:
        """Average gradient outer product of the fit over the training set, (2n, 2n).

        AGOP = (1/N) Σ_{j,c} (g_jc − ḡ_c)(g_jc − ḡ_c)ᵀ, g_jc the gradient of output c at x_j.
        g_jc = M h_jc, and M is applied once, outside; the sum of the outer products of the h_jc is
        the kernel's, :meth:`rfm.Kernel.gradient_products`.

        Args:
            centred: subtract the mean gradient ḡ_c of each output, as the paper's released code
                does; False gives the raw average of the paper's text.
        """
        total = self.kernel.gradient_products(self.train, self.coefficients, self.M, centred)
        agop = self.M @ total @ self.M / len(self.train)
        return (agop + agop.T) / 2


def scratch(N: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Two (N, N) buffers for :meth:`KernelMachine.fit`, the second laid out for the factor."""
    return like.new_empty(N, N), like.new_empty(N, N).mT


def matrix_power(M: Tensor, s: float) -> Tensor:
    """M^s of a symmetric positive semi-definite M, by eigendecomposition.

    An eigenvalue below 10·d·ε of the largest, negative ones included, is zero to working precision
    and is set to zero: a root would turn rounding of size ε into features of size ε^s.

    Raises:
        ValueError: if s is not positive.
    """
    if not 0 < s < inf:
        raise ValueError(f"power must be positive and finite, not {s}")
    values, vectors = torch.linalg.eigh(M)
    floor = 10 * len(M) * torch.finfo(M.dtype).eps * values[-1]
    values = torch.where(values > floor, values, 0.0) ** s
    return (vectors * values) @ vectors.T
