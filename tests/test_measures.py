"""Measures of feature matrices, by their definitions in loops over entries."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from oracles import Arithmetic, random_metric, same
from torch import Tensor

import rfm


def deviation_by_loops(C: list[list[float]], diagonals: dict[tuple[int, int], object]) -> float:
    """D(C) of [M] for a grouping of the entries."""
    groups: dict[object, list[float]] = {}
    for (i, j), key in diagonals.items():
        groups.setdefault(key, []).append(C[i][j])
    spread = sum(
        sum((x - sum(group) / len(group)) ** 2 for x in group) for group in groups.values()
    )
    return spread / sum(x * x for row in C for x in row)


def lower_left(M: Tensor) -> list[list[float]]:
    n = len(M) // 2
    return M[n:, :n].tolist()


@pytest.mark.parametrize("n", [7, 8])
@pytest.mark.parametrize(
    ("make", "sign"), [(rfm.addition, -1), (rfm.subtraction, 1)], ids=["sum", "difference"]
)
def test_deviation_on_cyclic_diagonals(make, sign: int, n: int) -> None:
    """Diagonals of constant i − j for sums, anti-diagonals of constant i + j for differences."""
    M = random_metric(2 * n, seed=1)
    diagonals = {(i, j): (i + sign * j) % n for i, j in product(range(n), repeat=2)}
    expected = deviation_by_loops(lower_left(M), diagonals)
    assert rfm.circulant_deviation(M, make(n)) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize(
    ("task", "sign"), [(rfm.multiplication(11), -1), (rfm.division(13), 1)], ids=str
)
def test_deviation_of_products_is_that_of_sums_after_relabelling(task: rfm.Task, sign: int) -> None:
    n = task.n
    M = random_metric(2 * n, seed=2)
    C = lower_left(task.by_logarithm(M))
    diagonals = {(i, j): (i + sign * j) % n for i, j in product(range(n), repeat=2)}
    assert rfm.circulant_deviation(M, task) == pytest.approx(deviation_by_loops(C, diagonals))
    plain = deviation_by_loops(lower_left(M), diagonals)
    assert abs(plain - rfm.circulant_deviation(M, task)) > 1e-3


def test_deviation_by_the_reflection_of_each_entry(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = random_metric(task.dimension, seed=3)
    value = task.group.values
    diagonals = {
        (b, a): next(k for k in arithmetic.elements if arithmetic.fixed(k, value[a]) == value[b])
        for a, b in product(range(task.n), repeat=2)
    }
    expected = deviation_by_loops(lower_left(M), diagonals)
    assert rfm.circulant_deviation(M, task) == pytest.approx(expected, abs=1e-13)


def test_deviation_is_zero_on_the_span_of_reflections(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    weights = torch.rand(task.n, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    M = sum(w * g.matrix() for w, g in zip(weights, task.reflections, strict=True))
    assert rfm.circulant_deviation(M, task) < 1e-28
    noise = random_metric(task.dimension, seed=5)
    noise[task.n :, : task.n] = M[task.n :, : task.n]  # other blocks do not count
    assert rfm.circulant_deviation(noise, task) < 1e-28
    assert rfm.circulant_deviation(1e3 * M, task) < 1e-28


def test_deviation_is_one_for_what_has_mean_zero_on_every_diagonal(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    n = task.n
    noise = random_metric(task.dimension, seed=6)
    for g in task.reflections:
        there = g.matrix()[n:, :n] == 1
        noise[n:, :n][there] -= noise[n:, :n][there].mean()
    assert rfm.circulant_deviation(noise, task) == pytest.approx(1)
    assert rfm.circulant_deviation(-7 * noise, task) == pytest.approx(1)


def test_the_trap_is_circulant_and_a_random_split_is_not_at_first() -> None:
    task = rfm.multiplication(11)
    trapped = rfm.fit(rfm.withhold(task, task.reflection(2).fixed_points()), rfm.Gaussian(), 20)
    assert rfm.circulant_deviation(trapped.features, task) < 1e-12
    start = rfm.fit(rfm.random_split(task, 0.5, 0), rfm.Gaussian(), 1)
    assert rfm.circulant_deviation(start.features, task) > 0.1


def test_alignment_is_a_cosine() -> None:
    M, other = random_metric(14, seed=7), random_metric(14, seed=8)
    dot = sum(x * y for x, y in zip(M.flatten().tolist(), other.flatten().tolist(), strict=True))
    norms = [sum(x * x for x in A.flatten().tolist()) ** 0.5 for A in (M, other)]
    assert rfm.alignment(M, other) == pytest.approx(dot / (norms[0] * norms[1]))
    assert rfm.alignment(M, M) == pytest.approx(1)
    assert rfm.alignment(M, -3 * M) == pytest.approx(-1)
    assert rfm.alignment(2 * M, other) == pytest.approx(rfm.alignment(other, M))
    left, right = torch.diag(torch.tensor([1.0, 0.0])), torch.diag(torch.tensor([0.0, 1.0]))
    assert rfm.alignment(left, right) == 0


def test_random_circulant_features(arithmetic: Arithmetic) -> None:
    """M² is the positive part of M*: what is missing is positive and orthogonal to it."""
    task = arithmetic.task
    n = task.n
    draws = torch.rand(n, generator=torch.Generator().manual_seed(9), dtype=torch.float64).tolist()
    level = sum(draws) / n
    value, position = task.group.values, task.group.position
    star = torch.zeros(2 * n, 2 * n, dtype=torch.float64)
    for i, j in product(range(n), repeat=2):
        star[i, j] = star[n + i, n + j] = (i == j) - 1 / n
        for k in arithmetic.elements:
            if arithmetic.fixed(k, value[j]) == value[i]:
                star[n + i, j] = star[j, n + i] = draws[position(k)] - level
    M = rfm.random_circulant_features(task, 9)
    same(M, M.T, 1e-13)
    assert torch.linalg.eigvalsh(M)[0] > -1e-7
    positive = M @ M
    negative = positive - star
    scale = star.norm()
    assert torch.linalg.eigvalsh(negative)[0] > -1e-13 * scale
    assert (positive @ negative).norm() < 1e-12 * scale**2
    assert rfm.circulant_deviation(M, task) < 1e-24


def test_random_circulant_features_depend_on_the_seed_alone() -> None:
    task = rfm.subtraction(8)
    state = torch.get_rng_state()
    one, again, other = (rfm.random_circulant_features(task, seed) for seed in (1, 1, 2))
    assert one.equal(again)
    assert not one.equal(other)
    assert (torch.get_rng_state() == state).all()
    draws = torch.Generator().manual_seed(1)
    assert rfm.random_circulant_features(task, draws).equal(one)
    assert not rfm.random_circulant_features(task, draws).equal(one)


def test_random_circulant_features_make_a_start() -> None:
    task = rfm.addition(23)
    M = rfm.random_circulant_features(task, 0)
    split = rfm.random_split(task, 0.5, 0)
    plain = rfm.fit(split, rfm.Gaussian(), 1).table["test_accuracy"].iloc[0]
    mapped = rfm.fit(split, rfm.Gaussian(), 1, M0=M).table["test_accuracy"].iloc[0]
    assert mapped > plain + 0.2
    assert rfm.random_circulant_features(task, 0, torch.float32).dtype == torch.float32
