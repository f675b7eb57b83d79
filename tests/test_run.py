"""Whole runs: against a dense textbook loop and known numbers, and what the record promises."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import processes
import psutil
import pytest
import torch
from oracles import KERNELS, ROOTS, Arithmetic, dense_agop, dense_gram, dense_predictor, same
from torch import Tensor

import rfm
from rfm import Interrupted, JitterWarning, Kind, Run, Split
from rfm.judging import judge

PLUS = rfm.addition(7)
COLUMNS = [
    "train_accuracy",
    "test_accuracy",
    "random_accuracy",
    "withheld_accuracy",
    "moved_accuracy",
    "orbit_baseline",
    "train_loss",
    "test_loss",
    "margin",
    "tie",
    "condition",
    "jitter",
    "step",
    "turn",
]


def trap(task: rfm.Task, k: int = 0) -> Split:
    return rfm.withhold(task, task.reflections[k].fixed_points())


def half(task: rfm.Task, seed: int = 0, fraction: float = 0.5) -> Split:
    return rfm.random_split(task, fraction, seed)


class Untouchable(rfm.RadialKernel):
    """A kernel that must not be asked for anything."""

    def profile(self, u):
        raise AssertionError("work was done")


# ------------------------------------------------------------------------ the loop, and its record


def dense_run(
    name: str, split: Split, iterations: int, ridge: float, centred: bool
) -> list[dict[str, float]]:
    """RFM on dense vectors with Jacobians, LU and SVD; the table's rows by loops over points."""
    task = split.task
    X, Y = task.one_hot(split.train), task.one_hot_labels(split.train)
    M = torch.eye(task.dimension, dtype=torch.float64)
    rows = []
    for _ in range(iterations):
        K = dense_gram(name, X, X, M) + ridge * torch.eye(len(X), dtype=torch.float64)
        α = torch.linalg.solve(K, Y)
        f = dense_predictor(name, X, α, M)
        losses, leads = {"train": [], "test": []}, {"train": [], "test": []}
        for which, pairs in (("train", split.train), ("test", split.test)):
            for pair in pairs:
                scores = f(task.one_hot(pair[None])[0]).tolist()
                right = int(task.label(pair))
                target = [float(c == right) for c in range(task.n)]
                losses[which].append(sum((s - y) ** 2 for s, y in zip(scores, target, strict=True)))
                leads[which].append(
                    scores[right] - max(s for c, s in enumerate(scores) if c != right)
                )
        won = [lead for lead in leads["test"] if lead > 1e-9]
        U, S, _ = torch.linalg.svd(dense_agop(name, X, α, M, centred))
        new = U @ torch.diag(S.sqrt()) @ U.T
        kinds = [Kind(kind).name.lower() for kind in split.test_kind.tolist()]
        row = {
            "train_accuracy": np.mean([lead > 0 for lead in leads["train"]]),
            "test_accuracy": len(won) / len(leads["test"]),
            "train_loss": np.mean(losses["train"]),
            "test_loss": np.mean(losses["test"]),
            "margin": min(won, default=np.nan),
            "step": float((new - M).norm() / M.norm()),
        }
        for which in ("random", "withheld", "moved"):
            hits = [
                lead > 1e-9
                for lead, kind in zip(leads["test"], kinds, strict=True)
                if kind == which
            ]
            row[f"{which}_accuracy"] = np.mean(hits) if hits else np.nan
        rows.append(row)
        M = new
    rows[-1]["features"] = M
    return rows


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("centred", [True, False], ids=["centred", "raw"])
def test_a_run_is_the_textbook_loop(name: str, centred: bool) -> None:
    ridge = 0.05
    split = trap(PLUS, 2).move_random(6, 0)
    run = rfm.fit(split, KERNELS[name], 4, ridge=ridge, centred=centred)
    expected = dense_run(name, split, 4, ridge, centred)
    tolerance = 1e-5 if name in ROOTS else 1e-7
    same(run.features, expected[-1].pop("features"), tolerance)
    for (_, row), dense in zip(run.table.iterrows(), expected, strict=True):
        for column, value in dense.items():
            assert row[column] == pytest.approx(value, abs=tolerance, nan_ok=True), column


def test_the_table_has_a_row_an_iteration() -> None:
    run = rfm.fit(half(PLUS), rfm.Gaussian(), 5)
    assert sorted(run.table.columns) == sorted(COLUMNS)
    assert run.table.index.name == "iteration"
    assert run.table.index.tolist() == [1, 2, 3, 4, 5]
    assert (run.table.dtypes == np.float64).all()
    assert len(run.seconds) == 5
    assert min(run.seconds) > 0
    assert (run.table["condition"] >= 1).all()


@pytest.mark.parametrize("task", [PLUS, rfm.multiplication(11), rfm.addition(3, 4)], ids=str)
def test_predictions_describe_the_last_fit(task: rfm.Task) -> None:
    split = trap(task).move_random(5, 1)
    run = rfm.fit(split, rfm.Gaussian(), 4, keep_features=True)
    Y = task.one_hot_labels(split.train)
    machine = rfm.KernelMachine.fit(split.train, Y, rfm.Gaussian(), run.history[3])
    scores = machine.predict(split.test)
    predictions = run.predictions
    assert list(predictions.columns) == [
        "a",
        "b",
        "label",
        "predicted",
        "kind",
        "margin",
        "correct",
    ]
    place = task.group.values.index
    assert [task.pair(a, b).tolist() for a, b in predictions[["a", "b"]].to_numpy()] == (
        split.test.tolist()
    )
    assert [place(c) for c in predictions["label"]] == task.label(split.test).tolist()
    for row, score in zip(predictions.itertuples(), scores.tolist(), strict=True):
        label = place(row.label)
        rivals = [s for c, s in enumerate(score) if c != label]
        assert row.margin == pytest.approx(score[label] - max(rivals), abs=1e-9)
        assert row.correct == (row.margin > 1e-9)
        assert score[place(row.predicted)] == pytest.approx(max(score), abs=1e-9)
    assert run.correct().dtype == torch.bool
    assert run.correct().tolist() == predictions["correct"].tolist()
    last = run.table.iloc[-1]
    assert last["test_accuracy"] == predictions["correct"].mean()
    by_kind = predictions.groupby("kind")["correct"].mean()
    assert last["withheld_accuracy"] == by_kind["withheld"]
    assert last["moved_accuracy"] == by_kind["moved"]
    assert predictions["kind"].value_counts().to_dict() == {"withheld": task.n, "moved": 5}


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
@pytest.mark.parametrize("task", [rfm.addition(11), rfm.subtraction(2, 6)], ids=str)
def test_which_points_each_iteration_got_right(task: rfm.Task, kernel: rfm.Kernel) -> None:
    split, M0 = trap(task, 3).move_random(12, 2), rfm.random_circulant_features(task, 1)
    run = rfm.fit(split, kernel, 6, M0=M0, keep_features=True)
    assert run.right.shape == (6, len(split.test))
    assert run.right.dtype == torch.bool
    assert run.right[-1].tolist() == run.correct().tolist() == run.predictions["correct"].tolist()
    assert run.right.double().mean(1).tolist() == pytest.approx(
        run.table["test_accuracy"].tolist(), abs=1e-15
    )
    label = task.label(split.test).tolist()
    Y = task.one_hot_labels(split.train)
    for right, M in zip(run.right.tolist(), run.history[:-1], strict=True):
        scores = rfm.KernelMachine.fit(split.train, Y, kernel, M).predict(split.test).tolist()
        leads = [score.pop(own) - max(score) for score, own in zip(scores, label, strict=True)]
        assert right == [lead > 1e-9 for lead in leads]
    assert len({tuple(right) for right in run.right.tolist()}) > 2  # it is not one row repeated


def test_a_row_of_points_got_right_is_the_last_of_a_shorter_run() -> None:
    split = half(rfm.addition(13), fraction=0.75)
    run = rfm.fit(split, rfm.Gaussian(), 12)
    for t in range(1, 13):
        assert rfm.fit(split, rfm.Gaussian(), t).correct().equal(run.right[t - 1])
    assert 0 < run.right[-1].sum() < len(split.test)
    assert not run.right[0].any()


def test_points_got_right_by_kind_make_up_the_table() -> None:
    split = trap(rfm.addition(11)).move_random(20, 0)
    run = rfm.fit(split, rfm.Gaussian(), 12)
    for kind in (Kind.WITHHELD, Kind.MOVED):
        share = run.right[:, split.test_kind == kind].double().mean(1)
        found = run.table[f"{kind.name.lower()}_accuracy"]
        assert share.tolist() == pytest.approx(found.tolist(), abs=1e-15)
    assert run.right.any()


def test_a_run_cut_short_has_a_row_of_points_for_each_iteration_made() -> None:
    whole = rfm.fit(half(PLUS), rfm.Gaussian(), 8)
    stopped = rfm.fit(half(PLUS), rfm.Gaussian(), 8, stop=lambda row: row["iteration"] == 3)
    assert stopped.right.equal(whole.right[:3])

    def interrupt(row: dict[str, float]) -> bool:
        if row["iteration"] == 5:
            raise KeyboardInterrupt
        return False

    with pytest.raises(Interrupted) as caught:
        rfm.fit(half(PLUS), rfm.Gaussian(), 8, stop=interrupt)
    assert caught.value.run.right.equal(whole.right[:5])
    assert len(caught.value.run.table) == 5


def test_a_tie_is_right_in_no_iteration() -> None:
    """In a trap only rounding tells the classes apart."""
    run = rfm.fit(trap(rfm.addition(13)), rfm.Gaussian(), 30)
    assert not run.right.any()


def test_kinds_that_are_not_there_are_nan() -> None:
    table = rfm.fit(half(PLUS), rfm.Gaussian(), 2).table
    assert table[["withheld_accuracy", "moved_accuracy", "orbit_baseline"]].isna().all(axis=None)
    assert (table["random_accuracy"] == table["test_accuracy"]).all()
    table = rfm.fit(trap(PLUS).move_random(3, 0), rfm.Gaussian(), 2).table
    assert table["random_accuracy"].isna().all()
    assert table[["withheld_accuracy", "moved_accuracy"]].notna().all(axis=None)


def test_the_orbit_baseline_is_that_of_the_split() -> None:
    split = trap(PLUS).move_random(9, 3)
    table = rfm.fit(split, rfm.Gaussian(), 2).table
    assert table["orbit_baseline"].tolist() == [split.orbit_baseline()] * 2
    assert 0 < split.orbit_baseline() <= 9 / 16


def test_at_ridge_zero_training_is_perfect_from_the_start() -> None:
    for kernel in (rfm.Gaussian(), rfm.Quadratic()):
        table = rfm.fit(half(PLUS), kernel, 5).table
        assert (table["train_accuracy"] == 1).all()
        assert (table["train_loss"] == 0).all()


def test_a_large_ridge_shows_in_the_training_loss() -> None:
    table = rfm.fit(half(PLUS), rfm.Gaussian(), 1, ridge=1e9).table
    assert table["train_loss"].iloc[0] == pytest.approx(1, abs=1e-6)
    assert table["test_loss"].iloc[0] == pytest.approx(1, abs=1e-6)


def test_correct_needs_a_lead_that_is_no_rounding() -> None:
    task = rfm.addition(3)
    split = rfm.withhold(task, torch.tensor([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]]))
    label = task.label(split.test).tolist()
    assert label == [0, 1, 2, 1, 2]
    tie, nan = 0.5, float("nan")
    scores = torch.tensor(
        [
            [tie, tie, 0.0],  # 0, tied with a later class
            [tie, tie, 0.0],  # 1, tied with an earlier one
            [0.0, 0.1, 0.1 + 1e-10],  # 2, by rounding
            [0.1, 0.1 + 1e-6, 0.0],  # 1, thinly but certainly
            [nan, nan, nan],
        ],
        dtype=torch.float64,
    )
    found = judge(split, scores, tie=1e-9)
    assert found["correct"].tolist() == [False, False, False, True, False]
    assert found["margin"].tolist()[:4] == pytest.approx([0, 0, 1e-10, 1e-6], abs=1e-15)
    assert not judge(split, scores.float(), tie=1e-4)["correct"].any()  # there 1e-6 is rounding


# ----------------------------------------------------------------------------------- known numbers


@pytest.mark.parametrize(("p", "right"), [(5, 0), (7, 2), (11, 6), (13, 6), (17, 12)])
def test_fixed_points_right_after_one_move(p: int, right: int) -> None:
    split = trap(rfm.addition(p)).move_random(1, p)
    run = rfm.fit(split, rfm.Gaussian(), 14)
    assert round(run.table["withheld_accuracy"].iloc[-1] * p) == right
    leads = run.predictions["margin"][run.predictions["correct"]]
    assert run.table["margin"].iloc[-1] == pytest.approx(leads.min())
    assert leads.min() > 1e-5  # nobody's luck
    a, b = split.of_kind(Kind.MOVED)[0].tolist()
    middle = (a + b) * pow(2, -1, p) % p  # it has the label of the point that was moved
    predictions = run.predictions.set_index(["a", "b"])
    assert not predictions["correct"][middle, middle]


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
@pytest.mark.filterwarnings("ignore::rfm.JitterWarning")
def test_a_withheld_reflection_is_a_trap(arithmetic: Arithmetic, kernel: rfm.Kernel) -> None:
    split = trap(arithmetic.task, arithmetic.task.n // 2)
    iterations = 60 if isinstance(kernel, rfm.Gaussian) else 25
    table = rfm.fit(split, kernel, iterations).table
    assert (table["test_accuracy"] == 0).all()
    assert (table["train_accuracy"] == 1).all()


def test_in_the_trap_features_are_differences() -> None:
    """M ∝ [[1, −1], [−1, 1]] ⊗ (I − J/n): all fixed points coincide, so that every score ties."""
    task = rfm.addition(13)
    run = rfm.fit(trap(task), rfm.Gaussian(), 30)
    B = torch.eye(13, dtype=torch.float64) - 1 / 13
    expected = torch.kron(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double(), B)
    same(run.features / run.features.norm(), expected / expected.norm(), 1e-9)
    assert run.predictions["margin"].abs().max() < 1e-11


def test_random_splits_are_grokked() -> None:
    """Perfect in training from the first iteration, nothing for some, then a jump."""
    table = rfm.fit(half(rfm.addition(23), fraction=0.7), rfm.Gaussian(), 25).table
    assert (table["train_accuracy"] == 1).all()
    assert (table["test_accuracy"].iloc[:6] < 0.05).all()
    assert table["test_accuracy"].iloc[-1] > 0.95


# ----------------------------------------------------------------------------------------- options


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
def test_ten_iterations_are_five_and_five_from_there(kernel: rfm.Kernel) -> None:
    split = half(rfm.addition(11), fraction=0.6)
    whole = rfm.fit(split, kernel, 10)
    first = rfm.fit(split, kernel, 5)
    second = rfm.fit(split, kernel, 5, M0=first.features)
    same(second.features, whole.features, 1e-10)
    joined = pd.concat([first.table, second.table], ignore_index=True)
    assert np.allclose(joined, whole.table, rtol=1e-9, atol=1e-10, equal_nan=True)


def test_m0_is_only_read() -> None:
    M0 = torch.eye(14, dtype=torch.float64)
    given = M0.clone()
    run = rfm.fit(half(PLUS), rfm.Gaussian(), 2, M0=given, keep_features=True)
    assert (given == M0).all()
    assert run.history[0].data_ptr() != given.data_ptr()
    plain = rfm.fit(half(PLUS), rfm.Gaussian(), 2)
    assert (run.features == plain.features).all()
    assert (run.settings["M0"], plain.settings["M0"]) == ("given", "identity")


def test_the_scale_of_m0_is_the_bandwidth() -> None:
    split = half(PLUS)
    M0 = 4 * torch.eye(14, dtype=torch.float64)
    wide = rfm.fit(split, rfm.Gaussian(5.0), 1, M0=M0)
    narrow = rfm.fit(split, rfm.Gaussian(2.5), 1)
    assert wide.table["test_loss"].iloc[0] == pytest.approx(narrow.table["test_loss"].iloc[0])


def test_every_m_is_kept_when_asked_for() -> None:
    split = half(PLUS)
    run = rfm.fit(split, rfm.Gaussian(), 4, keep_features=True)
    assert len(run.history) == 5
    assert (run.history[0] == torch.eye(14)).all()
    for t in range(1, 5):
        assert (run.history[t] == rfm.fit(split, rfm.Gaussian(), t).features).all()
        moved = (run.history[t] - run.history[t - 1]).norm() / run.history[t - 1].norm()
        assert run.table["step"][t] == pytest.approx(float(moved))
    assert run.history[4].equal(run.features)
    assert rfm.fit(split, rfm.Gaussian(), 4).history == ()


def test_m_is_symmetric_and_positive_semi_definite() -> None:
    for M in rfm.fit(half(PLUS), rfm.Quadratic(), 6, keep_features=True).history:
        same(M, M.T, 1e-14)
        assert torch.linalg.eigvalsh(M)[0] > -1e-14 * M.norm()


def test_a_stopping_rule_sees_every_row_and_ends_the_run() -> None:
    seen = []

    def after_three(row: dict[str, float]) -> bool:
        seen.append(row)
        return len(seen) == 3

    run = rfm.fit(half(PLUS), rfm.Gaussian(), 10, stop=after_three)
    assert len(run.table) == len(run.seconds) == 3
    assert set(seen[0]) == {"iteration", *COLUMNS}
    assert [row["test_loss"] for row in seen] == run.table["test_loss"].tolist()
    assert run.features.equal(rfm.fit(half(PLUS), rfm.Gaussian(), 3).features)
    assert run.settings["iterations"] == 10


@pytest.mark.parametrize("tolerance", [1e-3, 1e-7])
def test_converged_runs_stop(tolerance: float) -> None:
    run = rfm.fit(trap(rfm.addition(13)), rfm.Gaussian(), 100, stop=rfm.converged(tolerance))
    steps = run.table["step"].tolist()
    assert steps[-1] < tolerance
    assert min(steps[:-1]) >= tolerance
    assert len(steps) < 20
    assert rfm.converged()({"step": 0.99e-7})
    assert not rfm.converged()({"step": 1.01e-7})


def test_an_interrupted_run_keeps_what_it_has() -> None:
    def interrupt(row: dict[str, float]) -> bool:
        if row["iteration"] == 3:
            raise KeyboardInterrupt
        return False

    split = half(PLUS)
    with pytest.raises(KeyboardInterrupt, match="after 3 iterations") as caught:
        rfm.fit(split, rfm.Gaussian(), 10, stop=interrupt, keep_features=True)
    assert isinstance(caught.value, Interrupted)
    run, plain = caught.value.run, rfm.fit(split, rfm.Gaussian(), 3)
    pd.testing.assert_frame_equal(run.table, plain.table)
    pd.testing.assert_frame_equal(run.predictions, plain.predictions)
    assert run.features.equal(plain.features)
    assert len(run.history) == 4
    assert len(run.seconds) == 3


def test_an_interruption_in_mid_iteration_keeps_the_ones_before() -> None:
    class Impatient(rfm.Gaussian):
        calls = 0

        def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
            Impatient.calls += 1
            if Impatient.calls == 3:  # one chunk an iteration
                raise KeyboardInterrupt
            return super().weights(x, y, M)

    with pytest.raises(KeyboardInterrupt) as caught:
        rfm.fit(half(PLUS), Impatient(), 10)
    assert isinstance(caught.value, Interrupted)
    plain = rfm.fit(half(PLUS), rfm.Gaussian(), 2)
    pd.testing.assert_frame_equal(caught.value.run.table, plain.table)
    assert caught.value.run.features.equal(plain.features)


def test_an_interruption_before_the_first_row_is_a_plain_one() -> None:
    class Unstartable(Untouchable):
        def profile(self, u):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        rfm.fit(half(PLUS), Unstartable(), 10)
    assert not isinstance(caught.value, Interrupted)


def test_a_kernel_that_turns_singular_costs_no_finished_row(monkeypatch) -> None:
    factorise, calls = rfm.machine.factorise, []

    def fails_third(*args: object, **kwargs: object) -> rfm.Factor:
        calls.append(1)
        if len(calls) == 3:
            raise rfm.SingularKernelError("singular")
        return factorise(*args, **kwargs)

    monkeypatch.setattr(rfm.machine, "factorise", fails_third)
    with pytest.raises(rfm.RunError, match=r"iteration 3: SingularKernelError: singular") as error:
        rfm.fit(half(PLUS), rfm.Gaussian(), 5)
    assert isinstance(error.value.__cause__, rfm.SingularKernelError)
    assert error.value.iteration == 3
    assert len(error.value.run.table) == 2
    assert error.value.run.ended.startswith("failed in iteration 3")
    assert error.value.run.features.equal(rfm.fit(half(PLUS), rfm.Gaussian(), 2).features)


@pytest.mark.parametrize(
    ("stop", "told"), [(None, ""), (rfm.converged(1e-3), "converged(tolerance=0.001)")]
)
def test_settings_tell_the_stopping_rule(stop, told: str) -> None:
    assert rfm.fit(half(PLUS), rfm.Gaussian(), 1, stop=stop).settings["stop"] == told


def test_settings_say_what_made_the_run() -> None:
    split = trap(PLUS).move_random(2, 8)
    chosen = {"ridge": 0.25, "power": 0.75, "centred": False, "dtype": torch.float32}
    run = rfm.fit(split, rfm.Gaussian(1.5), 3, device="cpu", **chosen)
    settings = run.settings
    assert settings == json.loads(json.dumps(settings))  # plain values
    told = set(inspect.signature(rfm.fit).parameters) - {
        "stop",
        "progress",
        "keep_features",
        "warn",
    }
    assert told <= set(settings)
    expected = {
        "task": "x + y mod 7",
        "train_size": 40,
        "kernel": "Gaussian(bandwidth=1.5)",
        "iterations": 3,
        "ridge": 0.25,
        "power": 0.75,
        "centred": False,
        "M0": "identity",
        "dtype": "float32",
        "device": "cpu",
        "torch": torch.__version__,
    }
    assert {key: settings[key] for key in expected} == expected
    assert "Fix(s)" in settings["split"]
    assert "moved 2 at random (seed 8)" in settings["split"]
    assert run.split is split


def test_defaults_are_those_of_the_released_code() -> None:
    settings = rfm.fit(half(PLUS), rfm.Gaussian(), stop=lambda row: True).settings
    names = ("iterations", "ridge", "power", "centred", "M0", "dtype")
    assert [settings[name] for name in names] == [60, 0.0, 0.5, True, "identity", "float64"]


def test_single_precision_runs() -> None:
    split = half(rfm.addition(11), fraction=0.6)
    single, double = (
        rfm.fit(split, rfm.Gaussian(), 6, dtype=dtype) for dtype in (torch.float32, torch.float64)
    )
    assert single.features.dtype == torch.float32
    assert double.features.dtype == torch.float64
    same(single.features.double(), double.features, 1e-3)
    for column in ("test_loss", "step"):
        assert single.table[column].tolist() == pytest.approx(
            double.table[column].tolist(), abs=1e-3
        )


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
@pytest.mark.filterwarnings("ignore::rfm.JitterWarning")
def test_single_precision_is_trapped_as_well(kernel: rfm.Kernel) -> None:
    """What separates the scores there is rounding, 1e-5 in float32, and counts as a tie."""
    for p in (7, 13):
        table = rfm.fit(trap(rfm.addition(p)), kernel, 40, dtype=torch.float32).table
        assert (table["test_accuracy"] == 0).all()


# -------------------------------------------------------------------------- cost, warnings, output


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
def test_one_factorisation_an_iteration(monkeypatch: pytest.MonkeyPatch, kernel) -> None:
    calls: list[tuple[str, int]] = []
    for name in (
        "cholesky_ex",
        "cholesky",
        "lu_factor",
        "lu_factor_ex",
        "solve",
        "inv",
        "qr",
        "svd",
    ):
        real = getattr(torch.linalg, name)

        def counted(A: Tensor, *args, name=name, real=real, **kwargs):
            calls.append((name, len(A)))
            return real(A, *args, **kwargs)

        monkeypatch.setattr(torch.linalg, name, counted)
    for name in ("lstsq", "pinv", "eig"):
        monkeypatch.delattr(torch.linalg, name)
    run = rfm.fit(half(PLUS), kernel, 5)
    assert calls == [("cholesky_ex", len(run.split.train))] * 5


@pytest.mark.filterwarnings("error")
def test_nothing_is_written_unless_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    rfm.fit(half(PLUS), rfm.Gaussian(), 3)
    assert tuple(capfd.readouterr()) == ("", "")
    rfm.fit(half(PLUS), rfm.Gaussian(), 3, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "x + y mod 7" in err
    assert "3/3" in err


def test_a_singular_run_warns_once() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = rfm.fit(trap(PLUS), rfm.Quadratic(), 20)
    assert [warning.category for warning in caught] == [JitterWarning]
    assert (run.table["jitter"] > 0).sum() > 5
    assert run.table["train_loss"].iloc[-1] > 0  # it is not exactly interpolating any more


def test_the_same_run_twice_is_the_same_run() -> None:
    one, other = (rfm.fit(half(PLUS), rfm.Gaussian(), 5) for _ in range(2))
    assert one.features.equal(other.features)
    pd.testing.assert_frame_equal(one.table, other.table)


def test_threads_do_not_matter() -> None:
    split = half(rfm.addition(11), fraction=0.6)
    runs: list[Run] = []
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            runs.append(rfm.fit(split, rfm.Gaussian(), 5))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    same(runs[1].features, runs[0].features, 1e-9)
    one, two = (run.table.drop(columns="condition") for run in runs)
    assert np.allclose(one, two, rtol=0, atol=1e-9, equal_nan=True)


# --------------------------------------------------------------------------------- no global state


def test_a_run_leaves_torch_as_it_was() -> None:
    state, dtype, grad = torch.get_rng_state(), torch.get_default_dtype(), torch.is_grad_enabled()
    rfm.fit(half(PLUS), rfm.Gaussian(), 3)
    rfm.fit(trap(PLUS).move_random(3, 1), rfm.Quadratic(), 2, dtype=torch.float32)
    assert (torch.get_rng_state() == state).all()
    assert torch.get_default_dtype() == dtype
    assert torch.is_grad_enabled() == grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_default_dtype_plays_no_part(dtype: torch.dtype) -> None:
    expected = rfm.fit(trap(PLUS).move_random(3, 1), rfm.Gaussian(), 4)
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype)
        run = rfm.fit(trap(PLUS).move_random(3, 1), rfm.Gaussian(), 4)
        circulant = rfm.random_circulant_features(PLUS, 0)
    finally:
        torch.set_default_dtype(before)
    assert run.features.equal(expected.features)
    assert circulant.equal(rfm.random_circulant_features(PLUS, 0))


def test_importing_leaves_torch_and_numpy_as_they_were() -> None:
    program = """
import numpy, torch, warnings
before = torch.get_rng_state(), torch.get_default_dtype(), torch.get_num_threads()
state, filters = numpy.random.get_state()[1].tolist(), list(warnings.filters)
import rfm
assert (torch.get_rng_state() == before[0]).all()
assert (torch.get_default_dtype(), torch.get_num_threads()) == before[1:]
assert numpy.random.get_state()[1].tolist() == state
assert set(rfm.__all__) <= set(dir(rfm))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ----------------------------------------------------------------------- refusals, before any work


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations must be an integer from 1"),
        ({"iterations": -3}, "iterations must be an integer from 1"),
        ({"iterations": 2.5}, "iterations must be an integer from 1"),
        ({"iterations": True}, "iterations must be an integer from 1"),
        ({"ridge": -1e-9}, "ridge must be a finite number"),
        ({"ridge": float("nan")}, "ridge must be a finite number"),
        ({"ridge": float("inf")}, "ridge must be a finite number"),
        ({"ridge": None}, "ridge must be a finite number"),
        ({"power": 0}, "power must be a positive"),
        ({"power": -0.5}, "power must be a positive"),
        ({"power": float("nan")}, "power must be a positive"),
        ({"power": float("inf")}, "power must be a positive"),
        ({"M0": torch.eye(13)}, r"M0 must be a floating-point \(14, 14\)"),
        ({"M0": torch.eye(28)}, r"M0 must be a floating-point \(14, 14\)"),
        ({"M0": torch.ones(14)}, r"M0 must be a floating-point \(14, 14\)"),
        ({"M0": [[1.0]]}, r"M0 must be a floating-point \(14, 14\)"),
        ({"M0": torch.ones(14, 14).triu()}, "M0 is not symmetric"),
        ({"M0": -torch.eye(14)}, "positive semi-definite and not zero"),
        ({"M0": torch.zeros(14, 14)}, "positive semi-definite and not zero"),
        ({"M0": torch.full((14, 14), float("nan"))}, "finite"),
        ({"M0": torch.full((14, 14), float("inf"))}, "finite"),
        ({"dtype": torch.float16}, "dtype must be torch.float64 or torch.float32"),
        ({"dtype": torch.int64}, "dtype must be torch.float64 or torch.float32"),
        ({"device": "mps"}, "cannot compute in float64"),
        ({"device": torch.device("mps")}, "cannot compute in float64"),
        ({"device": "banana"}, "device must be auto, cpu"),
        ({"device": "meta"}, "device must be auto, cpu"),
        ({"device": ""}, "device must be auto, cpu"),
        ({"device": None}, "device must be auto, cpu"),
        ({"device": "cuda:x"}, "device must be auto, cpu"),
    ],
    ids=lambda value: str(value)[:40].replace("\n", "") if isinstance(value, dict) else "",
)
def test_settings_out_of_range_are_refused_before_any_work(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        rfm.fit(half(PLUS), Untouchable(), **options)


@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda", 0)], ids=str)
def test_a_gpu_that_is_not_there_is_refused(monkeypatch, device) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="no CUDA GPU"):
        rfm.fit(half(PLUS), Untouchable(), device=device)
    assert rfm.fit(half(PLUS), rfm.Gaussian(), 1, device="auto").settings["device"] == "cpu"


def test_an_explicit_cpu_is_taken() -> None:
    expected = rfm.fit(half(PLUS), rfm.Gaussian(), 2).features
    for device in ("cpu", torch.device("cpu")):
        assert rfm.fit(half(PLUS), rfm.Gaussian(), 2, device=device).features.equal(expected)


def test_a_run_that_would_not_fit_is_refused_with_the_estimate(monkeypatch) -> None:
    split = half(rfm.addition(61))
    needed = rfm.memory_estimate(split)
    free = SimpleNamespace(available=needed - 1)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(MemoryError) as refusal:
        rfm.fit(split, Untouchable())
    message = str(refusal.value)
    assert "x + y mod 61 with 1860 training samples" in message
    assert f"{needed / 2**30:.1f} GiB" in message
    free.available = needed
    with pytest.raises(rfm.RunError, match="work was done"):  # now it starts
        rfm.fit(split, Untouchable())


def test_the_memory_estimate_grows_as_it_should() -> None:
    def estimate(p: int, fraction: float, dtype: torch.dtype = torch.float64) -> int:
        return rfm.memory_estimate(half(rfm.addition(p), fraction=fraction), dtype)

    N = round(0.9 * 97**2)
    assert 2 * 8 * N * N < estimate(97, 0.9) < 3 * 8 * N * N  # the kernel matrix and its factor
    assert estimate(29, 0.5, torch.float32) * 2 == estimate(29, 0.5)
    assert estimate(29, 0.5) < estimate(29, 0.6) < estimate(31, 0.6)
    assert estimate(61, 0.98) < 0.8 * 2**30


@pytest.mark.parametrize(("p", "fraction"), [(101, 0.005), (61, 0.7)])
@pytest.mark.parametrize("kernel", ["Gaussian()", "Quadratic()"])
def test_a_run_takes_no_more_memory_than_it_asks_for(p: int, fraction: float, kernel: str) -> None:
    """The rise of a process's peak, less what libraries take on their first use."""
    code = f"""
import resource, torch, rfm
torch.set_num_threads(1)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
rfm.fit(rfm.random_split(rfm.addition(5), 0.5, 0), rfm.{kernel}, 2, warn=False)
split = rfm.random_split(rfm.addition({p}), {fraction}, 0)
needed, before = rfm.memory_estimate(split), peak()
rfm.fit(split, rfm.{kernel}, 1, warn=False)
print(needed, peak() - before)
"""
    made = processes.python(code, Path(rfm.__file__).parent.parent)
    needed, taken = map(int, made.stdout.split())
    assert taken <= 1.1 * needed + 20e6
