"""When the rounding of gradients is seen, and when they are lost in it: `rfm.spectral` by hand.

A metric c·diag(1, 0) has one null direction. Σ h hᵀ = s·diag(1, L) is large along it, where nothing
of it is to remain: the AGOP is c²s·diag(1, 0). Its rounding is seen if L·ε is more than 1e-10; then
every h goes through the metric first, and is lost if that leaves less than ε/1e-3 of it.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rfm.spectral import RoundingError, matrix_power, nonzero, outer_products

EPS = {torch.float64: 2.0**-52, torch.float32: 2.0**-23}
units = pytest.mark.parametrize(("c", "s"), [(1.0, 1.0), (1e-3, 1e2), (1e3, 1e-4), (30.0, 1e-3)])


class Squares:
    """Σ h hᵀ, which notes what it is asked for."""

    def __init__(self, plain: Tensor, through: Tensor):
        self.plain, self.through, self.asked = plain, through, list[Tensor | None]()

    def __call__(self, matrix: Tensor | None) -> Tensor:
        self.asked.append(matrix)
        return self.plain if matrix is None else self.through


def diagonal(*values: float) -> Tensor:
    return torch.diag(torch.tensor(values, dtype=torch.float64))


@units
@pytest.mark.parametrize(("share", "seen"), [(0.98, False), (1.02, True)])
def test_what_is_seen_of_rounding_depends_on_no_unit(
    c: float, s: float, share: float, seen: bool
) -> None:
    L = share * 1e-10 / EPS[torch.float64]
    squares = Squares(s * diagonal(1, L), torch.tensor([[7 * c * c * s]], dtype=torch.float64))
    found = outer_products(c * diagonal(1, 0), squares)
    assert len(squares.asked) == 1 + seen
    torch.testing.assert_close(found, c * c * s * diagonal(7 if seen else 1, 0), rtol=1e-12, atol=0)
    if seen:
        torch.testing.assert_close(squares.asked[1].abs(), c * torch.tensor([[1.0, 0.0]]).double())


@units
@pytest.mark.parametrize(("share", "lost"), [(0.98, True), (1.02, False)])
def test_what_is_lost_in_rounding_depends_on_no_unit(
    c: float, s: float, share: float, lost: bool
) -> None:
    L = 1e8
    size = (s * L) ** 0.5 * c  # of M h without cancelling
    left = (share * EPS[torch.float64] * size / 1e-3) ** 2
    squares = Squares(s * diagonal(1, L), torch.tensor([[left]], dtype=torch.float64))
    if lost:
        with pytest.raises(RoundingError):
            outer_products(c * diagonal(1, 0), squares)
    else:
        assert float(outer_products(c * diagonal(1, 0), squares)[0, 0]) == pytest.approx(left)


@pytest.mark.parametrize("dtype", EPS, ids=str)
@pytest.mark.parametrize("scale", [1.0, 2.0**20])
def test_eigenvalues_are_zero_up_to_the_bound_and_not_beyond(
    dtype: torch.dtype, scale: float
) -> None:
    """The bound is 10 d ε of the largest, 40 ε here."""
    for steps, kept in ((40, False), (41, True)):
        small = steps * EPS[dtype] * scale
        M = torch.diag(torch.tensor([scale, scale, scale, small], dtype=dtype))
        assert float(matrix_power(M, 1)[3, 3]) == (small if kept else 0)
        for sign in (1, -1):
            M[3, 3] = sign * small
            assert len(nonzero(M)[1]) == 3 + kept
        assert float(matrix_power(M, 1)[3, 3]) == 0  # a negative one is zero in any case
