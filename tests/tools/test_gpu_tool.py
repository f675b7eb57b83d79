"""The command that checks a GPU, on the CPU in its place."""

from __future__ import annotations

import sys
from pathlib import Path

import gpu
import pandas as pd
import pytest
import torch

import rfm
from rfm import fit

SMALL = ["gpu.py", "--device", "cpu", "--sizes", "5", "7", "--p", "7", "--q", "5"]
SMALL += ["--rounds", "1"]
ENDS = {  # the tests of a device ↦ whether that is well
    "def test_one():\n    pass\n": True,
    "import pytest\ndef test_one():\n    pass\ndef test_two():\n    pytest.skip()\n": True,
    "def test_one():\n    pass\ndef test_two():\n    assert 0\n": False,
    "import pytest\ndef test_one():\n    pytest.skip()\n": False,
    "import pytest\ndef test_one():\n    pass\ndef test_two():\n    pytest.exit('', 3)\n": False,
    "import nowhere\n": False,
    "": False,
}


def test_it_prints_its_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", [*SMALL, "--no-tests"])
    assert gpu.main() == 0
    printed = capsys.readouterr().out
    for what in ("bare Cholesky, s", "judged differently", "in one iteration", "residual"):
        assert what in printed


@pytest.mark.parametrize(("tests", "well"), ENDS.items())
def test_tests_that_fail_on_the_device_are_told(
    tests: str, well: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own tests, and with nothing measured."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_device.py").write_text(tests, encoding="utf-8")
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    for part in ("settings", "agreement", "speed", "stages", "waits", "mixed"):
        monkeypatch.setattr(gpu, part, lambda *_: pd.DataFrame([{"p": 7}]))
    monkeypatch.setattr(sys, "argv", SMALL)
    assert gpu.main() == (0 if well else 1)


def test_a_python_without_pytest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.sys, "executable", "false")
    table = gpu.tests("cpu")
    assert list(table) == ["tests", "on", "result"]
    assert table["result"].tolist() == ["nothing; exit status 1"]
    assert not gpu.holds(table)


def test_the_stored_tables_say_that_all_is_well() -> None:
    for path in sorted(gpu.DATA.glob("gpu*.csv")):
        assert gpu.holds(pd.read_csv(path)), path.name


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


@pytest.mark.parametrize(
    "wrong", ["--rounds 0", "--sizes 61 60", "--p 3", "--q 1", "--sizes -7"], ids=str
)
def test_bad_sizes_are_told_before_anything_runs(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", *wrong.split()])
    with pytest.raises(SystemExit, match="2"):
        gpu.main()
    assert wrong.split()[-1] in capsys.readouterr().err


def test_refinement_gives_the_solution_of_double_precision() -> None:
    split = gpu.all_but_axis(11)
    K = rfm.Gaussian().gram(split.train, split.train, torch.eye(22, dtype=torch.float64))
    Y = split.task.one_hot_labels(split.train)
    found, residual, steps = gpu.refined(K, Y)
    assert residual <= gpu.REFINED
    assert 1 < steps < gpu.STEPS
    torch.testing.assert_close(found, torch.linalg.solve(K, Y), rtol=0, atol=1e-11)
