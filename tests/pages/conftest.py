"""Fixtures: the built site, and a browser."""

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

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
