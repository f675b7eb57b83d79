"""What lies exactly on a bound, and which of several steps is taken: nothing is left to chance."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from oracles import same

import rfm
from rfm.machine import scratch
from rfm.solve import JITTERS, Factor, JitterWarning, SingularKernelError, factorise


@pytest.mark.parametrize(
    ("dtype", "step"),
    [(dtype, i) for dtype in JITTERS for i in range(len(JITTERS[dtype]))],
    ids=str,
)
def test_the_first_jitter_that_is_enough_is_taken(dtype: torch.dtype, step: int) -> None:
    stated = {torch.float64: (1e-10, 1e-8, 1e-6), torch.float32: (1e-4, 1e-3, 1e-2)}
    jitter = stated[dtype][step]
    K = torch.diag(torch.tensor([1.0, 1.0, 1.0, -jitter / 2], dtype=dtype))  # its mean is near 3/4
    with pytest.warns(JitterWarning) as told:
        factor = factorise(K.clone(), ridge=0.0)
    assert factor.jitter == pytest.approx(jitter * float(K.diagonal().mean()), rel=1e-6)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert factorise(K.clone(), warn=False).jitter == factor.jitter


@pytest.mark.parametrize("scale", [2.0**-20, 1.0, 2.0**20])
@pytest.mark.parametrize("dtype", JITTERS, ids=str)
def test_a_pivot_is_singular_up_to_the_bound_and_not_beyond(
    dtype: torch.dtype, scale: float
) -> None:
    bound = 4 * torch.finfo(dtype).eps  # N ε, a power of 4 for N = 4, or twice one
    for pivot, jitter in ((bound, True), (4 * bound, False)):
        K = torch.diag(torch.tensor([1.0, 1.0, 1.0, pivot], dtype=dtype)) * scale
        assert (factorise(K, warn=False).jitter > 0) == jitter


@pytest.mark.parametrize("dtype", JITTERS, ids=str)
def test_a_matrix_has_vanished_up_to_the_bound_and_not_beyond(dtype: torch.dtype) -> None:
    finite = torch.finfo(dtype)
    for scale, vanished in ((1, True), (2, False)):
        K = torch.eye(3, dtype=dtype) * scale * finite.tiny / finite.eps
        if vanished:
            with pytest.raises(SingularKernelError, match="vanished"):
                factorise(K)
        else:
            assert factorise(K, warn=False).largest == scale * finite.tiny / finite.eps


# A machine put together by hand: its coefficients need not solve anything, so that what they make
# of a point and what is left of the targets are told apart.

DTYPES = {torch.float64: 1e-9, torch.float32: 1e-4}


def by_hand(
    dtype: torch.dtype, targets: list[list[float]], α: list[list[float]], ridge: float = 0.0
) -> rfm.KernelMachine:
    L = torch.eye(2, dtype=dtype)
    return rfm.KernelMachine(
        rfm.Gaussian(),
        torch.eye(10, dtype=dtype),
        torch.tensor([[0, 1], [2, 3]]),
        torch.tensor(targets, dtype=dtype),
        torch.tensor(α, dtype=dtype),
        Factor(L, ridge, 0.0, 3.0),
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [0.25, 1.0, 4.0])
def test_a_tie_is_a_share_of_the_scores_and_at_most_of_one(dtype: torch.dtype, size: float) -> None:
    machine = by_hand(dtype, [[size, 0.0], [0.0, -size / 2]], [[0.0, 0.0], [0.0, 0.0]])
    assert machine.resolution == pytest.approx(DTYPES[dtype] * min(size, 1.0), rel=1e-12)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_tie_grows_with_the_coefficients_of_one_class(dtype: torch.dtype) -> None:
    eps = 2.0**-52 if dtype == torch.float64 else 2.0**-23
    α = [[1e12, 3e12], [-2e12, -4e12]]
    machine = by_hand(dtype, [[1.0, 0.0], [0.0, 1.0]], α)
    assert machine.resolution == pytest.approx(10 * eps * 3.0 * 7e12, rel=1e-6)


def test_training_predictions_are_a_difference_until_that_has_lost_its_digits() -> None:
    α = [[4e-4, 0.0], [0.0, 0.0]]
    for target, product in ((1e-3, True), (1.5e-3, False)):  # up to 1e-3 of it the product is taken
        machine = by_hand(torch.float64, [[target, 0.0], [0.0, 0.0]], α)
        found = machine.train_predictions()
        expected = machine.predict(machine.train) if product else machine.targets
        assert torch.equal(found, expected)
        assert machine.resolution == pytest.approx(1e-9 * float(expected.max()), rel=1e-12)
    machine = by_hand(torch.float64, [[1.0, 0.0], [0.0, 0.0]], α, ridge=1e3)
    assert float(machine.train_predictions()[0, 0]) == pytest.approx(1 - 0.4)


def test_a_machine_works_in_the_memory_it_is_given() -> None:
    x, M = torch.tensor([[0, 1], [2, 3], [4, 0]]), torch.eye(10, dtype=torch.float64)
    K, L = scratch(3, M)
    machine = rfm.KernelMachine.fit(x, M[:3, :4], rfm.Gaussian(), M, 0.5, (K, L))
    off = ~torch.eye(3, dtype=torch.bool)
    assert torch.equal(K[off], rfm.Gaussian().gram(x, x, M)[off])
    assert machine.factor.L.data_ptr() == L.data_ptr()


class Identity(rfm.RadialKernel):
    """φ(u) = u: what it returns is the squared distance itself."""

    def profile(self, u: torch.Tensor) -> torch.Tensor:
        return u.clone()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("scale", [1.0, 2.0**30])
def test_a_distance_that_entries_do_not_resolve_is_none(dtype: torch.dtype, scale: float) -> None:
    """Up to 8 ε of the diagonal entries of M that a distance is made of, all of them counted."""
    eps = torch.finfo(dtype).eps
    x, y = torch.tensor([[0, 0]]), torch.tensor([[1, 0], [0, 1], [0, 0]])
    for steps, seen in ((8, False), (9, True)):  # u = 2 · steps · ε, beside 8 ε (1 + 1)
        for block in (0, 2):  # of the first or of the second operand
            M = torch.zeros(4, 4, dtype=dtype)
            M[block : block + 2, block : block + 2] = scale * torch.tensor(
                [[1.0, 1 - steps * eps], [1 - steps * eps, 1.0]], dtype=dtype
            )
            u = Identity().gram(x, y, M)[0].tolist()
            apart = 2 * steps * eps * scale if seen else 0.0
            assert u == ([apart, 0.0, 0.0] if block == 0 else [0.0, apart, 0.0])


def test_weights_where_samples_coincide_and_where_they_do_not() -> None:
    x, M = torch.tensor([[0, 0], [1, 0]]), torch.eye(4, dtype=torch.float64) / 2  # u is 0 or 1
    same_pair, other = torch.eye(2, dtype=torch.float64), 1 - torch.eye(2, dtype=torch.float64)
    smooth = rfm.Gaussian(2.0).weights(x, x, M)
    same(smooth, (same_pair + math.exp(-1 / 8) * other) / 4, 1e-12)
    same(rfm.Laplace(2.0).weights(x, x, M), math.exp(-1 / 2) * other / 2, 1e-12)
    assert rfm.Gaussian().translation_invariant is True
    assert rfm.Quadratic().translation_invariant is False
