"""Whatever happens to a stored output, the strict check of notebooks would fail; see `spoiling`."""

from __future__ import annotations

from pathlib import Path

import nbformat
import nbstrict
import notebooks
import pytest
from nbformat import NotebookNode
from spoiling import of_text, spoilt


def cells(path: Path) -> list[tuple[int, NotebookNode]]:
    """The code cells of a notebook that show something, with their places."""
    nb = nbformat.read(path, as_version=4)
    return [
        (i, cell) for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and cell.outputs
    ]


@pytest.mark.parametrize("path", sorted(notebooks.BOOK.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_spoilt_output_is_noticed(path: Path) -> None:
    shown = cells(path)
    assert shown
    for number, cell in shown:
        assert nbstrict.complaint(cell, cell.outputs) == "", number
        said = []
        for each in spoilt(cell):
            assert each.cell != cell, (number, each.what)
            assert nbstrict.complaint(each.cell, cell.outputs), (number, each.what)
            said.append(each.what)
        assert unspoilt(cell, said) == []


def unspoilt(cell: NotebookNode, said: list[str]) -> list[str]:
    """The outputs of a cell to which nothing has happened, each by its kinds: of what was said."""
    kinds = [
        f"output {i} {kind} "
        for i, output in enumerate(cell.outputs)
        for kind in [*output.get("data", {})] or [output.get("name", "evalue")]
    ]
    return [kind for kind in kinds if not any(what.startswith(kind) for what in said)]


def test_a_text_is_spoilt_everywhere() -> None:
    table = "<table>\n<tr>\n<td>1</td>\n</tr>\n<tr>\n<td>23</td>\n</tr>\n</table>\n"
    found = dict(of_text(table))
    assert len(set(found.values())) == len(found)
    digits = [text for what, text in found.items() if "digit" in what]
    assert [sum(map(str.__ne__, table, text)) for text in digits] == [1, 1, 1]
    lost = [text for what, text in found.items() if "lost" in what]
    assert len(lost) == 8
    assert {text.count("\n") for text in lost} == {7}
    (swapped,) = (text for what, text in found.items() if "rows" in what)
    assert swapped.index("23") < swapped.index("1")
    assert sorted(swapped) == sorted(table)
