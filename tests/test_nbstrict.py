"""The checker of notebooks catches what it should, shown on mutated copies of a real notebook."""

import base64
import copy
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import nbformat
import notebooks
import numpy as np
import outputs
import pytest
import repository
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

Edit = Callable[[NotebookNode], None]


def picture_of(cell: NotebookNode) -> NotebookNode | None:
    """Return the output of a cell that holds a picture."""
    return next((o for o in cell.outputs if "image/png" in o.get("data", {})), None)


def shows_number(cell: NotebookNode) -> bool:
    """Whether a cell without pictures printed or returned a digit."""
    if picture_of(cell):
        return False
    return any(
        re.search(r"\d", o.get("text") or o.data.get("text/plain", "")) for o in cell.outputs
    )


def first(cells: list[NotebookNode], wanted: Callable[[NotebookNode], object]) -> int | None:
    """Return the position of the first cell that is as wanted."""
    return next((i for i, cell in enumerate(cells) if wanted(cell)), None)


def specimen() -> tuple[Path, NotebookNode]:
    """Return a notebook of the book, cut off after its first picture and first number.

    The one that gets there in the fewest cells, to be quick. The picture comes first, so that it
    does not need the cell with the number, which one of the copies below keeps from being run.
    """
    found = []
    for path in sorted(notebooks.BOOK.glob("*.ipynb")):
        nb = nbformat.read(path, as_version=4)
        nb.cells = [cell for cell in nb.cells if cell.cell_type == "code"]
        ends = [first(nb.cells, wanted) for wanted in (picture_of, shows_number)]
        if None not in ends and ends[0] < ends[1]:
            nb.cells = nb.cells[: max(ends) + 1]
            found.append((len(nb.cells), path, nb))
    if not found:
        pytest.fail("no notebook of the book shows both a picture and a number")
    _, path, nb = min(found, key=lambda entry: entry[:2])
    return path, nb


# Edits of a stored cell


def change_digit(cell: NotebookNode) -> None:
    for output in cell.outputs:
        texts = output.data if "data" in output else output
        key = "text/plain" if "data" in output else "text"
        texts[key], count = re.subn(
            r"\d", lambda match: str((int(match[0]) + 1) % 10), texts[key], count=1
        )
        if count:
            return


def forget_run(cell: NotebookNode) -> None:
    cell.execution_count, cell.outputs = None, []


def add_stderr(cell: NotebookNode) -> None:
    cell.outputs.append(new_output("stream", name="stderr", text="a warning\n"))


def exempt(cell: NotebookNode) -> None:
    cell.metadata.tags = ["nbval-ignore-output"]


def repaint(change: Callable[[np.ndarray], np.ndarray]) -> Edit:
    """Return the edit that changes the pixels of a picture."""

    def edit(cell: NotebookNode) -> None:
        data = picture_of(cell).data
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))
        data["image/png"] = png(change(pixels.copy()))

    return edit


def spot(pixels: np.ndarray) -> np.ndarray:
    """Return the picture with one small square negated, like one wrong entry of a table."""
    middle = np.array(pixels.shape[:2]) // 2
    square = pixels[middle[0] : middle[0] + 6, middle[1] : middle[1] + 6, :3]
    square[:] = 255 - square
    return pixels


def drop_bitmap(cell: NotebookNode) -> None:
    del picture_of(cell).data["image/png"]


def drop_picture(cell: NotebookNode) -> None:
    cell.outputs.remove(picture_of(cell))


# Each copy suffers one edit in its cell with a number and one in its cell with a picture.
COPIES: dict[str, tuple[Edit, str, Edit, str]] = {
    "a": (change_digit, "outputs differ", repaint(np.fliplr), "Picture 0 differs"),
    "b": (forget_run, "never run", repaint(spot), "Picture 0 differs"),
    "c": (add_stderr, "stderr 0 is missing", drop_bitmap, "Picture 0 is new"),
    "d": (exempt, "exempt from comparison", drop_picture, "outputs differ"),
}


def handwritten() -> NotebookNode:
    """Return an executed notebook with what a chapter may hold besides."""
    sources = [
        "import matplotlib.pyplot as plt\nimport pandas as pd\nfrom myst_nb import glue",
        "1 + 1;",
        "plt.hist([1, 2]);  # a comment after it",
        "pd.DataFrame({'p': [61]})",
        "figure, axis = plt.subplots()\nglue('figure', figure, display=False)\nplt.close()",
        "[\n    2 + 2,\n]",
    ]
    nb = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebooks.execute(nb, Path.cwd())
    return nb


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], str]:
    """Run the checker once over all copies; map (copy, cell) to its complaint, empty for a pass."""
    folder = tmp_path_factory.mktemp("book")
    for path in notebooks.BOOK.iterdir():  # what chapters read: data, modules
        if path.suffix != ".ipynb":
            (folder / path.name).symlink_to(path)
    _, original = specimen()
    nbformat.write(original, folder / "original.ipynb")
    number, picture = first(original.cells, shows_number), first(original.cells, picture_of)
    for name, (edit_number, _, edit_picture, _) in COPIES.items():
        nb = copy.deepcopy(original)
        edit_number(nb.cells[number])
        edit_picture(nb.cells[picture])
        nbformat.write(nb, folder / f"{name}.ipynb")
    nb = handwritten()
    nbformat.write(nb, folder / "handwritten.ipynb")
    table, glued = nb.cells[3].outputs[0].data, nb.cells[4].outputs[0].data
    table["text/html"] = table["text/html"].replace("61", "67")
    glued[outputs.GLUED_PNG] = picture_of(original.cells[picture]).data["image/png"]
    nbformat.write(nb, folder / "handwritten-edited.ipynb")
    return complaints(folder)


def check(
    folder: Path, *options: str, status: int = 1, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run strict nbval over a folder in a process of its own."""
    plugins = ["-p", "nbstrict", "-p", "no:cacheprovider", "-q", "--color=no", "--rootdir=."]
    nbval = ["--nbval", "--nbval-current-env"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "NOTEBOOK"))}
    path = os.pathsep.join(str(repository.ROOT / name) for name in ("tests", "tools"))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *nbval, *options, *_notebooks(folder)],
        cwd=folder,
        env=environment | {"PYTHONPATH": path} | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == status, run.stdout + run.stderr
    return run


def _notebooks(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ipynb"))


def complaints(folder: Path, *options: str, **variables: str) -> dict[tuple[str, int], str]:
    """Run strict nbval over a folder and read its report: (notebook, cell) ↦ what is wrong."""
    check(folder, "--junitxml=report.xml", *options, **variables)
    found = {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        name, cell = case.get("classname", ""), int(case.get("name", "").removeprefix("Cell "))
        bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
        found[Path(name).stem, cell] = "".join(f"{b.get('message')}\n{b.text}" for b in bad)
    return found


def test_an_unchanged_notebook_passes(outcomes: dict) -> None:
    _, original = specimen()
    cells = {cell: text for (name, cell), text in outcomes.items() if name == "original"}
    assert cells == dict.fromkeys(range(len(original.cells)), "")


@pytest.mark.parametrize("name", COPIES)
def test_both_edited_cells_fail_and_no_other(outcomes: dict, name: str) -> None:
    _, original = specimen()
    number, picture = first(original.cells, shows_number), first(original.cells, picture_of)
    _, number_complaint, _, picture_complaint = COPIES[name]
    cells = {cell: text for (copied, cell), text in outcomes.items() if copied == name}
    assert re.search(number_complaint, cells.pop(number))
    assert re.search(picture_complaint, cells.pop(picture))
    assert not any(cells.values())


def test_semicolons_tables_and_glued_figures(outcomes: dict) -> None:
    cells = [outcomes["handwritten", cell] for cell in range(6)]
    assert cells == [""] * 6
    edited = [outcomes["handwritten-edited", cell] for cell in range(6)]
    assert [bool(text) for text in edited] == [False, False, False, True, True, False]
    assert "text/html" in edited[3]
    assert "Picture 0" in edited[4]


def png(pixels: np.ndarray) -> str:
    """Return a picture as a notebook stores it."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_imperceptible_changes_of_a_picture_pass() -> None:
    rng = np.random.default_rng(0)
    old = rng.integers(20, 230, (480, 640, 3), dtype=np.int16)
    shown = [
        [new_output("display_data", {"image/png": png(pixels)})]
        for pixels in (old, old + rng.integers(-2, 3, old.shape), old[:-1])
    ]
    (difference,) = outputs.compare(shown[0], shown[1])
    assert difference.allowed
    assert difference.size == 0
    assert not outputs.compare(shown[0], shown[2])[0].allowed
    assert not outputs.compare(shown[0], [])[0].allowed
    assert not outputs.compare([], shown[0])[0].allowed
