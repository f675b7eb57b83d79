"""Runs by characters give what dense runs give, and refuse splits without the symmetry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

import rfm
from rfm.reduced import FourNumbers
from rfm.resources import memory_estimate
from rfm.translations import TranslationMachine, Translations

KERNELS = [rfm.Gaussian(2.5), rfm.Quadratic(), rfm.Laplace(2.0)]
TASKS = [
    rfm.addition(12),
    rfm.addition(15),
    rfm.addition(3, 5),
    rfm.subtraction(2, 4),
    rfm.addition(4, 4),
    rfm.addition(2, 2, 3),
    rfm.multiplication(13),
    rfm.division(11),
]


def without(task: rfm.Task, differences: list[int]) -> rfm.Split:
    return rfm.withhold(task, torch.cat([task.reflections[k].fixed_points() for k in differences]))


def splits(task: rfm.Task) -> list[rfm.Split]:
    """One axis withheld, and three sets of kept differences drawn at random."""
    dice = torch.Generator().manual_seed(task.n)
    drawn = [torch.randperm(task.n, generator=dice)[:count] for count in (2, 3, task.n // 2)]
    return [without(task, [1]), *(without(task, k.tolist()) for k in drawn)]


def compare(split: rfm.Split, kernel: rfm.Kernel, iterations: int = 3, **recipe) -> None:
    """Metrics to 1e-10 and the same table."""
    recipe |= {"keep_features": True, "warn": False}
    dense = rfm.fit(split, kernel, iterations, **recipe)
    blocks = rfm.fit(split, kernel, iterations, translations=True, **recipe)
    for t, (M, N) in enumerate(zip(dense.history, blocks.history, strict=True)):
        assert (M - N).norm() < 1e-10 * M.norm(), t
    assert torch.equal(dense.right, blocks.right)
    near = max(1e-10, float(dense.table.tie.max()))
    assert np.abs(dense.predictions.margin - blocks.predictions.margin).max() < near
    for name in ("a", "b", "label", "kind"):
        assert dense.predictions[name].tolist() == blocks.predictions[name].tolist()
    assert list(dense.table.columns) == list(blocks.table.columns)
    for name in ("train_accuracy", "test_accuracy", "withheld_accuracy", "orbit_baseline"):
        assert dense.table[name].equals(blocks.table[name]), name
    for name in ("train_loss", "test_loss", "step", "turn"):
        assert blocks.table[name].to_numpy() == pytest.approx(
            dense.table[name].to_numpy(), rel=1e-7, abs=1e-10
        ), name
    if not dense.table.jitter.any():
        assert blocks.table.tie.to_numpy() == pytest.approx(dense.table.tie.to_numpy(), rel=1e-6)
    differ = {k for k in dense.settings if dense.settings[k] != blocks.settings[k]}
    assert differ == {"translations"}


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_blocks_are_the_dense_machine(task: rfm.Task, kernel: rfm.Kernel) -> None:
    for split in splits(task):
        compare(split, kernel, ridge=1e-6 * (kernel == rfm.Quadratic()))


@pytest.mark.parametrize(
    ("centred", "power", "ridge"), [(False, 0.5, 0.0), (True, 0.75, 1e-3), (True, 0.5, 0.1)]
)
def test_with_any_recipe(centred: bool, power: float, ridge: float) -> None:
    for task in (rfm.addition(12), rfm.addition(3, 3)):
        for kernel in KERNELS:
            split = splits(task)[2]
            compare(split, kernel, centred=centred, power=power, ridge=ridge or 1e-6)


def test_larger_tables() -> None:
    compare(without(rfm.addition(28), [0]), rfm.Gaussian(2.5))
    four = rfm.generate(rfm.addition(32).reflection(0), rfm.addition(32).rotation(8))
    compare(rfm.withhold(four.task, four.fixed_points()), rfm.Gaussian(2.5))


def test_from_a_start_with_the_symmetry_and_to_the_end() -> None:
    task = rfm.addition(3, 3)
    M0 = FourNumbers(9, 0.3, 1.2, 0.1, 0.7).metric(task.reflections[2])
    compare(without(task, [2]), rfm.Gaussian(2.5), M0=M0)
    for task, kernel in product((rfm.addition(13), rfm.subtraction(12)), KERNELS[:2]):
        stop = rfm.converged(1e-7)
        runs = [
            rfm.fit(without(task, [0]), kernel, 60, stop=stop, warn=False, translations=blocks)
            for blocks in (False, True)
        ]
        assert torch.equal(runs[0].correct(), runs[1].correct())
        assert (runs[0].features - runs[1].features).norm() < 1e-6 * runs[0].features.norm()


def test_every_training_sample_and_every_class() -> None:
    """Coefficients and predictions at all samples, moved from those at one of each difference."""
    task, kernel = rfm.subtraction(2, 4), rfm.Gaussian(1.5)
    split = without(task, [1, 4, 6])
    dice = torch.Generator().manual_seed(0)
    group = Translations(task)
    root = torch.rand(16, 16, generator=dice, dtype=torch.float64)
    M = group.matrix(group.spectrum(root @ root.T))
    group.check(M)
    dense = rfm.KernelMachine.fit(split.train, task.one_hot_labels(split.train), kernel, M)
    blocks = TranslationMachine.fit(group, group.differences(split), kernel, M)
    near = 1e-8 * float(dense.coefficients.abs().max())
    assert (blocks.predict(task.samples) - dense.predict(task.samples)).abs().max() < near
    places = [split.train.tolist().index(pair) for pair in blocks.train.tolist()]
    assert (blocks.coefficients - dense.coefficients[places]).abs().max() < near
    assert (blocks.agop() - dense.agop()).norm() < 1e-9 * dense.agop().norm()


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_metric_and_its_spectrum(task: rfm.Task) -> None:
    """The mean over all translations, and its products by characters."""
    group, n = Translations(task), task.n
    dice = torch.Generator().manual_seed(1)
    A = torch.rand(2 * n, 2 * n, generator=dice, dtype=torch.float64)
    A = A + A.T
    mean = torch.zeros_like(A)
    second = task.twist[task.group.table[:, task.twist]]  # [t, b]: τ(t ⋆ τ(b))
    for t in range(n):
        where = torch.cat([task.group.table[t], n + second[t]])
        mean += A[where][:, where] / n
    assert (group.matrix(group.spectrum(A)) - mean).abs().max() < 1e-12
    F = group.spectrum(mean)
    assert (group.spectrum(mean @ mean) - F @ F).abs().max() < 1e-9 * F.abs().max() ** 2
    with pytest.raises(ValueError, match="symmetric under all translations"):
        group.check(A)
    group.check(mean)


def test_what_cannot_be_done_is_told() -> None:
    task = rfm.addition(3, 5)
    trap = without(task, [4])
    kernel = rfm.Gaussian(2.5)
    moved = trap.move(task.pair((0, 1), (2, 2)))
    with pytest.raises(
        ValueError, match=r"\(\(0, 0\), \(2, 1\)\) is in it and \(\(0, 1\), \(2, 2\)"
    ):
        rfm.fit(moved, kernel, translations=True)
    with pytest.raises(ValueError, match="not kept by all translations"):
        rfm.fit(rfm.random_split(task, 0.5, 0), kernel, translations=True)
    M0 = torch.eye(30, dtype=torch.float64)
    M0[0, 0] = 2
    with pytest.raises(ValueError, match="M0 must be symmetric under all translations"):
        rfm.fit(trap, kernel, translations=True, M0=M0)
    with pytest.raises(ValueError, match="translations must be"):
        rfm.fit(trap, kernel, translations="yes")


class Kinked(rfm.InnerProductKernel):
    """Its derivative jumps at 0, the inner product of samples that share no operand under I."""

    def profile(self, u: torch.Tensor) -> torch.Tensor:
        return torch.relu(u) + u**2


@pytest.mark.parametrize("n", [5, 7, 11])
def test_what_is_zero_in_the_metric_stays_zero(n: int) -> None:
    compare(without(rfm.addition(n), [0]), Kinked(), ridge=1e-2)


@pytest.mark.parametrize("n", [7, 11, 13])
def test_single_precision_starts(n: int) -> None:
    split, kernel = without(rfm.addition(n), [0]), rfm.Gaussian(2.5)
    recipe = {"ridge": 1e-3, "translations": True}
    run = rfm.fit(split, kernel, 2, M0=torch.eye(2 * n, dtype=torch.float32), **recipe)
    assert torch.equal(run.features, rfm.fit(split, kernel, 2, **recipe).features)
    half = rfm.fit(split, kernel, 2, dtype=torch.float32, **recipe)
    rfm.fit(split, kernel, 2, M0=half.features, dtype=torch.float32, **recipe)


def test_memory_is_estimated() -> None:
    trap = without(rfm.addition(61), [0])
    assert memory_estimate(trap, translations=True) > 0
    large = without(rfm.addition(509), [0])
    assert 3e9 < memory_estimate(large, translations=True) < 6e9
    assert memory_estimate(large) > 1e11
