"""The code blocks of the pages without cells run, and do what the pages say of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from alts import MIME as TEXT
from repository import ROOT
from test_ci import GITHUB, WORKFLOWS
from test_notebooks import files

RERUN, README = ROOT / "book" / "rerun.md", ROOT / "README.md"


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def canvas() -> Iterator[None]:
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        mpl.use("Agg")
        threads = torch.get_num_threads()
        yield
        torch.set_num_threads(threads)
        plt.close("all")


def run(page: Path, first: int | None = None) -> dict[str, Any]:
    """Run the Python blocks of a page, one after the other; return the names they leave."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks(page, "python")[:first]):
        exec(compile(block, f"{page.name}, python block {number}", "exec"), names)
    return names


@pytest.mark.usefixtures("canvas")
def test_readme_blocks_run() -> None:
    run(README)


@pytest.mark.usefixtures("canvas")
def test_the_first_block_groks() -> None:
    table = run(RERUN, 1)["run"].table
    assert (table["train_accuracy"] == 1).all()
    assert (table["test_accuracy"].iloc[:5] == 0).all()
    assert table["test_accuracy"].iloc[-1] > 0.5


@pytest.mark.usefixtures("canvas")
def test_all_blocks_run_and_the_last_group_is_learned() -> None:
    names = run(RERUN)
    task, last = names["task"], names["run"]
    assert task.group.moduli == (2, 16)
    assert task.element(int(task.label(task.pair(7, 11)))) == str(7 * 11 % 64)
    assert last.table["test_accuracy"].iloc[-1] > 0.9


@pytest.mark.parametrize("page", [RERUN, README, ROOT / "book" / "index.md"], ids=lambda p: p.name)
def test_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^\s*make ([a-z]+)|`make ([a-z]+)`", text, re.MULTILINE)):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target
    for path in re.findall(r"\bbook/(?:src/)?0\d-[\w-]+\.(?:md|ipynb)", text):
        assert (ROOT / path).exists(), path
    for old, path in re.findall(r"sed -i 's/([^/]+)/[^/]*/' (\S+)", text):
        lines = re.findall(old, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(lines) == 1, f"{path} has {len(lines)} lines {old}"  # also after the change


# The CI and the chapter of one's own


def section(label: str) -> str:
    """The section of the page that a label stands over."""
    return RERUN.read_text(encoding="utf-8").split(f"({label})=\n", 1)[1].split("\n## ", 1)[0]


def test_the_workflow_is_shown_as_it_is_and_the_others_are_named() -> None:
    said = section("sec-your-ci")
    shown = re.findall(r"^```\{literalinclude\} (\S+)\n((?::.*\n)*)```$", said, re.MULTILINE)
    whole = {(RERUN.parent / path).resolve() for path, options in shown if "lines" not in options}
    assert whole == {GITHUB / "workflows" / "test.yml", ROOT / ".ci" / "run"}
    for path in [*WORKFLOWS, GITHUB / "dependabot.yml", ROOT / ".pre-commit-config.yaml"]:
        assert f"`{path.relative_to(ROOT).as_posix()}`" in said
    (weekly,) = (
        line for line in said.splitlines() if line.startswith("| `.github/workflows/weekly")
    )
    assert "the package with the oldest" in weekly
    assert "all chapters" in weekly
    assert "`make matrix`" in weekly


BASH = re.compile(r"^(`{3,})bash\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
RECIPE = [block for _, block in BASH.findall(section("sec-your-chapter"))]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the repository with the packages of this one, which make takes for installed.

    It has the times of its files, and what Python has compiled of them.
    """
    clone = tmp_path / "clone"
    compiled = [path for name in ("rfm", "tests", "tools") for path in (ROOT / name).rglob("*.pyc")]
    for path in [*files(), *compiled]:
        if path.is_file():
            copy = clone / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    packages = clone / ".venv"
    packages.mkdir()
    for path in Path(sys.prefix).iterdir():
        if not path.name.startswith(".ready"):
            (packages / path.name).symlink_to(path)
    (packages / ".ready").touch()
    return clone


def follow(clone: Path, steps: list[str]) -> subprocess.CompletedProcess[str]:
    """Paste the blocks of the recipe into a shell in a clone.

    Of the checks that they call for, those of the package are left to this run.
    """
    unwanted = ("PYTEST", "NOTEBOOK", "MAKE", "MFLAGS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(steps)],
        cwd=clone,
        env=environment
        | {
            "PYTHONPATH": str(clone),
            "OMP_NUM_THREADS": "1",
            "WORKERS": "1",
            "PYTEST_ADDOPTS": "-k mine",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_recipe_for_a_chapter_works_as_it_is_printed(clone: Path) -> None:
    """From its first line to a green check, which is red for another number and a missing line."""
    assert RECIPE[-1].endswith("\nmake test NAME=mine\n")
    done = follow(clone, RECIPE)
    assert done.returncode == 0, done.stdout + done.stderr

    (clone / "_toc.yml").write_bytes((ROOT / "_toc.yml").read_bytes())
    path = clone / "book" / "mine.ipynb"
    nb = nbformat.read(path, as_version=4)
    (right,) = (
        output
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if output.metadata.get("scrapbook", {}).get("name") == "mine-right"
    )
    right.data[TEXT] = "-1"
    nbformat.write(nb, path)
    check = ".venv/bin/python -m pytest --nbval --nbval-current-env"
    done = follow(clone, [f"{check} book/mine.ipynb tests/test_notebooks.py"])  # of that command
    assert done.returncode != 0
    assert "_toc.yml needs a line book/mine" in done.stdout
    assert re.search(r"^FAILED book/mine.ipynb::Cell \d", done.stdout, re.MULTILINE)
    assert "2 failed" in done.stdout
