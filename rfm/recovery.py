"""The group law read off a metric whose coordinates were shuffled, and how far to believe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from sympy.combinatorics import Permutation, PermutationGroup
from torch import Tensor

from rfm.arguments import integer, pairs_below, row
from rfm.groups import LARGEST, Group
from rfm.immutable import Immutable
from rfm.matching import Match, fit, matches, standardised, wandering
from rfm.noise import between, chance
from rfm.regular import basis, key, regular_groups
from rfm.shuffling import blocks

ANCHORS = 4  # rows that are asked
DOUBT = -6.0  # log10 of the chance from which on a law is not certified
ROUNDING = 1e-9  # of a fit, and of a share
EXACT = 0.999  # a symmetry that fits so well is one, however well others fit


@dataclass(frozen=True, eq=False)
class Recovery(Immutable):
    """An Abelian group that acts on a metric's cross block; :func:`recover` finds one.

    Its elements are named by the rows: i is the pair (g_i, h_i) that takes row 0 to row i. So row 0
    is the neutral element, and i ⋆ j = g_i j. By what other names the rows went before, up to a
    translation and an automorphism, cannot be seen.

    Attributes:
        rows: (n, n) int64, g_i in row i: the Cayley table of the group.
        columns: (n, n) int64, h_i in row i.
        share: the part of the variance of the cross block that is between its stripes, 0 to 1.
        rivals: how many other symmetries were met that fit as well as the worst (g_i, h_i), or at
            0.999 and more, and differ from each g_i on at least half of the rows.
    """

    rows: Tensor = field(repr=False)
    columns: Tensor = field(repr=False)
    share: float
    rivals: int

    @property
    def n(self) -> int:
        """The order of the group."""
        return len(self.rows)

    @cached_property
    def chance(self) -> float:
        """log10 of a bound on how likely noise is to have this share, :func:`rfm.noise.chance`."""
        return chance(self.n, self.share)

    @property
    def certified(self) -> bool:
        """Whether the chance is at most one in a million, and there is no rival.

        The first is for noise. The second is for matrices with more symmetries than a group of this
        order has: there many groups fit, and none of them means anything. No answer is looked up.
        """
        return self.chance <= DOUBT and self.rivals == 0

    @cached_property
    def group(self) -> Group:
        """The group as a product of cyclic groups, the order of each a multiple of the next."""
        moduli, order = basis(self.rows)
        name = " × ".join(f"Z_{m}" for m in moduli)
        return Group(moduli, torch.argsort(order), range(self.n), name)

    @property
    def permutations(self) -> PermutationGroup:
        """The g_i as a group of sympy; its ``abelian_invariants()`` are the group's name."""
        return PermutationGroup([Permutation(g) for g in self.rows.tolist()])

    @property
    def row_order(self) -> Tensor:
        """(n,) int64, the rows in the order of the product of cyclic groups, row 0 first."""
        return torch.argsort(self.group.logarithm)

    @property
    def column_order(self) -> Tensor:
        """(n,) int64, the columns in the same order, column 0 first."""
        return self.columns[self.row_order, 0]

    @property
    def stripes(self) -> Tensor:
        """(n, n) int64, which orbit of the (g_i, h_i) each cell of the cross block is in.

        Column b is named by the element that takes column 0 there. Then a⁻¹ ⋆ b is the same all
        over an orbit, and all over the axis of a reflection.
        """
        return _stripes(self.rows, self.columns)

    @property
    def law(self) -> Tensor:
        """(n, n) int64, a ⋆ b. Cells with the same number have the same result a ∘ b.

        These are the orbits of the (g_i, h_i⁻¹). The numbers themselves mean nothing.
        """
        return _law(self.rows, self.columns)

    def answers(self, train: Tensor, labels: Tensor, pairs: Tensor) -> Tensor:
        """The label of each pair, by the law: the one that most training samples of its class have.

        Args:
            train: (N, 2) int64 pairs.
            labels: (N,) int64, from 0 on.
            pairs: (m, 2) int64 pairs.

        Returns:
            (m,) int64; −1 where no training sample is in the class, or two labels are as frequent.

        Raises:
            ValueError: if these are not pairs and as many labels.
        """
        train, pairs = (pairs_below(some, self.n).reshape(-1, 2) for some in (train, pairs))
        labels = row(labels, len(train), torch.int64, "labels", "labels")
        if len(labels) and labels.min() < 0:
            raise ValueError("labels must be numbers from 0 on")
        law, most = self.law, int(labels.max()) + 1 if len(labels) else 1
        votes = torch.zeros(self.n, most, dtype=torch.int64)
        votes.index_put_((law[train[:, 0], train[:, 1]], labels), torch.tensor(1), accumulate=True)
        top, label = votes.max(1)
        label[(votes == top[:, None]).sum(1).gt(1) | (top == 0)] = -1
        return label[law[pairs[:, 0], pairs[:, 1]]]


def recover(M: Tensor, anchors: int = ANCHORS) -> Recovery | None:
    """The Abelian group that acts on the coordinates of a feature matrix, from its cross block.

    For some rows r, one after another, each other row q is asked for a pair of permutations of rows
    and columns under which the block stays the same and r goes to q: :func:`rfm.matching.matches`.
    What is found is put together to groups with exactly one element for each row, the best pairs
    first: :func:`rfm.regular.regular_groups`. The first of them with a certificate is returned,
    :attr:`Recovery.certified`; if none has, that with the largest share. Rivals are looked for
    among all pairs met, and from random permutations, :func:`rfm.matching.wandering`.

    The diagonal blocks are not looked at, nor is anything said about the group beforehand but that
    it is Abelian. The search is a heuristic: where it finds nothing there can be something.

    Args:
        M: (2n, 2n) symmetric; the coordinates of the first operand, then those of the second, each
            in any order.
        anchors: how many rows r are asked at most. More take longer, and find more.

    Returns:
        The group, certified or not; None if there is none at all.

    Raises:
        ValueError: if M is not a symmetric matrix of finite numbers with 2n rows, n from 2 to 4096,
            or ``anchors`` no integer of at least 1.
    """
    M, anchors = blocks(M).cpu(), integer(anchors, "anchors", 1)
    n = integer(len(M) // 2, "n, half the rows of M,", 2, LARGEST)
    C, best, met = standardised(M[:n, n:]), None, list[Match]()
    if C is None:
        return None
    others = [*wandering(C)]
    for r in range(min(anchors, n)):
        met += matches(C, r)
        met.sort(key=lambda match: -round(match.fit / ROUNDING))
        moves = [torch.cat([match.rows, n + match.columns]) for match in met]
        for H in regular_groups(moves, n):
            found = _judged(C, H, [*met, *others])
            if found.certified:
                return found
            if best is None or found.share > best.share + ROUNDING:
                best = found
    return best


def _judged(C: Tensor, H: Tensor, met: Sequence[Match]) -> Recovery:
    """A regular group, its elements in the order of the rows, and what speaks for and against."""
    n, H = len(C), H[torch.argsort(H[:, 0])]
    rows, columns = H[:, :n], H[:, n:] - n
    worst = min(fit(C, move[:n], move[n:] - n) for move in H[1:])
    fits = min(worst - ROUNDING, EXACT)
    rivals = {
        key(match.rows)
        for match in met
        if match.fit >= fits and (match.rows == rows).double().mean(1).max() <= 0.5
    }
    return Recovery(rows, columns, between(C, _stripes(rows, columns)), len(rivals))


def _law(rows: Tensor, columns: Tensor) -> Tensor:
    """(n, n) int64, a ⋆ b. Column b goes by the name of the element that takes column 0 there."""
    return rows[:, torch.argsort(columns[:, 0])]


def _stripes(rows: Tensor, columns: Tensor) -> Tensor:
    """(n, n) int64, a⁻¹ ⋆ b."""
    inverse = rows.argmin(1)
    return _law(rows, columns)[inverse]
