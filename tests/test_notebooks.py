"""The notebooks agree with their text, which is as Jupyter would write it."""

import os
import shutil
import subprocess
from difflib import unified_diff
from fnmatch import fnmatch
from pathlib import Path

import notebooks
import pytest
import repository
import yaml


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_notebook_agrees_with_its_text(source: Path) -> None:
    assert notebooks.check(source) == []


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_a_notebook_is_a_page(source: Path) -> None:
    """The table of contents names it."""
    toc = yaml.safe_load((repository.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert files.count(f"book/{source.stem}") == 1, f"_toc.yml needs a line book/{source.stem}"


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_a_text_is_as_jupyter_writes_it(source: Path) -> None:
    written, tidied = source.read_text(encoding="utf-8"), notebooks.tidied(source)
    lines = [*unified_diff(written.splitlines(), tidied.splitlines(), lineterm="", n=0)]
    assert not lines, "python tools/notebooks.py --tidy writes it so"


def test_every_notebook_has_a_text() -> None:
    assert notebooks.sources()
    assert notebooks.orphans() == []


def files() -> list[Path]:
    """Return the files of the repository; where git does not say, what it would not ignore."""
    root = repository.ROOT
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, check=False)
        if listed.returncode == 0:  # it does not look into folders of another user
            return [root / name for name in listed.stdout.decode().split("\0") if name]
    lines = (root / ".gitignore").read_text(encoding="utf-8").split()
    ignored = [".git", *(line.strip("/") for line in lines)]
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [n for n in folders if not any(fnmatch(n, pattern) for pattern in ignored)]
        found += [Path(folder, n) for n in names if not any(fnmatch(n, p) for p in ignored)]
    return found


@pytest.mark.parametrize("git", [True, False])
def test_the_address_stands_in_one_place(git: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other file takes it from pyproject.toml; the chapters' first cell is generated."""
    place = repository.address().split("//")[1].removeprefix("www.").split("/", 1)[1].encode()
    if not git:
        monkeypatch.setattr(
            Path, "exists", lambda path: path.name != ".git" and os.path.exists(path)
        )
    cell = notebooks.setup_cell().source.encode()
    naming = {
        path.relative_to(repository.ROOT).as_posix()
        for path in files()
        if path.is_file() and place in path.read_bytes().replace(cell, b"")
    }
    made = {path.relative_to(repository.ROOT).as_posix() for path in notebooks.BOOK.glob("*.ipynb")}
    assert naming - made == {"pyproject.toml"}, "take it from tools/repository.py"
    for source in notebooks.sources():
        for path in (source, notebooks.notebook_path(source)):
            assert path.read_bytes().count(place) == cell.count(place), path
