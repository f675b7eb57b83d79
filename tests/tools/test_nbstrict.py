"""The checker of notebooks catches what it should, shown on a notebook and an edited copy of it."""

import base64
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


def repaint(change: Callable[[np.ndarray], np.ndarray], kind: str = "image/png") -> Edit:
    """Return the edit that changes the pixels of a picture."""

    def edit(cell: NotebookNode) -> None:
        data = next(output.data for output in cell.outputs if kind in output.get("data", {}))
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[kind]))))
        data[kind] = png(change(pixels.copy()))

    return edit


def spot(pixels: np.ndarray) -> np.ndarray:
    """Return the picture with one small square negated, like one wrong entry of a table."""
    middle = np.array(pixels.shape[:2]) // 2
    square = pixels[middle[0] : middle[0] + 6, middle[1] : middle[1] + 6, :3]
    square[:] = 255 - square
    return pixels


def drop_bitmap(cell: NotebookNode) -> None:
    del picture_of(cell).data["image/png"]


def change_html(cell: NotebookNode) -> None:
    data = cell.outputs[0].data
    data["text/html"] = data["text/html"].replace("61", "67")


def drop_picture(cell: NotebookNode) -> None:
    cell.outputs.remove(picture_of(cell))


def swap(cell: NotebookNode) -> None:
    cell.outputs.reverse()


def widen(cell: NotebookNode) -> None:
    cell.outputs[0].metadata["image/png"]["width"] = 400


def merge(cell: NotebookNode) -> None:
    one, other = cell.outputs
    one.data |= other.data
    cell.outputs.remove(other)


SHOWS_NUMBER = "x = 6 * 7\nx"
SHOWS_PICTURE = "plt.imshow([[0, 1], [1, 0]])\nplt.axis('off');"
SHOWS_PARTS = "print(1)\ndisplay(2)\nprint(3)\ndisplay(4)\n5"
SHOWS_WORDS = "print('six times seven')\nx"
SHOWS_WIDTH = "display({'image/png': 'AAAA'}, metadata={'image/png': {'width': 10}}, raw=True)"
SHOWS_TWO = "display({'text/plain': 'a'}, raw=True)\ndisplay({'text/html': '<b>b</b>'}, raw=True)"
EDITS: dict[int, tuple[str, Edit | None, str]] = {  # place ↦ source, edit, complaint
    0: ("import matplotlib.pyplot as plt\nimport pandas as pd\nfrom myst_nb import glue", None, ""),
    1: ("1 + 1;", None, ""),
    2: ("plt.hist([1, 2]);  # a comment after it", None, ""),
    3: ("pd.DataFrame({'p': [61]})", change_html, "text/html 0 differs"),
    4: (
        "figure, axis = plt.subplots()\nglue('figure', figure, display=False)\nplt.close()",
        repaint(spot, outputs.GLUED_PNG),
        "Picture 0 differs",
    ),
    5: ("[\n    2 + 2,\n]", None, ""),
    6: (SHOWS_NUMBER, change_digit, "outputs differ"),
    7: (SHOWS_NUMBER, add_stderr, "stderr 0 is missing"),
    8: (SHOWS_NUMBER, exempt, "exempt from comparison"),
    9: (SHOWS_PICTURE, repaint(np.fliplr), "Picture 0 differs"),
    10: (SHOWS_PICTURE, repaint(spot), "Picture 0 differs"),
    11: (SHOWS_PICTURE, drop_bitmap, "Picture 0 is new"),
    12: (SHOWS_PICTURE, drop_picture, "outputs differ"),
    13: (SHOWS_NUMBER, forget_run, "never run"),
    14: (SHOWS_PICTURE, None, ""),
    15: (SHOWS_NUMBER, None, ""),
    16: (SHOWS_PARTS, None, ""),
    17: (SHOWS_WORDS, swap, "list of outputs differs in line 1: stored 'execute_result"),
    18: (SHOWS_WIDTH, widen, "list of outputs differs in line 1: .*400"),
    19: (SHOWS_TWO, merge, "list of outputs differs"),
    20: (SHOWS_WIDTH, None, ""),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], str]:
    """Run the checker once over all copies; map (copy, cell) to its complaint, empty for a pass."""
    folder = tmp_path_factory.mktemp("book")
    nb = new_notebook(cells=[new_code_cell(source) for source, _, _ in EDITS.values()])
    notebooks.execute(nb, folder)
    nbformat.write(nb, folder / "original.ipynb")
    for place, (_, edit, _) in EDITS.items():
        if edit:
            edit(nb.cells[place])
    nbformat.write(nb, folder / "edited.ipynb")
    return complaints(folder)


def check(
    folder: Path, *options: str, status: int = 1, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run strict nbval over a folder in a process of its own."""
    names = ("nbval.plugin", "xdist.plugin", "nbstrict", "no:cacheprovider")
    plugins = [word for name in names for word in ("-p", name)]
    nbval = ["-q", "--color=no", "--rootdir=.", "--nbval", "--nbval-current-env"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "NOTEBOOK"))}
    path = os.pathsep.join(str(repository.ROOT / name) for name in ("tests", "tools"))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *nbval, *options, *_notebooks(folder)],
        cwd=folder,
        env=environment | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | variables,
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
    """With semicolons, tables and glued figures."""
    cells = {cell: text for (name, cell), text in outcomes.items() if name == "original"}
    assert cells == dict.fromkeys(EDITS, "")


@pytest.mark.parametrize("place", EDITS)
def test_edited_cells_fail_and_no_others(outcomes: dict, place: int) -> None:
    _, edit, complaint = EDITS[place]
    said = outcomes["edited", place]
    assert bool(said) == bool(edit)
    assert re.search(complaint, said)


def png(pixels: np.ndarray) -> str:
    """Return a picture as a notebook stores it."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_the_pages_say_what_the_rule_for_pictures_is() -> None:
    digit, power = f"{outputs.PIXELS:.0e}".split("e-0")
    shares = {
        "book/rerun.md": f"${digit} \\cdot 10^{{-{power}}}$",
        "CONTRIBUTING.md": f"{digit} · 10⁻{'⁰¹²³⁴⁵⁶⁷⁸⁹'[int(power)]}",
    }
    for name, share in shares.items():
        text = (repository.ROOT / name).read_text(encoding="utf-8")
        assert f"more than {outputs.LEVEL} of 255" in text, name
        assert share in text, name


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
    lighter = [new_output("display_data", {"image/png": png(old + outputs.LEVEL + 1)})]
    assert not outputs.compare(shown[0], lighter)[0].allowed
    assert not outputs.compare(shown[0], [])[0].allowed
    assert not outputs.compare([], shown[0])[0].allowed
