"""Splits that cannot differ: automorphisms, equivalences and classes against brute force.

Group laws and maps are written here once more in Python integers. Classes are compared with the
orbits of sets under all maps, and runs on members of one class with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations, permutations, product
from math import gcd

import numpy as np
import pytest
import torch
from oracles import Arithmetic, same
from sympy import totient

import rfm
from rfm.groups import Value

NEAR = 1e-8
PRIMES = (3, 5, 7, 11, 13, 29, 31, 61)
MAPS = 60  # maps of a task that are checked element by element, at most about
SMALL = [  # tasks whose sets of two samples are sorted into orbits one by one
    *(rfm.addition(n) for n in range(2, 7)),
    rfm.addition(2, 2),
    rfm.addition(2, 4),
    rfm.addition(3, 3),
    rfm.subtraction(5),
    rfm.subtraction(2, 4),
    rfm.multiplication(7),
    rfm.division(7),
]
GROUPS = [
    *(rfm.cyclic(n) for n in (2, 3, 4, 5, 6, 12)),
    *(rfm.cyclic(*moduli) for moduli in ((2, 2), (2, 3), (2, 4), (4, 2), (3, 5), (3, 3))),
    *(rfm.units(p) for p in (5, 7, 13)),
]


def star(group: rfm.Group) -> Callable[[Value, Value], Value]:
    """The operation of a group on what a reader writes."""
    if group.values[0] == 1:
        p = group.order + 1
        return lambda a, b: a * b % p
    if len(group.moduli) == 1:
        return lambda a, b: (a + b) % group.order
    return lambda a, b: tuple((i + j) % m for i, j, m in zip(a, b, group.moduli, strict=True))


def is_homomorphism(group: rfm.Group, image: dict[Value, Value]) -> bool:
    operation = star(group)
    return all(
        operation(image[a], image[b]) == image[operation(a, b)]
        for a, b in product(group.values, repeat=2)
    )


# ----------------------------------------------------------------------------------- automorphisms


@pytest.mark.parametrize("n", [*range(2, 31), 61])
def test_automorphisms_of_a_cyclic_group(n: int) -> None:
    """The multiplications by a unit, φ(n) of them."""
    found = rfm.automorphisms(rfm.cyclic(n))
    assert found.dtype == torch.int64
    units = [u for u in range(n) if gcd(u, n) == 1]
    assert len(found) == len(units) == totient(n)
    assert sorted(found.tolist()) == sorted([u * a % n for a in range(n)] for u in units)


@pytest.mark.parametrize(
    ("group", "count"),
    [
        (rfm.cyclic(2, 2), 6),
        (rfm.cyclic(2, 4), 8),
        (rfm.cyclic(4, 2), 8),
        (rfm.cyclic(3, 5), 8),
        (rfm.cyclic(3, 3), 48),
        (rfm.cyclic(5, 5), 480),
        (rfm.cyclic(4, 4), 96),
        (rfm.cyclic(2, 2, 2), 168),
        (rfm.cyclic(2, 2, 2, 2), 20160),
        (rfm.units(13), 4),
        (rfm.units(61), 16),
    ],
    ids=str,
)
def test_number_of_automorphisms(group: rfm.Group, count: int) -> None:
    """Known ones; for powers of Z_p the order of GL(k, p)."""
    found = rfm.automorphisms(group)
    assert found.shape == (count, group.order)
    assert len(found.unique(dim=0)) == count


@pytest.mark.parametrize("p", [5, 7, 13])
def test_automorphisms_of_units_are_powers(p: int) -> None:
    found = [[a + 1 for a in φ] for φ in rfm.automorphisms(rfm.units(p)).tolist()]
    exponents = [u for u in range(1, p) if gcd(u, p - 1) == 1]
    assert sorted(found) == sorted([pow(a, u, p) for a in range(1, p)] for u in exponents)


@pytest.mark.parametrize("group", [group for group in GROUPS if group.order <= 6], ids=str)
def test_automorphisms_by_trying_all_permutations(group: rfm.Group) -> None:
    expected = {
        images
        for images in permutations(range(group.order))
        if is_homomorphism(group, {group.values[a]: group.values[i] for a, i in enumerate(images)})
    }
    found = [tuple(φ) for φ in rfm.automorphisms(group).tolist()]
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_each_automorphism_is_one(group: rfm.Group) -> None:
    for φ in rfm.automorphisms(group).tolist():
        assert sorted(φ) == list(range(group.order))
        assert is_homomorphism(group, {group.values[a]: group.values[i] for a, i in enumerate(φ)})


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_automorphisms_are_a_group(group: rfm.Group) -> None:
    found = [tuple(φ) for φ in rfm.automorphisms(group).tolist()]
    operation, values = star(group), group.values
    neutral = next(e for e in values if operation(e, e) == e)
    inversion = [next(b for b in values if operation(a, b) == neutral) for a in values]
    assert tuple(range(group.order)) in found
    assert tuple(map(values.index, inversion)) in found
    assert {tuple(φ[a] for a in χ) for φ, χ in product(found, repeat=2)} == set(found)


# ------------------------------------------------------------------------------------ equivalences


def twisted(arithmetic: Arithmetic, b: Value) -> Value:
    """τ(b), the label of (e, b)."""
    first = arithmetic.elements[0]
    return arithmetic.label(arithmetic.star(first, arithmetic.invert(first)), b)


def renamed(arithmetic: Arithmetic, Q: rfm.Equivalence, a: Value, b: Value) -> tuple[Value, Value]:
    """The image of (a, b) in Python integers."""
    values = arithmetic.task.group.values
    φ = {value: values[image] for value, image in zip(values, Q.automorphism.tolist(), strict=True)}
    a = arithmetic.star(φ[a], values[Q.s])
    b = arithmetic.star(φ[twisted(arithmetic, b)], values[Q.t])
    a, b = (b, a) if Q.swaps else (a, b)
    return a, twisted(arithmetic, b)


def some(task: rfm.Task) -> list[rfm.Equivalence]:
    """Maps of every kind, with and without a swap, spread over all."""
    maps = list(rfm.equivalences(task))
    chosen = maps[:: (len(maps) // MAPS) | 1]
    assert {Q.swaps for Q in chosen} == {False, True}
    return chosen


def test_number_of_equivalences(arithmetic: Arithmetic) -> None:
    """2n²·|Aut(A)|, all different, all bijections, transitive on samples."""
    task = arithmetic.task
    automorphisms = {(7,): 6, (8,): 4, (3, 5): 8, (2, 4): 8, (10,): 4, (12,): 4}
    images = torch.stack([Q.on_samples() for Q in rfm.equivalences(task)])
    assert images.shape == (2 * task.n**2 * automorphisms[task.group.moduli], task.n**2)
    assert (images.sort(dim=1).values == torch.arange(task.n**2)).all()
    assert len(images.unique(dim=0)) == len(images)
    assert len(images[:, 0].unique()) == task.n**2


def test_formulas(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    before = arithmetic.values(task.samples)
    for Q in some(task):
        after = arithmetic.values(Q(task.samples))
        assert after == [renamed(arithmetic, Q, *pair) for pair in before]


def test_labels_are_renamed(arithmetic: Arithmetic) -> None:
    task, values = arithmetic.task, arithmetic.task.group.values
    before = arithmetic.values(task.samples)
    for Q in some(task):
        assert sorted(Q.on_labels().tolist()) == list(range(task.n))
        new = {value: values[i] for value, i in zip(values, Q.on_labels().tolist(), strict=True)}
        for pair, image in zip(before, arithmetic.values(Q(task.samples)), strict=True):
            assert arithmetic.label(*image) == new[arithmetic.label(*pair)]


def test_coordinates_and_sample_numbers(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    x = task.one_hot(task.samples)
    for Q in rfm.equivalences(task) if task.n == 7 else some(task):
        images = Q(task.samples)
        assert (task.samples[Q.on_samples()] == images).all()
        assert (task.one_hot(images)[:, Q.coordinates()] == x).all()


@pytest.mark.parametrize("task", [rfm.addition(8), rfm.subtraction(9)], ids=str)
def test_equivalences_of_a_cyclic_group(task: rfm.Task) -> None:
    """They are (ua + s, ub + t), u a unit, and swaps of these, for + and − alike."""
    n, expected = task.n, set()
    for u, s, t in product([u for u in range(n) if gcd(u, n) == 1], range(n), range(n)):
        images = [((u * a + s) % n, (u * b + t) % n) for a, b in task.samples.tolist()]
        expected |= {tuple(images), tuple((b, a) for a, b in images)}
    found = {tuple(map(tuple, Q(task.samples).tolist())) for Q in rfm.equivalences(task)}
    assert found == expected


@pytest.mark.parametrize("task", [rfm.multiplication(11), rfm.division(11)], ids=str)
def test_equivalences_of_units(task: rfm.Task) -> None:
    """They are (s aᵘ, t bᵘ), u prime to p − 1, and swaps of these, for × and ÷ alike."""
    p, expected = 11, set()
    pairs = list(product(range(1, p), repeat=2))
    for u, s, t in product([u for u in range(p) if gcd(u, p - 1) == 1], range(1, p), range(1, p)):
        images = [(s * pow(a, u, p) % p - 1, t * pow(b, u, p) % p - 1) for a, b in pairs]
        expected |= {tuple(images), tuple((b, a) for a, b in images)}
    found = {tuple(map(tuple, Q(task.samples).tolist())) for Q in rfm.equivalences(task)}
    assert found == expected


@pytest.mark.parametrize(
    "task",
    [
        *(rfm.addition(n) for n in range(2, 6)),
        rfm.addition(2, 2),
        rfm.subtraction(4),
        rfm.multiplication(5),
        rfm.division(5),
    ],
    ids=str,
)
def test_nothing_else_keeps_the_table(task: rfm.Task) -> None:
    """By trying all permutations of the first block, all of the second, and the swap of both."""
    n, (a, b) = task.n, task.samples.unbind(1)
    everything = torch.tensor(list(permutations(range(n))))
    first_of_label = torch.tensor([task.labels.tolist().index(c) for c in range(n)])
    table, kept = task.labels.reshape(n, n), set()
    for first in everything:
        for swaps in (False, True):
            u, v = first[a].expand(len(everything), -1), everything[:, b]
            u, v = (v, u) if swaps else (u, v)
            labels = table[u, v]  # (n!, n²): one renaming of the second block a row
            keeps = (labels == labels[:, first_of_label][:, task.labels]).all(dim=1)
            kept |= {tuple(image) for image in (u * n + v)[keeps].tolist()}
    assert kept == {tuple(Q.on_samples().tolist()) for Q in rfm.equivalences(task)}


def test_one_pair_or_several() -> None:
    task = rfm.subtraction(6)
    for Q in some(task):
        expected = Q(task.samples)
        assert (Q(task.samples[5]) == expected[5]).all()


def test_symmetries_are_among_them(arithmetic: Arithmetic) -> None:
    """Dih(A): those that keep labels."""
    task = arithmetic.task
    names = torch.arange(task.n)
    keeping = {
        tuple(Q.on_samples().tolist())
        for Q in rfm.equivalences(task)
        if torch.equal(Q.on_labels(), names)
    }
    assert keeping == {tuple(g.on_samples().tolist()) for g in task.symmetries}


# ----------------------------------------------------------------------------------------- classes

Sets = frozenset[int]  # sample numbers


def numbers(held: rfm.HeldOut) -> Sets:
    return frozenset(held.task.index(held.representative).tolist())


@cache
def brute_force(task: rfm.Task, size: int) -> list[set[Sets]]:
    """The sets of ``size`` samples, sorted into orbits under all equivalences of a task."""
    images = [Q.on_samples().tolist() for Q in rfm.equivalences(task)]
    left = {frozenset(chosen) for chosen in combinations(range(task.n**2), size)}
    orbits = []
    while left:
        start = next(iter(left))
        orbit = {frozenset(image[x] for x in start) for image in images}
        assert orbit <= left
        left -= orbit
        orbits.append(orbit)
    return orbits


def classes(task: rfm.Task) -> tuple[rfm.HeldOut, ...]:
    return rfm.single_classes(task) + rfm.pair_classes(task)


def orbit_of(held: rfm.HeldOut) -> set[Sets]:
    (orbit,) = (
        orbit
        for orbit in brute_force(held.task, len(held.representative))
        if numbers(held) in orbit
    )
    return orbit


@pytest.mark.parametrize("task", SMALL, ids=str)
@pytest.mark.parametrize("size", [1, 2])
def test_classes_are_orbits(task: rfm.Task, size: int) -> None:
    found = (rfm.single_classes, rfm.pair_classes)[size - 1](task)
    assert len(found) == len(brute_force(task, size))
    met = [orbit_of(held) for held in found]
    for held, orbit in zip(found, met, strict=True):
        assert held.task is task
        assert held.size == len(orbit)
        assert len(numbers(held)) == len(held.representative) == size
    for one, other in combinations(found, 2):
        assert numbers(other) not in orbit_of(one)


@pytest.mark.parametrize(
    "task", [rfm.addition(7), rfm.addition(2, 4), rfm.multiplication(7)], ids=str
)
def test_representatives_are_the_smallest(task: rfm.Task) -> None:
    """Of the sets in a class that contain the neutral pair, number 0, for a direct operation."""
    neutral = rfm.single_classes(task)[0].representative
    assert neutral.tolist() == [[0, 0]]
    found = [sorted(numbers(held)) for held in rfm.pair_classes(task)]
    assert found == sorted(found)
    for held, chosen in zip(rfm.pair_classes(task), found, strict=True):
        assert held.representative[0].tolist() == [0, 0]
        images = (Q(held.representative) for Q in rfm.equivalences(task))
        there = (sorted(task.index(image).tolist()) for image in images)
        assert chosen == min(image for image in there if image[0] == 0)


@pytest.mark.parametrize("task", SMALL, ids=str)
def test_mirrors_and_labels_are_the_same_all_over_a_class(task: rfm.Task) -> None:
    fixed = [set(task.index(g.fixed_points()).tolist()) for g in task.reflections]
    for held in classes(task):
        for chosen in orbit_of(held):
            assert any(chosen <= points for points in fixed) == (held.common_mirror is not None)
            labels = {int(task.label(task.samples[x])) for x in chosen}
            assert (len(labels) == 1) == held.same_label
        if held.common_mirror is not None:
            assert held.common_mirror in task.reflections
            assert numbers(held) <= fixed[held.common_mirror.k]


def test_mirrors_and_labels_in_integers(arithmetic: Arithmetic) -> None:
    """A pair has a mirror in common if some k gives b = fixed(k, a) for both of its samples."""
    found = classes(arithmetic.task)
    for held in found:
        pairs = arithmetic.values(held.representative)
        ks = [{k for k in arithmetic.elements if arithmetic.fixed(k, a) == b} for a, b in pairs]
        common = set.intersection(*ks)
        mirror = held.common_mirror
        assert common == (set() if mirror is None else {arithmetic.task.group.values[mirror.k]})
        assert held.same_label == (len({arithmetic.label(*pair) for pair in pairs}) == 1)
    assert {held.same_label for held in found} == {False, True}
    assert {held.common_mirror is None for held in found} == {False, True}


@pytest.mark.parametrize("make", [rfm.addition, rfm.subtraction])
@pytest.mark.parametrize("p", PRIMES)
def test_number_of_classes_of_a_prime(make: Callable[..., rfm.Task], p: int) -> None:
    """(p + 3)/2: one for each slope λ up to λ ~ 1/λ, ∞ ~ 0 among them."""
    task = make(p)
    found = rfm.pair_classes(task)
    assert len(found) == (p + 3) // 2
    slopes = []
    for held in found:
        (a, b), (c, d) = held.representative.tolist()
        u, v = (c - a) % p, (d - b) % p
        ways = [v * pow(u, -1, p) % p if u else None, u * pow(v, -1, p) % p if v else None]
        slopes.append(frozenset(ways))
        # p − 1 differences to each slope, p² ordered pairs to each difference
        assert held.size == p**2 * (p - 1) * len(set(ways)) // 2
        down, up = (p - 1, 1) if make is rfm.addition else (1, p - 1)
        assert held.same_label == (ways[0] == down)
        assert (held.common_mirror is not None) == (ways[0] == up)
    assert len(set(slopes)) == len(slopes)
    assert frozenset().union(*slopes) == {None, *range(p)}


@pytest.mark.parametrize(
    "task",
    [
        *SMALL,
        rfm.addition(12),
        rfm.addition(3, 5),
        rfm.addition(61),
        rfm.subtraction(61),
        rfm.multiplication(13),
        rfm.division(13),
    ],
    ids=str,
)
def test_sizes_add_up_and_names_differ(task: rfm.Task) -> None:
    (single,), pairs = rfm.single_classes(task), rfm.pair_classes(task)
    samples = task.n**2
    assert single.size == samples
    assert single.name == "one sample"
    assert sum(held.size for held in pairs) == samples * (samples - 1) // 2
    assert len({held.name for held in (single, *pairs)}) == len(pairs) + 1


def test_names() -> None:
    def names(task: rfm.Task) -> list[str]:
        return [held.name for held in rfm.pair_classes(task)]

    assert names(rfm.addition(2)) == ["(0, 1)", "(1, 1)"]
    assert names(rfm.addition(7)) == ["(0, 1)", "(1, 1)", "(1, 2)", "(1, 3)", "(1, 6)"]
    assert names(rfm.multiplication(3)) == ["(1, 2)", "(2, 2)"]
    assert names(rfm.addition(2, 2)) == [
        "((0, 0), (0, 1))",
        "((0, 1), (0, 1))",
        "((0, 1), (1, 0))",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rfm.addition(3, 5), rfm.addition(15)),
        (rfm.subtraction(3, 5), rfm.addition(15)),
        (rfm.multiplication(13), rfm.addition(12)),
        (rfm.division(13), rfm.addition(12)),
        (rfm.addition(3, 4), rfm.subtraction(12)),
        (rfm.addition(2, 4), rfm.addition(4, 2)),
    ],
    ids=str,
)
def test_isomorphic_groups_have_the_same_classes(one: rfm.Task, other: rfm.Task) -> None:
    def kinds(task: rfm.Task) -> list[tuple[int, bool, bool]]:
        found = rfm.pair_classes(task)
        return sorted((c.size, c.common_mirror is not None, c.same_label) for c in found)

    assert kinds(one) == kinds(other)


def test_groups_that_are_not_isomorphic_have_others() -> None:
    def sizes(task: rfm.Task) -> list[int]:
        return sorted(held.size for held in rfm.pair_classes(task))

    assert sizes(rfm.addition(2, 2)) != sizes(rfm.addition(4))
    assert sizes(rfm.addition(3, 3)) != sizes(rfm.addition(9))


# ------------------------------------------------------------------------------------ equal results

KERNELS = {"gaussian": rfm.Gaussian(), "quadratic": rfm.Quadratic()}


def assert_renamed(run: rfm.Run, other: rfm.Run, Q: rfm.Equivalence) -> None:
    """Assert that ``other`` is ``run`` with coordinates and labels renamed."""
    before = {tuple(pair): i for i, pair in enumerate(other.split.test.tolist())}
    order = [before[tuple(pair)] for pair in Q(run.split.test).tolist()]
    assert sorted(order) == list(range(len(run.split.test)))
    there = other.predictions.iloc[order]
    assert np.abs(there["margin"].to_numpy() - run.predictions["margin"].to_numpy()).max() < NEAR
    assert (there["correct"].to_numpy() == run.predictions["correct"].to_numpy()).all()
    where = Q.coordinates()
    same(other.features[where[:, None], where], run.features, NEAR)


def draw(maps: list[rfm.Equivalence], count: int, draws: torch.Generator) -> list[rfm.Equivalence]:
    return [maps[i] for i in torch.randperm(len(maps), generator=draws)[:count]]


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(
    "task", [rfm.addition(7), rfm.addition(6), rfm.addition(2, 4), rfm.division(7)], ids=str
)
def test_members_of_a_class_give_equal_results(task: rfm.Task, name: str) -> None:
    draws, maps = torch.Generator().manual_seed(task.n), list(rfm.equivalences(task))
    for held in classes(task):
        run = rfm.fit(rfm.withhold(task, held.representative), KERNELS[name], 8)
        for Q in draw(maps, 2, draws):
            other = rfm.withhold(task, Q(held.representative))
            assert_renamed(run, rfm.fit(other, KERNELS[name], 8), Q)


@pytest.mark.parametrize("p", [7, 11])
def test_all_single_moves_out_of_a_trap_give_equal_results(p: int) -> None:
    """The maps that keep Fix(s) carry one training point to any other."""
    task = rfm.addition(p)
    start = rfm.withhold(task, task.reflection(0).fixed_points())
    trap = set(task.index(start.test).tolist())
    first = start.train[0]
    run = rfm.fit(start.move(first), rfm.Gaussian(), 6)
    margins = sorted(run.predictions["margin"])
    images = {}
    for Q in rfm.equivalences(task):
        if {int(x) for x in task.index(Q(start.test))} == trap:
            images.setdefault(tuple(Q(first).tolist()), Q)
    assert set(images) == set(map(tuple, start.train.tolist()))
    for moved, Q in images.items():
        other = rfm.fit(start.move(torch.tensor(moved)), rfm.Gaussian(), 6)
        assert sorted(other.predictions["margin"]) == pytest.approx(margins, rel=0, abs=NEAR)
        assert_renamed(run, other, Q)


def test_two_random_moves_out_of_a_trap_have_one_outcome() -> None:
    task = rfm.addition(13)
    start = rfm.withhold(task, task.reflection(0).fixed_points())
    splits = [start.move_random(1, seed) for seed in (0, 1)]
    moved = [split.of_kind(rfm.Kind.MOVED).tolist() for split in splits]
    assert moved[0] != moved[1]
    one, other = (rfm.fit(split, rfm.Gaussian(), 14) for split in splits)
    counts = [
        {column: value for column, value in rfm.outcome(run).items() if isinstance(value, int)}
        for run in (one, other)
    ]
    assert counts[0] == counts[1]
    assert {"withheld_right", "moved_right", "best_right", "as_by_orbits"} <= counts[0].keys()
    margins = [sorted(run.predictions["margin"]) for run in (one, other)]
    assert margins[1] == pytest.approx(margins[0], rel=0, abs=1e-9)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    "search", [rfm.pair_classes, lambda task: next(rfm.equivalences(task))], ids=["pairs", "maps"]
)
def test_too_many_candidates(search: Callable[[rfm.Task], object]) -> None:
    with pytest.raises(ValueError, match=f"{128**7} candidates.* at most {10**7 // 128} are tried"):
        search(rfm.addition(*[2] * 7))


def test_too_many_candidates_for_an_automorphism() -> None:
    with pytest.raises(ValueError, match=f"{32**5} candidates.* at most {10**7 // 32} are tried"):
        rfm.automorphisms(rfm.cyclic(*[2] * 5))


@pytest.mark.parametrize(
    "pairs",
    [[[0, 5]], [[-1, 0]], [[0.0, 1.0]], [[0, 1, 2]], 3],
    ids=["beyond", "negative", "float", "triple", "number"],
)
def test_what_is_no_pair_of_positions_is_refused(pairs: object) -> None:
    for Q in some(rfm.subtraction(5))[:4]:
        with pytest.raises(ValueError, match="pair"):
            Q(torch.tensor(pairs))
