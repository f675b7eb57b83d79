"""The trap on four numbers, against the dense machine, brute force and exact arithmetic."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from itertools import combinations, product

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

import rfm
from rfm.reduced import FourNumbers, expansion, gains, reduced

KERNELS = [rfm.Gaussian(2.5), rfm.Gaussian(0.7), rfm.Quadratic(), rfm.Laplace(2.0), rfm.Matern(2.0)]
TASKS = [
    rfm.addition(5),
    rfm.subtraction(7),
    rfm.addition(13),
    rfm.addition(15),
    rfm.addition(3, 3),
]


def trap(task: rfm.Task, k: int = 0) -> rfm.Split:
    return rfm.withhold(task, task.reflections[k].fixed_points())


def course(mirror: rfm.Symmetry, kernel: rfm.Kernel, iterations: int, **recipe) -> None:
    """Compare every metric and every margin of a dense run with the four numbers."""
    split = rfm.withhold(mirror.task, mirror.fixed_points())
    run = rfm.fit(split, kernel, iterations, keep_features=True, warn=False, **recipe)
    table = reduced(mirror.task.n, kernel, iterations, **recipe)
    M, Y = FourNumbers(mirror.task.n), mirror.task.one_hot_labels(split.train)
    for t, dense in enumerate(run.history):
        assert (M.metric(mirror) - dense).norm() < 1e-6 * dense.norm(), t
        if t < iterations:
            ridge = recipe.get("ridge", 0.0)
            machine = rfm.KernelMachine.fit(split.train, Y, kernel, dense, ridge, warn=False)
            scores = machine.predict(mirror.fixed_points())
            label = mirror.task.label(mirror.fixed_points())[:, None]
            others = scores.clone().scatter_(1, label, float("nan"))
            lead = scores.gather(1, label) - others
            real = lead[~lead.isnan()]
            near = 1e-10 + machine.resolution * bool(machine.factor.jitter)
            if M.even < 1e-3 * M.odd:  # collapsed: what is left is the dense machine's rounding
                near += 1e-2 * abs(M.margin(kernel, ridge)) + machine.resolution
            assert (real - M.margin(kernel, ridge)).abs().max() < near, t
            assert table.margin.iloc[t] == M.margin(kernel, ridge)
            assert run.table.test_accuracy.iloc[t] == 0
            assert table.step.iloc[t] == pytest.approx(run.table.step.iloc[t], rel=1e-4, abs=1e-6)
        M = M.step(kernel, **recipe)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_metric_and_margin_is_that_of_the_dense_machine(
    task: rfm.Task, kernel: rfm.Kernel
) -> None:
    course(task.reflections[1], kernel, 9)


@pytest.mark.parametrize(("power", "ridge", "centred"), [*product((0.25, 0.75), (0, 1e-3), (1, 0))])
@pytest.mark.parametrize("kernel", KERNELS[:4], ids=repr)
def test_with_any_power_ridge_and_centring(
    kernel: rfm.Kernel, power: float, ridge: float, centred: bool
) -> None:
    course(
        rfm.addition(7).reflections[2], kernel, 5, power=power, ridge=ridge, centred=bool(centred)
    )


def test_every_reflection_of_a_table() -> None:
    for mirror in rfm.subtraction(3, 3).reflections:
        course(mirror, rfm.Gaussian(2.5), 3)


@pytest.mark.parametrize("n", [29, 61])
def test_at_the_sizes_of_the_paper(n: int) -> None:
    for kernel in (rfm.Gaussian(2.5), rfm.Quadratic()):
        course(rfm.addition(n).reflections[0], kernel, 2 if n == 61 else 4)


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.tuples(*[st.floats(0.05, 3)] * 4),
    n=st.sampled_from([5, 7, 9]),
    kernel=st.sampled_from(KERNELS),
    ridge=st.sampled_from([0.0, 1e-2]),
    centred=st.booleans(),
)
def test_one_dense_step_keeps_the_space_of_four_numbers(
    numbers: tuple[float, ...], n: int, kernel: rfm.Kernel, ridge: float, centred: bool
) -> None:
    """From any of its members, not along one course only."""
    M = FourNumbers(n, *numbers)
    mirror = rfm.addition(n).reflections[1]
    run = rfm.fit(
        rfm.withhold(mirror.task, mirror.fixed_points()),
        kernel,
        1,
        ridge=ridge,
        centred=centred,
        M0=M.metric(mirror),
        warn=False,
    )
    new = M.step(kernel, ridge, centred=centred)
    assert (new.metric(mirror) - run.features).norm() < 1e-8 * run.features.norm()
    assert new.opposite == 0
    assert (new.constant == 0) == kernel.translation_invariant


def test_the_coefficients_solve_the_system_exactly() -> None:
    """In fractions, at every sample and class of Z₇, for kernel values without a pattern."""
    n, ridge = 7, Fraction(1, 9)
    k = [Fraction(*p) for p in ((11, 3), (2, 7), (5, 4), (1, 6), (3, 8))]
    x, y, z, D, E, _ = expansion(Fraction(n), k, ridge)
    samples = [(a, b) for a in range(n) for b in range(n) if a != b]

    def relation(p, q):
        shared = (p[0] == q[0]) + (p[1] == q[1]), (p[0] == q[1]) + (p[1] == q[0])
        return {(2, 0): 0, (0, 2): 1, (1, 0): 2, (0, 1): 3, (0, 0): 4}[shared]

    for c in range(n):
        v = c * pow(2, -1, n) % n
        α = {s: x * (sum(s) % n == c) + y + z * (v in s) for s in samples}
        for s in samples:
            f = sum(k[relation(s, t)] * α[t] for t in samples) + ridge * α[s]
            assert f == (sum(s) % n == c)
        for u in range(n):
            assert sum(α[u, w] for w in range(n) if w != u) == D + E * (u == v)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("radial", [True, False])
def test_the_gains_are_those_of_a_sum_over_all_gradients(radial: bool, centred: bool) -> None:
    """In fractions, with coefficients that solve no system: only the counting is tested."""
    n = 5
    w = [Fraction(*p) for p in ((7, 3), (2, 5), (5, 4), (1, 6), (3, 8))]
    α = expansion(Fraction(n), [Fraction(*p) for p in ((9, 2), (1, 3), (3, 4), (1, 5), (2, 7))])
    samples = [(a, b) for a in range(n) for b in range(n) if a != b]

    def relation(p, q):
        shared = (p[0] == q[0]) + (p[1] == q[1]), (p[0] == q[1]) + (p[1] == q[0])
        return {(2, 0): 0, (0, 2): 1, (1, 0): 2, (0, 1): 3, (0, 0): 4}[shared]

    def code(s):
        return [int(u in (s[0], n + s[1])) for u in range(2 * n)]

    H = [[Fraction(0)] * (2 * n) for _ in range(2 * n)]
    for c in range(n):
        v = c * pow(2, -1, n) % n
        hs = []
        for s in samples:
            h = [Fraction(0)] * (2 * n)
            for t in samples:
                a = α.x * (sum(t) % n == c) + α.y + α.z * (v in t)
                for u, (i, j) in enumerate(zip(code(t), code(s), strict=True)):
                    h[u] += a * w[relation(s, t)] * (i - j * radial)
            hs.append(h)
        mean = [sum(column) / len(hs) * centred for column in zip(*hs, strict=True)]
        for h in hs:
            g = [p - q for p, q in zip(h, mean, strict=True)]
            for i in range(2 * n):
                for j in range(2 * n):
                    H[i][j] += g[i] * g[j] / len(samples)
    found = gains(Fraction(n), w, α, radial, centred)

    def value(first, second):
        vector = [*first, *second]
        size = sum(x * x for x in vector)
        image = [sum(H[i][j] * vector[j] for j in range(2 * n)) for i in range(2 * n)]
        eigenvalue = sum(x * y for x, y in zip(image, vector, strict=True)) / size
        assert image == [eigenvalue * x for x in vector]
        return eigenvalue

    u, one = [1, -1, 0, 0, 0], [1] * n
    assert value(u, [-x for x in u]) == found.odd
    assert value(u, u) == found.even
    assert value(one, one) == found.constant
    assert value(one, [-1] * n) == 0
    assert (found.constant == 0) == radial


@pytest.mark.parametrize("ridge", [0, Fraction(2, 5)])
def test_the_eigenvalues_are_those_of_the_matrix(ridge: Fraction | int) -> None:
    """On functions of unordered pairs, each as often as in a triangular graph."""
    n, k = 7, [3.0, 0.5, 1.0, 0.5, 0.25]
    found = expansion(n, k, ridge) if ridge else expansion(n, k)
    pairs = list(combinations(range(n), 2))
    shared = torch.tensor([[len({*p} & {*q}) for q in pairs] for p in pairs])
    values = torch.tensor([2 * k[4], k[2] + k[3], k[0] + k[1]], dtype=torch.float64)
    K = values[shared] + float(ridge) * torch.eye(len(pairs))
    often = 1, n - 1, n * (n - 3) // 2
    expected = [value for value, times in zip(found.l, often, strict=True) for _ in range(times)]
    assert torch.linalg.eigvalsh(K).tolist() == pytest.approx(sorted(map(float, expected)))


def test_a_table_is_made_of_steps() -> None:
    """With the recipe that is asked for, and with what stands for it if none is."""
    for recipe in ({}, {"ridge": 0.1, "power": 0.75, "centred": False}):
        kernel, M = rfm.Laplace(1.5), FourNumbers(9)
        table = reduced(9, kernel, 4, **recipe)
        assert table.index.tolist() == [1, 2, 3, 4]
        assert table.index.name == "iteration"
        numbers = ["even", "odd", "constant", "opposite"]
        assert list(table.columns) == [*numbers, "ratio", "margin", "step"]
        for row in table.to_dict("records"):
            assert [row[name] for name in numbers] == [getattr(M, name) for name in numbers]
            assert row["ratio"] == M.even / M.odd
            only = {"ridge": recipe["ridge"]} if recipe else {}
            assert row["margin"] == M.margin(kernel, **only)
            new, size = M.step(kernel, **recipe), torch.tensor([8, 8, 1, 1]).sqrt().double()
            old, moved = (size * torch.tensor([getattr(m, k) for k in numbers]) for m in (M, new))
            assert row["step"] == pytest.approx(float((moved - old).norm() / old.norm()))
            M = new
    assert len(reduced(9, kernel)) == 60
    assert len(reduced(9, kernel, 1)) == 1


def test_without_a_ridge_it_is_zero() -> None:
    M, kernel = FourNumbers(7, 0.5, 1.5), rfm.Gaussian(2.5)
    assert M.fit(kernel) == M.fit(kernel, 0.0) != M.fit(kernel, 1.0)
    assert M.margin(kernel) == M.margin(kernel, 0.0) != M.margin(kernel, 1.0)
    assert M.step(kernel) == M.step(kernel, 0.0, 0.5, True)
    for other in ((1.0, 0.5, True), (0.0, 1.0, True)):
        assert M.step(kernel) != M.step(kernel, *other)


def test_without_an_odd_part_the_ratio_is_infinite(monkeypatch: pytest.MonkeyPatch) -> None:
    even = FourNumbers(5, 1.0, 0.0, 1.0, 0.0)
    monkeypatch.setattr(FourNumbers, "step", lambda *_: even)
    assert reduced(5, rfm.Quadratic(), 2, ridge=0.1).ratio.tolist() == [1, math.inf]


@pytest.mark.parametrize("size", [1.0, 1.0 + 2**-52])
def test_a_metric_lost_in_underflow_has_vanished(
    monkeypatch: pytest.MonkeyPatch, size: float
) -> None:
    """Up to the smallest number that single steps of rounding still resolve."""
    least = size * sys.float_info.min / sys.float_info.epsilon
    tiny = FourNumbers(5, least, least / 2)
    monkeypatch.setattr(FourNumbers, "step", lambda *_: tiny)
    if size > 1:
        assert len(reduced(5, rfm.Quadratic(), 1, ridge=0.1)) == 1
    else:
        with pytest.raises(ArithmeticError, match="vanished in iteration 1"):
            reduced(5, rfm.Quadratic(), 1, ridge=0.1)


def test_huge_orders_collapse_in_a_time_that_grows_like_a_logarithm() -> None:
    """ln n / ln g iterations, g = 1 + L² ln(1 + 1/L²), up to a constant."""
    kernel = rfm.Gaussian(2.5)
    times = {}
    for n in (61, 10007, 10**6 + 3):
        table = reduced(n, kernel, 60)
        assert (table.margin[table.ratio > 1e-9] < 0).all()
        assert (table.ratio.diff().dropna() < 0).all()
        times[n] = int(table.ratio.lt(0.1).idxmax())
    L2 = kernel.bandwidth**2
    g = 1 + L2 * torch.log1p(torch.tensor(1 / L2, dtype=torch.float64))
    for small, large in ((61, 10007), (10007, 10**6 + 3)):
        expected = torch.log(torch.tensor(large / small)) / torch.log(g)
        assert abs(times[large] - times[small] - float(expected)) < 1.5


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: FourNumbers(12), "odd orders only, not for 12"),
        (lambda: FourNumbers(3), "from 5"),
        (lambda: FourNumbers(7, even=-1.0), "even must be"),
        (lambda: FourNumbers(7).metric(rfm.addition(5).reflections[0]), "order 7"),
        (lambda: FourNumbers(7).metric(rfm.addition(7).rotations[1]), "reflection"),
        (lambda: reduced(7, "Gaussian"), "kernel"),
        (lambda: reduced(7, rfm.Quadratic(), 0), "iterations"),
        (lambda: reduced(7, rfm.Quadratic(), ridge=-1), "ridge"),
        (lambda: reduced(7, rfm.Quadratic(), power=0), "power"),
        (lambda: reduced(7, rfm.Quadratic(), centred="no"), "centred"),
    ],
)
def test_bad_arguments_are_told(make, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


class Flat(rfm.RadialKernel):
    """Its derivative is zero wherever it has one."""

    def profile(self, u: torch.Tensor) -> torch.Tensor:
        return torch.exp(-u.round())


def test_a_metric_that_vanishes_is_told() -> None:
    with pytest.raises(ArithmeticError, match="vanished in iteration 1"):
        reduced(5, Flat(), 3, ridge=1e-6)
