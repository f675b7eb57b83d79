"""The file of finished rows: what is kept of it, what is set aside, one writer at a time."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
from filelock import FileLock, Timeout

from rfm.outcomes import MADE, Plain, plain
from rfm.version import VERSION

Form = TypeVar("Form")
START = b'{"key": "'  # how each line begins


class SweepWarning(UserWarning):
    """Rows of an earlier attempt at a table do not fit; they were set aside."""


@dataclass(frozen=True)
class Row:
    """A finished row, complete in itself.

    Attributes:
        key: of setting and measure.
        columns: the setting's, as plain values.
        measured: what the measure says of its run.
        made: seconds of processor time, and the versions of the package and of torch.
    """

    key: str
    columns: Mapping[str, Plain]
    measured: Mapping[str, Plain]
    made: Mapping[str, Plain]

    def results(self, form: Callable[[Plain], Form]) -> dict[str, Form]:
        """What was measured and how it was made, each value in a form."""
        return {name: form(value) for name, value in {**self.measured, **self.made}.items()}

    def line(self) -> bytes:
        """The row as it stands in the file, a line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock of a table, a file beside it. It is free again when its holder has died.

    Raises:
        RuntimeError: if a sweep holds it, in this or another process.
        OSError: if the folder cannot be written.
    """
    name = path.with_name(path.name + ".lock")
    lock = FileLock(name, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RuntimeError(
            f"another sweep is writing {path}: wait until it has ended, or choose another path"
        ) from None
    except OSError as error:
        raise OSError(
            error.errno, f"the table cannot be written: {error.strerror or error}", str(name)
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes it on release instead
            if not name.stat().st_size:  # else it is somebody's file
                name.unlink()
        lock.release()


class Partial:
    """The finished rows of a table that is being made, in memory and in a file.

    Attributes:
        table: where the table goes.
        path: the file, beside it.
        rows: the rows by key.
    """

    def __init__(self, table: Path, wanted: Mapping[str, Mapping[str, Plain]]):
        """Read what there is, leniently: rows that fit are kept, whatever else stands there.

        If something else does, the whole file is copied to a new name first. A byte-order mark,
        other ends of lines, empty lines and a last line that was cut off are nothing to keep.

        Args:
            table: where the table goes.
            wanted: the columns of each setting by key.

        Raises:
            OSError: if the file cannot be read or written.
        """
        path = table.with_name(table.name + ".partial")
        self.table, self.path = table, path
        self.rows: dict[str, Row] = {}
        try:
            found = path.read_bytes() if path.exists() else b""
            misfits = self._read(found, wanted)
            if misfits:
                self._set_aside(misfits)
            if found != b"".join(row.line() for row in self.rows.values()):
                self._replace(path, b"".join(row.line() for row in self.rows.values()))
            self.file = path.open("ab")
        except OSError as error:
            raise OSError(
                error.errno, f"finished rows: {error.strerror or error}", str(path)
            ) from error

    def add(self, row: Row) -> None:
        """Keep a row, on the disk when this returns.

        Raises:
            ValueError: if its measured columns are not those of the rows before.
        """
        for other in self.rows.values():
            if list(other.measured) != list(row.measured):
                raise ValueError(
                    f"measure gives the columns {list(row.measured)}, but in {self.path} there "
                    f"are rows with {list(other.measured)}; it must give the same for every run"
                )
            break
        self.file.write(row.line())
        self.file.flush()
        os.fsync(self.file.fileno())
        self.rows[row.key] = row

    def finish(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Write the table, and remove the file of finished rows."""
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        text = "".join(",".join(map(_quoted, line)) + "\n" for line in lines)
        self._replace(self.table, text.encode())
        self.path.unlink()

    def close(self) -> None:
        """Close the file, and remove it if it has no row."""
        self.file.close()
        if not self.rows:
            self.path.unlink(missing_ok=True)

    def _read(self, found: bytes, wanted: Mapping[str, Mapping[str, Plain]]) -> Counter[str]:
        """Take the rows that fit, and count the lines that do not by what is wrong with them."""
        *lines, last = found.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        torn = last.startswith(START) or START.startswith(last)
        misfits: Counter[str] = Counter()
        for line in (*lines, last):
            if not line.strip():
                continue
            row = _parsed(line)
            problem = _problem(row, wanted, self.rows)
            if row is not None and not problem:
                self.rows[row.key] = row
            elif row is not None or line is not last or not torn:
                misfits[problem] += 1
        return misfits

    def _set_aside(self, misfits: Counter[str]) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        with self.path.open("rb") as old, aside.open("xb") as new:
            shutil.copyfileobj(old, new)
        reasons = "; ".join(f"{count} {problem}" for problem, count in misfits.items())
        warnings.warn(
            f"of the finished rows in {self.path}, {len(self.rows)} are kept and "
            f"{misfits.total()} do not fit ({reasons}); the file as it was is {aside}",
            SweepWarning,
            stacklevel=4,
        )

    def _replace(self, path: Path, content: bytes) -> None:
        """Write a file anew: it is the old or the new one, whenever the machine stops."""
        new = self.path.with_name(self.path.name + ".new")
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def _quoted(text: str) -> str:
    """A field of CSV; unlike Python's writer, this one quotes a lone carriage return too."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text


def made(seconds: float) -> dict[str, Plain]:
    """What says how a row was made: its seconds, and the versions of the package and of torch."""
    return dict(zip(MADE, (round(seconds, 2), VERSION, torch.__version__), strict=True))


def _parsed(line: bytes) -> Row | None:
    """The row of a line, or None where it is none."""
    try:
        row = Row(**json.loads(line.decode()))
        for values in (row.columns, row.measured, row.made):
            plain(values, "values", ())
        return row if isinstance(row.key, str) and tuple(row.made) == MADE else None
    except (ValueError, TypeError, RecursionError):
        return None


def _problem(
    row: Row | None, wanted: Mapping[str, Mapping[str, Plain]], rows: Mapping[str, Row]
) -> str:
    """Why a row of the file does not fit, nothing if it does."""
    if row is None:
        return "not readable"
    if row.key not in wanted:
        return "of other settings or another measure"
    if row.made["version"] != VERSION:
        return "of another version of the package"
    if _public(row.made["torch"]) != _public(torch.__version__):
        return "of another version of torch"
    if json.dumps(row.columns, sort_keys=True) != json.dumps(wanted[row.key], sort_keys=True):
        return "with other columns"
    if row.key in rows:
        return "there twice"
    if any(list(other.measured) != list(row.measured) for other in rows.values()):
        return "with other measured columns"
    return ""


def _public(torch_version: Plain) -> str:
    """A version without its local part, such as +cpu."""
    return str(torch_version).partition("+")[0]
