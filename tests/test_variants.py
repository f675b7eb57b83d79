"""Chapters can follow their first line: what a change does to a cell, and rules for chapters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import nbformat
import notebooks
import pytest
import variants
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

import rfm

CODE = """\
# what this chapter is about
task = rfm.addition(29)
mirror = task.reflections[5]  # by position
kernel = rfm.Gaussian(
    bandwidth=2.5,
)
fraction = 0.5
"""

CHAPTERS = {source.stem: notebooks.parse(source) for source in notebooks.sources()}
COMPUTING = [
    name
    for name, nb in CHAPTERS.items()
    if any(cell.cell_type == "code" and "import rfm\n" in cell.source for cell in nb.cells[1:])
]


def tagged(nb: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in nb.cells if tag in cell.metadata.get("tags", [])]


# The tool


def test_names_are_read_with_their_values() -> None:
    values = {name: ast.unparse(value) for name, value in variants.assigned(CODE).items()}
    assert values == {
        "task": "rfm.addition(29)",
        "mirror": "task.reflections[5]",
        "kernel": "rfm.Gaussian(bandwidth=2.5)",
        "fraction": "0.5",
    }


def test_a_change_replaces_values_and_nothing_else() -> None:
    new = variants.changed(CODE, {"kernel": "rfm.Quadratic()", "task": "rfm.addition(3, 5)"})
    assert new.splitlines() == [
        "# what this chapter is about",
        "task = rfm.addition(3, 5)",
        "mirror = task.reflections[5]  # by position",
        "kernel = rfm.Quadratic()",
        "fraction = 0.5",
    ]


def test_a_name_that_is_not_there_is_not_added() -> None:
    assert variants.changed("task = 1", {"task": "2", "kernel": "3"}) == "task = 2"


@pytest.mark.parametrize(
    ("change", "applies"),
    [
        ({"task": "rfm.addition(12)"}, True),
        ({"task": "rfm.addition(13)", "kernel": "rfm.Quadratic()"}, False),
        ({"task": "rfm.addition(13)", "mirror": "task.reflections[2]"}, True),
    ],
)
def test_a_change_applies_where_its_last_name_is(change: dict[str, str], applies: bool) -> None:
    assert variants.applies("task = 1\nmirror = 2", change) is applies


@pytest.mark.parametrize("change", variants.CHANGES.values(), ids=variants.CHANGES)
def test_every_change_is_python_for_an_object_of_the_package(change: dict[str, str]) -> None:
    names = {"rfm": rfm}
    for name, value in change.items():
        names[name] = eval(value, names)
    assert isinstance(names["task"], rfm.Task)
    assert isinstance(names.get("kernel", rfm.Quadratic()), rfm.Kernel)
    assert isinstance(names.get("mirror", names["task"].reflections[0]), rfm.Symmetry)
    assert 0 < names.get("fraction", 0.5) < 1


def test_statements_are_read_from_the_cells_that_make_them() -> None:
    table = "| statement | x + y mod 4 |\n|:--|:--|\n| One. | holds |\n| Two. | does not hold |"
    output = new_output("execute_result", {"text/markdown": table, "text/plain": "<Markdown>"})
    cells = [
        new_code_cell("x", outputs=[output]),
        new_code_cell("claims.table(task)", outputs=[output], metadata={"tags": ["claims"]}),
    ]
    nb = new_notebook(cells=cells)
    assert list(variants.statements(nb)) == [("One.", "holds"), ("Two.", "does not hold")]
    assert variants.untrue(nb) == ["Two."]


def test_the_first_cell_so_tagged_names_the_parameters() -> None:
    cells = [new_code_cell("a"), new_code_cell("b", metadata={"tags": [variants.TAG]})]
    assert variants.parameters(new_notebook(cells=cells)).source == "b"
    assert variants.parameters(new_notebook(cells=cells[:1])) is None


# The chapters


@pytest.mark.parametrize("name", COMPUTING)
def test_a_chapter_names_what_it_is_about(name: str) -> None:
    nb = CHAPTERS[name]
    (cell,) = tagged(nb, variants.TAG)
    assert cell.metadata.tags == [variants.TAG], "readers have to see it"
    body = ast.parse(cell.source).body
    assert len(body) == len(cell.source.strip().splitlines()), "one assignment a line"
    assert "task" in variants.assigned(cell.source)
    assert set(variants.assigned(cell.source)) <= {"task", "mirror", "kernel", "fraction"}
    assert len(variants.assigned(cell.source)) == len(body)
    before = nb.cells[nb.cells.index(cell) - 1]
    assert before.cell_type == "markdown"
    assert "**Change this**" in before.source


@pytest.mark.parametrize("name", COMPUTING)
def test_what_a_chapter_states_holds_in_the_book(name: str) -> None:
    nb = nbformat.read(notebooks.BOOK / f"{name}.ipynb", as_version=4)
    assert variants.untrue(nb) == [], "stated in this chapter, and not so"


SETTING = re.compile(
    r"\bmod(?:ulo)? \$?\d|\bL\s*=\s*\$?\d|\bgaussian\b|\bquadratic\b", re.IGNORECASE
)
ROLE = re.compile(r"\{[\w:]+\}`[^`]*`")


def captions(nb: NotebookNode) -> Iterator[tuple[str, str]]:
    """What is said of figures that follow the first line, with what it is said in."""
    for cell in nb.cells:
        if "stored" not in cell.metadata.get("tags", []):
            said = cell.metadata.get("mystnb", {})
            for key, words in (("figure", "caption"), ("image", "alt")):
                yield words, said.get(key, {}).get(words, "")


@pytest.mark.parametrize("name", COMPUTING)
def test_no_caption_types_a_setting(name: str) -> None:
    typed = [
        f"{where}: ...{text[max(0, found.start() - 40) : found.end() + 20]}..."
        for where, words in captions(CHAPTERS[name])
        for text in [ROLE.sub("", words)]
        for found in SETTING.finditer(text)
    ]
    assert not typed, "glue it, or tag the cell `stored`:\n" + "\n".join(typed)


COMPARING = {"gt", "ge", "lt", "le", "eq", "ne", "isin", "isna", "notna", "between"}


def true_or_false(node: ast.expr) -> bool:
    """Whether an expression compares."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Invert()):
            return True
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return true_or_false(node.left) or true_or_false(node.right)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in COMPARING
    return False


def first_of_nothing(code: str) -> list[str]:
    """Return where code asks for the largest of True and False: the first row if all are False."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute)
        and node.attr in ("idxmax", "argmax")
        and true_or_false(node.value)
    ]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("(run.table.step < 1e-7).idxmax()", True),
        ("accuracy.ge(0.75).idxmax()", True),
        ("(~level).idxmax() - 1", True),
        ("((a > 1) & (b < 2)).idxmax()", True),
        ("(a == b).argmax()", True),
        ("table[table.a > 1].b.idxmax()", False),
        ("losses.idxmax()", False),
        ("table.loc[table.a.gt(1), 'b'].idxmax()", False),
    ],
)
def test_the_largest_of_true_and_false_is_found(code: str, found: bool) -> None:
    assert bool(first_of_nothing(code)) is found


@pytest.mark.parametrize("name", COMPUTING)
def test_never_is_not_the_first_row(name: str) -> None:
    code = [cell.source for cell in CHAPTERS[name].cells[1:] if cell.cell_type == "code"]
    found = [one for source in code for one in first_of_nothing(source)]
    assert not found, "page.first says when there is none"
