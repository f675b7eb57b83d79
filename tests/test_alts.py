"""Alt texts and captions are filled with what a notebook has glued, or the build warns."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import alts
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pairing import METADATA
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils


def png() -> str:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def glue(key: str, text: str) -> nbformat.NotebookNode:
    """What `glue(key, value, display=False)` leaves behind."""
    data = {"application/papermill.record/text/plain": text}
    metadata = {"scrapbook": {"name": key, "mime_prefix": "application/papermill.record/"}}
    return new_output("display_data", data, metadata=metadata)


def notebook(alt: str) -> nbformat.NotebookNode:
    notes = [glue("06-task", "'x + y mod 12'"), glue("06-right", "7")]
    picture = new_output("display_data", {"image/png": png(), "text/plain": "<Figure>"})
    words = {"figure": {"caption": "In {glue:text}`06-task`."}, "image": {"alt": alt}}
    cells = [
        new_markdown_cell("# A page"),
        new_code_cell("note()", outputs=notes),
        new_code_cell("plot()", outputs=[picture], metadata={"mystnb": words}),
    ]
    return new_notebook(cells=cells, metadata=METADATA)


@pytest.fixture
def build(tmp_path: Path) -> Callable:
    """Build a page: what it says, and the warnings."""

    def call(alt: str) -> tuple[str, str]:
        (tmp_path / "src").mkdir()
        nbformat.write(notebook(alt), tmp_path / "src" / "index.ipynb")
        warnings = io.StringIO()
        options = {
            "extensions": ["myst_nb", "alts"],
            "source_suffix": {".rst": "restructuredtext"},  # of its own: extensions add to it
            "nb_execution_mode": "off",
            "html_theme": "basic",
        }
        folders = (tmp_path / "src", None, tmp_path / "out", tmp_path / "tree")
        with patch_docutils(), docutils_namespace():
            app = Sphinx(*folders, "html", options, status=None, warning=warnings)
            app.build()
        return (tmp_path / "out" / "index.html").read_text(encoding="utf-8"), warnings.getvalue()

    return call


def test_alt_text_and_caption_are_filled(build: Callable) -> None:
    page, warnings = build("{glue:text}`06-right` points of {glue:text}`06-task`, {all} of them.")
    assert 'alt="7 points of x + y mod 12, {all} of them."' in page
    assert "In x + y mod 12." in re.sub("<[^>]*>", "", page)
    assert not warnings


def test_an_unknown_key_is_a_warning(build: Callable) -> None:
    _, warnings = build("{glue:text}`06-wrong` points.")
    assert "nothing glued under '06-wrong'" in warnings


def test_texts_lose_their_quotation_marks_only() -> None:
    nb = notebook("")
    nb.cells.append(new_code_cell("", outputs=[glue("06-words", '"Noether\'s"')]))
    assert alts.glued(nb)["06-words"] == "Noether's"


def test_a_key_glued_twice_has_its_last_value() -> None:
    nb = notebook("")
    nb.cells[1].outputs.append(glue("06-right", "8"))
    assert alts.glued(nb)["06-right"] == "8"


def test_other_roles_stay() -> None:
    assert (
        alts.filled("{doc}`06-right`, `06-right`", {"06-right": "7"})
        == "{doc}`06-right`, `06-right`"
    )
    with pytest.raises(KeyError):
        alts.filled("{glue:text}`06-wrong`", {"06-right": "7"})
