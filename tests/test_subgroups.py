"""Subgroups of Dih(A): what they are by sympy, what they do by sets of Python integers.

All subgroups of small groups are found here once more, as sets of permutations closed by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import FrozenInstanceError
from functools import cache
from itertools import pairwise, product
from math import gcd, log2, prod

import pytest
import torch
from oracles import Arithmetic, Pair
from sympy import factorint
from sympy.combinatorics import Permutation, PermutationGroup

import rfm
from rfm import Split, Subgroup, Symmetry, Task

Images = tuple[int, ...]

NUMBER = {  # of subgroups: those of D_2n, C_2 × D_8, C_2 × C_2 × …, and Σ (1 + |A/B|) over B ≤ A
    rfm.addition(2): 5,
    rfm.addition(3): 6,
    rfm.subtraction(4): 10,
    rfm.addition(6): 16,
    rfm.subtraction(7): 10,
    rfm.addition(8): 19,
    rfm.subtraction(12): 34,
    rfm.addition(2, 2): 16,
    rfm.subtraction(2, 4): 35,
    rfm.addition(3, 3): 28,
    rfm.addition(2, 2, 2): 67,
    rfm.subtraction(3, 6): 78,
    rfm.addition(4, 4): 90,
    rfm.multiplication(11): 22,
    rfm.division(13): 34,
}
every_task = pytest.mark.parametrize("task", NUMBER, ids=str)


def images(g: Symmetry) -> Images:
    return tuple(g.coordinates().tolist())


def closed(generators: Iterable[Images], dimension: int) -> frozenset[Images]:
    """All products of some permutations."""
    generators, found = tuple(generators), {tuple(range(dimension))}
    frontier = found
    while frontier:
        frontier = {tuple(g[u] for u in h) for g in generators for h in frontier} - found
        found = found | frontier
    return frozenset(found)


@cache
def subgroups(task: Task) -> dict[frozenset[Images], Subgroup]:
    """Every subgroup: {id}, and what joins one of them with one more element."""
    names = {images(g): g for g in task.symmetries}
    found = {closed((), task.dimension): ()}
    pending = list(found)
    for elements in pending:
        for g in names.keys() - elements:
            larger = closed((*found[elements], g), task.dimension)
            if larger not in found:
                found[larger] = (*found[elements], g)
                pending.append(larger)
    return {
        elements: rfm.generate(task.identity, *(names[g] for g in generators))
        for elements, generators in found.items()
    }


def permutation_group(elements: Iterable[Images]) -> PermutationGroup:
    return PermutationGroup([Permutation(list(g)) for g in elements])


def invariant_factors(group: PermutationGroup) -> tuple[int, ...]:
    """Of an Abelian group: its prime powers, the largest of all primes together, and so on."""
    factors: list[int] = []
    for p in factorint(group.order()):
        powers = sorted((q for q in group.abelian_invariants() if q % p == 0), reverse=True)
        factors += [1] * (len(powers) - len(factors))
        factors[: len(powers)] = [d * q for d, q in zip(factors, powers, strict=False)]
    return tuple(reversed(factors))


def abstract_name(group: PermutationGroup) -> str:
    """What sympy says it is, without a look at which elements are rotations.

    In Dih(B) all elements outside B have order 2. If some in B have not, those generate B, for a
    proper subgroup leaves at least half of a group.
    """
    if group.is_trivial:
        return "trivial"
    if group.is_cyclic:
        return f"C_{group.order()}"
    if group.is_dihedral:
        return "Klein" if group.order() == 4 else f"D_{group.order()}"
    if group.is_abelian:
        return " × ".join(f"C_{d}" for d in invariant_factors(group))
    B = PermutationGroup([g for g in group.elements if g.order() > 2])
    assert 2 * B.order() == group.order()
    assert B.is_abelian
    return f"Dih({abstract_name(B)})"


def some_splits(task: Task) -> list[Split]:
    """Training sets that few elements of Dih(A) keep, or many, or all."""
    axes = [g.fixed_points() for g in task.reflections]
    orbits = rfm.orbits([task.rotations[-1]], task.samples)
    half = task.samples[task.labels % 2 == 0]
    return [
        rfm.random_split(task, 0.3, 1),
        rfm.random_split(task, 0.8, 2),
        rfm.withhold(task, axes[2]),
        rfm.withhold(task, axes[-1]).move_mirror_pairs(3, task.reflections[-1], 3),
        rfm.withhold(task, torch.cat([axes[0], axes[task.n // 2]])),
        rfm.withhold(task, torch.cat([axes[1], axes[3], axes[4]])),
        rfm.withhold(task, half),
        rfm.withhold(task, half).give_back_random(1, 4),
        rfm.withhold(task, task.samples[task.n + 2]),
        rfm.withhold(task, orbits[0]),
        rfm.withhold(task, torch.cat([orbits[1], axes[1]])),
    ]


def keeping(arithmetic: Arithmetic, split: Split) -> set[Symmetry]:
    """The elements of Dih(A) that map the training set, as a set, to itself."""
    train = set(arithmetic.values(split.train))
    return {
        g
        for g in arithmetic.task.symmetries
        if {arithmetic.act(g, pair) for pair in train} == train
    }


# ------------------------------------------------------------------------------ all the subgroups


@every_task
def test_all_subgroups_are_there(task: Task) -> None:
    found = subgroups(task)
    assert len(found) == len(set(found.values())) == NUMBER[task]
    for elements, H in found.items():
        assert {images(g) for g in H} == elements
        assert H.order == len(H) == len(elements)
        assert H.task == task


@every_task
def test_what_they_are_called(task: Task) -> None:
    for elements, H in subgroups(task).items():
        assert H.name == abstract_name(permutation_group(elements))


@every_task
def test_invariant_factors_of_the_rotations(task: Task) -> None:
    n = task.n
    for elements, H in subgroups(task).items():
        rotations = [g for g in elements if g[0] < n]  # they leave the first block where it is
        factors = H.invariant_factors
        assert factors == invariant_factors(permutation_group(rotations))
        assert prod(factors) == len(rotations)
        assert all(larger % d == 0 for d, larger in pairwise(factors))
        assert 1 not in factors


def test_invariant_factors_say_how_many_elements_a_power_kills(arithmetic: Arithmetic) -> None:
    """As many x with x^d = e as in C_{d₁} × … × C_{d_m}; for all d, that pins the group down."""
    task, identity = arithmetic.task, arithmetic.task.group.values[arithmetic.task.group.identity]
    for H in subgroups(task).values():
        members = [task.group.values[g.k] for g in H.rotations]
        powers = [identity] * len(members)
        for d in range(1, task.n + 1):
            powers = [arithmetic.star(x, y) for x, y in zip(powers, members, strict=True)]
            assert powers.count(identity) == prod(gcd(d, factor) for factor in H.invariant_factors)


@pytest.mark.parametrize(
    ("task", "rotations", "mirrors", "name", "factors"),
    [
        (rfm.addition(6), [0], [], "trivial", ()),
        (rfm.addition(6), [], [5], "C_2", ()),
        (rfm.addition(6), [3], [], "C_2", (2,)),
        (rfm.addition(6), [], [1, 4], "Klein", (2,)),
        (rfm.addition(6), [4], [], "C_3", (3,)),
        (rfm.addition(6), [], [3, 5], "D_6", (3,)),
        (rfm.addition(6), [2, 3], [], "C_6", (6,)),
        (rfm.addition(6), [], [3, 4], "D_12", (6,)),
        (rfm.subtraction(2), [], [0, 1], "Klein", (2,)),
        (rfm.subtraction(4), [], [0, 1], "D_8", (4,)),
        (rfm.multiplication(11), [10], [], "C_2", (2,)),
        (rfm.multiplication(11), [3], [7], "D_10", (5,)),
        (rfm.division(13), [5], [1], "D_8", (4,)),
        (rfm.addition(2, 2), [(0, 1), (1, 1)], [], "Klein", (2, 2)),
        (rfm.addition(2, 2), [(0, 1), (1, 1)], [(1, 0)], "C_2 × C_2 × C_2", (2, 2)),
        (rfm.addition(2, 4), [(1, 0), (0, 1)], [], "C_2 × C_4", (2, 4)),
        (rfm.addition(2, 4), [(1, 0), (0, 1)], [(0, 0)], "Dih(C_2 × C_4)", (2, 4)),
        (rfm.addition(2, 4), [(1, 1)], [(1, 0)], "D_8", (4,)),
        (rfm.addition(2, 4), [(1, 2), (1, 0)], [(1, 3)], "C_2 × C_2 × C_2", (2, 2)),
        (rfm.addition(3, 5), [(1, 0), (0, 2)], [], "C_15", (15,)),
        (rfm.addition(3, 3), [(1, 2), (0, 1)], [(0, 0)], "Dih(C_3 × C_3)", (3, 3)),
        (rfm.subtraction(4, 6), [(1, 0), (0, 1)], [], "C_2 × C_12", (2, 12)),
        (rfm.subtraction(4, 6), [(2, 0), (0, 1)], [(3, 5)], "Dih(C_2 × C_6)", (2, 6)),
    ],
    ids=str,
)
def test_names_known_by_heart(task: Task, rotations, mirrors, name: str, factors) -> None:
    H = rfm.generate(*map(task.rotation, rotations), *map(task.reflection, mirrors))
    assert (H.name, H.invariant_factors) == (name, factors)


@every_task
def test_the_centre_of_a_dihedral_group_is_what_inversion_leaves(task: Task) -> None:
    """Z(Dih(B)) = {x in B : x² = e} if B has an element of order above 2, else all of Dih(B)."""
    for elements, H in subgroups(task).items():
        if H.reflections:
            two = prod(gcd(2, d) for d in H.invariant_factors)
            abelian = not H.name.startswith("D")
            assert permutation_group(elements).center().order() == (2 * two if abelian else two)


@every_task
def test_rotations_and_reflections_part_the_elements(task: Task) -> None:
    for H in subgroups(task).values():
        assert H.rotations + H.reflections == H.elements
        assert all(not g.reflects for g in H.rotations)
        assert all(g.reflects for g in H.reflections)
        assert len(H.reflections) in (0, len(H.rotations))
        assert rfm.generate(*H.rotations).elements == H.rotations


@every_task
def test_generators_generate_and_none_is_idle(task: Task) -> None:
    """Each enlarges what those before it generate, by a factor of 2 or more."""
    for elements, H in subgroups(task).items():
        generators = [images(g) for g in H.generators]
        assert closed(generators, task.dimension) == elements
        assert rfm.generate(*H.generators) == H
        assert 1 <= len(generators) <= max(1, log2(H.order))
        if H.order > 1:
            sizes = [len(closed(generators[:i], task.dimension)) for i in range(len(generators))]
            assert all(small < large for small, large in pairwise([*sizes, H.order]))


@every_task
def test_sympy_gets_the_same_group(task: Task) -> None:
    for elements, H in subgroups(task).items():
        assert H.permutations.order() == H.order
        assert {tuple(g.array_form) for g in H.permutations.elements} == elements


def test_members(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    other = rfm.addition(17)
    for elements, H in subgroups(task).items():
        assert list(H) == list(H.elements) == sorted(H, key=lambda g: (g.reflects, g.k))
        assert {g for g in task.symmetries if g in H} == set(H)
        assert {images(g) for g in task.symmetries if g in H} == elements
        assert other.identity not in H
        assert "id" not in H


@every_task
def test_equal_however_they_were_generated(task: Task) -> None:
    for H in subgroups(task).values():
        others = (
            rfm.generate(*H),
            rfm.generate(*reversed(H.elements)),
            rfm.generate(*H.generators),
        )
        for same in others:
            assert same == H
            assert hash(same) == hash(H)
            assert repr(same) == repr(H)


def test_trivial_subgroups_of_different_tasks_differ() -> None:
    tasks = (rfm.addition(7), rfm.subtraction(7), rfm.addition(8), rfm.multiplication(11))
    assert len({rfm.generate(task.identity) for task in tasks}) == len(tasks)


def test_a_subgroup_cannot_be_reassigned() -> None:
    H = rfm.generate(rfm.addition(7).rotation(1))
    with pytest.raises(FrozenInstanceError):
        H.elements = ()


@pytest.mark.parametrize(
    ("task", "generators", "shown"),
    [
        (rfm.addition(7), ["id"], "⟨id⟩"),
        (rfm.addition(7), ["sr^3"], "⟨sr^3⟩"),
        (rfm.addition(7), ["r^5"], "⟨r^1⟩"),
        (rfm.addition(7), ["sr^3", "sr^5"], "⟨s, r^1⟩"),
        (rfm.subtraction(12), ["sr^7", "r^6"], "⟨sr^1, r^6⟩"),
        (rfm.multiplication(11), ["r^10"], "⟨r^10⟩"),
        (rfm.addition(2, 4), ["sr^(1, 3)"], "⟨sr^(1, 3)⟩"),
    ],
    ids=str,
)
def test_printing(task: Task, generators: list[str], shown: str) -> None:
    named = {g.name: g for g in task.symmetries}
    assert repr(rfm.generate(*(named[name] for name in generators))) == shown


# ----------------------------------------------------------------------------------------- orbits


@every_task
def test_coordinate_orbits_by_sympy(task: Task) -> None:
    for elements, H in subgroups(task).items():
        expected = permutation_group(elements).orbits()
        found = [orbit.tolist() for orbit in H.coordinate_orbits()]
        assert found == sorted(sorted(orbit) for orbit in expected)


@every_task
def test_no_element_but_the_identity_fixes_a_coordinate(task: Task) -> None:
    for H in subgroups(task).values():
        assert {len(orbit) for orbit in H.coordinate_orbits()} == {H.order}


@every_task
def test_sample_orbits_by_sympy(task: Task) -> None:
    for H in subgroups(task).values():
        group = PermutationGroup([Permutation(g.on_samples().tolist()) for g in H])
        found = [task.index(orbit).tolist() for orbit in H.sample_orbits()]
        assert found == sorted(sorted(orbit) for orbit in group.orbits())


def test_sample_orbits_by_brute_force(arithmetic: Arithmetic) -> None:
    for H in subgroups(arithmetic.task).values():
        found = [frozenset(arithmetic.values(orbit)) for orbit in H.sample_orbits()]
        expected = {
            frozenset(arithmetic.act(g, pair) for g in H) for pair in arithmetic.all_pairs()
        }
        assert len(found) == len(expected)
        assert set(found) == expected


def test_burnside_counts_the_sample_orbits(arithmetic: Arithmetic) -> None:
    """As many orbits as elements have fixed points on average."""
    still = Counter(
        g
        for g, pair in product(arithmetic.task.symmetries, arithmetic.all_pairs())
        if arithmetic.act(g, pair) == pair
    )
    for H in subgroups(arithmetic.task).values():
        assert len(H.sample_orbits()) * H.order == sum(still[g] for g in H)


# ------------------------------------------------------------------------- what keeps a split


def test_stabilisers_by_brute_force(arithmetic: Arithmetic) -> None:
    orders = set()
    for split in some_splits(arithmetic.task):
        found = rfm.stabiliser(split)
        assert set(found) == keeping(arithmetic, split)
        assert rfm.generate(*found) == found
        orders.add(found.order)
    assert {1, 2, 2 * arithmetic.task.n} <= orders


def test_a_subgroup_keeps_a_split_if_it_lies_in_the_stabiliser(arithmetic: Arithmetic) -> None:
    for split in some_splits(arithmetic.task):
        S = keeping(arithmetic, split)
        answers = {H: split.kept_by(H) for H in subgroups(arithmetic.task).values()}
        assert answers == {H: S.issuperset(H) for H in answers}


def test_a_union_of_orbits_is_kept(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for H in subgroups(task).values():
        split = rfm.withhold(task, torch.cat(H.sample_orbits()[::2]))
        assert split.kept_by(H)
        assert set(H) <= set(rfm.stabiliser(split))


def test_one_axis_is_kept_by_what_commutes_with_its_reflection(arithmetic: Arithmetic) -> None:
    """The r^j and sr^(k ⋆ j) with j = j⁻¹: for odd n {id, sr^k}, for even cyclic n a Klein group.

    For A = C_2 × C_4 it is C_2 × C_2 × C_2.
    """
    task, position = arithmetic.task, arithmetic.task.group.position
    own = [j for j in arithmetic.elements if arithmetic.invert(j) == j]
    for k, mirror in zip(task.group.values, task.reflections, strict=True):
        found = rfm.stabiliser(rfm.withhold(task, mirror.fixed_points()))
        assert {g.k for g in found.rotations} == {position(j) for j in own}
        assert {g.k for g in found.reflections} == {position(arithmetic.star(k, j)) for j in own}
        assert found.name == {1: "C_2", 2: "Klein", 4: "C_2 × C_2 × C_2"}[len(own)]
        assert mirror in found
        if task.n % 2:
            assert set(found) == {task.identity, mirror}


def test_two_axes_half_a_turn_apart_are_swapped_by_a_quarter_turn() -> None:
    task = rfm.addition(8)
    axes = torch.cat([task.reflection(k).fixed_points() for k in (0, 4)])
    found = rfm.stabiliser(rfm.withhold(task, axes))
    assert [g.name for g in found.rotations] == ["id", "r^2", "r^4", "r^6"]
    assert [g.name for g in found.reflections] == ["s", "sr^2", "sr^4", "sr^6"]
    assert found.name == "D_8"


def test_a_single_point_is_kept_by_its_own_reflection(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for pair in arithmetic.values(task.samples[::3]):
        fixing = {g for g in task.reflections if arithmetic.act(g, pair) == pair}
        found = rfm.stabiliser(rfm.withhold(task, task.pair(*pair)))
        assert set(found) == {task.identity, *fixing}
        assert found.order == 2


def test_whole_classes_are_kept_by_all(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for count in (1, 2, task.n - 1):
        split = rfm.withhold(task, task.samples[task.labels < count])
        assert rfm.stabiliser(split).elements == task.symmetries
        assert all(split.kept_by(H) for H in subgroups(task).values())


def test_why_a_point_is_in_test_plays_no_part() -> None:
    """One half of a mirror pair withheld and the other moved, or a whole class point by point."""
    task = rfm.addition(7)
    mirror = task.reflection(3)
    pair = task.samples[1]
    split = rfm.withhold(task, pair).move(mirror(pair))
    assert split.kept_by(rfm.generate(mirror))
    assert rfm.stabiliser(split) == rfm.generate(mirror)
    zeros = task.samples[task.labels == 0]
    split = rfm.withhold(task, zeros[:3]).move(zeros[3:])
    assert rfm.stabiliser(split).elements == task.symmetries


# ------------------------------------------------------------------------------ what it can reach


def reached(arithmetic: Arithmetic, split: Split, H: Subgroup) -> list[bool]:
    train = set(arithmetic.values(split.train))
    orbit: set[Pair] = {arithmetic.act(g, pair) for g in H for pair in train}
    return [pair in orbit for pair in arithmetic.values(split.test)]


def test_points_reached_by_brute_force(arithmetic: Arithmetic) -> None:
    shares = set()
    for split in some_splits(arithmetic.task):
        for H in tuple(subgroups(arithmetic.task).values())[::3]:
            found = split.reached_by(H)
            assert found.dtype == torch.bool
            assert found.tolist() == reached(arithmetic, split, H)
            shares.add(found.double().mean().item())
    assert {0, 1} < shares


def test_a_split_is_kept_if_nothing_is_reached(arithmetic: Arithmetic) -> None:
    for split in some_splits(arithmetic.task):
        for H in subgroups(arithmetic.task).values():
            assert split.kept_by(H) == (not split.reached_by(H).any())


def test_the_whole_group_reaches_every_class_with_a_training_sample(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    G = rfm.generate(*task.symmetries)
    few = rfm.random_split(task, 5 / task.n**2, 0)
    for split in (few, *some_splits(task)):
        known = {arithmetic.label(*pair) for pair in arithmetic.values(split.train)}
        expected = [arithmetic.label(*pair) in known for pair in arithmetic.values(split.test)]
        assert split.reached_by(G).tolist() == expected
    assert 0 < few.reached_by(G).sum() < len(few.test)


def test_a_larger_subgroup_reaches_no_less(arithmetic: Arithmetic) -> None:
    split = rfm.random_split(arithmetic.task, 0.1, 5)
    found = {H: split.reached_by(H) for H in subgroups(arithmetic.task).values()}
    for H, K in product(found, repeat=2):
        if set(H) < set(K):
            assert (found[H] <= found[K]).all()


# ------------------------------------------------------------------------------------ larger groups


@pytest.mark.parametrize(
    ("task", "name", "factors"),
    [
        (rfm.addition(211), "D_422", (211,)),
        (rfm.subtraction(210), "D_420", (210,)),
        (rfm.multiplication(211), "D_420", (210,)),
        (rfm.addition(8, 27), "D_432", (216,)),
        (rfm.subtraction(6, 36), "Dih(C_6 × C_36)", (6, 36)),
        (rfm.addition(4, 6, 9), "Dih(C_6 × C_36)", (6, 36)),
        (rfm.addition(2, 2, 3, 3, 5), "Dih(C_6 × C_30)", (6, 30)),
    ],
    ids=str,
)
def test_the_whole_of_a_larger_group(task: Task, name: str, factors: tuple[int, ...]) -> None:
    G = rfm.generate(*task.symmetries[:3], *task.reflections[::29])
    assert (G.name, G.invariant_factors) == (name, factors)
    assert G.order == G.permutations.order() == 2 * task.n
    assert len(G.generators) <= 6
    assert [orbit.tolist() for orbit in G.coordinate_orbits()] == [list(range(2 * task.n))]
    labels = [task.label(orbit).unique() for orbit in G.sample_orbits()]
    assert [len(label) for label in labels] == [1] * task.n
    assert len(torch.cat(labels).unique()) == task.n


def test_facts_of_a_middle_sized_subgroup_of_a_larger_group() -> None:
    task = rfm.addition(210)
    H = rfm.generate(task.rotation(42), task.reflection(3))
    assert (H.order, H.name, H.invariant_factors) == (10, "D_10", (5,))
    assert repr(H) == "⟨sr^3, r^42⟩"
    assert len(H.coordinate_orbits()) == 42
    assert len(H.sample_orbits()) == (210**2 + 5 * 210) // 10
    split = rfm.withhold(task, task.reflection(3).fixed_points())
    assert rfm.stabiliser(split).name == "Klein"
    assert split.reached_by(H).all()


# ------------------------------------------------------------------------------------------ errors


def test_a_subgroup_does_not_act_on_a_split_of_another_task() -> None:
    H = rfm.generate(rfm.addition(7).reflection(0))
    for other in (rfm.subtraction(7), rfm.addition(8)):
        split = rfm.random_split(other, 0.5, 0)
        for method in (split.kept_by, split.reached_by):
            with pytest.raises(ValueError, match=r"for x \+ y mod 7 .* a split of x [+−] y mod"):
                method(H)
    again = rfm.random_split(rfm.addition(7), 0.5, 0)  # an equal task, made anew
    assert not again.kept_by(H)
    assert again.reached_by(H).any()
