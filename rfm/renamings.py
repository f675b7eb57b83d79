"""The renamings of coordinates that keep the table of a finite group, and its automorphisms.

A map of pairs that permutes the 2n coordinates of their codes, and after which the label depends on
nothing but the label before, is one of these, p and r elements of G and φ an automorphism:

    (a, b) ↦ (pφ(a), φ(b)r),  l ↦ pφ(l)r;    (a, b) ↦ (pφ(b⁻¹), φ(a⁻¹)r),  l ↦ pφ(l⁻¹)r.

There are 2n²|Aut G| of them. In the first kind (pφ(a)q, q⁻¹φ(b)r) is one too, φ with the inner
automorphism by q. Only n keep all labels if G does not commute, (at⁻¹, tb), and none of these
exchanges the operands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor

from rfm.arguments import flag, instance, integer, positions
from rfm.finite import FiniteGroup
from rfm.immutable import Immutable
from rfm.products import TableTask

MOST = 10**8  # numbers in the table of candidates for an automorphism


@dataclass(frozen=True, eq=False)
class Renaming(Immutable):
    """A map that renames coordinates and labels of a task on any finite group.

    With b = τ(b′), τ the twist of the task, (a, b′) becomes (pφ(a), φ(b′)r), and if the map
    exchanges the operands (pφ(b′⁻¹), φ(a⁻¹)r).

    Attributes:
        task: the task whose samples it acts on.
        automorphism: (n,) int64, position ↦ position, φ.
        p: position of p.
        r: position of r.
        exchanges: whether the operands are exchanged.

    Raises:
        ValueError: if ``automorphism`` is none of the task's group, or ``p`` or ``r`` no position.
    """

    task: TableTask
    automorphism: Tensor
    p: int
    r: int
    exchanges: bool

    def __post_init__(self) -> None:
        instance(self.task, TableTask, "task")
        group, n = self.task.group, self.task.n
        φ, table = positions(self.automorphism, n, "the automorphism"), group.table
        bijective = torch.equal(φ.sort().values, torch.arange(n))
        if not bijective or not torch.equal(φ[table], table[φ[:, None], φ]):
            raise ValueError(f"this map of positions is no automorphism of {group}")
        object.__setattr__(self, "automorphism", φ)
        for name in ("p", "r"):
            object.__setattr__(self, name, integer(getattr(self, name), name, 0, n - 1))
        object.__setattr__(self, "exchanges", flag(self.exchanges, "exchanges"))

    def __call__(self, pairs: Tensor) -> Tensor:
        """Images of ``pairs`` (2,) or (m, 2), same shape. Raises ValueError for other input."""
        group, twist, pairs = self.task.group, self.task.twist, self.task.checked(pairs)
        a, b = pairs[..., 0], twist[pairs[..., 1]]
        if self.exchanges:
            a, b = group.inverse(b), group.inverse(a)
        a = group.multiply(self.p, self.automorphism[a])
        b = group.multiply(self.automorphism[b], self.r)
        return torch.stack([a, twist[b]], dim=-1)

    def on_labels(self) -> Tensor:
        """Where it sends each label, (n,) int64."""
        group = self.task.group
        before = group.inverses if self.exchanges else torch.arange(self.task.n)
        image = self.automorphism[before]
        return group.multiply(group.multiply(self.p, image), self.r)

    def coordinates(self) -> Tensor:
        """Where it sends each of the 2n coordinates of a one-hot pair, (2n,) int64."""
        n, i = self.task.n, torch.arange(self.task.n)
        first, second = self(torch.stack([i, i], dim=-1)).unbind(-1)
        return torch.cat((second + n, first) if self.exchanges else (first, second + n))

    def on_samples(self) -> Tensor:
        """Where it sends each of the n² samples, by sample number, (n²,) int64."""
        return self.task.index(self(self.task.samples))

    def matrix(self) -> Tensor:
        """The permutation matrix Π(g), (2n, 2n) float64: Π(g) x(a, b) = x(g(a, b))."""
        eye = torch.eye(self.task.dimension, dtype=torch.float64)
        return eye[self.coordinates()].T.contiguous()

    def fixed_points(self) -> Tensor:
        """The pairs that it leaves where they are, (m, 2), in table order."""
        samples = self.task.samples
        return samples[(self(samples) == samples).all(dim=-1)]

    @property
    def keeps_labels(self) -> bool:
        """Whether every label stays what it is."""
        return torch.equal(self.on_labels(), torch.arange(self.task.n))


def renamings(task: TableTask) -> Iterator[Renaming]:
    """All of them, twice n² times the number of automorphisms, one after the other.

    Raises:
        ValueError: for what is no task, and as :func:`rfm.automorphisms`, when the first is asked
            for.
    """
    instance(task, TableTask, "task")
    places = range(task.n)
    for φ in lifted_automorphisms(task.group):
        for p, r, exchanges in product(places, places, (False, True)):
            yield Renaming(task, φ, p, r, exchanges)


def exchange(task: TableTask, automorphism: Tensor) -> Renaming:
    """(a, b) ↦ (φ(b⁻¹), φ(a⁻¹)), which fixes the n pairs with b = φ(a⁻¹) if φ² = id.

    It takes a label l to φ(l⁻¹). For an Abelian group and inversion as φ it is the swap.

    Raises:
        ValueError: for what is no task or no automorphism.
    """
    instance(task, TableTask, "task")
    e = task.group.identity
    return Renaming(task, automorphism, e, e, exchanges=True)


def lifted_automorphisms(group: FiniteGroup) -> Tensor:
    """All automorphisms of a finite group, (m, n) int64: row by row, position ↦ position.

    An automorphism is known by the images of generators, which have their orders. Every choice of
    such images is continued along words in the generators, and kept if it is a bijection that
    respects products with generators on the right. Rows are in lexical order.

    Raises:
        ValueError: for what is no group, or if there are too many candidates.
    """
    instance(group, FiniteGroup, "group")
    table, orders, n = group.table, group.orders, group.order
    chosen, words = _generators(group)
    images = [torch.nonzero(orders == orders[g]).flatten() for g in chosen]
    count = prod(map(len, images))
    if count * n > MOST:
        raise ValueError(f"{group} has {count} candidates for an automorphism, too many to try")
    candidates = torch.cartesian_prod(*images).reshape(count, len(chosen))
    maps = torch.full((count, n), group.identity)
    for new, old, g in words:  # new = old · chosen[g]
        maps[:, new] = table[maps[:, old], candidates[:, g]]
    good = (maps.sort(dim=1).values == torch.arange(n)).all(dim=1)
    maps, candidates = maps[good], candidates[good]
    for i, g in enumerate(chosen):
        kept = (maps[:, table[:, g]] == table[maps, candidates[:, i, None]]).all(dim=1)
        maps, candidates = maps[kept], candidates[kept]
    return torch.unique(maps, dim=0)


def _generators(group: FiniteGroup) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Few generators, each of the largest order left, and every element but one as a longer word.

    A word is (new, old, i): the element new is old times generator i.
    """
    table = group.table.tolist()
    chosen, reached = list[int](), list[int]()
    words: list[tuple[int, int, int]] = []
    while len(reached) < group.order:
        left = set(range(group.order)) - set(reached)
        chosen.append(max(left, key=lambda g: (int(group.orders[g]), -g)) if left else 0)
        reached, words = [group.identity], []
        for old in reached:
            for i, g in enumerate(chosen):
                if (new := table[old][g]) not in reached:
                    reached.append(new)
                    words.append((new, old, i))
    return chosen, words
