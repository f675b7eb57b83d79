"""Groups that need not commute, and tasks on them, against sympy and against the Abelian ones."""

from __future__ import annotations

import random

import pytest
import torch
from sympy.combinatorics import Permutation, PermutationGroup
from sympy.combinatorics.named_groups import (
    AlternatingGroup,
    DihedralGroup,
    SymmetricGroup,
)

import rfm
from rfm.networks import Random, Square, Waves, train

GROUPS = {
    "S_3": (rfm.symmetric(3), SymmetricGroup(3)),
    "S_4": (rfm.symmetric(4), SymmetricGroup(4)),
    "A_4": (rfm.alternating(4), AlternatingGroup(4)),
    "A_5": (rfm.alternating(5), AlternatingGroup(5)),
    "D_10": (rfm.dihedral(5), DihedralGroup(5)),
    "D_14": (rfm.affine(7, 2), DihedralGroup(7)),
}
every = pytest.mark.parametrize(("group", "theirs"), GROUPS.values(), ids=GROUPS)


def permutation(text: str, size: int) -> Permutation:
    """The permutation that cycles stand for, read by a parser of its own."""
    text = "" if text == "id" else text.strip("()")
    cycles = [list(map(int, part.split())) for part in text.split(")(") if part]
    return Permutation(cycles, size=size)


@every
def test_products_are_those_of_sympy(group: rfm.FiniteGroup, theirs: PermutationGroup) -> None:
    size, dice = theirs.degree, random.Random(0)
    elements = [permutation(value, size) for value in group.values]
    assert set(elements) == set(theirs.elements)
    for _ in range(200):
        a, b = dice.randrange(group.order), dice.randrange(group.order)
        assert elements[int(group.multiply(a, b))] == elements[a] * elements[b]
        assert elements[int(group.inverse(a))] == elements[a] ** -1
        assert int(group.orders[a]) == elements[a].order()
    assert group.values[group.identity] == "id"


@every
def test_classes_are_those_of_sympy(group: rfm.FiniteGroup, theirs: PermutationGroup) -> None:
    elements, numbers = (
        [permutation(v, theirs.degree) for v in group.values],
        group.classes.tolist(),
    )
    found = {
        frozenset(g for g, c in zip(elements, numbers, strict=True) if c == k) for k in set(numbers)
    }
    assert found == {frozenset(each) for each in theirs.conjugacy_classes()}


@pytest.mark.parametrize(
    ("group", "orders"),
    [
        (rfm.quaternions(), {1: 1, 2: 1, 4: 6}),
        (rfm.dihedral(4), {1: 1, 2: 5, 4: 2}),
        (rfm.affine(7, 3), {1: 1, 3: 14, 7: 6}),
        (rfm.affine(5, 4), {1: 1, 2: 5, 4: 10, 5: 4}),
        (rfm.affine(11, 5), {1: 1, 5: 44, 11: 10}),
    ],
    ids=str,
)
def test_orders_of_elements(group: rfm.FiniteGroup, orders: dict[int, int]) -> None:
    found = group.orders.tolist()
    assert {order: found.count(order) for order in set(found)} == orders
    assert not group.commutes
    assert all(value.startswith("(") for value in group.values[1:])


def test_elements_are_in_the_order_of_their_images() -> None:
    assert rfm.symmetric(3).values == ("id", "(1 2)", "(0 1)", "(0 1 2)", "(0 2 1)", "(0 2)")
    assert rfm.alternating(4).values[1] == "(1 2 3)"
    assert rfm.alternating(4).values[3] == "(0 1)(2 3)"


@pytest.mark.parametrize("group", [rfm.cyclic(6), rfm.cyclic(2, 4), rfm.units(7)], ids=str)
def test_a_table_says_what_a_logarithm_says(group: rfm.Group) -> None:
    plain = rfm.FiniteGroup(group.table, group.values, group.name)
    assert plain.commutes
    assert plain.identity == group.identity
    assert plain.inverses.equal(group.inverses)
    assert plain.orders.equal(group.orders)
    assert plain.classes.equal(torch.arange(group.order))
    assert plain != group  # it does not know its logarithm
    assert plain == rfm.FiniteGroup(group.table, group.values, group.name)
    assert hash(plain) == hash(rfm.FiniteGroup(group.table, group.values, group.name))


LOOP = [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (torch.tensor(LOOP), "associative"),  # a Latin square with a neutral element
        (torch.tensor([[0, 0], [0, 0]]), "neutral"),
        (torch.tensor([[0, 1], [1, 1]]), "inverse"),
        (torch.tensor([[0, 1], [1, 2]]), "positions from 0 to 1"),
        (torch.tensor([[0, 1]]), "square"),
        (torch.tensor([[0.0]]), "int64"),
        ("table", "int64"),
    ],
)
def test_what_is_no_group_is_refused(table: object, says: str) -> None:
    values = range(len(table))
    with pytest.raises(ValueError, match=says):
        rfm.FiniteGroup(table, values, "G")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: rfm.FiniteGroup(torch.tensor([[0]]), ["a", "b"], "G"), "different values"),
        (lambda: rfm.FiniteGroup(torch.tensor([[0]]), [["a"]], "G"), "texts or tuples"),
        (lambda: rfm.FiniteGroup(torch.tensor([[0]]), [("a", [0])], "G"), "texts or tuples"),
        (lambda: rfm.FiniteGroup(torch.tensor([[0]]), ["a"], ""), "name"),
        (lambda: rfm.affine(9, 2), "prime"),
        (lambda: rfm.affine(7, 4), "divisor"),
        (lambda: rfm.affine(7, 1), "at least 2"),
        (lambda: rfm.dihedral(2), "from 3"),
        (lambda: rfm.symmetric(7), "from 2 to 6"),
        (lambda: rfm.alternating(2), "from 3 to 6"),
        (lambda: rfm.permutations("S_3", "S_3"), "PermutationGroup"),
        (lambda: rfm.permutations(SymmetricGroup(7), "S_7"), "order up to"),
        (lambda: rfm.symmetric(3).position("(0 3)"), "not an element of S_3"),
        (lambda: rfm.symmetric(3).position([0]), "not an element of S_3"),
        (lambda: rfm.symmetric(3).multiply(6, 0), "from 0 to 5"),
        (lambda: rfm.composition(3), "FiniteGroup"),
        (lambda: rfm.TableTask(rfm.symmetric(3), torch.arange(6).roll(1), "·"), "twist"),
    ],
)
def test_errors_say_what_is_allowed(make: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


# ------------------------------------------------------------------------------------------ tasks

TASK = rfm.composition(rfm.symmetric(3))


def test_labels_are_products_and_quotients() -> None:
    group = TASK.group
    for task, second in ((TASK, torch.arange(6)), (rfm.quotient(group), group.inverses)):
        for a, b in task.samples.tolist():
            assert int(task.label(torch.tensor([a, b]))) == int(group.multiply(a, second[b]))
    assert TASK.name == "x · y in S_3"
    assert rfm.quotient(group).name == "x / y in S_3"
    assert rfm.quotient(group) != TASK
    assert rfm.composition(rfm.symmetric(3)) == TASK
    assert TASK.element(0) == "id"


def test_an_abelian_table_gives_the_same_run() -> None:
    task, plain = rfm.addition(7), rfm.composition(rfm.cyclic(7))
    runs = [rfm.fit(rfm.random_split(t, 0.7, 0), rfm.Gaussian(2.5), 5) for t in (task, plain)]
    assert runs[0].features.equal(runs[1].features)
    assert runs[0].right.equal(runs[1].right)
    assert runs[0].predictions.equals(runs[1].predictions)


def test_a_quotient_is_a_product_with_operands_renamed() -> None:
    over = rfm.quotient(TASK.group)
    split = rfm.random_split(TASK, 0.6, 1)
    moved = split.test.clone()
    moved[:, 1] = TASK.group.inverse(moved[:, 1])
    run = rfm.fit(split, rfm.Gaussian(2.5), 4)
    other = rfm.fit(rfm.withhold(over, moved), rfm.Gaussian(2.5), 4)
    order = torch.cat([torch.arange(6), 6 + TASK.group.inverses])
    torch.testing.assert_close(other.features[order][:, order], run.features)
    assert int(run.correct().sum()) == int(other.correct().sum())


def test_splits_know_no_mirrors() -> None:
    split = rfm.withhold(TASK, torch.tensor([[0, 0], [1, 2]]))
    assert split.mirrors == ()
    assert split.orbit_baseline() is None
    moved = split.move_random(2, 0).give_back(torch.tensor([0, 0]))
    assert len(moved.test) == 3
    run = rfm.fit(moved, rfm.Quadratic(), 2)
    assert set(run.predictions.label) <= set(TASK.group.values)


def test_networks_learn_such_tables_too() -> None:
    run = train(rfm.random_split(TASK, 0.8, 0), Square(), Random(), 20, width=32)
    assert run.table.train_loss.iloc[-1] < run.table.train_loss.iloc[0]
    for ask in (run.weights.frequency_shares, lambda: Waves.of(run.weights)):
        with pytest.raises(ValueError, match="Abelian"):
            ask()


def test_what_needs_mirrors_says_so() -> None:
    split = rfm.random_split(TASK, 0.8, 0)
    M = torch.eye(12, dtype=torch.float64)
    for ask in (
        lambda: rfm.stabiliser(split),
        lambda: rfm.fit(split, rfm.Gaussian(2.5), translations=True),
    ):
        with pytest.raises(ValueError, match="Abelian group, such as addition, not x · y in S_3"):
            ask()
    for ask in (lambda: rfm.decompose(M, TASK), lambda: rfm.circulant_deviation(M, TASK)):
        with pytest.raises(ValueError, match="must be a Task, not TableTask"):
            ask()


def test_settings_are_told_apart_by_their_groups() -> None:
    """Two groups of one order and name have other tables, and other keys."""
    dihedral, quaternions = rfm.dihedral(4), rfm.quaternions()
    same = [rfm.FiniteGroup(g.table, range(8), "G") for g in (dihedral, quaternions)]
    keys = [
        rfm.Setting(rfm.random_split(rfm.composition(g), 0.5, 0), rfm.Quadratic()).key for g in same
    ]
    assert keys[0] != keys[1]
