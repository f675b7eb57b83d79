"""``make test NAME=06``: which tests it runs, and what it says of a name that there is not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import notebooks
import onechapter
import pytest
from onechapter import TESTS, Chapter
from repository import ROOT

TRAP = next(source for source in notebooks.sources() if source.stem.startswith("06"))


def collected(name: str) -> list[str]:
    """Return the tests that are run for a chapter, without running them."""
    only = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--nbval", "--chapter", name]
    run = subprocess.run(
        [*only, "book", "tests"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return [line for line in run.stdout.splitlines() if "::" in line]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("rfm.splits", "splits"),
        ("rfm.recursion", "run"),
        ("rfm.solve", "machine"),
        ("rfm.networks.waves", "networks"),
        ("rfm.networks", "networks"),
        ("rfm.immutable", None),
    ],
)
def test_the_tests_of_a_module(module: str, name: str | None) -> None:
    assert onechapter.test_file(module) == (TESTS / f"test_{name}.py" if name else None)


def test_what_belongs_to_a_chapter() -> None:
    chapter = Chapter(TRAP)
    assert {"06-the-trap", "trap", "given_back"} <= chapter.names
    assert not {"07-breaking-it", "random_moves"} & chapter.names
    assert {TESTS / f"test_{name}.py" for name in ("splits", "run", "subgroups")} <= chapter.files
    assert not {TESTS / f"test_{name}.py" for name in ("fuzz", "networks")} & chapter.files
    assert chapter.may_hold(TESTS / "test_variants.py")
    assert not chapter.may_hold(TESTS / "test_networks.py")
    assert not chapter.may_hold(ROOT / "book" / "07-breaking-it.ipynb")


def test_those_are_run_and_no_others() -> None:
    found = collected("ledger")
    files = {line.split("::")[0] for line in found}
    assert "book/ledger.ipynb" in files
    cells = [line for line in found if line.startswith("book/")]
    assert {line.split("::")[0] for line in cells} == {"book/ledger.ipynb"}
    said = " ".join(found)
    for test in (
        "test_notebook_agrees_with_its_text[ledger]",
        "test_a_text_is_as_jupyter_writes_it[ledger]",
    ):
        assert test in said
    assert all("ledger" in line or "[paper_claims]" in line for line in found)
    assert not re.search(r"tests/(pages|tools)/|test_fuzz\.py", said)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("6", "no chapter begins with '6'"),
        ("the-trap", "no chapter begins with 'the-trap'"),
        ("1", "7 chapters begin with '1'"),
        ("", "no chapter begins with ''"),
        ("06 the-trap", "no chapter begins with 'the-trap'"),
    ],
)
def test_a_name_that_is_not_one_is_told(name: str, complaint: str) -> None:
    class Config:
        def getoption(self, option: str) -> str:
            return name

    with pytest.raises(pytest.UsageError) as caught:
        onechapter.pytest_configure(Config())
    assert complaint in str(caught.value)
    for source in notebooks.sources():
        assert source.stem in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("06", '--chapter "06" book tests'),
        ("06 07", '--chapter "06 07" book tests'),
        ("", "--ignore=tests/tools book tests"),
    ],
)
def test_make_passes_the_name_on(name: str, words: str) -> None:
    made = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.ready", "test", f"NAME={name}"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert words in " ".join(made.stdout.replace("\\\n", " ").split())


def test_there_may_be_several() -> None:
    """What is run for two chapters is what is run for one or the other."""
    config = SimpleNamespace(stash=pytest.Stash(), getoption=lambda _: "ledger since")
    onechapter.pytest_configure(config)
    paths = [*(ROOT / "book").glob("*.ipynb"), *TESTS.glob("test_*.py")]
    taken = {path for path in paths if not onechapter.pytest_ignore_collect(path, config)}
    one, another = config.stash[onechapter.CHAPTERS]
    assert taken == {path for path in paths if one.may_hold(path) or another.may_hold(path)}
    assert {path.stem for path in taken if path.suffix == ".ipynb"} == {"ledger", "since"}
    items = [SimpleNamespace(path=path, fixturenames=[]) for path in paths]
    config.hook = SimpleNamespace(pytest_deselected=lambda items: None)
    expected = [item for item in items if one.has(item) or another.has(item)]
    onechapter.pytest_collection_modifyitems(config, items)
    assert items == expected


@pytest.mark.parametrize(("force", "given"), [("", False), ("0", False), ("1", True)])
@pytest.mark.parametrize("target", ["notebooks", "text", "mutants"])
def test_make_forces_if_it_is_told_to(target: str, force: str, given: bool) -> None:
    ready = [f"--assume-old=.venv/.{name}" for name in ("ready", "mutants")]
    made = subprocess.run(
        ["make", "--dry-run", *ready, target, f"FORCE={force}"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert ("--force" in made.stdout) is given


def test_a_path_is_a_parameter_by_its_name() -> None:
    params = {"source": Path("book/src/06-the-trap.md"), "table": "trap", "k": 10**5000}
    item = SimpleNamespace(callspec=SimpleNamespace(params=params))
    assert onechapter.parameters(item) == {"06-the-trap", "trap"}
