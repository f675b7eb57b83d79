"""Runs that fail: how their exceptions travel, and the error that names them all."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from rfm.sending import arriving
from rfm.settings import Setting

SHOWN = 20  # as many failures are written out


class SweepError(RuntimeError):
    """Runs of a sweep failed; all others were made, and their rows are kept.

    Attributes:
        failures: the columns of each setting that failed, and the exception, which is one that
            pickles and carries the traceback as a note.
        table: the finished rows, in the order of the settings.
    """

    def __init__(
        self,
        message: str,
        failures: Iterable[tuple[dict[str, str], Exception]] = (),
        table: pd.DataFrame | None = None,
    ):
        super().__init__(message)
        self.failures = tuple(failures)
        self.table = pd.DataFrame() if table is None else table
        self.__cause__ = self.failures[0][1] if self.failures else None

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.failures, self.table)


def sendable(error: Exception) -> Exception:
    """An exception as it will arrive from another process, with its traceback as a note."""
    try:
        sent = arriving(error)
    except Exception:  # whatever its class does when it is pickled
        sent = None
    if type(sent) is not type(error):
        sent = RuntimeError("".join(traceback.format_exception_only(error)).strip())
    sent.add_note("".join(traceback.format_exception(error)))
    return sent


def summary(
    failures: Mapping[str | None, Exception],
    wanted: Mapping[str, Setting],
    partial: Path,
    table: pd.DataFrame,
) -> SweepError:
    """The error that names the settings that failed, by the columns that tell them apart.

    Args:
        failures: exceptions by key of the setting; one of None is that of the processes themselves.
        wanted: all settings by key.
        partial: where the finished rows are.
        table: the finished rows.
    """
    every = [setting.columns for setting in wanted.values()]
    telling = [name for name in every[0] if len({columns[name] for columns in every}) > 1]
    telling = telling or list(every[0])[: list(every[0]).index("kernel") + 1]
    failed = [(wanted[key].columns, error) for key, error in failures.items() if key]
    lines = [
        ", ".join(f"{name} {columns[name]!r}" for name in telling)
        + ": "
        + "".join(traceback.format_exception_only(type(error), error)).partition("\n")[0]
        for columns, error in failed[:SHOWN]
    ]
    if len(failed) > SHOWN:
        lines.append(f"and {len(failed) - SHOWN} others")
    if None in failures:
        left = len(wanted) - len(table) - len(failed)
        lines.append(f"{left} runs were not made, for a process was lost: {failures[None]!r:.300}")
    head = f"{len(table)} of {len(wanted)} rows are kept in {partial}, the same call makes the rest"
    error = SweepError("\n  ".join([head, *lines]), failed, table)
    error.__cause__ = failures.get(None, error.__cause__)
    return error
