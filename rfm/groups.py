"""Finite Abelian groups, each known by its isomorphism to a product of cyclic groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import chain, product
from math import prod

import torch
from sympy import factorint, isprime, primitive_root
from sympy.utilities.iterables import partitions
from torch import Tensor

Value = int | tuple[int, ...]


class Group:
    """A finite Abelian group A of order n whose elements are the positions 0, …, n−1.

    The group is given by its *logarithm*: an isomorphism to Z_{n₁} × … × Z_{n_k}, whose
    elements are numbered in mixed radix, the last factor running fastest. All other tables
    follow from it. A position is what gets one-hot encoded; a value is what a reader writes.

    Attributes:
        order: the number n of elements.
        moduli: (n₁, …, n_k), the orders of the cyclic factors.
        logarithm: (n,) int64, position ↦ number of its image in the product of cyclic groups.
        values: the n values in the order of their positions: residues, or tuples of residues.
        table: (n, n) int64, the Cayley table: ``table[a, b]`` is the position of a ⋆ b.
        inverses: (n,) int64, position ↦ position of the inverse.
        orders: (n,) int64, position ↦ order of the element.
        identity: position of the neutral element.
    """

    def __init__(
        self, moduli: Sequence[int], logarithm: Tensor, values: Sequence[Value], name: str
    ):
        self.moduli = tuple(moduli)
        self.order = prod(self.moduli)
        self.logarithm = logarithm
        self.values = tuple(values)
        self.name = name
        self._positions = {value: i for i, value in enumerate(self.values)}
        exponential = torch.argsort(logarithm)
        digits = _digits(self.moduli)[logarithm]
        m = torch.tensor(self.moduli)
        self.table = exponential[_number((digits[:, None] + digits[None, :]) % m, self.moduli)]
        self.inverses = exponential[_number(-digits % m, self.moduli)]
        per_factor = m // torch.gcd(m, digits)  # the order of x in Z_m is m / gcd(m, x)
        self.orders = reduce(torch.lcm, per_factor.unbind(1))
        self.identity = int(exponential[0])

    def multiply(self, a: Tensor, b: Tensor) -> Tensor:
        """Positions of a ⋆ b; any shapes that broadcast."""
        return self.table[a, b]

    def inverse(self, a: Tensor) -> Tensor:
        """Positions of the inverses, same shape as ``a``."""
        return self.inverses[a]

    def position(self, value: Value) -> int:
        """Position of an element given as a reader writes it: a residue or a tuple of residues.

        Raises:
            ValueError: if the value is not an element of the group.
        """
        parts = value if isinstance(value, tuple) else (value,)
        if any(type(part) is not int for part in parts) or value not in self._positions:
            raise ValueError(
                f"{value!r} is not an element of {self.name}; its elements are "
                f"{self.values[0]}, {self.values[1 % self.order]}, …, {self.values[-1]}"
            )
        return self._positions[value]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and (self.name, self.values) == (other.name, other.values)

    def __hash__(self) -> int:
        return hash((self.name, self.values))

    def __repr__(self) -> str:
        return self.name


def cyclic(*moduli: int) -> Group:
    """Z_{n₁} × … × Z_{n_k} under addition; a single modulus gives Z_n.

    Raises:
        ValueError: if no modulus is given, or one is not an integer of at least 2.
    """
    if not moduli or any(not isinstance(m, int) or isinstance(m, bool) or m < 2 for m in moduli):
        raise ValueError(f"moduli must be one or more integers of at least 2, not {moduli}")
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
        ValueError: if p is not a prime of at least 3.
    """
    if not isinstance(p, int) or p < 3 or not isprime(p):
        raise ValueError(f"multiplication and division need an odd prime modulus, not {p!r}")
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
        ValueError: if the order is not an integer of at least 2.
    """
    if not isinstance(order, int) or isinstance(order, bool) or order < 2:
        raise ValueError(f"the order must be an integer of at least 2, not {order!r}")
    choices = [
        [[p**i for i, times in split.items() for _ in range(times)] for split in partitions(m)]
        for p, m in factorint(order).items()
    ]
    return [cyclic(*chain(*choice)) for choice in product(*choices)]


def _digits(moduli: tuple[int, ...]) -> Tensor:
    """(n, k) int64: the mixed-radix digits of 0, …, n−1."""
    return torch.cartesian_prod(*(torch.arange(m) for m in moduli)).reshape(prod(moduli), -1)


def _number(digits: Tensor, moduli: tuple[int, ...]) -> Tensor:
    """(...) int64: the numbers that have these mixed-radix ``digits`` (..., k)."""
    number = torch.zeros(digits.shape[:-1], dtype=torch.int64)
    for i, m in enumerate(moduli):
        number = number * m + digits[..., i]
    return number
