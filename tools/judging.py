"""Which mutants the tests kill: each is tried in a process forked from a prepared one.

Starting Python, torch and pytest for each mutant would take most of the time. So there are two
prepared processes:

- one in which pytest has collected the tests. What runs through the mutated statement is run, the
  quickest test first, until one fails.
- one in which everything is imported but the package itself. That is the way for what is run when
  the package or the tests are imported, and so has been run already in the other process. A mutant
  that survives there is tried here as well if its statement is among that.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, zip_longest
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import coverage
import pytest
from killing import Chosen, Mutated, afresh, in_child, tried

LATE = 10.0, 10.0  # a mutant is late after so many seconds, and so many times what its tests take


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        kind: ``killed``, ``survived`` or ``late``.
        by: the test that failed; empty if none did.
    """

    kind: str
    by: str = ""


@dataclass
class Coverage:
    """Which tests run through which lines, and how long they take.

    Attributes:
        seconds: test ↦ seconds of the processor.
        lines: file ↦ number of the line, as text ↦ the tests that run through it.
        failed: the tests that fail without a mutant.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, seconds: dict[str, float], lines: dict[str, dict[str, list[str]]]) -> None:
        """Add what was measured with other tests."""
        self.seconds.update(seconds)
        for file, measured in lines.items():
            whole = self.lines.setdefault(file, {})
            for line, tests in measured.items():
                whole[line] = [*whole.get(line, []), *tests]

    def tests(self, file: str, lines: Iterable[int]) -> set[str]:
        """The tests that run through one of some lines of a file, as measured."""
        measured = self.lines.get(file, {})
        return {test for line in lines for test in measured.get(str(line), ())}


def chosen_tests(
    mutant: Mutated, file: Path, known: Coverage, longest: float
) -> tuple[list[str], float]:
    """The tests that a mutant is tried with, quickest first, and the seconds that they take.

    Those that run through the changed statement; where none does, as with what is run at import,
    all of them. Together they may take ``longest`` seconds; one test may in any case.
    """
    first, last = mutant.lines
    through = known.tests(str(file), range(first, last + 1)) if mutant.place else set()
    tests = sorted(through or known.seconds, key=lambda test: (known.seconds[test], test))
    until = list(accumulate(known.seconds[test] for test in tests))
    count = max(bisect_right(until, longest), min(1, len(tests)))
    return tests[:count], sum(known.seconds[test] for test in tests[:count])


class Collected:
    """A pytest plugin that answers questions once the tests are collected, instead of running them.

    It first tells which lines were run until then. It is asked for what a file of tests runs
    through by that name, for a mutant by the mutant, the tests and the limit of seconds. It ends
    with the other side of the pipe, or at once if some tests cannot be collected.
    """

    def __init__(self, pipe: Connection, package: Path):
        self.pipe, self.package = pipe, package
        self.measured = measuring(package)
        self.measured.start()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer until nobody asks any more."""
        if session.testsfailed:
            return True
        self.measured.stop()
        data = self.measured.get_data()
        self.pipe.send({file: set(data.lines(file) or ()) for file in data.measured_files()})
        items = {item.nodeid: item for item in session.items}
        gc.freeze()
        with suppress(EOFError):
            while True:
                match self.pipe.recv():
                    case str(file):
                        some = [item for item in session.items if _file(item.nodeid) == file]
                        work, limit = partial(covered, session, self.package, some), 3600.0
                    case mutant, tests, limit:
                        work = partial(tried, session, mutant, [items[test] for test in tests])
                self.pipe.send(in_child(work, limit))
        return True


def measuring(package: Path) -> coverage.Coverage:
    """What notes the lines of a package's files that are run."""
    return coverage.Coverage(data_file=None, config_file=False, include=[f"{package}/*"])


def covered(session: pytest.Session, package: Path, items: Sequence[pytest.Item]) -> Coverage:
    """Run some collected tests as they are, and tell what they run through."""
    from coverage import Coverage as Measured

    found, measured = (
        Coverage(),
        Measured(data_file=None, config_file=False, include=[f"{package}/*"]),
    )
    chosen = Chosen([])
    session.config.pluginmanager.register(chosen)
    measured.start()
    for item, following in zip_longest(items, items[1:]):
        measured.switch_context(item.nodeid)
        start = time.process_time()
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        found.seconds[item.nodeid] = time.process_time() - start
        if chosen.failed:
            found.failed.append(item.nodeid)
            chosen.failed = ""
    measured.stop()
    data = measured.get_data()
    for file in data.measured_files():
        lines = data.contexts_by_lineno(file)
        found.lines[file] = {str(n): [c for c in tests if c] for n, tests in lines.items()}
    return found


class Judges:
    """The two prepared processes for the tests of one module.

    Args:
        root: the folder of the repository, in which tests are run.
        package: the folder of the package.
        files: the files of tests.
        options: of pytest.
        preload: what to import beforehand, nothing of the package.

    Raises:
        RuntimeError: the tests cannot be collected.
    """

    def __init__(
        self,
        root: Path,
        package: Path,
        files: Sequence[str],
        options: Sequence[str] = (),
        preload: Iterable[str] = (),
    ):
        self.root, self.package, self.options = root, package, tuple(options)
        for name in preload:
            importlib.import_module(name)
        gc.freeze()  # what is there stays, and no child need look at it
        self.pipe, self.pid = self._start(files)
        try:
            self.imported: dict[str, set[int]] = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.said.seek(0)
            words = self.said.read().decode(errors="replace")
            raise RuntimeError(f"the tests cannot be collected:\n{words}") from None

    def _start(self, files: Sequence[str]) -> tuple[Connection, int]:
        ours, theirs = Pipe()
        self.said = tempfile.TemporaryFile()  # noqa: SIM115, open as long as the process
        pid = os.fork()
        if pid:
            theirs.close()
            return ours, pid
        try:
            ours.close()
            for number in (1, 2):
                os.dup2(self.said.fileno(), number)
            os.chdir(self.root)
            pytest.main([*self.options, *files], plugins=[Collected(theirs, self.package)])
        finally:
            sys.stdout.flush()
            os._exit(0)

    def coverage(self, file: str) -> Coverage:
        """Run all tests of a file as they are.

        Raises:
            RuntimeError: one of them fails.
        """
        self.pipe.send(file)
        how, found = self.pipe.recv()
        if how != "done" or found.failed:
            raise RuntimeError(f"without a mutant: {how}, {found and found.failed}")
        return found

    def judge(self, mutant: Mutated, tests: Sequence[str], seconds: float) -> Verdict:
        """Try a mutant.

        Args:
            mutant: the mutant.
            tests: the tests to run, in this order.
            seconds: how long they take without it.
        """
        limit = LATE[0] + LATE[1] * seconds
        self.pipe.send((mutant, tests, limit))
        how, by = self.pipe.recv()
        if verdict := _verdict(how, by):
            return verdict
        first, last = mutant.lines
        at_import = self.imported.get(str(self._file(mutant)), set())
        if by is not None and at_import.isdisjoint(range(first, last + 1)):
            return Verdict("survived")
        return self.judge_afresh(mutant, tests, limit)

    def _file(self, mutant: Mutated) -> Path:
        return self.root.joinpath(*mutant.module.split(".")).with_suffix(".py")

    def judge_afresh(self, mutant: Mutated, tests: Sequence[str], limit: float) -> Verdict:
        """Try a mutant by an import of its source."""
        file = self._file(mutant)

        def work() -> str:
            os.chdir(self.root)
            return afresh(mutant, file, tests, self.options)

        return _verdict(*in_child(work, limit)) or Verdict("survived")

    def close(self) -> None:
        """End the prepared process."""
        self.pipe.close()
        os.waitpid(self.pid, 0)


def _file(test: str) -> str:
    return test.split("::")[0]


def _verdict(how: str, by: str | None) -> Verdict | None:
    """What an answer of a child means; None if it leaves the question open."""
    if how == "late":
        return Verdict("late")
    if how == "died":
        return Verdict("killed", "the process died")
    return Verdict("killed", by) if by else None
