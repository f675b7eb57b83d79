"""Many runs: in parallel, resumable, into one tidy table with a row a run."""

from __future__ import annotations

import csv
import inspect
import io
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import joblib
import pandas as pd
import torch
from tqdm import tqdm

from rfm.kernels import Kernel
from rfm.machine import TIE
from rfm.recursion import check, fit
from rfm.run import Run
from rfm.solve import JitterWarning
from rfm.splits import Kind, Split
from rfm.version import VERSION

Plain = str | int | float | bool
NOT_A_SETTING = ("split", "kernel", "M0", "device", "progress", "keep_features", "warn")


@dataclass(frozen=True, eq=False)
class Setting:
    """One run to be made: what :func:`rfm.fit` is given, and what names it in a table.

    Attributes:
        split: training and test pairs; its history records how it was made, seeds included.
        kernel: the kernel.
        options: further arguments of :func:`rfm.fit` by name.
        labels: further columns of plain values, such as the number of moved points or the seed.
    """

    split: Split
    kernel: Kernel
    options: Mapping[str, object] = field(default_factory=dict)
    labels: Mapping[str, Plain] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, str]:
        """What tells this run from others, column by column, in the words of a table.

        Raises:
            TypeError: for an option that :func:`rfm.fit` does not have.
        """
        call = inspect.signature(fit).bind(self.split, self.kernel, **self.options)
        call.apply_defaults()
        plain = {k: v for k, v in call.arguments.items() if k not in NOT_A_SETTING}
        plain["dtype"] = str(plain["dtype"]).removeprefix("torch.")
        plain["stop"] = "" if plain["stop"] is None else repr(plain["stop"])
        columns = {
            **self.labels,
            "task": self.split.task.name,
            "split": "; ".join(self.split.history),
            "kernel": repr(self.kernel),
            **plain,
            "M0": "identity" if call.arguments["M0"] is None else "given",
        }
        return {name: str(value) for name, value in columns.items()}

    @property
    def key(self) -> tuple[str, ...]:
        """The values of :attr:`columns`: what two settings of one table must not share."""
        return tuple(self.columns.values())

    def check(self) -> None:
        """Raise what :func:`rfm.fit` would raise for these arguments, without any work."""
        call = inspect.signature(fit).bind(self.split, self.kernel, **self.options)
        call.apply_defaults()
        names = inspect.signature(check).parameters
        check(**{name: call.arguments[name] for name in names})

    def run(self, threads: int | None = None) -> Run:
        """Make the run, with this many threads, or as many as torch is set to."""
        before = torch.get_num_threads()
        torch.set_num_threads(threads or before)
        try:
            return fit(self.split, self.kernel, **self.options)
        finally:
            torch.set_num_threads(before)


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
    """
    table, last = run.table, run.table.iloc[-1]
    right, kinds = run.correct(), run.split.test_kind
    counts: dict[str, Plain] = {}
    for kind in (Kind.WITHHELD, Kind.MOVED, Kind.RANDOM):
        chosen = kinds == kind
        name = kind.name.lower()
        counts[name] = int(chosen.sum())
        counts[f"{name}_right"] = int(right[chosen].sum())
    reached = run.split.reached_by_orbits()
    held = run.predictions.query("kind == 'withheld'")
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
        "best_at": int(curve.idxmax()),
        "first_loss": float(table["test_loss"].iloc[0]),
        "test_loss": float(last["test_loss"]),
        "margin": float(last["margin"]),
        "withheld_lead": 0.0 if abs(lead) < TIE[torch.float64] else lead,
        "step": float(last["step"]),
        "jitter": float(table["jitter"].max()),
    }


Measure = Callable[[Run], Mapping[str, Plain]]


def row(setting: Setting, measure: Measure = outcome, threads: int | None = 1) -> dict[str, Plain]:
    """One row of a table: the setting's columns, what ``measure`` says of its run, and how made."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", JitterWarning)  # the table has a column for it
        measured = measure(setting.run(threads))
    seconds = round(time.perf_counter() - start, 2)
    made = {"seconds": seconds, "version": VERSION, "torch": torch.__version__}
    return {**setting.columns, **measured, **made}


def sweep(
    settings: Sequence[Setting],
    path: str | Path,
    measure: Measure = outcome,
    *,
    workers: int | None = None,
    threads: int | None = 1,
    progress: bool = True,
) -> pd.DataFrame:
    """Make all runs and write the table ``path`` (CSV), a row a run in the order of the settings.

    A row is written as soon as its run has ended, to a file beside ``path`` that ends in
    ``.partial``; when all are there, it becomes ``path``. A sweep that was interrupted or killed
    goes on from that file: finished rows of the same settings and package version are not made
    again. Runs are spread by joblib, so any backend of it will do::

        with joblib.parallel_config(backend="dask"):  # a Dask cluster, client already connected
            rfm.sweep(settings, path)

    Args:
        settings: the runs; all with the same label columns, no two alike.
        path: where the table goes; its folder must exist.
        measure: what a table keeps of a run, a function that joblib can send to other processes.
        workers: processes; by default what joblib's ``parallel_config`` says, else one.
        threads: threads for each run, by default one; None leaves torch's setting.
        progress: show a progress bar.

    Returns:
        The table.

    Raises:
        ValueError: for no or repeated settings, differing columns, or what :func:`rfm.fit` would
            refuse, before any run begins; for rows of another ``measure`` in the file, after one.
        TypeError: for an option that :func:`rfm.fit` does not have, before any run begins.
    """
    path = Path(path)
    _check(settings, path)
    partial = path.with_name(path.name + ".partial")
    rows = _finished(partial, settings[0])
    missing = [setting for setting in settings if setting.key not in rows]
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
    made = parallel(joblib.delayed(row)(setting, measure, threads) for setting in missing)
    done = len(settings) - len(missing)
    with partial.open("a", encoding="utf-8", newline="") as file:
        for new in tqdm(
            made, total=len(settings), initial=done, desc=path.stem, disable=not progress
        ):
            if list(new) != list(next(iter(rows.values()), new)):
                raise ValueError(f"measure gives other columns than those in {partial}; remove it")
            writer = csv.DictWriter(file, new, lineterminator="\n")
            if not rows:
                writer.writeheader()
            texts = {name: _text(value) for name, value in new.items()}
            writer.writerow(texts)
            file.flush()
            rows[tuple(texts[name] for name in settings[0].columns)] = texts
    table = pd.DataFrame([rows[setting.key] for setting in settings])
    table.to_csv(partial, index=False, lineterminator="\n")
    partial.replace(path)
    return pd.read_csv(path)


def _check(settings: Sequence[Setting], path: Path) -> None:
    if not settings:
        raise ValueError("a sweep needs at least one setting")
    if not path.parent.is_dir():
        raise ValueError(f"the folder {path.parent} for the table does not exist")
    names, seen = list(settings[0].columns), set()
    for setting in settings:
        if list(setting.columns) != names:
            raise ValueError(f"settings differ in their columns: {names}, {list(setting.columns)}")
        if setting.key in seen:
            raise ValueError(f"two settings are alike: {setting.columns}; tell them by a label")
        seen.add(setting.key)
        setting.check()


def _finished(partial: Path, setting: Setting) -> dict[tuple[str, ...], dict[str, str]]:
    """Rows of an earlier attempt by key; a last line that was cut off is removed from the file.

    Nothing is taken from a table with other columns or made by another version of the package.
    """
    if not partial.exists():
        return {}
    found = partial.read_bytes()  # which may end within a letter
    text = found[: found.rfind(b"\n") + 1].decode("utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))
    names = list(setting.columns)
    current = {"version": VERSION, "torch": torch.__version__}
    fits = all(
        list(line)[: len(names)] == names and current.items() <= line.items() for line in lines
    )
    partial.write_text(text if fits and lines else "", encoding="utf-8")
    return {tuple(line[name] for name in names): line for line in lines} if fits else {}


def _text(value: Plain) -> str:
    """A value as it stands in a table, floats with six digits."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
