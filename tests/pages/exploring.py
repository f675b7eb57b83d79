"""A bare page, read from a file, that loads the explorer's engine: what its tests talk to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import browsing
from playwright.sync_api import Browser, Page
from repository import ROOT

SCRIPTS = ROOT / "book" / "site" / "explorer"
NAMES = (
    *("groups", "tasks", "subgroups", "random", "splits", "settings", "address", "python"),
    *("thresholds", "products", "solve", "spectral", "kernels", "gradients", "machine"),
    *("decomposition", "judging", "recursion", "worker", "parts", "engine"),
)


@contextmanager
def loaded(browser: Browser, folder: Path) -> Iterator[Page]:
    """A page from ``file://`` with the engine as the global ``engine``; it must not complain."""
    scripts = [(SCRIPTS / f"{name}.js").as_uri() for name in NAMES]
    sources = "".join(f'<script src="{script}"></script>' for script in scripts)
    bare = folder / "bare.html"
    bare.write_text(f'<!doctype html><meta charset="utf-8">{sources}', encoding="utf-8")
    with browsing.opened(browser) as (page, wrong):
        page.goto(bare.as_uri())
        page.evaluate("globalThis.engine = rfmEngine()")
        yield page
        assert not wrong, wrong
