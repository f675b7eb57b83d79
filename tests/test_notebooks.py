"""The notebooks agree with their text, and the tool that makes them keeps its promises."""

import os
import shutil
import subprocess
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import nbformat
import notebooks
import pytest
import repository
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_output

TEXT = """---
kernelspec:
  name: python3
  display_name: Python 3
  language: python
---

# A chapter

First words.

```{code-cell} ipython3
print(6 * 7)
```

+++

More words.

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: A line.
  image:
    alt: A line that rises.
---
import matplotlib.pyplot as plt

plt.plot([1, 2]);
```
"""


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_notebook_agrees_with_its_text(source: Path) -> None:
    assert notebooks.check(source) == []


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_a_notebook_is_a_page(source: Path) -> None:
    """The table of contents names it."""
    toc = yaml.safe_load((repository.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert files.count(f"book/{source.stem}") == 1, f"_toc.yml needs a line book/{source.stem}"


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


# The tool, on a chapter of its own


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a chapter's text and the notebook made of it."""
    source = tmp_path_factory.mktemp("book") / "src" / "01-chapter.md"
    source.parent.mkdir()
    source.write_text(TEXT, encoding="utf-8")
    notebooks.make(source)
    return source


@pytest.fixture
def source(made: Path, tmp_path: Path) -> Path:
    """A copy of that chapter to spoil."""
    shutil.copytree(made.parent.parent, tmp_path / "book")
    return tmp_path / "book" / "src" / made.name


def edit(source: Path, change: Callable[[NotebookNode], None]) -> str:
    """Spoil the notebook of a text; return what the check then says."""
    path = notebooks.notebook_path(source)
    nb = nbformat.read(path, as_version=4)
    change(nb)
    nbformat.write(nb, path)
    return "\n".join(notebooks.check(source))


def test_making_again_changes_no_byte(source: Path) -> None:
    path = notebooks.notebook_path(source)
    before = path.read_bytes()
    notebooks.make(source)
    assert path.read_bytes() == before
    assert notebooks.check(source) == []


def test_editing_a_cell_keeps_the_names_of_the_others(source: Path) -> None:
    before = [cell.id for cell in notebooks.parse(source).cells]
    source.write_text(
        TEXT.replace("More words.", "Other words.\n\n+++\n\nMore still."), encoding="utf-8"
    )
    after = [cell.id for cell in notebooks.parse(source).cells]
    assert len(set(after)) == len(after) == len(before) + 1
    assert set(before) - set(after) == {before[3]}


def test_a_setup_cell_saved_from_jupyter_is_replaced(source: Path) -> None:
    expected = notebooks.parse(source).cells
    head, body = TEXT.split("# A chapter")
    saved = "```{code-cell} ipython3\n:tags: [remove-cell, setup]\n\n%pip install old\n```\n\n"
    source.write_text(f"{head}{saved}# A chapter{body}", encoding="utf-8")
    assert notebooks.parse(source).cells == expected


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('careful', file=sys.stderr)", "careful"),
        ("object()", "a detail of one machine"),
    ],
)
def test_a_failing_notebook_keeps_its_old_file(source: Path, code: str, complaint: str) -> None:
    path = notebooks.notebook_path(source)
    before = path.read_bytes()
    source.write_text(TEXT.replace("print(6 * 7)", code), encoding="utf-8")
    with pytest.raises(notebooks.NotebookError, match=complaint):
        notebooks.make(source)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda nb: nb.cells[1].update(source="# Another chapter"), "source differs"),
        (lambda nb: nb.cells[0].update(source="pass"), "source differs"),
        (lambda nb: nb.cells[2].update(source="print(42)"), "source differs"),
        (lambda nb: nb.cells[2].metadata.update(tags=["hide-input"]), "metadata differs"),
        (lambda nb: nb.cells[2].update(id="another"), "id differs"),
        (lambda nb: nb.cells.pop(), "the text has 5 cells, the notebook 4"),
        (lambda nb: nb.cells[2].update(execution_count=None), "execution count None, not 2"),
        (lambda nb: nb.cells[2].update(execution_count=7), "execution count 7, not 2"),
        (
            lambda nb: nb.cells[2].outputs.append(new_output("stream", name="stderr", text="oh")),
            "wrote to stderr",
        ),
        (
            lambda nb: nb.cells[2].outputs.append(new_output("error", ename="E", evalue="oh")),
            "raised E: oh",
        ),
        (lambda nb: nb.cells[4].metadata.mystnb.pop("image"), "without alt text"),
        (lambda nb: nb.cells[4].metadata.mystnb.pop("figure"), "without caption"),
        (lambda nb: nb.cells[4].outputs.append(nb.cells[4].outputs[0]), "2 figures under one"),
        (lambda nb: nb.metadata.update(authors=["me"]), "metadata are not the book's"),
    ],
)
def test_the_check_sees(source: Path, change: Callable, complaint: str) -> None:
    assert complaint in edit(source, change)


def test_the_check_sees_a_missing_notebook(source: Path) -> None:
    notebooks.notebook_path(source).unlink()
    assert notebooks.check(source) == ["the notebook is missing"]


@pytest.mark.parametrize(
    ("options", "good"),
    [(":alt: A line.\n\nIts caption.", True), ("Its caption.", False), (":alt: A line.", False)],
)
def test_a_glued_figure_needs_alt_text_and_caption(options: str, good: bool) -> None:
    nb = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"```{{glue:figure}} key\n{options}\n```")]
    )
    assert notebooks.glued_figures(nb) == {"key": good}
