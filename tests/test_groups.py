"""Groups and tasks: axioms by brute force, everything else against Python integers."""

from __future__ import annotations

from itertools import product
from math import gcd, lcm

import pytest
import torch
from oracles import Arithmetic
from sympy import factorint, totient

import rfm

# ------------------------------------------------------------------------------------------ groups


def test_the_table_is_the_operation(arithmetic: Arithmetic) -> None:
    group = arithmetic.task.group
    assert sorted(group.values) == sorted(arithmetic.elements)
    for a, b in arithmetic.all_pairs():
        found = group.table[group.position(a), group.position(b)]
        assert group.values[found] == arithmetic.star(a, b)
    for a in arithmetic.elements:
        assert group.values[group.inverses[group.position(a)]] == arithmetic.invert(a)


def test_group_axioms(arithmetic: Arithmetic) -> None:
    group = arithmetic.task.group
    table, n = group.table, group.order
    i = torch.arange(n)
    assert ((table >= 0) & (table < n)).all()
    assert (table[table[:, :, None], i] == table[i[:, None, None], table[None]]).all()
    assert (table == table.T).all()
    assert (table[group.identity] == i).all()
    assert (table[i, group.inverses] == group.identity).all()
    assert (table.sort(dim=1).values == i).all()


def test_orders_by_repeated_multiplication(arithmetic: Arithmetic) -> None:
    group = arithmetic.task.group
    identity = group.values[group.identity]
    assert group.orders.dtype == torch.int64
    assert group.orders.shape == (group.order,)
    for value, order in zip(group.values, group.orders.tolist(), strict=True):
        power, count = value, 1
        while power != identity:
            power, count = arithmetic.star(power, value), count + 1
        assert order == count


@pytest.mark.parametrize(
    "group",
    [*(rfm.cyclic(n) for n in (2, 7, 12, 36, 97, 210)), rfm.units(61), rfm.cyclic(5, 7, 9)],
    ids=repr,
)
def test_a_cyclic_group_has_totient_many_elements_of_each_order(group: rfm.Group) -> None:
    n = group.order
    counts = torch.bincount(group.orders, minlength=n + 1).tolist()
    assert counts == [int(totient(d)) if d and n % d == 0 else 0 for d in range(n + 1)]


@pytest.mark.parametrize("moduli", [(2, 4), (4, 6), (6, 10, 15), (2, 2, 2), (9, 3), (8, 12, 18)])
def test_the_order_of_a_tuple_is_the_least_common_multiple(moduli: tuple[int, ...]) -> None:
    group = rfm.cyclic(*moduli)
    for value, order in zip(group.values, group.orders.tolist(), strict=True):
        parts = [m // gcd(x, m) for x, m in zip(value, moduli, strict=True)]
        assert order == lcm(*parts)
    assert int(group.orders.max()) == lcm(*moduli)  # the exponent is the order of (1, …, 1)
    assert (group.order % group.orders == 0).all()
    assert (group.orders == group.orders[group.inverses]).all()
    assert torch.nonzero(group.orders == 1).flatten().tolist() == [group.identity]


def test_multiply_and_inverse_broadcast() -> None:
    group = rfm.cyclic(2, 4)
    a, b = torch.arange(8)[:, None], torch.arange(8)
    assert (group.multiply(a, b) == group.table).all()
    assert group.inverse(a).shape == (8, 1)
    assert group.inverse(torch.tensor(3)).shape == ()


def test_the_logarithm_is_an_isomorphism_to_the_product_of_cyclic_groups(
    arithmetic: Arithmetic,
) -> None:
    group = arithmetic.task.group
    logarithm = dict(zip(group.values, group.logarithm.tolist(), strict=True))
    assert sorted(logarithm.values()) == list(range(group.order))

    def digits(number: int) -> list[int]:  # the last factor runs fastest
        found = []
        for m in reversed(group.moduli):
            number, digit = divmod(number, m)
            found.insert(0, digit)
        return found

    for a, b in arithmetic.all_pairs():
        pairs = zip(digits(logarithm[a]), digits(logarithm[b]), group.moduli, strict=True)
        total = [(x + y) % m for x, y, m in pairs]
        assert digits(logarithm[arithmetic.star(a, b)]) == total


@pytest.mark.parametrize("p", [3, 5, 7, 11, 13, 61])
def test_units_are_powers_of_the_smallest_primitive_root(p: int) -> None:
    powers = {root: [pow(root, e, p) for e in range(p - 1)] for root in range(1, p)}
    smallest = min(root for root in powers if len(set(powers[root])) == p - 1)
    group = rfm.units(p)
    order = torch.argsort(group.logarithm).tolist()
    assert [group.values[i] for i in order] == powers[smallest]
    assert group.values == tuple(range(1, p))
    assert group.moduli == (p - 1,)


def test_positions_and_values_are_inverse_to_each_other(arithmetic: Arithmetic) -> None:
    group = arithmetic.task.group
    assert [group.position(value) for value in group.values] == list(range(group.order))


def test_mixed_radix_numbers_the_last_factor_fastest() -> None:
    values = rfm.cyclic(3, 5).values
    assert values[:6] == ((0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0))


def test_equal_groups_are_equal_and_isomorphic_ones_are_not() -> None:
    assert rfm.cyclic(12) == rfm.cyclic(12)
    assert hash(rfm.cyclic(12)) == hash(rfm.cyclic(12))
    different = [rfm.cyclic(12), rfm.units(13), rfm.cyclic(3, 4), rfm.cyclic(4, 3), rfm.cyclic(7)]
    assert len(set(different)) == len(different)
    assert [repr(g) for g in different] == ["Z_12", "Z_13^×", "Z_3 × Z_4", "Z_4 × Z_3", "Z_7"]
    assert rfm.cyclic(7) != "Z_7"


@pytest.mark.parametrize(
    "moduli", [(), (1,), (0,), (-3,), (7, 1), (3, 0), (True,), (2.0,), ("7",), (3, None)]
)
@pytest.mark.parametrize("make", [rfm.cyclic, rfm.addition, rfm.subtraction])
def test_a_bad_modulus_for_sums_is_refused(make, moduli) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        make(*moduli)


@pytest.mark.parametrize("p", [1, 0, -7, 2, 4, 8, 9, 15, 55, True, 7.0, "7", None])
@pytest.mark.parametrize("make", [rfm.units, rfm.multiplication, rfm.division])
def test_only_odd_primes_for_products(make, p) -> None:
    with pytest.raises(ValueError, match="odd prime"):
        make(p)


@pytest.mark.parametrize(
    ("group", "value"),
    [
        (rfm.cyclic(7), 7),
        (rfm.cyclic(7), -1),
        (rfm.cyclic(7), (1,)),
        (rfm.cyclic(7), "1"),
        (rfm.units(7), 0),
        (rfm.units(7), 7),
        (rfm.cyclic(3, 5), (3, 0)),
        (rfm.cyclic(3, 5), (0, 5)),
        (rfm.cyclic(3, 5), 4),
        (rfm.cyclic(3, 5), (1, 2, 0)),
    ],
    ids=repr,
)
def test_a_value_outside_the_group_is_refused_by_name(group: rfm.Group, value) -> None:
    with pytest.raises(ValueError, match="not an element of") as refusal:
        group.position(value)
    assert repr(value) in str(refusal.value)
    assert repr(group) in str(refusal.value)


@pytest.mark.parametrize(
    ("order", "count"), [(2, 1), (4, 2), (8, 3), (12, 2), (16, 5), (30, 1), (36, 4), (72, 6)]
)
def test_abelian_groups_of_an_order(order: int, count: int) -> None:
    """As many as there are [OEIS A000688], told apart by how many elements have which order."""
    groups = rfm.abelian(order)
    assert len(groups) == count
    profiles = set()
    for group in groups:
        assert group.order == order
        assert all(len(factorint(m)) == 1 for m in group.moduli)
        powers, orders = torch.arange(order), torch.zeros(order, dtype=torch.int64)
        for exponent in range(1, order + 1):
            orders[(powers == group.identity) & (orders == 0)] = exponent
            powers = group.table[powers, torch.arange(order)]
        assert (orders > 0).all()
        profiles.add(tuple(sorted(orders.tolist())))
    assert len(profiles) == count


@pytest.mark.parametrize("order", [1, 0, -4, True, 4.0, "4", None])
def test_abelian_groups_need_an_order(order) -> None:
    with pytest.raises(ValueError, match="order must be an integer from 2 to 4096"):
        rfm.abelian(order)


# ------------------------------------------------------------------------------------------- tasks


def test_labels_are_python_arithmetic(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    names = task.group.values
    expected = [arithmetic.label(a, b) for a, b in arithmetic.values(task.samples)]
    assert [names[label] for label in task.labels.tolist()] == expected
    for (a, b), label in zip(task.samples.tolist(), expected, strict=True):
        assert names[task.label(torch.tensor([a, b]))] == label


def test_every_operand_and_class_has_n_samples(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for column in (task.samples[:, 0], task.samples[:, 1], task.labels):
        assert (torch.bincount(column, minlength=task.n) == task.n).all()


def test_samples_are_the_table_row_by_row(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    assert task.samples.dtype == torch.int64
    assert task.samples.tolist() == [list(ab) for ab in product(range(task.n), repeat=2)]
    assert (task.index(task.samples) == torch.arange(task.n**2)).all()
    assert task.dimension == 2 * task.n == 2 * task.group.order


def test_pairs_as_a_reader_writes_them(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for a, b in arithmetic.all_pairs():
        assert arithmetic.values(task.pair(a, b)[None]) == [(a, b)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_one_hot_codes(arithmetic: Arithmetic, dtype: torch.dtype) -> None:
    task = arithmetic.task
    n = task.n
    x, y = task.one_hot(task.samples, dtype), task.one_hot_labels(task.samples, dtype)
    assert x.dtype == y.dtype == dtype
    assert x.shape == (n * n, 2 * n)
    assert y.shape == (n * n, n)
    for i, (a, b) in enumerate(task.samples.tolist()):
        assert x[i].tolist() == [float(u in (a, n + b)) for u in range(2 * n)]
        assert y[i].tolist() == [float(c == task.labels[i]) for c in range(n)]


@pytest.mark.parametrize(
    ("task", "name", "elements"),
    [
        (rfm.addition(61), "x + y mod 61", {0: "0", 17: "17"}),
        (rfm.subtraction(29), "x − y mod 29", {28: "28"}),
        (rfm.multiplication(61), "x × y mod 61", {0: "1", 34: "35", 59: "60"}),
        (rfm.division(47), "x ÷ y mod 47", {26: "27"}),
        (rfm.addition(3, 7), "x + y mod (3, 7)", {0: "(0, 0)", 19: "(2, 5)"}),
        (rfm.subtraction(2, 4), "x − y mod (2, 4)", {7: "(1, 3)"}),
    ],
    ids=str,
)
def test_printing(task: rfm.Task, name: str, elements: dict[int, str]) -> None:
    assert (task.name, repr(task)) == (name, name)
    assert {i: task.element(i) for i in elements} == elements


def test_tasks_are_equal_when_group_and_operation_are() -> None:
    tasks = [
        rfm.addition(12),
        rfm.subtraction(12),
        rfm.multiplication(13),
        rfm.division(13),
        rfm.addition(3, 4),
        rfm.addition(13),
    ]
    assert len(set(tasks)) == len(tasks)
    assert rfm.addition(12) == rfm.addition(12)
    assert hash(rfm.addition(12)) == hash(rfm.addition(12))
    assert rfm.addition(12) != rfm.cyclic(12)


@pytest.mark.parametrize(
    ("product_task", "sum_task"),
    [
        (rfm.multiplication(11), rfm.addition(10)),
        (rfm.division(13), rfm.subtraction(12)),
    ],
    ids=str,
)
def test_the_discrete_logarithm_turns_products_into_sums(
    product_task: rfm.Task, sum_task: rfm.Task
) -> None:
    log = product_task.logarithm
    pairs = product_task.samples
    assert (sum_task.label(log[pairs]) == log[product_task.label(pairs)]).all()
    for g in product_task.symmetries:  # and with it the whole symmetry group
        k = sum_task.group.values[log[g.k]]
        h = sum_task.reflection(k) if g.reflects else sum_task.rotation(k)
        assert (product_task.by_logarithm(g.matrix()) == h.matrix()).all()


def test_sums_are_their_own_logarithm() -> None:
    for task in (rfm.addition(8), rfm.subtraction(3, 5)):
        M = torch.rand(task.dimension, task.dimension)
        assert (task.by_logarithm(M) == M).all()


@pytest.mark.parametrize(
    "pairs",
    [
        torch.tensor([[0.0, 1.0]]),
        torch.tensor([[0, 1]], dtype=torch.int32),
        torch.tensor([[True, False]]),
        torch.tensor([[0, 1, 2]]),
        torch.tensor(3),
        torch.empty(0, dtype=torch.int64),
    ],
    ids=str,
)
def test_what_is_not_a_list_of_pairs_is_refused(pairs: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"int64 tensor of shape \(2,\) or \(m, 2\)"):
        rfm.addition(7).index(pairs)


@pytest.mark.parametrize("pair", [(7, 0), (0, 7), (-1, 0), (3, -1)])
def test_a_position_outside_the_table_is_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="0, …, 6"):
        rfm.addition(7).index(torch.tensor([[0, 0], pair]))


def test_a_pair_outside_the_group_is_refused() -> None:
    with pytest.raises(ValueError, match="not an element"):
        rfm.multiplication(7).pair(0, 1)


@pytest.mark.parametrize("value", [True, 1.0, [1], "1", None, (1,), (True, 1)])
def test_what_is_no_residue_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is not an element of Z_5"):
        rfm.cyclic(5).position(value)
