"""Characters of a finite group, exactly, by the algorithm of Burnside and Dixon.

The class sums of a group span the centre of its group algebra. An irreducible character χ of degree
d makes each a number, ω(C) = |C| χ(C)/d, and ω is a common eigenvector of the matrices of
multiplication by class sums. Let e be the exponent of the group, and p a prime with e | p − 1.
Modulo p the eigenvectors are found by elimination, ω gives d, and a value χ(g) is lifted to a sum
of e-th roots of unity through the powers of g, since the multiplicities

    m_k = (1/e) Σ_j χ(g^j) ζ^{−jk}

of the eigenvalues ζ^k of g are integers from 0 to d, smaller than p.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from math import lcm

import numpy as np
import psutil
import torch
from sympy import isprime, primitive_root
from torch import Tensor

from rfm.arguments import instance
from rfm.finite import FiniteGroup
from rfm.immutable import Immutable


@dataclass(frozen=True, eq=False)
class CharacterTable(Immutable):
    """The irreducible complex characters of a finite group; :func:`characters` makes it.

    Attributes:
        group: the group.
        multiplicities: (r, r, e) int64: how often ζ^k, ζ = e^{2πi/e}, is an eigenvalue of an
            element of class j in the representation i, at [i, j, k]. Rows are ordered by degree,
            the trivial one first.
    """

    group: FiniteGroup
    multiplicities: Tensor = field(repr=False)

    @property
    def degrees(self) -> Tensor:
        """(r,) int64, the dimensions d of the representations."""
        return self.multiplicities[:, int(self.group.classes[self.group.identity])].sum(1)

    @cached_property
    def values(self) -> Tensor:
        """(r, r) complex128, χ_i on class j."""
        e = self.multiplicities.shape[2]
        roots = torch.exp(2j * torch.pi * torch.arange(e, dtype=torch.float64) / e)
        return self.multiplicities.to(roots.dtype) @ roots

    @property
    def on_elements(self) -> Tensor:
        """(r, n) complex128, χ_i at each position."""
        return self.values[:, self.group.classes]

    @property
    def conjugates(self) -> Tensor:
        """(r,) int64, which row is the complex conjugate of each."""
        flipped = self.multiplicities.roll(-1, 2).flip(2)  # k ↦ −k
        same = (flipped[:, None] == self.multiplicities[None]).all(dim=(2, 3))
        return same.to(torch.int64).argmax(1)


def characters(group: FiniteGroup) -> CharacterTable:
    """The character table of a group, by exact computation modulo a prime.

    It is made for groups with some dozens of classes: a hundred take seconds, and two hundred
    minutes.

    Raises:
        ValueError: for what is no group.
        MemoryError: if the r³ structure constants and r²e multiplicities of r classes and the
            exponent e do not fit.
    """
    instance(group, FiniteGroup, "group")
    classes, table = group.classes.numpy(), group.table.numpy()
    r, e = int(group.classes.max()) + 1, lcm(*group.orders.tolist())
    _check_memory(group, r, e)
    p = next(q for q in count(e + 1, e) if q > 2 * group.order and isprime(q))
    first = np.array([int(np.argmax(classes == j)) for j in range(r)])
    quotients = table[group.inverses.numpy()][:, first]  # x⁻¹ g_k at [x, k]
    a = np.zeros((r, r, r), dtype=np.int64)  # C_i C_j = Σ_k a_ijk C_k
    np.add.at(a, (classes[:, None], classes[quotients], np.arange(r)[None]), 1)
    spaces = [np.eye(r, dtype=np.int64)]
    for products in a:
        spaces = [part for space in spaces for part in _eigenspaces(space, products % p, p)]
    at_e = int(classes[group.identity])
    ω = [space[0] * pow(int(space[0][at_e]), -1, p) % p for space in spaces]
    rows = [_multiplicities(each, group, first, e, p) for each in ω]
    trivial = [m[:, 0].sum() == r for m in rows]
    order = sorted(
        range(r), key=lambda i: (rows[i][at_e].sum(), not trivial[i], (-rows[i]).tolist())
    )
    return CharacterTable(group, torch.from_numpy(np.stack([rows[i] for i in order])))


def _check_memory(group: FiniteGroup, r: int, e: int) -> None:
    """Refuse a table that would not fit, whose multiplicities are there twice in the end."""
    needed, free = 8 * (r**3 + 2 * r * r * e), psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"the characters of {group} with {r} classes need about {needed / 2**30:.1f} GiB, but "
            f"only {free / 2**30:.1f} GiB are free; take a group with fewer classes"
        )


def _multiplicities(
    ω: np.ndarray, group: FiniteGroup, first: np.ndarray, e: int, p: int
) -> np.ndarray:
    """How often each root of unity is an eigenvalue, (r, e), from the ω of a character modulo p.

    Args:
        ω: (r,) values on class sums modulo p.
        group: the group.
        first: (r,) an element of each class.
        e: the exponent of the group.
        p: the prime.
    """
    classes, table = group.classes.numpy(), group.table.numpy()
    sizes = np.bincount(classes)
    inverse = classes[group.inverses.numpy()[first]]
    over = np.array([pow(int(size), -1, p) for size in sizes])  # 1/|C|
    square = group.order * pow(int((ω * ω[inverse] % p * over % p).sum() % p), -1, p) % p
    d = next(d for d in range(1, group.order + 1) if d * d % p == square)
    χ = d * ω % p * over % p
    powers = [np.full(len(first), group.identity)]
    for _ in range(e - 1):
        powers.append(table[powers[-1], first])
    on_powers = χ[classes[np.stack(powers)]]  # χ(g^j) at [j, class]
    ζ = pow(int(primitive_root(p)), (p - 1) // e, p)
    roots = np.array([[pow(ζ, -j * k % e, p) for j in range(e)] for k in range(e)])
    return (roots @ on_powers % p * pow(e, -1, p) % p).T


def _eigenspaces(space: np.ndarray, A: np.ndarray, p: int) -> list[np.ndarray]:
    """The eigenspaces modulo p of A on a space that it keeps, each by a basis in rows."""
    if len(space) == 1:
        return [space]
    space, pivots = _echelon(space, p)
    B = (space @ A.T % p)[:, pivots]  # A w_i = Σ_j B_ij w_j, for w_j is 1 at its own pivot
    found: list[np.ndarray] = []
    for λ in range(p):
        kernel = _left_kernel((B - λ * np.eye(len(B), dtype=np.int64)) % p, p)
        if len(kernel):
            found.append(kernel @ space % p)
            if sum(map(len, found)) == len(space):
                break
    return found


def _echelon(rows: np.ndarray, p: int) -> tuple[np.ndarray, list[int]]:
    """The reduced echelon form modulo p without zero rows, and the columns of its pivots."""
    rows, pivots = rows.copy() % p, list[int]()
    for column in range(rows.shape[1]):
        top = len(pivots)
        below = np.flatnonzero(rows[top:, column])
        if len(below):
            rows[[top, top + below[0]]] = rows[[top + below[0], top]]
            rows[top] = rows[top] * pow(int(rows[top, column]), -1, p) % p
            factors = rows[:, column].copy()
            factors[top] = 0
            rows = (rows - factors[:, None] * rows[top]) % p
            pivots.append(column)
            if len(pivots) == len(rows):
                break
    return rows[: len(pivots)], pivots


def _left_kernel(B: np.ndarray, p: int) -> np.ndarray:
    """A basis, in rows, of the x with x B = 0 modulo p."""
    m = len(B)
    both, pivots = _echelon(np.hstack([B, np.eye(m, dtype=np.int64)]), p)
    return both[[i for i, column in enumerate(pivots) if column >= m], m:]
