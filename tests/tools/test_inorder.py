"""The order in which the test files are handed out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import inorder
import pytest
import repository

PAGES = repository.ROOT / "tests" / "pages"


def item(path: str, name: str, *fixtures: str) -> SimpleNamespace:
    return SimpleNamespace(path=Path(path), name=name, fixturenames=fixtures)


@pytest.mark.parametrize("turn", [1, -1])
def test_files_are_sorted_and_tests_within_one_are_not(turn: int) -> None:
    cell = SimpleNamespace(path=Path("b.ipynb"), name="Cell 0")  # nbval's have no fixtures
    files = [
        [item("tests/test_site.py", "a", "site")],
        [item("tests/test_small.py", "a")],
        [item("tests/test_mixed.py", name, *some) for name, some in [("b", ()), ("a", ("site",))]],
        [item("tests/test_large.py", name) for name in "zyx"],
        [cell],
        [item(f"tests/{inorder.FIRST}", "a", "browser", "site")],
    ]
    items = [each for file in files[::turn] for each in file]
    inorder.pytest_collection_modifyitems(items)
    assert [(each.path.name, each.name) for each in items] == [
        (inorder.FIRST, "a"),
        ("b.ipynb", "Cell 0"),
        *(("test_large.py", name) for name in "zyx"),
        ("test_small.py", "a"),
        *(("test_mixed.py", name) for name in "ba"),
        ("test_site.py", "a"),
    ]


def test_the_first_is_there_and_needs_the_site() -> None:
    assert re.search(
        rf"\bdef \w+\([^)]*\b{inorder.SITE}: Path\b", (PAGES / inorder.FIRST).read_text("utf-8")
    )


def test_the_order_is_the_one_in_which_they_are_handed_out() -> None:
    command = ["make", "--dry-run", "--always-make", "test"]
    said = subprocess.run(
        command, cwd=repository.ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert "--no-loadscope-reorder" in said.stdout
