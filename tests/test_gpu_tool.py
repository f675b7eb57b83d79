"""The command that checks a GPU, on the CPU in its place."""

from __future__ import annotations

import sys

import gpu
import pytest
import torch

import rfm
from rfm import fit

SMALL = ["gpu.py", "--device", "cpu", "--sizes", "5", "7", "--p", "7", "--q", "5"]
SMALL += ["--rounds", "1", "--no-tests"]


def test_it_prints_its_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", SMALL)
    assert gpu.main() == 0
    printed = capsys.readouterr().out
    for what in ("bare Cholesky, s", "judged differently", "in one iteration", "residual"):
        assert what in printed


def test_a_device_that_computes_something_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run on the device that is a little off in the metric, or takes another kernel."""

    def off(split: rfm.Split, kernel: rfm.Kernel, iterations: int, *, device: str, **more):
        run = fit(split, kernel, iterations, device="cpu", **more)
        if device == "elsewhere":
            object.__setattr__(run, "history", tuple(M * (1 + 1e-6) for M in run.history))
        return run

    monkeypatch.setattr(rfm, "fit", off)
    assert set(gpu.agreement("cpu", 7, 5)["agrees"]) == {"yes"}
    assert set(gpu.agreement("elsewhere", 7, 5)["agrees"]) == {"no"}


def test_a_gpu_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    assert gpu.main() == 2
    assert "no CUDA GPU" in capsys.readouterr().err


def test_refinement_gives_the_solution_of_double_precision() -> None:
    split = gpu.all_but_axis(11)
    K = rfm.Gaussian().gram(split.train, split.train, torch.eye(22, dtype=torch.float64))
    Y = split.task.one_hot_labels(split.train)
    found, residual, steps = gpu.refined(K, Y)
    assert residual <= gpu.REFINED
    assert 1 < steps < gpu.STEPS
    torch.testing.assert_close(found, torch.linalg.solve(K, Y), rtol=0, atol=1e-11)
