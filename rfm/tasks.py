"""Learning tasks: the table of a group operation as samples, labels and one-hot codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from rfm.arguments import instance, integer, pairs_below, positions
from rfm.groups import Group, Value, cyclic, units
from rfm.immutable import Immutable
from rfm.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class Task(Immutable):
    """Learn a ∘ b from the pair (a, b), where a ∘ b = a ⋆ τ(b) in an Abelian group A of order n.

    The *twist* τ is the only thing that tells the operations apart: the identity for a direct
    operation (+, ×), inversion for a right-inverse operation (−, ÷). Both are involutions and
    homomorphisms, so every statement about a ⋆ b carries over by replacing b with τ(b).

    Samples are pairs of positions in 0, …, n−1, row by row: sample number a·n + b is (a, b).
    Its code is x = e_a ‖ e_b in R^{2n}, its label the position of a ∘ b.

    Attributes:
        group: the group A.
        twist: (n,) int64, position of b ↦ position of τ(b).
        symbol: the operation as printed: ``+``, ``−``, ``×`` or ``÷``.
        modulus: what follows "mod" in the printed name.

    Raises:
        ValueError: if the twist is not an involution (τ(τ(b)) = b), not a homomorphism, or an
            argument is of the wrong type.
    """

    group: Group
    twist: Tensor = field(repr=False)
    symbol: str
    modulus: str

    def __post_init__(self) -> None:
        instance(self.group, Group, "group")
        for name in ("symbol", "modulus"):
            instance(getattr(self, name), str, name)
        twist = positions(self.twist, self.n, "the twist")
        if not torch.equal(twist[twist], torch.arange(self.n)):
            raise ValueError("the twist must be an involution, and twice applied it moves elements")
        table = self.group.table
        if not torch.equal(twist[table], table[twist[:, None], twist]):
            raise ValueError(f"the twist is no homomorphism of {self.group}")
        object.__setattr__(self, "twist", twist)

    @property
    def name(self) -> str:
        """The task in words, such as ``x + y mod 61``."""
        return f"x {self.symbol} y mod {self.modulus}"

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

    @property
    def logarithm(self) -> Tensor:
        """(n,) int64, position ↦ discrete logarithm; turns × into + and leaves + as it is.

        ``logarithm[a ⋆ b]`` is the sum of ``logarithm[a]`` and ``logarithm[b]`` in the product
        of cyclic groups ``group.moduli``.
        """
        return self.group.logarithm

    def by_logarithm(self, matrix: Tensor) -> Tensor:
        """A (2n, 2n) matrix with both blocks of coordinates sorted by discrete logarithm.

        Raises:
            ValueError: for another shape.
        """
        if not isinstance(matrix, Tensor) or matrix.shape != (self.dimension, self.dimension):
            raise ValueError(f"a ({self.dimension}, {self.dimension}) matrix is needed")
        order = torch.argsort(self.logarithm)
        order = torch.cat([order, self.n + order])
        return matrix[order][:, order]

    def rotation(self, k: Value) -> Symmetry:
        """r^k, k a group element as a reader writes it. Raises ValueError outside the group."""
        return Symmetry(self, self.group.position(k), reflects=False)

    def reflection(self, k: Value) -> Symmetry:
        """sr^k, k a group element as a reader writes it. Raises ValueError outside the group."""
        return Symmetry(self, self.group.position(k), reflects=True)

    @property
    def identity(self) -> Symmetry:
        """The neutral element of Dih(A)."""
        return Symmetry(self, self.group.identity, reflects=False)

    @cached_property
    def rotations(self) -> tuple[Symmetry, ...]:
        """All n rotations, by position of k."""
        return tuple(Symmetry(self, k, reflects=False) for k in range(self.n))

    @cached_property
    def reflections(self) -> tuple[Symmetry, ...]:
        """All n reflections, by position of k."""
        return tuple(Symmetry(self, k, reflects=True) for k in range(self.n))

    @property
    def symmetries(self) -> tuple[Symmetry, ...]:
        """All 2n elements of Dih(A), rotations first."""
        return self.rotations + self.reflections

    def mirror(self, pairs: Tensor) -> Tensor:
        """Position k of the one reflection sr^k that fixes each pair, shape () or (m,).

        Every sample is fixed by exactly one reflection [B, Prop. 3.3]: k = a⁻¹ ⋆ τ(b).
        """
        pairs = self.checked(pairs)
        a, b = pairs[..., 0], self.twist[pairs[..., 1]]
        return self.group.multiply(self.group.inverse(a), b)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Task):
            return self is other
        alike = (self.name, self.group) == (other.name, other.group)
        return alike and torch.equal(self.twist, other.twist)

    def __hash__(self) -> int:
        return hash((self.name, self.group))

    def __repr__(self) -> str:
        return self.name


def _direct(group: Group, symbol: str, modulus: str) -> Task:
    return Task(group, torch.arange(group.order), symbol, modulus)


def _right_inverse(group: Group, symbol: str, modulus: str) -> Task:
    return Task(group, group.inverses, symbol, modulus)


def _moduli(moduli: tuple[int, ...]) -> str:
    return str(moduli[0]) if len(moduli) == 1 else str(moduli)


def addition(*moduli: int) -> Task:
    """x + y in Z_{n₁} × … × Z_{n_k}. Raises ValueError for a modulus below 2."""
    group = cyclic(*moduli)
    return _direct(group, "+", _moduli(group.moduli))


def subtraction(*moduli: int) -> Task:
    """x − y in Z_{n₁} × … × Z_{n_k}. Raises ValueError for a modulus below 2."""
    group = cyclic(*moduli)
    return _right_inverse(group, "−", _moduli(group.moduli))


def multiplication(p: int) -> Task:
    """x × y modulo a prime p, zero left out. Raises ValueError unless p is an odd prime."""
    group = units(p)
    return _direct(group, "×", str(group.order + 1))


def division(p: int) -> Task:
    """x ÷ y modulo a prime p, zero left out. Raises ValueError unless p is an odd prime."""
    group = units(p)
    return _right_inverse(group, "÷", str(group.order + 1))
