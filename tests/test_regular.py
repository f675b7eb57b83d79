"""Regular Abelian groups out of a few permutations of rows and columns, by hand."""

from __future__ import annotations

import pytest
import torch

from rfm.regular import basis, extended, regular_groups

TRIVIAL = torch.arange(8)[None]


def move(rows: int, columns: int, n: int = 4) -> torch.Tensor:
    """Row a to a + rows, column b to b + columns, modulo n; columns stand behind rows."""
    return torch.cat([(torch.arange(n) + rows) % n, n + (torch.arange(n) + columns) % n])


def elements(H: torch.Tensor) -> set[tuple[int, ...]]:
    """A group of permutations as a set."""
    return {tuple(row) for row in H.tolist()}


def test_each_group_is_found_once_and_all_are() -> None:
    """Two groups that do not go together, and elements of the first again."""
    one, other = move(1, 1), move(1, 3)
    found = list(regular_groups([one, other, move(3, 3), move(2, 2)], 4))
    groups = [{tuple(move(i, k * i).tolist()) for i in range(4)} for k in (1, 3)]
    assert [elements(H) for H in found] == groups
    assert [elements(H) for H in regular_groups([move(2, 2), other], 4)] == groups[1:]


def test_a_product_is_built_of_its_factors() -> None:
    """(Z_2)² on 4 rows and 4 columns, from two involutions."""
    flip = torch.tensor([1, 0, 3, 2])
    swap = torch.tensor([2, 3, 0, 1])
    moves = [torch.cat([π, 4 + π]) for π in (flip, swap)]
    (H,) = regular_groups(moves, 4)
    assert len(H) == len(elements(H)) == 4
    assert H[0].equal(TRIVIAL[0])


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_group_larger_than_its_rows_is_none(n: int) -> None:
    """A cycle through all rows and columns generates 2n elements."""
    cycle = torch.roll(torch.arange(2 * n), 1)
    assert extended(torch.arange(2 * n)[None], cycle) is None
    squared = extended(torch.arange(2 * n)[None], cycle[cycle])
    assert len(squared) == n


def test_what_keeps_a_row_or_does_not_commute_is_refused() -> None:
    H = extended(TRIVIAL, move(1, 1))
    assert len(H) == 4
    for refused in (move(2, 2), move(0, 1), move(1, 2), torch.tensor([1, 0, 3, 2, 5, 4, 7, 6])):
        assert extended(H, refused) is None


@pytest.mark.parametrize("moduli", [(1,), (4,), (2, 2), (4, 2), (6, 3), (2, 2, 2)])
def test_a_basis_has_the_orders_of_the_factors(moduli: tuple[int, ...]) -> None:
    sizes = torch.tensor(moduli)
    places = torch.cartesian_prod(*map(torch.arange, moduli)).reshape(-1, len(moduli))
    number = {tuple(row): i for i, row in enumerate(places.tolist())}
    sums = (places[:, None] + places) % sizes
    table = torch.tensor([[number[tuple(x)] for x in row] for row in sums.tolist()])
    orders, H = basis(table)
    assert orders == moduli
    assert H.sort().values.equal(torch.arange(len(table)))
    radix = torch.cartesian_prod(*map(torch.arange, orders)).reshape(-1, len(orders))
    again = {tuple(row): int(x) for row, x in zip(radix.tolist(), H, strict=True)}
    for i, x in again.items():
        for j, y in again.items():
            k = tuple((a + b) % m for a, b, m in zip(i, j, orders, strict=True))
            assert table[x, y] == again[k]
