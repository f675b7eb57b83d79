"""Whatever happens to a stored output, the strict check of notebooks would fail; see `spoiling`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import nbformat
import nbstrict
import notebooks
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from outputs import ORDER, compare, listed
from spoiling import of_text, spoilt
from test_nbstrict import png


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


TEXT = new_output("stream", name="stdout", text="a\n")
ONE = new_output("display_data", {"text/plain": "one", "text/html": "<b>one</b>"})
TWO = new_output("display_data", {"text/plain": "two"})
WIDE = new_output("display_data", {"text/plain": "two"}, metadata={"text/plain": {"width": 9}})
RESULT = new_output("execute_result", {"text/plain": "two"}, execution_count=1)
GLUED = new_output("display_data", {"a/b": "1"}, metadata={"scrapbook": {"name": "c", "d": 1}})


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ([TEXT, TWO], [TWO, TEXT]),
        ([TWO, RESULT, TEXT], [TWO, TEXT, RESULT]),
        ([TWO], [WIDE]),
        ([TWO], [RESULT]),
        (
            [TWO, GLUED],
            [new_output("display_data", TWO.data | GLUED.data, metadata=GLUED.metadata)],
        ),
        (
            [ONE, TWO],
            [
                new_output("display_data", {"text/plain": "one"}),
                new_output("display_data", {"text/plain": "two", "text/html": "<b>one</b>"}),
            ],
        ),
    ],
)
def test_outputs_put_together_otherwise_are_others(stored: list, fresh: list) -> None:
    for pair in ((stored, fresh), (fresh, stored)):
        (difference,) = compare(*pair)
        assert difference.kind == ORDER
        assert not difference.allowed
        assert "in line" in difference.message or "in its length" in difference.message
    assert compare(stored, stored) == compare(fresh, fresh) == []


def test_what_may_come_in_any_order_or_in_pieces_is_the_same() -> None:
    noise = new_output("stream", name="stderr", text="b\n")
    more = new_output("stream", name="stdout", text="c\n")
    whole = new_output("stream", name="stdout", text="a\nc\n")
    assert compare([TEXT, noise, TWO], [noise, TEXT, TWO]) == []
    assert compare([whole, TWO], [TEXT, TWO, more]) == []  # as it is stored
    assert listed([noise, TWO, TEXT]) == ["stderr", "display_data: text/plain", "stdout"]
    other = new_output("display_data", {"a/b": "1"}, metadata={"scrapbook": {"name": "c", "d": 2}})
    assert compare([GLUED], [other]) == []


def test_a_traceback_is_not_compared() -> None:
    one, other = (
        new_output("error", ename="E", evalue="x", traceback=[f"line {n}"]) for n in (1, 2)
    )
    assert compare([one], [other]) == []
    other.evalue = "y"
    assert compare([one], [other])


@pytest.mark.parametrize("colours", ["RdBu_r", "cividis", "viridis"])  # those of the book
def test_a_heat_map_of_other_values_is_another(colours: str) -> None:
    values = np.random.default_rng(0).normal(size=(30, 30))

    def drawn(values: np.ndarray) -> list[NotebookNode]:
        pixels = mpl.colormaps[colours](np.clip(values / 6 + 0.5, 0, 1), bytes=True)
        return [new_output("display_data", {"image/png": png(np.kron(pixels, np.ones((8, 8, 1))))})]

    for other in (1.03 * values, values + 0.18):  # 3 % of the scale
        (difference,) = compare(drawn(values), drawn(other))
        assert not difference.allowed
    nearly = compare(drawn(values), drawn(values + 1e-9))
    assert all(each.allowed for each in nearly)


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
