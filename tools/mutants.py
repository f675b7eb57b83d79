"""Change the package, and what notebooks show, in every small way: do the tests notice?

``.venv/bin/python tools/mutants.py`` makes all mutants of the modules named here, tries each with
the tests of its module, prints the survivors, and puts a row for each module into
``book/data/mutants.csv``; with names, of these modules only. ``notebooks`` is such a name too: the
stored outputs of each notebook are spoilt in every way of ``spoiling.py``, and the strict check is
asked whether it would fail. ``make mutants`` sets up what it needs.

The verdicts are kept in ``_build/mutants``: a mutant is not tried again as long as its module and
the file with the test that killed it stand as they were. ``--force`` forgets them.

What a mutant is stands in ``mutating.py``, how one is tried in ``judging.py`` and ``killing.py``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING

import interrupts
from judging import Coverage, Judges, Verdict, chosen_tests

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from multiprocessing.queues import Queue

    from mutating import Mutant

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = "notebooks"
PACKAGE = ROOT / "rfm"
TABLE = ROOT / "book" / "data" / "mutants.csv"
KEPT = ROOT / "_build" / "mutants"
COLUMNS = ("module", "mutants", "killed", "survived", "timeouts", "seconds", "source")
AIM = 0.95  # of the mutants of each module are to be killed
LONGEST = 6.0  # seconds that the tests of a mutant may take; the slowest are not asked
PATIENCE = 5.0  # seconds until it is asked whether the workers live
OPTIONS = ("-q", "-p", "no:xdist", "--assert=plain")

# The files of tests that a module's mutants are tried with, besides those that all are.
ALWAYS = ("told", "told_beyond", "bounds", "defaults", "record", "shown")
TESTS: dict[str, tuple[str, ...]] = {
    "kernels": ("kernels", "own_kernels", "machine", "arguments", "device"),
    "profiles": ("kernels", "own_kernels", "machine", "arguments"),
    "gradients": ("machine", "kernels", "exact_step", "equivariance", "device"),
    "solve": ("machine", "run", "endings", "arguments"),
    "machine": ("machine", "kernels", "run", "exact_step", "arguments"),
    "run": ("run", "endings", "arguments"),
    "recursion": (
        *("run", "endings", "arguments", "equivariance", "translations", "device", "updates"),
    ),
    "symmetry": ("symmetry", "subgroups", "arguments", "equivariance"),
    "subgroups": ("subgroups", "symmetry", "splits", "arguments"),
    "decomposition": ("decomposition", "measures", "arguments"),
    "splits": ("splits", "subgroups", "arguments"),
    "groups": ("named", "told_theory", "groups", "symmetry", "arguments"),
    "tasks": ("named", "told_theory", "groups", "symmetry", "splits", "arguments"),
    "equivalence": ("told_theory", "equivalence", "arguments"),
    "translations": ("told_theory", "blocks", "translations", "arguments", "run"),
    "two_spectra": ("told_theory", "two_spectra", "arguments"),
    "reduced": ("told_theory", "reduced", "arguments"),
    "prediction": ("told_theory", "prediction", "arguments"),
    "starts": ("told_theory", "starts", "arguments"),
    "spectral": ("lost", "told_theory", "machine", "run", "measures", "kernels"),
    "updates": ("members", "updates", "endings", "arguments"),
    "families": ("members", "families", "own_kernels", "arguments"),
    "shuffling": ("recovery", "arguments"),
    "matching": ("matching", "recovery", "arguments"),
    "regular": ("regular", "recovery", "arguments"),
    "noise": ("recovery", "arguments"),
    "recovery": ("recovery", "arguments"),
    "finite": ("members", "finite", "groups", "characters", "arguments"),
    "products": ("named", "finite", "noncommuting", "groups", "arguments"),
    "permuting": ("named", "finite", "characters", "arguments"),
    "renamings": ("renamings", "equivalence", "arguments"),
    "characters": ("members", "characters", "arguments"),
    "representations": ("members", "characters", "noncommuting", "arguments"),
    "searching": ("members", "searching", "arguments"),
    "measures": ("told_measures", "measures", "prediction", "arguments"),
    "judging": ("told_small", "members", "measures", "run", "recovery", "arguments"),
    "onehot": ("told_small", "kernels", "machine", "equivariance", "arguments"),
    "stopping": ("told_small", "endings", "run", "arguments"),
    "seeds": ("told_small", "splits", "starts", "run", "arguments"),
    "networks/training": ("told_networks", "networks", "arguments"),
    "networks/weights": ("told_networks", "networks", "arguments"),
    "networks/starts": ("told_networks", "networks", "arguments"),
    "networks/activations": ("told_networks", "networks", "arguments"),
    "networks/record": ("told_networks", "networks", "arguments"),
    "networks/sweeping": ("told_networks", "networks", "arguments"),
    "networks/waves": ("told_networks", "networks", "arguments"),
}

# What pytest and the package import, so that no child has to.
PRELOAD = (
    *("torch", "numpy", "pandas", "sympy.combinatorics", "scipy", "mpmath", "matplotlib.pyplot"),
    *("seaborn", "tqdm", "joblib", "cloudpickle", "psutil", "filelock", "distributed"),
    *("hypothesis", "hypothesis.internal.conjecture.engine", "coverage", "torch.func", "PIL.Image"),
    *("nbformat", "nbval.plugin", "playwright.sync_api", "bs4", "torch._dynamo"),
    *("anyio.pytest_plugin", "_hypothesis_pytestplugin"),
)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant, and what that rests on.

    Attributes:
        kind: ``killed``, ``survived`` or ``late``.
        by: the test that failed; empty if none did.
        test: digest of the file that it stands in.
        seconds: how long the mutant was tried.
        change: the mutant, in words.
    """

    kind: str
    by: str
    test: str
    seconds: float
    change: str


def digest(path: Path) -> str:
    """A few digits that tell the contents of a file; empty if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""


def read() -> dict[str, dict[str, str]]:
    """The rows of the table, by module."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["module"]: row for row in csv.DictReader(file)}


def write(row: dict[str, str]) -> None:
    """Put a row into the table, in the order in which modules are named here, others after them."""
    rows = read() | {row["module"]: row}
    order = [*(f"rfm/{name}.py" for name in TESTS), *sorted(rows)]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in dict.fromkeys(order) if name in rows)


def stale() -> list[str]:
    """The modules in the table that have changed since their mutants were tried."""
    return [name for name, row in read().items() if row["source"] != digest(ROOT / name)]


class Kept:
    """The outcomes of a module's mutants, in a file that grows line by line."""

    def __init__(self, name: str, force: bool):
        self.source = digest(PACKAGE / f"{name}.py")
        self.path = KEPT / f"{name}.jsonl"
        self.found: dict[int, Outcome] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if force:
            self.path.unlink(missing_ok=True)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for line in map(json.loads, lines):
            source, number = line.pop("source"), line.pop("number")
            if source == self.source:
                self.found[number] = Outcome(**line)

    def stands(self, number: int) -> bool:
        """Whether a mutant was killed by a test that stands as it was."""
        outcome = self.found.get(number)
        if outcome is None or outcome.kind != "killed":
            return False
        return outcome.test == digest(ROOT / outcome.by.split("::")[0])

    def add(self, number: int, outcome: Outcome) -> None:
        """Note an outcome."""
        self.found[number] = outcome
        with self.path.open("a", encoding="utf-8") as file:
            line = {"source": self.source, "number": number, **asdict(outcome)}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def covered_by(files: Sequence[str], judges: Judges) -> Coverage:
    """What files of tests run through: what was measured before counts while nothing has changed.

    Raises:
        RuntimeError: a test fails without any change.
    """
    package = "".join(digest(path) for path in sorted(PACKAGE.rglob("*.py")))
    found = Coverage()
    for file in files:
        path = KEPT / f"{Path(file).stem}.json"
        key = hashlib.sha256(f"{package}{digest(ROOT / file)}".encode()).hexdigest()
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if stored.get("key") != key:
            measured = judges.coverage(file)
            stored = {"key": key, "seconds": measured.seconds, "lines": measured.lines}
            path.write_text(json.dumps(stored), encoding="utf-8")
        found.add(stored["seconds"], stored["lines"])
    return found


def judged(
    name: str, some: Sequence[Mutant], judges: Judges, coverage: Coverage
) -> Iterator[tuple[int, Outcome]]:
    """Try some mutants of a module, one after the other."""
    for mutant in some:
        tests, seconds = chosen_tests(mutant, PACKAGE / f"{name}.py", coverage, LONGEST)
        start = time.perf_counter()
        verdict = judges.judge(mutant, tests, seconds) if tests else Verdict("survived")
        spent = round(time.perf_counter() - start, 3)
        file = digest(ROOT / verdict.by.split("::")[0])
        yield mutant.number, Outcome(verdict.kind, verdict.by, file, spent, str(mutant))


def gathered(
    queue: Queue[tuple[int, Outcome]], workers: Sequence[BaseProcess], count: int
) -> Iterator[tuple[int, Outcome]]:
    """So many outcomes, as the workers put them into a queue.

    Raises:
        RuntimeError: all workers have ended, and some outcomes are missing.
    """
    for _ in range(count):
        found = None
        while found is None:
            working = any(
                worker.is_alive() for worker in workers
            )  # before what it puts is asked for
            try:
                found = queue.get(timeout=PATIENCE)
            except Empty:
                if not working:
                    raise RuntimeError("a worker ended: run again, verdicts are kept") from None
        yield found


def judge(name: str, force: bool, workers: int) -> dict[str, str]:
    """Try all mutants of a module; return its row of the table.

    Raises:
        RuntimeError: a test fails without any change, or a worker ended before its time.
    """
    import mutating

    path, kept = PACKAGE / f"{name}.py", Kept(name, force)
    every = list(mutating.mutants(path, f"rfm.{name.replace('/', '.')}"))
    left = [mutant for mutant in every if not kept.stands(mutant.number)]
    files = [f"tests/test_{file}.py" for file in (*ALWAYS, *TESTS[name])]
    print(f"{name}: {len(every)} mutants, {len(left)} to be tried", file=sys.stderr, flush=True)
    if left:
        first = Judges(ROOT, PACKAGE, files, OPTIONS, PRELOAD)
        coverage = covered_by(files, first)
        context = get_context("fork")
        queue = context.Queue()

        def share(i: int) -> None:
            judges = Judges(ROOT, PACKAGE, files, OPTIONS)
            for found in judged(name, left[i::workers], judges, coverage):
                queue.put(found)
            judges.close()

        first.close()
        processes = [context.Process(target=share, args=(i,)) for i in range(workers)]
        for process in processes:
            process.start()
        for done, (number, outcome) in enumerate(gathered(queue, processes, len(left)), start=1):
            kept.add(number, outcome)
            if outcome.kind != "killed":
                print(f"{done} {outcome.kind}: {outcome.change}", file=sys.stderr, flush=True)
        for process in processes:
            process.join()
    outcomes = [kept.found[mutant.number] for mutant in every]
    return row(path, [each.kind for each in outcomes], sum(each.seconds for each in outcomes))


def judge_notebook(path: Path) -> dict[str, str]:
    """Spoil the stored outputs of a notebook in every way; return its row of the table.

    Raises:
        RuntimeError: the strict check complains of outputs that nothing has happened to.
    """
    sys.path.insert(0, str(ROOT / "tests"))
    import nbformat
    import nbstrict
    import spoiling

    start, kinds = time.perf_counter(), []
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type != "code" or not cell.outputs:
            continue
        if words := nbstrict.complaint(cell, cell.outputs):
            raise RuntimeError(f"{path.name}, cell {number}, as it is: {words}")
        for each in spoiling.spoilt(cell):
            noticed = bool(nbstrict.complaint(each.cell, cell.outputs))
            kinds.append("killed" if noticed else "survived")
            if not noticed:
                print(f"{path.name}, cell {number}: {each.what}", file=sys.stderr, flush=True)
    return row(path, kinds, time.perf_counter() - start)


def row(path: Path, kinds: Sequence[str], seconds: float) -> dict[str, str]:
    """What the table says of a module or a notebook."""
    count = Counter(kinds)
    return {
        "module": path.relative_to(ROOT).as_posix(),
        "mutants": str(len(kinds)),
        "killed": str(count["killed"]),
        "survived": str(count["survived"]),
        "timeouts": str(count["late"]),
        "seconds": f"{seconds:.0f}",
        "source": digest(path),
    }


def main() -> None:
    """Parse the command line and try."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = (*TESTS, NOTEBOOKS)
    parser.add_argument("names", nargs="*", help=f"modules, of: {', '.join(every)}")
    parser.add_argument("--force", action="store_true", help="try again what was killed before")
    parser.add_argument("--workers", type=int, default=1, help="how many to try at once")
    parser.add_argument("--stale", action="store_true", help="name the modules changed since, only")
    asked = parser.parse_args()
    if asked.stale:
        print(*stale(), sep="\n")
        return
    if unknown := [name for name in asked.names if name not in every]:
        parser.error(f"there are no mutants of {', '.join(unknown)}, but of {', '.join(every)}")
    wanted = asked.names or every
    if NOTEBOOKS in wanted:
        for path in sorted((ROOT / "book").glob("*.ipynb")):
            _put(judge_notebook(path))
    modules = [name for name in wanted if name != NOTEBOOKS]
    if modules and importlib.util.find_spec("mutmut") is None:
        parser.error("mutmut is missing: make mutants installs it")
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)  # what is meant for other runs of pytest
    sys.path.insert(0, str(ROOT))
    for name in modules:
        _put(judge(name, asked.force, asked.workers))


def _put(found: dict[str, str]) -> None:
    write(found)
    print(*found.values(), sep="\t", flush=True)


if __name__ == "__main__":
    interrupts.ended(main, "verdicts are kept, and the same command goes on where it stopped")
