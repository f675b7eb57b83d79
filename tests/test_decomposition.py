"""Feature matrices as sums of group elements: against least squares, all halves, planted elements.

Random matrices are tried on every group, the rule on coefficients whose law is known, and the whole
on elements that were put there, with and without noise, or by a machine in the trap.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from itertools import combinations, pairwise, product
from math import inf, pi, sqrt, tan

import numpy as np
import pytest
import torch
from oracles import Arithmetic, random_metric, same
from torch import Tensor

import rfm
from rfm import Decomposition, Symmetry, Task, decompose
from rfm.decomposition import DRAWS, background, carriers, threshold

PLUS = rfm.addition(7)
NEAR = 1e-7  # a background is known up to the root of machine precision, 1.5e-8
every_kernel = pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()], ids=repr)
pytestmark = pytest.mark.filterwarnings("ignore::rfm.JitterWarning")


def numbers(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=numbers(seed), dtype=torch.float64)


def indefinite(d: int, seed: int) -> Tensor:
    M = normal(d, d, seed=seed)
    return (M + M.T) / sqrt(2)


def centred(d: int, seed: int) -> Tensor:
    """Rows and columns sum to zero."""
    P = torch.eye(d, dtype=torch.float64) - 1 / d
    return P @ indefinite(d, seed) @ P


def centred_by_block(d: int, seed: int) -> Tensor:
    """So do those of each of the four blocks."""
    P = torch.eye(d // 2, dtype=torch.float64) - 2 / d
    P = torch.block_diag(P, P)
    return P @ random_metric(d, seed) @ P


every_matrix = pytest.mark.parametrize(
    "make", [indefinite, centred, centred_by_block, random_metric], ids=lambda make: make.__name__
)
Make = Callable[[int, int], Tensor]


def mixture(task: Task, coefficients: Iterable[float]) -> Tensor:
    """Σ c_g Π(g), of explicit matrices."""
    return sum(float(c) * g.matrix() for c, g in zip(coefficients, task.symmetries, strict=True))


def of_coefficients(task: Task, coefficients: Tensor) -> Tensor:
    """The same, for many: each entry belongs to one Π(g)."""
    return coefficients[carriers(task)]


def symmetrised(task: Task, coefficients: Tensor) -> Tensor:
    """One number for each rotation and its inverse: that of the one that comes first."""
    k = torch.arange(task.n)
    first = torch.minimum(k, task.group.inverses)
    return torch.cat([coefficients[: task.n][first], coefficients[task.n :]])


def with_outliers(task: Task, seed: int) -> Tensor:
    """Normal coefficients, about one in five of them up to 300 times as large."""
    size = torch.rand(2 * task.n, generator=numbers(seed), dtype=torch.float64)
    larger = torch.where(size < 0.2, 10 ** (12.5 * size), 1.0)
    return symmetrised(task, normal(2 * task.n, seed=seed + 1000) * larger)


# ---------------------------------------------------------------------------------- the projection


def test_every_entry_belongs_to_one_element(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    which = carriers(task)
    assert which.dtype == torch.int64
    for place, g in enumerate(task.symmetries):
        assert torch.equal((which == place).double(), g.matrix())


@every_matrix
def test_least_squares_has_the_same_coefficients(arithmetic: Arithmetic, make: Make) -> None:
    task = arithmetic.task
    basis = torch.stack([g.matrix().flatten() for g in task.symmetries], dim=1)
    for seed in range(3):
        M = make(task.dimension, seed)
        solved = torch.linalg.lstsq(basis, M.flatten()[:, None]).solution[:, 0]
        found = decompose(M, task)
        assert found.coefficients.shape == (2 * task.n,)
        same(found.coefficients, solved, 1e-12)
        same(found.projection(), (basis @ solved).reshape(M.shape), 1e-12)
        left = (M.flatten() - basis @ solved).norm() / M.norm()
        assert found.residual == pytest.approx(float(left), abs=1e-12)


def test_coefficients_are_inner_products(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = indefinite(task.dimension, 3)
    found = decompose(M, task)
    products = [float((M * g.matrix()).sum()) / (2 * task.n) for g in task.symmetries]
    traces = [float(torch.trace(M @ g.inverse().matrix())) / (2 * task.n) for g in task.symmetries]
    assert found.coefficients.tolist() == pytest.approx(products, abs=1e-13)
    assert found.coefficients.tolist() == pytest.approx(traces, abs=1e-13)
    same(found.projection(), mixture(task, products), 1e-12)


def test_coefficients_are_means_over_moves_of_single_operands(arithmetic: Arithmetic) -> None:
    """Of M between x and its image, x each of the 2n operands, by the table of [B] in integers."""
    task = arithmetic.task
    M, n, position = indefinite(task.dimension, 4).tolist(), task.n, task.group.position
    found = decompose(torch.tensor(M, dtype=torch.float64), task)
    for g, c in zip(task.symmetries, found.coefficients.tolist(), strict=True):
        total = 0.0
        for x in arithmetic.elements:
            u = position(x)
            first, second = (position(y) for y in arithmetic.act(g, (x, x)))
            if g.reflects:  # the first of the image comes from the second, and the other way round
                total += M[first][n + u] + M[n + second][u]
            else:
                total += M[first][u] + M[n + second][n + u]
        assert c == pytest.approx(total / (2 * n), abs=1e-13)


@every_matrix
def test_projecting_twice_changes_nothing(arithmetic: Arithmetic, make: Make) -> None:
    task = arithmetic.task
    once = decompose(make(task.dimension, 5), task)
    twice = decompose(once.projection(), task)
    same(twice.coefficients, once.coefficients, 1e-13)
    same(twice.projection(), once.projection(), 1e-13)
    assert twice.residual < 1e-14
    assert once.residual > 0.1
    assert twice.elements == once.elements


def test_projection_is_linear(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M, N = indefinite(task.dimension, 6), random_metric(task.dimension, 7)
    parts = [decompose(S, task) for S in (M, N, 2.5 * M - 0.75 * N)]
    expected = 2.5 * parts[0].projection() - 0.75 * parts[1].projection()
    same(parts[2].projection(), expected, 1e-13)
    expected = 2.5 * parts[0].coefficients - 0.75 * parts[1].coefficients
    same(parts[2].coefficients, expected, 1e-13)


@every_matrix
def test_what_is_left_is_orthogonal_to_every_element(arithmetic: Arithmetic, make: Make) -> None:
    task = arithmetic.task
    M = make(task.dimension, 8)
    found = decompose(M, task)
    rest = M - found.projection()
    for g in task.symmetries:
        assert abs(float((rest * g.matrix()).sum())) < 1e-12 * float(M.norm())
    whole, part = float(M.square().sum()), float(found.projection().square().sum())
    assert whole == pytest.approx(part + float(rest.square().sum()), rel=1e-12)
    assert found.residual**2 == pytest.approx(1 - part / whole, abs=1e-12)
    assert part == pytest.approx(2 * task.n * float(found.coefficients.square().sum()), rel=1e-12)
    assert 0 <= found.residual <= 1


def test_nothing_is_nearer(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = indefinite(task.dimension, 9)
    found = decompose(M, task)
    nearest = found.residual * M.norm()
    for seed in range(20):
        other = found.coefficients + 0.01 * normal(2 * task.n, seed=seed)
        assert (M - mixture(task, other)).norm() > nearest


def test_residual_is_one_for_what_no_element_accounts_for(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = indefinite(task.dimension, 10)
    for g in task.symmetries:
        M = M - (M * g.matrix()).sum() / (2 * task.n) * g.matrix()
    assert decompose((M + M.T) / 2, task).residual == pytest.approx(1, abs=1e-12)


def test_residual_is_zero_on_the_span(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    c = symmetrised(task, normal(2 * task.n, seed=11))
    found = decompose(mixture(task, c), task)
    same(found.coefficients, c, 1e-13)
    assert found.residual < 1e-14


@pytest.mark.parametrize("scale", [1e-12, 0.37, 8.0, 1e9])
def test_units_do_not_matter(arithmetic: Arithmetic, scale: float) -> None:
    task = arithmetic.task
    for seed in range(5):
        M = of_coefficients(task, with_outliers(task, seed))
        M = M + 0.1 * indefinite(task.dimension, seed)
        found, scaled = decompose(M, task, 0.3), decompose(scale * M, task, 0.3)
        same(scaled.coefficients, scale * found.coefficients, 1e-12)
        assert scaled.residual == pytest.approx(found.residual, rel=1e-9)
        assert scaled.elements == found.elements


def test_the_other_sign_turns_all_around(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = of_coefficients(task, with_outliers(task, 1))
    found, turned = decompose(M, task, 0.3), decompose(-M, task, 0.3)
    same(turned.coefficients, -found.coefficients, 1e-13)
    same(turned.background, -found.background, NEAR)
    assert (turned.above, turned.below) == (found.below, found.above)


def test_conjugation_moves_coefficients_within_their_class(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = of_coefficients(task, with_outliers(task, 4)) + 0.1 * indefinite(task.dimension, 12)
    found = decompose(M, task, 0.3)
    c = dict(zip(task.symmetries, found.coefficients.tolist(), strict=True))
    scale = max(map(abs, c.values()))
    for h in task.symmetries[1::2]:
        moved = decompose(h.matrix() @ M @ h.matrix().T, task, 0.3)
        for g, value in zip(task.symmetries, moved.coefficients.tolist(), strict=True):
            assert value == pytest.approx(c[h.inverse() * g * h], abs=1e-12 * scale)
        assert set(moved.elements) == {h * g * h.inverse() for g in found.elements}
        assert moved.residual == pytest.approx(found.residual, rel=1e-9)


def test_a_rotation_and_its_inverse_have_one_coefficient(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    found = decompose(indefinite(task.dimension, 13), task, 0.5)
    c = dict(zip(task.symmetries, found.coefficients.tolist(), strict=True))
    assert all(c[g] == pytest.approx(c[g.inverse()], abs=1e-13) for g in task.rotations)
    assert len({round(c[g], 10) for g in task.rotations}) == len(
        {frozenset({k, arithmetic.invert(k)}) for k in arithmetic.elements}
    )


def test_coefficients_add_up(arithmetic: Arithmetic) -> None:
    """To the sums of blocks over 2n: the rotations cover two of them once, the reflections two."""
    task = arithmetic.task
    n, d = task.n, task.dimension
    M = indefinite(d, 14)
    for S in (M, centred(d, 14), centred_by_block(d, 14)):
        c = decompose(S, task).coefficients
        diagonal = float(S[:n, :n].sum() + S[n:, n:].sum())
        assert float(c[:n].sum()) == pytest.approx(diagonal / d, abs=1e-12)
        assert float(c.sum()) == pytest.approx(float(S.sum()) / d, abs=1e-12)
    assert abs(float(decompose(centred(d, 14), task).coefficients.sum())) < 1e-12
    c = decompose(centred_by_block(d, 14), task).coefficients
    assert abs(float(c[:n].sum())) + abs(float(c[n:].sum())) < 1e-12


# ------------------------------------------------------------------- background: the shortest half


def halves(values: list[float]) -> set[tuple[float, float]]:
    """(middle, half-width) of the range of every half that spans least, by trying them all."""
    size = len(values) - len(values) // 2
    ranges = {(min(half), max(half)) for half in combinations(values, size)}
    width = min(high - low for low, high in ranges)
    return {((low + high) / 2, width / 2) for low, high in ranges if high - low == width}


@pytest.mark.parametrize("m", [1, *range(3, 12)])
def test_background_is_the_shortest_of_all_halves(m: int) -> None:
    for seed in range(20):
        values = normal(m, seed=seed)
        level, spread = background(values)
        assert level.shape == spread.shape == ()
        ((middle, width),) = halves(values.tolist())
        assert float(level) == pytest.approx(middle, abs=1e-13)
        assert float(spread) == pytest.approx(width, abs=1e-13)


@pytest.mark.parametrize("m", range(1, 10))
def test_of_halves_that_are_equally_short_it_is_one(m: int) -> None:
    for seed in range(20):
        values = torch.randint(0, 6, (m,), generator=numbers(seed)).double()
        level, spread = background(values)
        assert (float(level), float(spread)) in halves(values.tolist())


def test_backgrounds_of_many_cases_at_once() -> None:
    values = normal(3, 4, 9, seed=1)
    level, spread = background(values)
    assert level.shape == spread.shape == (3, 4)
    for i, j in product(range(3), range(4)):
        one = background(values[i, j])
        assert (level[i, j], spread[i, j]) == one


@pytest.mark.parametrize("m", [1, 3, 4, 5, 8, 13, 30, 31])
def test_background_is_exact_if_half_are_equal(m: int) -> None:
    """However far the others are, and on which side."""
    rest = m // 2
    for seed in range(10):
        others = 10 ** (6 * torch.rand(rest, generator=numbers(seed), dtype=torch.float64))
        for sign in (torch.ones(rest), -torch.ones(rest), torch.sign(normal(rest, seed=seed))):
            values = torch.cat(
                [torch.full((m - rest,), 0.3, dtype=torch.float64), 0.3 + sign * others]
            )
            values = values[torch.randperm(m, generator=numbers(seed))]
            assert background(values) == (0.3, 0)


def test_background_moves_with_the_values() -> None:
    values = normal(10, 11, seed=2)
    level, spread = background(values)
    for scale, shift in ((3.0, -2.0), (-0.5, 7.0)):
        moved = background(scale * values + shift)
        same(moved[0], scale * level + shift, 1e-13)
        same(moved[1], abs(scale) * spread, 1e-13)


# ------------------------------------------------------------------------------ threshold: chances


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3, 0.5, 0.9])
def test_threshold_of_three(share: float) -> None:
    """√3 / tan(π q / 6).

    Seen along (1, 1, 1), three normal variates have a uniform direction θ, and their two gaps are
    as sin θ to sin(60° − θ). With the shorter gap as background the farthest is at 1 + 2R spreads,
    R ≥ 1 the ratio of the gaps. Its q-quantile is exact, ours is one of a sample.
    """
    error = sqrt((1 - share) / (share * DRAWS))
    assert threshold(3, share) == pytest.approx(sqrt(3) / tan(pi * share / 6), rel=4 * error)


@pytest.mark.parametrize("m", [3, 4, 7, 14, 29, 61])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_normal_variates_exceed_the_threshold_as_often_as_promised(m: int, share: float) -> None:
    draws = 20_000
    values = np.sort(np.random.default_rng(m).standard_normal((draws, m)), axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(values, m - m // 2, axis=1)
    low, high = windows[..., 0], windows[..., -1]
    best = (high - low).argmin(1)[:, None]
    low, high = (np.take_along_axis(ends, best, 1)[:, 0] for ends in (low, high))
    center, spread = (low + high) / 2, (high - low) / 2
    farthest = np.maximum(center - values[:, 0], values[:, -1] - center) / spread
    error = sqrt(share * (1 - share) * (1 / draws + 1 / DRAWS))
    assert np.mean(farthest > threshold(m, share)) == pytest.approx(share, abs=4 * error)


@pytest.mark.parametrize("m", [3, 6, 11, 40])
def test_fewer_false_alarms_need_a_higher_threshold(m: int) -> None:
    limits = [threshold(m, share) for share in (0.001, 0.01, 0.05, 0.2, 0.5, 0.9)]
    assert limits == sorted(set(limits), reverse=True)
    assert limits[-1] >= 1  # the farthest is not within the half


def test_of_two_nothing_can_be_said() -> None:
    assert [threshold(m, share) for m in (1, 2) for share in (0.01, 0.99)] == [inf] * 4


def test_threshold_leaves_the_global_random_numbers_alone() -> None:
    state = torch.get_rng_state()
    first = threshold(17, 0.02)
    threshold.cache_clear()
    assert threshold(17, 0.02) == first
    assert torch.equal(torch.get_rng_state(), state)


# ---------------------------------------------------------------------------------------- the rule


def by_hand(arithmetic: Arithmetic, c: Tensor, false_alarms: float, share: float) -> set[Symmetry]:
    """Which elements stand out, read from the three sentences of the rule."""
    task = arithmetic.task
    values = dict(zip(task.symmetries, c.tolist(), strict=True))
    pairs = {frozenset({k, arithmetic.invert(k)}) for k in arithmetic.elements}
    pairs = [pair for pair in pairs if task.group.values[task.group.identity] not in pair]
    kinds = [
        (task.rotations, [values[task.rotation(min(pair))] for pair in pairs]),
        (task.reflections, [values[g] for g in task.reflections]),
    ]
    deviation, far = {}, set()
    for elements, judged in kinds:
        ((level, spread),) = halves(judged)
        for g in elements:
            deviation[g] = abs(values[g] - level)
            if deviation[g] > threshold(len(judged), false_alarms) * spread:
                far.add(g)
    largest = max(size for g, size in deviation.items() if g != task.identity)
    return {g for g in far if g == task.identity or deviation[g] >= share * largest}


@pytest.mark.parametrize(
    ("false_alarms", "share"), [(0.01, 0.1), (0.3, 0.0), (0.3, 0.1), (0.5, 0.02), (0.5, 0.6)]
)
def test_the_rule_by_hand(arithmetic: Arithmetic, false_alarms: float, share: float) -> None:
    task = arithmetic.task
    rotations = reflections = 0
    for seed in range(12):
        c = with_outliers(task, seed)
        found = decompose(of_coefficients(task, c), task, false_alarms, share)
        expected = by_hand(arithmetic, c, false_alarms, share)
        assert set(found.elements) == expected
        rotations += any(not g.reflects for g in expected)
        reflections += any(g.reflects for g in expected)
    if false_alarms > 0.1:
        assert min(rotations, reflections) > 0


def test_defaults() -> None:
    task = rfm.addition(3, 5)
    for seed in range(20):
        M = of_coefficients(task, with_outliers(task, seed))
        found, spelled = decompose(M, task), decompose(M, task, false_alarms=0.01, share=0.1)
        assert found.elements == spelled.elements
        assert torch.equal(found.stands_out, spelled.stands_out)


def test_elements_are_listed_in_order_and_by_sign(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for seed in range(10):
        found = decompose(of_coefficients(task, with_outliers(task, seed)), task, 0.3)
        order = task.symmetries.index
        assert list(found.elements) == sorted(found.elements, key=order)
        assert sorted((*found.above, *found.below), key=order) == list(found.elements)
        assert found.collapsed == tuple(g for g in found.below if g in task.reflections)
        for kind, level in zip((task.rotations, task.reflections), found.background, strict=True):
            for g in kind:
                c = found.coefficients[order(g)]
                assert found.deviations[order(g)] == c - level
                assert (g in found.above) == (g in found.elements and c > level)
                assert (g in found.below) == (g in found.elements and c < level)


def alarms(task: Task, reflects: bool, draws: int, **options: float) -> float:
    """How often some element stands out if the coefficients of a kind are normal, others zero."""
    n, e = task.n, task.group.identity
    count = 0
    for seed in range(draws):
        c = symmetrised(task, normal(2 * n, seed=seed))
        if reflects:
            c[:n] = 0
        else:
            c[n:], c[e] = 0, 0
        found = decompose(of_coefficients(task, 5 + c), task, **options)
        assert not found.elements or {g.reflects for g in found.elements} == {reflects}
        count += any(g != task.identity for g in found.elements)
    return count / draws


def chance(rate: float, draws: int) -> float:
    """Four standard errors of a rate, that of the threshold included."""
    return 4 * sqrt(rate * (1 - rate) * (1 / draws + 1 / DRAWS))


@pytest.mark.parametrize("reflects", [False, True], ids=["rotations", "reflections"])
@pytest.mark.parametrize(
    "task", [rfm.addition(9), rfm.subtraction(20), rfm.addition(3, 7), rfm.division(29)], ids=str
)
@pytest.mark.parametrize(("rate", "draws"), [(0.01, 1000), (0.1, 300)])
def test_as_many_false_alarms_as_asked_for(
    task: Task, reflects: bool, rate: float, draws: int
) -> None:
    found = alarms(task, reflects, draws, false_alarms=rate)
    assert found == pytest.approx(rate, abs=chance(rate, draws))
    assert found > 0


def test_false_alarms_by_default_and_whatever_their_size() -> None:
    task = rfm.addition(16)
    by_default = alarms(task, True, 1500)
    assert by_default == pytest.approx(0.01, abs=chance(0.01, 1500))
    assert alarms(task, True, 1500, share=0) == by_default


def test_small_elements_matter_only_if_asked_for() -> None:
    """Without noise every difference is beyond chance; the third sentence is about size."""
    task = rfm.addition(13)
    large, small, smaller = task.reflection(4), task.reflection(9), task.rotation(3)
    M = large.matrix() - 0.01 * small.matrix()
    M = M + 0.002 * (smaller.matrix() + smaller.inverse().matrix())
    assert decompose(M, task).elements == (large,)
    assert decompose(M, task, share=0.02).elements == (large,)
    assert decompose(M, task, share=0.005).elements == (large, small)
    everything = {large, small, smaller, smaller.inverse()}
    assert set(decompose(M, task, share=0.001).elements) == everything
    assert set(decompose(M, task, share=0).elements) == everything


def test_the_largest_deviation_may_belong_to_the_other_kind() -> None:
    task = rfm.subtraction(14)
    rotation, mirror = task.rotation(7), task.reflection(5)
    for up, down in ((rotation, mirror), (mirror, rotation)):
        M = 1000 * up.matrix() - 50 * down.matrix()
        for level in (0, -3e4):  # the size of the background is no measure
            assert decompose(level + M, task).elements == (up,)
            assert set(decompose(level + M, task, share=0.04).elements) == {up, down}


def test_the_identity_is_neither_measure_nor_measured() -> None:
    """Every metric has a diagonal: its size hides no other element, and is not too small itself."""
    task = rfm.addition(3, 5)
    mirror = task.reflection((1, 2))
    for diagonal in (1e6, 1e-3):
        M = diagonal * task.identity.matrix() - mirror.matrix()
        assert decompose(M, task).elements == (task.identity, mirror)
    assert decompose(-mirror.matrix(), task).elements == (mirror,)


@pytest.mark.parametrize(("dtype", "unit"), [(torch.float64, 1.5e-8), (torch.float32, 3.5e-4)])
def test_what_differs_by_rounding_is_equal(dtype: torch.dtype, unit: float) -> None:
    """By less than the root of machine precision, relative to the largest coefficient."""
    task = rfm.division(13)
    level, mirror = torch.ones(task.dimension, task.dimension).double(), task.reflections[3]
    for size, expected in ((0.1, ()), (0.5, ()), (2.0, (mirror,)), (30.0, (mirror,))):
        for scale in (1e-3, 1e5):
            M = scale * (level - size * unit * mirror.matrix())
            assert decompose(M.to(dtype), task, share=0).elements == expected


@pytest.mark.parametrize(("dtype", "unit"), [(torch.float64, 1.5e-8), (torch.float32, 3.5e-4)])
def test_what_is_equal_has_no_spread(dtype: torch.dtype, unit: float) -> None:
    """So five units are much, although the others' own spread times the threshold is more."""
    task = rfm.addition(6)
    off = torch.tensor([0.2, -0.2, -5.0, -0.1, 0.0, 0.1], dtype=torch.float64)
    assert threshold(6, 0.01) * background(off)[1] > 5.5
    M = of_coefficients(task, torch.cat([torch.zeros(6), 1 + unit * off]))
    assert decompose(M.to(dtype), task, share=0).elements == (task.reflection(2),)


# -------------------------------------------------------------------------------- planted elements

LEVELS = (-0.2, 0.3)  # of rotations and reflections


def planted(task: Task, heights: dict[Symmetry, float]) -> Tensor:
    """Two backgrounds, and some elements above or below theirs."""
    M = LEVELS[0] * sum(g.matrix() for g in task.rotations)
    M = M + LEVELS[1] * sum(g.matrix() for g in task.reflections)
    return M + sum(height * g.matrix() for g, height in heights.items())


def found_exactly(found: Decomposition, heights: dict[Symmetry, float]) -> None:
    """Assert that it has what was planted, and nothing else."""
    assert set(found.elements) == set(heights)
    assert set(found.above) == {g for g, height in heights.items() if height > 0}
    assert set(found.below) == {g for g, height in heights.items() if height < 0}
    assert set(found.collapsed) == {g for g in found.below if g.reflects}
    assert found.background.tolist() == pytest.approx(LEVELS, abs=NEAR)
    encoded = sum(height * g.matrix() for g, height in heights.items())
    assert (found.encoded() - encoded).abs().max() < NEAR
    assert found.residual < 1e-14
    assert found.group == rfm.generate(found.task.identity, *heights)


def signed(elements: Iterable[Symmetry], seed: int) -> dict[Symmetry, float]:
    """A height between ½ and 2 for each, up or down, the same for an element and its inverse."""
    generator, heights = numbers(seed), {}
    for g in elements:
        size, sign = torch.rand(2, generator=generator).tolist()
        height = (0.5 + 1.5 * size) * (1 if sign < 0.5 else -1)
        heights[g] = heights.get(g.inverse(), height)
    return heights


def some_elements(task: Task, seed: int) -> list[Symmetry]:
    """At most half of each kind, r^k with its inverse counting as one; any number up to that."""
    generator = numbers(seed)
    pairs = list({frozenset({g, g.inverse()}): None for g in task.rotations if g != task.identity})
    chosen = [task.identity] if seed % 2 else []
    for classes in (pairs, [{g} for g in task.reflections]):
        count = int(torch.randint(len(classes) // 2 + 1, (), generator=generator))
        order = torch.randperm(len(classes), generator=generator).tolist()
        chosen += [g for i in order[:count] for g in classes[i]]
    return chosen


def test_whatever_is_planted_is_found(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    kinds = set()
    for seed in range(30):
        heights = signed(some_elements(task, seed), seed)
        found_exactly(decompose(planted(task, heights), task), heights)
        kinds.update((g.reflects, height > 0) for g, height in heights.items())
    assert len(kinds) == 4


def subgroup(task: Task, step: rfm.groups.Value, *mirrors: rfm.groups.Value) -> rfm.Subgroup:
    return rfm.generate(task.rotation(step), *map(task.reflection, mirrors))


SUBGROUPS = [
    subgroup(rfm.addition(29), 0, 5),
    subgroup(rfm.subtraction(29), 0),
    *(subgroup(rfm.addition(32), 32 // m % 32, 3) for m in (1, 2, 4, 8)),
    subgroup(rfm.subtraction(32), 4, 31),
    subgroup(rfm.addition(3, 7), (1, 0), (2, 5)),
    subgroup(rfm.addition(3, 7), (0, 1)),
    subgroup(rfm.subtraction(3, 7), (0, 1), (0, 0)),
    subgroup(rfm.multiplication(29), 28, 2),
    subgroup(rfm.multiplication(29), 7, 1),
    subgroup(rfm.division(29), 12, 3),
    subgroup(rfm.division(29), 1, 17),
    subgroup(rfm.addition(2, 2, 4), (1, 0, 2), (0, 1, 1)),
]


@pytest.mark.parametrize("H", SUBGROUPS, ids=lambda H: f"{H!r} of {H.task}")
@pytest.mark.parametrize("seed", range(3))
def test_subgroups_are_found_element_by_element(H: rfm.Subgroup, seed: int) -> None:
    heights = signed(H, seed)
    found = decompose(planted(H.task, heights), H.task)
    found_exactly(found, heights)
    assert found.group == H


@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
def test_eight_equal_reflections_of_32(sign: int) -> None:
    H = subgroup(rfm.addition(32), 4, 1)
    heights = {g: float(sign) for g in H.reflections}
    found = decompose(planted(H.task, heights), H.task)
    found_exactly(found, heights)
    assert found.collapsed == (() if sign > 0 else H.reflections)
    assert found.group == H
    assert found.group.order == 16


def test_what_does_not_stand_out_is_not_encoded(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    chosen = 0
    for seed in range(10):
        M = of_coefficients(task, with_outliers(task, seed))
        found = decompose(M, task, 0.3)
        c = dict(zip(task.symmetries, found.coefficients.tolist(), strict=True))
        level = dict(zip((False, True), found.background.tolist(), strict=True))
        kept = {g: c[g] - level[g.reflects] for g in found.elements}
        expected = mixture(task, [kept.get(g, 0.0) for g in task.symmetries])
        assert torch.allclose(found.encoded(), expected, rtol=1e-13, atol=0)
        chosen += len(kept)
    assert 0 < chosen < 10 * len(task.symmetries)


def test_eight_up_and_eight_down_of_32() -> None:
    """Half of the reflections, and no more, may be encoded."""
    task = rfm.addition(32)
    heights = {task.reflection(k): -1.0 for k in range(0, 32, 4)}
    heights |= {task.reflection(k): 1.0 for k in range(2, 32, 4)}
    found_exactly(decompose(planted(task, heights), task), heights)


def test_more_than_half_are_taken_for_background() -> None:
    task = rfm.addition(13)
    heights = {task.reflection(k): 1.0 for k in range(7)}
    found = decompose(planted(task, heights), task)
    assert found.collapsed == found.elements == tuple(task.reflection(k) for k in range(7, 13))
    assert float(found.background[1]) == pytest.approx(LEVELS[1] + 1, abs=NEAR)


def test_one_of_an_inverse_pair_counts_once_against_the_half() -> None:
    """Six of twelve rotations, and the identity; as three of six they are exactly half."""
    task = rfm.subtraction(13)
    pairs = [1, 12, 3, 10, 4, 9]
    heights = {task.rotation(k): 1.0 + min(k, 13 - k) / 10 for k in pairs} | {task.identity: 3.0}
    found_exactly(decompose(planted(task, heights), task), heights)


PLANTS = {
    "{id, sr^5}": {
        rfm.addition(29).identity: 1.0,
        rfm.addition(29).reflection(5): -1.0,
    },
    "Klein, units": dict.fromkeys(subgroup(rfm.multiplication(29), 28, 2), 1.0),
    "a pair of rotations": dict.fromkeys(
        (rfm.division(29).rotation(3), rfm.division(29).rotation(10)), -1.0
    ),
    "both signs, product": {
        rfm.addition(3, 7).identity: 1.0,
        rfm.addition(3, 7).reflection((1, 2)): 1.0,
        rfm.addition(3, 7).reflection((0, 4)): -1.0,
    },
    "six, even": dict.fromkeys(subgroup(rfm.subtraction(36), 12, 4), 1.0),
}


def recovery(heights: dict[Symmetry, float], noise: float, seeds: range) -> float:
    """How often exactly these elements are found if each entry has noise of this size."""
    task = next(iter(heights)).task
    M, hits = planted(task, heights), 0
    for seed in seeds:
        found = decompose(M + noise * indefinite(task.dimension, seed), task)
        up, down = set(found.above), set(found.below)
        hits += all(g in (up if height > 0 else down) for g, height in heights.items()) and (
            len(found.elements) == len(heights)
        )
    return hits / len(seeds)


@pytest.mark.parametrize("heights", PLANTS.values(), ids=PLANTS)
def test_noise_hides_planted_elements_when_it_is_large(heights: dict[Symmetry, float]) -> None:
    rates = [recovery(heights, noise, range(40)) for noise in (0.03, 0.1, 0.2, 0.6, 1.0, 3.0)]
    assert rates[:2] == [1, 1]
    assert rates[2] >= 0.95  # now a false alarm can be a tenth as large as what was planted
    assert rates[-1] < 0.05
    assert all(later <= before + 0.1 for before, later in pairwise(rates))


def test_coefficients_of_planted_elements_are_unbiased() -> None:
    heights = PLANTS["Klein, units"]
    task = next(iter(heights)).task
    M, draws, noise = planted(task, heights), 200, 0.5
    noisy = [decompose(M + noise * indefinite(task.dimension, i), task) for i in range(draws)]
    c, error = torch.stack([found.coefficients for found in noisy]), noise / sqrt(task.n)
    off = (c.mean(0) - decompose(M, task).coefficients).abs()
    assert (off < 4.5 * error / sqrt(draws)).all()
    k = torch.arange(task.n)
    twice = torch.cat([task.group.inverses == k, k >= 0])  # where Π(g) is symmetric
    expected = torch.where(twice, 1.0, sqrt(0.5)) * error
    assert ((c.std(0) / expected - 1).abs() < 5 / sqrt(2 * draws)).all()


# ---------------------------------------------------------------------------------- in a real trap


@every_kernel
@pytest.mark.parametrize(
    "mirror",
    [
        rfm.addition(13).reflection(0),
        rfm.addition(13).reflection(5),
        rfm.addition(3, 5).reflection((1, 2)),
        rfm.multiplication(13).reflection(6),
        rfm.subtraction(14).reflection(3),
    ],
    ids=lambda g: f"{g} of {g.task}",
)
def test_the_trap_encodes_the_reflection_that_was_withheld(
    mirror: Symmetry, kernel: rfm.Kernel
) -> None:
    task = mirror.task
    split = rfm.withhold(task, mirror.fixed_points())
    run = rfm.fit(split, kernel, stop=rfm.converged(1e-7))
    found = decompose(run.features, task)
    assert found.elements == (task.identity, mirror)
    assert found.above == (task.identity,)
    assert found.below == found.collapsed == (mirror,)
    assert found.group == rfm.generate(mirror)
    assert found.group.order == 2
    prediction = found.predict(split)
    assert not prediction.right.any()
    assert not run.right.any()
    assert prediction.precision_recall(run) == (1, 1)


def test_random_circulant_features_have_no_reflection_in_front() -> None:
    task = rfm.addition(17)
    found = [decompose(rfm.random_circulant_features(task, seed), task) for seed in range(10)]
    assert all(parts.elements == (task.identity,) for parts in found)
    assert max(parts.residual for parts in found) < 1e-6


def test_predictions_are_those_of_the_group() -> None:
    task = rfm.subtraction(12)
    split = rfm.random_split(task, 0.4, 1)
    heights = signed((task.rotation(6), task.reflection(1)), 0)
    found = decompose(planted(task, heights), task)
    expected = rfm.predict(rfm.generate(*heights), split)
    prediction = found.predict(split)
    assert prediction.split is split
    assert torch.equal(prediction.right, expected.right)
    assert 0 < prediction.right.sum() < len(split.test)


# ------------------------------------------------------------------------------- particular inputs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_any_floating_point_dtype_in_and_float64_out(dtype: torch.dtype) -> None:
    mirror = rfm.addition(3, 5).reflection((2, 2))
    task = mirror.task
    M = planted(task, {task.identity: 1.0, mirror: -1.0})
    found = decompose((M + 0.01 * indefinite(task.dimension, 0)).to(dtype), task)
    for tensor in (found.coefficients, found.background, found.deviations):
        assert tensor.dtype == torch.float64
    assert found.projection().dtype == found.encoded().dtype == torch.float64
    assert found.stands_out.dtype == torch.bool
    assert isinstance(found.residual, float)
    assert found.elements == (task.identity, mirror)


def test_float32_agrees_with_float64(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = random_metric(task.dimension, 15)
    single, double = decompose(M.float(), task), decompose(M, task)
    same(single.coefficients, double.coefficients, 1e-6)
    assert single.residual == pytest.approx(double.residual, rel=1e-5)
    heights = signed(some_elements(task, 3), 3)
    single = decompose(planted(task, heights).float(), task)
    assert set(single.elements) == set(heights)
    assert single.background.tolist() == pytest.approx(LEVELS, abs=1e-3)


def test_the_identity_matrix_is_the_identity(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    found = decompose(torch.eye(task.dimension), task)
    assert found.elements == found.above == (task.identity,)
    assert found.coefficients.tolist() == [float(g == task.identity) for g in task.symmetries]
    assert found.residual == 0
    assert found.group.elements == (task.identity,)
    assert torch.equal(found.encoded(), torch.eye(task.dimension).double())


def test_zero_is_made_of_nothing(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decompose(torch.zeros(task.dimension, task.dimension), task)
    assert found.residual == 0
    assert found.elements == found.collapsed == ()
    assert found.group.elements == (task.identity,)
    assert not found.coefficients.any()
    assert not found.encoded().any()


def test_pure_background_has_no_elements(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    found = decompose(planted(task, {}) + 0.0, task)
    assert found.elements == ()
    assert found.group.elements == (task.identity,)
    assert found.background.tolist() == pytest.approx(LEVELS, abs=NEAR)


TINY = [rfm.addition(2), rfm.multiplication(3), rfm.subtraction(3), rfm.addition(4)]
TINY += [rfm.division(5), rfm.addition(5)]


@pytest.mark.parametrize("task", TINY, ids=str)
def test_of_five_rotations_or_fewer_none_is_judged(task: Task) -> None:
    for M in (torch.eye(task.dimension), *(indefinite(task.dimension, s) for s in range(5))):
        found = decompose(M, task, 0.9)
        assert not any(g.reflects is False for g in found.elements)
        assert 0 <= found.residual <= 1
    mirror = task.reflections[1]
    found = decompose(planted(task, {task.identity: 1.0, mirror: -1.0}), task)
    assert found.elements == found.collapsed == ((mirror,) if task.n > 2 else ())


def test_six_rotations_are_enough() -> None:
    task = rfm.addition(6)
    heights = {task.identity: 1.0, task.rotation(3): -1.0, task.reflection(2): 1.0}
    found_exactly(decompose(planted(task, heights), task), heights)


def test_the_matrix_stays_as_it_is() -> None:
    M = indefinite(PLUS.dimension, 16)
    copy, state = M.clone(), torch.get_rng_state()
    first, again = decompose(M, PLUS, 0.07), decompose(M.T, PLUS, 0.07)
    assert torch.equal(M, copy)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.stands_out, again.stands_out)
    same(first.coefficients, again.coefficients, 1e-14)


def test_table(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    n = task.n
    heights = signed(some_elements(task, 7), 7)
    M = planted(task, heights) + 0.01 * indefinite(task.dimension, 17)
    found = decompose(M, task)
    table = found.table()
    assert list(table.columns) == ["coefficient", "deviation", "stands_out"]
    assert table.index.name == "element"
    assert table.index.tolist() == [g.name for g in task.symmetries]
    assert table["coefficient"].tolist() == found.coefficients.tolist()
    assert table.index[table["stands_out"]].tolist() == [g.name for g in found.elements]
    assert table["coefficient"].sum() * 2 * n == pytest.approx(float(M.sum()))
    levels = (table["coefficient"] - table["deviation"]).to_numpy()
    assert levels == pytest.approx(np.repeat(found.background.numpy(), n), abs=1e-14)
    both = table["coefficient"].iloc[:n].sum() * 2 * n
    assert both == pytest.approx(float(M[:n, :n].sum() + M[n:, n:].sum()))


def test_a_whole_share_leaves_the_largest() -> None:
    g, h = PLUS.reflection(3), PLUS.reflection(1)
    assert decompose(-g.matrix(), PLUS, share=1).elements == (g,)
    both = decompose(0.5 * h.matrix() - g.matrix(), PLUS, share=0.5)
    assert (both.above, both.below) == ((h,), (g,))


def test_an_asymmetry_that_is_tolerated_does_not_part_inverses() -> None:
    r = PLUS.rotation(1)
    M = torch.ones_like(r.matrix()) + 2e-7 * (r.matrix() - r.inverse().matrix())
    assert decompose(M, PLUS).elements == ()


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e170, 1e300])
def test_the_residual_survives_extreme_units(scale: float) -> None:
    M = indefinite(PLUS.dimension, seed=5)
    expected = decompose(M, PLUS).residual
    assert decompose(M * scale, PLUS).residual == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("error")
def test_a_matrix_that_records_gradients_will_do() -> None:
    M = torch.eye(PLUS.dimension, dtype=torch.float64, requires_grad=True)
    parts = decompose(M, PLUS)
    assert parts.elements == (PLUS.identity,)
    assert not parts.coefficients.requires_grad


# ------------------------------------------------------------------------------------------ errors

EYE = torch.eye(PLUS.dimension, dtype=torch.float64)


@pytest.mark.parametrize(
    ("M", "what"),
    [
        (torch.eye(7), r"torch.float32 \(7, 7\)"),
        (torch.ones(14, 13), r"torch.float32 \(14, 13\)"),
        (torch.eye(16).double(), r"torch.float64 \(16, 16\)"),
        (torch.ones(1, 14, 14), r"torch.float32 \(1, 14, 14\)"),
        (torch.ones(196), r"torch.float32 \(196,\)"),
        (torch.eye(14, dtype=torch.int64), r"torch.int64 \(14, 14\)"),
        (torch.eye(14).bool(), r"torch.bool \(14, 14\)"),
        (torch.eye(14).to(torch.complex64), r"torch.complex64 \(14, 14\)"),
        (torch.eye(14).tolist(), "list"),
        (np.eye(14), "ndarray"),
        (None, "NoneType"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_feature_matrix_of_the_task_is_refused(M: object, what: str) -> None:
    expected = rf"the feature matrix for x \+ y mod 7 must be a .*\(14, 14\) matrix, not {what}$"
    with pytest.raises(ValueError, match=expected):
        decompose(M, PLUS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [(0, 0), (3, 9)])
def test_entries_must_be_finite(value: float, place: tuple[int, int]) -> None:
    M = EYE.clone()
    M[place] = M[place[::-1]] = value
    with pytest.raises(ValueError, match="has entries that are not finite"):
        decompose(M, PLUS)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_matrix_must_be_symmetric_up_to_rounding(scale: float) -> None:
    M = EYE.clone()
    M[2, 10] = 1e-8
    assert decompose(scale * M, PLUS).elements == (PLUS.identity,)
    M[2, 10] = 1e-4
    with pytest.raises(ValueError, match="is not symmetric"):
        decompose(scale * M, PLUS)
    with pytest.raises(ValueError, match="is not symmetric"):
        decompose(scale * PLUS.rotation(2).matrix(), PLUS)


@pytest.mark.parametrize("false_alarms", [0, 1, 0.0, 1.0, -0.01, 1.01, float("nan"), inf])
def test_false_alarms_out_of_range_are_refused(false_alarms: float) -> None:
    with pytest.raises(ValueError, match=f"between 0 and 1, not {false_alarms!r}$"):
        decompose(EYE, PLUS, false_alarms=false_alarms)


@pytest.mark.parametrize("share", [-1e-9, -1, 1.001, 2, float("nan"), inf])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=f"share must be between 0 and 1, not {share!r}$"):
        decompose(EYE, PLUS, share=share)


@pytest.mark.parametrize("task", [rfm.subtraction(7), rfm.addition(8)], ids=str)
def test_a_split_of_another_task_is_not_predicted(task: Task) -> None:
    split = rfm.random_split(task, 0.5, 0)
    with pytest.raises(ValueError, match="does not act on a split of"):
        decompose(EYE, PLUS).predict(split)
