"""A metric found by gradient descent on the leave-one-out error, instead of by recursion.

For (K + λI) α = Y the fit to all training points but x_i is wrong there by α_i / ((K + λI)⁻¹)_ii.
So the mean square of these errors is a function of the metric that torch can differentiate. It
needs no test point. :func:`search` walks down on it, to see whether there is a metric with which a
single fit learns what a recursive feature machine does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor
from torch.optim import Adam

from rfm.arguments import instance, integer, real, square
from rfm.immutable import Immutable
from rfm.judging import leads
from rfm.kernels import Kernel, RadialKernel
from rfm.seeds import Seed, generator
from rfm.spectral import matrix_power
from rfm.splits import Split


@dataclass(frozen=True, eq=False)
class Search(Immutable):
    """What :func:`search` found.

    Attributes:
        split: the split; only its training points were used.
        metric: M in the end, (2n, 2n) float64.
        table: one row for every so many steps, named by how many were done before. Columns:
            ``error``, the mean over training points of the squared leave-one-out error, and
            ``right``, the share of them that are right when left out.
    """

    split: Split
    metric: Tensor = field(repr=False)
    table: pd.DataFrame


def search(
    split: Split,
    kernel: Kernel,
    steps: int = 200,
    *,
    rate: float = 0.02,
    ridge: float = 1e-6,
    every: int = 20,
    M0: Tensor | None = None,
    seed: Seed = 0,
) -> Search:
    """Find a metric M = UUᵀ by Adam on the leave-one-out error of its factor U (2n, 2n).

    Args:
        split: the split.
        kernel: a kernel whose profile torch can differentiate.
        steps: how many steps.
        rate: the learning rate.
        ridge: λ, relative to the mean of the diagonal of K.
        every: a row of the table for every so many steps, and for the last.
        M0: (2n, 2n) symmetric, positive semi-definite, the metric to start from; U is its root.
        seed: an integer or a generator, for a random start where none is given: entries of U are
            normal, and M is four times the identity in the mean.

    Raises:
        ValueError: for arguments out of range.
        ArithmeticError: if the error is no longer finite.
    """
    instance(split, Split, "split")
    instance(kernel, Kernel, "kernel")
    steps, every = integer(steps, "steps", 1), integer(every, "every", 1)
    rate = real(rate, "rate", "a positive number", 5e-324)
    ridge = real(ridge, "ridge", "a positive number", 5e-324)
    task, d = split.task, split.task.dimension
    if M0 is None:
        U = torch.randn(d, d, generator=generator(seed), dtype=torch.float64) * 2 / d**0.5
    else:
        U = matrix_power(square(M0, "M0", d).cpu().double(), 0.5)
    U.requires_grad_()
    labels = split.train_labels
    Y = torch.eye(task.n, dtype=torch.float64)[labels]
    walk, rows = Adam([U], lr=rate), {}
    for step in range(steps + 1):
        wrong = left_out(split, kernel, U @ U.T, Y, ridge)
        error = wrong.square().sum(1).mean()
        if not bool(torch.isfinite(error)):
            raise ArithmeticError(f"after {step} steps the leave-one-out error is not finite")
        if step % every == 0 or step == steps:
            right = leads((Y - wrong).detach(), labels) > 1e-9
            rows[step] = {"error": float(error.detach()), "right": float(right.double().mean())}
        if step < steps:
            walk.zero_grad()
            error.backward()
            walk.step()
    found = U.detach()
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("step")
    return Search(split, found @ found.T, table)


def left_out(split: Split, kernel: Kernel, M: Tensor, Y: Tensor, ridge: float) -> Tensor:
    """By how much each training point is missed by the fit to all others, (N, c).

    Args:
        split: the split.
        kernel: the kernel.
        M: (2n, 2n) symmetric; what is returned can be differentiated by it.
        Y: (N, c) targets.
        ridge: λ, relative to the mean of the diagonal of K.
    """
    a, b = split.train.T
    b = split.task.n + b
    inner = M[a][:, a] + M[a][:, b] + M[b][:, a] + M[b][:, b]
    if isinstance(kernel, RadialKernel):
        squares = inner.diagonal()
        u = (squares[:, None] + squares - 2 * inner).clamp(min=0)
    else:
        u = inner
    K = kernel.profile(u)
    eye = torch.eye(len(K), dtype=K.dtype)
    inverse = torch.linalg.inv(K + ridge * K.diagonal().mean() * eye)
    return (inverse @ Y) / inverse.diagonal()[:, None]
