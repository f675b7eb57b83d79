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
from torch import Tensor

import rfm
from rfm.groups import Value

NEAR = 1e-8
PRIMES = (3, 5, 7, 11, 13, 29, 31, 61)
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
        if is_homomorphism(
            group, {group.values[a]: group.values[i] for a, i in enumerate(images)}
        )
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


def explicit(arithmetic: Arithmetic) -> set[tuple[int, ...]]:
    """All (ua + s, ub + t), for × and ÷ all (s aᵘ, t bᵘ), and their swaps, on samples, by number.

    The same for a twisted operation: τ commutes with φ, and −1 is a unit.
    """
    n = arithmetic.task.n
    if arithmetic.elements[0] == 1:
        maps = [[s * pow(a, u, n + 1) % (n + 1) - 1 for a in range(1, n + 1)]
                for u, s in units_and_shifts(n, range(1, n + 1))]  # fmt: skip
    else:
        maps = [[(u * a + s) % n for a in range(n)] for u, s in units_and_shifts(n, range(n))]
    found = set()
    for first, second in product(maps, repeat=2):
        # the same unit on both sides: the maps of one unit are n neighbours in the list
        if maps.index(first) // n == maps.index(second) // n:
            pairs = [(first[a], second[b]) for a, b in product(range(n), repeat=2)]
            found.add(tuple(a * n + b for a, b in pairs))
            found.add(tuple(b * n + a for a, b in pairs))
    return found


def test_number_of_equivalences(arithmetic: Arithmetic) -> None:
    """2n²·|Aut(A)|, all different, all bijections."""
    task = arithmetic.task
    automorphisms = {(7,): 6, (8,): 4, (3, 5): 8, (2, 4): 8, (10,): 4, (12,): 4}
    images = torch.stack([Q.on_samples() for Q in rfm.equivalences(task)])
    assert images.shape == (2 * task.n**2 * automorphisms[task.group.moduli], task.n**2)
    assert (images.sort(dim=1).values == torch.arange(task.n**2)).all()
    assert len(images.unique(dim=0)) == len(images)
    assert (images[:, 0].bincount(minlength=task.n**2) > 0).all()  # they are transitive
