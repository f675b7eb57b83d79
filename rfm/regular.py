"""Abelian groups that act regularly, put together from single permutations.

A permutation of 2n points, π = (g, n + h), is one of n rows and one of n columns. A group of such
acts *semiregularly* if only its neutral element keeps a point; one of n elements then is *regular*:
for any two rows, and for any two columns, one element takes the first to the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


def regular_groups(moves: Sequence[Tensor], n: int) -> Iterator[Tensor]:
    """Regular Abelian groups that some permutations generate, (n, 2n) int64 each, in any order.

    Permutations that generate no semiregular group are left out. From each of the others on, those
    that follow are added where they commute with what is there and leave it semiregular. None is
    begun from an element of an earlier group.

    Args:
        moves: permutations of the 2n points, int64 each, the most trusted first.
        n: the number of rows, and of columns.
    """
    trivial = torch.arange(2 * n)[None]
    steady = [π for π in moves if extended(trivial, π) is not None]
    tried: set[bytes] = set()
    for first in steady:
        if key(first) in tried:
            continue
        H = trivial
        for π in (first, *steady):
            larger = extended(H, π)
            H = H if larger is None else larger
            if len(H) == n:
                yield H
                break
        tried |= {key(one) for one in H}


def extended(H: Tensor, π: Tensor) -> Tensor | None:
    """The group that a semiregular Abelian group H and π generate, if it is again such a group.

    Args:
        H: (m, 2n) int64, the identity first.
        π: (2n,) int64.

    Returns:
        (m′, 2n) int64, the identity first; None if π is in H, does not commute with it, or an
        element of the group but the neutral one keeps a row or a column.
    """
    if not torch.equal(H[:, π], π[H]) or (π == H).all(1).any():
        return None
    cosets, power = [H], π
    while not (same := power == H).all(1).any():
        if same.any() or 2 * (len(cosets) + 1) * len(H) > H.shape[1]:
            return None
        cosets.append(H[:, power])
        power = π[power]
    return torch.cat(cosets)


def key(π: Tensor) -> bytes:
    """A permutation as something that can be looked up."""
    return π.contiguous().numpy().tobytes()


def basis(table: Tensor) -> tuple[tuple[int, ...], Tensor]:
    """An Abelian group as a product of cyclic groups, the order of each a multiple of the next.

    An element x of the largest order whose powers meet the factors so far in the neutral element
    alone generates the next one. For in the quotient by these factors its order is still that, and
    the largest there is; and an element of largest order generates a direct factor.

    Args:
        table: (n, n) int64, the Cayley table, with the neutral element 0.

    Returns:
        The orders of the factors, and (n,) int64, the elements in mixed radix, the last factor
        running fastest.
    """
    H, moduli = torch.zeros(1, dtype=torch.int64), list[int]()
    while len(H) < len(table):
        factor = max((_without(H, _cycle(table, x)) for x in range(1, len(table))), key=len)
        moduli.append(len(factor))
        H = table[H[:, None], factor].flatten()
    return tuple(moduli) or (1,), H


def _cycle(table: Tensor, x: int) -> Tensor:
    """The powers of x, the neutral element first."""
    powers = [0, x]
    while powers[-1]:
        powers.append(int(table[powers[-1], x]))
    return torch.tensor(powers[:-1])


def _without(H: Tensor, cycle: Tensor) -> Tensor:
    """The cycle if it meets H in the neutral element alone, else that element."""
    return cycle[:1] if torch.isin(cycle[1:], H).any() else cycle
