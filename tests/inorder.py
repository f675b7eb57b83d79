"""The order of the test files, in which no process waits for another or is left alone at the end.

pytest-xdist hands out whole files, and hands them out in the order in which they were collected if
it is called with ``--no-loadscope-reorder``. Many files need the built site, which one process
builds while the others that ask for it wait. So `FIRST` comes first, which needs it and takes
longest of all; then all that can do without it, the notebooks first; then what needs it too.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

FIRST = "test_browser.py"  # by itself a quarter of what one process does
SITE = "site"  # a fixture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; within one, nothing moves."""
    many = Counter(item.path for item in items)
    later = {item.path for item in items if SITE in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> tuple[bool, bool, bool, int, Path]:
        path = item.path
        return path.name != FIRST, path in later, path.suffix == ".py", -many[path], path

    items.sort(key=place)
