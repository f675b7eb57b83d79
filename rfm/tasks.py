"""Learning tasks on Abelian groups, with the symmetries of their tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from rfm.arguments import instance, positions
from rfm.groups import Group, Value, cyclic, units
from rfm.products import TableTask
from rfm.symmetry import Symmetry


@dataclass(frozen=True, eq=False, repr=False)
class Task(TableTask):
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


def abelian_task(task: TableTask, what: str) -> Task:
    """The same task, after making sure that it is one on an Abelian group.

    Args:
        task: any task.
        what: what asks for it, for the error.

    Raises:
        ValueError: for a task made by :func:`rfm.composition` or :func:`rfm.quotient`.
    """
    if not isinstance(task, Task):
        raise ValueError(f"{what} needs a task on an Abelian group, such as addition, not {task!r}")
    return task


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
