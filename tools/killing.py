"""Trying one mutant with some tests, in a process of its own.

There are two ways. `tried` needs the tests collected already: it puts the bytecode of the mutated
function in the place of the original's, and runs them. `afresh` imports the package from the start,
with the mutant's source in the place of the module's.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from itertools import zip_longest
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Protocol

import pytest

MEMORY = 6 * 2**30  # bytes that a process may take: a mutated shape can ask for more than there is


class Mutated(Protocol):
    """What is needed of a mutant here, see :class:`mutating.Mutant`."""

    module: str
    place: tuple[str, ...]
    lines: tuple[int, int]
    source: str


def in_child(work: Callable[[], Any], limit: float) -> tuple[str, Any]:
    """Do some work in a forked process of its own, silently.

    Returns:
        ``done`` and what was returned, ``late`` if that took more than ``limit`` seconds of the
        processor, or four times that by the clock, or ``died``; None with the last two.
    """
    ours, theirs = Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        _end_as(theirs, work, limit)
    theirs.close()
    found: tuple[str, Any] = ("died", None)
    with suppress(EOFError):
        found = ("done", ours.recv()) if ours.poll(4 * limit) else ("late", None)
    ours.close()
    for end in (os.killpg, os.kill):  # it may not have come to leading a group
        with suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if found[0] == "died" and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        found = ("late", None)
    return found


def _end_as(answer: Connection, work: Callable[[], Any], limit: float) -> None:
    """Be the child: do the work, send what it returns, and end without any clearing up."""
    try:
        os.setsid()  # so that processes of its own end with it
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        with open(os.devnull, "r+b") as nothing:
            for number in range(3):
                os.dup2(nothing.fileno(), number)
        answer.send(work())
    finally:
        os._exit(0)


def swap(mutant: Mutated) -> bool:
    """Give a function that was imported the bytecode of a mutant; return whether that was possible.

    It is not if the mutant is outside of functions, or needs other variables of a surrounding one.
    """
    if not mutant.place:
        return False
    code = compile(mutant.source, sys.modules[mutant.module].__file__ or "", "exec")
    holder: Any = sys.modules[mutant.module]
    for name in mutant.place:
        inside = [c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name]
        if len(inside) != 1:
            return False
        code, holder = inside[0], vars(holder)[name]
    function = _function(holder)
    if function is None or function.__code__.co_freevars != code.co_freevars:
        return False
    function.__code__ = code
    return True


def _function(holder: Any) -> FunctionType | None:
    """The function inside of what decorators made of it."""
    if isinstance(holder, property):
        holder = holder.fget
    elif isinstance(holder, cached_property):
        holder = holder.func
    while not isinstance(holder, FunctionType) and hasattr(holder, "__wrapped__"):
        holder = holder.__wrapped__
    return holder if isinstance(holder, FunctionType) else None


class Instead(MetaPathFinder, SourceLoader):
    """Imports one module from a source that is not in its file."""

    def __init__(self, module: str, file: Path, source: str):
        self.module, self.file, self.source = module, file, source

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """The module's, for none but the one."""
        if name != self.module:
            return None
        return spec_from_loader(name, self, origin=str(self.file))

    def get_filename(self, fullname: str) -> str:
        """Where its source stands when it is not mutated."""
        return str(self.file)

    def get_data(self, path: Any) -> bytes:
        """Its source."""
        return self.source.encode()


class Chosen:
    """A pytest plugin that runs some of the collected tests in their order, and notes a failure."""

    def __init__(self, tests: Sequence[str]):
        self.order, self.failed = {test: i for i, test in enumerate(tests)}, ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep those that are wanted."""
        items[:] = [item for item in items if item.nodeid in self.order]
        items.sort(key=lambda item: self.order[item.nodeid])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file of tests that cannot be imported has failed."""
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the first test that fails."""
        if report.failed:
            self.failed = self.failed or report.nodeid


def tried(session: pytest.Session, mutant: Mutated, items: Sequence[pytest.Item]) -> str | None:
    """The first test that fails with a mutant swapped in, empty for none; None if it cannot be."""
    if not swap(mutant):
        return None
    chosen = Chosen([])
    session.config.pluginmanager.register(chosen)
    for item, following in zip_longest(items, items[1:]):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if chosen.failed:
            break
    return chosen.failed


def afresh(mutant: Mutated, file: Path, tests: Sequence[str], options: Sequence[str]) -> str:
    """The first test that fails with a mutant's source imported from the start, empty for none."""
    sys.meta_path.insert(0, Instead(mutant.module, file, mutant.source))
    chosen = Chosen(tests)
    files = dict.fromkeys(test.split("::")[0] for test in tests)
    status = pytest.main(["-x", *options, *files], plugins=[chosen])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return chosen.failed or f"pytest ended with status {int(status)}"
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return "no test could be collected"
    return chosen.failed
