"""What a feature matrix says in terms of representations: isotypic parts and label exchanges.

The functions on a group G of order n are the sum of isotypic components, one for each irreducible
character χ of degree d, of dimension d²; the orthogonal projection on it is

    P_χ[u, v] = (d/n) χ(u v⁻¹).

Products L(g)R(h) of left and right multiplications span exactly the matrices that keep every
component, C = Σ_χ P_χ C P_χ, a space of dimension Σ d⁴. In the second half of the coordinates of a
task stand the b′ = τ(b), so that blocks of one task can be compared with those of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

import torch
from torch import Tensor

from rfm.arguments import instance, square
from rfm.characters import CharacterTable, characters
from rfm.finite import FiniteGroup
from rfm.immutable import Immutable
from rfm.products import TableTask


@dataclass(frozen=True, eq=False)
class IsotypicParts(Immutable):
    """The blocks of a feature matrix by isotypic components; :func:`isotypic` makes it.

    Attributes:
        task: the task.
        characters: those of its group.
        projection: (2n, 2n) float64, the nearest matrix whose four blocks all lie in the span of
            the L(g)R(h).
        residual: of the off-diagonal block C, less its mean, the relative distance to that span,
            ‖C − Σ P_χ C P_χ‖/‖C‖. NaN for a constant block.
        shares: (r,) float64, ‖P_χ C P_χ‖²/‖C‖² by character, in the same sense.
    """

    task: TableTask
    characters: CharacterTable
    projection: Tensor = field(repr=False)
    residual: float
    shares: Tensor = field(repr=False)


def isotypic(M: Tensor, task: TableTask) -> IsotypicParts:
    """Project a feature matrix, block by block, on the span of the L(g)R(h).

    Args:
        M: (2n, 2n) symmetric; any floating-point dtype.
        task: the task it was learned on.

    Raises:
        ValueError: if M is no symmetric matrix of finite numbers with that shape, or for what is no
            task.
    """
    M, n = in_product_order(M, task), task.n
    P, table = projections(task.group), _characters(task.group)
    kept = torch.empty_like(M)
    for rows, columns in product((slice(n), slice(n, None)), repeat=2):
        block = M[rows, columns].to(P.dtype)
        kept[rows, columns] = sum(Q @ block @ Q for Q in P).real
    C = M[n:, :n] - M[n:, :n].mean()
    parts = torch.stack([(Q @ C.to(P.dtype) @ Q).abs().square().sum() for Q in P])
    shares = parts / C.square().sum()  # 0 / 0 is NaN
    rest = kept[n:, :n] - kept[n:, :n].mean() - C
    residual = float(rest.norm() / C.norm())
    return IsotypicParts(task, table, in_product_order(kept, task), residual, shares)


@lru_cache(maxsize=8)
def _characters(group: FiniteGroup) -> CharacterTable:
    return characters(group)


@lru_cache(maxsize=8)
def projections(group: FiniteGroup) -> Tensor:
    """The projections P_χ on the isotypic components, (r, n, n) complex128, by character.

    Raises:
        ValueError: for what is no group.
    """
    table, quotients = _characters(group), group.table[:, group.inverses]  # u v⁻¹ at [u, v]
    scale = table.degrees.to(torch.float64) / group.order
    return scale[:, None, None] * table.on_elements[:, quotients]


def in_product_order(M: Tensor, task: TableTask) -> Tensor:
    """M as float64 with the second operands renamed from b to τ(b), which is its own inverse.

    Raises:
        ValueError: if M is no symmetric matrix of finite numbers with the shape of the task.
    """
    instance(task, TableTask, "task")
    M = square(M, "M", task.dimension).cpu().double()
    order = torch.cat([torch.arange(task.n), task.n + task.twist])
    return M[order][:, order]


def exchanged(C: Tensor, group: FiniteGroup) -> Tensor:
    """The mean over all labels l of C[w⁻¹l, lu⁻¹], at [u, w], (n, n).

    A quadratic kernel multiplies C[b, a′] with C[b′, a]. For two pairs with one label l these are
    C[u, w] and C[w⁻¹l, lu⁻¹], u = b and w = a′: what the product can say of labels, it says by the
    agreement of C with this mean. On the functions of an irreducible representation of degree d it
    is an involution divided by d.

    Args:
        C: (n, n), second operands by first, in product order.
        group: the group.

    Raises:
        ValueError: if C is no such matrix of finite numbers.
    """
    instance(group, FiniteGroup, "group")
    C = square(C, "C", group.order, symmetric=False)
    table, inverse = group.table, group.inverses
    left, right = table[inverse], table[:, inverse].T  # w⁻¹ l at [w, l]; l u⁻¹ at [u, l]
    return torch.stack([C[left, right[u]].mean(1) for u in range(group.order)])


def exchange_share(M: Tensor, task: TableTask) -> float:
    """How far the off-diagonal block of a feature matrix agrees with its own exchange.

    ⟨C, E C⟩/‖C‖², C less its mean and E of :func:`exchanged`. If the group commutes
    it is the share of the mirrors' stripes, from 0 to 1; it lies from −1/d to 1/d on components
    of degree d. NaN for a constant block.

    Raises:
        ValueError: if M is no symmetric matrix of finite numbers with the shape of the task.
    """
    C = in_product_order(M, task)[task.n :, : task.n]
    C = C - C.mean()
    return float((C * exchanged(C, task.group)).sum() / C.square().sum())  # 0 / 0 is NaN
