"""Splits that cannot differ: the equivariance group of a task, and held-out samples up to it.

Kernel and recipe see coordinates only through M, so renaming coordinates renames the result
(equivariance, chapter 04 of the book). The renamings that keep the whole table consist of
automorphisms of A, translations and the swap of operands. Whatever an RFM does with a split it
does, renamed, with every split that such a map makes of it. So a statement about all splits of a
kind needs one run for each class of equivalent ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import torch
from torch import Tensor

from rfm.arguments import flag, instance, integer, positions
from rfm.finite import FiniteGroup
from rfm.groups import Group
from rfm.immutable import Immutable
from rfm.renamings import lifted_automorphisms
from rfm.symmetry import Symmetry
from rfm.tasks import Task

MOST = 10**7  # numbers in the table of candidates for an automorphism, 80 MB


def automorphisms(group: FiniteGroup) -> Tensor:
    """All automorphisms of a finite group, (m, n) int64: row by row, position ↦ position.

    One is known by the images of generators. A homomorphism from Z_{n₁} × … × Z_{n_k} is given by
    those of the k generators, the order of the i-th a divisor of n_i; an automorphism is one that
    is a bijection. For Z_n these are the φ(n) multiplications by a unit. Where the group is not
    given as Abelian, images are continued along words, and products are compared.

    Raises:
        ValueError: for what is no group, or if there are too many candidates, as for large powers
            of a group.
    """
    instance(group, FiniteGroup, "group")
    if not isinstance(group, Group):
        return lifted_automorphisms(group)
    powers = _powers(group)
    images = [torch.nonzero(powers[:, m] == group.identity).flatten() for m in group.moduli]
    count = prod(map(len, images))
    most = MOST // group.order
    if count > most:
        raise ValueError(
            f"{group} has {count} candidates for an automorphism; at most {most} are tried"
        )
    candidates = torch.cartesian_prod(*images).reshape(count, -1)  # images of the generators
    value, exponent = torch.full((count, group.order), group.identity), group.logarithm
    table = group.table
    for i in reversed(range(len(group.moduli))):  # mixed radix, last digit first
        digit, exponent = exponent % group.moduli[i], exponent // group.moduli[i]
        value = table[value, powers[candidates[:, i]][:, digit]]
    bijective = (value.sort(dim=1).values == torch.arange(group.order)).all(dim=1)
    return value[bijective]


def _powers(group: Group) -> Tensor:
    """(n, max n_i + 1) int64: positions of a^0, a^1, … for each position a."""
    powers, a = [torch.full((group.order,), group.identity)], torch.arange(group.order)
    for _ in range(max(group.moduli)):
        powers.append(group.multiply(powers[-1], a))
    return torch.stack(powers, dim=1)


@dataclass(frozen=True, eq=False)
class Equivalence(Immutable):
    """A map that renames coordinates and labels of a task and keeps its table.

    On (a, b) with b = τ(b′), τ the twist of the task:

        (a, b′) ↦ (φ(a) ⋆ s, φ(b′) ⋆ t), and then, if it swaps, its two parts exchanged.

    The label l becomes φ(l) ⋆ s ⋆ t.

    Attributes:
        task: the task whose samples it acts on.
        automorphism: (n,) int64, position ↦ position, φ.
        s: position of s.
        t: position of t.
        swaps: whether the operands are exchanged.

    Raises:
        ValueError: if ``automorphism`` is none of the task's group, or ``s`` or ``t`` no position.
    """

    task: Task
    automorphism: Tensor
    s: int
    t: int
    swaps: bool

    def __post_init__(self) -> None:
        instance(self.task, Task, "task")
        group, n = self.task.group, self.task.n
        φ, table = positions(self.automorphism, n, "the automorphism"), group.table
        bijective = torch.equal(φ.sort().values, torch.arange(n))
        if not bijective or not torch.equal(φ[table], table[φ[:, None], φ]):
            raise ValueError(f"this map of positions is no automorphism of {group}")
        object.__setattr__(self, "automorphism", φ)
        self._place()

    def translated(self, s: int, t: int, swaps: bool) -> Equivalence:
        """The map with the same automorphism and another translation and swap.

        Raises:
            ValueError: if ``s`` or ``t`` is no position.
        """
        other = object.__new__(Equivalence)  # nothing to be checked again about the automorphism
        other.__dict__.update(vars(self) | {"s": s, "t": t, "swaps": swaps})
        other._place()
        return other

    def _place(self) -> None:
        for name in ("s", "t"):
            object.__setattr__(self, name, integer(getattr(self, name), name, 0, self.task.n - 1))
        object.__setattr__(self, "swaps", flag(self.swaps, "swaps"))

    def __call__(self, pairs: Tensor) -> Tensor:
        """Images of ``pairs`` (2,) or (m, 2), same shape. Raises ValueError for other input."""
        group, twist, pairs = self.task.group, self.task.twist, self.task.checked(pairs)
        a = group.multiply(self.automorphism[pairs[..., 0]], self.s)
        b = group.multiply(self.automorphism[twist[pairs[..., 1]]], self.t)
        a, b = (b, a) if self.swaps else (a, b)
        return torch.stack([a, twist[b]], dim=-1)

    def on_labels(self) -> Tensor:
        """Where it sends each label, (n,) int64."""
        group = self.task.group
        return group.multiply(group.multiply(self.automorphism, self.s), self.t)

    def coordinates(self) -> Tensor:
        """Where it sends each of the 2n coordinates of a one-hot pair, (2n,) int64."""
        n, i = self.task.n, torch.arange(self.task.n)
        first, second = self(torch.stack([i, i], dim=-1)).unbind(-1)
        return torch.cat((second + n, first) if self.swaps else (first, second + n))

    def on_samples(self) -> Tensor:
        """Where it sends each of the n² samples, by sample number, (n²,) int64."""
        return self.task.index(self(self.task.samples))


def equivalences(task: Task) -> Iterator[Equivalence]:
    """All maps, twice n² times the number of automorphisms, one after the other.

    Raises:
        ValueError: for what is no task, and as :func:`automorphisms`, when the first one is asked
            for.
    """
    instance(task, Task, "task")
    places, e = range(task.n), task.group.identity
    for φ in automorphisms(task.group):
        centre = Equivalence(task, φ, e, e, swaps=False)
        for s, t, swaps in product(places, places, (False, True)):
            yield centre.translated(s, t, swaps)


@dataclass(frozen=True, eq=False)
class HeldOut(Immutable):
    """A class of equivalent sets of held-out samples.

    Attributes:
        task: the task.
        representative: (m, 2) int64, one of the sets.
        size: how many sets belong to the class.

    Raises:
        ValueError: if the representative is not one pair or two different ones, or the size no
            positive integer.
    """

    task: Task
    representative: Tensor
    size: int

    def __post_init__(self) -> None:
        instance(self.task, Task, "task")
        pairs = self.task.checked(object.__getattribute__(self, "representative"))
        if pairs.ndim != 2 or len(pairs) not in (1, 2):
            raise ValueError("held out are one sample or two, as a tensor (1, 2) or (2, 2)")
        if len(pairs.unique(dim=0)) < len(pairs):
            raise ValueError("held out are two different samples, not one of them twice")
        object.__setattr__(self, "representative", pairs.clone())
        object.__setattr__(self, "size", integer(self.size, "size", 1))

    @cached_property
    def common_mirror(self) -> Symmetry | None:
        """The reflection that fixes all samples of the set, if there is one."""
        mirrors = self.task.mirror(self.representative).unique()
        return self.task.reflections[int(mirrors)] if len(mirrors) == 1 else None

    @cached_property
    def same_label(self) -> bool:
        """Whether all samples of the set have one label."""
        return len(self.task.label(self.representative).unique()) == 1

    @property
    def name(self) -> str:
        """``one sample``, or for two, the second sample as a reader writes it, the first neutral.

        For two samples of a group Z_p, p prime, this is (1, λ) with the slope λ, or (0, 1).
        """
        if len(self.representative) == 1:
            return "one sample"
        group, (a, b) = self.task.group, self.representative[1].tolist()
        return f"({group.values[a]}, {group.values[b]})"


def single_classes(task: Task) -> tuple[HeldOut, ...]:
    """The classes of single samples: one, for translations carry any sample to any other.

    Raises:
        ValueError: for what is no task.
    """
    instance(task, Task, "task")
    neutral = torch.full((1, 2), task.group.identity)
    return (HeldOut(task, neutral, task.n**2),)


def pair_classes(task: Task) -> tuple[HeldOut, ...]:
    """The classes of sets of two samples, ordered by their representative.

    A translation carries one of the samples to the neutral pair. What remains of the other is the
    difference δ = (u, v) ∈ A × A, up to Aut(A), acting on both parts, and the swap. (Which of the
    two is carried there does not matter: inversion, an automorphism, exchanges δ and δ⁻¹. Nor does
    the twist, which commutes with all of this.) For Z_p, p an odd prime, this leaves the slope v/u
    up to λ ~ 1/λ, (p + 3)/2 classes.

    Raises:
        ValueError: for what is no task, and as :func:`automorphisms`.
    """
    instance(task, Task, "task")
    group, n = task.group, task.n
    differences = torch.cartesian_prod(torch.arange(n), torch.arange(n))
    smallest = torch.full((n * n,), n * n)
    for φ in automorphisms(group):
        u, v = φ[differences].unbind(1)
        smallest = torch.minimum(smallest, torch.minimum(u * n + v, v * n + u))
    neutral = group.identity * (n + 1)
    starts, sizes = smallest[torch.arange(n * n) != neutral].unique(return_counts=True)
    classes = []
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        u, v = divmod(start, n)
        pair = torch.tensor([[group.identity] * 2, [u, v]])
        classes.append(HeldOut(task, pair, n * n * size // 2))
    return tuple(classes)
