"""Two-layer networks: gradients by hand, laws of symmetry, and what is read off the weights."""

from __future__ import annotations

import cmath
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

import rfm
from rfm import networks
from rfm.networks import (
    Activation,
    Mirrored,
    NetworkSetting,
    Paired,
    Random,
    ReLU,
    Square,
    Start,
    Weights,
    cross_shares,
    mirrored,
    train,
)
from rfm.sweeps import row

TASKS = (
    rfm.addition(7),
    rfm.addition(3, 3),
    rfm.addition(2, 4),
    rfm.subtraction(6),
    rfm.multiplication(7),
    rfm.division(11),
)
every_task = pytest.mark.parametrize("task", TASKS, ids=repr)
SGD = lambda W: torch.optim.SGD(W, lr=0.5)  # noqa: E731
OPTIMISERS: dict[str, Callable[[list[Tensor]], torch.optim.Optimizer]] = {
    "SGD": SGD,
    "momentum": lambda W: torch.optim.SGD(W, lr=0.1, momentum=0.9, weight_decay=0.01),
    "AdamW": lambda W: torch.optim.AdamW(W, lr=0.01, weight_decay=1.0, betas=(0.9, 0.98)),
    "RMSprop": lambda W: torch.optim.RMSprop(W, lr=0.003, alpha=0.9),
    "Rprop": lambda W: torch.optim.Rprop(W, lr=0.003),
}


@dataclass(frozen=True)
class Raised(Activation):
    """An even activation that is not zero at zero."""

    even = True

    def __call__(self, z: Tensor) -> Tensor:
        return 0.5 + z.cosh()


def trap(task: rfm.Task, k: int = -1) -> rfm.Split:
    return rfm.withhold(task, task.reflections[k].fixed_points())


def by_hand(split: rfm.Split, w: Weights, slope: Callable[[Tensor], Tensor], φ: Activation):
    """The gradient of the mean square in U and V, from dense codes of the training points."""
    X, Y = (f(split.train) for f in (split.task.one_hot, split.task.one_hot_labels))
    Z = X @ w.first
    error = 2 * (φ(Z) @ w.second - Y) / Y.numel()
    return X.T @ (error @ w.second.T * slope(Z)), φ(Z).T @ error


# ------------------------------------------------------------------------------------- training


@every_task
@pytest.mark.parametrize(
    ("φ", "slope"),
    [(Square(), lambda z: 2 * z), (ReLU(), lambda z: (z > 0).double()), (Raised(), torch.sinh)],
    ids=["square", "relu", "raised"],
)
@pytest.mark.parametrize("batch", [False, True])
def test_a_step_is_the_gradient_written_by_hand(task, φ, slope, batch) -> None:
    split = rfm.random_split(task, 0.6, 0)
    start = Random(1.5).draw(task, 5, 3)
    dU, dV = by_hand(split, start, slope, φ)
    size = len(split.train) if batch else None
    end = train(split, φ, start, 1, optimiser=SGD, batch=size).weights
    assert torch.allclose(end.first, start.first - 0.5 * dU, atol=1e-14)
    assert torch.allclose(end.second, start.second - 0.5 * dV, atol=1e-14)


def test_the_gradient_is_that_of_differences() -> None:
    task, h = rfm.addition(5), 1e-6
    split, start = rfm.random_split(task, 0.5, 1), Random().draw(task, 4, 0)
    end = train(split, Square(), start, 1, optimiser=SGD).weights
    for name in ("first", "second"):
        W = getattr(start, name)
        for i, j in [(0, 0), (3, 2), (2, 3)]:
            E = torch.zeros_like(W)
            E[i, j] = h
            ends = [
                train(split, Square(), replace(start, **{name: W + s * E}), 1).table.train_loss[0]
                for s in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / (2 * h) / task.n  # of the mean over classes as well
            assert math.isclose(2 * (W - getattr(end, name))[i, j], slope, abs_tol=1e-8)


def test_decay_alone_shrinks_the_weights() -> None:
    task = rfm.addition(5)
    zero = Weights(task, torch.zeros(10, 3).double(), torch.ones(3, 5).double())
    end = train(rfm.random_split(task, 0.5, 0), Square(), zero, 10, rate=0.1, decay=0.5).weights
    assert torch.allclose(end.second, zero.second * 0.95**10)  # no gradient: z = 0


def test_batches_go_through_all_training_points_once_an_epoch() -> None:
    """With a step too small to matter, an epoch's steps of SGD add up to that of all points."""
    task = rfm.addition(5)
    split, start = rfm.random_split(task, 0.6, 0), Random().draw(task, 6, 0)
    tiny = lambda W: torch.optim.SGD(W, lr=1e-7)  # noqa: E731
    whole = train(split, Square(), start, 1, optimiser=tiny).weights
    parts = train(split, Square(), start, 3, batch=5, optimiser=tiny).weights
    assert len(split.train) == 15
    moved = [(w.first - start.first) for w in (whole, parts)]
    assert torch.allclose(3 * moved[0], moved[1], rtol=1e-4, atol=1e-14)


def test_the_table_says_what_the_weights_do() -> None:
    task = rfm.addition(7)
    split = trap(task).move_random(5, 0)
    run = train(split, ReLU(), steps=45, every=20, width=30)
    assert run.table.index.tolist() == [0, 20, 40, 45]
    right = {kind: [] for kind in rfm.Kind}
    losses = {True: [], False: []}
    for (a, b), kind in zip(task.samples.tolist(), split.kind.tolist(), strict=True):
        z = run.weights.first[a] + run.weights.first[7 + b]
        f = (z.clamp(min=0)[:, None] * run.weights.second).sum(0)
        label = (a + b) % 7
        rivals = max(float(f[c]) for c in range(7) if c != label)
        right[rfm.Kind(kind)].append(float(f[label]) > rivals + 1e-9)
        wrong = sum((float(f[c]) - (c == label)) ** 2 for c in range(7))
        losses[kind == rfm.Kind.TRAIN].append(wrong)
    last = run.table.iloc[-1]
    for kind, name in ((rfm.Kind.TRAIN, "train"), (rfm.Kind.WITHHELD, "withheld")):
        assert last[f"{name}_accuracy"] == sum(right[kind]) / len(right[kind])
    assert last.moved_accuracy == sum(right[rfm.Kind.MOVED]) / 5
    assert math.isnan(last.random_accuracy)
    assert int(run.correct().sum()) == sum(right[rfm.Kind.MOVED] + right[rfm.Kind.WITHHELD])
    for name, train_ in (("train_loss", True), ("test_loss", False)):
        assert math.isclose(last[name], sum(losses[train_]) / len(losses[train_]))


def test_the_same_seed_gives_the_same_bits_and_another_others() -> None:
    split = rfm.random_split(rfm.addition(5), 0.6, 0)
    for batch in (None, 4):
        one, two, other = (
            train(split, steps=20, width=8, batch=batch, seed=seed).weights for seed in (1, 1, 2)
        )
        assert torch.equal(one.first, two.first)
        assert torch.equal(one.second, two.second)
        assert not torch.allclose(one.first, other.first)
    again = train(split, steps=20, width=8, seed=torch.Generator().manual_seed(1)).weights
    assert torch.equal(again.first, train(split, steps=20, width=8, seed=1).weights.first)


def test_nothing_global_is_read_or_changed() -> None:
    split = rfm.random_split(rfm.addition(5), 0.6, 0)
    before = torch.get_rng_state()
    first = train(split, steps=5, width=4, batch=3).weights.first
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(99)
    assert torch.equal(first, train(split, steps=5, width=4, batch=3).weights.first)


# ------------------------------------------------------------------------------ laws of symmetry


@every_task
@pytest.mark.parametrize("name", OPTIMISERS)
def test_odd_neurons_stay_odd_and_the_axis_stays_at_zero(task: rfm.Task, name: str) -> None:
    for k in (0, task.n - 1):
        g, split = task.reflections[k], trap(task, k).move_mirror_pairs(1, task.reflections[k], 0)
        run = train(split, Square(), Mirrored(g), 40, width=12, optimiser=OPTIMISERS[name])
        U = run.weights.first
        assert torch.allclose(U, -(g.matrix() @ U), atol=1e-12)
        assert float((U - Mirrored(g).draw(task, 12, 0).first).norm()) > 1e-3
        held = run.split.test_kind == rfm.Kind.WITHHELD
        assert not run.right[:, held].any()
        scores = run.weights.scores(Square())
        assert float(scores[task.index(g.fixed_points())].abs().max()) < 1e-20
        assert torch.allclose(scores, scores[task.index(g(task.samples))], atol=1e-12)


@every_task
def test_an_even_activation_gives_one_answer_for_the_axis(task: rfm.Task) -> None:
    g = task.reflections[-1]
    run = train(trap(task), Raised(), Mirrored(g), 30, width=10)
    on_axis = run.weights.scores(Raised())[task.index(g.fixed_points())]
    assert torch.allclose(on_axis, on_axis[:1].expand_as(on_axis), atol=1e-12)
    assert float(on_axis[0].std()) > 1e-3


def test_without_an_even_activation_or_a_symmetric_split_they_do_not() -> None:
    task = rfm.addition(7)
    g = task.reflections[0]
    for split, φ in ((trap(task, 0), ReLU()), (trap(task, 0).move(task.pair(0, 1)), Square())):
        U = train(split, φ, Mirrored(g), 40, width=12).weights.first
        assert float((U + mirrored(U, g)).abs().max()) > 1e-3
    # nor with batches, which are not symmetric
    U = train(trap(task, 0), Square(), Mirrored(g), 40, width=12, batch=5).weights.first
    assert float((U + mirrored(U, g)).abs().max()) > 1e-3


@every_task
@pytest.mark.parametrize("φ", [Square(), ReLU()], ids=repr)
def test_even_neurons_and_pairs_stay_so_with_any_activation(task: rfm.Task, φ: Activation) -> None:
    g, split = task.reflections[-1], trap(task)
    U = train(split, φ, Mirrored(g, odd=0.0), 40, width=12).weights.first
    assert torch.allclose(U, g.matrix() @ U, atol=1e-12)
    U = train(split, φ, Paired(g), 40, width=12).weights.first
    assert torch.allclose(U[:, 6:], g.matrix() @ U[:, :6], atol=1e-12)


@pytest.mark.parametrize("φ", [Square(), ReLU()], ids=repr)
@pytest.mark.parametrize("task", [rfm.addition(9), rfm.addition(2, 4), rfm.division(7)], ids=repr)
def test_training_is_equivariant(task: rfm.Task, φ: Activation) -> None:
    """A split and its image under a map of the whole table are learned alike."""
    maps = rfm.automorphisms(task.group)
    map_ = rfm.Equivalence(task, maps[-1], task.n - 1, 1 % task.n, True)
    split = rfm.random_split(task, 0.6, 0)
    image = rfm.withhold(task, map_(split.test))
    start = Random().draw(task, 10, 0)
    Q = torch.zeros(task.dimension, task.dimension, dtype=torch.float64)
    for a in range(task.n):  # the image of a row, and that of a column, by samples
        pairs = map_(torch.stack([torch.full((task.n,), a), torch.arange(task.n)], 1))
        operand = 0 if len(pairs[:, 0].unique()) == 1 else 1
        Q[operand * task.n + pairs[0, operand], a] = 1
        pairs = map_(torch.stack([torch.arange(task.n), torch.full((task.n,), a)], 1))
        operand = 0 if len(pairs[:, 0].unique()) == 1 else 1
        Q[operand * task.n + pairs[0, operand], task.n + a] = 1
    assert torch.equal(Q @ task.one_hot(split.train).T, task.one_hot(map_(split.train)).T)
    renamed = torch.empty(task.n, dtype=torch.int64)
    renamed[task.labels] = task.label(map_(task.samples))
    P = torch.zeros(task.n, task.n, dtype=torch.float64)
    P[torch.arange(task.n), renamed] = 1
    one = train(split, φ, start, 30).weights
    two = train(image, φ, Weights(task, Q @ start.first, start.second @ P), 30).weights
    assert torch.allclose(two.first, Q @ one.first, atol=1e-9)
    assert torch.allclose(two.second, one.second @ P, atol=1e-9)
    assert torch.allclose(two.features, Q @ one.features @ Q.T, atol=1e-8)


# --------------------------------------------------------------------------------------- starts


def test_random_weights_have_the_variance_that_is_said() -> None:
    w = Random(2.0).draw(rfm.addition(20), 500, 0)
    assert w.first.shape == (40, 500)
    assert w.second.shape == (500, 20)
    assert math.isclose(w.first.var(), 4 / 40, rel_tol=0.05)
    assert math.isclose(w.second.var(), 4 / 500, rel_tol=0.05)


def test_paired_weights_have_it_too() -> None:
    task = rfm.addition(20)
    w = Paired(task.reflections[3]).draw(task, 1000, 0)
    assert math.isclose(w.first.var(), 1 / 40, rel_tol=0.05)
    assert math.isclose(w.second.var(), 1 / 1000, rel_tol=0.05)
    assert torch.equal(w.second[:500], w.second[500:])


@every_task
def test_mirrored_neurons_see_the_mirror_image_with_a_sign(task: rfm.Task) -> None:
    for g in task.reflections[:2]:
        image = task.index(g(task.samples))
        w = Mirrored(g, odd=0.75).draw(task, 8, 0)
        z = w.hidden()
        assert torch.allclose(z[image, :6], -z[:, :6])
        assert torch.allclose(z[image, 6:], z[:, 6:])
        assert math.isclose(w.first.square().mean() * task.dimension, 1, rel_tol=0.5)
        pairs = Paired(g).draw(task, 8, 0).hidden()
        assert torch.allclose(pairs[image, :4], pairs[:, 4:])
        plain = Random().draw(task, 4, 0).first
        assert torch.equal(mirrored(plain, g), g.matrix() @ plain)


def test_for_the_swap_of_an_addition_odd_is_minus_a() -> None:
    task = rfm.addition(7)
    A, B = Mirrored(task.reflection(0)).draw(task, 5, 0).first.chunk(2)
    assert torch.equal(B, -A)
    near = Mirrored(task.reflection(0), noise=0.1).draw(task, 400, 0).first.chunk(2)
    off = near[0] + near[1]
    assert math.isclose(off.var(), 2 * 0.01 / 14, rel_tol=0.15)


# ------------------------------------------------------------------------ what is read off them


@pytest.mark.parametrize("φ", [Square(), ReLU(), Raised()], ids=repr)
def test_agop_is_that_of_automatic_differentiation(φ: Activation) -> None:
    task = rfm.addition(4)
    w = Random().draw(task, 6, 0)
    M = torch.zeros(8, 8, dtype=torch.float64)
    for x in task.one_hot(task.samples):
        G = torch.func.jacrev(lambda x: φ(x @ w.first) @ w.second)(x)
        M += G.T @ G / 16
    assert torch.allclose(w.agop(φ), M, atol=1e-14)
    assert torch.equal(w.features, w.first @ w.first.T)


@every_task
def test_cross_shares_of_what_is_planted(task: rfm.Task) -> None:
    n, drawn = task.n, torch.Generator().manual_seed(0)
    noise = torch.randn(n, n, generator=drawn, dtype=torch.float64)
    by_label = torch.randn(n, generator=drawn, dtype=torch.float64)[task.labels].reshape(n, n)
    axes = task.mirror(task.samples)
    by_axis = torch.randn(n, generator=drawn, dtype=torch.float64)[axes].reshape(n, n)

    def block(C: Tensor) -> Tensor:
        M = torch.eye(2 * n, dtype=torch.float64)
        M[:n, n:], M[n:, :n] = C, C.T
        return M

    label, axis = cross_shares(block(by_label + 3), task)
    assert math.isclose(label, 1)
    assert axis < 0.9
    label, axis = cross_shares(block(by_axis - 2), task)
    assert math.isclose(axis, 1)
    C = noise - noise.mean()
    means = {c: C.flatten()[task.labels == c].mean() for c in range(n)}
    expected = n * sum(m**2 for m in means.values()) / C.square().sum()
    assert math.isclose(cross_shares(block(noise), task)[0], expected)
    assert all(map(math.isnan, cross_shares(block(torch.ones(n, n).double()), task)))
    deviation = rfm.circulant_deviation(block(C), task)
    assert math.isclose(cross_shares(block(noise), task)[1], 1 - deviation)


@every_task
def test_a_neuron_of_one_frequency_has_share_one(task: rfm.Task) -> None:
    """Characters by the discrete logarithm, one element at a time."""
    moduli, n = task.group.moduli, task.n
    digits = list(product(*map(range, moduli)))
    place = task.group.logarithm.tolist()

    def wave(f: tuple[int, ...], shift: float) -> list[float]:
        turns = [
            sum(fi * xi / m for fi, xi, m in zip(f, digits[place[a]], moduli, strict=True))
            for a in range(n)
        ]
        return [cmath.exp(2j * math.pi * (t + shift)).real for t in turns]

    f, other = digits[1], digits[-1] if digits[-1] != digits[1] else digits[2]
    one = torch.tensor([wave(f, 0.1) + wave(f, 0.3)]).T.double() + 5
    mixed = one + torch.tensor([wave(other, 0.2) + wave(other, 0.4)]).T.double()
    U = torch.cat([one, mixed, torch.ones(2 * n, 1).double()], 1)
    share = Weights(task, U, torch.zeros(3, n).double()).frequency_shares()
    assert math.isclose(share[0], 1)
    minus = tuple(-x % m for x, m in zip(f, moduli, strict=True))
    assert (share[1] < 0.95) == (other not in (f, minus))
    assert math.isnan(share[2])


@pytest.mark.parametrize(
    "task", [rfm.addition(7), rfm.subtraction(9), rfm.addition(3, 5)], ids=repr
)
def test_waves_of_what_is_planted(task: rfm.Task) -> None:
    """Cosines with known phases, by characters written out."""
    moduli, group = task.group.moduli, task.group
    digits = torch.tensor(list(product(*map(range, moduli))))[group.logarithm].double()
    omega = (digits / torch.tensor(moduli) * torch.tensor([1.0, 2.0][: len(moduli)])).sum(1)
    angle = 2 * math.pi * omega[:, None]
    drawn = torch.Generator().manual_seed(0)
    θ, η = 2 * math.pi * torch.rand(2, 6, generator=drawn, dtype=torch.float64)
    α = 1 + torch.rand(6, generator=drawn, dtype=torch.float64)
    A, V = α * (angle + θ).cos(), (angle + θ + η).cos()
    B = (α * (angle + η).cos())[task.twist]  # row b' = τ(b) of what is to be found
    waves = networks.Waves.of(Weights(task, torch.cat([A, B]) + 3, V.T.clone()))
    assert len(waves.frequency.unique()) == 1
    turned = torch.stack([W / W.abs() for W in (waves.A, waves.B, waves.V)])
    planted = torch.polar(torch.ones(3, 6).double(), torch.stack([θ, η, θ + η]))
    assert torch.allclose(turned, planted) or torch.allclose(turned, planted.conj())
    size = α.square()
    total = (size * torch.polar(torch.ones(6).double(), θ - η)).sum().abs() / size.sum()
    assert math.isclose(waves.coherence(waves.A * waves.B.conj()), total)
    chance = float(size.square().sum().sqrt() / size.sum())
    assert math.isclose(waves.by_chance(waves.A * waves.B), chance)


def test_a_real_character_has_no_phase() -> None:
    task = rfm.addition(8)
    signs = torch.tensor([(-1.0) ** x for x in range(8)]).double()
    wave = torch.tensor([math.cos(math.pi * x / 4 + 0.3) for x in range(8)]).double()
    U = torch.stack([signs, wave], 1).repeat(2, 1)
    waves = networks.Waves.of(Weights(task, U, torch.ones(2, 8).double()))
    assert waves.frequency.tolist() == [1]


def test_a_real_character_counts_once() -> None:
    task = rfm.addition(2, 4)
    signs = torch.tensor([(-1.0) ** (x + y) for x, y in product(range(2), range(4))]).double()
    wave = torch.tensor([math.cos(math.pi * y / 2) for _, y in product(range(2), range(4))])
    U = torch.stack([signs, signs + wave.double()], 1).repeat(2, 1)
    share = Weights(task, U, torch.zeros(2, 8).double()).frequency_shares()
    assert torch.allclose(share, torch.tensor([1, 2 / 3]).double())


# ---------------------------------------------------------------------------------- wrong input

SPLIT = rfm.random_split(rfm.addition(5), 0.6, 0)
OTHER = rfm.addition(7)


class Nothing(Start):
    def draw(self, task: rfm.Task, width: int, seed: rfm.seeds.Seed) -> None:
        return None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"split": rfm.addition(5)}, "split must be a Split"),
        ({"activation": torch.relu}, "activation must be a Activation"),
        ({"activation": Square}, "activation must be a Activation, not the class Square"),
        ({"start": 1.0}, "start must be a Start"),
        (
            {"start": Mirrored(OTHER.reflections[0])},
            "reflection of x . y mod 5, not of x . y mod 7",
        ),
        ({"start": Paired(SPLIT.task.reflections[0]), "width": 5}, "even width, not 5"),
        ({"start": Random().draw(OTHER, 3, 0)}, "weights for x . y mod 7"),
        ({"start": Nothing()}, "what start draws must be a Weights, not NoneType"),
        ({"steps": 0}, "steps must be an integer of at least 1"),
        ({"steps": 2.5}, "steps must be an integer"),
        ({"width": 0}, "width must be"),
        ({"rate": 0}, "rate must be a positive number"),
        ({"rate": math.nan}, "rate must be a positive number"),
        ({"decay": -1}, "decay must be a number from 0 on"),
        ({"batch": 0}, "batch must be an integer from 1 to 15"),
        ({"batch": 16}, "batch must be an integer from 1 to 15"),
        ({"every": 0}, "every must be"),
        ({"seed": "a"}, "a seed that is no"),
        ({"optimiser": "SGD"}, "optimiser must be a function"),
        ({"optimiser": lambda W: torch.optim.SGD(W, lr=1e9), "steps": 50}, "not finite"),
    ],
)
def test_wrong_arguments_are_told(wrong: dict, message: str) -> None:
    given = {"split": SPLIT, "steps": 2, "width": 4, **wrong}
    with pytest.raises(ValueError, match=message):
        train(**given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Random(-1.0), "scale must be a positive number"),
        (lambda: Mirrored(OTHER.rotations[1]), "mirror must be a reflection, not r"),
        (lambda: Mirrored("s"), "mirror must be a Symmetry"),
        (lambda: Mirrored(OTHER.reflections[0], odd=1.5), "odd must be a number from 0 to 1"),
        (lambda: Mirrored(OTHER.reflections[0], noise=-1), "noise must be a number from 0 on"),
        (lambda: Paired(OTHER.identity), "mirror must be a reflection"),
        (lambda: Weights(OTHER, torch.zeros(14, 3), torch.zeros(3, 7)), "first layer must be"),
        (lambda: Weights(OTHER, torch.zeros(14, 3).double(), torch.zeros(2, 7)), "second layer"),
        (lambda: Weights(OTHER, torch.full((14, 1), math.inf).double(), None), "not finite"),
        (lambda: Weights(5, torch.zeros(14, 3), torch.zeros(3, 7)), "task must be a TableTask"),
        (lambda: Random().draw(OTHER, 3, 0).scores(torch.relu), "activation must be a Activation"),
        (lambda: Random().draw(OTHER, 3, 0).agop(torch.relu), "activation must be a Activation"),
        (lambda: cross_shares(torch.eye(6), OTHER), "M must be"),
        (lambda: cross_shares(torch.eye(6), 7), "task must be a Task"),
        (lambda: Random().draw(5, 5, 0), "task must be a TableTask"),
        (lambda: Paired(OTHER.reflections[0]).draw(5, 5, 0), "task must be a TableTask"),
    ],
)
def test_wrong_things_are_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# --------------------------------------------------------------------------------------- sweeps


def counted(run: networks.Training) -> dict[str, int]:
    return {"right": int(run.correct().sum())}


def test_a_sweep_of_networks(tmp_path: Path) -> None:
    """Two starts, one of them the reader's own, told apart by what they are."""

    @dataclass(frozen=True)
    class Ones(Start):
        size: float = 1.0

        def draw(self, task: rfm.Task, width: int, seed: rfm.seeds.Seed) -> Weights:
            return Weights(task, *(torch.ones(s).double() for s in ((10, width), (width, 5))))

    settings = [
        NetworkSetting(SPLIT, φ, {"steps": 3, "width": 4, "start": start}, {"what": "x"})
        for φ, start in ((Square(), Random()), (ReLU(), Random()), (Square(), Ones(2.0)))
    ]
    table = rfm.sweep(settings, tmp_path / "table.csv", counted, progress=False)
    stored = pd.read_csv(tmp_path / "table.csv")
    assert stored.activation.tolist() == ["Square()", "ReLU()", "Square()"]
    assert stored.batch.tolist() == ["all"] * 3
    assert table.right.tolist() == [int(s.run().correct().sum()) for s in settings]
    assert row(settings[0], counted)["right"] == table.right[0]
    assert len({s.key for s in settings}) == 3
    assert settings[0].key == replace(settings[0], kernel=Square()).key


def test_a_sweep_draws_from_a_copy_of_a_generator() -> None:
    seed = torch.Generator().manual_seed(4)
    setting = NetworkSetting(SPLIT, Square(), {"steps": 3, "width": 4, "batch": 5, "seed": seed})
    key, state = setting.key, seed.get_state()
    setting.check()
    ends = [setting.run().weights.first for _ in range(2)]
    assert torch.equal(*ends)
    assert torch.equal(seed.get_state(), state)
    assert setting.key == key
    assert torch.equal(ends[0], train(**{"split": SPLIT, **setting.options}).weights.first)


def test_settings_and_records_go_to_other_processes() -> None:
    start = Mirrored(SPLIT.task.reflections[0], noise=0.1)
    setting = NetworkSetting(SPLIT, ReLU(), {"steps": 3, "width": 4, "start": start}, {"what": 1})
    again = pickle.loads(pickle.dumps(setting))
    assert again.key == setting.key
    end = pickle.loads(pickle.dumps(setting.run()))
    assert torch.equal(end.weights.first, again.run().weights.first)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"options": {"steps": -1}}, ValueError, "steps"),
        ({"options": {"optimiser": "SGD"}}, ValueError, "optimiser"),
        ({"options": {"iterations": 3}}, TypeError, "iterations"),
        ({"kernel": rfm.Quadratic()}, TypeError, "kernel must be a Activation"),
        ({"labels": {"seed": 3}}, ValueError, "'seed'"),
    ],
)
def test_a_sweep_refuses_wrong_settings(wrong: dict, error: type, message: str, tmp_path) -> None:
    setting = replace(NetworkSetting(SPLIT, Square(), {}, {}), **wrong)
    with pytest.raises(error, match=message):
        rfm.sweep([setting], tmp_path / "table.csv", counted, progress=False)
