"""A search on the leave-one-out error, against leaving points out one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rfm
from rfm.searching import left_out

TASK = rfm.composition(rfm.symmetric(3))
SPLIT = rfm.random_split(TASK, 0.8, 0)


def metric(seed: int = 0) -> torch.Tensor:
    U = torch.randn(12, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return U @ U.T / 12


@pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()], ids=repr)
def test_errors_are_those_of_fits_without_the_point(kernel: rfm.Kernel) -> None:
    M, Y = metric(), TASK.one_hot_labels(SPLIT.train)
    found = left_out(SPLIT, kernel, M, Y, 1e-3)
    ridge = 1e-3 * float(kernel.gram(SPLIT.train, SPLIT.train, M).diagonal().mean())
    for i in (0, 7, len(Y) - 1):
        rest = torch.arange(len(Y)) != i
        machine = rfm.KernelMachine.fit(SPLIT.train[rest], Y[rest], kernel, M, ridge)
        missed = Y[i] - machine.predict(SPLIT.train[i : i + 1])[0]
        torch.testing.assert_close(found[i], missed, rtol=1e-6, atol=1e-8)


def test_it_goes_down_and_never_sees_the_test_set() -> None:
    found = rfm.search(SPLIT, rfm.Gaussian(2.5), 30, every=10)
    assert found.table.index.tolist() == [0, 10, 20, 30]
    assert found.table.error.is_monotonic_decreasing
    assert found.table.right.between(0, 1).all()
    assert torch.linalg.eigvalsh(found.metric)[0] > -1e-9
    kind = SPLIT.kind.clone()
    kind[kind == rfm.Kind.RANDOM] = rfm.Kind.WITHHELD
    other = rfm.search(rfm.Split(TASK, kind), rfm.Gaussian(2.5), 30, every=10)
    assert other.metric.equal(found.metric)
    assert not rfm.search(SPLIT, rfm.Gaussian(2.5), 30, seed=1).metric.equal(found.metric)


def test_the_last_row_is_of_the_metric_that_is_returned() -> None:
    found = rfm.search(SPLIT, rfm.Quadratic(), 7, every=5)
    Y = TASK.one_hot_labels(SPLIT.train)
    error = left_out(SPLIT, rfm.Quadratic(), found.metric, Y, 1e-6).square().sum(1).mean()
    assert found.table.index.tolist() == [0, 5, 7]
    assert float(error) == pytest.approx(found.table.error.iloc[-1])


def test_it_can_start_from_a_metric() -> None:
    M, Y = metric(3), TASK.one_hot_labels(SPLIT.train)
    found = rfm.search(SPLIT, rfm.Gaussian(2.5), 5, M0=M)
    error = left_out(SPLIT, rfm.Gaussian(2.5), M, Y, 1e-6).square().sum(1).mean()
    assert found.table.error.iloc[0] == pytest.approx(float(error))
    assert found.table.error.iloc[-1] < found.table.error.iloc[0]
    other = rfm.search(SPLIT, rfm.Gaussian(2.5), 5, M0=M, seed=1)
    assert other.metric.equal(found.metric)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": 0}, "steps"),
        ({"rate": 0.0}, "rate"),
        ({"ridge": 0.0}, "ridge"),
        ({"every": 0}, "every"),
        ({"M0": torch.eye(3)}, "M0"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=f"{says} must be"):
        rfm.search(SPLIT, rfm.Gaussian(2.5), **options)


def test_what_overflows_is_told() -> None:
    with pytest.raises(ArithmeticError, match=r"after \d steps"):
        rfm.search(SPLIT, rfm.Quadratic(), 5, rate=1e160)
