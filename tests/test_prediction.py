"""Predictions from subgroups against runs: everything counted once more, point by point."""

from __future__ import annotations

import pytest
import torch
from oracles import Arithmetic
from torch import Tensor

import rfm
from rfm import Prediction, Run, Split, Subgroup

PLUS = rfm.addition(7)
S = PLUS.reflection(0)
COLUMNS = ["predicted", "right", "both", "agree", "precision", "recall"]
every_kernel = pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()], ids=repr)
pytestmark = pytest.mark.filterwarnings("ignore::rfm.JitterWarning")


def moved(mirror: rfm.Symmetry, count: int, seed: int = 0) -> Split:
    """An axis withheld, and some points more."""
    return rfm.withhold(mirror.task, mirror.fixed_points()).move_random(count, seed)


def some_subgroups(task: rfm.Task) -> list[Subgroup]:
    r, s = task.rotations, task.reflections
    generators = [[task.identity], [s[1]], [r[-1]], [s[0], s[2]], [r[2], s[1]], task.symmetries]
    return [rfm.generate(*some) for some in generators]


def by_hand(predicted: list[bool], right: list[bool]) -> dict[str, float]:
    """The columns of one row, point by point."""
    said = hits = both = agree = 0
    for claim, outcome in zip(predicted, right, strict=True):
        said, hits = said + claim, hits + outcome
        both += 1 if claim and outcome else 0
        agree += 1 if claim is outcome else 0
    shares = [both / said if said else 1.0, both / hits if hits else 1.0]
    return dict(zip(COLUMNS, [said, hits, both, agree, *shares], strict=True))


# ---------------------------------------------------------------------------------- the prediction


def test_points_in_the_orbit_of_the_training_set_are_said_to_be_right(
    arithmetic: Arithmetic,
) -> None:
    task = arithmetic.task
    counts = set()
    for split in (moved(task.reflections[1], task.n**2 // 2), rfm.random_split(task, 0.2, 1)):
        train = set(arithmetic.values(split.train))
        for H in some_subgroups(task):
            prediction = rfm.predict(H, split)
            assert prediction.split is split
            assert prediction.right.dtype == torch.bool
            assert prediction.right.tolist() == [
                any(arithmetic.act(g, pair) in train for g in H)
                for pair in arithmetic.values(split.test)
            ]
            counts.add(int(prediction.right.sum()))
    assert len(counts) > 4


def test_the_identity_predicts_nothing_and_all_of_dih_a_whole_classes() -> None:
    split = rfm.withhold(PLUS, PLUS.samples[(PLUS.labels < 2) | (PLUS.samples[:, 0] == 3)])
    assert not rfm.predict(rfm.generate(PLUS.identity), split).right.any()
    everything = rfm.predict(rfm.generate(*PLUS.symmetries), split)
    assert everything.right.tolist() == (PLUS.label(split.test) >= 2).tolist()
    assert 0 < everything.right.sum() < len(split.test)


# ------------------------------------------------------------------------------ and what came of it


@every_kernel
def test_compared_by_counting(arithmetic: Arithmetic, kernel: rfm.Kernel) -> None:
    """From circulant features, with which some points are right from the start."""
    task = arithmetic.task
    split, M0 = moved(task.reflections[1], task.n**2 // 8), rfm.random_circulant_features(task, 0)
    runs = [rfm.fit(split, kernel, t, M0=M0) for t in (1, 2, 3)]
    run, outcomes = runs[-1], [shorter.predictions["correct"].tolist() for shorter in runs]
    if kernel == rfm.Quadratic():
        assert 0 < sum(map(sum, outcomes)) < 3 * len(split.test)
    for H in some_subgroups(task):
        prediction = rfm.predict(H, split)
        table = prediction.compared(run)
        assert list(table.columns) == COLUMNS
        assert table.index.equals(run.table.index)
        expected = [by_hand(prediction.right.tolist(), right) for right in outcomes]
        assert table.to_dict("records") == expected


@every_kernel
def test_precision_and_recall_of_an_iteration(arithmetic: Arithmetic, kernel: rfm.Kernel) -> None:
    task = arithmetic.task
    split = rfm.random_split(task, 0.6, 3)
    run = rfm.fit(split, kernel, 4, M0=rfm.random_circulant_features(task, 0))
    for H in some_subgroups(task):
        prediction = rfm.predict(H, split)
        expected = [
            (row["precision"], row["recall"])
            for row in (by_hand(prediction.right.tolist(), right) for right in run.right.tolist())
        ]
        assert [prediction.precision_recall(run, t) for t in (1, 2, 3, 4)] == expected
        assert prediction.precision_recall(run) == expected[-1]
        assert all(type(share) is float for share in prediction.precision_recall(run))


def run_with(split: Split, *right: list[int]) -> Run:
    """A run, but for what it got right."""
    made = rfm.fit(split, rfm.Gaussian(), len(right))
    return Run(
        split,
        made.table,
        made.features,
        made.predictions,
        torch.tensor(right, dtype=torch.bool),
        made.seconds,
        made.settings,
        made.ended,
    )


def test_a_small_case_in_full() -> None:
    split = rfm.withhold(PLUS, PLUS.samples[3:8])
    run = run_with(split, [0, 0, 0, 0, 0], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0])
    prediction = Prediction(split, torch.tensor([True, False, False, True, False]))
    assert prediction.correct().tolist() == [True, False, False, True, False]
    table = prediction.compared(run)
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table["predicted"].tolist() == [2, 2, 2, 2]
    assert table["right"].tolist() == [0, 2, 5, 2]
    assert table["both"].tolist() == [0, 1, 2, 0]
    assert table["agree"].tolist() == [3, 3, 2, 1]
    assert table["precision"].tolist() == [0, 0.5, 1, 0]
    assert table["recall"].tolist() == [1, 0.5, 0.4, 0]


def test_nothing_claimed_is_precise_and_nothing_to_miss_is_recalled() -> None:
    split = rfm.withhold(PLUS, PLUS.samples[:3])
    run = run_with(split, [0, 0, 0], [0, 1, 1])
    nothing = Prediction(split, torch.tensor([False] * 3))
    everything = Prediction(split, torch.tensor([True] * 3))
    assert nothing.precision_recall(run, 1) == (1, 1)
    assert nothing.precision_recall(run, 2) == (1, 0)
    assert everything.precision_recall(run, 1) == (0, 1)
    assert everything.precision_recall(run, 2) == (2 / 3, 1)


@every_kernel
def test_in_the_trap_nothing_is_predicted_and_nothing_right(
    arithmetic: Arithmetic, kernel: rfm.Kernel
) -> None:
    mirror = arithmetic.task.reflections[2]
    split = rfm.withhold(mirror.task, mirror.fixed_points())
    table = rfm.predict(rfm.generate(mirror), split).compared(rfm.fit(split, kernel, 3))
    assert (table[["predicted", "right", "both"]] == 0).all(axis=None)
    assert (table["agree"] == mirror.task.n).all()
    assert (table[["precision", "recall"]] == 1).all(axis=None)


def mirrored_features(mirror: rfm.Symmetry) -> Tensor:
    """(I − Π) C (I − Π)ᵀ with C = diag(P, P), P = I − J/n: a metric M with M Π = −M."""
    n, Π = mirror.task.n, mirror.matrix()
    P = torch.eye(n, dtype=torch.float64) - 1 / n
    apart = torch.eye(2 * n, dtype=torch.float64) - Π
    return apart @ torch.block_diag(P, P) @ apart.T


def test_features_that_encode_one_reflection_know_the_points_it_reaches(
    arithmetic: Arithmetic,
) -> None:
    """M Π = −M makes (xᵀMx′)² blind to the reflection g, and so is f: f(gx) = f(x).

    The next M has the range of this one, hence the same property. So every test point with its
    image in training is right in every iteration, and no point of the axis, where f = 0, ever is.
    """
    task = arithmetic.task
    for which, seed in ((0, 0), (2, 1), (-1, 2)):
        mirror = task.reflections[which]
        M0, split = mirrored_features(mirror), moved(mirror, task.n**2 // 5, seed)
        assert (M0 @ mirror.matrix() + M0).abs().max() < 1e-12
        run = rfm.fit(split, rfm.Quadratic(), 4, M0=M0)
        prediction = rfm.predict(rfm.generate(mirror), split)
        train = set(arithmetic.values(split.train))
        reached = [arithmetic.act(mirror, pair) in train for pair in arithmetic.values(split.test)]
        assert prediction.right.tolist() == reached
        assert (prediction.compared(run)["precision"] == 1).all()
        assert run.right[:, torch.tensor(reached)].all()
        on_axis = torch.tensor(
            [arithmetic.act(mirror, pair) == pair for pair in arithmetic.values(split.test)]
        )
        assert not run.right[:, on_axis].any()
        assert 0 < sum(reached) < len(split.test) - task.n + 1


# ------------------------------------------------------------------------------------------ errors


def test_a_subgroup_of_another_task_predicts_nothing_here() -> None:
    split = moved(S, 5)
    for task in (rfm.subtraction(7), rfm.addition(8)):
        with pytest.raises(ValueError, match="does not act on a split of"):
            rfm.predict(rfm.generate(task.reflection(0)), split)


def test_a_run_on_another_split_is_refused() -> None:
    prediction = rfm.predict(rfm.generate(S), moved(S, 5, seed=0))
    same_pairs = rfm.random_split(S.task, 0.5, 0), rfm.random_split(rfm.subtraction(7), 0.5, 0)
    twin = rfm.predict(rfm.generate(S), same_pairs[0])
    with pytest.raises(ValueError, match="for another split than the run's x − y mod 7"):
        twin.compared(rfm.fit(same_pairs[1], rfm.Gaussian(), 1))
    for other in (moved(S, 5, seed=1), moved(rfm.addition(8).reflection(0), 5)):
        run = rfm.fit(other, rfm.Gaussian(), 1)
        for method in (prediction.compared, prediction.precision_recall):
            with pytest.raises(ValueError, match="for another split than the run's x \\+ y mod"):
                method(run)


def test_a_run_on_the_same_split_made_anew_will_do() -> None:
    run = rfm.fit(moved(S, 5), rfm.Gaussian(), 2)
    H = rfm.generate(S)
    anew, same = (rfm.predict(H, split).compared(run) for split in (moved(S, 5), run.split))
    assert anew.equals(same)


@pytest.mark.parametrize("iteration", [0, 4, -1])
def test_an_iteration_that_was_not_made_is_refused(iteration: int) -> None:
    split = moved(S, 5)
    run = rfm.fit(split, rfm.Gaussian(), 3)
    with pytest.raises(
        ValueError, match=f"iteration must be an integer from 1 to 3, not {iteration}"
    ):
        rfm.predict(rfm.generate(S), split).precision_recall(run, iteration)
