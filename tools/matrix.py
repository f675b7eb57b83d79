"""Execute all chapters in every supported setting, and compare each with its stored outputs.

    python tools/matrix.py [NAME ...] [--folder FOLDER]

Settings are numbers of threads, sets of instructions, the oldest and the newest packages that
``pyproject.toml`` allows, and the versions of Python that it names. A NAME picks the setting of
that name, or those that start with it. A row in which nothing moved is kept as long as the setting,
the notebook, and the modules and tables that it uses stay as they are: an interrupted run goes on,
and a changed chapter is run alone.

A row is about chapters. What they do not use of the package, such as ``rfm.sweep``, is tested with
the oldest and the newest packages once a week, by ``.github/workflows/weekly.yml``.

The tables go to ``book/data``. What was executed lies in FOLDER/SETTING, ``.matrix`` by default,
with the environment of the setting and, where something moved, a page that shows it. The exit
status is 1 if anything moved, 2 if a setting that was named could not be run, otherwise 0.
"""

from __future__ import annotations

import argparse
import copy
import os
import platform
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import environments
import interrupts
import matrix_rows
import nbformat
from alike import redrawn
from bounds import pythons
from moved import Moved, moved
from moved_page import remove_page, write_page
from nbformat import NotebookNode
from notebooks import BOOK, NotebookError, execute
from outputs import Rule, pixel_by_pixel
from repository import ROOT

FOLDER = ROOT / ".matrix"
SHOWN = ("torch", "numpy", "pandas", "sympy", "matplotlib")  # the others share a column
INSTRUCTIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "": ("all instructions of the processor", {}),
    "avx2": ("AVX2 at most", {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}),
    "generic": ("generic", {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}),
}
THREADS = {1: "one thread", 2: "two threads"}
LIMITING = re.compile("(OMP|MKL|ATEN|TORCH)_")  # variables that would limit a setting unasked


@dataclass(frozen=True)
class Setting:
    """In what the chapters are executed.

    Attributes:
        name: its name.
        what: the same in words.
        threads: how many a process may use.
        limits: variables of the environment that limit the instructions.
        needs: what pip is to install; empty for the environment that this tool runs in.
        python: the version of Python; empty for that of this tool.
        rule: how pictures are compared.
    """

    name: str
    what: str
    threads: int = 1
    limits: Mapping[str, str] = field(default_factory=dict)
    needs: Sequence[str] = ()
    python: str = ""
    rule: Rule = pixel_by_pixel

    def variables(self) -> dict[str, str]:
        """The environment variables of its processes: those of this one, but for limits."""
        kept = {name: value for name, value in os.environ.items() if not LIMITING.match(name)}
        threads = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        return kept | threads | dict(self.limits) | {"PYTHONPATH": str(ROOT)}


def settings() -> list[Setting]:
    """Every supported setting."""
    first, *later = pythons()
    found = [
        Setting("-".join([f"threads-{n}", kind][: 1 + bool(kind)]), f"{many}, {what}", n, limits)
        for n, many in THREADS.items()
        for kind, (what, limits) in INSTRUCTIONS.items()
    ]
    for name in ("oldest", "newest"):
        what, needs = f"the {name} versions of all packages", environments.packages(name)
        found.append(Setting(name, what, needs=needs, python=first, rule=redrawn))
    return found + [
        Setting(f"python-{version}", f"Python {version}", needs=environments.PINNED, python=version)
        for version in later
    ]


def picked(names: Sequence[str], every: Sequence[Setting]) -> list[Setting]:
    """The settings of these names, or that start with them; all without a name.

    Raises:
        ValueError: A name fits none.
    """
    chosen = set()
    for name in names:
        exact = {each.name for each in every if each.name == name}
        if not (fits := exact or {each.name for each in every if each.name.startswith(name)}):
            known = ", ".join(each.name for each in every)
            raise ValueError(f"no setting is called {name!r} or starts with it; there are {known}")
        chosen |= fits
    return [each for each in every if each.name in chosen or not names]


def processor() -> str:
    """The name of the processor."""
    try:
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*: (.+)$", said, re.MULTILINE)
    return f"{found[1].strip()}, {platform.machine()}" if found else platform.machine()


def described(setting: Setting, found: environments.Found) -> matrix_rows.Row:
    """The row that says what a setting was on this machine."""
    rest = found.versions.keys() - {*SHOWN}
    return {
        "setting": setting.name,
        "what": setting.what,
        "python": found.python,
        "threads": str(found.threads),
        "aten": found.aten,
        "mkl": found.mkl,
        "rounding": found.rounding,
        **{name: found.versions[name] for name in SHOWN},
        "others": ", ".join(f"{name} {found.versions[name]}" for name in sorted(rest)),
        "processor": processor(),
    }


def executed(
    stored: NotebookNode, python: Path, variables: Mapping[str, str], folder: Path, book: Path
) -> tuple[NotebookNode, str]:
    """A notebook executed once more to its end, and what stopped it, if anything did."""
    nb = copy.deepcopy(stored)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    try:
        km = environments.kernel(python, folder)
        execute(nb, book, env=variables, km=km, allow_errors=True)
    except NotebookError as error:
        return nb, str(error)
    return nb, ""


def run(setting: Setting, tables: matrix_rows.Tables, folder: Path, book: Path) -> Iterator[Moved]:
    """Execute the notebooks in a setting, those that have no row, and yield what moved in each.

    Raises:
        MissingError: It cannot be done here.
    """
    python = Path(sys.executable)
    if setting.needs:
        python = environments.made(folder / "environment", setting.python, setting.needs)
    variables = setting.variables()
    tables.describe(described(setting, environments.asked(python, variables)))
    every = matrix_rows.notebooks(book)
    tables.keep(setting.name, every)
    for name, stored in every.items():
        now = matrix_rows.digest(stored, book)
        if tables.has(setting.name, name, now):
            continue
        start = time.perf_counter()
        fresh, problem = executed(stored, python, variables, folder, book)
        seconds = time.perf_counter() - start
        found = moved(name, stored, fresh, setting.rule)
        if problem:
            found = replace(found, remarks=[*found.remarks, problem])
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(fresh, folder / f"{name}.ipynb")
        key = {"setting": setting.name, "notebook": name, "digest": now}
        tables.put(key | matrix_rows.counted(stored, found) | {"seconds": f"{seconds:.1f}"})
        yield replace(found, executed=f"{name}.ipynb")


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="settings, by their first letters")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to execute")
    parser.add_argument("--book", type=Path, default=BOOK, help="where the notebooks lie")
    parser.add_argument("--data", type=Path, default=matrix_rows.DATA, help="where the tables go")
    parser.add_argument("--list", action="store_true", help="list the settings, and run nothing")
    arguments = parser.parse_args()
    every = settings()
    try:
        chosen = picked(arguments.names, every)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    tables = matrix_rows.Tables(arguments.data, {each.name: each.what for each in every})
    missing = 0
    for setting in chosen:
        print(f"{setting.name}: {setting.what}", flush=True)
        if arguments.list:
            continue
        folder = arguments.folder / setting.name
        remove_page(folder)
        beyond = []
        try:
            for found in run(setting, tables, folder, arguments.book):
                print(f"    {found.name:32s} {'same' if found.allowed else 'MOVED'}", flush=True)
                beyond += [found] * (not found.allowed)
        except environments.MissingError as error:
            print(f"    not run: {error}", file=sys.stderr)
            tables.give_up(setting.name, str(error))
            missing += 1
            continue
        tables.sum_up(setting.name)
        if beyond:
            title = f"{setting.what}: {len(beyond)} notebooks moved"
            page = write_page(folder, title, beyond, ("stored", setting.name))
            print(f"    See {page.resolve().as_uri()}")
    if arguments.list:
        return 0
    if any(tables.outcomes[s.name]["result"] == matrix_rows.MOVED for s in chosen):
        return 1
    return 2 if missing and arguments.names else 0


if __name__ == "__main__":
    interrupts.ended(
        main, "what each chapter gave is kept, and the same command goes on where it stopped"
    )
