"""Is a kernel right? Its methods against automatic differentiation on dense vectors."""

from __future__ import annotations

from contextlib import suppress

import pandas as pd
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from rfm.arguments import instance
from rfm.kernels import Kernel, RadialKernel, derivative
from rfm.spectral import RoundingError
from rfm.tasks import subtraction

TOLERANCE = 1e-6  # relative to the largest number compared
COINCIDE = 1e-12  # squared distance below which two samples are one


def check_kernel(kernel: Kernel) -> pd.DataFrame:
    """Try out a kernel, and say how far it is from what its profile says.

    Compared are, in double precision, on x − y in Z_2 × Z_3 under a metric of full rank, under one
    that makes samples coincide (u = 0), and under the identity, where a run starts and the inner
    product of samples that share no operand is 0:

    - **each number by itself**: the profile of many numbers, and of one at a time;
    - **value**: :meth:`rfm.Kernel.gram`, and the profile at dense ‖x − x′‖²_M or xᵀMx′;
    - **weight**: :meth:`rfm.Kernel.weights`, and the derivative of the profile by torch;
    - **AGOP**, raw and centred: that of :class:`rfm.KernelMachine`, and the same from Jacobians of
      f(x) on dense vectors x by automatic differentiation.

    A radial weight at u = 0 multiplies a difference of length zero; that it does no harm is seen in
    the AGOP.

    Args:
        kernel: the kernel.

    Returns:
        One row for each of these: ``difference``, the largest, relative to the largest number.

    Raises:
        ValueError: if ``kernel`` is not a kernel, is not made of torch's operations, gives numbers
            that are not finite, or differs by more than 1e-6.
    """
    instance(kernel, Kernel, "kernel")
    task, generator = subtraction(2, 3), torch.Generator().manual_seed(0)
    d, x = task.dimension, task.samples
    root = torch.randn(d, d, generator=generator, dtype=torch.float64) / 4
    α = torch.randn(len(x), task.n, generator=generator, dtype=torch.float64)
    low = root[:, :5].clone()
    low[1] = low[0]  # the first two elements in the first place look alike
    metrics = {"": root @ root.T, " (far apart)": 9 * root @ root.T, " (coinciding)": low @ low.T}
    metrics[" (identity)"] = torch.eye(d, dtype=torch.float64)
    differences = {}
    for where, M in metrics.items():
        X, w = task.one_hot(x), kernel.weights(x, x, M)
        gradient = float(w.abs().max() * α.abs().sum() * M.abs().max())
        noise = 1e-14 * gradient * gradient  # of an AGOP
        for name, (found, expected) in _compared(kernel, X, x, α, M).items():
            scale = float(expected.abs().max()) or 1.0
            if "AGOP" in name:
                scale += noise / TOLERANCE
            off = float((found - expected).abs().max()) / scale
            if not off <= TOLERANCE:
                raise ValueError(
                    f"{kernel!r} fails the check of its {name}{where}: it is off by {off:.1e} of "
                    "the largest number, or not finite"
                )
            differences[name + where] = off
    return pd.DataFrame({"difference": differences}).rename_axis("checked")


def _compared(
    kernel: Kernel, X: Tensor, x: Tensor, α: Tensor, M: Tensor
) -> dict[str, tuple[Tensor, Tensor]]:
    """What is compared under a metric, found and expected, by name."""
    radial = isinstance(kernel, RadialKernel)
    u = _argument(radial, X[:, None], X[None], M)
    profile = kernel.checked(kernel.profile, u.clone())
    ones = torch.cat([kernel.profile(one.clone()) for one in u.flatten()[:, None]])
    slope = (-2 if radial else 1) * derivative(kernel.profile, u)
    apart = (u > COINCIDE) | (not radial)
    found = {
        "profile, each number by itself": (profile.flatten(), ones),
        "value": (kernel.gram(x, x, M), profile),
        "weight": (kernel.weights(x, x, M)[apart], slope[apart]),
    }
    J = torch.stack([_gradients(kernel, at, X, α, M) for at in X])  # (N, c, d)
    with suppress(RoundingError):  # of a narrow kernel, where samples coincide
        found["raw AGOP"] = kernel.gradient_products(x, α, M, False) / len(x), _agop(J)
        centred = kernel.gradient_products(x, α, M, True) / len(x)
        found["centred AGOP"] = centred, _agop(J - J.mean(0))
    return found


def _argument(radial: bool, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
    """‖x − y‖²_M or xᵀMy of dense vectors, along the last axis, others broadcast."""
    left, right = (x - y, x - y) if radial else (x, y)
    u = ((left @ M) * right).sum(-1)
    return torch.where(u.abs() < COINCIDE, 0.0, u) if radial else u


def _gradients(kernel: Kernel, at: Tensor, X: Tensor, α: Tensor, M: Tensor) -> Tensor:
    """The gradients (c, d) of f at a dense vector, without the samples that coincide with it."""
    radial = isinstance(kernel, RadialKernel)
    others = (_argument(radial, at, X, M) > COINCIDE) | (not radial)
    centres, their_α = X[others], α[others]

    def f(x: Tensor) -> Tensor:
        left, right = (x - centres, x - centres) if radial else (x, centres)
        return kernel.profile(((left @ M) * right).sum(-1)) @ their_α

    return jacobian(f, at)


def _agop(J: Tensor) -> Tensor:
    """The mean over samples of Σ_c g gᵀ, (d, d), from the gradients ``J`` (N, c, d)."""
    return torch.einsum("ncd,nce->de", J, J) / len(J)
