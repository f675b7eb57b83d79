"""The tables of results: their settings are those defined, and rows drawn at random come again.

Each run of these tests draws other rows, and of the tables with long runs other ones. A failure
names the seed; with it in the environment, TABLES_SEED=..., the same rows are drawn.
"""

from __future__ import annotations

import csv
import math
import os
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
import tables
import torch
from later import Later
from nudging import nudged

import rfm
from rfm import Setting
from rfm.networks import Mirrored, NetworkSetting, Random, Square, Start, Weights
from rfm.sweeps import Measure, Plain, outcome, row

SEED = int(os.environ.get("TABLES_SEED") or secrets.randbelow(2**32))
BUDGET = 0.15  # seconds of recorded time for each table
LONG, OF_LONG = 3, 1  # seconds of one row from which on a table is long; so many of them are drawn
SMALL = 1e-8  # what is less than this is rounding: a step, or a lead
HOW_MADE = {"seconds", "version", "torch"}  # these may differ
# Where the kernel matrix became singular, or a metric fits every group, rounding decides these;
# what is right stays right.
LEFT_TO_ROUNDING = {
    *("iterations_done", "train_errors", "best_right", "best_at", "rivals"),
    *("test_loss", "margin", "withheld_lead", "step", "jitter"),
}

# In the training of a network rounding decides these after so many steps.
EARLY = 200
# How often a run is started anew, nearly the same, until a number moves: one can be lucky.
NUDGES = 8
BARELY = 0.02  # of the tolerance of a stopping rule
OF_WEIGHTS = {
    *("test_loss", "cross", "labels", "mirrors", "residual", "frequency", "largest"),
    *("in_phase", "of_labels", "of_mirrors", "of_scores", "by_chance", "spread"),
    *("exchange", "bound", "component"),
}
# Of how many points a column counts those that are right; `moved_right` of `moved`, and so on.
OF_HOW_MANY = {
    **dict.fromkeys(("right", "most_right", "fixed_right", "gaussian_right"), "points"),
    "by_order": "withheld",
}

Line = dict[str, str]


def read(path: Path) -> list[Line]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def misplaced(lines: Sequence[Line], settings: Sequence[Setting]) -> list[str]:
    """Where the settings of a table are not those of its definition, in that order."""
    found = [] if len(lines) == len(settings) else [f"{len(lines)} rows for {len(settings)}"]
    for i, (line, setting) in enumerate(zip(lines, settings, strict=False)):
        defined = list(setting.columns.items())
        stored = list(line.items())[: len(defined)]
        if stored != defined:
            found.append(f"row {i}: {stored} for {defined}")
    return found


def differences(stored: Line, fresh: Mapping[str, Plain]) -> list[str]:
    """In which columns a stored row is not the same row made afresh.

    Floats may differ by a thousandth, or 1e-8; all else must be equal, the columns as well. In a
    row with jitter, on one of the machines, what rounding decides is left out.
    """
    if list(stored) != list(fresh):
        return [f"columns {list(stored)} for {list(fresh)}"]
    stored_jitter = float(stored.get("jitter", 0))
    singular = float(fresh.get("jitter", 0)) > 0 or 0 < stored_jitter < SMALL
    ignored = HOW_MADE | LEFT_TO_ROUNDING if singular else HOW_MADE
    return [
        f"{name}: stored {stored[name]!r}, now {value!r}"
        for name, value in fresh.items()
        if name not in ignored and not _same(stored[name], value)
    ]


def _same(stored: str, value: Plain) -> bool:
    if not isinstance(value, float):
        return stored == str(value)
    try:
        number = float(stored)
    except ValueError:
        return False
    if math.isnan(value) or math.isnan(number):
        return math.isnan(value) and math.isnan(number)
    return math.isclose(number, value, rel_tol=1e-3, abs_tol=SMALL)


def drawn(lines: Sequence[Line], seed: object, budget: float = BUDGET) -> list[int]:
    """Rows in random order until their recorded time is used up, at least one.

    Each can come, in proportion to one over its time, so that all get the same share of the time.
    """
    dice = random.Random(str(seed))
    waits = [dice.expovariate(1) * max(float(line["seconds"]), 0.01) for line in lines]
    order = sorted(range(len(lines)), key=waits.__getitem__)
    spent, chosen = 0.0, []
    for i in order:
        spent += float(lines[i]["seconds"])
        if chosen and spent > budget:
            break
        chosen.append(i)
    return chosen


def long(lines: Sequence[Line]) -> bool:
    """Whether one row of a table, drawn by this rule, is expected to take too long for each run."""
    return len(lines) / sum(1 / max(float(line["seconds"]), 0.01) for line in lines) > LONG


def changed(
    lines: Sequence[Line], settings: Sequence[Setting], measure: Measure, rows: Sequence[int]
) -> list[str]:
    """What is different in these rows of a table when their runs are made again.

    Where something is, what a start that differs by rounding changes as well is left out.
    """
    found = []
    for i in rows:
        fresh = row(settings[i], measure)
        if texts := differences(lines[i], fresh):
            columns = {text.split(":")[0] for text in texts}
            moved = left_to_rounding(settings[i], measure, fresh, columns)
            if any(
                barely_stopped(settings[i], float(one["step"]))
                for one in (lines[i], fresh)
                if "step" in one
            ):
                moved |= {"iterations_done", "step"}
            found += [f"row {i}, {text}" for text in texts if text.split(":")[0] not in moved]
    return found


def barely_stopped(setting: Setting, step: float) -> bool:
    """Whether the last step was so little under the tolerance that rounding decides if it was.

    The rounding of one solve with a large condition number is a part of every step.
    """
    made = setting.made() if isinstance(setting, Later) else setting
    tolerance = getattr(made.options.get("stop"), "tolerance", 0.0)
    return (1 - BARELY) * tolerance < step < tolerance


@dataclass(frozen=True)
class Nudged(Start):
    """Another start, its first layer changed by 1e-13 of each weight, drawn with ``dice``."""

    start: Start
    dice: int

    def draw(self, task: rfm.Task, width: int, seed: rfm.seeds.Seed) -> Weights:
        weights = self.start.draw(task, width, seed)
        dice = torch.Generator().manual_seed(self.dice)
        noise = torch.randn(weights.first.shape, generator=dice)
        return replace(weights, first=weights.first * (1 + 1e-13 * noise.double()))


def left_to_rounding(
    setting: Setting, measure: Measure, fresh: Mapping[str, Plain], asked: set[str]
) -> set[str]:
    """The columns, of those asked for and maybe others, that a start changed by 1e-13 changes.

    That is relative to its largest entry. One start nearby can end near enough by luck, so some are
    tried until all those columns have moved.

    In single precision its coordinates are scaled by 1e-6 instead, of which that sees something.

    A metric can pass by an unstable one, and rounding decides when it leaves. In the training of a
    network rounding grows all the time, and in the end decides counts too.
    """
    if isinstance(setting, NetworkSetting):
        texts = {name: f"{v:.6g}" if isinstance(v, float) else str(v) for name, v in fresh.items()}
        for dice in range(NUDGES):
            start = Nudged(setting.options.get("start", Random()), dice)
            other = row(replace(setting, options={**setting.options, "start": start}), measure)
            moved = {text.split(":")[0] for text in differences(texts, {**other, "start": ""})}
            if moved != {"start"}:
                break
        else:
            return moved
        if abs(fresh.get("ratio", 0)) != 1:  # an odd or even network stays so
            moved |= {"ratio", "elements"}
        moved |= {name for name in ("best_at", "first_all") if fresh.get(name, 0) > EARLY}
        return moved | OF_WEIGHTS | {name for name in fresh if _in_between(name, fresh)}
    M0 = (setting.made() if isinstance(setting, Later) else setting).options.get("M0")
    M0 = torch.eye(setting.split.task.dimension) if M0 is None else M0
    texts = {name: f"{v:.6g}" if isinstance(v, float) else str(v) for name, v in fresh.items()}
    kept = {name for name, value in fresh.items() if isinstance(value, int)} - LEFT_TO_ROUNDING
    moved: set[str] = set()
    for seed in range(NUDGES):
        near = nudged(M0, seed, setting.options.get("dtype", torch.float64))
        other = row(replace(setting, options={**setting.options, "M0": near}), measure)
        moved |= {text.split(":")[0] for text in differences(texts, {**other, "M0": fresh["M0"]})}
        if asked - kept <= moved:
            break
    return moved - kept


def _in_between(name: str, fresh: Mapping[str, Plain]) -> bool:
    """Whether a column counts the right points of some kind, and they are neither none nor all."""
    of = OF_HOW_MANY.get(name, name.removesuffix("_right"))
    if of == "best":
        of = "withheld" if fresh.get("withheld") else "random"
    return of != name and 0 < fresh[name] < fresh[of]


# ------------------------------------------------------------------------------- the stored tables

every_table = pytest.mark.parametrize("name", tables.TABLES)


@cache
def defined(name: str) -> list[Setting]:
    """The settings of a table."""
    return list(tables.TABLES[name].settings())


@every_table
def test_settings_are_those_defined(name: str) -> None:
    lines = read(tables.DATA / f"{name}.csv")
    assert misplaced(lines, defined(name)) == []


LONG_ONES = [name for name in tables.TABLES if long(read(tables.DATA / f"{name}.csv"))]


def come_again(name: str) -> list[str]:
    """What is different in rows of a table that are drawn and made again."""
    lines, table = read(tables.DATA / f"{name}.csv"), tables.TABLES[name]
    rows = drawn(lines, f"{SEED} {name}")
    found = changed(lines, defined(name), table.measure, rows)
    return [f"{name}, {text}" for text in found]


@pytest.mark.parametrize("name", [name for name in tables.TABLES if name not in LONG_ONES])
def test_rows_come_again(name: str) -> None:
    assert come_again(name) == [], f"drawn with TABLES_SEED={SEED}"


@pytest.mark.parametrize("number", range(OF_LONG))
def test_rows_of_some_long_tables_come_again(number: int) -> None:
    name = random.Random(SEED).sample(LONG_ONES, OF_LONG)[number]
    assert come_again(name) == [], f"drawn with TABLES_SEED={SEED}"


def test_the_index_is_that_of_the_tables() -> None:
    stored = (tables.DATA / "tables.csv").read_text(encoding="utf-8")
    assert stored == tables.index().to_csv(index=False)


@pytest.mark.parametrize("moved", [1, 20, 100])
def test_no_point_changes_sides_after_a_run_was_stopped(moved: int) -> None:
    """With a rule ten times laxer than that of the moves, in the rest of sixty iterations."""
    task = rfm.addition(29)
    trapped = rfm.withhold(task, task.reflection(0).fixed_points())
    split = trapped.move_random(moved, seed=0)
    run, rule = rfm.fit(split, rfm.Gaussian(2.5), 60), rfm.converged(1e-5)
    ends = [t for t, found in enumerate(run.table.to_dict("records")) if rule(found)]
    assert ends[0] < 59
    assert run.right[ends[0]].equal(run.correct())


# ---------------------------------------------------------------------------- the checks themselves


@pytest.fixture(scope="module")
def settings() -> list[Setting]:
    task = rfm.addition(7)
    splits = rfm.withhold(task, task.reflection(0).fixed_points()), rfm.random_split(task, 0.7, 0)
    options = {"iterations": 4, "ridge": 0.125}
    return [
        Setting(split, kernel, options, {"name": "⟨s⟩"})
        for split in splits
        for kernel in (rfm.Gaussian(2.5), rfm.Quadratic())
    ]


@pytest.fixture
def table(settings: list[Setting], tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    rfm.sweep(settings, path, progress=False)
    return path


def complaints(path: Path, settings: list[Setting]) -> list[str]:
    lines = read(path)
    return misplaced(lines, settings) or changed(lines, settings, outcome, range(len(lines)))


def rewrite(path: Path, lines: Sequence[Line]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def test_an_honest_table_passes(table: Path, settings: list[Setting]) -> None:
    before = table.read_bytes()
    assert complaints(table, settings) == []
    rewrite(table, read(table))
    assert table.read_bytes() == before


def test_a_tampered_digit_is_found(table: Path, settings: list[Setting]) -> None:
    """The first digit other than 0 of every cell, or the last if there is no other."""
    honest = read(table)
    fresh = [row(setting) for setting in settings]
    for i, line in enumerate(honest):
        for name, text in line.items():
            digits = [k for k, c in enumerate(text) if c.isdigit()]
            if not digits or name in HOW_MADE:
                continue
            k = next((k for k in digits if text[k] != "0"), digits[-1])
            forged = text[:k] + str((int(text[k]) + 1) % 10) + text[k + 1 :]
            rewrite(table, [*honest[:i], {**line, name: forged}, *honest[i + 1 :]])
            lines = read(table)
            found = misplaced(lines, settings) + differences(lines[i], fresh[i])
            assert any(name in text and forged in text for text in found), (i, name)


def test_a_tampered_copy_of_a_stored_table_is_found(tmp_path: Path) -> None:
    stored = tables.DATA / "dihedral_subgroups.csv"
    table = tables.TABLES["dihedral_subgroups"]
    settings = defined("dihedral_subgroups")
    lines, copy = read(stored), tmp_path / "copy.csv"
    i = random.Random(SEED).randrange(len(lines))
    names = ["reflections", "power", "withheld_right", "first_loss", "keeps", "weakest"]
    for name in names:
        digit, *rest = lines[i][name]
        lines[i][name] = "".join([str((int(digit) + 1) % 10), *rest])
    rewrite(copy, lines)
    honest, forged = read(stored), read(copy)
    assert misplaced(honest, settings) == changed(honest, settings, table.measure, [i]) == []
    assert len(misplaced(forged, settings)) == 1
    found = changed(forged, settings, table.measure, [i])
    assert [text.split(":")[0] for text in found] == [f"row {i}, {name}" for name in names], (
        f"{SEED=}"
    )


@pytest.mark.parametrize(
    "forge",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [*lines, lines[0]],
        lambda lines: [lines[0], lines[0], *lines[2:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [{k: v for k, v in line.items() if k != "ridge"} for line in lines],
        lambda lines: [{"ridge": line["ridge"], **line} for line in lines],
        lambda lines: [{"more": "1", **line} for line in lines],
        lambda lines: [{**line, "more": "1"} for line in lines],
        lambda lines: [{k: v for k, v in line.items() if k != "margin"} for line in lines],
        lambda lines: [{k: v for k, v in line.items() if k != "seconds"} for line in lines],
    ],
)
def test_rows_and_columns_lost_added_or_moved_are_found(
    table: Path, settings: list[Setting], forge: Callable[[list[Line]], list[Line]]
) -> None:
    rewrite(table, forge(read(table)))
    assert complaints(table, settings)


def test_differences_name_what_changed() -> None:
    fresh = {"task": "x", "right": 5, "loss": 0.25, "lead": math.nan, "by": "", "seconds": 1.0}
    stored = {"task": "x", "right": "5", "loss": "0.25", "lead": "nan", "by": "", "seconds": "9"}
    assert differences(stored, fresh) == []
    for name, text in {
        "task": "y",
        "right": "6",
        "loss": "0.2503",
        "lead": "0",
        "by": "0",
    }.items():
        (found,) = differences({**stored, name: text}, fresh)
        assert found.startswith(f"{name}: stored {text!r}, now")
    for loss in ("0.24976", "0.25024"):
        assert differences({**stored, "loss": loss}, fresh) == []
    for loss in ("nan", "", "inf", "-0.25", "word"):
        assert len(differences({**stored, "loss": loss}, fresh)) == 1
    del stored["right"]
    assert "columns" in differences(stored, fresh)[0]


def test_as_many_rows_are_drawn_as_there_is_time_for() -> None:
    lines = [{"seconds": str(seconds)} for seconds in (1, 2, 3, 4, 5, 6, 7, 8, 9, 50)]
    draws = [drawn(lines, seed) for seed in range(600)]
    assert draws == [drawn(lines, seed) for seed in range(600)]
    assert {i for rows in draws for i in rows} == set(range(10))
    alone = [rows[0] for rows in (drawn(lines, seed, budget=0) for seed in range(3000))]
    spent = [alone.count(i) * float(lines[i]["seconds"]) for i in range(10)]
    assert max(spent[:9]) < 1.6 * min(spent[:9])
    for rows in draws:
        assert len(rows) == len(set(rows)) >= 1
        spent = sum(float(lines[i]["seconds"]) for i in rows)
        assert spent <= BUDGET or len(rows) == 1
    assert sorted(drawn(lines, 0, budget=95)) == list(range(10))
    assert len(drawn(lines, 0, budget=0)) == 1


def test_a_table_is_long_if_few_of_its_rows_are_short() -> None:
    assert not long([{"seconds": "0"}, {"seconds": "900"}])
    assert not long([{"seconds": "2.9"}] * 5)
    assert long([{"seconds": "2.9"}, {"seconds": "3.2"}, {"seconds": "9"}])
    assert OF_LONG < len(LONG_ONES) < len(tables.TABLES) / 4


def test_what_rounding_decides_is_told_from_what_has_changed() -> None:
    """Two points held out of × mod 13: the metric leaves an unstable one after forty iterations."""
    task = rfm.multiplication(13)
    split = rfm.withhold(task, torch.stack([task.pair(1, 1), task.pair(1, 4)]))
    unstable = Setting(split, rfm.Gaussian(2.5), {"iterations": 60, "stop": rfm.converged(1e-7)})
    moved = left_to_rounding(unstable, outcome, row(unstable), {"test_loss", "step"})
    assert {"test_loss", "step"} <= moved <= LEFT_TO_ROUNDING
    for stable in (
        Setting(split, rfm.Gaussian(2.5), {"iterations": 10}),
        Setting(rfm.random_split(task, 0.7, 0), rfm.Gaussian(2.5), {"iterations": 20}),
    ):
        assert left_to_rounding(stable, outcome, row(stable), {"step"}) == set()


@pytest.mark.parametrize(
    ("step", "barely"), [(0.99e-7, True), (0.97e-7, False), (1e-7, False), (2e-7, False)]
)
def test_a_run_that_has_barely_stopped(step: float, barely: bool) -> None:
    split = rfm.random_split(rfm.addition(5), 0.6, 0)
    stopped = Setting(split, rfm.Gaussian(), {"stop": rfm.converged(1e-7)})
    assert barely_stopped(stopped, step) is barely
    assert not barely_stopped(Setting(split, rfm.Gaussian(), {}), step)


@pytest.mark.parametrize(("stored", "fresh"), [("4e-10", 0.0), ("0", 4e-10), ("4e-10", 2e-10)])
def test_a_jitter_on_one_machine_leaves_losses_to_rounding(stored: str, fresh: float) -> None:
    old, new = {"right": "3", "test_loss": "1.5"}, {"right": 3, "test_loss": 1.4}
    assert differences({**old, "jitter": stored}, {**new, "jitter": fresh}) == []
    assert len(differences({**old, "jitter": "0"}, {**new, "jitter": 0.0})) == 1
    assert len(differences({**old, "jitter": stored}, {**new, "right": 2, "jitter": fresh})) == 1


def test_what_rounding_decides_of_a_network_is_told_from_what_has_changed() -> None:
    """After five hundred steps, never whether a run is trapped, nor what it was."""
    task = rfm.addition(11)
    split, start = rfm.random_split(task, 0.5, 0), Mirrored(task.reflection(0))
    trapped = rfm.withhold(task, task.reflection(0).fixed_points())
    long = NetworkSetting(split, Square(), {"steps": 500, "width": 64})
    moved = left_to_rounding(long, tables.learned, row(long, tables.learned), {"residual"})
    assert {"start", "residual", "frequency"} <= moved
    assert not {"random", "train_size", "split", "width"} & moved
    in_trap = NetworkSetting(trapped, Square(), {"steps": 500, "width": 64, "start": start})
    moved = left_to_rounding(in_trap, tables.learned, row(in_trap, tables.learned), {"residual"})
    assert not {"withheld_right", "best_right", "first_all", "ratio", "elements"} & moved
