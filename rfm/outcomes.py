"""What a table keeps of a run: plain values by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from rfm.arguments import instance
from rfm.run import Run
from rfm.splits import Kind

Plain = str | int | float | bool
Measure = Callable[[Run], Mapping[str, Plain]]
MADE = ("seconds", "version", "torch")  # the columns that say how a row was made


def outcome(run: Run) -> dict[str, Plain]:
    """What a table keeps of a run: counts of test points, and the last row of the run's own table.

    Columns: ``iterations_done``; ``train_size`` and ``train_errors``, the most training points
    wrong in any iteration; for each kind of test point, ``withheld``, ``moved`` and ``random``, how
    many there are and how many are right in the end (``withheld_right``, …); ``by_orbits`` and
    ``as_by_orbits``, how many test points an orbit-only model gets right, and on how many the run
    and that model are right or wrong alike (empty where no reflection was withheld);
    ``best_right`` and ``best_at``, the most test points of the chosen kind right in any iteration,
    and the first such iteration, the chosen kind being withheld where there is one, else all;
    ``first_loss``, ``test_loss``, the mean of ‖f(x) − y‖² over the test points at first and in the
    end; ``margin``, the smallest lead among points got right; ``withheld_lead``, the median lead of
    the right class over withheld points, 0 for a tie; ``step``; ``jitter``, the largest.

    Raises:
        ValueError: if ``run`` is no run.
    """
    instance(run, Run, "run")
    table, last = run.table, run.table.iloc[-1]
    right, kinds = run.correct(), run.split.test_kind
    counts: dict[str, Plain] = {}
    for kind in (Kind.WITHHELD, Kind.MOVED, Kind.RANDOM):
        of_kind = kinds == kind
        name = kind.name.lower()
        counts[name] = int(of_kind.sum())
        counts[f"{name}_right"] = int(right[of_kind].sum())
    reached = run.split.reached_by_orbits()
    held = run.predictions[run.predictions["kind"] == "withheld"]
    lead = float(held["margin"].median())
    chosen = "withheld" if len(held) else "test"
    curve = (table[f"{chosen}_accuracy"] * (len(held) or len(right))).round().astype(int)
    return {
        "iterations_done": len(table),
        "train_size": len(run.split.train),
        "train_errors": round((1 - table["train_accuracy"].min()) * len(run.split.train)),
        **counts,
        "by_orbits": "" if reached is None else int(reached.sum()),
        "as_by_orbits": "" if reached is None else int((reached == right).sum()),
        "best_right": int(curve.max()),
        "best_at": int(curve.index.to_numpy()[curve.argmax()]),
        "first_loss": float(table["test_loss"].iloc[0]),
        "test_loss": float(last["test_loss"]),
        "margin": float(last["margin"]),
        "withheld_lead": 0.0 if abs(lead) <= last["tie"] else lead,
        "step": float(last["step"]),
        "jitter": float(table["jitter"].max()),
    }


RESULTS = (
    *("iterations_done", "train_size", "train_errors", "withheld", "withheld_right", "moved"),
    *("moved_right", "random", "random_right", "by_orbits", "as_by_orbits", "best_right"),
    *("best_at", "first_loss", "test_loss", "margin", "withheld_lead", "step", "jitter"),
)  # the columns of an outcome


def plain(values: object, what: str, taken: Iterable[str]) -> dict[str, Plain]:
    """A copy of a mapping of names to plain values, NumPy's scalars and enumerations made plain.

    Args:
        values: the mapping.
        what: what it is called in an error.
        taken: names that it must not have.

    Raises:
        TypeError: unless it is a mapping, its names are text and its values plain: text, integers,
            floats and truth values.
        ValueError: for a name that is empty, taken, or cannot be printed, and for text that is not
            valid Unicode.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"{what} must be a mapping of names to values, not {values!r:.200}")
    found, taken = {}, set(taken)
    for name, value in values.items():
        if not isinstance(name, str):
            raise TypeError(f"{what} need names that are text, not {name!r}")
        if not name.strip() or not name.isprintable():
            raise ValueError(f"{what} need names that can be printed, not {name!r}")
        if name in taken:
            raise ValueError(
                f"{what} must not use the name {name!r}: a column is called so already"
            )
        found[str.__str__(name)] = _checked(as_plain(value), f"{what}: {name!r}")
    return found


def as_plain(value: object) -> Any:
    """A scalar of NumPy or a member of a plain enumeration by its value, anything else as it is."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str.__str__(value) if isinstance(value, str) else value


def _checked(value: Any, what: str) -> Plain:
    if type(value) not in (str, int, float, bool):
        raise TypeError(f"{what} must be text, an integer, a float or a bool, not {value!r:.200}")
    if type(value) is int and value.bit_length() > 1024:
        raise ValueError(f"{what} is an integer of {value.bit_length()} bits, too long for a table")
    if type(value) is str and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{what} is not valid Unicode: {value!r:.200}")
    return value
