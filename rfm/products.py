"""Learning tasks on any finite group: its table as samples, labels and one-hot codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from rfm.arguments import instance, integer, pairs_below, positions
from rfm.finite import FiniteGroup, Value
from rfm.immutable import Immutable


@dataclass(frozen=True, eq=False, repr=False)
class TableTask(Immutable):
    """Learn a ∘ b from the pair (a, b), where a ∘ b = a ⋆ τ(b) in a finite group G of order n.

    The *twist* τ tells the operations apart: the identity for the product, inversion for the
    quotient. Nothing here needs the group to commute; for one that does, :class:`rfm.Task` knows
    the symmetries of the table too.

    Samples are pairs of positions in 0, …, n−1, row by row: sample number a·n + b is (a, b).
    Its code is x = e_a ‖ e_b in R^{2n}, its label the position of a ∘ b.

    Attributes:
        group: the group G.
        twist: (n,) int64, position of b ↦ position of τ(b).
        symbol: the operation as printed: ``·`` or ``/``.

    Raises:
        ValueError: if the twist is neither the identity nor inversion, or an argument is of the
            wrong type.
    """

    group: FiniteGroup
    twist: Tensor = field(repr=False)
    symbol: str

    def __post_init__(self) -> None:
        instance(self.group, FiniteGroup, "group")
        instance(self.symbol, str, "symbol")
        twist = positions(self.twist, self.n, "the twist")
        if not any(map(twist.equal, (torch.arange(self.n), self.group.inverses))):
            raise ValueError("the twist of a product must be the identity or inversion")
        object.__setattr__(self, "twist", twist)

    @property
    def name(self) -> str:
        """The task in words, such as ``x · y in S_4``."""
        return f"x {self.symbol} y in {self.group.name}"

    @property
    def n(self) -> int:
        """Order of the group, and number of classes."""
        return self.group.order

    @property
    def dimension(self) -> int:
        """2n, the number of coordinates of a one-hot pair."""
        return 2 * self.n

    @cached_property
    def samples(self) -> Tensor:
        """All n² samples, (n², 2) int64, row by row."""
        return torch.cartesian_prod(torch.arange(self.n), torch.arange(self.n))

    @cached_property
    def labels(self) -> Tensor:
        """Labels of all n² samples, (n²,) int64."""
        return self.label(self.samples)

    def label(self, pairs: Tensor) -> Tensor:
        """Positions of a ∘ b, shape () or (m,), for ``pairs`` of shape (2,) or (m, 2).

        Raises:
            ValueError: as :meth:`checked`.
        """
        pairs = self.checked(pairs)
        return self.group.multiply(pairs[..., 0], self.twist[pairs[..., 1]])

    def index(self, pairs: Tensor) -> Tensor:
        """Sample numbers a·n + b, shape () or (m,), for ``pairs`` of shape (2,) or (m, 2).

        Raises:
            ValueError: as :meth:`checked`.
        """
        pairs = self.checked(pairs)
        return pairs[..., 0] * self.n + pairs[..., 1]

    def checked(self, pairs: Tensor) -> Tensor:
        """The same pairs, after making sure that they are pairs of positions of this task.

        Raises:
            ValueError: if ``pairs`` is not an int64 tensor of shape (2,) or (m, 2) with entries in
                0, …, n−1.
        """
        return pairs_below(pairs, self.n)

    def listed(self, pairs: Tensor) -> Tensor:
        """The distinct ones among ``pairs`` (2,) or (m, 2), as (m′, 2) in table order.

        Raises:
            ValueError: as :meth:`checked`.
        """
        return self.checked(pairs).reshape(-1, 2).unique(dim=0)

    def pair(self, a: Value, b: Value) -> Tensor:
        """The pair (a, b) of two group elements as a reader writes them, shape (2,)."""
        return torch.tensor([self.group.position(a), self.group.position(b)])

    def one_hot(self, pairs: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
        """Codes x = e_a ‖ e_b, shape (2n,) or (N, 2n), for ``pairs`` of shape (2,) or (N, 2).

        Raises:
            ValueError: as :meth:`checked`, or if ``dtype`` is not a ``torch.dtype``.
        """
        instance(dtype, torch.dtype, "dtype")
        pairs, eye = self.checked(pairs), torch.eye(self.n, dtype=dtype)
        return torch.cat([eye[pairs[..., 0]], eye[pairs[..., 1]]], dim=-1)

    def one_hot_labels(self, pairs: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
        """One-hot labels Y, shape (n,) or (N, n), for ``pairs`` of shape (2,) or (N, 2).

        Raises:
            ValueError: as :meth:`one_hot`.
        """
        instance(dtype, torch.dtype, "dtype")
        return torch.eye(self.n, dtype=dtype)[self.label(pairs)]

    def element(self, position: int) -> str:
        """The group element at a position as printed, such as ``17`` or ``(2, 5)``.

        Raises:
            ValueError: if ``position`` is not one of 0, …, n−1.
        """
        return str(self.group.values[integer(position, "a position", 0, self.n - 1)])

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, TableTask):
            return self is other
        alike = (self.name, self.group) == (other.name, other.group)
        return alike and type(self) is type(other) and torch.equal(self.twist, other.twist)

    def __hash__(self) -> int:
        return hash((self.name, self.group))

    def __repr__(self) -> str:
        return self.name


def composition(group: FiniteGroup) -> TableTask:
    """x · y in a finite group, which need not commute. Raises ValueError for what is no group."""
    instance(group, FiniteGroup, "group")
    return TableTask(group, torch.arange(group.order), "·")


def quotient(group: FiniteGroup) -> TableTask:
    """x / y = x y⁻¹ in a finite group, which need not commute.

    It is the product with the second operands renamed, so that a machine does the same with both.

    Raises:
        ValueError: for what is no group.
    """
    instance(group, FiniteGroup, "group")
    return TableTask(group, group.inverses, "/")
