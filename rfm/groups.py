"""Finite Abelian groups, each known by its isomorphism to a product of cyclic groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import chain, product
from math import prod

import torch
from sympy import factorint, isprime, primitive_root
from sympy.utilities.iterables import partitions
from torch import Tensor

from rfm.arguments import integer, members, positions
from rfm.finite import LARGEST, FiniteGroup, Value

__all__ = ["LARGEST", "Group", "Value", "abelian", "cyclic", "units"]


class Group(FiniteGroup):
    """A finite Abelian group A of order n whose elements are the positions 0, …, n−1.

    The group is given by its *logarithm*: an isomorphism to Z_{n₁} × … × Z_{n_k}, whose
    elements are numbered in mixed radix, the last factor running fastest. All other tables
    follow from it. A position is what gets one-hot encoded; a value is what a reader writes.

    Attributes:
        order: the number n of elements.
        moduli: (n₁, …, n_k), the orders of the cyclic factors.
        values: the n values in the order of their positions: residues, or tuples of residues.
        name: what it is called, such as ``Z_31``.
        identity: position of the neutral element.

    Args:
        moduli: integers of at least 2, their product up to 4096.
        logarithm: (n,) int64, a permutation of 0, …, n−1.
        values: n different integers, or tuples of integers.
        name: what the group is to be called.
        law: the operation on values, (x, y) ↦ x ⋆ y. If it is given, all n² products are compared
            with the table that follows from the logarithm, and a logarithm that is no homomorphism
            is found.

    Raises:
        ValueError: for anything else.
    """

    def __init__(
        self,
        moduli: Sequence[int],
        logarithm: Tensor,
        values: Iterable[Value],
        name: str,
        law: Callable[[Value, Value], Value] | None = None,
    ):
        self.moduli = tuple(integer(m, "a modulus", 2) for m in members(moduli, "moduli"))
        order = prod(self.moduli)
        if not self.moduli or order > LARGEST:
            raise ValueError(f"the moduli must be one or more with a product up to {LARGEST}")
        self._logarithm = positions(logarithm, order, "the logarithm")
        if not torch.equal(self._logarithm.sort().values, torch.arange(order)):
            raise ValueError("the logarithm must be a bijection: it takes a number twice")
        exponential = torch.argsort(self._logarithm)
        digits = _digits(self.moduli)[self._logarithm]
        m = torch.tensor(self.moduli)
        table = exponential[_number((digits[:, None] + digits[None, :]) % m, self.moduli)]
        inverses = exponential[_number(-digits % m, self.moduli)]
        per_factor = m // torch.gcd(m, digits)  # the order of x in Z_m is m / gcd(m, x)
        orders = reduce(torch.lcm, per_factor.unbind(1))
        values = [_plain(value) for value in members(values, "values")]
        self._place(table, inverses, orders, int(exponential[0]), values, name)
        if law is not None:
            if not callable(law):
                raise ValueError(f"the law must be a function of two values, not {law!r}")
            self._compare(law)

    @property
    def logarithm(self) -> Tensor:
        """(n,) int64, position ↦ number of its image in the product of cyclic groups."""
        return self._logarithm

    def _key(self, value: Value) -> Value:
        return _plain(value)

    def _facts(self) -> tuple[object, ...]:
        return self.name, self.moduli, self.values, self._logarithm, self._table

    def _compare(self, law: Callable[[Value, Value], Value]) -> None:
        for (x, a), (y, b) in product(self._positions.items(), repeat=2):
            expected = self.values[int(self._table[a, b])]
            if (found := law(x, y)) != expected:
                raise ValueError(
                    f"the logarithm is no homomorphism: by it {x} ⋆ {y} is {expected}, by the law "
                    f"it is {found}"
                )


def cyclic(*moduli: int) -> Group:
    """Z_{n₁} × … × Z_{n_k} under addition; a single modulus gives Z_n.

    Raises:
        ValueError: if no modulus is given, one is not an integer of at least 2, or their product is
            beyond 4096.
    """
    moduli = tuple(integer(m, "a modulus", 2) for m in moduli)
    if not moduli or prod(moduli) > LARGEST:
        raise ValueError(
            f"one or more moduli of at least 2 are needed, with a product up to {LARGEST}"
        )
    values = list(product(*(range(m) for m in moduli)))
    return Group(
        moduli,
        torch.arange(prod(moduli)),
        [v[0] for v in values] if len(moduli) == 1 else values,
        " × ".join(f"Z_{m}" for m in moduli),
    )


def units(p: int) -> Group:
    """The units 1, …, p−1 of the integers modulo a prime p, under multiplication.

    It is cyclic: the logarithm is taken to the base of the smallest primitive root of p.

    Raises:
        ValueError: if p is not a prime of at least 3, up to 4096.
    """
    p = integer(p, "the odd prime modulus of multiplication and division", 3, LARGEST)
    if not isprime(p):
        raise ValueError(f"multiplication and division need an odd prime modulus, not {p}")
    root, logarithm, power = primitive_root(p), torch.empty(p - 1, dtype=torch.int64), 1
    for exponent in range(p - 1):
        logarithm[power - 1] = exponent
        power = power * root % p
    return Group((p - 1,), logarithm, range(1, p), f"Z_{p}^×")


def abelian(order: int) -> list[Group]:
    """The Abelian groups of an order, one for each up to isomorphism, as products of cyclic groups.

    By the fundamental theorem of finite Abelian groups every one of them is a product of cyclic
    groups of prime-power order in one way: for each prime power p^m that divides the order exactly,
    one group for each partition m = m₁ + … + m_k, namely Z_{p^m₁} × … × Z_{p^m_k}.

    Raises:
        ValueError: if the order is not an integer of at least 2, up to 4096.
    """
    order = integer(order, "the order", 2, LARGEST)
    choices = [
        [[p**i for i, times in split.items() for _ in range(times)] for split in partitions(m)]
        for p, m in factorint(order).items()
    ]
    return [cyclic(*chain(*choice)) for choice in product(*choices)]


def _plain(value: object) -> Value:
    """A value in Python's own integers. Raises ValueError if it is neither integer nor tuple."""
    if isinstance(value, tuple):
        return tuple(integer(part, "a residue") for part in value)
    return integer(value, "a residue")


def _digits(moduli: tuple[int, ...]) -> Tensor:
    """(n, k) int64: the mixed-radix digits of 0, …, n−1."""
    return torch.cartesian_prod(*(torch.arange(m) for m in moduli)).reshape(prod(moduli), -1)


def _number(digits: Tensor, moduli: tuple[int, ...]) -> Tensor:
    """(...) int64: the numbers that have these mixed-radix ``digits`` (..., k)."""
    number = torch.zeros(digits.shape[:-1], dtype=torch.int64)
    for i, m in enumerate(moduli):
        number = number * m + digits[..., i]
    return number
