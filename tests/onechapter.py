"""``--chapter NAME``: of all tests those of one chapter, or of several, and of what they need.

These are, each found by a rule:

- its notebook, executed and compared;
- tests that have the chapter, or a table that it reads, for a parameter;
- the tests of the modules that define what its code names: ``rfm.withhold`` is of ``rfm.splits``,
  and that is tested by ``test_splits.py``. A module without a test file of its name is tested by
  the one that names it most often, of those that are about it to a fifth or more.

The tests of the site and of the tools, in folders of their own, are left out.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import needs
import notebooks
import pytest
from repository import ROOT

TESTS = ROOT / "tests"
LISTING = {"notebooks", "tables"}  # tools that say which chapters and tables there are
ABOUT = 0.2  # of all that a test file names from the package
CHAPTERS = pytest.StashKey[list["Chapter"]]()


class Chapter:
    """A chapter, and which tests are its own."""

    def __init__(self, source: Path) -> None:
        nb = notebooks.parse(source)
        self.notebook = notebooks.notebook_path(source)
        self.names = {source.stem, *needs.tables(nb, notebooks.BOOK / "data")}
        found = {test_file(module) for module in needs.shown(nb)}
        self.files = {path for path in found if path}

    def may_hold(self, path: Path) -> bool:
        """Whether a file may hold tests of this chapter."""
        if path.suffix != ".py":
            return path == self.notebook
        listing = path.parent == TESTS and LISTING & {*needs.imports(tree(path))}
        return path in self.files or bool(listing)

    def has(self, item: pytest.Item) -> bool:
        """Whether a test is one of this chapter."""
        own = item.path == self.notebook or item.path in self.files
        return own or bool(self.names & parameters(item))


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def counts() -> dict[Path, Counter[str]]:
    """Map the test files to how often each names what a module of the package defines."""
    files = sorted(TESTS.glob("test_*.py"))
    return {path: Counter(needs.defining([tree(path)])) for path in files}


def test_file(module: str) -> Path | None:
    """Return the file with the tests of a module of the package, None if there is none."""
    for name in module.split(".")[1:]:  # rfm.networks.waves is tested by test_networks.py
        if (path := TESTS / f"test_{name}.py").exists():
            return path
    about = {
        path: counter[module]
        for path, counter in counts().items()
        if counter[module] >= ABOUT * counter.total() > 0
    }
    return max(about, key=about.__getitem__, default=None)


def parameters(item: pytest.Item) -> set[str]:
    """Return what a test is called with, as words: a path by its name."""
    values = [*item.callspec.params.values()] if hasattr(item, "callspec") else []
    paths = {value.stem for value in values if isinstance(value, Path)}
    return paths | {value for value in values if isinstance(value, str)}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    words = "test this chapter, by its first letters, and what it needs; or 'ONE ANOTHER'"
    parser.getgroup("book").addoption("--chapter", metavar="NAME", help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Find the chapters.

    Raises:
        UsageError: There is none of a name, or there are several.
    """
    names = config.getoption("--chapter")
    if names is not None:
        config.stash[CHAPTERS] = [Chapter(named(name)) for name in names.split() or [""]]


def named(name: str) -> Path:
    """Return the text of the chapter of this name, or of the one that begins with it.

    Raises:
        UsageError: There is none, or there are several.
    """
    sources = {source.stem: source for source in notebooks.sources()}
    found = notebooks.named(name, [*sources])
    if not name or len(found) != 1:
        many = f"{len(found)} chapters begin" if found and name else "no chapter begins"
        raise pytest.UsageError(f"{many} with {name!r}: name one of {', '.join(sources)}")
    return sources[found[0]]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without tests of the chapters."""
    chapters = config.stash.get(CHAPTERS, [])
    if chapters and collection_path.is_file():
        return None if any(each.may_hold(collection_path) for each in chapters) else True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that are not of the chapters."""
    if chapters := config.stash.get(CHAPTERS, []):
        kept, left_out = [], []
        for item in items:
            (kept if any(each.has(item) for each in chapters) else left_out).append(item)
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept
