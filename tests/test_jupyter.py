"""Every chapter opens in Jupyter with jupytext on, and is saved as an edit of what was edited.

Jupyter's own contents manager is driven here, with jupytext's on top as in JupyterLab and Notebook.
Other editors write the notebook alone; then `--take` brings the edit into the text.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import notebooks
import pairing
import pytest
from jupytext import AsyncTextFileContentsManager
from nbformat import NotebookNode
from repository import ROOT
from tornado.web import HTTPError

CHAPTERS = [source.stem for source in notebooks.sources()]

# How much later than its text a notebook was written, in seconds.
AGES = {"as cloned": 0, "notebook newer": 3600, "text newer": -3600}

# What JupyterLab writes into a notebook by itself, when it is opened and looked at.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.99.0",
}
CELL = {"editable": True, "slideshow": {"slide_type": ""}, "execution": {}, "scrolled": True}


class Jupyter:
    """A server on a copy of the book, and the files of one chapter in it."""

    def __init__(self, root: Path, name: str):
        self.notebook = root / "book" / f"{name}.ipynb"
        self.text = root / "book" / "src" / f"{name}.md"
        self.path = f"book/{name}.ipynb"
        for file in (self.notebook, self.text):
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file.relative_to(root), file)
        shutil.copy(ROOT / "jupytext.toml", root)
        self.manager = AsyncTextFileContentsManager(root_dir=str(root))
        self.manager.log.setLevel("CRITICAL")

    def age(self, seconds: float) -> None:
        now = 1_700_000_000
        os.utime(self.text, (now, now))
        os.utime(self.notebook, (now + seconds, now + seconds))

    def open(self, path: str | None = None) -> dict[str, Any]:
        """What a browser is sent."""
        model = asyncio.run(self.manager.get(path or self.path, type="notebook"))
        assert "message" not in model
        return json.loads(json.dumps(model["content"]))

    def save(self, content: dict[str, Any], path: str | None = None) -> None:
        model = {"type": "notebook", "format": "json", "content": content}
        asyncio.run(self.manager.save(nbformat.from_dict(model), path or self.path))

    def files(self) -> tuple[bytes, bytes]:
        return self.text.read_bytes(), self.notebook.read_bytes()


@pytest.fixture(params=CHAPTERS)
def jupyter(request: pytest.FixtureRequest, tmp_path: Path) -> Jupyter:
    return Jupyter(tmp_path, request.param)


@pytest.fixture
def trap(tmp_path: Path) -> Jupyter:
    """One chapter, with figures."""
    return Jupyter(tmp_path, next(name for name in CHAPTERS if name.startswith("06")))


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a notebook that is made as if its cells had shown nothing."""

    def run(nb: NotebookNode, folder: Path) -> None:
        for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), start=1):
            cell.execution_count = count

    monkeypatch.setattr(notebooks, "execute", run)


def changed(before: bytes, after: bytes) -> list[str]:
    """The lines that a diff of two texts shows."""
    lines = difflib.ndiff(*(text.decode().splitlines() for text in (before, after)))
    return [line for line in lines if line[0] in "+-"]


def first_number(nb: dict[str, Any]) -> None:
    """Change one number of one line of code in a notebook, of words if its code has none."""
    cells = [c for c in nb["cells"] if "setup" not in c["metadata"].get("tags", [])]
    for cell in sorted(cells, key=lambda cell: cell["cell_type"] != "code"):
        for line in cell["source"].splitlines():
            if (new := re.sub(r"\b\d+\b", "123", line, count=1)) != line:
                cell["source"] = cell["source"].replace(line, new, 1)
                return


def code_of_text(jupyter: Jupyter) -> list[str]:
    return [cell.source for cell in notebooks.parse(jupyter.text).cells]


@pytest.mark.parametrize("age", AGES.values(), ids=AGES)
def test_one_number_is_one_line_and_nothing_is_lost(jupyter: Jupyter, age: int) -> None:
    jupyter.age(age)
    text, notebook = jupyter.files()
    content = jupyter.open()
    jupyter.save(content)
    assert jupyter.files() == (text, notebook)
    jupyter.age(age)
    first_number(content)
    jupyter.save(content)
    old, new = changed(text, jupyter.text.read_bytes())
    assert (old[0], new[0], "123" in new) == ("-", "+", True)
    was, now = (nbformat.reads(raw.decode(), 4) for raw in (notebook, jupyter.files()[1]))
    assert sum(a != b for a, b in zip(was.cells, now.cells, strict=True)) == 1
    assert was.metadata == now.metadata
    assert code_of_text(jupyter) == [cell.source for cell in now.cells]


def test_a_chapter_opens_again_as_it_was_saved(trap: Jupyter) -> None:
    content = trap.open()
    first_number(content)
    trap.save(content)
    assert trap.open() == content


def test_what_jupyterlab_adds_stays_out_of_the_text(jupyter: Jupyter) -> None:
    before = jupyter.text.read_bytes()
    content = jupyter.open()
    content["metadata"] |= {"kernelspec": KERNEL, "language_info": LANGUAGE}
    for cell in content["cells"]:
        cell["metadata"] |= CELL
    jupyter.save(content)
    assert jupyter.text.read_bytes() == before
    jupyter.open()


def test_a_text_opens_as_a_notebook_too(trap: Jupyter) -> None:
    path = f"book/src/{trap.text.name}"
    before = trap.files()
    trap.save(trap.open(path), path)
    assert trap.files() == before


def test_a_text_edited_beside_is_shown_with_the_outputs_of_the_rest(trap: Jupyter) -> None:
    text = trap.text.read_text(encoding="utf-8").replace("iterations=60", "iterations=61", 1)
    trap.text.write_text(text, encoding="utf-8")
    trap.age(-5)
    content = trap.open()
    assert any("iterations=61" in cell["source"] for cell in content["cells"])
    assert sum(bool(cell.get("outputs")) for cell in content["cells"]) > 5
    trap.save(content)
    assert trap.text.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("pretend")
def test_a_first_cell_that_is_deleted_or_edited_comes_back(trap: Jupyter) -> None:
    text = trap.text.read_bytes()
    for spoil in (lambda cells: cells.pop(0), lambda cells: cells[0].update(source="1")):
        content = trap.open()
        spoil(content["cells"])
        trap.save(content)
        assert trap.text.read_bytes() != text
        notebooks.make(trap.text)
        assert trap.text.read_bytes() == text


# Editors that write the notebook alone


def edit(jupyter: Jupyter, change: Callable[[NotebookNode], Any], seconds: float = 5) -> None:
    """Edit the notebook as an editor does that does not know its text."""
    nb = nbformat.read(jupyter.notebook, as_version=4)
    change(nb)
    nb.metadata.kernelspec.display_name = ".venv (3.99.0)"
    nb.cells[-1].metadata["vscode"] = {"languageId": "python"}
    nbformat.write(nb, jupyter.notebook)
    jupyter.age(seconds)


@pytest.mark.usefixtures("pretend")
@pytest.mark.parametrize("seconds", [5, -5])
def test_an_edit_is_not_lost_and_can_be_taken(trap: Jupyter, seconds: float) -> None:
    text = trap.text.read_bytes()
    edit(trap, first_number, seconds)
    edited = trap.notebook.read_bytes()
    for act in (notebooks.make, notebooks.tidy):
        with pytest.raises(notebooks.NotebookError, match=r"(?s)make text NAME=06.*\n\+.*123"):
            act(trap.text)
    assert trap.files() == (text, edited)
    notebooks.take(trap.text)
    assert len(changed(text, trap.text.read_bytes())) == 2
    assert "123" in "".join(code_of_text(trap))
    trap.open()
    notebooks.take(trap.text)  # nothing more to take
    notebooks.make(trap.text)
    assert notebooks.check(trap.text) == []


def test_an_edit_that_the_text_lacks_is_not_opened_over(trap: Jupyter) -> None:
    edit(trap, first_number)
    with pytest.raises(HTTPError, match="more recent"):
        trap.open()
    notebooks.take(trap.text)
    trap.open()


@pytest.mark.usefixtures("pretend")
def test_an_edit_can_be_dropped(trap: Jupyter) -> None:
    text = trap.text.read_bytes()
    edit(trap, first_number)
    notebooks.make(trap.text, force=True)
    assert trap.text.read_bytes() == text
    assert notebooks.check(trap.text) == []


@pytest.mark.usefixtures("pretend")
@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.cells.pop(),
        lambda nb: nb.cells.pop(3),
        lambda nb: nb.cells.append(nbformat.v4.new_code_cell("1 + 1")),
        lambda nb: nb.cells.append(nb.cells.pop(3)),
        lambda nb: nb.cells[-1].update(source="More.\n\n" + nb.cells[-1].source),
        lambda nb: nb.cells[3].metadata.update(tags=["hide-cell"]),
    ],
    ids=["last cell dropped", "cell dropped", "cell added", "cell moved", "words", "tags"],
)
def test_no_kind_of_edit_is_lost(trap: Jupyter, change: Callable) -> None:
    edit(trap, change)
    want = [pairing.content(cell) for cell in nbformat.read(trap.notebook, as_version=4).cells]
    with pytest.raises(notebooks.NotebookError, match="was edited"):
        notebooks.make(trap.text)
    notebooks.take(trap.text)
    assert [pairing.content(cell) for cell in notebooks.parse(trap.text).cells] == want
    notebooks.make(trap.text)


def test_an_older_format_without_names_is_taken(trap: Jupyter) -> None:
    def change(nb: NotebookNode) -> None:
        first_number(nb)
        nb.nbformat_minor = 0
        for cell in nb.cells:
            cell.metadata["id"] = cell.pop("id")

    text = trap.text.read_bytes()
    edit(trap, change)
    with pytest.raises(notebooks.NotebookError, match="was edited"):
        notebooks.make(trap.text)
    notebooks.take(trap.text)
    assert len(changed(text, trap.text.read_bytes())) == 2


@pytest.mark.usefixtures("pretend")
def test_a_text_edited_after_the_save_is_made(trap: Jupyter) -> None:
    """Both were saved from Jupyter, so the text may move on without the notebook."""
    content = trap.open()
    first_number(content)
    trap.save(content)
    trap.text.write_text(trap.text.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    notebooks.make(trap.text)
    assert notebooks.check(trap.text) == []


def test_when_both_were_edited_none_is_lost(trap: Jupyter) -> None:
    with trap.text.open("a", encoding="utf-8") as file:
        file.write("\nMore.\n")
    edit(trap, first_number, -5)
    before = trap.files()
    with pytest.raises(notebooks.NotebookError, match="was edited"):
        notebooks.make(trap.text)
    with pytest.raises(notebooks.NotebookError, match=r"(?s)both edited.*\n\+.*More"):
        notebooks.take(trap.text)
    assert trap.files() == before


def test_a_notebook_without_edits_is_not_taken_over_its_text(trap: Jupyter) -> None:
    with trap.text.open("a", encoding="utf-8") as file:
        file.write("\nMore.\n")
    before = trap.files()
    notebooks.take(trap.text)
    assert trap.files() == before


def test_a_notebook_without_text_gets_one(trap: Jupyter) -> None:
    text = trap.text.read_bytes()
    trap.text.unlink()
    notebooks.take(trap.text)
    assert trap.text.read_bytes() == text


# The form of the texts


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_text_is_as_jupyter_writes_it(name: str) -> None:
    source = notebooks.SOURCES / f"{name}.md"
    lines = changed(source.read_bytes(), notebooks.tidied(source).encode())
    assert not lines, "python tools/notebooks.py --tidy writes it so"


def test_words_reach_a_notebook_without_a_run(trap: Jupyter) -> None:
    text = trap.text.read_text(encoding="utf-8")
    trap.text.write_text(text.replace("# The trap\n", "# A trap\n"), encoding="utf-8")
    assert notebooks.check(trap.text) != []
    notebooks.tidy(trap.text)
    assert notebooks.check(trap.text) == []
    before = trap.files()
    notebooks.tidy(trap.text)
    assert trap.files() == before


def test_code_does_not(trap: Jupyter) -> None:
    text = trap.text.read_text(encoding="utf-8").replace("iterations=60", "iterations=61", 1)
    trap.text.write_text(text, encoding="utf-8")
    notebook = trap.notebook.read_bytes()
    with pytest.raises(notebooks.NotebookError, match="made again"):
        notebooks.tidy(trap.text)
    assert trap.notebook.read_bytes() == notebook
