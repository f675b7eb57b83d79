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
from test_making import TEXT
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
        self.text.parent.mkdir(parents=True)
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
        for cell in model["content"]["cells"]:
            cell["metadata"].pop("trusted", None)  # says whether this machine wrote it
        return json.loads(json.dumps(model["content"]))

    def save(self, content: dict[str, Any], path: str | None = None) -> None:
        model = {"type": "notebook", "format": "json", "content": content}
        asyncio.run(self.manager.save(nbformat.from_dict(model), path or self.path))

    def files(self) -> tuple[bytes, bytes]:
        return self.text.read_bytes(), self.notebook.read_bytes()


@pytest.fixture(params=CHAPTERS)
def jupyter(request: pytest.FixtureRequest, tmp_path: Path) -> Jupyter:
    jupyter = Jupyter(tmp_path, request.param)
    for file in (jupyter.notebook, jupyter.text):
        shutil.copy(ROOT / file.relative_to(tmp_path), file)
    return jupyter


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jupyter:
    """A chapter of a few cells, made without a kernel."""

    def run(nb: NotebookNode, folder: Path) -> None:
        for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), start=1):
            cell.execution_count = count
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{count}\n")]

    monkeypatch.setattr(notebooks, "execute", run)
    jupyter = Jupyter(tmp_path, "06-small")
    jupyter.text.write_text(TEXT, encoding="utf-8")
    notebooks.make(jupyter.text)
    return jupyter


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


def test_what_was_computed_is_still_known_after_jupyter_has_saved(small: Jupyter) -> None:
    """Nothing is executed again if words were edited, and a chapter whose code was is."""
    content = small.open()
    content["metadata"] |= {"kernelspec": KERNEL, "language_info": LANGUAGE}
    content["cells"][1]["source"] += " More."
    small.save(content)
    assert notebooks.make(small.text) == notebooks.WORDS
    assert notebooks.make(small.text) == notebooks.UNCHANGED
    content = small.open()
    first_number(content)
    small.save(content)
    assert notebooks.make(small.text) == notebooks.EXECUTED


def test_words_taken_from_another_editor_are_not_executed(small: Jupyter) -> None:
    edit(small, lambda nb: nb.cells[1].update(source="# Words of VS Code"))
    notebooks.take(small.text)
    assert notebooks.make(small.text) == notebooks.WORDS
    edit(small, lambda nb: nb.cells[2].outputs[0].update(text="run elsewhere\n"))
    notebooks.take(small.text)
    assert notebooks.make(small.text) == notebooks.EXECUTED


def test_a_chapter_opens_again_as_it_was_saved(small: Jupyter) -> None:
    content = small.open()
    first_number(content)
    small.save(content)
    assert small.open() == content


def test_what_jupyterlab_adds_stays_out_of_the_text(jupyter: Jupyter) -> None:
    before = jupyter.text.read_bytes()
    content = jupyter.open()
    content["metadata"] |= {"kernelspec": KERNEL, "language_info": LANGUAGE}
    for cell in content["cells"]:
        cell["metadata"] |= CELL
    jupyter.save(content)
    assert jupyter.text.read_bytes() == before
    jupyter.open()


def test_a_text_opens_as_a_notebook_too(small: Jupyter) -> None:
    path = f"book/src/{small.text.name}"
    before = small.files()
    small.save(small.open(path), path)
    assert small.files() == before


def test_a_text_edited_beside_is_shown_with_the_outputs_of_the_rest(small: Jupyter) -> None:
    text = small.text.read_text(encoding="utf-8").replace("6 * 7", "6 * 9")
    small.text.write_text(text, encoding="utf-8")
    small.age(-5)
    content = small.open()
    assert any("6 * 9" in cell["source"] for cell in content["cells"])
    assert sum(bool(cell.get("outputs")) for cell in content["cells"]) == 3
    small.save(content)
    assert small.text.read_text(encoding="utf-8") == text


def test_a_first_cell_that_is_deleted_or_edited_comes_back(small: Jupyter) -> None:
    text = small.text.read_bytes()
    for spoil in (lambda cells: cells.pop(0), lambda cells: cells[0].update(source="1")):
        content = small.open()
        spoil(content["cells"])
        small.save(content)
        assert small.text.read_bytes() != text
        notebooks.make(small.text)
        assert small.text.read_bytes() == text


# Editors that write the notebook alone


def edit(jupyter: Jupyter, change: Callable[[NotebookNode], Any], seconds: float = 5) -> None:
    """Edit the notebook as an editor does that does not know its text."""
    nb = nbformat.read(jupyter.notebook, as_version=4)
    change(nb)
    nb.metadata.kernelspec.display_name = ".venv (3.99.0)"
    nb.cells[-1].metadata["vscode"] = {"languageId": "python"}
    nbformat.write(nb, jupyter.notebook)
    jupyter.age(seconds)


@pytest.mark.parametrize("seconds", [5, -5])
def test_an_edit_is_not_lost_and_can_be_taken(small: Jupyter, seconds: float) -> None:
    text = small.text.read_bytes()
    edit(small, first_number, seconds)
    edited = small.notebook.read_bytes()
    for act in (notebooks.make, notebooks.tidy):
        with pytest.raises(notebooks.NotebookError, match=r"(?s)make text NAME=06.*\n\+.*123"):
            act(small.text)
    assert small.files() == (text, edited)
    notebooks.take(small.text)
    assert len(changed(text, small.text.read_bytes())) == 2
    assert "123" in "".join(code_of_text(small))
    small.open()
    notebooks.take(small.text)  # nothing more to take
    notebooks.make(small.text)
    assert notebooks.check(small.text) == []


def test_an_edit_that_the_text_lacks_is_not_opened_over(small: Jupyter) -> None:
    edit(small, first_number)
    with pytest.raises(HTTPError, match="more recent"):
        small.open()
    notebooks.take(small.text)
    small.open()


def test_an_edit_can_be_dropped(small: Jupyter) -> None:
    text = small.text.read_bytes()
    edit(small, first_number)
    notebooks.make(small.text, force=True)
    assert small.text.read_bytes() == text
    assert notebooks.check(small.text) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.cells.pop(),
        lambda nb: nb.cells.pop(3),
        lambda nb: nb.cells.append(nbformat.v4.new_code_cell("1 + 1")),
        lambda nb: nb.cells.append(nb.cells.pop(2)),
        lambda nb: nb.cells[-1].update(source="More.\n\n" + nb.cells[-1].source),
        lambda nb: nb.cells[3].metadata.update(tags=["hide-cell"]),
    ],
    ids=["last cell dropped", "cell dropped", "cell added", "cell moved", "words", "tags"],
)
def test_no_kind_of_edit_is_lost(small: Jupyter, change: Callable) -> None:
    edit(small, change)
    want = [pairing.content(cell) for cell in nbformat.read(small.notebook, as_version=4).cells]
    with pytest.raises(notebooks.NotebookError, match="was edited"):
        notebooks.make(small.text)
    notebooks.take(small.text)
    assert [pairing.content(cell) for cell in notebooks.parse(small.text).cells] == want
    notebooks.make(small.text)


def test_an_older_format_without_names_is_taken(small: Jupyter) -> None:
    def change(nb: NotebookNode) -> None:
        first_number(nb)
        nb.nbformat_minor = 0
        for cell in nb.cells:
            cell.metadata["id"] = cell.pop("id")

    text = small.text.read_bytes()
    edit(small, change)
    with pytest.raises(notebooks.NotebookError, match="was edited"):
        notebooks.make(small.text)
    notebooks.take(small.text)
    assert len(changed(text, small.text.read_bytes())) == 2


def test_a_text_edited_after_the_save_is_made(small: Jupyter) -> None:
    """Both were saved from Jupyter, so the text may move on without the notebook."""
    content = small.open()
    first_number(content)
    small.save(content)
    small.text.write_text(small.text.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    notebooks.make(small.text)
    assert notebooks.check(small.text) == []


def test_when_both_were_edited_none_is_lost(small: Jupyter) -> None:
    with small.text.open("a", encoding="utf-8") as file:
        file.write("\nMore.\n")
    edit(small, first_number, -5)
    before = small.files()
    with pytest.raises(notebooks.NotebookError, match="was edited"):
        notebooks.make(small.text)
    with pytest.raises(notebooks.NotebookError, match=r"(?s)both edited.*\n\+.*More"):
        notebooks.take(small.text)
    assert small.files() == before


def test_a_notebook_without_edits_is_not_taken_over_its_text(small: Jupyter) -> None:
    with small.text.open("a", encoding="utf-8") as file:
        file.write("\nMore.\n")
    before = small.files()
    notebooks.take(small.text)
    assert small.files() == before


def test_a_notebook_without_text_gets_one(small: Jupyter) -> None:
    text = small.text.read_bytes()
    small.text.unlink()
    notebooks.take(small.text)
    assert small.text.read_bytes() == text


# The form of the texts


def test_words_reach_a_notebook_without_a_run(small: Jupyter) -> None:
    text = small.text.read_text(encoding="utf-8")
    small.text.write_text(text.replace("# A chapter\n", "# Another\n"), encoding="utf-8")
    assert notebooks.check(small.text) != []
    notebooks.tidy(small.text)
    assert notebooks.check(small.text) == []
    before = small.files()
    notebooks.tidy(small.text)
    assert small.files() == before


def test_code_does_not(small: Jupyter) -> None:
    text = small.text.read_text(encoding="utf-8").replace("6 * 7", "6 * 9")
    small.text.write_text(text, encoding="utf-8")
    notebook = small.notebook.read_bytes()
    with pytest.raises(notebooks.NotebookError, match="made again"):
        notebooks.tidy(small.text)
    assert small.notebook.read_bytes() == notebook


def test_code_saved_from_jupyter_has_to_run(small: Jupyter) -> None:
    """Its stored outputs may be those of the code before."""
    content = small.open()
    first_number(content)
    small.save(content)
    with pytest.raises(notebooks.NotebookError, match="made again"):
        notebooks.tidy(small.text)


def test_words_saved_from_jupyter_need_not(small: Jupyter) -> None:
    content = small.open()
    content["cells"][1]["source"] += " More."
    small.save(content)
    notebooks.tidy(small.text)
    assert notebooks.check(small.text) == []


# Cells that editors leave behind


def with_an_empty_cell(nb: dict[str, Any] | NotebookNode) -> None:
    """What Shift+Enter on the last cell leaves behind, which is not run."""
    nb["cells"].append(nbformat.v4.new_code_cell())


@pytest.mark.parametrize("also", [first_number, lambda nb: None], ids=["an edit", "no edit"])
def test_an_empty_cell_in_the_notebook_is_no_edit(small: Jupyter, also: Callable) -> None:
    edit(small, lambda nb: (also(nb), with_an_empty_cell(nb)))
    notebooks.take(small.text)
    notebooks.make(small.text)
    assert notebooks.check(small.text) == []
    assert ("123" in "".join(code_of_text(small))) == (also is first_number)
    assert all(cell.source for cell in nbformat.read(small.notebook, 4).cells)


def test_an_empty_cell_saved_from_jupyter_is_no_edit(small: Jupyter) -> None:
    text = small.text.read_bytes()
    content = small.open()
    with_an_empty_cell(content)
    small.save(content)
    assert notebooks.make(small.text) != notebooks.EXECUTED
    assert small.text.read_bytes() == text
    assert notebooks.check(small.text) == []


# Names


def test_a_name_that_is_one_chapter_is_no_other(tmp_path: Path, monkeypatch) -> None:
    """Though others begin with it; letters that no chapter is called are those of all of them."""
    monkeypatch.setattr(notebooks, "BOOK", tmp_path)
    monkeypatch.setattr(notebooks, "SOURCES", tmp_path / "src")
    (tmp_path / "src").mkdir()
    for name in ("mine", "mine-two", "other"):
        (tmp_path / "src" / f"{name}.md").touch()
    found = {
        name: sorted(path.stem for path in notebooks.sources(name.split()))
        for name in ("mine", "min", "mine-two other", "")
    }
    assert found == {
        "mine": ["mine"],
        "min": ["mine", "mine-two"],
        "mine-two other": ["mine-two", "other"],
        "": ["mine", "mine-two", "other"],
    }
    for name, why in (("my own", "has a space"), ("data", "a page of the book")):
        (tmp_path / f"{'data' if name == 'data' else 'none'}.md").touch()
        (tmp_path / "src" / f"{name}.md").touch()
        with pytest.raises(SystemExit, match=why):
            notebooks.sources()
        (tmp_path / "src" / f"{name}.md").unlink()
