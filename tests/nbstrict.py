"""A pytest plugin that makes nbval strict.

nbval runs each cell and compares text outputs exactly, but lets a swapped or lost picture pass, and
a cell that was never run. With this plugin a code cell also fails when

- it was never run, or is exempt from comparison by one of nbval's tags or comments;
- a picture is missing, additional, of another size, or looks different;
- its outputs come in another order, with other metadata, or are put together otherwise;
- anything stands in its stderr;
- it takes too long, whatever it does about being interrupted; the cells after it are not run, and
  fail.

The rule for outputs is that of ``tools/outputs.py``, also used by ``tools/compare.py``. Cells run
as they did when the notebook was made: see ``nbkernel.py``. What a failing notebook leaves to look
at is in ``nbfailures.py``.

It uses what nbval's items hold (``cell``, ``options``, ``test_outputs``, ``compare_outputs``,
``raise_cell_error``, ``parent.timed_out``), which is no public interface: nbval is pinned, and
``tools/test_nbstrict.py`` tests that all this still bites.
"""

from collections.abc import Generator, Iterable
from types import SimpleNamespace
from typing import NoReturn

import nbfailures
import nbkernel
import pytest
from limits import VARIABLE, time_scale
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, NbCellError, find_metadata_tags
from outputs import compare

OUTPUT_TIMEOUT = 60  # seconds for an output to arrive, nbval's 5 are short for a busy machine;
# and for all outputs together of a cell that was interrupted
SCALED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where failing notebooks leave what there is to look at."""
    words = f"folder for failing notebooks and a page about them (default: {nbfailures.FOLDER})"
    parser.getgroup("nbval").addoption("--failures", metavar="FOLDER", help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be meant, and remove what an earlier run left."""
    if not _is_for_notebooks(config):
        return
    if config.option.nbval_sanitize_with:
        raise pytest.UsageError("--nbval-sanitize-with would exempt outputs from comparison")
    try:
        time_scale()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    if not hasattr(config, "workerinput"):  # that is, before pytest-xdist starts its processes
        nbfailures.clear(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Scale the limits of time, once, in the process that runs the cells."""
    stash, option = item.config.stash, item.config.option
    if isinstance(item, IPyNbCell) and not stash.get(SCALED, False):
        stash[SCALED] = True
        option.nbval_cell_timeout *= time_scale()
        option.nbval_kernel_startup_timeout *= time_scale()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run a notebook's cell as nbval does, then apply what nbval leaves out."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    notebook = item.parent
    if not hasattr(notebook, "executed"):
        notebook.executed, notebook.stopped = nbfailures.Executed(notebook), ""
    try:
        _before(item)
        try:
            result = yield
        except nbkernel.GoesOn:
            notebook.kernel.stop()
        except NbCellError as error:
            _stop_if_late(item, error.inner_traceback)
            raise
        _stop_if_late(item)
        _after(item)
    except nbkernel.KernelDied:
        notebook.stopped = f"the kernel died in cell {item.cell_num}"
        notebook.executed.ran(item, "Kernel died")
        item.raise_cell_error("Kernel died")
    except NbCellError as error:
        notebook.executed.ran(item, str(error), _traceback(item, error))
        raise
    except Exception as error:
        notebook.executed.ran(item, f"{type(error).__name__}: {error}")
        raise
    notebook.executed.ran(item)
    return result


def _before(item: IPyNbCell) -> None:
    if item.parent.stopped:
        item.raise_cell_error(f"Not run: {item.parent.stopped}")
    _refuse_exempt(item)
    nbkernel.mend(item.parent)
    item.parent.displays.begin(item)
    item.output_timeout = OUTPUT_TIMEOUT * time_scale()
    item.compare_outputs = lambda fresh, stored: _same(item, stored, fresh)


def _refuse_exempt(item: IPyNbCell) -> None:
    if item.options["skip"] or not item.options["check"]:
        item.raise_cell_error("Cell is exempt from comparison")


def _same(item: IPyNbCell, stored: Iterable[NotebookNode], fresh: Iterable[NotebookNode]) -> bool:
    """Whether outputs are the stored ones; else nbval finds in the item what differs."""
    different = [each.message for each in compare(stored, fresh) if not each.allowed]
    item.comparison_traceback = different
    return not different


def _traceback(item: IPyNbCell, error: NbCellError) -> str:
    """Return where an error was raised; nbval keeps in its place how outputs differ."""
    differs = getattr(item, "comparison_traceback", [])
    return "" if differs else error.inner_traceback or ""


def _stop_if_late(item: IPyNbCell, traceback: str | None = None) -> None:
    """Make a cell that ran out of time fail as such, and stop its notebook there."""
    if item.parent.timed_out:
        item.parent.timed_out = False  # else nbval expects the next cells to fail, and forgives it
        item.parent.stopped = f"cell {item.cell_num} ran out of time"
        limit, scale = item.config.option.nbval_cell_timeout, time_scale()
        item.raise_cell_error(
            f"Cell ran out of time: its limit is {limit:g} s ({VARIABLE}={scale:g})", traceback
        )


def _after(item: IPyNbCell) -> None:
    if item.cell.execution_count is None and item.cell.source.strip():
        item.raise_cell_error("Cell was never run")
    if any(output.get("name") == "stderr" for output in item.cell.outputs):
        item.raise_cell_error("Cell has stored stderr output")


def complaint(cell: NotebookNode, fresh: Iterable[NotebookNode]) -> str:
    """What the strict check says of a stored cell if these are its outputs when it is run.

    Nothing is run: this is for trying the check itself.
    """

    def fail(message: str, traceback: object = None) -> NoReturn:
        raise NbCellError(0, message, cell.source, traceback)

    options = {"skip": False, "check": True} | dict(find_metadata_tags(cell.metadata))
    item = SimpleNamespace(cell=cell, options=options, raise_cell_error=fail)
    try:
        _refuse_exempt(item)
        if not _same(item, cell.outputs, fresh):
            return "\n".join(item.comparison_traceback)
        _after(item)
    except NbCellError as error:
        return str(error)
    return ""


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where there is something to look at."""
    config = terminalreporter.config
    if _is_for_notebooks(config) and (path := nbfailures.page(config)):
        terminalreporter.section("failing notebooks")
        terminalreporter.line(f"What differs, and the executed notebooks: {path.as_uri()}")


def _is_for_notebooks(config: pytest.Config) -> bool:
    return bool(config.getoption("--nbval") or config.getoption("--nbval-lax"))
