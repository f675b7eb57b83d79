"""What a failing notebook leaves to look at, and the comparison of two sets of notebooks."""

from __future__ import annotations

import base64
import copy
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import browsing
import compare
import nbformat
import notebooks
import numpy as np
import outputs
import pytest
from limits import VARIABLE, time_scale
from moved_page import Budget, columns, matched, pictures
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebooks import NotebookError
from PIL import Image
from playwright.sync_api import Browser
from test_nbstrict import check, complaints, png

START = """import io
import time

import numpy as np
import PIL.Image
from IPython.core.magic import register_cell_magic
from IPython.display import Image, clear_output, display, update_display


@register_cell_magic
def body(line, cell):
    return cell


def shown(pixels):
    file = io.BytesIO()
    PIL.Image.fromarray(np.uint8(pixels)).save(file, "PNG")
    return Image(file.getvalue())"""
TEXT, PICTURE, LAST = 1, 2, 3
PLAIN = [START, 'print("<mean> 0.1250\\nsum 61")', "shown(np.full((120, 160, 3), 200))", "6 * 7"]

DISPLAYS = [  # all of it compares right
    START,
    'display("one", display_id="x")\nprint("between")\nupdate_display("two", display_id="x")',
    'print("gone")\nclear_output()\nprint("stays")',
    'print("gone")\nclear_output(wait=True)\ndisplay("stays")',
    'print("stays")\nclear_output(wait=True)',
    'display(1, display_id="y")\nclear_output()\nupdate_display(2, display_id="y")\ndisplay(3)',
    'display(1, display_id="z")\ndisplay(2, display_id="z")',
    'update_display(1, display_id="unknown")',
    "%%body\nends with;",
    "%%html\n<b>it's; bold</b>;",
    "6 * 7;",
    "6 * 7",
    "_ + 1",
]
AFTER = """
import time
from pathlib import Path

for _ in range(80):
    try:
        time.sleep(0.5)
        print("still here")
    except KeyboardInterrupt:
        {}
Path({!r}).touch()
"""
LATE = ["time.sleep(600)", "try:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    pass"]

Edit = Callable[[NotebookNode], None]


def made(sources: list[str], folder: Path) -> NotebookNode:
    """Return an executed notebook."""
    nb = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebooks.execute(nb, folder)
    return nb


def digit(nb: NotebookNode) -> None:
    output = nb.cells[TEXT].outputs[0]
    output.text = output.text.replace("0.1250", "0.1000")


def pixel(nb: NotebookNode) -> None:
    data = nb.cells[PICTURE].outputs[0].data
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"])))).copy()
    pixels[40, 50] = 0
    data["image/png"] = png(pixels)


def added(nb: NotebookNode) -> None:
    nb.cells[LAST].outputs = []


def stored(nb: NotebookNode) -> None:
    for edit in (digit, pixel, added):
        edit(nb)


def error(nb: NotebookNode) -> None:
    nb.cells[LAST].source = "def inverse(x):\n    return 1 / x\n\n\ninverse(0)"


def late(nb: NotebookNode) -> None:
    nb.cells[TEXT].source = LATE[0]


def stubborn(nb: NotebookNode) -> None:
    nb.cells[TEXT].source, nb.cells[TEXT].outputs = LATE[1], []


def dead(nb: NotebookNode) -> None:
    nb.cells[TEXT].source = "import os\n\nos._exit(1)"


def not_updated(nb: NotebookNode) -> None:
    nb.cells[2].outputs[0].text = "gone\nstays\n"
    nb.cells[1].outputs[0].data["text/plain"] = "'one'"


def elsewhere(nb: NotebookNode) -> None:
    nb.cells[2] = new_code_cell('update_display("three", display_id="x")', execution_count=3)


COPIES: dict[str, tuple[list[str], Edit, dict[int, str]]] = {  # cell ↦ its complaint
    "stored": (
        PLAIN,
        stored,
        {
            TEXT: "stdout 0 differs in line 1: .*0.1000.*0.1250.*: 0.2\\)",
            PICTURE: "Picture 0 differs in 0.005%",
            LAST: "text/plain 0 is new: 0 stored, 1 now",
        },
    ),
    "error": (PLAIN, error, {LAST: "ZeroDivisionError"}),
    "late": (
        PLAIN,
        late,
        {TEXT: "its limit is 15 s .NOTEBOOK_TIME_SCALE=0.5", 2: "Not run: cell 1", 3: "Not run"},
    ),
    "stubborn": (
        PLAIN,
        stubborn,
        {TEXT: "ran out of time", 2: "Not run", 3: "Not run: cell 1 ran"},
    ),
    "dead": (
        PLAIN,
        dead,
        {TEXT: "Kernel died", 2: "Not run: the kernel died in cell 1", 3: "Not run"},
    ),
    "not_updated": (
        DISPLAYS,
        not_updated,
        {1: "text/plain 0 differs.*'one'.*'two'", 2: "stdout 0 differs"},
    ),
    "elsewhere": (DISPLAYS, elsewhere, {2: "updates what cell 1 shows"}),
}
GOOD = {"plain": PLAIN, "displays": DISPLAYS}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NotebookNode]:
    folder = tmp_path_factory.mktemp("made")
    return {name: made(sources, folder) for name, sources in GOOD.items()}


@pytest.fixture(scope="module")
def folder(originals: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of notebooks, most of them with one edit."""
    path = tmp_path_factory.mktemp("book")
    for name, nb in originals.items():
        nbformat.write(nb, path / f"{name}.ipynb")
    for name, (sources, edit, _) in COPIES.items():
        nb = copy.deepcopy(originals["plain" if sources is PLAIN else "displays"])
        edit(nb)
        nbformat.write(nb, path / f"{name}.ipynb")
    return path


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[tuple[str, int], str]:
    """Run the checker over them in four processes, of which two wait; its limit is 15 s."""
    options = ["-n", "4", "--dist", "loadfile", "--nbval-cell-timeout", "30"]
    return complaints(folder, *options, NOTEBOOK_TIME_SCALE="0.5")


@pytest.fixture
def failures(folder: Path, outcomes: dict) -> Path:
    return folder / "_build" / "failures"


# The check


@pytest.mark.parametrize("name", COPIES)
def test_what_was_edited_fails_and_says_why(outcomes: dict, name: str) -> None:
    complaint = COPIES[name][2]
    cells = {cell: text for (copied, cell), text in outcomes.items() if copied == name}
    assert {cell for cell, text in cells.items() if text} == set(complaint)
    for cell, words in complaint.items():
        assert re.search(words, cells[cell], re.DOTALL), cells[cell]


def test_a_cell_that_keeps_saying_something_is_stopped(tmp_path: Path) -> None:
    """Whether it swallows the interruption or shows it; its limits are 4 s and 4 s."""
    answers = {"swallows": "pass", "shows": "get_ipython().showtraceback()"}
    ended = {name: tmp_path / f"{name}.ended" for name in answers}
    for name, answer in answers.items():
        sources = ["1 + 1", AFTER.format(answer, str(ended[name])), "2 + 2"]
        nb = new_notebook(cells=[new_code_cell(source, execution_count=1) for source in sources])
        nb.cells[0].outputs = [new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
        nbformat.write(nb, tmp_path / f"{name}.ipynb")
    limits = ["--nbval-cell-timeout", "60", "--nbval-kernel-startup-timeout", "1200"]
    options = [*limits, "-n", "2", "--dist", "loadfile"]
    said = complaints(tmp_path, *options, NOTEBOOK_TIME_SCALE=f"{4 / 60}")
    for name in answers:
        assert said[name, 0] == ""
        assert "Cell ran out of time: its limit is 4 s" in said[name, 1]
        assert "Not run: cell 1 ran out of time" in said[name, 2]
        assert not ended[name].exists()


@pytest.mark.parametrize("name", GOOD)
def test_displays_and_semicolons_compare_right(outcomes: dict, name: str) -> None:
    cells = {cell: text for (copied, cell), text in outcomes.items() if copied == name}
    assert cells == dict.fromkeys(range(len(GOOD[name])), "")


def test_an_update_of_another_cell_is_refused_when_made(tmp_path: Path) -> None:
    sources = [*DISPLAYS[:2], 'update_display("three", display_id="x")']
    with pytest.raises(NotebookError, match="changes what cell 1 shows, by the display_id 'x'"):
        made(sources, tmp_path)
    with pytest.raises(NotebookError, match="changes what cell 1 shows"):
        made([*sources[:2], 'display("three", display_id="x")'], tmp_path)


@pytest.mark.parametrize("value", ["", "three", "0", "-1", "inf", "nan"])
def test_a_bad_scale_is_an_error(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ValueError, match="it has to be a positive number, such as 3"):
        time_scale()
    with pytest.raises(NotebookError, match=VARIABLE):
        made(["1"], tmp_path)


def test_a_bad_scale_stops_pytest(tmp_path: Path) -> None:
    run = check(tmp_path, status=4, NOTEBOOK_TIME_SCALE="three")
    assert "NOTEBOOK_TIME_SCALE is 'three': it has to be a positive number" in run.stderr


# What a failure leaves


def test_executed_notebooks_are_left_of_those_that_failed(failures: Path, folder: Path) -> None:
    assert {path.stem for path in failures.glob("*.ipynb")} == set(COPIES)
    executed = nbformat.read(failures / "stored.ipynb", as_version=4)
    assert executed.cells[TEXT].outputs[0].text == "<mean> 0.1250\nsum 61\n"
    assert [cell.execution_count for cell in executed.cells] == [1, 2, 3, 4]
    executed = nbformat.read(failures / "error.ipynb", as_version=4)
    assert executed.cells[LAST].outputs[0].ename == "ZeroDivisionError"


def test_the_page_shows_each_failing_cell(failures: Path) -> None:
    page = (failures / "index.html").read_text(encoding="utf-8")
    sections = dict(re.findall(r'<h2 id="n\d+">([\w.]+)</h2>(.*?)(?=<h2|</main>)', page, re.DOTALL))
    assert set(sections) == {f"{name}.ipynb" for name in COPIES}
    for name, (_, _, complaint) in COPIES.items():
        shown = re.findall(r'<h3 id="n\d+-(\d+)"', sections[f"{name}.ipynb"])
        assert [int(cell) for cell in shown] == sorted(complaint)
    assert "&lt;mean&gt; 0.10<mark>00</mark>\nsum" in sections["stored.ipynb"]
    assert "&lt;mean&gt; 0.1<mark>25</mark>0" in sections["stored.ipynb"]
    assert sections["stored.ipynb"].count("<img") == 4
    assert "where they differ: 0.0052 %" in sections["stored.ipynb"]
    assert "return 1 / x" in sections["error.ipynb"]
    assert re.search("ZeroDivisionError.*division by zero", sections["error.ipynb"])
    assert "[31m" not in page


def test_the_page_loads_nothing(failures: Path) -> None:
    page = (failures / "index.html").read_text(encoding="utf-8")
    tags = re.findall(r"<(?!p)[a-z][^>]*\s(?:src|href)=\"([^\"]*)\"", page)
    assert tags
    assert {re.sub(r"^(data:|#|\w+\.ipynb$).*", r"\1", tag)[:5] for tag in tags} <= {
        "data:",
        "#",
        *(f"{name}.ipynb"[:5] for name in COPIES),
    }
    assert "<script" not in page
    assert "url(" not in page


@pytest.mark.parametrize("size", [browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])
def test_the_page_in_a_browser(failures: Path, browser: Browser, size: tuple[int, int]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with browsing.opened(browser, size) as (page, wrong):
        page.goto((failures / "index.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        found, light = browsing.axe(page), page.evaluate(ground)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(ground) != light
        assert [each["rule"] for each in found + browsing.colours(page)] == []
        assert wrong == []


def test_nothing_is_left_when_all_pass(tmp_path: Path, originals: dict) -> None:
    nb = copy.deepcopy(originals["plain"])
    digit(nb)
    nbformat.write(nb, tmp_path / "plain.ipynb")
    left = tmp_path / "left"
    run = check(tmp_path, "--failures", "left")
    assert (
        f"What differs, and the executed notebooks: {(left / 'index.html').as_uri()}" in run.stdout
    )
    assert (left / "plain.ipynb").exists()
    nbformat.write(originals["plain"], tmp_path / "plain.ipynb")
    run = check(tmp_path, status=0, NOTEBOOK_FAILURES=str(left))
    assert not left.exists()
    assert "executed notebooks" not in run.stdout


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    run = check(tmp_path, "--failures", str(tmp_path), status=4)
    assert "is no folder of failing notebooks" in run.stderr
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


# The comparison of two sets


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """The command: its exit status, what it printed, its complaints; the page is in `tmp_path`."""

    def call(*paths: Path) -> tuple[int, str, str]:
        arguments = ["compare.py", *map(str, paths), "--page", str(tmp_path / "page")]
        monkeypatch.setattr(sys, "argv", arguments)
        return compare.main(), *capsys.readouterr()

    return call


def folders(tmp_path: Path, nb: NotebookNode, edits: dict[str, Edit]) -> Iterator[Path]:
    """Yield two folders, of one notebook and of the same with edits."""
    for which in ("a", "b"):
        path = tmp_path / which
        path.mkdir()
        for name, edit in edits.items():
            edited = copy.deepcopy(nb)
            if which == "b":
                edit(edited)
            nbformat.write(edited, path / f"{name}.ipynb")
        yield path


def faint(nb: NotebookNode) -> None:
    nb.cells[PICTURE].outputs[0].data["image/png"] = png(np.full((120, 160, 3), 203))


def nothing(nb: NotebookNode) -> None:
    pass


def inserted(nb: NotebookNode) -> None:
    nb.cells.insert(1, new_code_cell("x = 1", execution_count=2))


def test_comparison_says_what_moved_and_how_far(
    command: Callable, originals: dict, tmp_path: Path
) -> None:
    edits = {"digit": digit, "pixel": pixel, "faint": faint, "same": nothing, "inserted": inserted}
    a, b = folders(tmp_path, originals["plain"], edits)
    status, out, _ = command(a, b)
    assert status == 1
    assert "3 of 5 notebooks moved beyond the strict rule" in out
    assert re.search(r"cell 1: stdout 0 differs .*largest relative change of a number: 0.2\)", out)
    assert "cell 2: Picture 0 differs in 0.005% of its pixels\n" in out
    assert "cell 2: Picture 0 differs in 0.000% of its pixels, within the rule" in out
    assert "cell 1 is in the fresh notebook only: x = 1" in out
    assert "same" not in out.split("See")[0]
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "0.1<mark>25</mark>0" in page
    assert str(a) in page


def test_comparison_within_the_rule_passes(
    command: Callable, originals: dict, tmp_path: Path
) -> None:
    a, b = folders(tmp_path, originals["plain"], {"faint": faint})
    assert command(a, b)[0] == 0
    assert (tmp_path / "page" / "index.html").exists()
    status, out, _ = command(a / "faint.ipynb", a / "faint.ipynb")
    assert (status, out) == (0, "0 of 1 notebooks moved beyond the strict rule\n")
    assert not (tmp_path / "page" / "index.html").exists()


def test_comparison_of_what_cannot_be_compared(
    command: Callable, originals: dict, tmp_path: Path
) -> None:
    a, b = folders(tmp_path, originals["plain"], {"one": nothing, "two": nothing})
    (b / "two.ipynb").unlink()
    status, out, _ = command(a, b)
    assert status == 1
    assert f"only in {a}" in out
    (b / "one.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for paths in [(a, tmp_path / "none"), (a, a / "one.ipynb"), (a, tmp_path / "empty"), (a, b)]:
        status, out, err = command(*paths)
        assert (status, out) == (2, "")
        assert err


def test_comparison_finds_cells_that_were_never_run(
    command: Callable, originals: dict, tmp_path: Path
) -> None:
    def forget(nb: NotebookNode) -> None:
        nb.cells[0].execution_count = None

    status, out, _ = command(*folders(tmp_path, originals["plain"], {"one": forget}))
    assert status == 1
    assert "cell 0: was never run in the fresh notebook" in out


# Its parts


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("1.00 and 2.0", "1.00 and 2.5", 0.2),
        ("a −3", "a 3", 2.0),
        ("a 1e-3", "a 2e-3", 0.5),
        ("0", "1", 1.0),
        ("x = 1", "y = 1", None),
        ("1 2", "1", None),
        ("9" * 400, "1", 1.0),
    ],
)
def test_largest_change(old: str, new: str, change: float | None) -> None:
    assert outputs.largest_change(old, new) == (change if change is None else pytest.approx(change))
    assert outputs.largest_change(old, old) == 0


def test_streams_in_pieces_are_one_text() -> None:
    pieces = [new_output("stream", text="a"), new_output("stream", text="b\n")]
    assert outputs.compare(pieces, [new_output("stream", text="ab\n")]) == []
    assert outputs.compare(pieces, [new_output("stream", name="stderr", text="ab\n")])


def test_equal_stretches_are_left_out() -> None:
    lines = [f"line {number}" for number in range(100)]
    left, right = columns("\n".join(lines), "\n".join([*lines[:50], "line x", *lines[51:]]))
    assert "line <mark>50</mark>" in left
    assert "line <mark>x</mark>" in right
    assert left.count("\n") == 8
    assert left.count("47 equal lines") == 1
    assert left.count("46 equal lines") == 1


def test_a_long_text_takes_a_bounded_time() -> None:
    """Half a megabyte in one line, many of its words equal: with no budget it takes hours."""
    words = [f'<path d="M {number % 100}.5 L {number}"/>' for number in range(20_000)]
    changed = [*words]
    changed[10_000] = "<path/>"
    old, new = "".join(words), "".join(changed)
    assert len(old) > 500_000
    left, right = columns(old, new)
    assert re.findall("<mark>(.*?)</mark>", left) == [" d=&#34;M 0.5 L 10000&#34;"]
    assert "<mark>" not in right
    changed[0] = changed[-1] = "<g/>"  # too much lies between
    left, right = columns(old, "".join(changed))
    assert right.count("<mark>") == 1
    assert "<mark>g/&gt;&lt;path" in right


@pytest.mark.parametrize("most", [0, 10, 10**6])
def test_matching_is_right_whatever_the_budget(most: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        old, new = ("".join(rng.choice(list("abc"), size)) for size in rng.integers(0, 12, 2))
        budget = Budget(most)
        codes = matched(old, new, budget)
        assert 0 <= budget.left <= most
        for one, number in ((old, 1), (new, 3)):
            assert "".join(one[code[number] : code[number + 1]] for code in codes) == one
        for what, i, j, k, m in codes:
            assert (old[i:j] == new[k:m]) == (what == "equal")


def test_pictures_of_two_sizes_are_shown_without_a_difference() -> None:
    shown = [
        [new_output("display_data", {"image/png": png(np.zeros(shape))})]
        for shape in ((20, 30, 3), (20, 31, 3))
    ]
    (difference,) = outputs.compare(*shown)
    assert difference.message == "Picture 0 is now 31 × 20 pixels, stored is 30 × 20"
    assert len([*pictures(difference, ("stored", "now"))]) == 2
