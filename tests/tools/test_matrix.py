"""The chapters in every setting: what moves is found in its row, and the stored rows are whole."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import bounds
import environments
import matplotlib as mpl
import matrix
import matrix_rows
import nbformat
import needs
import numpy as np
import outputs
import pytest
import yaml
from alike import redrawn
from environments import MissingError
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from packaging.requirements import Requirement
from packaging.version import Version
from PIL import Image
from repository import ROOT

PAGE = ROOT / "book" / "computed.md"
SETTINGS = matrix.settings()
NAMES = [setting.name for setting in SETTINGS]
STORED = {
    name: matrix_rows.read(matrix_rows.DATA / f"{name}.csv")
    for name in ("matrix", "matrix_notebooks", "matrix_settings")
}
DESCRIBED = {row["setting"]: row for row in STORED["matrix_settings"]}
HERE = "{}.{}".format(*sys.version_info)

# The stored tables


RAN = [row["setting"] for row in STORED["matrix"] if row["notebooks"]]


def test_every_setting_has_its_row_and_nothing_moved() -> None:
    """A setting that could not be run yet has a row, too, that says so and nothing else."""
    assert [row["setting"] for row in STORED["matrix"]] == NAMES
    assert [row["setting"] for row in STORED["matrix_settings"]] == NAMES
    for row in STORED["matrix"]:
        if row["setting"] in RAN:
            assert row["result"] == matrix_rows.SAME
        else:
            assert row["result"].startswith(f"{matrix_rows.NOT_RUN}: ")
            assert not any(row[name] for name in row.keys() - {"setting", "result"})


def test_the_settings_are_all_that_is_supported() -> None:
    assert {(s.threads, *s.limits.values()) for s in SETTINGS} == {
        (threads, *limits.values())
        for threads in (1, 2)
        for _, limits in matrix.INSTRUCTIONS.values()
    }
    assert {s.python for s in SETTINGS} - {""} == set(bounds.pythons())
    assert {"oldest", "newest"} <= set(NAMES)


@pytest.mark.parametrize("name", RAN)
def test_a_row_is_the_sum_of_its_notebooks(name: str) -> None:
    rows = [row for row in STORED["matrix_notebooks"] if row["setting"] == name]
    (total,) = (row for row in STORED["matrix"] if row["setting"] == name)
    assert total == matrix_rows.added(name, rows, len(rows))
    chapters = [row["notebook"] for row in rows]
    assert chapters == sorted(set(chapters))
    missing = matrix_rows.notebooks().keys() - set(chapters)  # the page names them
    assert all(f"{{doc}}`{name}`" in matrix_rows.since() for name in missing)


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.name in RAN], ids=lambda s: s.name)
def test_a_row_was_run_as_it_says(setting: matrix.Setting) -> None:
    row = DESCRIBED[setting.name]
    assert row["threads"] == str(setting.threads)
    assert row["what"] == setting.what
    assert row["python"].startswith(f"{setting.python}." if setting.python else "3.")
    aten = setting.limits.get("ATEN_CPU_CAPABILITY")
    assert aten is None or row["aten"] == aten.upper()
    assert row["mkl"].endswith(setting.limits.get("MKL_CBWR", ""))


def test_the_settings_of_one_environment_round_differently() -> None:
    digests = [DESCRIBED[s.name]["rounding"] for s in SETTINGS if not s.needs and s.name in RAN]
    assert len(digests) == len(set(digests))


def ran(name: str) -> dict[str, str]:
    """Package ↦ version in a stored setting."""
    row = DESCRIBED[name]
    others = dict(pair.split(" ") for pair in row["others"].split(", "))
    return others | {each: row[each] for each in matrix.SHOWN}


def test_the_bounds_are_the_oldest_versions_that_were_run() -> None:
    found = ran("oldest")
    wanted = [Requirement(need) for need in bounds.bounds("newest", chapters=True)]
    assert {need.name for need in wanted} == found.keys()
    for need in wanted:
        (bound,) = need.specifier
        assert bound.operator == ">="
        assert Version(bound.version) == Version(found[need.name]), need.name


@pytest.mark.skipif("newest" not in RAN, reason="the newest versions were not run yet")
def test_the_newest_versions_are_newer() -> None:
    old, new = ran("oldest"), ran("newest")
    assert all(Version(old[name]) <= Version(new[name]) for name in old)
    assert all(Version(old[name]) < Version(new[name]) for name in matrix.SHOWN)


def test_the_page_shows_the_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("matrix", "matrix_settings"):
        assert f":file: data/{name}.csv" in text
    assert "% made: chapters run again" in text


def test_the_page_says_which_chapters_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that was not run, or not to its end, says nothing of them."""
    now, old = ("one", "two", "three"), {"newest": "two", "begun": "one"}
    tables = {
        "matrix": [
            {"setting": "oldest", "result": matrix_rows.SAME},
            {"setting": "newest", "result": matrix_rows.MOVED},
            {"setting": "begun", "result": matrix_rows.BEGUN},
        ],
        "matrix_notebooks": [
            {"setting": setting, "notebook": name, "digest": "old" if name == was else "now"}
            for setting, was in (("oldest", None), *old.items())
            for name in now
        ],
    }
    monkeypatch.setattr(matrix_rows, "read", lambda path: tables[path.stem])
    monkeypatch.setattr(matrix_rows, "notebooks", lambda: {name: name for name in now})
    monkeypatch.setattr(matrix_rows, "digest", lambda name: "now")
    said = matrix_rows.since()
    assert re.findall(r"\{doc\}`(.*?)`", said) == ["two"]
    assert said.startswith("Changed since the last run of `newest`, ")
    assert said.endswith(" The others stand.")
    tables["matrix"].pop(0)
    assert matrix_rows.since().startswith("Changed since the last run of all settings, ")
    assert "others" not in matrix_rows.since()
    tables["matrix"].pop(0)
    assert "still those" in matrix_rows.since()


def test_settings_are_listed() -> None:
    found = [matrix_rows._listed(words) for words in ("a", "ab", "abc")]
    assert found == ["a", "a and b", "a, b and c"]


# A run


def picture(colour: str) -> NotebookNode:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    data = {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": "a picture"}
    return new_output("display_data", data)


DRAWS = """\
import base64, io
from IPython.display import display
from PIL import Image
file = io.BytesIO()
Image.new("RGB", (40, 30), "red").save(file, "PNG")
data = base64.b64encode(file.getvalue()).decode()
display({"image/png": data, "text/plain": "a picture"}, raw=True)
"""


def printed(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=f"{text}\n")


def small() -> dict[str, NotebookNode]:
    """Three notebooks as they would be stored, the last of them without code."""
    shown = {
        "print(6 * 7)": printed(42),
        "print('six times seven')": printed("six times seven"),
        DRAWS: picture("red"),
        "print(4)": printed(4),
    }
    first = [
        new_code_cell(code, outputs=[output], execution_count=count)
        for count, (code, output) in enumerate(shown.items(), start=1)
    ]
    asks = "import os\nprint(os.environ['OMP_NUM_THREADS'], os.environ.get('MKL_CBWR'))"
    second = [
        new_markdown_cell("words"),
        new_code_cell(asks, outputs=[printed("1 None")], execution_count=1),
    ]
    return {
        "01-one": new_notebook(cells=first),
        "02-two": new_notebook(cells=second),
        "03-words": new_notebook(cells=[new_markdown_cell("words")]),
    }


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The folder of these notebooks, and that of the tables beside."""
    folder = tmp_path / "book"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    for name, nb in small().items():
        nbformat.write(nb, folder / f"{name}.ipynb")
    return folder


@pytest.fixture
def run(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Callable[..., tuple[int, str]]:
    """The command line on them: its exit status and what it said."""

    def call(*names: str) -> tuple[int, str]:
        tmp = book.parent
        where = ["--book", book, "--data", tmp / "data", "--folder", tmp / "ran"]
        monkeypatch.setattr(sys, "argv", ["matrix.py", *names, *map(str, where)])
        status = matrix.main()
        return status, "".join(capsys.readouterr())

    return call


def row(book: Path, setting: str, table: str = "matrix") -> dict[str, str]:
    """The row of a setting."""
    found = matrix_rows.read(book.parent / "data" / f"{table}.csv")
    return next(row for row in found if row["setting"] == setting)


def change(book: Path, name: str, edit: Callable[[NotebookNode], object]) -> None:
    nb = nbformat.read(book / f"{name}.ipynb", as_version=4)
    edit(nb)
    nbformat.write(nb, book / f"{name}.ipynb")


def test_what_was_changed_is_found_in_its_row(book: Path, run: Callable) -> None:
    assert run("threads-1")[0] == 0
    found = row(book, "threads-1")
    assert (found["result"], found["notebooks"], found["cells"]) == (matrix_rows.SAME, "2", "5")
    assert (found["cells_moved"], found["pictures"], found["largest_change"]) == ("0", "1", "0")

    def spoil(nb: NotebookNode) -> None:
        nb.cells[0].outputs = [printed(40)]
        nb.cells[1].outputs = [printed("six times eight")]
        nb.cells[2].outputs = [picture("blue")]
        nb.cells[3].source = "print(4)\n1 / 0"

    change(book, "01-one", spoil)
    status, said = run("threads-1")
    assert status == 1
    assert "01-one" in said
    assert "02-two" not in said  # its row was kept
    found = row(book, "threads-1")
    assert (found["result"], found["notebooks_same"]) == (matrix_rows.MOVED, "1")
    assert [found[name] for name in ("cells_moved", "texts_moved", "pictures_moved", "errors")] == [
        *("4", "1", "1", "1")
    ]
    assert float(found["largest_change"]) == pytest.approx(2 / 42, rel=0.05)
    page = book.parent / "ran" / "threads-1" / "index.html"
    assert "six times" in page.read_text(encoding="utf-8")

    nbformat.write(small()["01-one"], book / "01-one.ipynb")
    assert run("threads-1")[0] == 0
    assert row(book, "threads-1")["result"] == matrix_rows.SAME
    assert not page.exists()


def test_a_row_is_kept_until_what_the_notebook_uses_has_changed(
    book: Path, run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notebook itself, a table that it reads, a module that it loads; no other one."""
    package, table = tmp_path / "rfm", book / "data" / "mine.csv"
    for path in (package / "__init__.py", package / "used.py", package / "other.py", table):
        path.parent.mkdir(exist_ok=True)
        path.write_text("0\n", encoding="utf-8")
    code = "if False:\n    import rfm.used\n    open('data/mine.csv')\nprint(4)"
    cell = new_code_cell(code, outputs=[printed(4)], execution_count=1)
    nbformat.write(new_notebook(cells=[cell]), book / "02-two.ipynb")
    monkeypatch.setattr(needs, "ROOT", tmp_path)
    ran, executed = [], matrix.executed

    def counting(stored: NotebookNode, *where: object) -> tuple[NotebookNode, str]:
        ran.append(len(stored.cells))
        return executed(stored, *where)

    monkeypatch.setattr(matrix, "executed", counting)
    for path, again in (
        (table, [4, 1]),  # both, for the first time
        (package / "other.py", [1]),
        (package / "used.py", []),
        (None, [1]),
    ):
        ran.clear()
        assert run("threads-1")[0] == 0
        assert ran == again
        if path:
            path.write_text("1\n", encoding="utf-8")


def test_a_setting_reaches_the_kernel(
    book: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")  # limits nothing that was not asked for
    assert run("threads-1")[0] == 0
    assert run("threads-2-generic")[0] == 1
    fresh = nbformat.read(book.parent / "ran" / "threads-2-generic" / "02-two.ipynb", as_version=4)
    assert fresh.cells[1].outputs[0].text == "2 COMPATIBLE\n"
    settings = row(book, "threads-2-generic", "matrix_settings")
    assert settings["threads"] == "2"
    assert settings["aten"] in ("DEFAULT", "NO AVX")  # as older versions of torch call it
    assert row(book, "threads-1", "matrix_settings")["rounding"] != settings["rounding"]


def test_a_notebook_that_does_not_end_is_an_error(
    book: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(book, "02-two", lambda nb: nb.cells[1].update(source="import os\nos._exit(1)"))
    assert run("threads-1")[0] == 1
    found = row(book, "threads-1")
    assert (found["errors"], found["cells_moved"], found["notebooks_same"]) == ("1", "1", "1")


def test_a_python_that_is_not_there_is_said_and_nothing_made_up(
    book: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments.os, "get_exec_path", lambda: [str(book)])
    status, said = run("python-3.12")
    assert status == 2
    assert "there was no Python 3.12" in said
    found = row(book, "python-3.12")
    assert found["result"] == f"{matrix_rows.NOT_RUN}: there was no Python 3.12"
    assert {value for key, value in found.items() if key not in ("setting", "result")} <= {"", None}


def test_an_interrupted_run_is_no_result_and_goes_on(
    book: Path, run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed, asked = matrix.executed, []

    def interrupted(stored: NotebookNode, *where: object) -> tuple[NotebookNode, str]:
        asked.append(len(stored.cells))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return executed(stored, *where)

    monkeypatch.setattr(matrix, "executed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("threads-1")
    found = row(book, "threads-1")
    assert (found["result"], found["notebooks"]) == (matrix_rows.BEGUN, "1")
    assert run("threads-1")[0] == 0
    assert row(book, "threads-1")["result"] == matrix_rows.SAME
    assert asked == [4, 2, 2]  # the first was not executed again


def test_a_setting_that_is_not_there_is_refused(run: Callable) -> None:
    status, said = run("oldes", "pyton")
    assert status == 2
    assert "no setting is called 'pyton'" in said
    assert "python-3.12" in said


def test_names_pick_settings() -> None:
    def names(*asked: str) -> list[str]:
        return [setting.name for setting in matrix.picked(asked, SETTINGS)]

    assert names() == NAMES
    assert names("threads-1") == ["threads-1"]
    assert names("new", "threads-1-") == ["threads-1-avx2", "threads-1-generic", "newest"]


def test_the_weekly_workflow_runs_every_setting() -> None:
    text = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    job = yaml.safe_load(text)["jobs"]["chapters"]
    picks = job["strategy"]["matrix"]["setting"]
    assert [s.name for pick in picks for s in matrix.picked([pick], SETTINGS)] == NAMES
    (pythons,) = (
        s["with"]["python-version"].split() for s in job["steps"] if "python" in str(s.get("with"))
    )
    assert sorted(pythons) == sorted(bounds.pythons())


# Pictures of another version of the drawing library


def drawn(letters: float = 10, family: str = "DejaVu Sans", last: float = 1.0) -> np.ndarray:
    """A picture of two curves and a table, laid out around letters of some size."""
    x = np.linspace(0, 1, 50)
    with mpl.rc_context({"font.size": letters, "font.family": family}):
        figure = Figure(figsize=(7, 3), dpi=150, layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(x, x**2, label="one")
        left.plot(x, last * x, label="the other")
        left.set(xlabel="iteration", ylabel="accuracy", ylim=(0, 1))
        left.legend()
        right.imshow(np.add.outer(range(8), range(8)) % 8)
        file = io.BytesIO()
        figure.savefig(file, format="png")
    return outputs.decode(base64.b64encode(file.getvalue()).decode())


def test_a_picture_with_other_letters_passes() -> None:
    stored = drawn()
    for other in (drawn(letters=10.4), drawn(family="DejaVu Serif"), stored[:-3, :-4]):
        assert not outputs.pixel_by_pixel(stored, other)[2]
        assert redrawn(stored, other)[2]
    assert redrawn(stored, stored) == outputs.pixel_by_pixel(stored, stored)


def test_a_picture_with_another_curve_does_not_pass() -> None:
    assert not redrawn(drawn(), drawn(last=0.7))[2]
    assert not redrawn(drawn(), drawn(letters=10.4, last=0.7))[2]
    assert not redrawn(drawn(), np.flipud(drawn()))[2]
    assert not redrawn(drawn(), drawn()[:, :-40])[2]


def test_no_picture_of_the_book_passes_for_another() -> None:
    texts = {
        text
        for nb in matrix_rows.notebooks().values()
        for cell in matrix_rows.code_cells(nb)
        for kind in outputs.BITMAPS
        for text in outputs.parts(cell.outputs).get(kind, ())
    }
    pictures = [outputs.decode(text) for text in texts]
    assert len(pictures) > 50
    assert not [
        (i, j) for (i, a), (j, b) in combinations(enumerate(pictures), 2) if redrawn(a, b)[2]
    ]


# Environments


def wheel(folder: Path, version: str) -> Path:
    """A wheel of nothing but a name and a version."""
    path = folder / f"nothing-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        info = f"nothing-{version}.dist-info"
        file.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: nothing\nVersion: {version}\n"
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return path


def test_an_environment_is_made_once_and_again_when_it_needs_something_else(tmp_path: Path) -> None:
    folder, first = tmp_path / "environment", ["--no-index", str(wheel(tmp_path, "1.0"))]
    python = environments.made(folder, HERE, first)
    assert list(folder.rglob("nothing-1.0.dist-info"))
    (folder / "kept").touch()
    assert environments.made(folder, HERE, first) == python
    assert (folder / "kept").exists()
    environments.made(folder, HERE, ["--no-index", str(wheel(tmp_path, "2.0"))])
    assert not (folder / "kept").exists()
    assert list(folder.rglob("nothing-2.0.dist-info"))
    with pytest.raises(
        MissingError, match=r"could not install all of it: No matching .* nothing==3"
    ):
        environments.made(folder, HERE, ["--no-index", "nothing==3"])


def test_the_newest_packages_are_looked_for_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Where they cannot be, that is said, and those that are there are used."""
    folder, wheels = tmp_path / "environment", tmp_path / "wheels"
    wheels.mkdir()
    wanted = [*environments.RENEW, "--no-index", f"--find-links={wheels}", "nothing"]
    for version in ("1.0", "2.0"):
        wheel(wheels, version)
        python = environments.made(folder, HERE, wanted)
        assert [p.name for p in folder.rglob("nothing-*")] == [f"nothing-{version}.dist-info"]
        (folder / version).touch()
    assert (folder / "1.0").exists()  # it was not made anew
    assert capsys.readouterr().err == ""
    assert set(environments.RENEW) < set(environments.packages("newest"))
    assert not set(environments.RENEW) & set(environments.packages("oldest"))

    def unchanged(*others: str) -> str:
        asked = [*environments.RENEW, *others]
        text = "\n".join([HERE, *asked])
        (folder / environments.MADE_WITH).write_text(text, encoding="utf-8")
        assert environments.made(folder, HERE, asked) == python
        assert list(folder.rglob("nothing-2.0.dist-info"))
        return capsys.readouterr().err

    nowhere = "--index-url=http://127.0.0.1:9/"  # where nothing answers
    assert "could not look everywhere for newer packages: going on" in unchanged(nowhere, "nothing")
    assert "could not upgrade: No matching" in unchanged("--no-index", "nothing==3")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Intel(R) Architecture processors", "Intel Architecture"),
        (
            "Intel(R) Advanced Vector Extensions 2 (Intel(R) AVX2) enabled processors",
            "Intel Advanced Vector Extensions 2",
        ),
    ],
)
def test_what_mkl_says_is_read(said: str, name: str) -> None:
    first = f"MKL_VERBOSE oneMKL 2024.0 Product build 1 for Intel(R) 64 architecture {said}, Lnx\n"
    call = "MKL_VERBOSE DGEMM(N,N,64) 173.81us CNR:{} Dyn:1 FastMM:1 TID:0  NThr:1\n"
    assert environments.instructions(first + call.format("OFF")) == name
    assert environments.instructions(first + call.format("COMPATIBLE")) == f"{name}, COMPATIBLE"
    assert environments.instructions("") == ""


# ------------------------------------------------------------------------- outputs that are unusual


def test_a_damaged_picture_is_told_and_stops_nothing() -> None:
    """A line of its text twice, as a bad merge leaves it. A decoder may forgive a few of these."""
    data, figure = io.BytesIO(), Figure(figsize=(3, 2))
    figure.subplots().plot([1, 3, 2])
    figure.savefig(data, format="png")
    lines = base64.encodebytes(data.getvalue()).decode().splitlines()
    texts = ["".join(lines[:place] + lines[place - 1 :]) for place in range(1, len(lines) + 1)]
    shown = [[new_output("display_data", {"image/png": text})] for text in ("".join(lines), *texts)]
    found = [outputs.compare(shown[0], each) for each in shown[1:]]
    told = [
        not each.allowed and "cannot be read" in each.message for each, *_ in filter(None, found)
    ]
    assert sum(told) > 0.9 * len(lines)


def test_streams_are_joined_as_a_terminal_shows_them() -> None:
    def stream(text: str, name: str = "stdout") -> NotebookNode:
        return nbformat.v4.new_output("stream", name=name, text=text)

    shown = nbformat.v4.new_output("display_data", {"text/plain": "x"})
    found = outputs.joined([stream("a 1"), shown, stream("\rb 2\rc"), stream("d\r\ne\n")])
    assert [each.get("text") for each in found] == ["cd\r\ne\n", None]
    two = outputs.joined([stream("a"), stream("b", "stderr"), stream("c")])
    assert [(each.name, each.text) for each in two] == [("stdout", "ac"), ("stderr", "b")]


def test_a_long_line_is_joined_in_a_time_that_grows_with_its_length() -> None:
    """A square of it would be hours."""
    long = nbformat.v4.new_output("stream", text="z" * 3_000_000)
    assert outputs.joined([long])[0].text == "z" * 3_000_000


@pytest.mark.parametrize("which", [[], ["middle"], ["oldest", "newest"]], ids=str)
def test_bounds_that_are_none_are_refused(which: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "bounds.py"), *which],
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 2
    assert "usage" in run.stderr
    assert not run.stdout
