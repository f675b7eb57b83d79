"""Finite groups, each known by its Cayley table; they need not commute."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import torch
from torch import Tensor

from rfm.arguments import integer, members
from rfm.immutable import Immutable

Value = int | str | tuple[int, ...]
LARGEST = 4096  # order of a group; its Cayley table then takes 128 MB


class FiniteGroup(Immutable):
    """A finite group G of order n whose elements are the positions 0, …, n−1.

    It is given by its Cayley table. :func:`rfm.permutations` makes one of permutations, and an
    Abelian group is a :class:`rfm.Group`, which knows more.

    Attributes:
        order: the number n of elements.
        values: the n values in the order of their positions, as a reader writes them: texts such as
            ``(0 1 2)(3 4)``, residues, or tuples of residues.
        name: what it is called, such as ``S_4``.
        identity: position of the neutral element.

    Args:
        table: (n, n) int64, the position of ab in row a and column b; n up to 4096.
        values: n different values.
        name: what the group is to be called.

    Raises:
        ValueError: unless this is the table of a group: closed, associative, with a neutral element
            and inverses. All n³ triples are looked at.
    """

    order: int
    values: tuple[Value, ...]
    name: str
    identity: int

    def __init__(self, table: Tensor, values: Iterable[Value], name: str):
        if not isinstance(table, Tensor) or table.dtype != torch.int64 or table.ndim != 2:
            raise ValueError("the table must be an int64 tensor of shape (n, n)")
        n, table = len(table), table.detach().cpu().clone()
        if table.shape != (n, n) or not 0 < n <= LARGEST:
            raise ValueError(f"the table must be square, with 1 to {LARGEST} rows")
        if not bool(((table >= 0) & (table < n)).all()):
            raise ValueError(f"the table must hold positions from 0 to {n - 1}")
        places = torch.arange(n)
        neutral = torch.nonzero((table == places).all(1) & (places == table.T).all(1)).flatten()
        if not len(neutral):
            raise ValueError("there is no neutral element in this table")
        e = int(neutral)
        for g in range(n):  # (ag)b = a(gb)
            if not torch.equal(table[table[:, g]], table[:, table[g]]):
                raise ValueError(f"this table is not associative: (ag)b is not a(gb) for g = {g}")
        found, inverses = (table == e).max(1)
        if not bool(found.all()):
            raise ValueError(f"the element {int((~found).nonzero()[0])} has no inverse")
        orders, power = torch.ones(n, dtype=torch.int64), places
        while not bool((power == e).all()):
            orders += power != e
            power = torch.where(power == e, e, table[power, places])
        self._place(table, inverses, orders, e, values, name)

    def _place(
        self,
        table: Tensor,
        inverses: Tensor,
        orders: Tensor,
        identity: int,
        values: Iterable[Value],
        name: str,
    ) -> None:
        """Set all attributes. Raises ValueError for values or a name that cannot be."""
        self.order, self.identity = len(table), identity
        self._table, self._inverses, self._orders = table, inverses, orders
        self.values = members(values, "values")
        try:
            self._positions = {value: i for i, value in enumerate(self.values)}
        except TypeError:  # a list, or a tuple with one in it
            raise ValueError(
                f"values must be integers, texts or tuples of integers, not {self.values!r:.200}"
            ) from None
        if len(self.values) != self.order or len(self._positions) != self.order:
            raise ValueError(
                f"a group of order {self.order} needs as many different values, not "
                f"{len(self._positions)} among {len(self.values)}"
            )
        if not isinstance(name, str) or not name:
            raise ValueError(f"the name of a group must be a text, not {name!r}")
        self.name = name

    @property
    def table(self) -> Tensor:
        """(n, n) int64, the Cayley table, with the position of a ⋆ b in row a and column b."""
        return self._table

    @property
    def inverses(self) -> Tensor:
        """(n,) int64, position ↦ position of the inverse."""
        return self._inverses

    @property
    def orders(self) -> Tensor:
        """(n,) int64, position ↦ order of the element."""
        return self._orders

    @cached_property
    def commutes(self) -> bool:
        """Whether a ⋆ b = b ⋆ a for all a and b."""
        return torch.equal(self._table, self._table.T)

    @cached_property
    def classes(self) -> Tensor:
        """(n,) int64, position ↦ number of its conjugacy class {x ⋆ g ⋆ x⁻¹}.

        Classes are numbered by their smallest position.
        """
        conjugates = self._table[self._table, self._inverses[:, None]]  # x ⋆ g ⋆ x⁻¹ at [x, g]
        return torch.unique(conjugates.amin(0), return_inverse=True)[1]

    def multiply(self, a: Tensor | int, b: Tensor | int) -> Tensor:
        """Positions of a ⋆ b; any shapes that broadcast.

        Raises:
            ValueError: if ``a`` or ``b`` are not positions, or their shapes do not go together.
        """
        a, b = self._checked(a), self._checked(b)
        try:
            return self._table[a, b]
        except IndexError:
            raise ValueError(
                f"positions of shapes {tuple(a.shape)} and {tuple(b.shape)} do not go together"
            ) from None

    def inverse(self, a: Tensor | int) -> Tensor:
        """Positions of the inverses, same shape as ``a``. Raises ValueError for other input."""
        return self._inverses[self._checked(a)]

    def position(self, value: Value) -> int:
        """Position of an element given as a reader writes it, such as ``(0 1 2)`` or a residue.

        Raises:
            ValueError: if the value is not an element of the group.
        """
        try:
            return self._positions[self._key(value)]
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{value!r} is not an element of {self.name}; its elements are "
                f"{self.values[0]}, {self.values[1 % self.order]}, …, {self.values[-1]}"
            ) from None

    def _key(self, value: Value) -> Value:
        """A value in the form in which ``values`` has it."""
        return value

    def _checked(self, a: Tensor | int) -> Tensor:
        if not isinstance(a, Tensor):
            return torch.tensor(integer(a, "a position", 0, self.order - 1))
        if a.dtype != torch.int64 or a.device.type == "meta":
            raise ValueError(f"positions must be int64, not {a.dtype} on {a.device.type}")
        if a.numel() and not 0 <= int(a.min()) <= int(a.max()) < self.order:
            raise ValueError(f"positions must lie in 0, …, {self.order - 1}")
        return a

    def _facts(self) -> tuple[object, ...]:
        """What tells it from others."""
        return self.name, self.values, self._table

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, FiniteGroup):
            return self is other
        mine, others = self._facts(), other._facts()
        return len(mine) == len(others) and all(map(_same, mine, others))

    def __hash__(self) -> int:
        return hash((self.name, self.values))

    def __repr__(self) -> str:
        return self.name


def _same(a: object, b: object) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.equal(a, b)
    return bool(a == b)
