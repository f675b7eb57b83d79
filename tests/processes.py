"""New processes without the seconds that a new Python takes to load torch.

They are forks of a server, a process of its own with the libraries loaded and nothing else: not
this package, no tests. What such a process computes, imports and leaves behind is its own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend.context import get_start_method, set_start_method

LIBRARIES = [
    *("cloudpickle", "filelock", "joblib", "numpy", "pandas", "psutil", "pytest"),
    *("sympy.combinatorics", "torch", "tqdm"),
]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(LIBRARIES)


def start(function: Callable[..., object], *args: object) -> BaseProcess:
    """Call a function of a module of tests in a new process."""
    process = FORKS.Process(target=function, args=args)
    process.start()
    return process


def python(code: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    """Run code as a program that looks for modules in these folders first."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(_run, code, [str(each) for each in folders], str(out), str(err))
        process.join()
        texts = (file.read_text(encoding="utf-8") for file in (out, err))
        return subprocess.CompletedProcess(code, process.exitcode, *texts)


def _run(code: str, folders: list[str], out: str, err: str) -> None:
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        stream.reconfigure(encoding="utf-8")
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, stream.fileno())
        os.close(file)
    assert "rfm" not in sys.modules
    sys.path[:0] = folders
    program = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "<string>", "exec", dont_inherit=True), vars(program))


@contextmanager
def workers(method: str) -> Iterator[None]:
    """Have joblib start its processes in another way: ``forkserver``, or ``loky`` as it would."""
    forkserver.ensure_running()  # with the libraries above, before others ask for theirs
    before = get_start_method()
    get_reusable_executor().shutdown(wait=True)
    set_start_method(method, force=True)
    try:
        yield
    finally:
        get_reusable_executor().shutdown(wait=True)
        set_start_method(before, force=True)
