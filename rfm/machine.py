"""The kernel machine on one-hot pairs, and the average gradient outer product (AGOP) of its fit."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from rfm.kernels import Kernel
from rfm.solve import Factor, factorise

CHUNK = 128  # rows handled at a time; keeps temporaries near the processor's cache


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
        With one-hot pairs g_jc = M h_jc, and coordinate u of h_jc = Σ_i α_ic w_ij x_i is a sum over
        the samples i whose first (u < n) or second (u ≥ n) operand is u: a product grouped by
        operand, 2N²c multiplications where the gradient tensor takes N²cd. For a radial kernel
        x_i − x_j stands for x_i, so Σ_i α_ic w_ij is subtracted at the two coordinates of x_j.

        Args:
            centred: subtract the mean gradient ḡ_c of each output, as the paper's released code
                does; False gives the raw average of the paper's text.
        """
        (N, c), n = self.targets.shape, self.M.shape[0] // 2
        a, b = self.train.unbind(1)
        grouped = [_group_by(operand, self.coefficients, n) for operand in (a, b)]
        total = torch.zeros_like(self.M)
        sums = self.M.new_zeros(2 * n, c)
        for j in torch.arange(N, device=a.device).split(CHUNK):
            w = self.kernel.weights(self.train, self.train[j], self.M)  # (N, m)
            h = w.new_empty(2 * n, len(j), c)
            for half, (members, α) in zip(h.split(n), grouped, strict=True):
                _grouped_product(w, members, α, out=half)
            if self.kernel.translation_invariant:
                own = h[:n].sum(0)  # Σ_i α_ic w_ij, (m, c)
                column = torch.arange(len(j), device=a.device)
                h[a[j], column] -= own
                h[n + b[j], column] -= own
            sums += h.sum(1)
            h = h.flatten(1)
            total[:n, :n].addmm_(h[:n], h[:n].T)
            total[n:].addmm_(h[n:], h.T)
        total[:n, n:] = total[n:, :n].T
        if centred:
            total.addmm_(sums, sums.T, alpha=-1 / N)
        agop = self.M @ total @ self.M / N
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


def _group_by(operand: Tensor, coefficients: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Training samples listed by operand: members (n·k,), and their coefficients (n, k, c).

    k is the size of the largest group; shorter ones are filled up with coefficient zero.
    """
    order = torch.argsort(operand, stable=True)
    counts = torch.bincount(operand, minlength=n)
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(operand), device=operand.device) - starts[operand[order]]
    members = operand.new_zeros(n, int(counts.max()))
    α = coefficients.new_zeros(*members.shape, coefficients.shape[1])
    members[operand[order], place] = order
    α[operand[order], place] = coefficients[order]
    return members.flatten(), α


def _grouped_product(w: Tensor, members: Tensor, α: Tensor, out: Tensor) -> None:
    """Write to ``out`` (n, m, c): for each group, the sum of w_ij α_ic over its members i."""
    n, k, _ = α.shape
    torch.bmm(w.index_select(0, members).view(n, k, -1).mT, α, out=out)
