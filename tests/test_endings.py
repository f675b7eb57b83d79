"""How runs end: metrics that vanish, rules that raise, what counts as rounding, why it is over."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch

import rfm
from rfm import RunError

PLUS = rfm.addition(7)
RANDOM = rfm.random_split(PLUS, 0.6, 0)
TRAP = rfm.withhold(PLUS, PLUS.reflection(0).fixed_points())
G = rfm.Gaussian()


def ended(*arguments: object, **options: object) -> RunError:
    with pytest.raises(RunError) as caught:
        rfm.fit(*arguments, warn=False, **options)
    return caught.value


# ----------------------------------------------------------------------------- metrics that vanish


def test_a_metric_that_vanishes_at_once_ends_the_run() -> None:
    error = ended(RANDOM, rfm.Gaussian(0.05), 10)
    assert (error.iteration, error.run) == (1, None)
    assert "vanished" in str(error)


def test_a_metric_that_vanishes_later_leaves_what_was_finished() -> None:
    error = ended(RANDOM, rfm.Quadratic(), 60, ridge=1.0)
    assert error.iteration == len(error.run.table) + 1
    assert 5 < error.iteration < 30
    assert torch.isfinite(torch.tensor(error.run.table["step"].to_numpy())).all()
    assert error.run.features.any()
    assert error.run.ended.startswith(f"failed in iteration {error.iteration}: VanishedError")


@pytest.mark.parametrize("size", [1e-160, 1e-200, 1e160, 1e300])
@pytest.mark.parametrize("kernel", [rfm.Quadratic(), G, rfm.Laplace(), rfm.Matern()], ids=repr)
def test_a_start_too_small_or_too_large_ends_in_one_documented_error(size, kernel) -> None:
    M0 = size * torch.eye(14, dtype=torch.float64)
    try:
        run = rfm.fit(RANDOM, kernel, 4, M0=M0, warn=False)
    except RunError as error:
        reason = error.reason.split(":")[0]
    else:
        reason = "VanishedError"
        assert torch.isfinite(run.features).all()
        assert run.features.any()
    assert reason in ("SingularKernelError", "VanishedError")


@pytest.mark.parametrize("bandwidth", [1e-150, 1e-80, 1e-3, 1e80, 1e150])
def test_an_extreme_bandwidth_ends_in_one_documented_error(bandwidth: float) -> None:
    for kernel in (rfm.Gaussian(bandwidth), rfm.Laplace(bandwidth), rfm.Matern(bandwidth)):
        try:
            run = rfm.fit(RANDOM, kernel, 3, warn=False)
        except RunError:
            continue
        assert torch.isfinite(run.features).all()


# --------------------------------------------------------------------------- what counts as a lead


def exact_scores(split: rfm.Split, machine: rfm.KernelMachine, profile) -> torch.Tensor:
    """f at the test points with fifty digits, from the metric in floating point as it is."""
    mpmath.mp.dps, n = 50, split.task.n
    M = [[mpmath.mpf(entry) for entry in row] for row in machine.M.tolist()]

    def inner(x: tuple[int, int], y: tuple[int, int]) -> mpmath.mpf:
        return sum(M[i][j] for i in (x[0], n + x[1]) for j in (y[0], n + y[1]))

    def k(x: tuple[int, int], y: tuple[int, int]) -> mpmath.mpf:
        return profile(inner(x, x) + inner(y, y) - 2 * inner(x, y), inner(x, y))

    train, test = split.train.tolist(), split.test.tolist()
    K = mpmath.matrix([[k(x, y) for y in train] for x in train])
    K += mpmath.mpf(machine.factor.ridge) * mpmath.eye(len(train))
    α = mpmath.lu_solve(K, mpmath.matrix(machine.targets[:, :1].tolist()))
    scores = mpmath.matrix([[k(x, y) for y in train] for x in test]) * α
    return torch.tensor([float(value) for value in scores], dtype=torch.float64)


CASES = {
    "narrow, jitter": (rfm.Gaussian(0.1), lambda u, t: mpmath.exp(-u * 50), RANDOM, 0.0),
    "quadratic": (rfm.Quadratic(), lambda u, t: t * t, RANDOM, 0.0),
    "quadratic, mostly ridge": (rfm.Quadratic(), lambda u, t: t * t, RANDOM, 10.0),
    "quadratic trap, jitter": (rfm.Quadratic(), lambda u, t: t * t, TRAP, 0.0),
}


@pytest.mark.parametrize(("kernel", "profile", "split", "ridge"), CASES.values(), ids=CASES)
def test_scores_are_exact_to_their_resolution(kernel, profile, split, ridge) -> None:
    try:
        run = rfm.fit(split, kernel, 8, ridge=ridge, keep_features=True, warn=False)
    except RunError as error:
        run = error.run
    Y = PLUS.one_hot_labels(split.train)
    for t in (0, 2, len(run.table) - 1):
        machine = rfm.KernelMachine.fit(split.train, Y, kernel, run.history[t], ridge, warn=False)
        exact = exact_scores(split, machine, profile)
        off = float((machine.predict(split.test)[:, 0] - exact).abs().max())
        assert off < machine.resolution
        assert machine.resolution == run.table["tie"].iloc[t]


def test_a_lead_that_a_jitter_made_is_a_tie() -> None:
    run = rfm.fit(RANDOM, rfm.Gaussian(0.06), 6, warn=False)
    assert (run.table["jitter"].iloc[1:] > 0).all()
    assert not run.right[1:].any()
    assert (run.table["train_accuracy"].iloc[1:] == 0).all()


@pytest.mark.parametrize("fraction", [0.3, 0.6])
def test_training_accuracy_is_that_of_the_scores_under_the_rule_of_the_test(fraction) -> None:
    """Where next to nothing is left of Y, Y − λα is rounding; and f = 0 is right nowhere."""
    split = rfm.random_split(PLUS, fraction, 1)
    run = rfm.fit(split, rfm.Quadratic(), 6, ridge=10.0, keep_features=True)
    label, Y = PLUS.label(split.train), PLUS.one_hot_labels(split.train)
    for M, (_, row) in zip(run.history, run.table.iterrows(), strict=False):
        machine = rfm.KernelMachine.fit(split.train, Y, rfm.Quadratic(), M, 10.0)
        f = rfm.Quadratic().gram(split.train, split.train, M) @ machine.coefficients
        own = f.gather(1, label[:, None])[:, 0]
        lead = own - f.scatter(1, label[:, None], -math.inf).amax(1)
        right = lead > 1e-9 * f.abs().max()
        assert row["train_accuracy"] == float(right.double().mean())
    assert run.table["train_accuracy"].iloc[0] == 1
    assert 0 < run.table["train_accuracy"].iloc[4] < 1


# ------------------------------------------------------------------------------- how a run is ended


def test_a_scale_that_alternates_is_seen_in_the_direction() -> None:
    task = rfm.addition(13)
    trap = rfm.withhold(task, task.reflection(0).fixed_points())
    narrow = rfm.Gaussian(0.4)
    circling = rfm.fit(trap, narrow, 60, stop=rfm.converged(1e-7), keep_features=True)
    assert circling.ended == "all iterations done"
    sizes = [float(M.norm()) for M in circling.history[-4:]]
    assert sizes[0] == pytest.approx(sizes[2])
    assert sizes[1] == pytest.approx(sizes[3])
    assert max(sizes[:2]) > 2 * min(sizes[:2])
    settled = rfm.fit(trap, narrow, 60, stop=rfm.direction_converged(1e-7))
    assert len(settled.table) < 40
    told = f"stopped by direction_converged(tolerance=1e-07) after iteration {len(settled.table)}"
    assert settled.ended == told


def test_turn_is_the_step_of_the_direction() -> None:
    run = rfm.fit(RANDOM, G, 5, keep_features=True)
    unit = [M / M.norm() for M in run.history]
    expected = [float((b - a).norm()) for a, b in pairwise(unit)]
    assert run.table["turn"].tolist() == pytest.approx(expected, rel=1e-9)


ANSWERS = (float("nan"), 1, 0, None, "no", np.float64(0), torch.tensor(True))


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_a_rule_that_answers_neither_yes_nor_no_ends_the_run_at_its_first_row(answer) -> None:
    error = ended(RANDOM, G, 5, stop=lambda row: answer)
    assert (error.iteration, len(error.run.table)) == (1, 1)
    assert "must return True or False" in str(error)


def test_a_bool_of_numpy_is_an_answer() -> None:
    run = rfm.fit(RANDOM, G, 5, stop=lambda row: np.float64(row["iteration"]) >= 2)
    assert len(run.table) == 2


def test_a_rule_that_raises_costs_no_row() -> None:
    def fragile(row: dict[str, float]) -> bool:
        return 1 / (3 - row["iteration"]) < 0

    error = ended(RANDOM, G, 5, stop=fragile, keep_features=True)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert (error.iteration, len(error.run.table), len(error.run.history)) == (3, 3, 4)
    assert torch.equal(error.run.features, rfm.fit(RANDOM, G, 3).features)


def test_a_rule_cannot_change_the_record() -> None:
    def meddling(row: dict[str, float]) -> bool:
        row["test_accuracy"] = 2.0
        return False

    assert rfm.fit(RANDOM, G, 2, stop=meddling).table["test_accuracy"].max() <= 1


def test_an_eigensolver_that_fails_costs_no_row(monkeypatch) -> None:
    power, calls = rfm.updates.matrix_power, []

    def fails_third(*arguments: object) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise torch.linalg.LinAlgError("did not converge")
        return power(*arguments)

    monkeypatch.setattr(rfm.updates, "matrix_power", fails_third)
    error = ended(RANDOM, G, 5)
    assert (error.iteration, len(error.run.table), len(error.run.right)) == (3, 2, 2)


@pytest.mark.parametrize("where", ["matrix_power", "leads", "measured"])
def test_an_interrupt_leaves_rows_that_belong_together(where: str, monkeypatch) -> None:
    module = rfm.updates if where == "matrix_power" else rfm.recursion
    whole, calls = getattr(module, where), []

    def interrupted_third(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(module, where, interrupted_third)
    with pytest.raises(rfm.Interrupted) as caught:
        rfm.fit(RANDOM, G, 5, keep_features=True)
    run = caught.value.run
    assert len(run.table) == len(run.right) == len(run.seconds) == len(run.history) - 1 == 2
    assert run.ended == "interrupted in iteration 3"
    assert torch.equal(run.features, run.history[-1])
    monkeypatch.undo()
    assert torch.equal(run.features, rfm.fit(RANDOM, G, 2).features)


def test_jitter_is_told_once_a_run_or_not_at_all() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = rfm.fit(TRAP, rfm.Quadratic(), 20)
    assert (run.table["jitter"] > 0).sum() > 1
    assert [warning.category for warning in told] == [rfm.JitterWarning]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rfm.fit(TRAP, rfm.Quadratic(), 20, warn=False)
