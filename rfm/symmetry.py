"""The elements of a task's symmetry group Dih(A) = A ⋊ C₂, on samples and on coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from sympy.combinatorics import Permutation
from torch import Tensor

from rfm.arguments import flag, instance, integer

if TYPE_CHECKING:
    from rfm.tasks import Task


@dataclass(frozen=True)
class Symmetry:
    """An element r^k or sr^k of Dih(A), acting on pairs without changing their label.

    On (a, b) with b = τ(b′), τ the twist of the task [B, section 3]:

        r^k  : (a, b′) ↦ (a ⋆ k, b′ ⋆ k⁻¹)
        sr^k : (a, b′) ↦ (b′ ⋆ k⁻¹, a ⋆ k)

    Attributes:
        task: the task whose samples it acts on.
        k: position of the group element k.
        reflects: False for r^k, True for sr^k.

    Raises:
        ValueError: if k is not a position of the task's group, or ``reflects`` not a bool.
    """

    task: Task
    k: int
    reflects: bool

    def __post_init__(self) -> None:
        n = getattr(self.task, "n", None)
        if n is None:
            raise ValueError(f"a symmetry is one of a Task, not of {self.task!r}")
        object.__setattr__(self, "k", integer(self.k, "k", 0, n - 1))
        object.__setattr__(self, "reflects", flag(self.reflects, "reflects"))

    def __call__(self, pairs: Tensor) -> Tensor:
        """Images of ``pairs`` (2,) or (m, 2), same shape. Raises ValueError for other input."""
        group, twist = self.task.group, self.task.twist
        pairs = self.task.checked(pairs)
        a, b = pairs[..., 0], twist[pairs[..., 1]]
        forward = group.multiply(self.k, a)
        backward = group.multiply(group.inverse(self.k), b)
        a, b = (backward, forward) if self.reflects else (forward, backward)
        return torch.stack([a, twist[b]], dim=-1)

    def __mul__(self, other: Symmetry) -> Symmetry:
        """The composition gh: first ``other``, then ``self``.

        Raises:
            ValueError: if the two belong to different tasks.
        """
        if not isinstance(other, Symmetry):
            return NotImplemented
        if self.task != other.task:
            raise ValueError(f"cannot compose symmetries of {self.task} and {other.task}")
        group = self.task.group
        k = group.inverse(self.k) if other.reflects else self.k
        return Symmetry(self.task, int(group.multiply(k, other.k)), self.reflects != other.reflects)

    def inverse(self) -> Symmetry:
        """g⁻¹; a reflection is its own."""
        k = self.k if self.reflects else int(self.task.group.inverse(self.k))
        return Symmetry(self.task, k, self.reflects)

    def fixed_points(self) -> Tensor:
        """The pairs that the element leaves where they are, (m, 2), sorted.

        m = n for a reflection, 0 for a rotation, n² for the identity.
        """
        samples = self.task.samples
        return samples[(self(samples) == samples).all(dim=-1)]

    def coordinates(self) -> Tensor:
        """Where it sends each of the 2n coordinates of a one-hot pair, (2n,) int64."""
        n, i = self.task.n, torch.arange(self.task.n)
        first, second = self(torch.stack([i, i], dim=-1)).unbind(-1)
        images = (second + n, first) if self.reflects else (first, second + n)
        return torch.cat(images)

    def matrix(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """The permutation matrix Π(g), (2n, 2n): Π(g) x(a, b) = x(g(a, b)).

        Block-diagonal for a rotation, block-off-diagonal for a reflection.

        Raises:
            ValueError: if ``dtype`` is not a ``torch.dtype``.
        """
        instance(dtype, torch.dtype, "dtype")
        return torch.eye(self.task.dimension, dtype=dtype)[self.coordinates()].T.contiguous()

    def permutation(self) -> Permutation:
        """The action on the 2n coordinates as a sympy ``Permutation``.

        sympy multiplies from left to right: ``(g * h).permutation()`` equals
        ``h.permutation() * g.permutation()``.
        """
        return Permutation(self.coordinates().tolist())

    def on_samples(self) -> Tensor:
        """Where it sends each of the n² samples, by sample number, (n²,) int64."""
        return self.task.index(self(self.task.samples))

    @property
    def name(self) -> str:
        """``id``, ``r^3``, ``s``, ``sr^3`` or ``sr^(3, 2)``, k as a reader writes it."""
        if self.k == self.task.group.identity:
            return "s" if self.reflects else "id"
        return f"{'s' if self.reflects else ''}r^{self.task.element(self.k)}"

    def __repr__(self) -> str:
        return self.name
