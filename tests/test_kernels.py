"""Kernels on one-hot pairs against dense formulas, and their weights against autodiff.

Two kernels that `rfm` does not have, defined in `oracles.py`, show what it takes to add one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from oracles import KERNELS, PROFILES, RADIAL, ROOTS, random_metric, random_pairs, same
from torch.func import grad, vmap

import rfm
from rfm.onehot import inner_products, squared_norms

TASK = rfm.subtraction(3, 4)
METRICS = {
    "identity": torch.eye(24, dtype=torch.float64),
    "random": random_metric(24, seed=1),
    "of rank 5": random_metric(24, seed=2, rank=5),
}

every_kernel = pytest.mark.parametrize("name", KERNELS)
every_metric = pytest.mark.parametrize("M", METRICS.values(), ids=METRICS)


def numpy_argument(name: str, x: torch.Tensor, y: torch.Tensor, M: torch.Tensor) -> NDArray:
    """‖x − x′‖²_M or xᵀMx′ of dense one-hot rows."""
    X, Y = TASK.one_hot(x).numpy(), TASK.one_hot(y).numpy()
    if name in RADIAL:
        gaps = X[:, None] - Y[None]
        return np.einsum("ijk,kl,ijl->ij", gaps, M.numpy(), gaps)
    return X @ M.numpy() @ Y.T


@every_kernel
@every_metric
def test_gram_is_the_dense_formula(name: str, M: torch.Tensor) -> None:
    x, y = random_pairs(TASK, 60, seed=3), random_pairs(TASK, 45, seed=4)
    expected = PROFILES[name](torch.from_numpy(numpy_argument(name, x, y, M)))
    found = KERNELS[name].gram(x, y, M)
    assert found.shape == (60, 45)
    same(found, expected, 1e-7 if name in ROOTS else 1e-13)


@every_kernel
@every_metric
def test_weights_are_the_derivative_of_the_profile(name: str, M: torch.Tensor) -> None:
    x, y = random_pairs(TASK, 60, seed=5), random_pairs(TASK, 45, seed=6)
    argument = torch.from_numpy(numpy_argument(name, x, y, M))
    slope = vmap(vmap(grad(PROFILES[name])))(argument)
    expected = -2 * slope if name in RADIAL else slope
    found = KERNELS[name].weights(x, y, M)
    apart = argument.abs() > 1e-9  # the root in a Matérn kernel has no derivative at 0
    same(found[apart], expected[apart], 1e-10)


@every_kernel
def test_gram_writes_where_it_is_told(name: str) -> None:
    M = METRICS["random"]
    x, y = random_pairs(TASK, 20, seed=7), random_pairs(TASK, 30, seed=8)
    frame = torch.full((40, 30), -1.0, dtype=torch.float64)
    found = KERNELS[name].gram(x, y, M, out=frame[5:25])
    assert found.data_ptr() == frame[5:25].data_ptr()
    assert (frame[5:25] == KERNELS[name].gram(x, y, M)).all()
    assert (frame[:5] == -1).all()
    assert (frame[25:] == -1).all()


@every_kernel
def test_arguments_stay_as_they_were(name: str) -> None:
    arguments = TASK.samples, TASK.samples[:30], METRICS["random"]
    given = [argument.clone() for argument in arguments]
    KERNELS[name].gram(*given)
    KERNELS[name].weights(*given)
    assert all(map(torch.equal, given, arguments))


@every_kernel
@every_metric
def test_gram_is_symmetric_and_positive_semi_definite(name: str, M: torch.Tensor) -> None:
    K = KERNELS[name].gram(TASK.samples, TASK.samples, M)
    same(K, K.T, 1e-7 if name in ROOTS else 1e-14)
    values = torch.linalg.eigvalsh(K)
    assert values[0] > -1e-6 * values[-1] if name in ROOTS else values[0] > -1e-13 * values[-1]


@every_kernel
def test_dtype_follows_the_metric(name: str, precision: tuple[torch.dtype, float]) -> None:
    dtype, tolerance = precision
    M = METRICS["random"]
    x = random_pairs(TASK, 50, seed=9)
    for method in ("gram", "weights"):
        found = getattr(KERNELS[name], method)(x, x[:20], M.to(dtype))
        assert found.dtype == dtype
        same(found.double(), getattr(KERNELS[name], method)(x, x[:20], M), 10 * tolerance)


@every_metric
def test_inner_products_and_norms_without_products(M: torch.Tensor) -> None:
    X = TASK.one_hot(TASK.samples)
    dense = X @ M @ X.T
    same(inner_products(TASK.samples, TASK.samples, M), dense, 1e-14)
    same(squared_norms(TASK.samples, M), dense.diagonal(), 1e-14)


def test_a_radial_kernel_is_one_at_distance_zero() -> None:
    for name in RADIAL:
        K = KERNELS[name].gram(TASK.samples, TASK.samples, METRICS["random"])
        assert (K <= 1).all()
        same(K.diagonal(), torch.ones(len(K), dtype=torch.float64), 1e-7)


def test_distances_never_turn_negative() -> None:
    """Rounding makes ‖x − x′‖² of equal points −1e-16 now and then; a root would not survive it."""
    for seed in range(20):
        M = random_metric(24, seed, rank=2)
        K = KERNELS["matern"].gram(TASK.samples, TASK.samples, M)
        assert torch.isfinite(K).all()


def test_the_gaussian_of_the_code_and_of_the_paper() -> None:
    identity = METRICS["identity"]
    x = torch.tensor([[0, 0], [0, 1], [1, 1]])  # distances² 0, 2, 4 from the first
    code = rfm.Gaussian().gram(x, x, identity)[0]
    assert code.tolist() == pytest.approx([1, math.exp(-2 / 12.5), math.exp(-4 / 12.5)], abs=1e-15)
    for L in (2.5, 0.7):
        paper = rfm.Gaussian.as_printed(L).gram(x, x, identity)[0]
        assert paper.tolist() == pytest.approx([1, math.exp(-2 / L), math.exp(-4 / L)], abs=1e-15)
    assert rfm.Gaussian.as_printed() == rfm.Gaussian.as_printed(2.5)
    assert rfm.Gaussian() == rfm.Gaussian(2.5)
    assert isinstance(rfm.Gaussian.as_printed(), rfm.Gaussian)


@pytest.mark.parametrize("bad", [0, -1.0, float("nan")])
def test_a_bandwidth_is_positive(bad: float) -> None:
    with pytest.raises(ValueError, match="bandwidth must be positive"):
        rfm.Gaussian(bad)
    with pytest.raises(ValueError, match="L must be positive"):
        rfm.Gaussian.as_printed(bad)


def test_kernels_are_values() -> None:
    assert rfm.Quadratic() == rfm.Quadratic()
    assert rfm.Gaussian(1.0) != rfm.Gaussian(2.0)
    assert len({rfm.Gaussian(1.0), rfm.Gaussian(1.0), rfm.Quadratic()}) == 2
    assert repr(rfm.Gaussian(1.0)) == "Gaussian(bandwidth=1.0)"
    assert repr(rfm.Quadratic()) == "Quadratic()"


def test_a_kernel_has_to_say_what_it_is() -> None:
    class Nothing(rfm.RadialKernel):
        pass

    with pytest.raises(TypeError, match="profile"):
        Nothing()
