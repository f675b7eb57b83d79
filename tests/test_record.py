"""What a short run records, what it warns of, and what it refuses: exactly, and in no time."""

from __future__ import annotations

import inspect
import time
import warnings
from types import SimpleNamespace

import psutil
import pytest
import torch
from torch import Tensor

import rfm
from rfm.recursion import check
from rfm.version import VERSION

ADD = rfm.addition(5)
TRAP = rfm.withhold(ADD, ADD.reflection(2).fixed_points())
G = rfm.Gaussian()


class Constant(rfm.InnerProductKernel):
    """ψ = 1, whose gradients are all zero."""

    def profile(self, u: Tensor) -> Tensor:
        return 0 * u + 1


def never(row: dict[str, float]) -> bool:
    return False


def test_settings_are_all_there() -> None:
    assert rfm.fit(TRAP, G, 1, ridge=1, power=2, centred=False, stop=never).settings == {
        "task": "x + y mod 5",
        "split": "withheld Fix(sr^2)",
        "train_size": 20,
        "kernel": "Gaussian(bandwidth=2.5)",
        "iterations": 1,
        "ridge": 1.0,
        "power": 2.0,
        "centred": False,
        "update": "AGOP(power=2.0, centred=False)",
        "M0": "identity",
        "stop": "never",
        "translations": False,
        "dtype": "float64",
        "device": "cpu",
        "version": VERSION,
        "torch": torch.__version__,
    }
    rule = rfm.converged(0.5)
    M0 = 2 * torch.eye(10)
    blocks = rfm.fit(TRAP, G, 1, stop=rule, translations=True, M0=M0, dtype=torch.float32).settings
    assert blocks["stop"] == repr(rule)
    assert (blocks["translations"], blocks["M0"], blocks["dtype"]) == (True, "given", "float32")
    assert rfm.fit(TRAP, G, 1).settings["stop"] == ""


def test_how_a_run_ended_and_how_long_it_took() -> None:
    start = time.perf_counter()
    run = rfm.fit(TRAP, G, 3)
    whole = time.perf_counter() - start
    assert run.ended == "all iterations done"
    assert len(run.seconds) == 3
    assert min(run.seconds) > 0
    assert sum(run.seconds) <= whole
    stopped = rfm.fit(TRAP, G, 3, stop=lambda row: row["iteration"] == 2)
    assert stopped.ended.endswith(" after iteration 2")
    assert stopped.ended.startswith("stopped by test_how_a_run_ended")


def test_which_matrix_is_lost_is_told() -> None:
    with pytest.raises(rfm.RunError) as lost:
        rfm.fit(TRAP, Constant(), 1, ridge=1)
    assert lost.value.reason == (
        "VanishedError: the AGOP has vanished: its largest entry is 0.0e+00"
    )
    with pytest.raises(rfm.RunError) as lost:
        rfm.fit(TRAP, G, 1, power=1e4)
    assert lost.value.reason.startswith("VanishedError: the M has ")
    assert (lost.value.iteration, lost.value.run) == (1, None)


def test_a_jitter_is_warned_of_once_and_only_if_asked_for() -> None:
    M0 = torch.block_diag(torch.ones(5, 5), torch.ones(5, 5))  # all samples look alike
    for translations in (False, True):
        for warn in (True, False):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                options = {"warn": warn, "translations": translations, "M0": M0}
                try:
                    table = rfm.fit(TRAP, G, 2, **options).table
                except rfm.RunError as error:
                    table = None if error.run is None else error.run.table
            jitters = [each for each in told if each.category is rfm.JitterWarning]
            assert len(jitters) == warn, (translations, warn)
            assert table is None or table.jitter.iloc[0] > 0


def test_what_is_checked_beforehand_is_what_a_run_takes() -> None:
    taken, checked = (inspect.signature(function).parameters for function in (rfm.fit, check))
    assert set(taken) == set(checked)
    for name, parameter in taken.items():
        assert parameter.default == checked[name].default, name


def test_kept_metrics_count_in_the_memory_that_a_run_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def free(size: int) -> None:
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=size))

    for translations in (False, True):
        bare, kept = (
            rfm.memory_estimate(TRAP, torch.float64, kept, translations) for kept in (0, 10**6)
        )
        options = {"iterations": 10**6, "translations": translations}
        free(bare)
        check(TRAP, G, **options)
        with pytest.raises(MemoryError):
            check(TRAP, G, keep_features=True, **options)
        free(kept)
        check(TRAP, G, keep_features=True, **options)
        free(bare - 1)
        with pytest.raises(MemoryError):
            check(TRAP, G, **options)


def test_translations_compute_on_the_cpu_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**40, 2**40))
    memory = SimpleNamespace(total_memory=2**40)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: memory)
    assert check(TRAP, G).type == "cuda"
    assert check(TRAP, G, translations=True).type == "cpu"
    said = r"^translations=True computes on the CPU, not on cuda$"
    for device in ("cuda", torch.device("cuda")):
        with pytest.raises(ValueError, match=said):
            check(TRAP, G, translations=True, device=device)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_start_may_be_negative_by_rounding_only(scale: float) -> None:
    """By a millionth of the largest eigenvalue, 10 times the largest entry here."""
    v = torch.zeros(10, dtype=torch.float64)
    v[0], v[1] = 0.5**0.5, -(0.5**0.5)
    for size, refused in ((0.9e-5, False), (1.1e-5, True)):
        M0 = scale * (torch.ones(10, 10, dtype=torch.float64) - size * torch.outer(v, v))
        if refused:
            with pytest.raises(ValueError, match="positive semi-definite"):
                check(TRAP, G, M0=M0)
        else:
            check(TRAP, G, M0=M0)
