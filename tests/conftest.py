"""Fixtures: operations and precisions for the tests of `rfm`, the built site, a browser on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import browsing
import pytest
import repository
import torch
from filelock import FileLock
from hypothesis import settings
from oracles import Arithmetic, arithmetics
from playwright.sync_api import Browser

settings.register_profile("suite", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("suite")

torch.set_num_threads(1)  # matrices here are small, and pytest-xdist brings its own processes

# What the tests allow, as a fraction of the largest entry, by dtype of the computation.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-4}


@pytest.fixture(params=arithmetics(), ids=lambda arithmetic: arithmetic.task.name)
def arithmetic(request: pytest.FixtureRequest) -> Arithmetic:
    """An operation written out in Python integers; `arithmetic.task` is the one to test."""
    return request.param


@pytest.fixture(params=list(TOLERANCE), ids=lambda dtype: str(dtype).removeprefix("torch."))
def precision(request: pytest.FixtureRequest) -> tuple[torch.dtype, float]:
    """A dtype and the relative tolerance that goes with it."""
    return request.param, TOLERANCE[request.param]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The site, built from scratch as ``make book`` does, once for all test processes."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "site"
    built = folder / "built"
    with FileLock(folder.with_suffix(".lock")):
        if not built.exists():
            options = ["--path-output", str(folder), "-W", "-n", "--keep-going", "-q"]
            run = subprocess.run(
                [Path(sys.executable).with_name("jupyter-book"), "build", ".", *options],
                cwd=repository.ROOT,
                env=os.environ | {"NO_COLOR": "1"},
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
            built.touch()
    return folder / "_build" / "html"


@pytest.fixture(scope="module")  # while it is open, an event loop runs
def browser() -> Iterator[Browser]:
    """Chromium; what needs it is skipped where there is none."""
    if browsing.chromium() is None:
        pytest.skip("no Chromium found: install it, or name it in CHROMIUM, to test in a browser")
    with browsing.started() as browser:
        yield browser
