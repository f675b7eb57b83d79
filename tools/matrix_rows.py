"""The tables of ``make matrix``: what came of each chapter in each setting, and of each setting.

``matrix_notebooks.csv`` has a row for each setting and notebook, with a digest of the notebook's
code and outputs at that time, and of the package and the tables that they came from; ``matrix.csv``
adds them up; ``matrix_settings.csv`` says what each setting was.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import nbformat
import needs
from moved import Moved
from nbformat import NotebookNode
from outputs import BITMAPS, PIXELS, Difference, parts
from repository import ROOT

DATA, BOOK = ROOT / "book" / "data", ROOT / "book"
Row = dict[str, str]
SAME, MOVED, NOT_RUN, BEGUN = "the same", "moved", "not run", "begun"
COUNTS = (
    *("cells", "cells_moved", "texts_moved", "pictures", "pictures_redrawn", "pictures_moved"),
    "errors",
)


def notebooks(book: Path = BOOK) -> dict[str, NotebookNode]:
    """Name ↦ notebook, of all stored notebooks that have code."""
    found = {path: nbformat.read(path, as_version=4) for path in sorted(book.glob("[!.]*.ipynb"))}
    return {path.stem: nb for path, nb in found.items() if code_cells(nb)}


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """The cells of a notebook that are not empty, of code."""
    return [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]


def digest(nb: NotebookNode, book: Path = BOOK) -> str:
    """What tells a notebook, and what it is computed from, from others.

    That is its code and stored outputs, whatever its words; the modules of the package that it
    loads; the tables and other files that it reads. Versions of packages are the setting's.

    Args:
        nb: the notebook.
        book: the folder in which it runs, with the tables in ``data``.
    """
    shown = [(cell.source, parts(cell.outputs)) for cell in code_cells(nb)]
    whole = json.dumps([shown, needs.modules(nb), needs.contents(nb, book)], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def counted(stored: NotebookNode, found: Moved) -> Row:
    """What moved in a notebook, in numbers."""
    moved = [each for cell in found.cells for each in cell.differences]
    beyond = [each for each in moved if not each.allowed]
    texts = [each for each in beyond if not each.is_picture and each.kind != "error"]
    largest = max((each.size for each in texts if each.size is not None), default=0.0)
    cells = code_cells(stored)
    shown = [parts(cell.outputs).get(kind, ()) for cell in cells for kind in BITMAPS]
    counts = {
        "cells": len(cells),
        "cells_moved": sum(not cell.allowed for cell in found.cells),
        "texts_moved": sum(each.size is None for each in texts),
        "pictures": sum(map(len, shown)),
        "pictures_redrawn": sum(each.is_picture and _is_redrawn(each) for each in moved),
        "pictures_moved": sum(each.is_picture for each in beyond),
        "errors": sum(each.kind == "error" for each in beyond) + len(found.remarks),
    }
    said = {name: str(number) for name, number in counts.items()}
    return said | {"largest_change": f"{largest:.2g}"}


def _is_redrawn(difference: Difference) -> bool:
    """Whether a rule lets a picture pass that the strict one would not."""
    return difference.allowed and (difference.size is None or difference.size > PIXELS)


def since() -> str:
    """Which chapters are no longer those of the stored rows, and of which settings, for a page."""
    results = {row["setting"]: row["result"] for row in read(DATA / "matrix.csv")}
    finished = [setting for setting, result in results.items() if result in (SAME, MOVED)]
    rows = read(DATA / "matrix_notebooks.csv")
    ran = {(row["setting"], row["notebook"], row["digest"]) for row in rows}
    now = {name: digest(nb) for name, nb in notebooks().items()}
    settings: dict[tuple[str, ...], list[str]] = {}  # by the chapters that have changed since
    for each in finished:
        old = tuple(name for name in now if (each, name, now[name]) not in ran)
        settings.setdefault(old, []).append(each)
    settings.pop((), None)
    if not settings:
        return "All chapters are still those that were run, and so is what they are computed from."
    told = [_since(old, of, finished) for old, of in settings.items()]
    others = "" if sum(map(len, settings.values())) == len(finished) else " The others stand."
    return " ".join(told) + others


def _since(old: Sequence[str], settings: Sequence[str], finished: Sequence[str]) -> str:
    where = (
        "all settings" if len(settings) == len(finished) else _listed(f"`{s}`" for s in settings)
    )
    chapters = ", ".join(f"{{doc}}`{name}`" for name in old)
    return (
        f"Changed since the last run of {where}, or computed from something that has: {chapters}."
    )


def _listed(words: Iterable[str]) -> str:
    """One, two and three."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def added(setting: str, rows: Sequence[Row], whole: int) -> Row:
    """The row of a setting, of those of its notebooks, of which there are so many in the book."""
    clean = [row for row in rows if is_clean(row)]
    largest = max(float(row["largest_change"]) for row in rows)
    sums = {name: str(sum(int(row[name]) for row in rows)) for name in COUNTS}
    return {
        "setting": setting,
        "result": MOVED if len(clean) < len(rows) else SAME if len(rows) == whole else BEGUN,
        "notebooks": str(len(rows)),
        "notebooks_same": str(len(clean)),
        **sums,
        "largest_change": f"{largest:.2g}",
        "minutes": f"{sum(float(row['seconds']) for row in rows) / 60:.1f}",
    }


def is_clean(row: Row) -> bool:
    """Whether nothing moved in a notebook."""
    return int(row["cells_moved"]) == int(row["errors"]) == 0


class Tables:
    """The three tables in a folder, read and written as they grow.

    Args:
        folder: where they lie.
        settings: setting ↦ the same in words, in order; rows of others are dropped.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder, self.settings, self.order = folder, settings, list(settings)
        self.whole: dict[str, int] = {}  # setting ↦ number of notebooks
        self.chapters = [row for row in read(folder / "matrix_notebooks.csv") if self._knows(row)]
        self.outcomes = {row["setting"]: row for row in read(folder / "matrix.csv")}
        self.described = {row["setting"]: row for row in read(folder / "matrix_settings.csv")}

    def _knows(self, row: Row) -> bool:
        return row["setting"] in self.settings

    def describe(self, row: Row) -> None:
        """Say what a setting is; if it was something else, its rows are dropped."""
        setting = row["setting"]
        if self.described.get(setting) != row:
            self.chapters = [each for each in self.chapters if each["setting"] != setting]
        self.described[setting] = row

    def has(self, setting: str, name: str, now: str) -> bool:
        """Whether a notebook of this digest ran in a setting, and nothing moved."""
        return any(
            is_clean(row)
            for row in self.chapters
            if (row["setting"], row["notebook"], row["digest"]) == (setting, name, now)
        )

    def put(self, row: Row) -> None:
        """Put a notebook's row in, in the place of an older one, and write."""
        key = row["setting"], row["notebook"]
        self.chapters = [r for r in self.chapters if (r["setting"], r["notebook"]) != key] + [row]
        self.chapters.sort(key=lambda r: (self.order.index(r["setting"]), r["notebook"]))
        self.sum_up(row["setting"])

    def keep(self, setting: str, names: Iterable[str]) -> None:
        """Of the rows of a setting, drop those whose notebook is none of these, all there are."""
        kept = set(names)
        self.whole[setting] = len(kept)
        self.chapters = [
            row for row in self.chapters if row["setting"] != setting or row["notebook"] in kept
        ]

    def sum_up(self, setting: str) -> None:
        """Add up the rows of a setting, and write."""
        rows = [row for row in self.chapters if row["setting"] == setting]
        self.outcomes[setting] = added(setting, rows, self.whole[setting])
        self.write()

    def give_up(self, setting: str, reason: str) -> None:
        """Say why nothing could be run in a setting, unless it has been before."""
        if not self.outcomes.get(setting, {}).get("notebooks"):
            self.outcomes[setting] = {"setting": setting, "result": f"{NOT_RUN}: {reason}"}
            self.described[setting] = {"setting": setting, "what": self.settings[setting]}
            self.write()

    def write(self) -> None:
        """Write the tables, each as a whole; what was never tried has a row that says so."""
        never = {s: {"setting": s, "result": f"{NOT_RUN}: not yet"} for s in self.settings}
        named = {s: {"setting": s, "what": what} for s, what in self.settings.items()}
        _write(self.folder / "matrix_notebooks.csv", self.chapters)
        for name, rows in (
            ("matrix", never | self.outcomes),
            ("matrix_settings", named | self.described),
        ):
            _write(self.folder / f"{name}.csv", [rows[setting] for setting in self.order])


def read(path: Path) -> list[Row]:
    """The rows of a table, none if it is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    columns = max(rows, key=len, default={})
    beside = path.with_name(f"{path.name}.partial")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(beside, path)
