"""The tool that makes notebooks keeps its promises, on a chapter of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import notebooks
import pytest
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
