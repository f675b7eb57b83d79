"""A notebook is executed again if something has changed that its outputs come from, else not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import matrix_rows
import nbformat
import needs
import notebooks
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebooks import NotebookError
from pairing import COMPUTED_FROM
from test_making import TEXT

from rfm.outcomes import MADE

FIRST = "print(6 * 7)"
CHAPTERS = {
    "01-alone": FIRST,
    "02-package": "import rfm\n\nprint(rfm.withhold)",
    "03-module": "from rfm import two\n\nprint(two.x)",
    "04-table": 'import pandas as pd\n\nprint(pd.read_csv("data/one.csv").size)',
    "05-parts": 'for name in ("one", "two"):\n    print(open(f"data/{name}.csv").read())',
}
FILES = {
    "rfm/__init__.py": "from rfm.base import withhold\n",
    "rfm/base.py": "withhold = 1\n",
    "rfm/two.py": "def f():\n    from .sub import deep\n\n\nx = 2\n",
    "rfm/sub/__init__.py": "",
    "rfm/sub/deep.py": "import rfm.base\n",
    "rfm/other.py": "x = 3\n",
    "book/data/one.csv": "a\n1\n",
    "book/data/two.csv": "a\n2\n",
    "book/data/three.csv": "a\n3\n",
    "requirements.txt": "-c constraints.txt\n\nnbval==0.11.0\n",
    "constraints.txt": "# all\nnbval==0.11.0\nnowhere-to-be-found==1.0\n",
}


class Repository:
    """A small repository whose chapters run without a kernel, and which of them ran last."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.making, self.ran = root, "", list[str]()
        monkeypatch.setattr(needs, "ROOT", root)
        monkeypatch.setattr(notebooks, "execute", self.execute)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def execute(self, nb: NotebookNode, folder: Path) -> None:
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        self.ran.append(self.making)
        for count, cell in enumerate(code, start=1):
            cell.execution_count = count
            cell.outputs = [new_output("stream", text="shown\n")] if count > 1 else []

    def made(self, force: bool = False) -> dict[str, str]:
        """Make all notebooks; return what was done to those that changed."""
        self.ran.clear()
        sources = sorted((self.root / "book" / "src").glob("*.md"))
        done = {}
        for source in sources:
            self.making = source.stem
            done[source.stem] = notebooks.make(source, force)
        assert [name for name, what in done.items() if what == notebooks.EXECUTED] == self.ran
        changed = {name: what for name, what in done.items() if what != notebooks.UNCHANGED}
        assert all(notebooks.check(source) == [] for source in sources if source.stem in changed)
        return {name[:2]: what for name, what in changed.items()}

    def edit(self, name: str, change: Callable[[NotebookNode], object]) -> None:
        path = self.root / "book" / f"{name}.ipynb"
        nb = nbformat.read(path, as_version=4)
        change(nb)
        nbformat.write(nb, path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose notebooks are made."""
    root = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as monkeypatch:
        repository = Repository(root, monkeypatch)
        for name, text in FILES.items():
            repository.write(name, text)
        for name, code in CHAPTERS.items():
            repository.write(f"book/src/{name}.md", TEXT.replace(FIRST, code))
        assert repository.made() == executed(*ALL)
    return root


@pytest.fixture
def repository(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A copy of it to change."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Repository(tmp_path, monkeypatch)


def executed(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, notebooks.EXECUTED)


ALL = [name[:2] for name in CHAPTERS]


def test_nothing_is_executed_where_nothing_has_changed(repository: Repository) -> None:
    before = {path: path.read_bytes() for path in repository.root.rglob("*") if path.is_file()}
    assert repository.made() == {}
    assert {path: path.read_bytes() for path in before} == before


def test_the_time_of_a_file_does_not_count(repository: Repository) -> None:
    for seconds in (10, 2_000_000_000):
        for path in repository.root.rglob("*"):
            os.utime(path, (seconds, seconds))
        assert repository.made() == {}


@pytest.mark.parametrize(
    ("name", "chapters"),
    [
        ("rfm/__init__.py", ["02", "03"]),
        ("rfm/base.py", ["02", "03"]),
        ("rfm/two.py", ["03"]),
        ("rfm/sub/deep.py", ["03"]),
        ("rfm/sub/__init__.py", ["03"]),
        ("rfm/other.py", []),
        ("book/data/one.csv", ["04", "05"]),
        ("book/data/two.csv", ["05"]),
        ("book/data/three.csv", []),
        ("book/src/01-alone.md", []),
    ],
)
def test_those_are_executed_that_depend_on_a_file(
    repository: Repository, name: str, chapters: list[str]
) -> None:
    path = repository.root / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert repository.made() == executed(*chapters)


def test_a_table_that_is_new_or_gone_counts(repository: Repository) -> None:
    (repository.root / "book/data/two.csv").unlink()
    assert repository.made() == executed("05")
    repository.write("book/data/two.csv", FILES["book/data/two.csv"])
    assert repository.made() == executed("05")


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("First words.", "Other words.", False),
        ("caption: A line.", "caption: A straight line.", False),
        ("alt: A line that rises.", "alt: Up it goes.", False),
        ("---\nmystnb", "---\ntags: [hide-input]\nmystnb", False),
        ("---\nmystnb", "---\ntags: [raises-exception]\nmystnb", True),
        ("plt.plot([1, 2]);", "plt.plot([1, 3]);", True),
        ("plt.plot([1, 2]);", "plt.plot([1, 2]);  # a line", True),
        ("More words.\n", "```{code-cell} ipython3\n1;\n```\n", True),
    ],
)
def test_code_is_executed_and_words_are_carried_over(
    repository: Repository, old: str, new: str, runs: bool
) -> None:
    repository.replace("book/src/01-alone.md", old, new)
    assert repository.made() == {"01": notebooks.EXECUTED if runs else notebooks.WORDS}


def test_tidying_first_comes_to_the_same(repository: Repository) -> None:
    repository.replace("book/src/01-alone.md", "First words.", "Other words.")
    notebooks.tidy(repository.root / "book/src/01-alone.md")
    assert repository.made() == {}


@pytest.mark.parametrize("name", needs.PINS)
def test_a_pin_counts_and_a_remark_does_not(repository: Repository, name: str) -> None:
    repository.write(name, FILES[name] + "# a remark\n")
    assert repository.made() == {}
    repository.write(name, FILES[name] + "another-one==2.0\n")
    assert repository.made() == executed(*ALL)


def test_the_installed_version_counts(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is pinned and installed; how a wheel was built does not."""
    installed = {"nbval": "0.11.0"}
    monkeypatch.setattr("needs.metadata.version", lambda name: installed[name])
    monkeypatch.setattr("needs.metadata.PackageNotFoundError", KeyError)
    for version, chapters in (("0.11.0", []), ("0.11.0+cpu", []), ("0.12.0", ALL)):
        installed["nbval"] = version
        needs._installed.cache_clear()
        assert repository.made() == executed(*chapters)
    needs._installed.cache_clear()


def test_everything_can_be_executed(repository: Repository) -> None:
    assert repository.made(force=True) == executed(*ALL)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda nb: nb.metadata.pop(COMPUTED_FROM),
        lambda nb: nb.metadata.update({COMPUTED_FROM: None}),
        lambda nb: nb.cells[2].outputs.clear(),
        lambda nb: nb.cells[2].outputs[0].update(text="shown elsewhere\n"),
    ],
    ids=["never made so", "no digest", "lost", "others"],
)
def test_outputs_that_come_from_elsewhere_are_made_again(
    repository: Repository, spoil: Callable[[NotebookNode], object]
) -> None:
    repository.edit("01-alone", spoil)
    assert repository.made() == executed("01")
    assert repository.made() == {}


@pytest.mark.parametrize("side", [0, 1])
def test_what_a_merge_puts_together_is_made_again(repository: Repository, side: int) -> None:
    """One side changed the table, the other the code; the notebook is that of either."""
    path, table = repository.root / "book/04-table.ipynb", "book/data/one.csv"
    base = path.read_bytes()
    repository.write(table, "a\n5\n")
    assert "04" in repository.made()
    ours = path.read_bytes()
    repository.write(table, FILES[table])
    path.write_bytes(base)
    repository.replace("book/src/04-table.md", "size", "shape")
    assert "04" in repository.made()
    repository.write(table, "a\n5\n")
    if side:
        path.write_bytes(ours)
    assert repository.made() == executed("04", "05")


# The rule, on the book


def notebook(*code: str) -> NotebookNode:
    return new_notebook(cells=[new_code_cell(each) for each in code])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('pd.read_csv("data/one.csv")', ["one"]),
        ("open('data/one.csv'); open('data/two.csv')", ["one", "two"]),
        ('name = "one"', []),
        ('f"data/{name}.csv", "one"', ["one"]),
        ('Path("data/") / "two.csv", "two"', ["two"]),
        ('"see data/three.csv"', []),
        ("# data/one.csv", []),
        ("%matplotlib inline\nopen('data/one.csv')", ["one"]),
        ("this is no Python", []),
    ],
)
def test_tables_that_code_names(repository: Repository, code: str, found: list[str]) -> None:
    assert [*needs.tables(notebook(code), repository.root / "book/data")] == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('plt.imread("site/sheet.png")', True),
        ('plt.imread("site/" + "sheet.png")', False),
        ('"../site/sheet.png", "site/../site/sheet.png"', False),
        ('"site/none.png", "see site/sheet.png"', False),
        ("# site/sheet.png", False),
    ],
)
def test_other_files_count_where_code_names_them_whole(
    tmp_path: Path, code: str, found: bool
) -> None:
    sheet = tmp_path / "site" / "sheet.png"
    sheet.parent.mkdir()
    said = []
    for content in (b"\x89PNG one", b"\x89PNG two"):
        sheet.write_bytes(content)
        said.append(needs.inputs(notebook(code), tmp_path))
    assert (said[0] != said[1]) is found
    assert needs.files(notebook(code), tmp_path) == ({"site/sheet.png": sheet} if found else {})


@pytest.mark.parametrize("digest", [needs.inputs, matrix_rows.digest])
def test_how_a_row_was_made_counts_where_code_asks_for_it(
    tmp_path: Path, digest: Callable[[NotebookNode, Path], str]
) -> None:
    path = tmp_path / "data" / "one.csv"
    path.parent.mkdir()
    reading = 'pd.read_csv("data/one.csv")'
    blind, asking = notebook(reading), notebook(f'{reading}["seconds"]')
    table = "a,b,seconds,version,torch\n1,2,3.0,0.1,2.13\n"
    for change, seen in [
        (("3.0", "4.0"), [False, True]),
        (("0.1", "0.2"), [False, True]),
        (("2.13", "2.14"), [False, True]),
        (("1,2", "1,3"), [True, True]),
        (("a,b", "a,c"), [True, True]),
        (("torch", "other"), [True, True]),
    ]:
        said = []
        for text in (table, table.replace(*change)):
            path.write_text(text, encoding="utf-8")
            said.append([digest(nb, tmp_path) for nb in (blind, asking)])
        assert [one != other for one, other in zip(*said, strict=True)] == seen


def test_those_are_the_columns_that_a_sweep_writes() -> None:
    assert [*MADE] == needs.MADE


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import rfm", {"rfm"}),
        ("import rfm\nrfm.withhold", {"rfm", "rfm.base"}),
        ("import rfm as r\nr.withhold(1).x", {"rfm", "rfm.base"}),
        ("from rfm import withhold", {"rfm", "rfm.base"}),
        ("from rfm import *", {"rfm", "rfm.base"}),
        ("import rfm\ngetattr(rfm, name)", {"rfm", "rfm.base"}),
        ("import rfm\nx = rfm", {"rfm", "rfm.base"}),
        ("import rfm\nrfm.__dict__['x']", {"rfm", "rfm.base"}),
        ("import rfm.other", {"rfm", "rfm.other"}),
        ("import rfm.other\nrfm.other.x.real", {"rfm", "rfm.other"}),
        ("from rfm import other as o", {"rfm", "rfm.other"}),
        ("from rfm.sub import deep", {"rfm", "rfm.base", "rfm.sub", "rfm.sub.deep"}),
        ("def f():\n    import rfm\n    rfm.withhold", {"rfm", "rfm.base"}),
        ("import torch", set()),
    ],
)
def test_modules_that_code_comes_to(repository: Repository, code: str, found: set[str]) -> None:
    assert needs.modules(notebook(code)).keys() == found


def test_what_one_cell_imports_another_names(repository: Repository) -> None:
    repository.write("rfm/sub/__init__.py", "from .deep import x\n")
    repository.write("rfm/sub/deep.py", "x = 1\n")
    found = needs.modules(notebook("from rfm import sub as s", "s.x"))
    assert found.keys() == {"rfm", "rfm.sub", "rfm.sub.deep"}
    assert needs.modules(notebook("from rfm import sub as s")).keys() == {"rfm", "rfm.sub"}


def test_a_package_that_is_taken_whole_is_all_that_python_loads() -> None:
    """At least that: an import within a function may never be reached."""
    starts = ("rfm", "rfm.figures", "rfm.page", "rfm.two_spectra", "rfm.networks")
    code = (
        "import importlib, sys\n"
        f"for start in {starts}:\n"
        "    importlib.import_module(start)\n"
        "    print(*(name for name in sys.modules if name.split('.')[0] == 'rfm'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    imported: list[str] = []
    for start, line in zip(starts, run.stdout.splitlines(), strict=True):
        imported.append(f"import {start}\nprint({start})")
        assert {*line.split()} <= needs.modules(notebook(*imported)).keys()


PROGRAMS = [
    """
run = rfm.fit(rfm.random_split(rfm.addition(3, 3), 0.5, 0), rfm.Laplace(), 3)
rfm.decompose(run.features, run.split.task).group.name
run.table, run.predictions, rfm.stabiliser(run.split).order
rfm.commutators(run.features, run.split.task)
""",
    """
task = rfm.multiplication(7)
mirror = task.reflections[0]
run = rfm.fit(rfm.withhold(task, mirror.fixed_points()), rfm.Quadratic(), 2, keep_features=True)
rfm.odd_part(run.history[1], mirror), run.split.reached_by_orbits(), mirror.matrix()
""",
    """
rfm.pair_classes(rfm.addition(5)), rfm.equivalences(rfm.addition(2, 2))
rfm.reduced(11, rfm.Gaussian(), 3)
""",
    """
S = rfm.symmetric(3)
rfm.characters(S), rfm.renamings(rfm.composition(S)), rfm.dihedral(4), rfm.quaternions()
""",
    """
from rfm import networks as nets
split = rfm.random_split(rfm.addition(5), 0.8, 0)
nets.train(split, nets.ReLU(), nets.Random(), 3, decay=1.0, seed=0)
""",
    """
import torch
from rfm.recovery import recover
recover(torch.kron(torch.ones(2, 2), torch.eye(5)).double())
""",
    """
from rfm import page
page.Notes("01")("one", 1), page.in_words("Gaussian(bandwidth=2.5)"), page.by_name(rfm.Gaussian())
""",
]
# Which modules of the package something of was called in.
CALLED = """
import sys

import rfm
from rfm import figures, networks, page, recovery, two_spectra

called = set()


def profile(frame, event, argument):
    if event == "call" and frame.f_code.co_name != "<module>":
        called.add(frame.f_globals.get("__name__", ""))


for program in {programs!r}:
    called.clear()
    sys.setprofile(profile)
    exec(program)
    sys.setprofile(None)
    print("called", *(name for name in called if name.split(".")[0] == "rfm"))
"""


def test_what_code_comes_to_is_all_that_it_calls() -> None:
    code = CALLED.format(programs=PROGRAMS)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    lines = [line.split()[1:] for line in run.stdout.splitlines() if line.startswith("called")]
    whole = needs.modules(notebook("import rfm\nprint(rfm)")).keys()
    for program, called in zip(PROGRAMS, lines, strict=True):
        found = needs.modules(notebook("import rfm", program)).keys()
        assert {*called} - found == set()
        assert len(called) > 2
        assert not whole <= found


def test_not_every_chapter_depends_on_everything() -> None:
    found = {s.stem: {*needs.modules(notebooks.parse(s))} for s in notebooks.sources()}
    loading = [name for name, modules in found.items() if "rfm.networks.training" in modules]
    assert loading == ["13-networks"]
    assert found["ledger"] == set()


# What a kernel reads


READING = """
import os
open("data/one.csv").read()
open("data/two.csv.new", "w")
open("data/" + ("two" + ".csv"))
"""


@pytest.mark.parametrize("others", [False, True])
def test_a_chapter_reads_only_tables_that_it_names(tmp_path: Path, others: bool) -> None:
    for name in ("data/one.csv", "data/two.csv", "data/three.csv", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    code = READING + others * "os.chdir('data')\nopen('../notes.txt')\nopen('thr' + 'ee.csv')"
    complaint = r"reads data/three\.csv, notes\.txt, and would not be executed"
    with pytest.raises(NotebookError, match=complaint) if others else nullcontext():
        notebooks.execute(notebook(f"{code};"), tmp_path)
