"""Subgroups of Dih(A): what they are called, what they keep, and their orbits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, zip_longest
from math import prod
from typing import TYPE_CHECKING

import torch
from sympy import factorint
from sympy.combinatorics import PermutationGroup
from torch import Tensor

from rfm.arguments import instance, members
from rfm.symmetry import Symmetry

if TYPE_CHECKING:
    from rfm.tasks import Task


@dataclass(frozen=True)
class Subgroup:
    """A subgroup H of Dih(A); :func:`generate` and :func:`rfm.stabiliser` make one.

    Either all its elements are rotations r^k, k in a subgroup B of A, and H ≅ B; or half of them
    are, the others are their products with one reflection, and H ≅ Dih(B) [B, App. B]. All facts
    follow from that, at any n; sympy has them a second way from :attr:`permutations`.

    Attributes:
        elements: its elements, rotations first, each kind by position of k. They may be given in
            any order, and more than once.

    Raises:
        ValueError: if they belong to different tasks, or are not closed under multiplication.
    """

    elements: tuple[Symmetry, ...]

    def __post_init__(self) -> None:
        given = members(self.elements, "elements")
        _same_task(given)
        elements = sorted(set(given), key=lambda g: (g.reflects, g.k))
        object.__setattr__(self, "elements", tuple(elements))
        rotations, reflections = [g.k for g in self.rotations], [g.k for g in self.reflections]
        group = self.task.group
        B = torch.tensor(rotations, dtype=torch.int64)
        closed = torch.isin(group.multiply(B[:, None], B), B).all() if rotations else False
        if closed and reflections:
            coset = group.multiply(reflections[0], B).sort().values
            closed = coset.tolist() == reflections
        if not closed:
            raise ValueError(
                f"these {len(elements)} symmetries are not closed under multiplication; generate() "
                "makes the subgroup that they generate"
            )

    @property
    def task(self) -> Task:
        """The task whose symmetries these are."""
        return self.elements[0].task

    @property
    def order(self) -> int:
        """How many elements it has."""
        return len(self.elements)

    @property
    def rotations(self) -> tuple[Symmetry, ...]:
        """Its rotations with the identity, a subgroup of its own."""
        return tuple(g for g in self.elements if not g.reflects)

    @property
    def reflections(self) -> tuple[Symmetry, ...]:
        """Its reflections, none or as many as rotations."""
        return tuple(g for g in self.elements if g.reflects)

    @cached_property
    def invariant_factors(self) -> tuple[int, ...]:
        """(d₁, …, d_m), each dividing the next, with B ≅ C_{d₁} × … × C_{d_m}; () if B is trivial.

        For a prime p the number of x in B with x^{p^j} = e is p^{e_j}, and e_j − e_{j−1} of the
        cyclic factors have an order that p^j divides.
        """
        orders = self.task.group.orders[[g.k for g in self.rotations]]  # of the elements of B
        per_prime = []
        for p, most in factorint(len(orders)).items():
            killed = [int((p**j % orders == 0).sum()) for j in range(most + 1)]
            ranks = [_exponent(b // a, p) for a, b in pairwise(killed)]
            powers = [p ** sum(rank > i for rank in ranks) for i in range(ranks[0])]
            per_prime.append(powers)  # largest first
        return tuple(reversed([prod(d) for d in zip_longest(*per_prime, fillvalue=1)]))

    @property
    def name(self) -> str:
        """What kind of group it is, up to isomorphism.

        ``trivial``, ``C_5`` (cyclic), ``C_3 × C_6``; ``Klein`` for C_2 × C_2; ``D_10`` for the
        dihedral group of order 10; ``Dih(C_3 × C_3)`` for what is neither.
        """
        factors = self.invariant_factors
        if self.reflections and all(d == 2 for d in factors):  # inversion is the identity map of B
            factors = (2, *factors)
        elif self.reflections and len(factors) == 1:
            return f"D_{self.order}"
        name = " × ".join(f"C_{d}" for d in factors) or "trivial"
        if factors == (2, 2):
            return "Klein"
        return f"Dih({name})" if self.reflections and factors[-1] > 2 else name

    @property
    def generators(self) -> tuple[Symmetry, ...]:
        """Few elements that generate it, each the first that enlarges what there is so far."""
        chosen, reached = [], {self.task.identity}
        for g in (*self.reflections[:1], *self.rotations):
            if g not in reached:
                chosen.append(g)
                reached = set(generate(*chosen).elements)
        return tuple(chosen) or (self.task.identity,)

    @property
    def permutations(self) -> PermutationGroup:
        """Its action on the 2n coordinates, for sympy."""
        return PermutationGroup([g.permutation() for g in self.generators])

    def coordinate_orbits(self) -> list[Tensor]:
        """Its orbits on the 2n coordinates, each sorted, ordered by their smallest."""
        d = self.task.dimension
        start = _smallest([g.coordinates() for g in self.generators], d)
        return [torch.nonzero(start == u).flatten() for u in start.unique()]

    def sample_orbits(self) -> list[Tensor]:
        """Its orbits on the n² samples, as :func:`orbits` gives them."""
        return orbits(self.generators, self.task.samples)

    def fixed_points(self) -> Tensor:
        """The samples on the axis of one of its reflections, (m, 2), in table order.

        Every sample lies on one axis, so m = n times the number of reflections.
        """
        samples, axes = self.task.samples, torch.tensor([g.k for g in self.reflections])
        return samples[torch.isin(self.task.mirror(samples), axes)]

    def keeps(self, pairs: Tensor) -> bool:
        """Whether each of its elements maps a set of samples, (m, 2), to itself.

        Raises:
            ValueError: if ``pairs`` are not pairs of positions of the task.
        """
        inside = _mask(self.task, pairs)
        return all(torch.equal(inside[g.on_samples()], inside) for g in self.generators)

    def orbit(self, pairs: Tensor) -> Tensor:
        """Which of all samples it carries into a set of samples, (n²,) bool by sample number.

        Args:
            pairs: (m, 2); the answer is the orbit of this set.

        Raises:
            ValueError: if ``pairs`` are not pairs of positions of the task.
        """
        smallest = _smallest([g.on_samples() for g in self.generators], self.task.n**2)
        return torch.isin(smallest, smallest[_mask(self.task, pairs)])

    def __iter__(self) -> Iterator[Symmetry]:
        return iter(self.elements)

    def __len__(self) -> int:
        return len(self.elements)

    def __contains__(self, g: object) -> bool:
        return g in self.elements

    def __repr__(self) -> str:
        return f"⟨{', '.join(g.name for g in self.generators)}⟩"


def generate(*generators: Symmetry) -> Subgroup:
    """The subgroup of Dih(A) generated by the given elements.

    With reflections sr^{k₀}, sr^{k₁}, … among them its rotations are generated by the given ones
    and the r^{k_i − k₀}, and its reflections are the products of those with sr^{k₀}.

    Raises:
        ValueError: if there is no generator, or they belong to different tasks.
    """
    if not generators:
        raise ValueError("a subgroup needs at least one generator; use task.identity for {id}")
    task = _same_task(generators)
    group, n = task.group, task.n
    mirrors = [g.k for g in generators if g.reflects]
    shifts = [g.k for g in generators if not g.reflects]
    shifts += [int(group.multiply(group.inverse(mirrors[0]), k)) for k in mirrors[1:]]
    rotations = torch.zeros(n, dtype=torch.bool)
    rotations[group.identity] = True
    for k in shifts:
        power = k
        while not rotations[power]:  # B, B ⋆ k, B ⋆ k², … until they come round
            found = torch.nonzero(rotations).flatten()
            rotations[group.multiply(found, power)] = True
            power = int(group.multiply(power, power))
    B = torch.nonzero(rotations).flatten()
    elements = [Symmetry(task, k, reflects=False) for k in B.tolist()]
    if mirrors:
        elements += [Symmetry(task, k, True) for k in group.multiply(mirrors[0], B).tolist()]
    return Subgroup(tuple(elements))


def keepers(task: Task, pairs: Tensor) -> Subgroup:
    """All elements of Dih(A) that map a set of samples to itself: its setwise stabiliser.

    With b = τ(b′) a symmetry moves a sample (a, b) inside its label l = a ⋆ b. So the set is a
    table T[a, l] of bits, and r^k keeps it if T[a ⋆ k, l] = T[a, l] for all a and l. The reflection
    s takes a to l ⋆ a⁻¹; with S[a, l] = T[l ⋆ a⁻¹, l] the condition for sr^k is
    S[a ⋆ k, l] = T[a, l].

    Args:
        task: the task.
        pairs: (m, 2) samples.

    Raises:
        ValueError: if ``pairs`` are not pairs of positions of the task.
    """
    n, group, a = task.n, task.group, torch.arange(task.n)
    T = torch.empty(n, n, dtype=torch.bool)
    T[task.samples[:, 0], task.labels] = _mask(task, pairs)
    S = T[group.multiply(a, group.inverse(a)[:, None]), a]
    table = group.table
    elements = [
        Symmetry(task, k, reflects)
        for reflects, rows in ((False, T), (True, S))
        for k in range(n)
        if torch.equal(rows[table[k]], T)
    ]
    return Subgroup(tuple(elements))


def orbits(generators: Iterable[Symmetry], pairs: Tensor) -> list[Tensor]:
    """The orbits, under the subgroup that some symmetries generate, that meet a set of samples.

    Args:
        generators: symmetries of one task; a :class:`Subgroup` will do.
        pairs: (m, 2) samples.

    Returns:
        Distinct orbits, each (size, 2) and sorted, ordered by their smallest sample.

    Raises:
        ValueError: if there is no generator, they belong to different tasks, or ``pairs`` are not
            pairs of positions.
    """
    generators = members(generators, "generators")
    task = _same_task(generators)
    smallest = _smallest([g.on_samples() for g in generators], task.n**2)
    met = torch.nonzero(torch.isin(smallest, smallest[task.index(pairs)])).flatten()
    _, sizes = smallest[met].unique(return_counts=True)
    together = met[torch.argsort(smallest[met], stable=True)]
    return list(task.samples[together].split(sizes.tolist()))


def _same_task(symmetries: Sequence[Symmetry]) -> Task:
    """The one task of some symmetries. Raises ValueError if there are none, or several tasks."""
    if not symmetries:
        raise ValueError("one or more symmetries are needed")
    for g in symmetries:
        instance(g, Symmetry, "each element")
        if g.task != symmetries[0].task:
            raise ValueError(f"symmetries of {symmetries[0].task} and {g.task} do not go together")
    return symmetries[0].task


def _mask(task: Task, pairs: Tensor) -> Tensor:
    """(n²,) bool: which samples are in a set, by sample number."""
    inside = torch.zeros(task.n**2, dtype=torch.bool)
    inside[task.index(pairs)] = True
    return inside


def _smallest(images: list[Tensor], count: int) -> Tensor:
    """(count,) int64: the smallest member of each point's orbit under some permutations."""
    smallest, before = torch.arange(count), None
    while before is None or not torch.equal(smallest, before):
        before = smallest
        for image in images:
            smallest = torch.minimum(smallest, smallest[image])
    return smallest


def _exponent(power: int, p: int) -> int:
    """The e for which p^e = power."""
    return factorint(power).get(p, 0)
