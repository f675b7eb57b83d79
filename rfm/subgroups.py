"""Subgroups of Dih(A): what they are called, what they keep, and their orbits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, zip_longest
from math import prod
from typing import TYPE_CHECKING

import torch
from sympy import factorint
from sympy.combinatorics import PermutationGroup
from torch import Tensor

from rfm.symmetry import Symmetry

if TYPE_CHECKING:
    from rfm.splits import Split
    from rfm.tasks import Task


@dataclass(frozen=True)
class Subgroup:
    """A subgroup H of Dih(A); :func:`generate` and :func:`stabiliser` make one.

    Either all its elements are rotations r^k, k in a subgroup B of A, and H ≅ B; or half of them
    are, the others are their products with one reflection, and H ≅ Dih(B) [B, App. B]. All facts
    follow from that, at any n; sympy has them a second way from :attr:`permutations`.

    Attributes:
        elements: its elements, rotations first, each kind by position of k.
    """

    elements: tuple[Symmetry, ...]

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
        orders = self.task.group.orders[[g.k for g in self.rotations]]
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

    def keeps(self, split: Split) -> bool:
        """Whether each of its elements maps the training set of a split to itself.

        Raises:
            ValueError: if the split belongs to another task.
        """
        return all(_keeps(g, split) for g in self._checked(split).generators)

    def reaches(self, split: Split) -> torch.Tensor:
        """Which test points lie in the orbit of the training set under it, (N_test,) bool.

        Raises:
            ValueError: if the split belongs to another task.
        """
        train = self._checked(split).task.index(split.train)
        start = _smallest([g.on_samples() for g in self.generators], self.task.n**2)
        return torch.isin(start[self.task.index(split.test)], start[train])

    def _checked(self, split: Split) -> Subgroup:
        if split.task != self.task:
            raise ValueError(f"a subgroup for {self.task} does not act on a split of {split.task}")
        return self

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

    Raises:
        ValueError: if there is no generator, or they belong to different tasks.
    """
    if not generators:
        raise ValueError("a subgroup needs at least one generator; use task.identity for {id}")
    subgroup = {generators[0].task.identity}
    frontier = subgroup
    while frontier:
        frontier = {g * h for g in generators for h in frontier} - subgroup
        subgroup = subgroup | frontier
    return _sorted(subgroup)


def stabiliser(split: Split) -> Subgroup:
    """All elements of Dih(A) that map the training set to itself: its setwise stabiliser."""
    return _sorted(g for g in split.task.symmetries if _keeps(g, split))


def orbits(generators: Iterable[Symmetry], pairs: Tensor) -> list[Tensor]:
    """The orbits, under the subgroup that some symmetries generate, that meet a set of samples.

    Args:
        generators: symmetries of one task; a :class:`Subgroup` will do.
        pairs: (m, 2) samples.

    Returns:
        Distinct orbits, each (size, 2) and sorted, ordered by their smallest sample.

    Raises:
        ValueError: if there is no generator, or they belong to different tasks.
    """
    generators = tuple(generators)
    if not generators or any(g.task != generators[0].task for g in generators):
        raise ValueError("orbits need one or more symmetries, all of the same task")
    task = generators[0].task
    smallest = _smallest([g.on_samples() for g in generators], task.n**2)
    starts = smallest[task.index(pairs)].unique()
    return [task.samples[smallest == start] for start in starts]


def _keeps(g: Symmetry, split: Split) -> bool:
    """Whether g maps the training set to itself; then it does the same with the test set."""
    moved = split.kind[g.on_samples()] == 0
    return bool((moved == (split.kind == 0)).all())


def _smallest(images: list[Tensor], count: int) -> Tensor:
    """(count,) int64: the smallest member of each point's orbit under some permutations."""
    smallest, before = torch.arange(count), None
    while before is None or not torch.equal(smallest, before):
        before = smallest
        for image in images:
            smallest = torch.minimum(smallest, smallest[image])
    return smallest


def _sorted(elements: Iterable[Symmetry]) -> Subgroup:
    return Subgroup(tuple(sorted(elements, key=lambda g: (g.reflects, g.k))))


def _exponent(power: int, p: int) -> int:
    """The e for which p^e = power."""
    return factorint(power).get(p, 0)
