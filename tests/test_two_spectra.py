"""The trap on two spectra against the dense machine, and its laws."""

from __future__ import annotations

import math
import warnings
from itertools import product

import pytest
import torch

import rfm
from rfm.two_spectra import Midpoints, OnAxis, TwoSpectra, _weights, sign_patterns

KERNELS = [rfm.Gaussian(2.5), rfm.Gaussian(0.7), rfm.Quadratic(), rfm.Laplace(2.0), rfm.Matern(2.0)]
TASKS = [
    rfm.addition(5),
    rfm.subtraction(9),
    rfm.addition(13),
    rfm.subtraction(3, 3),
    rfm.addition(3, 5),
]


def some(mirror: rfm.Symmetry, seed: int) -> TwoSpectra:
    """Random spectra from 0.3 to 1.3."""
    mid, dice = Midpoints(mirror), torch.Generator().manual_seed(seed)
    even, odd = 0.3 + torch.rand(2, len(mid.count), generator=dice, dtype=torch.float64)
    return TwoSpectra(mid, even, odd)


def leads(
    task: rfm.Task, train: torch.Tensor, axis: torch.Tensor, kernel, M, ridge
) -> torch.Tensor:
    machine = rfm.KernelMachine.fit(train, task.one_hot_labels(train), kernel, M, ridge, warn=False)
    scores, label = machine.predict(axis), task.label(axis)[:, None]
    return scores.gather(1, label)[:, 0] - scores.scatter(1, label, -torch.inf).amax(1)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("task", TASKS, ids=str)
@pytest.mark.parametrize(
    "recipe", [{}, {"ridge": 0.05, "centred": False}, {"ridge": 1e-3, "power": 0.25}], ids=str
)
def test_metrics_and_leads_are_those_of_the_dense_machine(
    task: rfm.Task, kernel: rfm.Kernel, recipe: dict
) -> None:
    mirror = task.reflections[task.n // 3]
    axis = mirror.fixed_points()
    split, few = rfm.withhold(task, axis), some(mirror, 1)
    run = rfm.fit(split, kernel, 3, M0=few.metric, keep_features=True, warn=False, **recipe)
    for M in run.history:
        assert (few.metric - M).norm() < 1e-9 * M.norm()
        found = few.axis(kernel, recipe.get("ridge", 0.0))
        dense = leads(task, split.train, axis, kernel, M, recipe.get("ridge", 0.0))
        assert (dense - found.lead).abs().max() < 1e-9 * max(1.0, abs(found.lead))
        few = few.step(kernel, **recipe)


@pytest.mark.parametrize("moduli", [(5,), (9,), (3, 3), (29,)])
@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_equal_spectra_are_four_numbers(moduli: tuple[int, ...], kernel: rfm.Kernel) -> None:
    mirror = rfm.addition(*moduli).reflections[1]
    mid, n = Midpoints(mirror), math.prod(moduli)
    level = torch.ones(len(mid.count), dtype=torch.float64)
    few, four = TwoSpectra(mid, level, level), rfm.FourNumbers(n)
    for _ in range(5):
        assert (few.metric - four.metric(mirror)).norm() < 1e-9 * few.metric.norm()
        assert few.axis(kernel).lead == pytest.approx(four.margin(kernel), rel=1e-6, abs=1e-9)
        few, four = few.step(kernel), four.step(kernel)


def test_a_metric_is_read_back_whatever_is_added_to_it() -> None:
    """The mean over swap and translations forgets what they do not keep."""
    mirror = rfm.subtraction(3, 5).reflections[4]
    few, dice = some(mirror, 3), torch.Generator().manual_seed(5)
    E = torch.randn(30, 30, generator=dice, dtype=torch.float64)
    E = rfm.odd_part(E + E.T, mirror)
    for M in (few.metric, few.metric + 0.01 * E):
        again = TwoSpectra.of(few.mid, M)
        assert (again.metric - few.metric).abs().max() < 1e-12
        assert (again.signs - few.signs).abs().max() < 1e-12
    values = torch.linalg.eigvalsh(few.metric)
    twice = few.mid.count.long()
    spectra = torch.cat([few.even.repeat_interleave(twice), few.odd.repeat_interleave(twice)])
    assert (values - spectra.sort().values).abs().max() < 1e-12


@pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()], ids=repr)
def test_automorphisms_permute_frequencies(kernel: rfm.Kernel) -> None:
    """With (a, b) renamed to (ua, ub) the course is the same, frequencies renamed."""
    mid = Midpoints(rfm.addition(11).reflections[0])
    signs = torch.tensor([0.3, -0.2, -0.3, 0.1, -0.4], dtype=torch.float64)
    for u in range(2, 11):
        where = torch.tensor([min(u * k % 11, -u * k % 11) - 1 for k in range(1, 6)])
        first, second = (TwoSpectra.relative(mid, s) for s in (signs, signs[where]))
        for _ in range(4):
            assert (first.signs[where] - second.signs).abs().max() < 1e-10
            assert first.axis(kernel).lead == pytest.approx(second.axis(kernel).lead, abs=1e-10)
            first, second = first.step(kernel), second.step(kernel)


def theorem_c(even: torch.Tensor, odd: torch.Tensor, n: int, χ: int) -> float:
    """The continued constant of the quadratic kernel, chapter 12, for Z_n."""
    at = [[float(μ[min(k, n - k)]) for k in range(n)] for μ in (even, odd)]
    κ = χ * (n + 1) // 2 % n
    p, q = ([μ[(κ + ν) % n] * μ[(κ - ν) % n] for ν in range(n)] for μ in at)
    inner = [ν for ν in range(n) if ν not in (κ, n - κ)]
    D = n / 2 - sum(p[ν] / (p[ν] + q[ν]) for ν in inner)
    G = 2 * p[κ] + sum(p[ν] * q[ν] / (p[ν] + q[ν]) for ν in inner)
    R = sum(1 / (p[ν] + q[ν]) for ν in inner)
    σ = p[0] + q[0]
    return 1 + n * ((p[0] / σ - 0.5) * D - G / σ) / (D * D + G * R)


@pytest.mark.parametrize("n", [5, 7, 13, 21])
def test_theorem_c(n: int) -> None:
    few = some(rfm.addition(n).reflections[0], n)
    found = few.axis(rfm.Quadratic()).continued
    for χ in range(1, n // 2 + 1):
        assert float(found[χ]) == pytest.approx(theorem_c(few.even, few.odd, n, χ), abs=1e-8)


def test_all_plus_is_wrong_and_forgets_its_spectrum() -> None:
    mid = Midpoints(rfm.addition(17).reflections[0])
    even = 0.3 + torch.rand(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    even[0] = 0
    few = TwoSpectra(mid, even, torch.zeros(9, dtype=torch.float64))
    assert few.axis(rfm.Quadratic()).lead == pytest.approx(-4 / 13)
    after = few.step(rfm.Quadratic()).even[1:]
    assert float(after.max() / after.min()) == pytest.approx(1)


def test_the_first_step_from_the_identity() -> None:
    for n in (13, 29, 61):
        mid = Midpoints(rfm.addition(n).reflections[0])
        level = torch.ones(len(mid.count), dtype=torch.float64)
        for kernel in (rfm.Gaussian(2.5), rfm.Gaussian(10.0), rfm.Quadratic()):
            signs = TwoSpectra(mid, level, level).step(kernel).signs
            assert (signs * 2 * (n - 1) + 1).abs().max() < 4 / n**2


def test_signs_decide_at_order_eleven() -> None:
    """Every pattern from ρ = ±0.3: right if and only if the signs are mixed."""
    mid = Midpoints(rfm.addition(11).reflections[0])
    for code in range(32):
        signs = torch.tensor([0.3 if code >> i & 1 else -0.3 for i in range(5)]).double()
        few = TwoSpectra.relative(mid, signs)
        for _ in range(20):
            few = few.step(rfm.Gaussian(2.5))
        assert ((few.signs > 0) == (signs > 0)).all()
        assert few.axis(rfm.Gaussian(2.5)).right == (code not in (0, 31))


@pytest.mark.parametrize("opposite", [False, True])
@pytest.mark.parametrize("moduli", [(7,), (9,), (3, 3), (13,)])
def test_patterns_are_those_of_functions_that_automorphisms_move(
    moduli: tuple[int, ...], opposite: bool
) -> None:
    """Brute force: all functions ±cos or ±sin, moved by all automorphisms."""
    task = rfm.addition(*moduli)
    mid, maps = Midpoints(task.reflections[0]), rfm.automorphisms(task.group)
    wave = (mid.sin if opposite else mid.cos)[1:]
    k, seen, sizes = len(mid.h), set(), []
    for code in range(2**k):
        signs = torch.tensor([1.0 if code >> i & 1 else -1.0 for i in range(k)]).double()
        f = signs @ wave
        images = {tuple((f[φ] * 1e6).round().long().tolist()) for φ in maps}
        if opposite:
            images |= {tuple(-x for x in image) for image in images}
        if not images & seen:
            sizes.append(len(images))
        seen |= images
    found = sign_patterns(mid, opposite)
    assert sorted(count for _, count in found) == sorted(sizes)
    assert sum(count for _, count in found) == 2**k
    assert all(bool((signs.abs() == 1).all()) for signs, _ in found)


@pytest.mark.parametrize(
    ("scores", "resolution", "lead", "right"),
    [
        ([1.0, 0.75, 0.5], 0.1, 0.25, True),
        ([1.0, 0.5, 0.75], 0.1, 0.25, True),
        ([1.0, 0.75, 0.5], 0.25, 0.25, False),
        ([0.5, 0.75, 0.25], 0.1, -0.25, False),
    ],
)
def test_the_right_class_leads_by_more_than_rounding(
    scores: list[float], resolution: float, lead: float, right: bool
) -> None:
    found = OnAxis(torch.tensor(scores).double(), torch.zeros(2), resolution, 0.0)
    assert found.lead == lead
    assert found.right is right


@pytest.mark.parametrize("ridge", [1e-6, 1e-8])
def test_what_is_rounding_is_that_of_the_dense_machine(ridge: float) -> None:
    """Where coefficients are so large that rounding, not the smallest lead of all, decides."""
    kernel, task = rfm.Gaussian(60.0), rfm.addition(7)
    M = some(task.reflections[3], seed=5)
    train = rfm.withhold(task, task.reflections[3].fixed_points()).train
    Y = task.one_hot_labels(train)
    dense = rfm.KernelMachine.fit(train, Y, kernel, M.metric, ridge, warn=False)
    found = M.axis(kernel, ridge)
    assert found.resolution == pytest.approx(dense.resolution, rel=1e-3)
    assert found.resolution > 1e-9
    assert M.axis(rfm.Gaussian(0.7)).resolution == 1e-9
    assert M.axis(rfm.Gaussian(0.7)).jitter == 0
    flat = rfm.Gaussian(1e5)
    singular = rfm.KernelMachine.fit(train, Y, flat, M.metric, warn=False)
    assert singular.factor.jitter > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jitter = M.axis(flat).jitter
    assert jitter == pytest.approx(singular.factor.jitter, rel=1e-9, abs=0)


@pytest.mark.parametrize("opposite", [False, True])
@pytest.mark.parametrize("n", [5, 7, 9, 11])
def test_patterns_by_brute_force(n: int, opposite: bool) -> None:
    """Signs on 1, …, n − 1, even or odd, up to units, and if odd up to one sign for all."""
    mid, k = Midpoints(rfm.addition(n).reflections[0]), n // 2
    assert mid.h.tolist() == list(range(1, k + 1))
    units = [u for u in range(1, n) if math.gcd(u, n) == 1]
    turned = -1 if opposite else 1

    def orbit(signs: tuple[float, ...]) -> frozenset[tuple[float, ...]]:
        on = {h: s for h, s in enumerate(signs, 1)} | {
            n - h: turned * s for h, s in enumerate(signs, 1)
        }
        moved = {tuple(on[u * h % n] for h in range(1, k + 1)) for u in units}
        return frozenset(moved | {tuple(-s for s in each) for each in moved if opposite})

    orbits = {orbit(signs) for signs in product((-1.0, 1.0), repeat=k)}
    found = sign_patterns(mid, opposite) if opposite else sign_patterns(mid)
    assert len(found) == len(orbits)
    assert {orbit(tuple(signs.tolist())) for signs, _ in found} == orbits
    assert all(len(orbit(tuple(signs.tolist()))) == size for signs, size in found)


def test_only_an_infinite_weight_at_distance_zero_counts_as_zero() -> None:
    u = torch.tensor([[0.0, 1.0], [4.0, 0.0]], dtype=torch.float64)
    Laplace, Gaussian, Quadratic = rfm.Laplace(2.0), rfm.Gaussian(2.5), rfm.Quadratic()
    assert _weights(Laplace, u).tolist() == [
        [0.0, float(Laplace.weight(u)[0, 1])],
        [float(Laplace.weight(u)[1, 0]), 0.0],
    ]
    for kernel in (Gaussian, Quadratic):
        assert torch.equal(_weights(kernel, u), kernel.weight(u))


def test_the_largest_order_is_one() -> None:
    assert Midpoints(rfm.addition(255).reflection(0)).n == 255


def test_signs_of_one_are_the_limit() -> None:
    mid = Midpoints(rfm.addition(5).reflections[0])
    for sign in (1.0, -1.0):
        M = TwoSpectra.relative(mid, torch.full((2,), sign).double())
        assert M.even.tolist() == [1.0, 1.0 + sign, 1.0 + sign]
        assert M.odd.tolist() == [1.0, 1.0 - sign, 1.0 - sign]
        assert torch.equal(M.signs, torch.full((2,), sign).double())
    assert mid.count.tolist() == [1, 2, 2]
    assert {each.dtype for each in (mid.count, mid.cos, mid.sin)} == {torch.float64}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_an_eigenvalue_that_is_negative_by_rounding_is_taken_positive(scale: float) -> None:
    """Up to 1e-12 of the largest; more than that is an error."""
    mid = Midpoints(rfm.addition(7).reflections[2])
    ones = torch.ones(4, dtype=torch.float64)
    M = TwoSpectra(mid, scale * ones, scale * ones).metric
    flat = torch.eye(14, dtype=torch.float64) - 1 / 14
    gone = TwoSpectra(mid, scale * ones, scale * ones * torch.tensor([1.0, 0, 1, 1])).metric
    kept = TwoSpectra.of(mid, gone - 1e-14 * scale * flat)
    assert kept.odd[1] == pytest.approx(0, abs=2e-14 * scale)
    assert TwoSpectra.of(mid, M).even.tolist() == pytest.approx([scale] * 4)
    with pytest.raises(ValueError, match="odd must be finite numbers of at least 0"):
        TwoSpectra.of(mid, gone - 1e-10 * scale * flat)


def test_what_is_read_can_be_written_to() -> None:
    few = some(rfm.addition(7).reflections[0], 0)
    before = few.metric
    few.even.zero_()
    few.mid.cos.zero_()
    assert torch.equal(few.metric, before)


MID = Midpoints(rfm.addition(7).reflections[0])
ONES = torch.ones(4, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Midpoints(rfm.addition(8).reflections[0]), "odd order"),
        (lambda: Midpoints(rfm.addition(257).reflections[0]), "up to 255"),
        (lambda: Midpoints(rfm.addition(7).rotation(1)), "reflection"),
        (lambda: Midpoints(rfm.addition(7)), "mirror"),
        (lambda: TwoSpectra(MID, ONES[:3], ONES), "even must be"),
        (lambda: TwoSpectra(MID, ONES, -ONES), "odd must be"),
        (lambda: TwoSpectra(MID, ONES.float(), ONES), "even must be"),
        (lambda: TwoSpectra(MID, ONES * math.nan, ONES), "even must be"),
        (lambda: TwoSpectra(rfm.addition(7), ONES, ONES), "mid"),
        (lambda: TwoSpectra.relative(MID, 2 * ONES[:3]), "from -1 to 1"),
        (lambda: TwoSpectra.relative(MID, ONES), "signs"),
        (lambda: TwoSpectra.of(MID, torch.eye(13)), "M"),
        (lambda: TwoSpectra.of(MID, -torch.eye(14).double()), "even must be"),
        (lambda: sign_patterns(rfm.addition(7)), "mid"),
        (lambda: sign_patterns(MID, 1), "opposite"),
        (lambda: sign_patterns(Midpoints(rfm.addition(43).reflections[0])), "patterns"),
        (lambda: TwoSpectra(MID, ONES, ONES).step("gaussian"), "kernel"),
        (lambda: TwoSpectra(MID, ONES, ONES).axis(rfm.Gaussian(2.5), -1), "ridge"),
        (lambda: TwoSpectra(MID, ONES, ONES).step(rfm.Gaussian(2.5), power=0), "power"),
        (lambda: TwoSpectra(MID, ONES, ONES).step(rfm.Gaussian(2.5), centred=1), "centred"),
    ],
)
def test_bad_input_is_told(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
