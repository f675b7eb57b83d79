"""Fixtures: operations and precisions for the tests of `rfm`, the built site, a browser on it.

What takes seconds to load is loaded where it is used: pytest-xdist has a process that runs no test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import repository
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("suite", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("suite")

# What the tests allow, as a fraction of the largest entry, by dtype of the computation.
TOLERANCE = {"float64": 1e-10, "float32": 2e-4}


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Matrices here are small, and pytest-xdist brings its own processes."""
    import torch

    torch.set_num_threads(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Call tests with what they ask for.

    `arithmetic`: an operation written out in Python integers; `arithmetic.task` is the one to test.
    `precision`: a dtype and the relative tolerance that goes with it.
    """
    if "arithmetic" in metafunc.fixturenames:
        from oracles import arithmetics

        metafunc.parametrize("arithmetic", arithmetics(), ids=lambda each: each.task.name)
    if "precision" in metafunc.fixturenames:
        import torch

        both = [(getattr(torch, name), allowed) for name, allowed in TOLERANCE.items()]
        metafunc.parametrize("precision", both, ids=TOLERANCE)


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
    import browsing

    if browsing.chromium() is None:
        pytest.skip("no Chromium found: install it, or name it in CHROMIUM, to test in a browser")
    with browsing.started() as browser:
        yield browser
