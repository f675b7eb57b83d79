"""Many runs: in parallel, resumable, into one tidy table with a row a run."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import joblib
import pandas as pd
from tqdm import tqdm

from rfm import plans
from rfm.arguments import flag
from rfm.failures import SweepError, sendable, summary
from rfm.outcomes import MADE, Measure, Plain, outcome, plain
from rfm.partial import Partial, Row, SweepWarning, made, only_one
from rfm.sending import Sent
from rfm.settings import Setting

__all__ = [
    "Measure",
    "Plain",
    "Setting",
    "SweepError",
    "SweepWarning",
    "outcome",
    "row",
    "sweep",
]


def sweep(
    settings: Iterable[Setting],
    path: str | Path,
    measure: Measure = outcome,
    *,
    workers: int | None = None,
    threads: int | None = 1,
    progress: bool = True,
) -> pd.DataFrame:
    """Make all runs and write the table ``path`` (CSV), a row a run in the order of the settings.

    A row is written as soon as its run has ended, to a file beside ``path`` that ends in
    ``.partial``; when all are there, the table is written and that file removed. A sweep that was
    interrupted, killed, or had runs that failed goes on from that file: what was finished, with the
    same settings, measure, package and torch, is not made again. Rows that do not fit are never
    lost: the file is copied first, to ``.partial.1`` and so on, and a :class:`rfm.SweepWarning`
    says why. Settings and measure are compared by content, your own functions and classes by their
    code (:attr:`rfm.Setting.key`). Runs are spread by joblib, and any backend of it will do that
    returns results as they come: processes, threads, or Dask::

        with joblib.parallel_config(backend="dask"):  # a Dask cluster, client already connected
            rfm.sweep(settings, path)

    To read the file back with text as text: ``pd.read_csv(path, keep_default_na=False,
    na_values={"margin": "nan", "withheld_lead": "nan"}, dtype={"label": str})``, where ``label`` is
    a column of text that looks like numbers.

    Args:
        settings: the runs; all with the same label columns, no two alike.
        path: where the table goes; its folder must exist, and a file of that name is replaced when
            all rows are there. No two sweeps may write one table.
        measure: what a table keeps of a run, a function that joblib can send to other processes.
        workers: processes; by default what joblib's ``parallel_config`` says, else one; −1 for as
            many as there are cores.
        threads: threads for each run, by default one; None leaves torch's setting.
        progress: show a progress bar.

    Returns:
        The table: labels as they were given, text as text, floats with six digits. The last
        columns say how a row was made: ``seconds`` of processor time that its process spent
        meanwhile, which does not count waiting for other programs, or for a GPU; ``version`` of
        this package and of ``torch``.

    Raises:
        ValueError: for no or repeated settings, differing columns, names that clash, a path that
            cannot be, or what :func:`rfm.fit` would refuse, before any run begins; for a measure
            with names that clash or differ from row to row, at the first such row.
        TypeError: for what is not a setting, an option that :func:`rfm.fit` does not have, labels
            that are not plain values, and what cannot be compared or sent to another process,
            before any run begins; for a measure that does not give plain values by name, at the
            first such row.
        OSError: if the folder cannot be written, before any run begins.
        RuntimeError: if another sweep is writing this table, before any run begins.
        SweepError: if runs have failed, after all others; or if a process was killed.
    """
    path = plans.target(path)
    workers, threads = plans.count(workers, "workers"), plans.count(threads, "threads")
    progress = flag(progress, "progress")
    wanted = plans.by_key(settings, measure)
    with only_one(path):
        finished = Partial(path, {key: setting.values for key, setting in wanted.items()})
        failures: dict[str | None, Exception] = {}
        with closing(finished), closing(_made(wanted, finished, measure, workers, threads)) as runs:
            bar = tqdm(
                runs,
                total=len(wanted),
                initial=len(finished.rows),
                desc=path.stem,
                disable=not progress,
            )
            for key, new in bar:
                if isinstance(new, Row):
                    finished.add(new)
                else:
                    failures[key] = new
        rows = [(wanted[key], finished.rows[key]) for key in wanted if key in finished.rows]
        table = pd.DataFrame([{**setting.values, **row.results(_rounded)} for setting, row in rows])
        if failures:
            raise summary(failures, wanted, finished.path, table)
        finished.finish([{**setting.columns, **row.results(_text)} for setting, row in rows])
    return table


def row(setting: Setting, measure: Measure = outcome, threads: int | None = 1) -> dict[str, Plain]:
    """One row of a table: the setting's columns, what ``measure`` says of its run, and how made."""
    start = time.process_time()
    measured = measure(setting.run(threads, warn=False))  # the table has a column for jitter
    how = made(time.process_time() - start)
    return {**setting.columns, **_named(measured, setting), **how}


def _made(
    wanted: Mapping[str, Setting],
    finished: Partial,
    measure: Measure,
    workers: int | None,
    threads: int | None,
) -> Generator[tuple[str | None, Row | Exception]]:
    """Make the missing runs and yield them as they end: rows, or exceptions of what failed.

    An exception without a key is that of the processes themselves, and the last.
    """
    missing = [key for key in wanted if key not in finished.rows]
    if not missing:
        return
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
    todo = (joblib.delayed(_attempt)(key, Sent((wanted[key], measure)), threads) for key in missing)
    try:
        with closing(parallel(todo)) as results:
            for key, new, refused in results:
                if refused:
                    break
                yield key, new
            else:
                return
    except Exception as error:
        yield None, error
        return
    raise new


def _attempt(key: str, sent: Sent, threads: int | None) -> tuple[str, Row | Exception, bool]:
    """A row, or what went wrong; and whether it is for the measure that no row can be made."""
    setting, measure = sent.x
    start = time.process_time()
    try:
        measured = measure(setting.run(threads, warn=False))
    except Exception as error:
        return key, sendable(error), False
    seconds = time.process_time() - start
    try:
        measured = _named(measured, setting)
    except (TypeError, ValueError) as error:
        return key, error, True
    return key, Row(key, setting.values, measured, made(seconds)), False


def _named(measured: Mapping[str, Plain], setting: Setting) -> dict[str, Plain]:
    return plain(measured, "what measure gives", (*setting.values, *MADE))


def _rounded(value: Plain) -> Plain:
    """A value as a table holds it, floats with six digits."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _text(value: Plain) -> str:
    """The same as it is written."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
