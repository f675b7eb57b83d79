"""Dih(A) on samples and coordinates: against the table of [B] in integers, sympy, brute force."""

from __future__ import annotations

from itertools import permutations, product

import pytest
import torch
from oracles import Arithmetic
from sympy.combinatorics import Permutation, PermutationGroup

import rfm

# --------------------------------------------------------------------------------- single elements


def test_formulas_of_the_paper(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    before = arithmetic.values(task.samples)
    for g in task.symmetries:
        assert arithmetic.values(g(task.samples)) == [arithmetic.act(g, pair) for pair in before]


def test_named_by_their_element(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for k in arithmetic.elements:
        position = task.group.position(k)
        assert task.rotation(k) == task.rotations[position]
        assert task.reflection(k) == task.reflections[position]
    assert task.symmetries == task.rotations + task.reflections
    assert len(set(task.symmetries)) == 2 * task.n
    assert task.identity == task.rotation(task.group.values[task.group.identity])


def test_labels_are_invariant(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for g in task.symmetries:
        for pair, image in zip(
            arithmetic.values(task.samples), arithmetic.values(g(task.samples)), strict=True
        ):
            assert arithmetic.label(*image) == arithmetic.label(*pair)


def test_one_pair_or_several() -> None:
    task = rfm.subtraction(8)
    g = task.reflection(3)
    assert (g(task.samples[5]) == g(task.samples)[5]).all()
    assert g(task.samples[:0]).shape == (0, 2)
    with pytest.raises(ValueError, match="shape"):
        g(task.samples.reshape(8, 8, 2))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_matrix_moves_codes_as_the_element_moves_samples(
    arithmetic: Arithmetic, dtype: torch.dtype
) -> None:
    task = arithmetic.task
    x = task.one_hot(task.samples, dtype)
    for g in task.symmetries:
        Π = g.matrix(dtype)
        assert Π.dtype == dtype
        assert (x @ Π.T == task.one_hot(g(task.samples), dtype)).all()


def test_matrices_are_permutations_in_blocks(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    n = task.n
    for g in task.symmetries:
        Π = g.matrix()
        assert ((Π == 0) | (Π == 1)).all()
        assert (Π.sum(0) == 1).all()
        assert (Π.sum(1) == 1).all()
        same, across = Π[:n, :n].sum() + Π[n:, n:].sum(), Π[:n, n:].sum() + Π[n:, :n].sum()
        assert (same, across) == ((0, 2 * n) if g.reflects else (2 * n, 0))
        assert (Π == Π.T).all() or not g.reflects


def test_supports_of_each_kind_fill_their_blocks_once(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    n = task.n
    block = torch.ones(n, n, dtype=torch.float64)
    nothing = torch.zeros_like(block)
    rotations = sum(g.matrix() for g in task.rotations)
    reflections = sum(g.matrix() for g in task.reflections)
    assert (
        rotations == torch.cat([torch.cat([block, nothing]), torch.cat([nothing, block])], 1)
    ).all()
    assert (rotations + reflections == 1).all()


def test_homomorphism(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    Π = torch.stack([g.matrix() for g in task.symmetries])
    images = torch.stack([g.on_samples() for g in task.symmetries])
    number = {g: i for i, g in enumerate(task.symmetries)}
    for i, g in enumerate(task.symmetries):
        gh = [number[g * h] for h in task.symmetries]
        assert (Π[gh] == Π[i] @ Π).all()
        assert (images[gh] == images[i][images]).all()


def test_sympy_multiplies_them_likewise(arithmetic: Arithmetic) -> None:
    symmetries = arithmetic.task.symmetries[::3]
    for g, h in product(symmetries, repeat=2):
        assert (g * h).permutation() == h.permutation() * g.permutation()


def test_permutations_are_columns_of_the_matrix(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for g in task.symmetries:
        where = [g.matrix()[:, u].argmax().item() for u in range(task.dimension)]
        assert g.permutation() == Permutation(where)
        assert g.coordinates().tolist() == where


def test_inverses(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for g in task.symmetries:
        assert g * g.inverse() == g.inverse() * g == task.identity
        assert (g.inverse()(g(task.samples)) == task.samples).all()
        assert (g.inverse().matrix() == g.matrix().T).all()
        assert not g.reflects or g.inverse() == g


def test_dihedral_relations(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    s = task.reflections[task.group.identity]
    for r, sr in zip(task.rotations, task.reflections, strict=True):
        assert s * r == sr
        assert s * r * s == r.inverse()
        assert sr * sr == task.identity


def test_on_samples(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for g in task.symmetries:
        assert (task.samples[g.on_samples()] == g(task.samples)).all()


def test_names() -> None:
    plus, times, pairs = rfm.addition(7), rfm.multiplication(11), rfm.addition(3, 5)
    named = {
        plus.identity: "id",
        plus.rotation(3): "r^3",
        plus.reflection(0): "s",
        plus.reflection(6): "sr^6",
        times.rotation(1): "id",
        times.rotation(2): "r^2",
        times.reflection(1): "s",
        times.reflection(10): "sr^10",
        pairs.reflection((0, 0)): "s",
        pairs.reflection((2, 3)): "sr^(2, 3)",
    }
    assert {repr(g) for g in named} == set(named.values())
    assert all((g.name, repr(g)) == (name, name) for g, name in named.items())


# ------------------------------------------------------------------------------------ fixed points


def test_fixed_points(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for g in task.symmetries:
        everything = arithmetic.all_pairs()
        expected = sorted(pair for pair in everything if arithmetic.act(g, pair) == pair)
        found = g.fixed_points()
        assert sorted(arithmetic.values(found)) == expected
        assert (torch.argsort(task.index(found)) == torch.arange(len(found))).all()
        if g.reflects:
            k = task.group.values[g.k]
            assert expected == sorted((a, arithmetic.fixed(k, a)) for a in arithmetic.elements)
        else:
            assert len(expected) == (task.n**2 if g == task.identity else 0)


def test_each_sample_is_fixed_by_one_reflection_and_paired_by_the_others(
    arithmetic: Arithmetic,
) -> None:
    task = arithmetic.task
    mirrors = task.mirror(task.samples).tolist()
    for pair, k in zip(arithmetic.values(task.samples), mirrors, strict=True):
        fixing = [g.k for g in task.reflections if arithmetic.act(g, pair) == pair]
        assert fixing == [k]
    assert task.mirror(task.samples[3]).shape == ()


@pytest.mark.parametrize("make", [rfm.addition, rfm.subtraction])
@pytest.mark.parametrize("n", [4, 6, 8, 10])
def test_even_order_fixes_two_points_in_every_second_class(make, n: int) -> None:
    """[B, App. C.2], there stated for sums."""
    task = make(n)
    sign = 1 if make is rfm.addition else -1
    for k in range(n):
        points = task.reflection(k).fixed_points()
        labels = task.label(points)
        assert torch.unique(labels).tolist() == [c for c in range(n) if (c - sign * k) % 2 == 0]
        partner = task.reflection((k - n // 2) % n)
        for c in labels.unique():
            pair = points[labels == c]
            assert len(pair) == 2
            assert (partner(pair) == pair.flip(0)).all()


# ---------------------------------------------------------------------------- subgroups and orbits


def test_sympy_finds_the_same_group(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    group = PermutationGroup([g.permutation() for g in task.symmetries])
    assert group.order() == 2 * task.n
    assert set(group.elements) == {g.permutation() for g in task.symmetries}


@pytest.mark.parametrize("seed", range(4))
def test_sympy_generates_the_same_subgroups(arithmetic: Arithmetic, seed: int) -> None:
    symmetries = arithmetic.task.symmetries
    count = 1 + seed % 3
    picks = torch.randperm(len(symmetries), generator=torch.Generator().manual_seed(seed))
    generators = [symmetries[i] for i in picks[:count]]
    subgroup = rfm.generate(*generators)
    expected = PermutationGroup([g.permutation() for g in generators])
    assert len(subgroup) == expected.order()
    assert {g.permutation() for g in subgroup} == set(expected.elements)
    assert list(subgroup) == sorted(subgroup, key=lambda g: (g.reflects, g.k))


def test_the_identity_generates_itself() -> None:
    task = rfm.addition(7)
    assert rfm.generate(task.identity).elements == (task.identity,)
    assert rfm.generate(task.rotation(1), task.reflection(4)).elements == task.symmetries


@pytest.mark.parametrize("n", [2, 3, 4, 6, 9])
def test_number_of_subgroups(n: int) -> None:
    """τ(n) of rotations alone and σ(n) with reflections [B, App. B]."""
    task = rfm.addition(n)
    found = {rfm.generate(g, h) for g, h in product(task.symmetries, repeat=2)}
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    dihedral = {subgroup for subgroup in found if any(g.reflects for g in subgroup)}
    assert len(found - dihedral) == len(divisors)
    assert len(dihedral) == sum(divisors)


def test_orbits_by_brute_force(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for generators in (task.reflections[1:2], task.rotations[2:3], task.symmetries[3 :: task.n]):
        subgroup = rfm.generate(*generators)
        start = task.samples[1 : task.n**2 : 3]
        expected = {
            frozenset(arithmetic.act(g, pair) for g in subgroup)
            for pair in arithmetic.values(start)
        }
        found = rfm.orbits(subgroup, start)
        assert len(found) == len(expected)
        assert {frozenset(arithmetic.values(orbit)) for orbit in found} == expected
        numbers = [task.index(orbit).tolist() for orbit in found]
        assert numbers == sorted(sorted(orbit) for orbit in numbers)


def test_orbits_of_the_whole_group_are_the_classes(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    found = rfm.orbits(task.symmetries, task.samples)
    assert len(found) == task.n
    assert sum(len(orbit) for orbit in found) == task.n**2
    for orbit in found:
        assert len({arithmetic.label(*pair) for pair in arithmetic.values(orbit)}) == 1


@pytest.mark.parametrize(
    "task",
    [rfm.addition(2), rfm.addition(3), rfm.subtraction(4), rfm.addition(2, 2), rfm.division(5)],
    ids=str,
)
def test_there_are_no_other_symmetries(task: rfm.Task) -> None:
    """Lemma A.1 of [B] corrected: Dih(A) is all that keeps labels and acts on the two blocks."""
    n = task.n
    a, b = task.samples.unbind(1)
    table = task.labels.reshape(n, n)
    everything = [torch.tensor(p) for p in permutations(range(n))]
    kept = set()
    for first, second in product(everything, repeat=2):
        if (table[first[a], second[b]] == task.labels).all():
            kept.add((*first.tolist(), *(n + second).tolist()))
        if (table[second[b], first[a]] == task.labels).all():
            kept.add((*(n + first).tolist(), *second.tolist()))
    assert kept == {tuple(g.coordinates().tolist()) for g in task.symmetries}
    assert len(kept) == 2 * n


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("task", "k"),
    [
        (rfm.addition(7), 7),
        (rfm.subtraction(7), -1),
        (rfm.multiplication(11), 0),
        (rfm.division(11), 11),
        (rfm.addition(3, 5), 4),
        (rfm.addition(3, 5), (3, 0)),
    ],
    ids=str,
)
def test_an_element_outside_the_group_is_refused(task: rfm.Task, k) -> None:
    for make in (task.rotation, task.reflection):
        with pytest.raises(ValueError, match="not an element of"):
            make(k)


def test_symmetries_of_different_tasks_do_not_mix() -> None:
    plus, minus = rfm.addition(7), rfm.subtraction(7)
    with pytest.raises(ValueError, match="cannot compose"):
        plus.reflection(1) * minus.reflection(1)
    with pytest.raises(ValueError, match="do not go together"):
        rfm.generate(plus.reflection(1), minus.rotation(1))


def test_a_subgroup_needs_a_generator() -> None:
    with pytest.raises(ValueError, match="at least one generator"):
        rfm.generate()


def test_generators_have_the_orbits_of_their_group() -> None:
    task = rfm.addition(3, 4)
    generators = (task.reflection((0, 0)), task.reflection((1, 2)))
    for start in (task.samples, task.samples[5:8]):
        found = rfm.orbits(generators, start)
        expected = rfm.orbits(rfm.generate(*generators), start)
        assert [orbit.tolist() for orbit in found] == [orbit.tolist() for orbit in expected]
    assert all(len(orbit) in (3, 6, 12) for orbit in rfm.orbits(generators, task.samples))


def test_orbits_need_symmetries_of_one_task() -> None:
    task, other = rfm.addition(5), rfm.addition(7)
    for symmetries in ((), (task.reflection(0), other.reflection(0))):
        with pytest.raises(ValueError, match=r"one or more symmetries|do not go together"):
            rfm.orbits(symmetries, task.samples)


@pytest.mark.parametrize("pair", [[-1, 0], [0, 5], [0.0, 1.0], [0, 1, 2]])
def test_what_is_no_pair_of_positions_is_refused(pair: list[float]) -> None:
    task, pairs = rfm.addition(5), torch.tensor([pair])
    for function in (task.label, task.index, task.one_hot, task.mirror, task.reflection(0)):
        with pytest.raises(ValueError, match="pair"):
            function(pairs)
