"""What the tables of groups that do not commute measure, against loops and laws."""

from __future__ import annotations

import noncommuting
import pytest
import torch

import rfm

S3 = rfm.composition(rfm.symmetric(3))
MADE = [(name, kind) for name in ("S_3", "A_4", "F_21") for kind in noncommuting.METRICS]
MADE += [("Z_12", "best"), ("Z_12", "any")]


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_votes_are_sums_over_the_pairs_of_a_class() -> None:
    C, n = normal(6, 6), 6
    found = noncommuting.cast_votes(C, S3)
    for a, b in [(0, 0), (1, 4), (5, 2)]:
        for label in range(n):
            pairs = [(x, y) for x in range(n) for y in range(n) if S3.group.table[x, y] == label]
            wanted = sum(float(C[b, x] * C[y, a]) for x, y in pairs)
            assert float(found[a * n + b, label]) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(("name", "kind"), MADE)
def test_made_metrics_are_isometries_that_keep_components(name: str, kind: str) -> None:
    now, M = noncommuting.task(name), noncommuting.made(name, kind, 0)
    n = now.n
    C, P = M[n:, :n], torch.eye(n, dtype=torch.float64) - 1 / n
    if kind != "worst":
        torch.testing.assert_close(C.T @ C, P, rtol=0, atol=1e-9)
    sizes = torch.linalg.svdvals(C)
    assert bool(((sizes < 1e-9) | ((sizes - 1).abs() < 1e-9)).all())
    assert float(sizes.sum()) > 1
    assert rfm.isotypic(M, now).residual < 1e-9
    assert float(torch.linalg.eigvalsh(M)[0]) > -1e-9


@pytest.mark.parametrize("name", ["A_4", "D_14", "F_21"])
def test_the_climb_goes_up_to_the_bound_and_down(name: str) -> None:
    now = noncommuting.task(name)
    d = noncommuting.degrees(now.group)
    best, any_, worst = (
        rfm.exchange_share(noncommuting.made(name, kind, 0), now)
        for kind in ("best", "any", "worst")
    )
    bound = (float(d.sum()) - 1) / (now.n - 1)
    assert worst < any_ < best <= bound + 1e-9
    assert best > 0.8 * bound


@pytest.mark.parametrize("name", ["S_3", "A_4", "F_21"])
def test_sides_tell_which_renamings_keep_a_metric(name: str) -> None:
    now = noncommuting.task(name)
    group, n, e = now.group, now.n, now.group.identity
    one, two = normal(n), normal(2, n)[1]
    one, two = one + one[group.inverses], two + two[group.inverses]
    left, right = group.table[group.inverses], group.table[:, group.inverses]
    outer = torch.block_diag(one[left], two[right])
    identity = torch.arange(n)
    for p, r in [(1, 2), (n - 1, 1)]:
        Π = rfm.Renaming(now, identity, p, r, False).matrix()
        torch.testing.assert_close(Π @ outer @ Π.T, outer)
    found = noncommuting.sides(outer, now)
    assert found["outer"] == pytest.approx(1)
    assert found["inner"] < 0.95
    inner = torch.block_diag(one[right], two[left])
    found = noncommuting.sides(inner, now)
    assert found["inner"] == pytest.approx(1)
    assert found["outer"] < 0.95
    both = rfm.projections(group)[-1].real
    found = noncommuting.sides(torch.block_diag(both, both), now)
    assert found["inner"] == pytest.approx(1)
    assert found["outer"] == pytest.approx(1)
    assert found["rank"] == pytest.approx(2 * int(torch.linalg.matrix_rank(both)))
    assert e == 0


@pytest.mark.parametrize("name", ["D_8", "A_4", "S_4", "F_21"])
def test_one_involution_of_each_class(name: str) -> None:
    maps = rfm.automorphisms(noncommuting.task(name).group)
    same = torch.arange(maps.shape[1])
    of_order_two = {tuple(φ.tolist()) for φ in maps if φ[φ].equal(same) and not φ.equal(same)}
    reached = set()
    for φ in noncommuting.involutions(name):
        conjugates = {tuple(ψ[φ[torch.argsort(ψ)]].tolist()) for ψ in maps}
        assert not conjugates & reached
        reached |= conjugates
    assert reached == of_order_two


@pytest.mark.parametrize("name", ["Z_12", "A_4", "F_21"])
def test_an_isometry_of_the_group_fills_components_evenly(name: str) -> None:
    now = noncommuting.task(name)
    n, M = now.n, torch.eye(2 * now.n, dtype=torch.float64)
    shift = torch.eye(n, dtype=torch.float64)[now.group.table[1]]
    M[n:, :n], M[:n, n:] = shift, shift.T
    found = noncommuting.filled(M, now)
    assert found["size_one"] == found["size_least"] == found["diagonal"] == pytest.approx(1)
    if now.group.commutes:
        assert found["size_more"] != found["size_more"]
    else:
        assert found["size_more"] == found["evenness"] == pytest.approx(1)
        assert 0 < found["evenness_random"] < 0.1


def test_components_that_are_missing_show_in_their_sizes() -> None:
    now = noncommuting.task("S_4")
    n, M = now.n, torch.eye(2 * now.n, dtype=torch.float64)
    one, *rest = (P.real for P, d in _components(now) if d > 1)
    M[n:, :n] = M[:n, n:] = 2 * one + sum(rest)
    found = noncommuting.filled(M, now)
    assert found["size_one"] == found["size_least"] == pytest.approx(0)
    sizes = noncommuting.values_on(M[n:, :n], now.group)
    assert [len(s) for s in sizes] == [d * d for _, d in _components(now)]
    squares = sum(float(s.square().sum()) for s in sizes)
    assert squares == pytest.approx(float(M[n:, :n].square().sum()))


def _components(now: rfm.TableTask) -> list[tuple[torch.Tensor, int]]:
    found = zip(rfm.projections(now.group), noncommuting.degrees(now.group).tolist(), strict=True)
    return list(found)[1:]


@pytest.mark.parametrize("name", ["S_3", "D_14", "S_4"])
def test_controls_match_what_they_say(name: str) -> None:
    now = noncommuting.task(name)
    sets = noncommuting.controls(name, 3)
    axes = [rfm.exchange(now, φ).fixed_points() for φ in noncommuting.involutions(name)]
    assert [*sets] == [
        "at random",
        "rows and columns",
        *(f"labels of axis {i}" for i, _ in enumerate(axes, 1)),
    ]
    for pairs in sets.values():
        assert len(set(map(tuple, pairs.tolist()))) == now.n
    for column in sets["rows and columns"].T:
        assert sorted(column.tolist()) == list(range(now.n))
    for i, axis in enumerate(axes, 1):
        drawn = now.label(sets[f"labels of axis {i}"])
        assert sorted(drawn.tolist()) == sorted(now.label(axis).tolist())


@pytest.mark.parametrize(("name", "exponent"), [("H_27", 3), ("M_27", 9)])
def test_groups_of_order_27(name: str, exponent: int) -> None:
    group = noncommuting.task(name).group
    assert group.order == 27
    assert not group.commutes
    orders = set()
    for a in range(27):
        power, k = a, 1
        while power != group.identity:
            power, k = int(group.table[power, a]), k + 1
        orders.add(k)
    assert max(orders) == exponent
