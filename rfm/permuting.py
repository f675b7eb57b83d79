"""Finite groups made of permutations: any of sympy's, and some that do not commute, by name."""

from __future__ import annotations

import torch
from sympy import isprime, primitive_root
from sympy.combinatorics import Permutation, PermutationGroup
from sympy.combinatorics.named_groups import AlternatingGroup, SymmetricGroup

from rfm.arguments import instance, integer
from rfm.finite import LARGEST, FiniteGroup


def permutations(group: PermutationGroup, name: str) -> FiniteGroup:
    """A permutation group of sympy, its elements listed and its table filled.

    An element is written as its cycles, ``(0 1 2)(3 4)``, the neutral one ``id``, which has the
    position 0; the others are ordered by the images of 0, 1, …. As in sympy, ab is first a and
    then b.

    Args:
        group: the group, of order up to 4096.
        name: what it is to be called, such as ``S_4``.

    Raises:
        ValueError: for anything else.
    """
    instance(group, PermutationGroup, "group")
    order = int(group.order())
    if order > LARGEST:
        raise ValueError(f"a group must have an order up to {LARGEST}, not {order}")
    images = torch.tensor(sorted(g.array_form for g in group.elements), dtype=torch.int64)
    place = {tuple(row): i for i, row in enumerate(images.tolist())}
    table = torch.tensor(  # images[b][images[a]] is first a and then b
        [[place[tuple(row)] for row in images[:, a].tolist()] for a in images]
    )
    return FiniteGroup(table, [_cycles(row) for row in images.tolist()], name)


def _cycles(images: list[int]) -> str:
    cycles = Permutation(images).cyclic_form
    return "".join(f"({' '.join(map(str, cycle))})" for cycle in cycles) or "id"


def affine(p: int, q: int) -> FiniteGroup:
    """The maps x ↦ ux + v modulo a prime p with u of an order that q divides; q divides p − 1.

    Its order is pq. For q = 2 it is the dihedral group, ``D_14`` for p = 7; for other q it is
    called a Frobenius group, ``F_21`` for p = 7 and q = 3.

    Raises:
        ValueError: if p is no prime, q does not divide p − 1, or q is 1.
    """
    p, q = integer(p, "p", 3, LARGEST), integer(q, "q", 2)
    if not isprime(p) or (p - 1) % q or p * q > LARGEST:
        raise ValueError(f"p must be a prime, q a divisor of p − 1, and pq at most {LARGEST}")
    u = pow(primitive_root(p), (p - 1) // q, p)
    shift = Permutation([(x + 1) % p for x in range(p)])
    scale = Permutation([u * x % p for x in range(p)])
    return permutations(PermutationGroup(shift, scale), f"{'D' if q == 2 else 'F'}_{p * q}")


def dihedral(n: int) -> FiniteGroup:
    """The dihedral group of order 2n, the symmetries of an n-gon, called ``D_{2n}``.

    Raises:
        ValueError: if n is not an integer from 3 to 2048.
    """
    n = integer(n, "the number of corners", 3, LARGEST // 2)
    turn = Permutation([(x + 1) % n for x in range(n)])
    flip = Permutation([-x % n for x in range(n)])
    return permutations(PermutationGroup(turn, flip), f"D_{2 * n}")


def quaternions() -> FiniteGroup:
    """The quaternion group Q_8 = {±1, ±i, ±j, ±k}, permuting its own eight elements."""
    i = Permutation([[0, 1, 2, 3], [4, 5, 6, 7]])
    j = Permutation([[0, 4, 2, 6], [1, 7, 3, 5]])
    return permutations(PermutationGroup(i, j), "Q_8")


def symmetric(k: int) -> FiniteGroup:
    """S_k, all permutations of k things. Raises ValueError unless k is from 2 to 6."""
    k = integer(k, "the number of things", 2, 6)
    return permutations(SymmetricGroup(k), f"S_{k}")


def alternating(k: int) -> FiniteGroup:
    """A_k, the even permutations of k things. Raises ValueError unless k is from 3 to 6."""
    k = integer(k, "the number of things", 3, 6)
    return permutations(AlternatingGroup(k), f"A_{k}")
