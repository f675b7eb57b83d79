"""Splits: partitions, how they were made, and what an orbit-only model would get of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import FrozenInstanceError

import pytest
import torch
from oracles import Arithmetic

import rfm
import rfm.networks
from rfm import Kind, Split, Symmetry, Task

PLUS = rfm.addition(7)
S = PLUS.reflection(0)


def withheld(mirror: Symmetry) -> Split:
    return rfm.withhold(mirror.task, mirror.fixed_points())


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def as_set(pairs: torch.Tensor) -> set[tuple[int, ...]]:
    return {tuple(pair) for pair in pairs.tolist()}


def check_partition(split: Split) -> None:
    task = split.task
    train, test = as_set(split.train), as_set(split.test)
    assert len(train) == len(split.train)
    assert len(test) == len(split.test)
    assert train.isdisjoint(test)
    assert train | test == as_set(task.samples)
    parts = [split.of_kind(kind) for kind in Kind]
    assert sum(map(len, parts)) == task.n**2
    assert as_set(parts[Kind.TRAIN]) == train
    for pairs in (split.train, split.test, *parts):  # table order
        assert (task.index(pairs).diff() > 0).all()
    assert len(split.test_kind) == len(split.test)
    for kind in (Kind.RANDOM, Kind.WITHHELD, Kind.MOVED):
        assert (split.test[split.test_kind == kind] == split.of_kind(kind)).all()


# ----------------------------------------------------------------------------------- random splits


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.5, 0.75, 0.999])
def test_random_split_sizes(arithmetic: Arithmetic, fraction: float) -> None:
    task = arithmetic.task
    total = task.n**2
    if round(fraction * total) in (0, total):
        with pytest.raises(ValueError, match="between 0 and 1"):
            rfm.random_split(task, fraction, 0)
        return
    split = rfm.random_split(task, fraction, 0)
    check_partition(split)
    assert len(split.train) == round(fraction * total)
    assert set(split.test_kind.tolist()) == {Kind.RANDOM}
    assert split.mirrors == ()
    assert split.orbit_baseline() is None
    assert split.reached_by_orbits() is None


def test_random_splits_depend_on_the_seed_alone() -> None:
    splits = [as_set(rfm.random_split(PLUS, 0.5, seed).train) for seed in range(20)]
    again = [as_set(rfm.random_split(PLUS, 0.5, seed).train) for seed in range(20)]
    assert splits == again
    assert len({frozenset(split) for split in splits}) == 20
    assert as_set(rfm.random_split(PLUS, 0.5, generator(3)).train) == splits[3]


def test_every_sample_is_as_likely_as_any() -> None:
    counts = Counter(
        pair for seed in range(400) for pair in as_set(rfm.random_split(PLUS, 0.5, seed).train)
    )
    assert len(counts) == 49
    assert all(140 < count < 260 for count in counts.values())  # six standard deviations


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, 0.001, 0.9999, float("nan")])
def test_a_fraction_that_leaves_a_side_empty_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        rfm.random_split(PLUS, fraction, 0)


# ------------------------------------------------------------------------------------- withholding


def test_withholding_the_fixed_points_of_a_reflection(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for mirror in task.reflections:
        split = withheld(mirror)
        check_partition(split)
        assert as_set(split.test) == as_set(mirror.fixed_points())
        assert set(split.test_kind.tolist()) == {Kind.WITHHELD}
        assert split.mirrors == (mirror,)
        assert split.orbit_baseline() == 0
        assert not split.reached_by_orbits().any()
        assert f"Fix({mirror!r})" in split.history[0]


def test_withholding_several_reflections() -> None:
    task = rfm.addition(8)
    mirrors = (task.reflection(0), task.reflection(4))
    split = rfm.withhold(task, torch.cat([g.fixed_points() for g in mirrors]))
    check_partition(split)
    assert split.mirrors == mirrors
    assert len(split.test) == 16
    assert all(repr(g) in split.history[0] for g in mirrors)


def test_withholding_points_that_are_no_full_set() -> None:
    split = rfm.withhold(PLUS, PLUS.pair(2, 5))
    check_partition(split)
    assert split.test.tolist() == [[2, 5]]
    assert split.mirrors == ()
    assert split.orbit_baseline() is None

    some = S.fixed_points()[1:]
    assert rfm.withhold(PLUS, some).mirrors == ()
    more = torch.cat([S.fixed_points(), PLUS.pair(0, 1)[None]])
    split = rfm.withhold(PLUS, more)
    assert split.mirrors == (S,)
    assert "8 points" in split.history[0]


def test_withholding_a_point_twice_is_withholding_it() -> None:
    pairs = torch.stack([PLUS.pair(2, 5), PLUS.pair(2, 5)])
    assert len(rfm.withhold(PLUS, pairs).test) == 1


def test_withholding_nothing_or_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="no test points"):
        rfm.withhold(PLUS, torch.empty(0, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="no training points"):
        rfm.withhold(PLUS, PLUS.samples)
    with pytest.raises(ValueError, match="0, …, 6"):
        rfm.withhold(PLUS, torch.tensor([[7, 0]]))
    with pytest.raises(ValueError, match="int64"):
        rfm.withhold(PLUS, torch.tensor([[1.0, 0.0]]))


# ------------------------------------------------------------------------------- moves to the test


def test_moving_points() -> None:
    start = withheld(S)
    before = start.kind.clone()
    pairs = torch.stack([PLUS.pair(0, 1), PLUS.pair(3, 5)])
    split = start.move(pairs)
    check_partition(split)
    assert as_set(split.of_kind(Kind.MOVED)) == as_set(pairs)
    assert as_set(split.of_kind(Kind.WITHHELD)) == as_set(S.fixed_points())
    assert split.mirrors == start.mirrors
    assert split.history[:-1] == start.history
    assert len(split.history) == 2
    assert (start.kind == before).all()  # the old split is as it was
    assert len(start.test) == 7
    assert as_set(start.move(PLUS.pair(0, 1)).of_kind(Kind.MOVED)) == {(0, 1)}


@pytest.mark.parametrize("count", [0, 1, 5, 41])
def test_moving_at_random(count: int) -> None:
    start = withheld(S)
    split = start.move_random(count, 4)
    check_partition(split)
    assert len(split.of_kind(Kind.MOVED)) == count
    assert len(split.train) == 42 - count
    assert as_set(split.of_kind(Kind.WITHHELD)) == as_set(S.fixed_points())
    assert (split.kind == start.move_random(count, generator(4)).kind).all()
    assert "seed 4" in split.history[-1]


def test_moves_reach_every_training_point() -> None:
    start = withheld(S)
    seen = {as_set(start.move_random(1, seed).of_kind(Kind.MOVED)).pop() for seed in range(400)}
    assert seen == as_set(start.train)


def test_moving_from_a_random_split_keeps_the_kinds_apart() -> None:
    start = rfm.random_split(PLUS, 0.5, 0)
    split = start.move_random(5, 1)
    check_partition(split)
    assert as_set(split.of_kind(Kind.RANDOM)) == as_set(start.test)
    assert len(split.of_kind(Kind.MOVED)) == 5


def test_moves_in_turn_come_from_what_is_left() -> None:
    split, draws = withheld(S), generator(0)
    for step in range(1, 15):
        split = split.move_random(2, draws)
        assert len(split.of_kind(Kind.MOVED)) == 2 * step
    check_partition(split)
    assert len(split.history) == 15


def test_moving_mirror_pairs(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    mirror = task.reflections[2]
    start = withheld(mirror)
    candidates = (task.n**2 - task.n) // 2
    for count in (0, 1, 4, candidates - 1):
        split = start.move_mirror_pairs(count, mirror, 1)
        check_partition(split)
        moved = arithmetic.values(split.of_kind(Kind.MOVED))
        assert len(moved) == 2 * count
        assert {arithmetic.act(mirror, pair) for pair in moved} == set(moved)
        assert all(arithmetic.act(mirror, pair) != pair for pair in moved)
        assert split.orbit_baseline() == 0  # their mirror images are gone as well
    with pytest.raises(ValueError, match="no training points"):
        start.move_mirror_pairs(candidates, mirror, 1)
    with pytest.raises(ValueError, match=f"{candidates + 1} of {candidates} pairs"):
        start.move_mirror_pairs(candidates + 1, mirror, 1)


def test_mirror_pairs_need_both_points_in_training() -> None:
    """Of another reflection's pairs, those that meet the test set do not count."""
    split = withheld(S).move(PLUS.pair(0, 1))
    mirror = PLUS.reflection(3)
    train = as_set(split.train)
    images = map(tuple, mirror(split.train).tolist())
    pairs = zip(map(tuple, split.train.tolist()), images, strict=True)
    whole = [{x, image} for x, image in pairs if x < image and image in train]
    moved = split.move_mirror_pairs(len(whole), mirror, 0)
    assert as_set(moved.of_kind(Kind.MOVED)) == {(0, 1)}.union(*whole)
    with pytest.raises(ValueError, match=f"of {len(whole)} pairs mirrored by sr\\^3"):
        split.move_mirror_pairs(len(whole) + 1, mirror, 0)


def test_mirror_pairs_need_a_reflection_of_the_task() -> None:
    start = withheld(S)
    for wrong in (PLUS.rotation(1), PLUS.identity, rfm.subtraction(7).reflection(0)):
        with pytest.raises(ValueError, match="must be a reflection of x \\+ y mod 7"):
            start.move_mirror_pairs(1, wrong, 0)


def test_moves_that_cannot_be_are_refused() -> None:
    start = withheld(S)
    with pytest.raises(ValueError, match=r"\(3, 3\) is not in training"):
        start.move(PLUS.pair(3, 3))
    with pytest.raises(ValueError, match=r"\(0, 1\) is not in training"):
        start.move(PLUS.pair(0, 1)).move(torch.stack([PLUS.pair(1, 0), PLUS.pair(0, 1)]))
    with pytest.raises(ValueError, match="43 of 42 training points"):
        start.move_random(43, 0)
    with pytest.raises(ValueError, match="count must be an integer of at least 0, not -1"):
        start.move_random(-1, 0)
    with pytest.raises(ValueError, match="no training points"):
        start.move_random(42, 0)
    with pytest.raises(ValueError, match="no training points"):
        start.move(start.train)


def test_refusals_print_elements_not_positions() -> None:
    task = rfm.multiplication(11)
    start = rfm.withhold(task, task.pair(2, 10))
    with pytest.raises(ValueError, match=r"\(2, 10\) is not in training"):
        start.move(task.pair(2, 10))


# ------------------------------------------------------------------------------------- giving back


def test_giving_points_back() -> None:
    start = withheld(S).move_random(3, 0)
    split = start.give_back(PLUS.pair(2, 2))
    check_partition(split)
    assert as_set(split.of_kind(Kind.WITHHELD)) == as_set(S.fixed_points()) - {(2, 2)}
    assert (split.of_kind(Kind.MOVED) == start.of_kind(Kind.MOVED)).all()
    assert split.mirrors == (S,)
    assert as_set(split.train) == as_set(start.train) | {(2, 2)}


@pytest.mark.parametrize("count", [0, 1, 6])
def test_giving_back_at_random(count: int) -> None:
    start = withheld(S)
    split = start.give_back_random(count, 2)
    check_partition(split)
    assert len(split.of_kind(Kind.WITHHELD)) == 7 - count
    assert (split.kind == start.give_back_random(count, generator(2)).kind).all()
    assert "seed 2" in split.history[-1]


def test_giving_back_undoes_withholding_but_not_moving() -> None:
    start = withheld(S)
    with pytest.raises(ValueError, match=r"\(0, 1\) is not a withheld point"):
        start.give_back(PLUS.pair(0, 1))
    with pytest.raises(ValueError, match=r"\(0, 1\) is not a withheld point"):
        start.move(PLUS.pair(0, 1)).give_back(PLUS.pair(0, 1))
    with pytest.raises(ValueError, match="8 of 7 withheld points"):
        start.give_back_random(8, 0)
    with pytest.raises(ValueError, match="no test points"):
        start.give_back_random(7, 0)
    with pytest.raises(ValueError, match="1 of 0 withheld points"):
        rfm.random_split(PLUS, 0.5, 0).give_back_random(1, 0)


# ------------------------------------------------------------------------------ the orbit baseline


def reached_by_brute_force(arithmetic: Arithmetic, split: Split, H: set[Symmetry]) -> list[bool]:
    train = set(arithmetic.values(split.train))
    return [
        any(arithmetic.act(g, pair) in train for g in H) for pair in arithmetic.values(split.test)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_orbit_baseline_by_brute_force(arithmetic: Arithmetic, seed: int) -> None:
    task = arithmetic.task
    mirror = task.reflections[seed + 1]
    split = withheld(mirror).move_random(task.n**2 // 3, seed).give_back_random(1, seed)
    expected = reached_by_brute_force(arithmetic, split, {task.identity, mirror})
    assert split.reached_by_orbits().tolist() == expected
    assert split.orbit_baseline() == pytest.approx(sum(expected) / len(expected), abs=1e-15)
    assert 0 < split.orbit_baseline() < 1


def test_orbit_baseline_of_two_reflections_uses_the_group_they_generate(
    arithmetic: Arithmetic,
) -> None:
    task = arithmetic.task
    g, h = task.reflections[1], task.reflections[3]
    start = rfm.withhold(task, torch.cat([g.fixed_points(), h.fixed_points()]))
    split = start.move_random(len(start.train) * 2 // 3, 5)
    H = {task.identity}
    while len(grown := H | {x * y for x in H for y in (g, h)}) > len(H):
        H = grown
    expected = reached_by_brute_force(arithmetic, split, H)
    assert split.reached_by_orbits().tolist() == expected
    assert any(expected)


SUM_61 = rfm.addition(61).reflection(0)
PRODUCT_61 = rfm.multiplication(61).reflection(35)


@pytest.mark.parametrize(
    ("mirror", "moved", "percent"),
    [
        (SUM_61, 1, 1.6),
        (SUM_61, 100, 60.4),
        (SUM_61, 200, 72.5),
        (PRODUCT_61, 10, 14.2),
        (PRODUCT_61, 20, 24.9),
        (PRODUCT_61, 100, 60.8),
        (PRODUCT_61, 200, 72.6),
    ],
    ids=str,
)
def test_orbit_baseline_behind_table_1(mirror: Symmetry, moved: int, percent: float) -> None:
    """A moved point counts unless its mirror image moved too: percentages of [B] are means."""
    task = mirror.task
    start = withheld(mirror)
    size = task.n + moved
    mean = moved * (1 - (moved - 1) / (len(start.train) - 1)) / size
    assert abs(100 * mean - percent) < 0.06
    drawn = []
    for seed in range(8):
        split = start.move_random(moved, seed)
        points = as_set(split.of_kind(Kind.MOVED))
        alone = sum(tuple(mirror(torch.tensor(pair)).tolist()) not in points for pair in points)
        assert split.orbit_baseline() == pytest.approx(alone / size, abs=1e-15)
        assert (moved - alone) % 2 == 0
        drawn.append(alone / size)
    assert max(abs(x - mean) for x in drawn) < 10 / size  # a handful of pairs at most


def test_one_moved_point_has_baseline_one_in_62() -> None:
    split = withheld(SUM_61).move_random(1, 0)
    assert split.orbit_baseline() == pytest.approx(1 / 62, abs=1e-15)


# ------------------------------------------------------------------------ immutability, no globals


def test_a_split_cannot_be_reassigned() -> None:
    split = withheld(S)
    with pytest.raises(FrozenInstanceError):
        split.kind = split.kind


def test_draws_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    split = rfm.random_split(PLUS, 0.5, 1).move_random(2, 3)
    withheld(S).move_mirror_pairs(2, S, 3).give_back_random(1, 2)
    assert split.history[0].endswith("(seed 1)")
    assert (torch.get_rng_state() == before).all()


def test_an_explicit_generator_advances_and_is_told() -> None:
    draws = generator(11)
    first, second = (rfm.random_split(PLUS, 0.5, draws) for _ in range(2))
    assert as_set(first.train) != as_set(second.train)
    assert "generator of seed 11" in first.history[0]


def test_a_split_tells_how_it_was_made() -> None:
    split = withheld(S).move_random(2, 5).give_back_random(1, 6)
    text = repr(split)
    assert text.startswith("x + y mod 7: 41 in training, 8 in test")
    assert "Fix(s)" in text
    assert "moved 2 at random (seed 5)" in text
    assert "gave 1 back at random (seed 6)" in text


def test_kinds_are_a_byte_each() -> None:
    task: Task = rfm.addition(61)
    assert rfm.random_split(task, 0.5, 0).kind.dtype == torch.uint8


def test_a_pair_named_twice_moves_once_and_is_told_once() -> None:
    task = rfm.addition(5)
    split = withheld(task.reflection(0)).move([[0, 1], [0, 1], [2, 3]])
    assert len(split.of_kind(Kind.MOVED)) == 2
    assert split.history[-1] == "moved (0, 1), (2, 3)"


def test_a_seed_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="torch\\.Generator must be an integer"):
        rfm.random_split(rfm.addition(5), 0.5, seed=None)


# ----------------------------------------------------------------------------------- other labels


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 1.0])
def test_so_many_training_labels_are_flipped_and_no_others(share: float) -> None:
    split = rfm.random_split(PLUS, 0.6, 0)
    flipped = split.flip_labels(share, seed=3)
    assert flipped.flipped.sum() == round(share * len(split.train))
    assert torch.equal(flipped.kind, split.kind)
    assert split.labels is None
    assert (flipped.labels == PLUS.labels)[split.kind != Kind.TRAIN].all()
    assert (
        f"{100 * share:g}% of training labels flipped (seed 3)" == flipped.history[-1] or share == 0
    )
    again, other = split.flip_labels(share, seed=3), split.flip_labels(share, seed=4)
    assert torch.equal(again.train_labels, flipped.train_labels)
    assert share == 0 or not torch.equal(other.train_labels, flipped.train_labels)


def test_every_other_label_is_drawn_as_often() -> None:
    task = rfm.addition(5)
    split = rfm.random_split(task, 0.8, 0)
    shifts = [
        split.flip_labels(1.0, seed).train_labels - task.label(split.train) for seed in range(200)
    ]
    counts = torch.bincount(torch.cat(shifts) % 5, minlength=5)
    assert counts[0] == 0
    assert (counts[1:] - counts.sum() / 4).abs().max() < 5 * (counts.sum() / 4) ** 0.5


def test_flipped_labels_stay_with_their_samples() -> None:
    split = withheld(S).flip_labels(0.5, 1)
    after = split.move_random(5, 2).give_back_random(2, 3)
    told = dict(zip(map(tuple, split.train.tolist()), split.train_labels.tolist(), strict=True))
    for pair, label in zip(after.train.tolist(), after.train_labels.tolist(), strict=True):
        assert label == told.get(tuple(pair), int(PLUS.label(torch.tensor(pair))))


def test_splits_with_other_labels_are_not_alike() -> None:
    split = rfm.random_split(PLUS, 0.6, 0)
    flipped = split.flip_labels(0.1, 0)
    assert not split.alike(flipped)
    assert flipped.alike(split.flip_labels(0.1, 0))
    assert split.alike(split.flip_labels(0.0, 0))
    settings = [rfm.Setting(s, rfm.Gaussian()) for s in (split, flipped)]
    assert settings[0].key != settings[1].key


def test_a_machine_is_fitted_to_the_labels_it_is_told_and_judged_by_the_tasks() -> None:
    """At ridge 0 it reproduces what it is told; test points have the task's labels."""
    split = rfm.random_split(rfm.addition(11), 0.8, 0).flip_labels(0.2, 0)
    run = rfm.fit(split, rfm.Gaussian(), 3, keep_features=True)
    assert (run.table.train_accuracy == 1).all()
    told = torch.eye(11, dtype=torch.float64)[split.train_labels]
    machine = rfm.KernelMachine.fit(split.train, told, rfm.Gaussian(), run.history[2])
    assert (machine.predict(split.train).argmax(1) == split.train_labels).all()
    lead = machine.predict(split.test).argmax(1) == split.task.label(split.test)
    assert torch.equal(lead, run.correct())
    clean = rfm.fit(rfm.random_split(rfm.addition(11), 0.8, 0), rfm.Gaussian(), 3)
    assert not torch.allclose(clean.features, run.features)


def test_labels_are_checked() -> None:
    split = rfm.random_split(PLUS, 0.6, 0)
    for labels, what in (
        (torch.zeros(48, dtype=torch.int64), "shape"),
        (torch.zeros(49), "int64"),
        (torch.full((49,), 7), "from 0 to 6"),
        (torch.full((49,), -1), "from 0 to 6"),
    ):
        with pytest.raises(ValueError, match=what):
            Split(PLUS, split.kind, labels=labels)
    for share in (-0.1, 1.1, None, "half"):
        with pytest.raises(ValueError, match="from 0 to 1"):
            split.flip_labels(share, 0)


def test_what_cannot_have_other_labels_says_so() -> None:
    split = withheld(S).flip_labels(0.1, 0)
    with pytest.raises(ValueError, match="needs the task's own labels"):
        rfm.fit(split, rfm.Gaussian(), 2, translations=True)
    with pytest.raises(ValueError, match="task's own labels"):
        rfm.networks.train(split, rfm.networks.Square(), steps=1)
