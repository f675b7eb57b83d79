"""A machine on a device: on the CPU, or on the one that the variable RFM_DEVICE names.

``make gpu`` runs these with ``RFM_DEVICE=cuda``. On the CPU they are a stand-in: what is compared
is equal anyway, but pieces are as large as a GPU takes them, and round trips are counted.
"""

from __future__ import annotations

import os
from collections import Counter
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
import torch
from oracles import random_metric, same
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import rfm
import rfm.pieces

DEVICE = os.environ.get("RFM_DEVICE", "cpu")
KERNELS = {"Gaussian": rfm.Gaussian(), "Laplace": rfm.Laplace(), "quadratic": rfm.Quadratic()}
TASKS = (rfm.addition(13), rfm.subtraction(12), rfm.addition(3, 5), rfm.multiplication(13))


def splits(task: rfm.Task) -> dict[str, rfm.Split]:
    trap = rfm.withhold(task, task.reflections[1].fixed_points())
    return {
        "trap": trap,
        "opened": trap.move_random(2, seed=0),
        "random": rfm.random_split(task, 0.6, seed=1),
    }


@pytest.fixture(autouse=True)
def _pieces_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU too, take as much at a time as on a GPU."""
    monkeypatch.setattr(rfm.pieces, "SAMPLES", 4096)
    monkeypatch.setattr(rfm.pieces, "OUTPUTS", 4096)
    monkeypatch.setattr(rfm.pieces, "VALUES", 2**26)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("task", TASKS, ids=str)
@pytest.mark.parametrize("which", ["trap", "opened", "random"])
def test_a_run_is_that_of_the_cpu(
    name: str, task: rfm.Task, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, kernel = splits(task)[which], KERNELS[name]
    found = rfm.fit(split, kernel, 12, device=DEVICE, keep_features=True, warn=False)
    monkeypatch.undo()
    expected = rfm.fit(split, kernel, 12, device="cpu", keep_features=True, warn=False)
    for mine, theirs in zip(found.history[:4], expected.history[:4], strict=True):
        same(mine, theirs, 1e-8)
    for column in ("train_accuracy", "test_accuracy", "jitter"):
        pd.testing.assert_series_equal(found.table[column], expected.table[column])
    sure = expected.predictions["margin"].abs() > 1e-6
    assert (found.predictions["correct"] == expected.predictions["correct"])[sure].all()
    assert found.settings["device"] == DEVICE.split(":")[0]
    assert found.features.device.type == "cpu"


def test_a_singular_kernel_matrix_takes_the_same_jitter() -> None:
    task = rfm.addition(12)
    split = rfm.withhold(task, task.reflections[0].fixed_points())
    with pytest.warns(rfm.JitterWarning):
        found = rfm.fit(split, rfm.Quadratic(), 12, device=DEVICE)
    with pytest.warns(rfm.JitterWarning):
        expected = rfm.fit(split, rfm.Quadratic(), 12, device="cpu")
    assert (expected.table["jitter"] > 0).any()
    assert ((found.table["jitter"] > 0) == (expected.table["jitter"] > 0)).all()


def test_a_matrix_that_no_jitter_helps_is_refused() -> None:
    K = torch.ones(3, 3, dtype=torch.float64, device=DEVICE)
    K[0, 0] = -1
    with pytest.raises(rfm.SingularKernelError, match="singular even with"):
        rfm.factorise(K, warn=False)
    K.fill_(torch.nan)
    with pytest.raises(rfm.SingularKernelError, match=r"not finite|vanished"):
        rfm.factorise(K, warn=False)


def test_a_run_that_would_not_fit_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    split = rfm.random_split(rfm.addition(61), 0.5, 0)
    few = rfm.memory_estimate(split, device=DEVICE) - 1
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=few))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (few, few))
    with pytest.raises(MemoryError, match="GiB are free on " + DEVICE.split(":")[0]):
        rfm.fit(split, rfm.Gaussian(), 1, device=DEVICE)


def test_an_interruption_keeps_what_is_finished() -> None:
    def interrupt(row: dict[str, float]) -> bool:
        if row["iteration"] == 2:
            raise KeyboardInterrupt
        return False

    split = splits(TASKS[0])["random"]
    with pytest.raises(rfm.Interrupted) as caught:
        rfm.fit(split, rfm.Gaussian(), 5, device=DEVICE, stop=interrupt)
    expected = rfm.fit(split, rfm.Gaussian(), 2, device=DEVICE)
    assert caught.value.run.features.equal(expected.features)


def test_single_precision_is_taken_there_and_half_precision_refused() -> None:
    split = splits(TASKS[0])["opened"]
    run = rfm.fit(split, rfm.Gaussian(), 2, device=DEVICE, dtype=torch.float32)
    assert run.features.dtype == torch.float32
    same(run.features.double(), rfm.fit(split, rfm.Gaussian(), 2, device="cpu").features, 1e-3)
    with pytest.raises(ValueError, match=r"float64 or torch\.float32"):
        rfm.fit(split, rfm.Gaussian(), 2, device=DEVICE, dtype=torch.float16)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("centred", [True, False])
def test_an_agop_is_that_of_the_cpu(name: str, centred: bool) -> None:
    task = TASKS[0]
    train, M = splits(task)["random"].train, random_metric(26, seed=5)
    Y = task.one_hot_labels(train)
    there = (train.to(DEVICE), Y.to(DEVICE), KERNELS[name], M.to(DEVICE))
    found = rfm.KernelMachine.fit(*there).agop(centred)
    assert found.device.type == DEVICE.split(":")[0]
    same(found.cpu(), rfm.KernelMachine.fit(train, Y, KERNELS[name], M).agop(centred), 1e-9)


def test_memory_is_asked_for_larger_pieces_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    split = rfm.random_split(rfm.addition(61), 0.5, 0)
    there = torch.device("cuda")
    assert rfm.memory_estimate(split, device=there) > rfm.memory_estimate(split)
    assert rfm.pieces.samples_at_a_time(61, there) > 1860 > rfm.pieces.SAMPLES
    assert rfm.pieces.outputs_at_a_time(61, there) > 61 > rfm.pieces.OUTPUTS
    assert rfm.pieces.rows_at_a_time(3660, there) > 3660


def test_pieces_grow_with_the_memory_of_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a small one, what is held at a time is a small part of what it has."""
    monkeypatch.undo()

    def of(memory: int) -> tuple[int, int, int]:
        properties = SimpleNamespace(total_memory=memory)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
        there = torch.device("cuda")
        return (
            rfm.pieces.samples_at_a_time(97, there),
            rfm.pieces.outputs_at_a_time(97, there),
            rfm.pieces.rows_at_a_time(9312, there),
        )

    small, large = of(8 * 10**9), of(80 * 10**9)
    for few, many in zip(small, large, strict=True):
        assert 9.9 * few < many < 10.1 * (few + 1)
    assert 8 * small[0] * 2 * 97**2 < 8e9 / 60
    assert 8 * small[2] * 9312 < 8e9 / 120


class RoundTrips(TorchDispatchMode):
    """Counts what makes the host wait for a device: numbers read, and indices of unknown number."""

    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()
        for method in ("tolist", "cpu", "numpy"):
            monkeypatch.setattr(Tensor, method, self.counting(method))

    def counting(self, method: str):
        """The method of a tensor, counted."""
        original = getattr(Tensor, method)

        def counted(tensor: Tensor, *arguments: object) -> object:
            self.seen[method] += 1
            return original(tensor, *arguments)

        return counted

    def __torch_dispatch__(self, function_, types, args=(), kwargs=None):
        name = function_.overloadpacket.__name__
        if name in self.WAITING or (name.startswith("index") and self._masked(args)):
            self.seen[name] += 1
        return function_(*args, **(kwargs or {}))

    @staticmethod
    def _masked(args: tuple[object, ...]) -> bool:
        given = [part for arg in args if isinstance(arg, list | tuple) for part in arg]
        return any(isinstance(part, Tensor) and part.dtype == torch.bool for part in given)


@pytest.mark.parametrize("name", KERNELS)
def test_round_trips_do_not_grow_with_the_size(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces an iteration is cut into, it asks the device as often."""

    def of_an_iteration(p: int) -> Counter[str]:
        split, counts = splits(rfm.addition(p))["opened"], []
        for iterations in (1, 2):
            with monkeypatch.context() as patch:
                patch.setattr(rfm.pieces, "SAMPLES", 16)
                patch.setattr(rfm.pieces, "VALUES", 512)
                with RoundTrips(patch) as trips:
                    rfm.fit(split, KERNELS[name], iterations, warn=False)
            counts.append(trips.seen)
        return counts[1] - counts[0]

    small, large = of_an_iteration(7), of_an_iteration(23)
    assert small == large
    assert 5 < large.total() < 60  # on the CPU, where what is judged there counts too
