"""Which tables of one round are made, so that a round that was interrupted goes on with the next.

A row of a table is kept by :func:`rfm.sweep`; this keeps what is done of many tables. What was made
from other settings, another package or another torch, or has changed since, counts as not made.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import torch

import rfm
from rfm import Setting, plans
from rfm.sweeps import Measure


def key_of(settings: Iterable[Setting], measure: Measure) -> str:
    """What a table is made from: its runs, what is kept of them, the package, torch."""
    sources = sorted(Path(rfm.__file__).parent.rglob("*.py"))
    code = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]
    made_from = [torch.__version__, *code, *plans.by_key(settings, measure)]
    return hashlib.sha256("\n".join(made_from).encode()).hexdigest()


class Round:
    """The tables of one round, in a file with a line for each that is made.

    Args:
        file: where the lines are; it is there from the first table to :meth:`end`.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.made: dict[str, list[str]] = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            try:
                self.made |= json.loads(line)
            except ValueError:  # the last line, when the machine went down
                continue

    def has(self, table: Path, key: str) -> bool:
        """Whether a table was made in this round, from the same, and is as it was left."""
        return table.exists() and self.made.get(table.name) == [key, self._content(table)]

    def add(self, table: Path, key: str) -> None:
        """Note a table that is made."""
        self.made[table.name] = [key, self._content(table)]
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write("\n" + json.dumps({table.name: self.made[table.name]}))

    def end(self) -> None:
        """All tables are made: the next round makes all of them anew."""
        self.file.unlink(missing_ok=True)

    @staticmethod
    def _content(table: Path) -> str:
        return hashlib.sha256(table.read_bytes()).hexdigest()
