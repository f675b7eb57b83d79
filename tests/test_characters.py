"""Characters in exact arithmetic, projections against spans, and the exchange of a block."""

from __future__ import annotations

import math
from itertools import product
from types import SimpleNamespace

import psutil
import pytest
import torch
from sympy import Poly, cyclotomic_poly, symbols

import rfm
from rfm.networks import cross_shares
from rfm.representations import in_product_order

x = symbols("x")
GROUPS = (
    *(rfm.symmetric(3), rfm.dihedral(4), rfm.quaternions(), rfm.dihedral(5), rfm.affine(7, 3)),
    *(rfm.alternating(4), rfm.symmetric(4), rfm.affine(5, 4), rfm.alternating(5), rfm.cyclic(6)),
)
every = pytest.mark.parametrize("group", GROUPS, ids=str)
SMALL = rfm.symmetric(3), rfm.quaternions(), rfm.affine(5, 2), rfm.cyclic(2, 3)
few = pytest.mark.parametrize("group", SMALL, ids=str)
KNOWN = {  # degrees, in order
    "S_4": [1, 1, 2, 3, 3],
    "A_4": [1, 1, 1, 3],
    "A_5": [1, 3, 3, 4, 5],
    "F_21": [1, 1, 1, 3, 3],
    "Q_8": [1, 1, 1, 1, 2],
}


@every
def test_rows_are_orthogonal_exactly(group: rfm.FiniteGroup) -> None:
    """In the ring of integers of the cyclotomic field, without rounding."""
    table = rfm.characters(group)
    m, sizes = table.multiplicities.tolist(), torch.bincount(group.classes).tolist()
    e = len(m[0][0])
    Φ = Poly(cyclotomic_poly(e, x), x)
    for i, row in enumerate(m):
        for k, other in enumerate(m[: i + 1]):
            total = [0] * e
            for size, u, v in zip(sizes, row, other, strict=True):
                for (s, a), (t, b) in product(enumerate(u), enumerate(v)):
                    total[(s - t) % e] += size * a * b
            found = Poly(total[::-1], x).rem(Φ)
            assert found == Poly(group.order if i == k else 0, x)


@every
def test_what_every_table_has(group: rfm.FiniteGroup) -> None:
    table, n = rfm.characters(group), group.order
    d, r = table.degrees, int(group.classes.max()) + 1
    assert len(d) == r
    assert int(d.square().sum()) == n
    assert bool((n % d == 0).all())
    assert bool((table.multiplicities >= 0).all())
    assert table.multiplicities.sum(2).equal(d[:, None].expand(r, r))
    assert bool((table.multiplicities[0, :, 0] == 1).all())  # the trivial one
    assert table.values[table.conjugates].allclose(table.values.conj())
    if str(group) in KNOWN:
        assert d.tolist() == KNOWN[str(group)]


@every
def test_squares_are_counted_by_frobenius_and_schur(group: rfm.FiniteGroup) -> None:
    """The number of square roots of g is Σ ν(χ) χ(g), with ν the mean of χ(x²)."""
    table = rfm.characters(group)
    squares = group.table.diagonal()
    χ = table.on_elements
    ν = χ[:, squares].mean(1)
    assert ν.imag.abs().max() < 1e-12
    assert (ν.real - ν.real.round()).abs().max() < 1e-12
    roots = torch.bincount(squares, minlength=group.order).double()
    torch.testing.assert_close((ν.real[:, None] * χ).sum(0).real, roots)


def test_the_icosahedral_values() -> None:
    found = {round(v, 9) for v in rfm.characters(rfm.alternating(5)).values.real.flatten().tolist()}
    golden = (1 + math.sqrt(5)) / 2
    assert found == {0.0, 1.0, -1.0, 3.0, 4.0, 5.0, round(golden, 9), round(1 - golden, 9)}


@few
def test_projections_are_what_they_should(group: rfm.FiniteGroup) -> None:
    P, eye = rfm.projections(group), torch.eye(group.order, dtype=torch.complex128)
    torch.testing.assert_close(P.sum(0), eye)
    for i, j in product(range(len(P)), repeat=2):
        torch.testing.assert_close(P[i] @ P[j], P[i] * (i == j))
    for g in range(group.order):
        for moved in (eye[group.table[g]], eye[group.table[:, g]]):
            torch.testing.assert_close(P @ moved, moved @ P)


def products(group: rfm.FiniteGroup) -> torch.Tensor:
    """The matrices of all u ↦ g u h, (n², n, n)."""
    eye, table = torch.eye(group.order, dtype=torch.float64), group.table
    places = range(group.order)
    return torch.stack([eye[table[table[g], h]] for g, h in product(places, repeat=2)])


@few
def test_a_block_is_projected_on_the_span_of_left_and_right(group: rfm.FiniteGroup) -> None:
    n, task = group.order, rfm.composition(group)
    M = symmetric(2 * n)
    basis = products(group).flatten(1)
    found = rfm.isotypic(M, task)
    assert int(torch.linalg.matrix_rank(basis)) == int((found.characters.degrees**4).sum())
    C = M[n:, :n]
    weights = torch.linalg.pinv(basis.T) @ C.flatten()
    torch.testing.assert_close(found.projection[n:, :n], (basis.T @ weights).view(n, n))
    torch.testing.assert_close(found.projection, found.projection.T)
    centred = C - C.mean()
    rest = float((found.projection[n:, :n] - C).norm() / centred.norm())
    assert math.isclose(found.residual, rest)
    assert math.isclose(float(found.shares.sum()) + rest**2, 1)
    again = rfm.isotypic(found.projection, task)
    assert again.residual < 1e-12


def symmetric(d: int, seed: int = 0) -> torch.Tensor:
    M = torch.randn(d, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return M + M.T


@few
def test_the_exchange_is_the_mean_that_it_says(group: rfm.FiniteGroup) -> None:
    n = group.order
    C = symmetric(n).tril()  # not symmetric
    E = torch.zeros_like(C)
    for u, w, label in product(range(n), repeat=3):
        left = group.multiply(group.inverse(w), label)
        E[u, w] += C[left, group.multiply(label, group.inverse(u))] / n
    torch.testing.assert_close(rfm.exchanged(C, group), E)


@every
def test_the_exchange_is_an_involution_by_the_degree(group: rfm.FiniteGroup) -> None:
    """On a component of degree d; and zero on what no component keeps."""
    P, d = rfm.projections(group), rfm.characters(group).degrees
    C = symmetric(group.order).tril()
    E = rfm.exchanged(C, group)
    parts, moved = (torch.stack([Q @ X.to(Q.dtype) @ Q for Q in P]) for X in (C, E))
    torch.testing.assert_close(moved.sum(0).real, E)
    for degree, part, of_it in zip(d.tolist(), parts, moved, strict=True):
        twice = [rfm.exchanged(X.contiguous(), group) for X in (of_it.real, of_it.imag)]
        torch.testing.assert_close(degree**2 * torch.complex(*twice), part)


@pytest.mark.parametrize("group", [rfm.symmetric(3), rfm.dihedral(4), rfm.affine(7, 3)], ids=str)
def test_what_all_exchanges_keep_lives_on_the_abelian_quotient(group: rfm.FiniteGroup) -> None:
    """As many dimensions as the group has characters of degree one."""
    n, table, inverse = group.order, group.table, group.inverses
    number = torch.arange(n * n).view(n, n)
    smallest = number.clone()
    while True:
        before = smallest.clone()
        for label in range(n):  # at [u, w] the place of (w⁻¹l, lu⁻¹)
            image = number[table[inverse][:, label][None], table[label][inverse][:, None]]
            smallest = torch.minimum(smallest, smallest.flatten()[image])
        if smallest.equal(before):
            break
    ones = int((rfm.characters(group).degrees == 1).sum())
    assert len(smallest.unique()) == ones


@pytest.mark.parametrize("task", [rfm.addition(7), rfm.subtraction(2, 3)], ids=str)
def test_where_the_group_commutes_the_share_is_that_of_mirrors(task: rfm.Task) -> None:
    M = symmetric(2 * task.n)
    assert math.isclose(rfm.exchange_share(M, task), cross_shares(M, task)[1])
    assert in_product_order(in_product_order(M, task), task).equal(M)


def test_the_share_is_bounded_by_the_degrees() -> None:
    task = rfm.composition(rfm.affine(7, 3))
    for seed in range(5):
        M = symmetric(42, seed)
        parts = rfm.isotypic(M, task)
        bound = float((parts.shares / parts.characters.degrees)[1:].sum())
        assert abs(rfm.exchange_share(M, task)) <= bound


def test_bad_arguments_are_refused() -> None:
    task = rfm.composition(rfm.symmetric(3))
    with pytest.raises(ValueError, match="symmetric"):
        rfm.isotypic(torch.arange(144.0).view(12, 12), task)
    with pytest.raises(ValueError, match=r"\(12, 12\)"):
        rfm.exchange_share(torch.eye(6), task)
    with pytest.raises(ValueError, match=r"\(6, 6\)"):
        rfm.exchanged(torch.eye(5), task.group)
    with pytest.raises(ValueError, match="FiniteGroup"):
        rfm.characters("S_3")


def test_a_table_that_does_not_fit_is_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """S_4 has 5 classes and the exponent 12: 8 · (5³ + 2 · 5² · 12) bytes."""
    for free, fits in ((5799, False), (5800, True)):
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda free=free: SimpleNamespace(available=free)
        )
        if fits:
            assert len(rfm.characters(rfm.symmetric(4)).degrees) == 5
        else:
            with pytest.raises(MemoryError, match="S_4 with 5 classes"):
                rfm.characters(rfm.symmetric(4))
