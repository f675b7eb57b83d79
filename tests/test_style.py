"""The code is as ruff wants it, that of the notebooks included, and the scripts as deno does."""

import subprocess
import sys

import deno
import pytest
from repository import ROOT

RUFF = [sys.executable, "-m", "ruff"]


def passes(command: list[str]) -> None:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command: list[str]) -> None:
    passes([*RUFF, *command, "--no-cache", "."])


@pytest.mark.parametrize("command", [["lint"], ["fmt", "--check"]], ids=" ".join)
def test_deno(command: list[str]) -> None:
    passes([deno.find_deno_bin(), *command])
