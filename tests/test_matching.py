"""Soft permutations in small: what is balanced, what is standardised, what a match takes where."""

from __future__ import annotations

import pytest
import torch

import rfm
from rfm import matching
from rfm.matching import SWEEPS, balanced, fit, matches, standardised, wandering


def swept(scores: list[list[float]], sweeps: int) -> list[list[float]]:
    """Rows with 1 for their largest, then columns and rows divided by their sums, in turn."""
    P = [[2.718281828459045 ** (x - max(row)) for x in row] for row in scores]
    for _ in range(sweeps):
        sums = [sum(column) for column in zip(*P, strict=True)]
        P = [[x / s for x, s in zip(row, sums, strict=True)] for row in P]
        P = [[x / sum(row) for x in row] for row in P]
    return P


def test_rows_and_columns_are_scaled_in_turn() -> None:
    scores = torch.randn(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = torch.tensor(swept(scores.tolist(), SWEEPS), dtype=torch.float64)
    torch.testing.assert_close(balanced(scores), wanted)
    assert (balanced(scores) - torch.tensor(swept(scores.tolist(), SWEEPS + 1))).abs().max() > 1e-9
    many = torch.stack([scores, scores.T, 2 * scores])
    torch.testing.assert_close(balanced(many)[0], wanted)


@pytest.mark.parametrize("far", [1e3, -1e3])
def test_rows_of_any_height_are_balanced(far: float) -> None:
    """What is added to a whole row changes nothing, and nothing overflows or is lost."""
    scores = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moved = scores.clone()
    moved[1, 2] += far
    torch.testing.assert_close(balanced(moved), balanced(scores))
    torch.testing.assert_close(balanced(scores + far), balanced(scores))


def test_a_standardised_matrix_has_mean_0_and_variance_1() -> None:
    C = torch.randn(6, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for scale in (1e-200, 1.0, 1e200):
        found = standardised(scale * (C + 3))
        assert abs(float(found.mean())) < 1e-12
        assert float(found.square().mean()) == pytest.approx(1)
    assert standardised(torch.full((3, 3), 2.0)) is None
    assert standardised(torch.zeros(3, 3)) is None


@pytest.mark.parametrize("row", [0, 3])
def test_every_other_row_is_reached(row: int) -> None:
    """Of a table that translations keep, each match takes the row where it should, and fits."""
    task = rfm.addition(7)
    values = torch.randn(7, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    C = standardised(values[task.labels.reshape(7, 7)])
    found = list(matches(C, row))
    assert [int(match.rows[row]) for match in found] == [q for q in range(7) if q != row]
    for match in found:
        assert match.fit == pytest.approx(1)
        assert match.fit == pytest.approx(fit(C, match.rows, match.columns))
        assert C[match.rows][:, match.columns].allclose(C)


def test_from_anywhere_a_table_of_one_group_has_no_symmetry_and_a_permutation_has_many() -> None:
    n, x = 13, torch.arange(13)
    f = torch.randn(n, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    C = standardised(f[(x[:, None] + x) % n])
    for match in wandering(C):
        shift = (match.rows - x) % n
        assert match.fit < 0.99 or shift.eq(shift[0]).all()
        assert match.fit == pytest.approx(fit(C, match.rows, match.columns))
    C = standardised(torch.eye(n, dtype=torch.float64)[3 * x % n])
    found = list(wandering(C))
    assert len({tuple(match.rows.tolist()) for match in found}) == len(found) > 10
    for match in found:
        assert match.fit == pytest.approx(1)
        assert sorted(match.rows.tolist()) == list(range(n))


@pytest.mark.parametrize("size", [0.0, 1e-13])
def test_of_equal_scores_the_first_are_taken(size: float) -> None:
    noise = torch.randn(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert matching._assigned(torch.ones(5, 5).double() + size * noise).tolist() == [0, 1, 2, 3, 4]
    noise[0, 3] += 0.01 / max(size, 1e-13)  # more than rounding
    assert int(matching._assigned(torch.ones(5, 5).double() + 1e-13 * noise)[0]) == 3


# What fits is chosen by what was drawn, where all fit. The tables of recovered laws rest on it.
CHOSEN = [[1, 0, 2, 4, 3], [2, 1, 0, 4, 3], [3, 2, 0, 4, 1], [4, 1, 0, 2, 3]]
MET = [[4, 0, 1, 3, 2], [3, 4, 0, 1, 2], [2, 4, 1, 3, 0], [1, 4, 3, 2, 0]]


def test_what_is_drawn_is_drawn_once_for_all() -> None:
    """The same numbers each time, on each machine, and none from torch's own generator."""
    C = standardised(torch.eye(5, dtype=torch.float64))
    before = torch.get_rng_state()
    assert [match.rows.tolist() for match in matches(C, 0)] == CHOSEN
    assert [match.rows.tolist() for match in wandering(C)][: len(MET)] == MET
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("entries", "most"), [(1, 1), (3 * 49, 3), (3 * 49 + 48, 3)])
def test_so_many_soft_permutations_are_kept_at_a_time(
    entries: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []

    def noted(scores: torch.Tensor) -> torch.Tensor:
        kept.append(len(scores))
        return balanced(scores)

    monkeypatch.setattr(matching, "AT_A_TIME", entries)
    monkeypatch.setattr(matching, "balanced", noted)
    C = torch.randn(7, 7, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert len(list(matches(standardised(C), 2))) == 6
    assert max(kept) == most
