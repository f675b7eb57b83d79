"""The code is as ruff wants it, the scripts as deno does, and the package's types hold."""

import os
import subprocess
import sys

import deno
import pytest
from repository import ROOT

RUFF = [sys.executable, "-m", "ruff"]


def passes(command: list[str]) -> None:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command: list[str]) -> None:
    passes([*RUFF, *command, "--no-cache", "."])


@pytest.mark.parametrize("command", [["lint"], ["fmt", "--check"]], ids=" ".join)
def test_deno(command: list[str]) -> None:
    passes([deno.find_deno_bin(), *command])


def test_types() -> None:
    passes([sys.executable, "-m", "mypy", "--cache-dir", os.devnull])
