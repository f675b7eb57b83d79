"""Sweeps: their tables, what survives a kill, and runs spread over processes."""

from __future__ import annotations

import copy
import csv
import inspect
import json
import logging
import math
import os
import pickle
import re
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import ClassVar

import filelock
import joblib
import numpy as np
import pandas as pd
import processes
import pytest
import rounds
import tables
import torch
from packaging.version import Version

import rfm
from rfm import Kind, Run, Setting, Split
from rfm.sweeps import Measure, Plain, outcome, row
from rfm.threads import torch_threads

PLUS = rfm.addition(7)
GAUSSIAN = rfm.Gaussian(bandwidth=2.5)
COUNT = 12


def trap(task: rfm.Task, k: int = 0) -> Split:
    return rfm.withhold(task, task.reflections[k].fixed_points())


def small(seeds: range = range(COUNT)) -> list[Setting]:
    """Short runs, each told by its seed; one label is more than ASCII."""
    return [
        Setting(
            trap(PLUS).move_random(1 + seed % 3, seed),
            (GAUSSIAN, rfm.Quadratic())[seed % 2],
            {"iterations": 3 + seed % 2, "ridge": 0.125},
            {"subgroup": "⟨s, r⟩", "seed": seed},
        )
        for seed in seeds
    ]


def text(value: rfm.sweeps.Plain) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def lines(path: Path, *apart_from: str) -> list[dict[str, str]]:
    """A table's rows as they are written, without the columns that may differ."""
    if path.suffix == ".partial":
        kept = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        rows = [
            {name: str(value) for name, value in row["columns"].items()}
            | {name: text(value) for name, value in {**row["measured"], **row["made"]}.items()}
            for row in kept
        ]
    else:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    return [{k: v for k, v in line.items() if k not in {"seconds", *apart_from}} for line in rows]


def partial_of(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def quiet(settings: list[Setting], path: Path, measure: Measure = outcome, **how: int) -> None:
    rfm.sweep(settings, path, measure, progress=False, **how)


class Counting:
    """A measure that knows which runs it has seen, and may interrupt instead of seeing one.

    What it has seen is not what it measures, so it is not in the state by which it is compared.
    """

    def __init__(self, interrupt_after: int | None = None, pause: float = 0.0):
        self.seen: list[str] = []
        self.limit, self.pause = interrupt_after, pause

    def __getstate__(self) -> dict[str, object]:
        return {"seen": [], "limit": None, "pause": 0.0}

    def __call__(self, run: Run) -> dict[str, rfm.sweeps.Plain]:
        time.sleep(self.pause)
        if len(self.seen) == self.limit:
            raise KeyboardInterrupt
        self.seen.append("; ".join(run.split.history))
        return outcome(run)


@pytest.fixture(autouse=True, scope="module")
def forks() -> Iterator[None]:
    """Processes of joblib start in less time than it takes to load torch."""
    with processes.workers("forkserver"):
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undisturbed") / "table.csv"
    quiet(small(), path)
    return path


@pytest.fixture(scope="module")
def five_rows(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What an interruption after five rows leaves."""
    path = tmp_path_factory.mktemp("five") / "table.csv"
    with pytest.raises(KeyboardInterrupt):
        quiet(small(), path, Counting(interrupt_after=5))
    assert os.listdir(path.parent) == ["table.csv.partial"]
    return partial_of(path).read_bytes()


@pytest.fixture
def interrupted(tmp_path: Path, five_rows: bytes) -> Path:
    """Where a table of the small settings is to be, of which five rows are there."""
    path = tmp_path / "table.csv"
    partial_of(path).write_bytes(five_rows)
    return path


# --------------------------------------------------------------------------------------- the table


def test_a_table_has_a_row_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table = rfm.sweep(small(), path, progress=False)
    read = pd.read_csv(path, keep_default_na=False, na_values={"margin": "nan"})
    pd.testing.assert_frame_equal(table, read, check_dtype=False)
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert table["seed"].tolist() == list(range(COUNT))
    assert (table["seconds"] >= 0).all()
    assert set(table["version"]) == {rfm.__version__}
    assert set(table["torch"]) == {torch.__version__}
    for setting, (_, found) in zip(small(), table.iterrows(), strict=True):
        run = rfm.fit(setting.split, setting.kernel, **setting.options)
        right = run.correct()
        for kind in ("withheld", "moved", "random"):
            of_kind = setting.split.test_kind == Kind[kind.upper()]
            assert found[kind] == of_kind.sum()
            assert found[f"{kind}_right"] == right[of_kind].sum()
        assert found["train_size"] == len(setting.split.train)
        assert found["iterations_done"] == setting.options["iterations"]
        assert found["test_loss"] == pytest.approx(run.table["test_loss"].iloc[-1], rel=1e-5)
        for name in ("task", "split", "kernel", "iterations", "ridge", "power", "centred"):
            assert found[name] == run.settings[name]
        assert found["moved"] == 1 + found["seed"] % 3
        assert f"(seed {found['seed']})" in found["split"]


BUSY = 0.5  # seconds


def waiting(run: rfm.Run) -> dict[str, Plain]:
    time.sleep(BUSY)
    return {"rows": len(run.table)}


def working(run: rfm.Run) -> dict[str, Plain]:
    end = time.process_time() + BUSY
    while time.process_time() < end:
        pass
    return {"rows": len(run.table)}


def test_the_seconds_of_a_row_are_those_of_the_processor(tmp_path: Path) -> None:
    (one,) = small(range(1))
    for measure, was_busy in ((waiting, False), (working, True)):
        (swept,) = rfm.sweep([one], tmp_path / "table.csv", measure, progress=False)["seconds"]
        for seconds in (swept, row(one, measure)["seconds"]):
            assert (seconds >= BUSY) == was_busy


def test_all_settings_are_columns() -> None:
    options = {"power": 0.25, "dtype": torch.float32, "stop": rfm.converged(1e-3)}
    setting = Setting(trap(PLUS), GAUSSIAN, options, {"reflection": "s", "seed": 3})
    assert setting.columns == {
        "reflection": "s",
        "seed": "3",
        "task": "x + y mod 7",
        "split": "withheld Fix(s)",
        "kernel": "Gaussian(bandwidth=2.5)",
        "iterations": "60",
        "ridge": "0.0",
        "power": "0.25",
        "centred": "True",
        "dtype": "float32",
        "stop": "converged(tolerance=0.001)",
        "translations": "False",
        "M0": "identity",
    }
    # Not what is computed; and tables that are about updates name them by a label.
    how = {"device", "progress", "keep_features", "warn", "update"}
    assert set(inspect.signature(rfm.fit).parameters) - how <= set(setting.columns)
    given = Setting(trap(PLUS), GAUSSIAN, {"M0": torch.eye(14)}).columns
    assert (given["M0"], given["stop"]) == ("given", "")


def test_a_row_says_what_was_measured() -> None:
    (setting,) = small(range(1))
    found = row(setting, lambda run: {"rows": len(run.table)})
    assert list(found) == [*setting.columns, "rows", "seconds", "version", "torch"]
    assert found["rows"] == 3


@pytest.mark.parametrize(("asked", "used"), [({}, 1), ({"threads": 2}, 2), ({"threads": None}, 3)])
def test_threads_are_as_asked_for_and_left_as_they_were(tmp_path: Path, asked, used) -> None:
    seen = set()
    options = {"iterations": 1, "stop": lambda _: bool(seen.add(torch.get_num_threads()))}
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        quiet([Setting(trap(PLUS), GAUSSIAN, options)], tmp_path / "table.csv", **asked)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert seen == {used}


@pytest.mark.filterwarnings("error")
def test_only_progress_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = [Setting(trap(PLUS), rfm.Quadratic(), {"iterations": 20})]  # needs jitter
    table = rfm.sweep(settings, tmp_path / "table.csv", progress=False)
    assert table["jitter"].item() > 0
    assert tuple(capfd.readouterr()) == ("", "")
    rfm.sweep(settings, tmp_path / "table.csv")
    out, err = capfd.readouterr()
    assert out == ""
    assert "table: 100%" in err
    assert "1/1" in err


# ------------------------------------------------------------------------------------- the outcome

SPLITS = {
    "withheld": trap(PLUS),
    "moved": trap(PLUS).move(PLUS.pair(0, 1)),
    "moved at random": trap(PLUS).move_random(9, 0),
    "given back": trap(PLUS).give_back_random(2, 0),
    "random": rfm.random_split(rfm.addition(11), 0.7, 0),
}


@pytest.mark.parametrize("kernel", [GAUSSIAN, rfm.Quadratic()], ids=repr)
@pytest.mark.parametrize("split", SPLITS.values(), ids=list(SPLITS))
@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.filterwarnings("ignore::rfm.JitterWarning")
def test_the_outcome_is_that_of_the_run(split: Split, kernel: rfm.Kernel, ridge: float) -> None:
    task = split.task
    run = rfm.fit(split, kernel, 12, ridge=ridge, keep_features=True)
    found = outcome(run)
    train, test = ({tuple(x) for x in which.tolist()} for which in (split.train, split.test))
    points = list(run.predictions.itertuples())
    of = {kind: [x for x in points if x.kind == kind] for kind in ("withheld", "moved", "random")}
    for kind, those in of.items():
        assert found[kind] == len(those)
        assert found[f"{kind}_right"] == sum(x.correct for x in those)
    assert sum(found[kind] for kind in of) == len(test)
    assert found["iterations_done"] == 12
    assert found["train_size"] == len(train)

    wrong, losses, curve = [], [], []
    for M in run.history[:-1]:  # each iteration again, from the M it began with
        Y = task.one_hot_labels(split.train)
        machine = rfm.KernelMachine.fit(split.train, Y, kernel, M, ridge)
        fitted, scores = machine.train_predictions(), machine.predict(split.test)
        label = task.label(split.train)
        rivals = fitted.clone().scatter_(1, label[:, None], -torch.inf).amax(1)
        ahead = fitted.gather(1, label[:, None])[:, 0] - rivals > machine.resolution
        wrong.append(int((~ahead).sum()))
        losses.append(float((scores - task.one_hot_labels(split.test)).square().sum(1).mean()))
        right = rfm.judging.judge(split, scores, machine.resolution).query("correct")
        curve.append(len(right[right["kind"] == "withheld"] if of["withheld"] else right))
    assert found["train_errors"] == max(wrong)
    assert found["best_right"] == max(curve)
    assert found["best_at"] == 1 + curve.index(max(curve))
    assert found["first_loss"] == pytest.approx(losses[0])
    assert found["test_loss"] == pytest.approx(losses[-1])

    if len(of["withheld"]) == 7:  # Fix(s): the orbit of (a, b) is that and (b, a)
        orbits = [(x.b, x.a) in train for x in points]
        alike = [x.correct == reached for x, reached in zip(points, orbits, strict=True)]
        assert (found["by_orbits"], found["as_by_orbits"]) == (sum(orbits), sum(alike))
    elif of["random"]:
        assert (found["by_orbits"], found["as_by_orbits"]) == ("", "")
    leads = [x.margin for x in points if x.correct]
    if leads:
        assert found["margin"] == min(leads)
    else:
        assert found["margin"] != found["margin"]
    held = sorted(x.margin for x in of["withheld"])
    if held:
        lead = (held[len(held) // 2] + held[(len(held) - 1) // 2]) / 2
        assert found["withheld_lead"] == pytest.approx(lead, abs=1e-9)
        assert (found["withheld_lead"] == 0) == (abs(lead) < 1e-9)
    else:
        assert found["withheld_lead"] != found["withheld_lead"]
    change = (run.history[-1] - run.history[-2]).norm() / run.history[-2].norm()
    assert found["step"] == pytest.approx(float(change))
    assert found["jitter"] == max(run.table["jitter"])


def test_the_outcomes_differ_enough_to_be_told_apart() -> None:
    """What the test above compares is not 0 or all throughout."""
    found = outcome(rfm.fit(SPLITS["moved"], GAUSSIAN, 60))
    assert tuple(found) == rfm.outcomes.RESULTS
    assert 0 < found["withheld_right"] < found["withheld"]
    assert found["as_by_orbits"] not in {found["by_orbits"], 0}
    assert found["best_at"] > 1
    assert outcome(rfm.fit(SPLITS["random"], GAUSSIAN, 12, ridge=0.5))["train_errors"] > 0
    assert outcome(rfm.fit(SPLITS["random"], GAUSSIAN, 12))["best_at"] > 1


# ----------------------------------------------------------------------------------------- resumed


def slowly(path: Path) -> None:
    quiet(small(), path, Counting(pause=0.3), workers=1)


def test_a_killed_sweep_goes_on_where_it_stopped(tmp_path: Path, undisturbed: Path) -> None:
    path = tmp_path / "table.csv"
    process = processes.start(slowly, path)
    try:
        deadline = time.monotonic() + 300
        while not partial_of(path).exists() or len(lines(partial_of(path))) < 3:
            assert process.is_alive(), "the sweep ended by itself"
            assert time.monotonic() < deadline, "no rows for five minutes"
            time.sleep(0.02)
    finally:
        process.kill()
        process.join()
    assert not path.exists()
    finished = [line["split"] for line in lines(partial_of(path))]
    assert 3 <= len(finished) < COUNT
    counting = Counting()
    quiet(small(), path, counting)
    everything = [setting.columns["split"] for setting in small()]
    assert counting.seen == [split for split in everything if split not in finished]
    assert lines(path) == lines(undisturbed)
    assert not partial_of(path).exists()


def test_an_interruption_keeps_finished_rows(interrupted: Path, undisturbed: Path) -> None:
    assert not interrupted.exists()
    assert lines(partial_of(interrupted)) == lines(undisturbed)[:5]
    counting = Counting()
    quiet(small(), interrupted, counting)
    assert len(counting.seen) == COUNT - 5
    assert lines(interrupted) == lines(undisturbed)


@pytest.mark.filterwarnings("ignore:.*cancelled:UserWarning")  # joblib tells of runs given up
def test_an_interruption_keeps_finished_rows_of_all_processes(
    tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def three(rows: Iterator[dict[str, str]], **_: object) -> Iterator[dict[str, str]]:
        for _ in range(3):
            yield next(rows)
        raise KeyboardInterrupt

    path = tmp_path / "table.csv"
    with monkeypatch.context() as patch:
        patch.setattr(rfm.sweeps, "tqdm", three)
        with pytest.raises(KeyboardInterrupt):
            quiet(small(), path, Counting(), workers=2)
    assert len(lines(partial_of(path))) == 3
    counting = Counting()
    quiet(small(), path, counting)
    assert len(counting.seen) == COUNT - 3
    assert lines(path) == lines(undisturbed)


def resumed_twice(path: Path) -> int:
    """Go on with the small settings, be interrupted after three runs, and go on; runs made."""
    with pytest.raises(KeyboardInterrupt):
        quiet(small(), path, Counting(interrupt_after=3))
    counting = Counting()
    quiet(small(), path, counting)
    return 3 + len(counting.seen)


@pytest.mark.filterwarnings("error::rfm.SweepWarning")
def test_a_row_that_was_cut_off_is_made_again(interrupted: Path, undisturbed: Path) -> None:
    partial = partial_of(interrupted)
    whole = partial.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    symbol = whole.index("⟨".encode(), start)
    cuts = [start + 1, symbol + 1, (start + len(whole)) // 2, len(whole) - 2, len(whole) - 1]
    for cut in cuts:  # after a byte, within a letter, in the middle, before the row or line ends
        partial.write_bytes(whole[:cut])
        made = resumed_twice(interrupted)
        assert made == COUNT - (5 if cut == cuts[-1] else 4), cut
        assert lines(interrupted) == lines(undisturbed)


def with_(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[bytes], bytes]:
    """Change the last row of a file of finished rows."""

    def changed(found: bytes) -> bytes:
        *before, last = found.splitlines()
        new = json.loads(last)
        change(new)
        return b"\n".join([*before, json.dumps(new).encode(), b""])

    return changed


QUIET = {
    "as it was": lambda found: found,
    "a byte-order mark": lambda found: b"\xef\xbb\xbf" + found,
    "ends of lines of Windows": lambda found: found.replace(b"\n", b"\r\n"),
    "empty lines": lambda found: b"\n" + found.replace(b"\n", b"\n\n") + b"  \n",
    "no end of the last line": lambda found: found[:-1],
    "another build of torch": with_(
        lambda row: row["made"].update(torch=torch.__version__.partition("+")[0] + "+cu126")
    ),
    "columns in another order": with_(
        lambda row: row.update(columns=dict(reversed(row["columns"].items())))
    ),
}
MISFITS = {
    "rubbish between": (lambda found: found.replace(b"\n", b"\n\x00\xff\xfe;\n", 1), 5, "readable"),
    "zeros at the end": (lambda found: found + bytes(64), 5, "1 not readable"),
    "nothing but rubbish": (lambda _: b"\xff\xfe\x00", 0, "1 not readable"),
    "UTF-16": (lambda found: found.decode().encode("utf-16"), 0, "not readable"),
    "brackets": (lambda found: found + b"[" * 10**5 + b"\n", 5, "1 not readable"),
    "JSON that is no row": (lambda found: found + b'[1]\n{"key": 3}\n', 5, "2 not readable"),
    "a row cut off within": (lambda found: found[9:], 4, "1 not readable"),
    "a table of an earlier kind": (
        lambda _: b"subgroup,seed,task\n\xe2\x9f\xa8s\xe2\x9f\xa9,0,x + y mod 7\n",
        0,
        "2 not readable",
    ),
    "with semicolons": (lambda _: b"subgroup;seed;task\ns;0;x + y\n", 0, "2 not readable"),
    "a row twice": (lambda found: found + found[: found.index(b"\n") + 1], 5, "1 there twice"),
    "another version": (
        with_(lambda row: row["made"].update(version="0.0.1")),
        4,
        "1 of another version of the package",
    ),
    "another torch": (
        with_(lambda row: row["made"].update(torch="1.13.1+cpu")),
        4,
        "1 of another version of torch",
    ),
    "another name of a column": (
        with_(lambda row: row["columns"].update(name=row["columns"].pop("subgroup"))),
        4,
        "1 with other columns",
    ),
    "text for a number": (
        with_(lambda row: row["columns"].update(seed="4")),
        4,
        "1 with other columns",
    ),
    "another result": (
        with_(lambda row: row["measured"].update(more=1)),
        4,
        "1 with other measured columns",
    ),
    "a result that is no value": (
        with_(lambda row: row["measured"].update(step=[1])),
        4,
        "1 not readable",
    ),
    "another key": (with_(lambda row: row.update(key="0" * 64)), 4, "1 of other settings"),
}


@pytest.mark.parametrize("spoil", QUIET.values(), ids=list(QUIET))
@pytest.mark.filterwarnings("error::rfm.SweepWarning")
def test_rows_that_fit_are_kept(interrupted: Path, undisturbed: Path, spoil) -> None:
    partial = partial_of(interrupted)
    partial.write_bytes(spoil(partial.read_bytes()))
    assert resumed_twice(interrupted) == COUNT - 5
    assert lines(interrupted, "torch") == lines(undisturbed, "torch")
    assert [path.name for path in interrupted.parent.iterdir()] == ["table.csv"]


@pytest.mark.parametrize(("spoil", "kept", "why"), MISFITS.values(), ids=list(MISFITS))
def test_what_does_not_fit_is_set_aside(
    interrupted: Path, undisturbed: Path, spoil, kept: int, why: str
) -> None:
    partial = partial_of(interrupted)
    spoiled = spoil(partial.read_bytes())
    partial.write_bytes(spoiled)
    counting = Counting()
    with pytest.warns(rfm.SweepWarning, match=rf"(?s){kept} are kept.*{why}.*partial\.1$") as found:
        quiet(small(), interrupted, counting)
    assert len(found) == 1
    assert found[0].filename == __file__
    assert len(counting.seen) == COUNT - kept
    assert lines(interrupted) == lines(undisturbed)
    assert partial.with_name("table.csv.partial.1").read_bytes() == spoiled
    assert not partial.exists()


def test_nothing_set_aside_is_overwritten(interrupted: Path) -> None:
    partial = partial_of(interrupted)
    first = partial.with_name("table.csv.partial.1")
    first.write_text("mine", encoding="utf-8")
    partial.write_bytes(b"rubbish\n")
    with pytest.warns(rfm.SweepWarning, match=r"partial\.2$"), pytest.raises(KeyboardInterrupt):
        quiet(small(), interrupted, Counting(interrupt_after=2))
    assert first.read_text(encoding="utf-8") == "mine"
    assert partial.with_name("table.csv.partial.2").read_bytes() == b"rubbish\n"
    assert len(lines(partial)) == 2


def test_an_interruption_right_after_rows_were_set_aside_costs_nothing(interrupted: Path) -> None:
    partial = partial_of(interrupted)
    partial.write_bytes(partial.read_bytes() + b"rubbish\n")
    with pytest.warns(rfm.SweepWarning), pytest.raises(KeyboardInterrupt):
        quiet(small(), interrupted, Counting(interrupt_after=0))
    assert len(lines(partial)) == 5


def test_rows_of_another_measure_are_not_used(interrupted: Path, undisturbed: Path) -> None:
    before = partial_of(interrupted).read_bytes()
    with pytest.warns(rfm.SweepWarning, match="0 are kept.*5 of other settings or another measure"):
        quiet(small(), interrupted, lambda run: {**outcome(run), "more": 1})
    new = lines(interrupted)
    assert [line.pop("more") for line in new] == ["1"] * COUNT
    assert new == lines(undisturbed)
    assert partial_of(interrupted).with_name("table.csv.partial.1").read_bytes() == before


T13 = rfm.addition(13)
T31 = rfm.addition(31)


def short(split: Split, kernel: rfm.Kernel = GAUSSIAN, **options: object) -> Setting:
    return Setting(split, kernel, {"iterations": 2, "ridge": 0.125, **options}, {"which": "a"})


def limited(limit: float) -> Callable[[dict[str, float]], bool]:
    return lambda found: found["step"] < limit


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (short(rfm.withhold(T13, T13.pair(2, 5))), short(rfm.withhold(T13, T13.pair(3, 4)))),
        (
            short(trap(T13).move(T13.pair(0, 1))),
            short(trap(T13).move(T13.pair(0, 2))),
        ),
        (short(rfm.random_split(T31, 0.501, 0)), short(rfm.random_split(T31, 0.504, 0))),
        (
            short(trap(T13), M0=torch.eye(26).double()),
            short(trap(T13), M0=torch.diag(torch.arange(1.0, 27)).double()),
        ),
        (short(trap(T13), stop=limited(0.0)), short(trap(T13), stop=limited(9.0))),
    ],
    ids=["withheld", "moved", "fraction", "M0", "closure"],
)
def test_no_row_is_taken_for_that_of_another_run(tmp_path: Path, before, after) -> None:
    """The table shows both alike, or nearly: the second is run, and has its own result."""

    class Moment(Counting):
        def __call__(self, run: Run) -> dict[str, rfm.sweeps.Plain]:
            super().__call__(run)
            weights = torch.arange(len(run.features)).double() ** 2
            return {"what": float(weights @ run.features @ weights), "done": len(run.table)}

    other = short(trap(T13), power=0.25)
    path = tmp_path / "table.csv"
    with pytest.raises(KeyboardInterrupt):
        quiet([before, other], path, Moment(interrupt_after=1))
    counting = Moment()
    with pytest.warns(rfm.SweepWarning, match="1 of other settings"):
        resumed = rfm.sweep([after, other], path, counting, progress=False)
    assert len(counting.seen) == 2
    fresh = rfm.sweep([after, other], path, Moment(), progress=False)
    old = rfm.sweep([before], path, Moment(), progress=False)
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), fresh.drop(columns="seconds"))
    assert old.loc[0, ["what", "done"]].tolist() != fresh.loc[0, ["what", "done"]].tolist()


def test_a_rule_that_counts_begins_anew_with_every_run(tmp_path: Path) -> None:
    class Second:
        def __init__(self) -> None:
            self.seen = 0

        def __call__(self, found: dict[str, float]) -> bool:
            self.seen += 1
            return self.seen == 2

    rule = Second()
    settings = [short(trap(T13), stop=rule, iterations=n) for n in (4, 5, 6)]
    table = rfm.sweep(settings, tmp_path / "table.csv", progress=False)
    assert table["iterations_done"].tolist() == [2, 2, 2]
    assert table["stop"].tolist() == [Second.__qualname__] * 3


@pytest.mark.parametrize(
    ("seeds", "made"),
    [
        (range(4), 0),
        (range(1, 9), 4),
        (range(5), 0),
        (range(8, 3, -1), 4),
        (range(20, 22), 2),
    ],
)
@pytest.mark.filterwarnings("ignore::rfm.SweepWarning")
def test_settings_may_change_while_a_table_is_made(interrupted: Path, seeds, made: int) -> None:
    counting = Counting()
    quiet(small(seeds), interrupted, counting)
    assert len(counting.seen) == made
    quiet(small(seeds), interrupted.with_name("other.csv"))
    assert lines(interrupted) == lines(interrupted.with_name("other.csv"))
    assert [int(line["seed"]) for line in lines(interrupted)] == list(seeds)


@pytest.mark.filterwarnings("ignore::rfm.SweepWarning")
def test_a_changed_setting_is_run_again(interrupted: Path) -> None:
    old = small()[2]
    new = Setting(old.split, old.kernel, {**old.options, "ridge": 0.25}, old.labels)
    counting = Counting()
    quiet([new, small()[3]], interrupted, counting)
    assert counting.seen == [new.columns["split"]]
    assert [line["ridge"] for line in lines(interrupted)] == ["0.25", "0.125"]


def test_a_finished_table_is_made_afresh(tmp_path: Path, undisturbed: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(undisturbed.read_bytes())
    counting = Counting()
    quiet(small(), path, counting)
    assert len(counting.seen) == COUNT


# ----------------------------------------------------------------------- refusals, before any work


def nothing_but(**options: object) -> Setting:
    return Setting(trap(PLUS), GAUSSIAN, options, {"subgroup": "", "seed": 99})


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ([], ValueError, "at least one setting"),
        ([*small(), small()[3]], ValueError, "two settings are alike.*seed 3"),
        ([nothing_but(), nothing_but(iterations=60)], ValueError, "alike"),
        ([nothing_but(), nothing_but(progress=True)], ValueError, "alike"),
        (
            [nothing_but(M0=torch.eye(14)), nothing_but(M0=2 * torch.eye(14))],
            ValueError,
            "look alike.*tell them by a label",
        ),
        ([*small(), Setting(trap(PLUS), GAUSSIAN)], ValueError, "differ in their columns"),
        (
            [*small(), Setting(trap(PLUS), GAUSSIAN, {}, {"seed": 1, "subgroup": ""})],
            ValueError,
            "differ in their columns",
        ),
        ([*small(), nothing_but(iteration=3)], TypeError, "iteration"),
        ([*small(), nothing_but(iterations=0)], ValueError, "iterations must be an integer"),
        ([*small(), nothing_but(M0=torch.eye(13))], ValueError, "M0 must be a floating-point"),
        ([*small(), nothing_but(device="banana")], ValueError, "device must be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_settings_are_refused_before_any_run(tmp_path, settings, error, message) -> None:
    counting = Counting()
    with pytest.raises(error, match=message):
        quiet(settings, tmp_path / "table.csv", counting)
    assert counting.seen == []
    assert list(tmp_path.iterdir()) == []


def refused(settings: object, folder: Path, error: type[Exception], message: str, **how) -> None:
    """A sweep is refused before any run, and leaves nothing behind."""
    counting = Counting()
    before = sorted(folder.iterdir())
    with pytest.raises(error, match=message):
        rfm.sweep(settings, folder / "table.csv", counting, progress=False, **how)
    assert counting.seen == []
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("settings", [None, 3, nothing_but(), [None], ["a"], [trap(PLUS)]])
def test_settings_are_settings(tmp_path: Path, settings: object) -> None:
    refused(settings, tmp_path, TypeError, r"rfm\.Setting")


def test_settings_may_come_one_by_one(tmp_path: Path, undisturbed: Path) -> None:
    quiet(iter(small()), tmp_path / "table.csv")
    assert lines(tmp_path / "table.csv") == lines(undisturbed)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Setting(None, GAUSSIAN), "split must be a Split"),
        (Setting(PLUS, GAUSSIAN), "split must be a Split"),
        (Setting(Split, GAUSSIAN), "split must be a Split"),
        (Setting(trap(PLUS), None), "kernel must be a Kernel"),
        (Setting(trap(PLUS), rfm.Gaussian), "kernel must be a Kernel"),
        (Setting(trap(PLUS), GAUSSIAN, None), "options must be a Mapping"),
        (Setting(trap(PLUS), GAUSSIAN, {}, [1]), "labels must be a Mapping"),
    ],
)
def test_a_setting_of_wrong_things_is_refused(tmp_path: Path, wrong: Setting, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        wrong.check()
    refused([wrong], tmp_path, TypeError, message)


def test_a_kernel_that_shows_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    class Odd(rfm.Gaussian):
        def __repr__(self) -> str:
            return "\ud800"

    refused([Setting(trap(PLUS), Odd())], tmp_path, ValueError, "'kernel' is not valid Unicode")


@pytest.mark.parametrize("name", ["workers", "threads"])
@pytest.mark.parametrize("number", [0, True, 1.5, "2", math.nan])
def test_workers_and_threads_are_counts(tmp_path: Path, name: str, number: object) -> None:
    refused(small(), tmp_path, ValueError, f"{name} must be an? .*integer", **{name: number})


def test_threads_are_not_counted_from_the_end(tmp_path: Path) -> None:
    refused(small(), tmp_path, ValueError, "threads must be a positive", threads=-1)


def test_counts_may_be_integers_of_numpy(tmp_path: Path, undisturbed: Path) -> None:
    path = tmp_path / "table.csv"
    quiet(small(range(2)), path, workers=np.int64(1), threads=np.int32(1))
    assert lines(path) == lines(undisturbed)[:2]


@pytest.mark.parametrize("measure", [None, 3, {"a": 1}])
def test_a_measure_can_be_called(tmp_path: Path, measure: object) -> None:
    with pytest.raises(TypeError, match="measure must be a function"):
        quiet(small(), tmp_path / "table.csv", measure)
    assert os.listdir(tmp_path) == []


class Sealed:
    """It can be compared, and does not arrive in another process."""

    def __reduce__(self) -> tuple[object, ...]:
        return _unsealed, (1,)

    def __call__(self, _: object) -> bool:
        return False


def _unsealed(_: int) -> Sealed:
    raise RuntimeError("sealed")


@pytest.mark.parametrize(
    "thing", [threading.Lock(), sys.__stdout__, (i for i in ())], ids=["lock", "file", "generator"]
)
def test_what_cannot_be_sent_is_refused_by_name(tmp_path: Path, thing: object) -> None:
    path, seen = tmp_path / "table.csv", Counting()

    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        seen(run)
        return {"a": str(thing)}

    with pytest.raises(TypeError, match=r"measure .* thing .*cannot (pickle|be)"):
        quiet(small(), path, measure)
    rule = [nothing_but(stop=lambda _: thing is None)]
    refused(rule, tmp_path, TypeError, r"options .* stop .* thing ")
    kernel = rfm.Gaussian(2.5)
    object.__setattr__(kernel, "more", thing)
    refused([Setting(trap(PLUS), kernel)], tmp_path, TypeError, "kernel .* more ")
    assert seen.seen == []


def test_what_does_not_arrive_is_refused_by_name(tmp_path: Path) -> None:
    refused([nothing_but(stop=Sealed())], tmp_path, TypeError, "option 'stop' cannot be sent")
    with pytest.raises(TypeError, match="measure cannot be sent"):
        quiet(small(), tmp_path / "table.csv", Sealed())


@pytest.mark.parametrize("name", ["folder", "folder/", ".", "", "pipe", "a.partial", "b.lock"])
def test_a_path_that_cannot_be_a_table_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    counting = Counting()
    with pytest.raises(ValueError, match=r"is a folder or a device|belongs to another table"):
        quiet(small(), os.path.join(tmp_path, name) if name else "", counting)
    assert counting.seen == []
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]
    assert (tmp_path / "pipe").is_fifo()
    assert os.listdir(tmp_path / "folder") == []


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "circle/table.csv", "a\0b.csv", "file/t.csv"])
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").touch()
    counting = Counting()
    with pytest.raises((ValueError, OSError)):
        quiet(small(), tmp_path / name, counting)
    assert counting.seen == []


@pytest.mark.parametrize("path", [None, 3, b"table.csv"])
def test_a_path_is_a_path(path: object) -> None:
    with pytest.raises(TypeError, match="path must be text or a path"):
        rfm.sweep(small(), path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):  # nothing is closed to an administrator, but this
        folder = Path("/proc/self")
        if not folder.exists():
            pytest.skip("no folder is closed to an administrator here")
    counting = Counting()
    with pytest.raises(OSError, match="cannot be written") as caught:
        quiet(small(), folder / "table.csv", counting)
    assert "table.csv" in str(caught.value)
    assert counting.seen == []


def test_finished_rows_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv.partial").mkdir()
    refused(small(), tmp_path, OSError, r"finished rows.*table\.csv\.partial")


def test_a_folder_that_is_not_there_is_refused_before_any_run(tmp_path: Path) -> None:
    counting = Counting()
    with pytest.raises(ValueError, match=r"folder .*nowhere"):
        quiet(small(), tmp_path / "nowhere" / "table.csv", counting)
    assert counting.seen == []


def test_bad_settings_cost_no_row_of_an_earlier_attempt(interrupted: Path) -> None:
    before = partial_of(interrupted).read_bytes()
    with pytest.raises(ValueError, match="alike"):
        quiet([*small(), small()[3]], interrupted)
    assert partial_of(interrupted).read_bytes() == before


# -------------------------------------------------------------------------------- other processes


def by_process(pause: float = 0.1) -> Measure:
    """The outcome, and which process made it."""

    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        time.sleep(pause)
        return {**outcome(run), "process": os.getpid()}

    return measure


@pytest.mark.filterwarnings("error")
def test_two_processes_make_the_same_table(tmp_path: Path, undisturbed: Path) -> None:
    path = tmp_path / "table.csv"
    with processes.workers("loky"):  # as anybody's would start
        quiet(small(), path, by_process(), workers=2)
    assert lines(path, "process") == lines(undisturbed)
    assert len({line["process"] for line in lines(path)} - {str(os.getpid())}) == 2


def fails_at(*seeds: int) -> Measure:
    def fails(run: Run) -> dict[str, rfm.sweeps.Plain]:
        if any(f"(seed {seed})" in run.split.history[-1] for seed in seeds):
            raise RuntimeError("no luck")
        return outcome(run)

    return fails


class Awkward(Exception):  # pickles, and cannot be made again
    def __init__(self, a: int, b: int):
        super().__init__(f"{a} and {b}")


class Holding(Exception):  # does not pickle
    def __init__(self) -> None:
        super().__init__("held")
        self.lock = threading.Lock()


@pytest.mark.parametrize("workers", [1, 2])
def test_runs_that_fail_do_not_stop_the_others(
    tmp_path: Path, undisturbed: Path, workers: int
) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(rfm.SweepError) as caught:
        quiet(small(), path, fails_at(4, 9), workers=workers)
    error = caught.value
    assert isinstance(error, RuntimeError)
    assert not path.exists()
    assert len(lines(partial_of(path))) == COUNT - 2
    everything = lines(undisturbed)
    done = [line for line in everything if line["seed"] not in {"4", "9"}]
    assert sorted(lines(partial_of(path)), key=lambda line: int(line["seed"])) == done
    assert sorted(columns["seed"] for columns, _ in error.failures) == ["4", "9"]
    for columns, reason in error.failures:
        assert columns == small()[int(columns["seed"])].columns
        assert (type(reason), str(reason)) == (RuntimeError, "no luck")
        assert "in fails" in reason.__notes__[0]
    assert error.__cause__ is error.failures[0][1]
    assert error.table["seed"].tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]
    for seed in ("'4'", "'9'"):
        assert re.search(rf"\n  seed {seed}, split .*: RuntimeError: no luck(\n|$)", str(error))
    assert str(partial_of(path)) in str(error)
    assert "subgroup" not in str(error)  # the same in all
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert str(again) == str(error)
        assert [columns for columns, _ in again.failures] == [c for c, _ in error.failures]
        assert str(again.__cause__) == "no luck"
        pd.testing.assert_frame_equal(again.table, error.table)


def test_a_second_call_makes_only_what_failed(tmp_path: Path, undisturbed: Path) -> None:
    class Fragile(Counting):
        broken = True

        def __call__(self, run: Run) -> dict[str, rfm.sweeps.Plain]:
            found = super().__call__(run)
            if self.broken and "(seed 3)" in run.split.history[-1]:
                raise OSError("disk")
            return found

        def __getstate__(self) -> dict[str, object]:
            return {**super().__getstate__(), "broken": True}

    path = tmp_path / "table.csv"
    with pytest.raises(rfm.SweepError, match="OSError: disk"):
        quiet(small(), path, Fragile())
    mended = Fragile()
    mended.broken = False
    quiet(small(), path, mended)
    assert mended.seen == [small()[3].columns["split"]]
    assert lines(path) == lines(undisturbed)


class Overflowing(rfm.Gaussian):
    """A kernel of its own that fails in the fit."""

    def gram(self, *_: object, **__: object) -> torch.Tensor:
        raise ZeroDivisionError("in the kernel")


def test_a_fit_that_fails_is_named(tmp_path: Path) -> None:
    settings = [*small(range(2)), nothing_but(iterations=1)]
    object.__setattr__(settings[1], "kernel", Overflowing(2.5))
    with pytest.raises(
        rfm.SweepError, match=r"seed '1'.*ZeroDivisionError: in the kernel"
    ) as found:
        quiet(settings, tmp_path / "table.csv")
    assert found.value.table["seed"].tolist() == [0, 99]
    with pytest.raises(rfm.SweepError, match=r"seed '1', task 'x . y mod 7'.*ZeroDivi"):
        quiet(settings[1:2], tmp_path / "alone.csv")  # nothing tells it from others


@pytest.mark.parametrize(
    ("make", "message"),
    [(lambda: Awkward(1, 2), "Awkward: 1 and 2"), (Holding, "Holding: held")],
    ids=["awkward", "holding"],
)
def test_exceptions_that_do_not_travel_are_told(tmp_path: Path, make, message: str) -> None:
    def fails(run: Run) -> dict[str, rfm.sweeps.Plain]:
        raise make()

    with pytest.raises(rfm.SweepError, match=message) as caught:
        quiet(small(range(2)), tmp_path / "table.csv", fails, workers=2)
    assert [type(error) for _, error in caught.value.failures] == [RuntimeError] * 2
    assert message in str(pickle.loads(pickle.dumps(caught.value)).failures[0][1])
    assert os.listdir(tmp_path) == []  # no row, nothing to keep


@pytest.mark.filterwarnings("ignore:.*cancelled:UserWarning")
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_a_process_that_is_killed_costs_no_finished_row(tmp_path: Path, undisturbed: Path) -> None:
    path, flag = tmp_path / "table.csv", tmp_path / "killed"
    parent = os.getpid()

    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        if "(seed 7)" in run.split.history[-1] and os.getpid() != parent and not flag.exists():
            flag.touch()
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome(run)

    start = time.monotonic()
    with pytest.raises(rfm.SweepError, match=r"not made.*TerminatedWorkerError") as caught:
        quiet(small(), path, measure, workers=2)
    assert time.monotonic() - start < 60
    assert type(caught.value.__cause__).__name__ == "TerminatedWorkerError"
    finished = lines(partial_of(path))
    assert 3 <= len(finished) < COUNT
    assert len(caught.value.table) == len(finished)
    quiet(small(), path, measure, workers=2)
    assert lines(path) == lines(undisturbed)


# ------------------------------------------------------------------------- labels and measures

TEXTS = ["None", "NA", "null", "nan", "001", "", " x ", "a\nb", "a\r\nb", "1e5", "True", '"', ",;"]


def labelled(label: object, name: str = "name", **options: object) -> Setting:
    return Setting(trap(PLUS), GAUSSIAN, {"iterations": 1, **options}, {name: label})


def test_labels_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    settings = [labelled(value) for value in TEXTS]
    with pytest.raises(KeyboardInterrupt):
        quiet(settings, path, Counting(interrupt_after=8))
    counting = Counting()
    table = rfm.sweep(settings, path, counting, progress=False)
    assert len(counting.seen) == len(TEXTS) - 8
    assert table["name"].tolist() == TEXTS
    assert table["stop"].tolist() == [""] * len(TEXTS)
    assert [line["name"] for line in lines(path)] == TEXTS


def test_numbers_come_back_as_numbers(tmp_path: Path) -> None:
    values = [5, -1, 0.1, math.inf, math.nan, 2**70, True, np.int64(8), np.float64(0.3), Kind.MOVED]
    table = rfm.sweep([labelled(x) for x in values], tmp_path / "table.csv", progress=False)
    found = table["name"].tolist()
    assert [type(x) for x in found] == [int, int, float, float, float, int, bool, int, float, int]
    assert [repr(x) for x in found] == [repr(x) for x in (*values[:7], 8, 0.3, 3)]
    assert table["iterations"].tolist() == [1] * len(values)
    assert table["ridge"].dtype == float
    assert table["centred"].dtype == bool


def test_a_table_holds_six_digits_as_its_file_does(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table = rfm.sweep([labelled(1 / 3)], path, lambda _: {"third": 1 / 3}, progress=False)
    assert (table.loc[0, "name"], table.loc[0, "third"]) == (1 / 3, 0.333333)
    assert lines(path)[0]["third"] == "0.333333"


NAMES = ["power", "kernel", "task", "M0", "step", "seconds", "torch", "margin", "iterations_done"]


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_not_called_like_other_columns(tmp_path: Path, name: str) -> None:
    refused([labelled(1, name)], tmp_path, ValueError, f"labels must not use the name {name!r}")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\ud800", "\ufeffname"])
def test_names_of_labels_can_be_printed(tmp_path: Path, name: str) -> None:
    refused([labelled(1, name)], tmp_path, ValueError, "labels need names that can be printed")


@pytest.mark.parametrize("value", [None, [1], torch.tensor(1), b"x", 1j, rfm, np.array(["a"])])
def test_labels_are_plain_values(tmp_path: Path, value: object) -> None:
    refused([labelled(value)], tmp_path, TypeError, "labels: 'name' must be text, an integer")


@pytest.mark.parametrize("value", ["\ud800", 10**5000], ids=["surrogate", "long"])
def test_labels_can_be_written(tmp_path: Path, value: object) -> None:
    refused([labelled(value)], tmp_path, ValueError, "labels: 'name' is")


def test_labels_have_names_that_are_text(tmp_path: Path) -> None:
    refused([labelled(1, 5)], tmp_path, TypeError, "names that are text, not 5")


@pytest.mark.parametrize(
    ("measured", "error", "message"),
    [
        ({"seconds": 1}, ValueError, "must not use the name 'seconds'"),
        ({"ridge": 1}, ValueError, "must not use the name 'ridge'"),
        ({"seed": 1}, ValueError, "must not use the name 'seed'"),
        ({"": 1}, ValueError, "names that can be printed"),
        ({1: 1}, TypeError, "names that are text"),
        ({"x": None}, TypeError, "'x' must be text"),
        ({"x": torch.ones(2)}, TypeError, "'x' must be text"),
        ({"x": "\ud800"}, ValueError, "not valid Unicode"),
        ([("x", 1)], TypeError, "must be a mapping"),
        (None, TypeError, "must be a mapping"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*cancelled:UserWarning")
def test_what_a_measure_gives_is_checked_at_the_first_row(
    tmp_path: Path, measured, error, message
) -> None:
    made = tmp_path / "made"

    def measure(run: Run) -> object:
        with made.open("a", encoding="utf-8") as file:
            file.write("x")
        return measured

    workers = 2 if measured is None else 1  # 2 takes a while
    with pytest.raises(error, match=f"what measure gives.*{message}"):
        quiet(small(), tmp_path / "table.csv", measure, workers=workers)
    assert len(made.read_text(encoding="utf-8")) <= (1 if workers == 1 else COUNT - 1)
    assert os.listdir(tmp_path) == ["made"]


def test_a_measure_gives_the_same_columns_for_every_run(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    seen = Path(tmp_path / "seen")

    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        with seen.open("a", encoding="utf-8") as file:
            file.write("x")
        return {"a": 1} if len(run.table) == 3 else {"b": 1}

    with pytest.raises(ValueError, match=r"gives the columns \['b'\].*rows with \['a'\]"):
        quiet(small(), path, measure)
    assert seen.read_text(encoding="utf-8") == "xx"
    assert len(lines(partial_of(path))) == 1


def test_plain_results_may_be_scalars_of_numpy(tmp_path: Path) -> None:
    values = {"i": np.int64(3), "f": np.float32(0.5), "b": np.bool_(True), "s": np.str_("x")}
    table = rfm.sweep(small(range(1)), tmp_path / "t.csv", lambda _: values, progress=False)
    assert table.loc[0, list("ifbs")].tolist() == [3, 0.5, True, "x"]


# --------------------------------------------------------------------------------- one sweep a path


def test_a_nested_sweep_of_the_same_table_is_refused(tmp_path: Path, undisturbed: Path) -> None:
    (tmp_path / "link.csv").symlink_to("table.csv")
    inner: list[str] = []

    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        os.chdir(tmp_path)
        for path in (tmp_path / "table.csv", "table.csv", "../" + tmp_path.name + "/link.csv"):
            try:
                rfm.sweep(small(range(1)), path, progress=False)
            except RuntimeError as error:
                inner.append(str(error))
        return outcome(run)

    here = os.getcwd()
    try:
        quiet(small(range(2)), tmp_path / "link.csv", measure)
    finally:
        os.chdir(here)
    assert len(inner) == 6
    assert all("another sweep is writing" in message for message in inner)
    assert lines(tmp_path / "table.csv") == lines(undisturbed)[:2]
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "table.csv"]
    assert (tmp_path / "link.csv").is_symlink()


def test_a_sweep_in_another_thread_is_refused(tmp_path: Path) -> None:
    path, begun, go = tmp_path / "table.csv", tmp_path / "begun", tmp_path / "go"

    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        begun.touch()
        wait_for(go)
        return outcome(run)

    first = threading.Thread(target=quiet, args=(small(range(2)), path, measure))
    first.start()
    try:
        wait_for(begun)
        with pytest.raises(RuntimeError, match="another sweep is writing"):
            quiet(small(range(2)), path)
        assert not path.exists()
    finally:
        go.touch()
        first.join()
    assert len(lines(path)) == 2


def wait_for(path: Path, process: BaseProcess | None = None) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process is None or process.is_alive(), "the sweep ended by itself"
        assert time.monotonic() < deadline, f"no {path} for two minutes"
        time.sleep(0.02)


def never_ending(path: Path, begun: Path) -> None:
    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        begun.touch()
        time.sleep(300)
        return {}

    quiet(small(), path, measure)


def test_a_sweep_in_another_process_is_refused_until_it_dies(tmp_path: Path) -> None:
    path, begun, counting = tmp_path / "table.csv", tmp_path / "begun", Counting()
    process = processes.start(never_ending, path, begun)
    try:
        wait_for(begun, process)
        with pytest.raises(RuntimeError, match="another sweep is writing"):
            quiet(small(range(2)), path, counting)
        assert counting.seen == []
    finally:
        process.kill()
        process.join()
    quiet(small(range(2)), path, counting)
    assert len(counting.seen) == 2
    assert not path.with_name("table.csv.lock").exists()


@pytest.mark.skipif(
    Version(filelock.__version__) < Version("4.2.1"), reason="it empties whatever file it locks"
)
def test_a_file_of_somebody_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "table.csv.lock").write_text("mine", encoding="utf-8")
    quiet(small(range(1)), tmp_path / "table.csv")
    assert (tmp_path / "table.csv.lock").read_text(encoding="utf-8") == "mine"


def test_sweeps_of_other_tables_may_go_on_at_once(tmp_path: Path, undisturbed: Path) -> None:
    def measure(run: Run) -> dict[str, rfm.sweeps.Plain]:
        quiet(small(range(1)), tmp_path / "inner.csv")
        return outcome(run)

    quiet(small(range(2)), tmp_path / "outer.csv", measure)
    assert lines(tmp_path / "inner.csv") == lines(undisturbed)[:1]
    assert lines(tmp_path / "outer.csv") == lines(undisturbed)[:2]


# --------------------------------------------------------------------------------- joblib's threads


def test_warnings_are_as_before_after_a_sweep_in_threads(tmp_path: Path) -> None:
    singular = [Setting(trap(PLUS), rfm.Quadratic(), {"iterations": 20 + i}) for i in range(6)]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        filters = list(warnings.filters)
        with joblib.parallel_config(backend="threading", n_jobs=2):
            quiet(singular, tmp_path / "table.csv")
        assert warnings.filters == filters
    with pytest.warns(rfm.JitterWarning):
        singular[0].run()


def test_threads_of_torch_are_as_before_after_a_sweep_in_threads(tmp_path: Path) -> None:
    settings = [
        Setting(trap(PLUS), GAUSSIAN, {"iterations": 1 + i % 4, "stop": Watching()}, {"i": i})
        for i in range(8)
    ]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with joblib.parallel_config(backend="threading", n_jobs=2):
            quiet(settings, tmp_path / "table.csv", threads=2)
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)
    assert Watching.seen == {2}


class Watching:
    """A stopping rule that never stops, and sees how many threads there are."""

    seen: ClassVar[set[int]] = set()

    def __call__(self, found: dict[str, float]) -> bool:
        self.seen.add(torch.get_num_threads())
        time.sleep(0.02)
        return False


def test_threads_of_torch_come_back_whoever_ends_first() -> None:
    def inside(wait: threading.Event, ready: threading.Event) -> int:
        with torch_threads(2):
            ready.set()
            wait.wait(60)
        return torch.get_num_threads()

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        gates = [threading.Event() for _ in range(4)]
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(inside, gates[0], gates[1])
            gates[1].wait(60)
            second = pool.submit(inside, gates[2], gates[3])
            gates[3].wait(60)
            gates[0].set()
            assert first.result() == 3
            with ThreadPoolExecutor(1) as fresh:  # what the second goes on with
                assert fresh.submit(torch.get_num_threads).result() == 2
            gates[2].set()
            assert second.result() == 3
        with torch_threads(1), torch_threads(None):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


# ---------------------------------------------------------------- pickles, copies, other processes


def test_a_setting_survives_pickling_and_copying() -> None:
    split = trap(PLUS).move_random(2, 0)
    M0 = torch.eye(14).double()
    setting = Setting(split, GAUSSIAN, {"M0": M0, "iterations": 2}, {"name": "a\nb"})
    key, columns = setting.key, setting.columns
    setting.run(warn=False)
    assert {"train", "test"} <= set(vars(split))  # cached
    assert setting.key == key
    (sent,) = joblib.Parallel(n_jobs=2)(joblib.delayed(_same)(s) for s in [setting])
    for again in (pickle.loads(pickle.dumps(setting)), copy.copy(setting), copy.deepcopy(setting)):
        assert (again.key, again.columns) == (key, columns)
    assert (sent.key, sent.columns) == (key, columns)


def _same(setting: Setting) -> Setting:
    assert setting.key
    return setting


def test_later_changes_of_what_was_given_do_nothing() -> None:
    options, labels = {"ridge": 0.5}, {"seed": 1}
    setting = Setting(trap(PLUS), GAUSSIAN, options, labels)
    key, columns = setting.key, setting.columns
    options["ridge"], labels["seed"] = 9.0, 2
    assert (setting.key, setting.columns) == (key, columns)
    setting.options["ridge"] = 9.0  # whoever does this gets what it says, in both
    assert setting.key != key
    assert setting.columns["ridge"] == "9.0"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Dask scheduler with two workers, each a process."""
    dask, distributed = map(pytest.importorskip, ("dask", "distributed"))
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=str(tmp_path_factory.mktemp("dask")),
            silence_logs=logging.CRITICAL,
        ) as running,
    ):
        yield running.scheduler_address


@pytest.mark.filterwarnings("error")
def test_a_dask_cluster_makes_the_same_table(
    cluster: str, tmp_path: Path, undisturbed: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from distributed import Client

    def process() -> int:
        import rfm  # before the runs, so that neither worker is ready first  # noqa: F401

        return os.getpid()

    path = tmp_path / "table.csv"
    with Client(cluster) as client, joblib.parallel_config(backend="dask"):
        workers = {str(process) for process in client.run(process).values()}
        quiet(small(), path, by_process())
    assert len(workers) == 2
    assert {line["process"] for line in lines(path)} == workers
    assert lines(path, "process") == lines(undisturbed)
    assert tuple(capfd.readouterr()) == ("", "")


# ------------------------------------------------------------------------------ from a command line


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call tools/tables.py with two tiny tables and a folder of their own."""

    def one() -> Iterator[Setting]:
        """Three runs."""
        yield from small(range(3))

    def two() -> Iterator[Setting]:
        """Five others."""
        yield from small(range(3, 8))

    tiny = {"one": tables.Table(one, by_process()), "two": tables.Table(two)}
    monkeypatch.setattr(tables, "TABLES", tiny)
    monkeypatch.setattr(tables, "DATA", tmp_path)

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["tables.py", *words])
        tables.main()

    return call


def test_the_command_makes_all_tables(command, tmp_path: Path, undisturbed: Path, capsys) -> None:
    command("--workers", "1")
    expected = lines(undisturbed)
    assert lines(tmp_path / "one.csv", "process") == expected[:3]
    assert lines(tmp_path / "two.csv") == expected[3:8]
    assert {line["process"] for line in lines(tmp_path / "one.csv")} == {str(os.getpid())}
    assert re.fullmatch(r"one: \d+ s\ntwo: \d+ s\n", capsys.readouterr().out)


def test_what_takes_hours_is_made_if_it_is_named(command, tmp_path: Path, capsys) -> None:
    tables.TABLES["one"] = replace(tables.TABLES["one"], if_named=True)
    command("--workers", "1")
    assert [path.name for path in tmp_path.glob("*.csv")] == ["two.csv"]
    said = capsys.readouterr().out
    assert said.startswith("one: left out, it takes hours; make tables NAME=one makes it\ntwo: ")
    command("one", "--workers", "1")
    assert {path.stem for path in tmp_path.glob("*.csv")} == {"one", "two", "tables"}


def test_the_command_writes_an_index_once_all_tables_are_there(command, tmp_path: Path) -> None:
    index = tmp_path / "tables.csv"
    command("two", "--workers", "1")
    assert not index.exists()
    command("one", "--workers", "1")
    assert [line["table"] for line in lines(index)] == ["one.csv", "two.csv"]
    assert [line["what was run"] for line in lines(index)] == ["Three runs.", "Five others."]
    assert [line["runs"] for line in lines(index)] == ["3", "5"]


def stopping_at(name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the command be interrupted when it comes to a table; the tables it came to."""
    came, sweep = [], rfm.sweep

    def swept(settings: list[Setting], path: Path, *rest: object, **options: object) -> object:
        came.append(path.stem)
        if path.stem == name:
            raise KeyboardInterrupt
        return sweep(settings, path, *rest, **options)

    monkeypatch.setattr(rfm, "sweep", swept)
    return came


def test_a_round_goes_on_with_the_table_that_was_interrupted(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    with monkeypatch.context() as interrupted:
        came = stopping_at("two", interrupted)
        with pytest.raises(KeyboardInterrupt):
            command("--workers", "1")
        assert came == ["one", "two"]
    came = stopping_at("none", monkeypatch)
    capsys.readouterr()
    command("--workers", "1")
    assert came == ["two"]
    assert capsys.readouterr().out.startswith("one: made before the interruption\ntwo: ")
    assert not (tmp_path / "tables.round").exists()
    command("--workers", "1")  # the next round makes all
    assert came == ["two", "one", "two"]


@pytest.mark.parametrize("what", ["content", "gone", "settings", "torn", "named"])
def test_what_is_not_as_it_was_made_is_made_again(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as interrupted:
        stopping_at("two", interrupted)
        with pytest.raises(KeyboardInterrupt):
            command("--workers", "1")
    path, state = tmp_path / "one.csv", tmp_path / "tables.round"
    if what == "content":
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    elif what == "gone":
        path.unlink()
    elif what == "settings":

        def more() -> Iterator[Setting]:
            """Four runs."""
            yield from small(range(4))

        monkeypatch.setitem(tables.TABLES, "one", tables.Table(more, by_process()))
    elif what == "torn":
        state.write_text(state.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    came = stopping_at("none", monkeypatch)
    command(*(["one"] if what == "named" else []), "--workers", "1")
    assert came == (["one"] if what == "named" else ["one", "two"])
    assert len(lines(path)) == (4 if what == "settings" else 3)


def test_the_command_makes_the_tables_named(command, tmp_path: Path, capsys) -> None:
    command("two", "--workers", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["two.csv"]
    with pytest.raises(SystemExit):
        command("two", "three")
    assert "no table is called three; there are one, two" in capsys.readouterr().err


def test_the_command_takes_a_dask_cluster(
    command, cluster: str, tmp_path: Path, undisturbed: Path
) -> None:
    from distributed import default_client

    command("one", "--dask", cluster)
    default_client().close()
    assert lines(tmp_path / "one.csv", "process") == lines(undisturbed)[:3]
    assert str(os.getpid()) not in {line["process"] for line in lines(tmp_path / "one.csv")}


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nb", 'say "a", or', ",", '"', " x ", ""])
def test_a_file_has_a_line_for_each_row_whatever_the_text(text: str, tmp_path: Path) -> None:
    settings = [
        Setting(
            trap(PLUS).move_random(1, seed), GAUSSIAN, {"iterations": 1}, {"note": text, "n": seed}
        )
        for seed in range(2)
    ]
    table = rfm.sweep(settings, tmp_path / "table.csv", progress=False)
    assert table["note"].tolist() == [text, text]
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        assert [line["note"] for line in csv.DictReader(file)] == [text, text]
    read = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert read["note"].tolist() == [text, text]


@pytest.mark.parametrize("module", ["kernels.py", "networks/waves.py"])
def test_a_table_is_made_anew_when_the_package_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """Any module of it, those of its inner packages too."""
    package = tmp_path / "rfm"
    shutil.copytree(Path(rfm.__file__).parent, package)
    monkeypatch.setattr(rfm, "__file__", str(package / "__init__.py"))
    before = rounds.key_of(small(range(2)), outcome)
    assert rounds.key_of(small(range(2)), outcome) == before
    with (package / module).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert rounds.key_of(small(range(2)), outcome) != before
