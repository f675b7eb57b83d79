"""Renamings that keep a table, against a search that knows no theorem, and equivariance."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from math import factorial

import numpy as np
import pytest
import torch

import rfm
from rfm.renamings import Renaming, lifted_automorphisms

SMALL = rfm.symmetric(3), rfm.dihedral(4), rfm.quaternions(), rfm.dihedral(5)
every = pytest.mark.parametrize("group", SMALL, ids=str)


def searched(table: list[list[int]], crossed: bool) -> Iterator[tuple[int, ...]]:
    """All maps of pairs made of two bijections of elements that move labels together.

    The bijections f of first and g of second operands are filled in turn, f(0), g(0), f(1), …;
    ``crossed`` puts the image of the second operand first. The label of an image must depend on the
    label alone, one to one. Yields the numbers of the images of all pairs.
    """
    n = len(table)
    f, g = [-1] * n, [-1] * n
    labels, back = [-1] * n, [-1] * n

    def image(a: int, b: int) -> tuple[int, int]:
        return (g[b], f[a]) if crossed else (f[a], g[b])

    def fill(k: int) -> Iterator[tuple[int, ...]]:
        if k == 2 * n:
            yield tuple(x * n + y for a in range(n) for b in range(n) for x, y in [image(a, b)])
            return
        half, i = (f, k // 2) if k % 2 == 0 else (g, k // 2)
        for value in set(range(n)) - set(half):
            half[i] = value
            done, fits = [], True
            for j in range((k + 1) // 2):  # all pairs that have become complete
                a, b = (i, j) if half is f else (j, i)
                x, y = image(a, b)
                old, new = table[a][b], table[x][y]
                if labels[old] == -1 and back[new] == -1:
                    labels[old], back[new] = new, old
                    done.append((old, new))
                elif labels[old] != new:
                    fits = False
                    break
            if fits:
                yield from fill(k + 1)
            for old, new in done:
                labels[old] = back[new] = -1
            half[i] = -1

    yield from fill(0)


def test_the_search_finds_all_of_a_table_without_structure() -> None:
    """In the table of one element and in that of Z_2 all maps of pairs will do."""
    assert len(list(searched([[0]], False))) == 1
    assert len(list(searched([[0, 1], [1, 0]], False))) == factorial(2) ** 2


@every
def test_these_are_all(group: rfm.FiniteGroup) -> None:
    task, table = rfm.composition(group), group.table.tolist()
    found = [tuple(g.on_samples().tolist()) for g in rfm.renamings(task)]
    n, count = group.order, len(rfm.automorphisms(group))
    assert len(set(found)) == len(found) == 2 * n**2 * count
    assert set(found) == {*searched(table, False), *searched(table, True)}


@every
def test_labels_that_stay(group: rfm.FiniteGroup) -> None:
    task, t = rfm.composition(group), torch.arange(group.order)
    kept = [g for g in rfm.renamings(task) if g.keeps_labels]
    assert len(kept) == group.order
    assert not any(g.exchanges for g in kept)
    a, b = task.samples.T
    shifts = {
        tuple(
            task.index(
                torch.stack([group.multiply(a, group.inverse(s)), group.multiply(s, b)], 1)
            ).tolist()
        )
        for s in t
    }
    assert {tuple(g.on_samples().tolist()) for g in kept} == shifts


def test_an_abelian_table_has_twice_as_many_that_keep_labels() -> None:
    for group in (rfm.cyclic(5), rfm.cyclic(2, 2)):
        kept = [g for g in rfm.renamings(rfm.composition(group)) if g.keeps_labels]
        assert len(kept) == 2 * group.order
        assert sum(g.exchanges for g in kept) == group.order


@pytest.mark.parametrize("task", [rfm.addition(5), rfm.subtraction(6)], ids=str)
def test_for_an_abelian_table_they_are_the_equivalences(task: rfm.Task) -> None:
    ours = {tuple(g.on_samples().tolist()) for g in rfm.renamings(task)}
    assert ours == {tuple(g.on_samples().tolist()) for g in rfm.equivalences(task)}


@pytest.mark.parametrize(
    ("group", "count"),
    [
        (rfm.symmetric(4), 24),
        (rfm.alternating(4), 24),
        (rfm.alternating(5), 120),
        (rfm.affine(7, 2), 42),
        (rfm.affine(7, 3), 42),
        (rfm.affine(11, 5), 110),
        (rfm.quaternions(), 24),
    ],
    ids=str,
)
def test_known_numbers_of_automorphisms(group: rfm.FiniteGroup, count: int) -> None:
    maps, table = rfm.automorphisms(group), group.table
    assert len(maps.unique(dim=0)) == len(maps) == count
    for φ in maps:
        assert φ[table].equal(table[φ[:, None], φ])


@pytest.mark.parametrize("moduli", [(6,), (2, 4), (2, 2, 2), (3, 3), (8,)])
def test_automorphisms_by_words_and_by_logarithms(moduli: tuple[int, ...]) -> None:
    group = rfm.cyclic(*moduli)
    plain = rfm.FiniteGroup(group.table, group.values, group.name)
    ours, theirs = rfm.automorphisms(plain), rfm.automorphisms(group)
    assert {tuple(f) for f in ours.tolist()} == {tuple(f) for f in theirs.tolist()}


@pytest.mark.parametrize("task", [rfm.composition(rfm.dihedral(5)), rfm.quotient(rfm.symmetric(3))])
def test_a_run_is_renamed_with_its_split(task: rfm.TableTask) -> None:
    n, dice = task.n, torch.Generator().manual_seed(3)
    maps = rfm.automorphisms(task.group)
    split = rfm.random_split(task, 0.7, 0)
    run = rfm.fit(split, rfm.Gaussian(2.5), 5)
    for exchanges in (False, True):
        φ = maps[int(torch.randint(len(maps), (1,), generator=dice))]
        p, r = torch.randint(n, (2,), generator=dice).tolist()
        g = rfm.Renaming(task, φ, p, r, exchanges)
        assert task.label(g(task.samples)).equal(g.on_labels()[task.labels])
        assert task.one_hot(g(task.samples)).equal(task.one_hot(task.samples) @ g.matrix().T)
        other = rfm.fit(rfm.withhold(task, g(split.test)), rfm.Gaussian(2.5), 5)
        Π = g.matrix()
        torch.testing.assert_close(other.features, Π @ run.features @ Π.T)
        right = split.task.index(g(split.test))[run.correct()]
        assert set(right.tolist()) == set(task.index(other.split.test)[other.correct()].tolist())


@pytest.mark.parametrize("group", [*SMALL, rfm.affine(7, 3), rfm.symmetric(4)], ids=str)
def test_exchanges_fix_one_point_of_each_row(group: rfm.FiniteGroup) -> None:
    task, identity = rfm.composition(group), torch.arange(group.order)
    for φ in rfm.automorphisms(group):
        g = rfm.exchange(task, φ)
        if not φ[φ].equal(identity):
            assert len(g.fixed_points()) < group.order
            continue
        pairs = torch.stack([identity, φ[group.inverses]], 1)
        assert g.fixed_points().equal(pairs)
        assert g.on_labels().equal(φ[group.inverses])
        assert g.on_labels()[task.label(pairs)].equal(task.label(pairs))


def test_bad_maps_are_refused() -> None:
    task = rfm.composition(rfm.symmetric(3))
    with pytest.raises(ValueError, match="no automorphism"):
        rfm.Renaming(task, torch.tensor([1, 0, 2, 3, 4, 5]), 0, 0, False)
    with pytest.raises(ValueError, match="p must be"):
        rfm.Renaming(task, torch.arange(6), 6, 0, False)
    with pytest.raises(ValueError, match="too many to try"):
        rfm.automorphisms(rfm.FiniteGroup(*_elementary(), "Z_2^7"))


def _elementary() -> tuple[torch.Tensor, range]:
    i = torch.arange(128)
    return i[:, None] ^ i, range(128)


@pytest.mark.parametrize("exchanges", [False, True])
def test_it_is_its_own_and_maps_one_pair_as_many(exchanges: bool) -> None:
    """What was given may change afterwards; flags are Python's; coordinates are 0, …, 2n − 1."""
    task = rfm.quotient(rfm.symmetric(3))
    given = rfm.automorphisms(task.group)[1].clone()
    mine = Renaming(task, given, 1, 2, np.bool_(exchanges))
    before = mine.automorphism.clone()
    given.zero_()
    assert mine.automorphism.equal(before)
    assert mine.exchanges is exchanges
    assert mine.coordinates().sort().values.equal(torch.arange(12))
    one_by_one = torch.stack([mine(pair) for pair in task.samples])
    assert one_by_one.equal(mine(task.samples))
    assert one_by_one.equal(task.samples[mine.on_samples()])


def test_as_many_candidates_as_allowed_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """S₃ has 2 · 3 images of generators of orders 3 and 2; what is refused says how many."""
    group = rfm.symmetric(3)
    monkeypatch.setattr(sys.modules["rfm.renamings"], "MOST", 0)
    with pytest.raises(ValueError, match="candidates") as refused:
        lifted_automorphisms(group)
    count = int(re.search(r"has (\d+) candidates", str(refused.value))[1])
    assert count == 6
    monkeypatch.setattr(sys.modules["rfm.renamings"], "MOST", 6 * count)
    assert len(lifted_automorphisms(group)) == 6
    monkeypatch.setattr(sys.modules["rfm.renamings"], "MOST", 6 * count - 1)
    with pytest.raises(ValueError, match="candidates"):
        lifted_automorphisms(group)
