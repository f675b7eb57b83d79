"""The kernel machine, its factorisation and its AGOP.

AGOP and predictions are compared with a dense predictor and its Jacobians by `torch.func`.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from itertools import product

import mpmath
import pytest
import torch
from oracles import (
    KERNELS,
    ROOTS,
    dense_agop,
    dense_gram,
    dense_predictor,
    random_metric,
    random_pairs,
    same,
)
from torch import Tensor
from torch.func import vmap

import rfm
import rfm.machine
from rfm import JitterWarning, KernelMachine, SingularKernelError, Task, factorise, matrix_power


def without(task: Task, first: set[int], second: set[int]) -> Tensor:
    """All pairs but those with certain operands: a training set that never saw them."""
    pairs = [[a, b] for a, b in task.samples.tolist() if a not in first and b not in second]
    return torch.tensor(pairs)


PLUS, MINUS, PAIRS, TIMES = (
    rfm.addition(7),
    rfm.subtraction(8),
    rfm.addition(2, 4),
    rfm.multiplication(11),
)
TRAINING = {
    "half of x + y mod 7": (PLUS, random_pairs(PLUS, 25, seed=1)),
    "most of x - y mod 8": (MINUS, random_pairs(MINUS, 55, seed=2)),
    "some of x + y mod (2, 4)": (PAIRS, random_pairs(PAIRS, 20, seed=3)),
    "all of x * y mod 11": (TIMES, TIMES.samples),
    "operands that never occur": (PLUS, without(PLUS, {0, 3}, {6})),
    "one row of the table": (PLUS, torch.tensor([[2, b] for b in range(7)])),
    "lopsided": (
        PLUS,
        torch.tensor([[0, b] for b in range(7)] + [[a, 5] for a in range(1, 7)] + [[3, 3]]),
    ),
    "two points": (PLUS, torch.tensor([[2, 3], [4, 4]])),
}

every_kernel = pytest.mark.parametrize("name", KERNELS)
every_training_set = pytest.mark.parametrize("data", TRAINING.values(), ids=TRAINING)
either_centring = pytest.mark.parametrize("centred", [True, False], ids=["centred", "raw"])
either_ridge = pytest.mark.parametrize("ridge", [0.0, 0.3])


def dense_fit(
    name: str, task: Task, train: Tensor, M: Tensor, ridge: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Dense one-hot X and the coefficients α by LU."""
    X, Y = task.one_hot(train), task.one_hot_labels(train)
    K = dense_gram(name, X, X, M)
    return X, torch.linalg.solve(K + ridge * torch.eye(len(K), dtype=K.dtype), Y)


def machine_for(
    name: str, task: Task, train: Tensor, M: Tensor, ridge: float = 0.0
) -> KernelMachine:
    return KernelMachine.fit(train, task.one_hot_labels(train, M.dtype), KERNELS[name], M, ridge)


# ------------------------------------------------------------------------------------ fit, predict


@every_kernel
@every_training_set
@either_ridge
def test_fit_and_predict_are_the_dense_machine(name, data, ridge) -> None:
    task, train = data
    M = random_metric(task.dimension, seed=10)
    X, α = dense_fit(name, task, train, M, ridge)
    machine = machine_for(name, task, train, M, ridge)
    same(machine.coefficients, α, 1e-6 if name in ROOTS else 1e-9)
    everything = task.one_hot(task.samples)
    expected = vmap(dense_predictor(name, X, α, M))(everything)
    same(machine.predict(task.samples), expected, 1e-6 if name in ROOTS else 1e-9)


@every_kernel
@either_ridge
def test_coefficients_solve_the_system(name, ridge) -> None:
    task, train = TRAINING["most of x - y mod 8"]
    M = random_metric(task.dimension, seed=11)
    machine = machine_for(name, task, train, M, ridge)
    K = KERNELS[name].gram(train, train, M)
    Y = task.one_hot_labels(train)
    residual = K @ machine.coefficients + ridge * machine.coefficients - Y
    assert residual.abs().max() < 1e-11
    assert (machine.factor.ridge, machine.factor.jitter) == (ridge, 0.0)


@every_kernel
@pytest.mark.parametrize("ridge", [0.0, 0.3, 1e3])
def test_training_predictions_need_no_product(name, ridge) -> None:
    task, train = TRAINING["half of x + y mod 7"]
    machine = machine_for(name, task, train, random_metric(14, seed=12), ridge)
    same(machine.train_predictions(), machine.predict(train), 1e-8)


def test_training_predictions_count_the_jitter() -> None:
    train = torch.tensor([[0, 1], [2, 3], [0, 1]])
    with pytest.warns(JitterWarning):
        machine = machine_for("gaussian", PLUS, train, torch.eye(14, dtype=torch.float64))
    residual = machine.train_predictions() - machine.predict(train)
    assert residual.abs().max() < 1e-6
    assert machine.factor.jitter > 0


def test_the_order_of_samples_does_not_matter() -> None:
    task, train = TRAINING["all of x * y mod 11"]
    M = random_metric(task.dimension, seed=13)
    shuffled = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))]
    one, other = (machine_for("gaussian", task, pairs, M) for pairs in (train, shuffled))
    same(other.agop(), one.agop(), 1e-11)
    same(other.predict(task.samples), one.predict(task.samples), 1e-11)


def test_scratch_space_is_used_and_changes_nothing() -> None:
    task, train = TRAINING["all of x * y mod 11"]
    M = random_metric(task.dimension, seed=14)
    buffers = rfm.machine.scratch(len(train), like=M)
    Y = task.one_hot_labels(train)
    for _ in range(2):  # what an earlier fit left there does not matter
        machine = KernelMachine.fit(train, Y, rfm.Gaussian(), M, 0.1, buffers)
        assert machine.factor.L.data_ptr() == buffers[1].data_ptr()
        plain = KernelMachine.fit(train, Y, rfm.Gaussian(), M, 0.1)
        assert (machine.coefficients == plain.coefficients).all()


@pytest.mark.parametrize("chunk", [1, 3, 25, 26, 1000])
def test_predictions_do_not_depend_on_the_chunk(monkeypatch, chunk) -> None:
    task, train = TRAINING["half of x + y mod 7"]
    M = random_metric(14, seed=15)
    whole = machine_for("gaussian", task, train, M)
    expected = whole.predict(task.samples)
    monkeypatch.setattr(rfm.pieces, "SAMPLES", chunk)
    same(machine_for("gaussian", task, train, M).coefficients, whole.coefficients, 1e-12)
    same(whole.predict(task.samples), expected, 1e-12)


# -------------------------------------------------------------------------------------------- AGOP


@every_kernel
@every_training_set
@either_centring
@either_ridge
def test_agop_is_that_of_jacobians(name, data, centred, ridge) -> None:
    task, train = data
    M = random_metric(task.dimension, seed=20)
    X, α = dense_fit(name, task, train, M, ridge)
    agop = machine_for(name, task, train, M, ridge).agop(centred)
    same(agop, dense_agop(name, X, α, M, centred), 2e-6 if name in ROOTS else 1e-8)
    assert (agop == agop.T).all()


@every_kernel
@either_centring
def test_agop_under_the_first_metric(name, centred) -> None:
    task, train = TRAINING["most of x - y mod 8"]
    M = torch.eye(16, dtype=torch.float64)
    X, α = dense_fit(name, task, train, M)
    agop = machine_for(name, task, train, M).agop(centred)
    same(agop, dense_agop(name, X, α, M, centred), 1e-9)


@every_kernel
@either_centring
def test_agop_under_a_singular_metric(name, centred) -> None:
    task, train = TRAINING["half of x + y mod 7"]
    M = random_metric(14, seed=21, rank=9)
    X, α = dense_fit(name, task, train, M, ridge=0.1)
    agop = machine_for(name, task, train, M, ridge=0.1).agop(centred)
    same(agop, dense_agop(name, X, α, M, centred), 1e-6 if name in ROOTS else 1e-9)


@pytest.mark.parametrize("name", ["gaussian", "cubic"])
@either_centring
@pytest.mark.parametrize("chunk", [1, 4, 24, 25, 26])
def test_agop_does_not_depend_on_the_chunk(monkeypatch, name, centred, chunk) -> None:
    """25 samples: chunks of one, with a rest, all but one, all, more than there are."""
    task, train = TRAINING["half of x + y mod 7"]
    M = random_metric(14, seed=22)
    X, α = dense_fit(name, task, train, M)
    monkeypatch.setattr(rfm.pieces, "SAMPLES", chunk)
    agop = machine_for(name, task, train, M).agop(centred)
    same(agop, dense_agop(name, X, α, M, centred), 1e-9)


@pytest.mark.parametrize("name", ["gaussian", "cubic"])
@either_centring
def test_agop_over_several_chunks_of_the_real_size(name, centred) -> None:
    task = rfm.addition(13)
    train = random_pairs(task, rfm.pieces.SAMPLES + 20, seed=4)
    M = random_metric(26, seed=23)
    X, α = dense_fit(name, task, train, M)
    agop = machine_for(name, task, train, M).agop(centred)
    same(agop, dense_agop(name, X, α, M, centred), 1e-9)


def test_centring_removes_the_mean_gradient() -> None:
    task, train = TRAINING["one row of the table"]
    M = random_metric(14, seed=24)
    machine = machine_for("quadratic", task, train[:1], M)
    raw, centred = machine.agop(centred=False), machine.agop(centred=True)
    assert raw.norm() > 0
    assert centred.norm() < 1e-12 * raw.norm()  # one sample is its own mean


def test_a_factor_of_the_kernel_has_no_effect_without_ridge() -> None:
    """The released code's quadratic kernel is 3(xᵀMx′)²."""

    class Threefold(rfm.InnerProductKernel):
        def profile(self, t: Tensor) -> Tensor:
            return 3 * t**2

    task, train = TRAINING["most of x - y mod 8"]
    M, Y = random_metric(16, seed=25), task.one_hot_labels(train)
    plain, scaled = (KernelMachine.fit(train, Y, k, M) for k in (rfm.Quadratic(), Threefold()))
    same(scaled.agop(), plain.agop(), 1e-11)
    same(scaled.predict(task.samples), plain.predict(task.samples), 1e-11)


@every_kernel
@either_centring
def test_agop_keeps_to_the_dtype(name, centred, precision) -> None:
    dtype, tolerance = precision
    task, train = TRAINING["half of x + y mod 7"]
    M = random_metric(14, seed=26)
    exact = machine_for(name, task, train, M, ridge=0.1).agop(centred)
    agop = machine_for(name, task, train, M.to(dtype), ridge=0.1).agop(centred)
    assert agop.dtype == dtype
    same(agop.double(), exact, 20 * tolerance)


# ------------------------------------------------------------------------------------ matrix power


@pytest.mark.parametrize("s", [1.0, 1 / 2, 1 / 3, 1 / 4, 2.0, 1.5])
@pytest.mark.parametrize("rank", [12, 5])
def test_matrix_powers_multiply_out(s: float, rank: int, precision) -> None:
    dtype, tolerance = precision
    M = random_metric(12, seed=30, rank=rank).to(dtype)
    power = matrix_power(M, s)
    assert power.dtype == dtype
    same(power, power.T, tolerance)
    assert torch.linalg.eigvalsh(power)[0] > -tolerance * power.norm()
    ratio = Fraction(s).limit_denominator(10)  # (M^{p/q})^q = M^p
    one, other = (torch.eye(12, dtype=dtype) for _ in range(2))
    for _ in range(ratio.denominator):
        one = one @ power
    for _ in range(ratio.numerator):
        other = other @ M
    same(one, other, tolerance)
    assert torch.linalg.matrix_rank(power) == rank


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1.0, 1e100])
def test_matrix_power_has_no_scale_of_its_own(scale: float) -> None:
    M = random_metric(8, seed=31)
    same(matrix_power(M * scale, 0.5), matrix_power(M, 0.5) * scale**0.5, 1e-12)


def test_eigenvalues_that_are_rounding_become_zero() -> None:
    """So that a root does not turn 1e-16 into 1e-8."""
    clamped = matrix_power(torch.diag(torch.tensor([4.0, -1.0, 1e-16, -1e-16]).double()), 0.5)
    same(clamped, torch.diag(torch.tensor([2.0, 0.0, 0.0, 0.0]).double()), 1e-15)
    kept = matrix_power(torch.diag(torch.tensor([4.0, 1e-8]).double()), 0.5)
    same(kept.diagonal(), torch.tensor([2.0, 1e-4]).double(), 1e-10)
    zero = torch.zeros(3, 3, dtype=torch.float64)
    assert (matrix_power(zero, 0.5) == zero).all()


@pytest.mark.parametrize("s", [0, -0.5, float("nan")])
def test_a_power_is_positive(s: float) -> None:
    with pytest.raises(ValueError, match="power must be a positive"):
        matrix_power(torch.eye(2), s)


# ----------------------------------------------------------------------------------------- solving


def kernel_like(n: int, seed: int) -> Tensor:
    return random_metric(n, seed) + torch.eye(n, dtype=torch.float64)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_the_factor_is_cholesky(ridge: float) -> None:
    K = kernel_like(30, 40)
    shifted = K + ridge * torch.eye(30, dtype=torch.float64)
    factor = factorise(K.clone(), ridge)
    L = factor.L.tril()
    same(L @ L.T, shifted, 1e-14)
    assert (L.diagonal() > 0).all()
    assert (factor.ridge, factor.jitter) == (ridge, 0.0)
    Y = torch.rand(30, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    same(shifted @ factor.solve(Y), Y, 1e-13)


def test_only_the_diagonal_is_overwritten() -> None:
    K = kernel_like(10, 41)
    given = K.clone()
    factorise(given, 0.5)
    off = ~torch.eye(10, dtype=torch.bool)
    assert (given[off] == K[off]).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_condition_is_a_lower_bound(seed: int, ridge: float) -> None:
    K = random_metric(20, seed)
    true = float(torch.linalg.cond(K + ridge * torch.eye(20, dtype=torch.float64)))
    estimate = factorise(K.clone(), ridge).condition
    assert 1 < estimate <= true * (1 + 1e-9)
    diagonal = torch.diag(torch.tensor([1.0, 4.0, 100.0]).double())
    assert factorise(diagonal).condition == pytest.approx(100)


def duplicate_rows(n: int = 30) -> Tensor:
    """A kernel matrix of n points, two of which are the same."""
    points = torch.cat([torch.arange(n - 1), torch.tensor([0])])
    return kernel_like(n - 1, 42)[points][:, points]


def test_a_singular_matrix_gets_a_stated_jitter() -> None:
    K = duplicate_rows()
    with pytest.warns(JitterWarning, match=r"size 30 is singular .* added to its diagonal"):
        factor = factorise(K.clone())
    assert factor.jitter == pytest.approx(1e-10 * float(K.diagonal().mean()))
    assert factor.ridge == factor.jitter
    L = factor.L.tril()
    same(L @ L.T - K, factor.jitter * torch.eye(30, dtype=torch.float64), 1e-4)


def test_jitter_comes_on_top_of_the_ridge() -> None:
    K = torch.diag(torch.tensor([1.0, -1e-3]).double())
    with pytest.warns(JitterWarning):
        factor = factorise(K.clone(), ridge=1e-3)
    assert factor.ridge == pytest.approx(1e-3 + factor.jitter)
    assert factor.jitter > 0


def test_a_ridge_that_is_enough_needs_no_jitter() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert factorise(duplicate_rows(), ridge=1e-3).jitter == 0


def test_the_rule_does_not_hang_on_rounding() -> None:
    """A last pivot of 1e-17, −1e-17 or 0 is the same singular matrix."""
    factors = []
    for pivot in (1e-17, -1e-17, 0.0):
        with pytest.warns(JitterWarning):
            factors.append(factorise(torch.diag(torch.tensor([1.0, pivot]).double())))
    for factor in factors[1:]:
        assert factor.jitter == pytest.approx(factors[0].jitter, rel=1e-12)
        same(factor.L, factors[0].L, 1e-11)


def test_small_but_certain_pivots_are_left_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        factor = factorise(torch.diag(torch.tensor([1.0, 1e-12]).double()))
    assert factor.jitter == 0
    assert factor.condition == pytest.approx(1e12)


@pytest.mark.parametrize("need", [1e-9, 1e-7])
def test_jitter_grows_until_it_is_enough(need: float) -> None:
    K = torch.diag(torch.tensor([1.0, 1.0, -need]).double())
    with pytest.warns(JitterWarning):
        factor = factorise(K.clone())
    assert factor.jitter == pytest.approx(10 * need * 2 / 3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_entries_that_are_not_finite_are_refused(bad: float) -> None:
    K = kernel_like(5, 43)
    K[3, 1] = K[1, 3] = bad
    with pytest.raises(SingularKernelError, match="not finite"):
        factorise(K)


def test_what_no_jitter_helps_is_refused() -> None:
    for K in (-torch.eye(5), torch.diag(torch.tensor([1.0, 1.0, -1e-2]))):
        with pytest.raises(SingularKernelError, match="singular even with"):
            factorise(K.double())
    for K in (torch.zeros(5, 5), 1e-310 * torch.eye(5).double()):
        with pytest.raises(SingularKernelError, match="has vanished"):
            factorise(K.double())


@pytest.mark.parametrize("n", [3, 30, 300])
def test_jitter_is_enough_in_either_precision(n: int, precision) -> None:
    K = duplicate_rows(n).to(precision[0])
    with pytest.warns(JitterWarning):
        factor = factorise(K.clone())
    assert 0 < factor.jitter < 0.05 * K.diagonal().mean()


# ----------------------------------------------------------------------------- what cancels exactly


def exact_step(split: rfm.Split, denominator: str, ridge: str, s: str) -> Tensor:
    """M₁ from the identity for the kernel exp(−u / denominator), with fifty digits."""
    mpmath.mp.dps, task = 50, split.task
    X, Y = (
        mpmath.matrix(part(split.train).tolist()) for part in (task.one_hot, task.one_hot_labels)
    )
    N, d, L = X.rows, task.dimension, mpmath.mpf(denominator)
    K = mpmath.matrix(N, N)
    for i, j in product(range(N), repeat=2):
        K[i, j] = mpmath.exp(-sum((X[i, u] - X[j, u]) ** 2 for u in range(d)) / L)
    α = mpmath.inverse(K + mpmath.mpf(ridge) * mpmath.eye(N)) * Y
    total = mpmath.zeros(d)
    for c in range(task.n):
        w = mpmath.matrix(N, N)  # by row j, α_ic K_ij
        for i, j in product(range(N), repeat=2):
            w[j, i] = α[i, c] * K[i, j] * 2 / L
        h = w * X - mpmath.diag(list(w * mpmath.ones(N, 1))) * X
        h -= mpmath.ones(N) * h / N
        total += h.T * h
    values, vectors = mpmath.eigsy(total / N)
    values = [v if v > values[d - 1] * mpmath.mpf(10) ** -30 else mpmath.mpf(0) for v in values]
    powers = [v ** mpmath.mpf(s) if v else v for v in values]
    M = (vectors * mpmath.diag(powers) * vectors.T).tolist()
    return torch.tensor([[float(entry) for entry in row] for row in M], dtype=torch.float64)


@pytest.mark.parametrize(("s", "power"), [("0.5", 0.5), ("0.25", 0.25), ("0.125", 0.125)])
@pytest.mark.parametrize(
    ("kernel", "denominator", "ridge"),
    [(rfm.Gaussian(2.5), "12.5", "0"), (rfm.Gaussian(100.0), "20000", "0.001")],
    ids=["default", "wide"],
)
def test_directions_that_are_exactly_null_stay_null(kernel, denominator, ridge, s, power) -> None:
    """Training on one row and one column: most directions of the centred AGOP are zero."""
    task = rfm.addition(9)
    cross = (task.samples == 0).any(dim=1)
    split = rfm.withhold(task, task.samples[~cross])
    run = rfm.fit(split, kernel, 1, power=power, ridge=float(ridge))
    same(run.features, exact_step(split, denominator, ridge, s), 1e-10)


@pytest.mark.parametrize("kernel", [rfm.Gaussian(10.0), rfm.Quadratic()], ids=repr)
@pytest.mark.parametrize("power", [0.5, 0.125])
@pytest.mark.parametrize("iterations", [1, 4])
def test_renaming_renames_the_features_at_small_powers_too(kernel, power, iterations) -> None:
    task = rfm.addition(11)
    split = rfm.random_split(task, 0.5, 0)
    maps = list(rfm.equivalences(task))[1::397]
    options = {"iterations": iterations, "ridge": 0.01, "power": power}
    M = rfm.fit(split, kernel, **options).features
    for Q in maps:
        kind = torch.empty_like(split.kind)
        kind[Q.on_samples()] = split.kind
        renamed = rfm.fit(rfm.Split(task, kind), kernel, **options).features
        where = Q.coordinates()
        same(renamed[where][:, where], M, 1e-10)


def test_null_directions_of_the_start_stay_null() -> None:
    """M has rank two, and what it maps to zero is large in the gradients."""
    task = rfm.division(7)
    split = rfm.random_split(task, 0.6, 4)
    low = random_metric(12, seed=4, rank=2)
    basis = torch.linalg.eigh(low)[1][:, :-2]  # of the null space
    for kernel, power in product((rfm.Quadratic(), rfm.Gaussian()), (0.5, 0.125)):
        run = rfm.fit(split, kernel, 3, M0=low, ridge=1e-3, power=power, centred=False)
        assert (basis.T @ run.features @ basis).abs().max() < 1e-13 * run.features.abs().max()


def test_few_outputs_at_a_time_give_the_same_closed_form(monkeypatch) -> None:
    task, train = TRAINING["most of x - y mod 8"]
    machine = KernelMachine.fit(
        train, task.one_hot_labels(train), rfm.Quadratic(), random_metric(16, 1)
    )
    whole = machine.agop()
    for outputs in (1, 3, 100):
        monkeypatch.setattr(rfm.pieces, "OUTPUTS", outputs)
        same(machine.agop(), whole, 1e-12)


@every_kernel
@either_centring
def test_there_may_be_more_or_fewer_outputs_than_classes(name: str, centred: bool) -> None:
    task, train = TRAINING["most of x - y mod 8"]
    M, X = random_metric(16, seed=31), task.one_hot(train)
    for c in (1, 5, 21):
        Y = torch.randn(len(train), c, generator=torch.Generator().manual_seed(c)).double()
        machine = KernelMachine.fit(train, Y, KERNELS[name], M, ridge=0.1)
        expected = dense_agop(name, X, machine.coefficients, M, centred)
        same(machine.agop(centred), expected, 2e-6 if name in ROOTS else 1e-8)
