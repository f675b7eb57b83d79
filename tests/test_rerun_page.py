"""The code blocks of the pages without cells run, and do what the pages say of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch
from repository import ROOT

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
