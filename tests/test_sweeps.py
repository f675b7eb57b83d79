"""Sweeps: their tables, what survives a kill, and runs spread over processes."""

from __future__ import annotations

import csv
import inspect
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import joblib
import pandas as pd
import pytest
import tables
import torch

import rfm
from rfm import Kind, Run, Setting, Split
from rfm.sweeps import Measure, outcome, row

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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undisturbed") / "table.csv"
    quiet(small(), path)
    return path


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """Where a table of the small settings is to be, of which five rows are there."""
    path = tmp_path / "table.csv"
    with pytest.raises(KeyboardInterrupt):
        quiet(small(), path, Counting(interrupt_after=5))
    return path


# --------------------------------------------------------------------------------------- the table


def test_a_table_has_a_row_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table = rfm.sweep(small(), path, progress=False)
    read = pd.read_csv(path, keep_default_na=False, na_values={"margin": "nan"})
    pd.testing.assert_frame_equal(table, read)
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert table["seed"].tolist() == list(range(COUNT))
    assert (table["seconds"] >= 0).all()
    assert set(table["version"]) == {version("rfm")}
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
        "M0": "identity",
    }
    how = {"device", "progress", "keep_features"}  # not what is computed
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


@pytest.mark.skipif("warn" not in inspect.signature(rfm.fit).parameters, reason="TODO: no warn")
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
        wrong.append(int((fitted.argmax(1) != task.label(split.train)).sum()))
        losses.append(float((scores - task.one_hot_labels(split.test)).square().sum(1).mean()))
        right = rfm.run.judge(split, scores).query("correct")
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
    assert 0 < found["withheld_right"] < found["withheld"]
    assert found["as_by_orbits"] not in {found["by_orbits"], 0}
    assert found["best_at"] > 1
    assert outcome(rfm.fit(SPLITS["random"], GAUSSIAN, 12, ridge=0.5))["train_errors"] > 0
    assert outcome(rfm.fit(SPLITS["random"], GAUSSIAN, 12))["best_at"] > 1


# ----------------------------------------------------------------------------------------- resumed


def test_a_killed_sweep_goes_on_where_it_stopped(tmp_path: Path, undisturbed: Path) -> None:
    path, program = tmp_path / "table.csv", tmp_path / "program.py"
    here, tools = Path(__file__).parent, Path(tables.__file__).parent
    folders = here, tools, here.parent
    program.write_text(
        f"""
import sys, time
sys.path[:0] = {[str(folder) for folder in folders]}
from test_sweeps import Counting, quiet, small
quiet(small(), __import__("pathlib").Path({str(path)!r}), Counting(pause=0.3), workers=1)
""",
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, program])
    try:
        deadline = time.monotonic() + 300
        while not partial_of(path).exists() or len(lines(partial_of(path))) < 3:
            assert process.poll() is None, "the sweep ended by itself"
            assert time.monotonic() < deadline, "no rows for five minutes"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
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


# RESUME


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
def test_settings_may_change_while_a_table_is_made(interrupted: Path, seeds, made: int) -> None:
    counting = Counting()
    quiet(small(seeds), interrupted, counting)
    assert len(counting.seen) == made
    quiet(small(seeds), interrupted.with_name("other.csv"))
    assert lines(interrupted) == lines(interrupted.with_name("other.csv"))
    assert [int(line["seed"]) for line in lines(interrupted)] == list(seeds)


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
        ([*small(), nothing_but(M0=torch.eye(13))], ValueError, "M0 must be a tensor"),
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
    quiet(small(), path, by_process(), workers=2)
    assert lines(path, "process") == lines(undisturbed)
    assert len({line["process"] for line in lines(path)} - {str(os.getpid())}) == 2


# FAIL


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Dask scheduler with two workers, each a process."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
        silence_logs=logging.CRITICAL,
    ) as running:
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


def test_the_command_writes_an_index_once_all_tables_are_there(command, tmp_path: Path) -> None:
    index = tmp_path / "tables.csv"
    command("two", "--workers", "1")
    assert not index.exists()
    command("one", "--workers", "1")
    assert [line["table"] for line in lines(index)] == ["one.csv", "two.csv"]
    assert [line["what was run"] for line in lines(index)] == ["Three runs.", "Five others."]
    assert [line["runs"] for line in lines(index)] == ["3", "5"]


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
