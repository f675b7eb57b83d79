"""The kernel machine on one-hot pairs, and the average gradient outer product (AGOP) of its fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from rfm.arguments import instance, pairs_below
from rfm.kernels import Kernel, metric
from rfm.pieces import samples_at_a_time
from rfm.solve import Factor, factorise

# A lead smaller than this, relative to the scores, is rounding and counts as a tie.
TIE = {torch.float64: 1e-9, torch.float32: 1e-4}
SHRUNK = 1e-3  # |f| on the training set below which Y − λα has lost digits of it


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
        *,
        warn: bool = True,
    ) -> KernelMachine:
        """Solve (K + λI) α = Y: one kernel matrix, one factorisation.

        Args:
            train: (N, 2) int64.
            targets: (N, c), dtype and device of ``M``.
            kernel: the kernel.
            M: (2n, 2n), symmetric.
            ridge: λ ≥ 0.
            scratch: two (N, N) tensors to overwrite with the kernel matrix and its factor, see
                ``rfm.machine.scratch``; the factor of the returned machine then lives there.
            warn: whether a jitter is told by a :class:`rfm.JitterWarning`.

        Raises:
            ValueError: if the arguments do not fit together.
            rfm.SingularKernelError: if K cannot be factorised.
        """
        instance(kernel, Kernel, "kernel")
        M = metric(M)
        train = pairs_below(train, len(M) // 2)
        if not isinstance(targets, Tensor) or targets.ndim != 2 or len(targets) != len(train):
            raise ValueError("targets must be a matrix with one row for each training pair")
        if targets.dtype != M.dtype:
            raise ValueError(f"targets must have the dtype of M, not {targets.dtype}")
        targets = targets.detach()
        K, L = scratch or (None, None)
        K = kernel.values(train, train, M, out=K)
        factor = factorise(K, ridge, out=L, warn=warn)
        return cls(kernel, M, train, targets, factor.solve(targets), factor)

    def predict(self, pairs: Tensor) -> Tensor:
        """f at ``pairs`` (N′, 2), shape (N′, c).

        Raises:
            ValueError: if these are not pairs of positions.
        """
        n = len(self.M) // 2
        return torch.cat(
            [
                self.kernel.values(self.train, some, self.M).T @ self.coefficients
                for some in pairs_below(pairs, n).split(samples_at_a_time(n, self.M.device))
            ]
        )

    def train_predictions(self) -> Tensor:
        """f at the training pairs, (N, c): Y − λα, which needs no product.

        Where the ridge leaves next to nothing of Y the difference is rounding, and the product is
        taken.
        """
        return self._fitted[0].clone()

    @cached_property
    def _fitted(self) -> tuple[Tensor, float]:
        """f at the training pairs, and its largest absolute value."""
        f = self.targets - self.factor.ridge * self.coefficients
        if (largest := float(f.abs().max())) > SHRUNK:
            return f, largest
        f = self.predict(self.train)
        return f, float(f.abs().max())

    @cached_property
    def resolution(self) -> float:
        """The lead of a class over another up to which it is rounding, and counts as a tie.

        f(x) is a sum of N products k α, and its rounding grows with S_c, the sum of the absolute
        values of α_ic over the samples i, which a jitter or a large condition number makes large:
        10 ε max k max_c S_c. Besides, M carries the rounding of earlier iterations: 1e-9 (1e-4 in
        float32) of the largest absolute value of f on the training set, or of 1, the target, if
        that is less. The larger of the two counts.
        """
        eps, α = torch.finfo(self.M.dtype).eps, self.coefficients
        sums = 10 * eps * self.factor.largest * float(α.abs().sum(0).max())
        return max(sums, TIE[self.M.dtype] * min(1.0, self._fitted[1]))

    def agop(self, centred: bool = True) -> Tensor:
        """Average gradient outer product of the fit over the training set, (2n, 2n).

        AGOP = (1/N) Σ_{j,c} (g_jc − ḡ_c)(g_jc − ḡ_c)ᵀ, g_jc the gradient of output c at x_j. The
        sum is the kernel's, :meth:`rfm.Kernel.gradient_products`.

        Args:
            centred: subtract the mean gradient ḡ_c of each output, as the paper's released code
                does; False gives the raw average of the paper's text.

        Raises:
            ValueError: if ``centred`` is not a bool.
            ArithmeticError: if the gradients are lost in rounding.
        """
        total = self.kernel.gradient_products(self.train, self.coefficients, self.M, centred)
        return total / len(self.train)


def scratch(N: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Two (N, N) buffers for :meth:`KernelMachine.fit`, the second laid out for the factor."""
    return like.new_empty(N, N), like.new_empty(N, N).mT
