"""Every shape that a docstring of the package names is that of the tensor, in a call of everything.

The same symbol is one number in a call: sizes below differ, so that none passes for another.
"""

from __future__ import annotations

from contextlib import suppress

import matplotlib.pyplot as plt
import pytest
import shapes
import torch
from torch import Tensor

import rfm
from rfm import figures, networks, starts
from rfm.characters import characters
from rfm.families import Normalised, size
from rfm.gradients import grouped_products
from rfm.matching import matches, standardised
from rfm.measures import relative_spectrum
from rfm.networks.waves import Waves
from rfm.noise import between
from rfm.onehot import inner_products
from rfm.permuting import symmetric
from rfm.products import composition
from rfm.recovery import recover
from rfm.regular import regular_groups
from rfm.renamings import exchange, lifted_automorphisms, renamings
from rfm.representations import exchange_share, exchanged, in_product_order, isotypic, projections
from rfm.searching import left_out, search
from rfm.shuffling import same_law, shuffled
from rfm.translations import TranslationMachine, Translations
from rfm.two_spectra import Midpoints, TwoSpectra, sign_patterns
from rfm.updates import AGOP, FACT, Diagonal, fact

TASKS = [rfm.addition(3, 3), rfm.subtraction(7), rfm.multiplication(5), rfm.division(7)]
KERNELS = [rfm.Gaussian(), rfm.Quadratic(), rfm.Laplace(), rfm.Matern()]


def of_tables(task: rfm.Task) -> None:
    """Tasks, symmetries, splits and subgroups."""
    pair, pairs, s = task.samples[3], task.samples[2:6], task.reflections[1]
    _ = task.group.orders, task.group.table, task.labels, task.logarithm
    for some in (pair, pairs):
        task.label(some), task.index(some), task.mirror(some), task.listed(some), s(some)
        task.one_hot(some), task.one_hot_labels(some)
    task.pair(task.group.values[1], task.group.values[2])
    s.on_samples(), s.matrix(), s.fixed_points()
    split = rfm.withhold(task, s.fixed_points()).move_random(3, seed=0)
    split.give_back(split.of_kind(rfm.Kind.WITHHELD)[:2]).move(split.train[:2]).move(split.train[2])
    held = rfm.stabiliser(rfm.withhold(task, s.fixed_points()))
    held.fixed_points(), held.keeps(pairs), held.orbit(pairs), rfm.orbits(held, pairs)
    split.reached_by(held), split.reached_by_orbits()


def of_maps(task: rfm.Task) -> None:
    """Equivalences of splits."""
    rfm.automorphisms(task.group)
    for g in [*rfm.equivalences(task)][:3]:
        g(task.samples[3]), g(task.samples[2:6]), g.on_labels(), g.coordinates(), g.on_samples()
    rfm.single_classes(task), rfm.pair_classes(task)


def of_runs(task: rfm.Task, kernel: rfm.Kernel) -> None:
    """The machine, and what is read off its features."""
    s, pairs = task.reflections[1], task.samples[2:6]
    trap = rfm.withhold(task, s.fixed_points())
    split = trap.move_random(3, seed=0)
    start = starts.symmetrised(starts.wishart(task, 0), [s])
    rfm.check_kernel(kernel)
    run = rfm.fit(split, kernel, 2, ridge=1e-3, keep_features=True, M0=start, warn=False)
    M = run.features
    kernel.gram(pairs, split.test, M), kernel.weights(pairs, split.test, M), run.correct()
    own = Normalised(rfm.Gaussian())
    own.gram(pairs, split.test, M), own.weights(pairs, split.test, M), size(M)
    inner_products(pairs, split.test, M), task.by_logarithm(M)
    Y = task.one_hot_labels(split.train)
    machine = rfm.KernelMachine.fit(split.train, Y, kernel, M, 1e-3)
    machine.predict(pairs), machine.train_predictions()
    through = torch.ones(3, task.dimension, dtype=M.dtype)
    weights, α = kernel.slopes(split.train, M), machine.coefficients
    grouped_products(weights, True, split.train, α, task.n, False, through)

    parts = rfm.decompose(M, task)
    relative_spectrum(M, task)
    parts.deviations, parts.projection(), parts.encoded(), parts.predict(split)
    rfm.votes(M, pairs, split.train, task), rfm.circulant_deviation(M, task)
    rfm.odd_part(M, s), rfm.commutators(M, task), rfm.random_circulant_features(task, 0)


def of_figures(task: rfm.Task) -> None:
    """Figures of what is given by tensors."""
    _, axes = plt.subplots(1, 2)
    M = starts.wishart(task, 0)
    figures.group_elements(M, rfm.decompose(M, task), axes)
    figures.cayley_table(task, order=torch.arange(task.n).flip(0))
    plt.close("all")


def of_blocks(task: rfm.Task, kernel: rfm.Kernel) -> None:
    """The machine by characters, and the trap on a few numbers."""
    s = task.reflections[1]
    trap = rfm.withhold(task, s.fixed_points())
    run = rfm.fit(trap, kernel, 2, ridge=1e-3, translations=True, warn=False)
    by = Translations(task)
    Δ = by.differences(trap)
    machine = TranslationMachine.fit(by, Δ, kernel, run.features, 1e-3)
    machine.class_coefficients(), machine.train_predictions(), machine.predict(trap.test)
    machine.scores(Δ[0][:2]), machine.targets, machine.train, machine.coefficients
    machine.agop(), by.average(starts.wishart(task, 0))
    if task.n % 2:
        mid = Midpoints(s)
        few = TwoSpectra.of(mid, run.features)
        few.step(kernel, 1e-3), few.axis(kernel, 1e-3), few.metric, few.signs
        TwoSpectra.relative(mid, sign_patterns(mid)[0][0])
        rfm.FourNumbers(task.n).metric(s)


def of_networks(task: rfm.Task) -> None:
    """Networks, and what is read off their weights."""
    split = rfm.random_split(task, 0.5, seed=0)
    mirror = task.reflections[1]
    for start in (networks.Random(), networks.Paired(mirror), networks.Mirrored(mirror, 0.5)):
        found = networks.train(split, networks.Square(), start, 3, width=4, every=1)
        weights = found.weights
        found.features, found.correct(), weights.features, weights.hidden(), Waves.of(weights)
        weights.scores(networks.Square()), weights.agop(networks.Square())
        weights.frequency_shares(), networks.cross_shares(weights.features, task)


def of_shuffled(task: rfm.Task) -> None:
    """A law read off a matrix that has one, its coordinates shuffled."""
    n, levels = task.n, torch.randn(task.n, generator=torch.Generator().manual_seed(0)).double()
    M = torch.zeros(2 * n, 2 * n, dtype=torch.float64)
    M[:n, n:] = levels[task.mirror(task.samples).view(n, n)]
    M[n:, :n] = M[:n, n:].T
    hidden, _, _ = shuffled(M, 0)
    law = recover(hidden)
    assert law is not None
    (
        law.row_order,
        law.column_order,
        law.stripes,
        law.answers(task.samples[:3], torch.zeros(3, dtype=torch.int64), task.samples[2:6]),
    )
    same_law(law.law, task.labels.view(n, n))
    C = standardised(hidden[:n, n:])
    assert C is not None
    between(C, law.stripes)
    moves = [torch.cat([match.rows, n + match.columns]) for match in matches(C, 0)]
    assert [*regular_groups(moves, n)]


def of_finite_groups() -> None:
    """A group that need not commute, its renamings, characters and parts of a metric."""
    group = symmetric(3)
    task = composition(group)
    pair, pairs, M = task.samples[3], task.samples[2:6], starts.wishart(task, 0)
    _ = group.table, group.inverses, group.orders, group.classes, task.labels
    group.multiply(1, 2), group.multiply(pairs[:, 0], pairs[:, 1])
    group.inverse(1), group.inverse(pairs[:, 0])
    for some in (pair, pairs):
        task.label(some), task.index(some), task.listed(some)
        task.one_hot(some), task.one_hot_labels(some)
    task.pair(group.values[1], group.values[2])
    by = characters(group)
    _ = by.degrees, by.values, by.on_elements, by.conjugates
    for g in [*renamings(task)][:3]:
        g(pair), g(pairs), g.on_labels(), g.coordinates(), g.on_samples(), g.matrix()
        g.fixed_points()
    exchange(task, lifted_automorphisms(group)[1]).fixed_points()
    projections.cache_clear()
    isotypic(M, task), projections(group), in_product_order(M, task)
    exchanged(M[: task.n, task.n :], group), exchange_share(M, task)
    split = rfm.random_split(task, 0.6, seed=0)
    Y = task.one_hot_labels(split.train)
    left_out(split, rfm.Gaussian(), M, Y, 1e-3), search(split, rfm.Gaussian(), steps=2, M0=M)
    machine = rfm.KernelMachine.fit(split.train, Y, rfm.Gaussian(), M, 1e-3)
    fact(machine)
    for update in (AGOP(), Diagonal(), FACT()):
        update(machine)
    flipped = split.flip_labels(0.2, seed=0)
    _ = flipped.labels, flipped.train_labels, flipped.flipped


def everything() -> None:
    """A call of all that names a shape."""
    for task, kernel in zip(TASKS, KERNELS, strict=True):
        of_tables(task)
        of_maps(task)
        of_networks(task)
        of_figures(task)
        of_runs(task, kernel)
        of_blocks(task, kernel)
        of_shuffled(task)
    of_finite_groups()


def test_what_docstrings_say_of_shapes_is_so() -> None:
    functions, classes = shapes.package()
    assert len(functions) > 100
    assert len(classes) > 10
    with shapes.watched(functions, classes) as found:
        everything()
    assert found.wrong == set()
    assert found.unseen == set(), "call it above"


# What is read, and that it is compared


@pytest.mark.parametrize(
    ("doc", "returns", "arguments", "results"),
    [
        ("Values (N, N′) for ``x`` (N, 2).", "Tensor", {"x": ["N 2"]}, [["N N′"]]),
        ("Label of ``x`` (2,) or (m, 2), () or (m,).", "Tensor", {"x": ["2", "m 2"]}, [["", "m"]]),
        ("Two of them, (2n, r) and (r,).", "tuple[Tensor, Tensor]", {}, [["2n r"], ["r"]]),
        ("Whether it keeps (m, 2).", "bool", {}, []),
        ("The pair (a, b) of f(x, y), where (1, 1) is.", "Tensor", {}, []),
        (
            "One.\n\nArgs:\n    M: (d, d).\n    out: optional (N, N).\n\nReturns:\n    (n²,), all.",
            "Tensor",
            {"M": ["d d"], "out": ["N N"]},
            [["n²"]],
        ),
    ],
)
def test_a_docstring_is_read(doc: str, returns: str, arguments: dict, results: list) -> None:
    said = shapes.read("", doc, returns)
    assert {name: [*map(" ".join, of)] for name, of in said.arguments.items()} == arguments
    assert [[*map(" ".join, of)] for of in said.results] == results


@pytest.mark.parametrize(
    ("shape", "actual", "known", "agrees"),
    [
        (("N", "2"), (5, 2), {}, {"N": 5}),
        (("N", "2"), (5, 3), {}, None),
        (("N", "2"), (5,), {}, None),
        (("N", "N"), (5, 4), {}, None),
        (("N",), (5,), {"N": 4}, None),
        (("2n",), (6,), {}, {"n": 3}),
        (("2n",), (7,), {}, None),
        (("n²", "n"), (9, 3), {}, {"n": 3}),
        (("n²", "n"), (9, 4), {}, None),
        (("n·k", "n"), (6, 2), {}, {"n": 2, "k": 3}),
        (("k + 1", "…"), (4, 7, 8), {}, {"k": 3, "...": (7, 8)}),
        (("...",), (7,), {"...": (8,)}, None),
    ],
)
def test_a_shape_is_compared(shape: tuple, actual: tuple, known: dict, agrees: dict | None) -> None:
    assert shapes.agreed(shape, actual, known) == agrees


def doubled(x: Tensor, y: Tensor) -> Tensor:
    """Sums (N, 2) of ``x`` (N, 2) and ``y`` (N, 2)."""
    return torch.cat([x, y]) if len(x) > len(y) else x + y


@pytest.mark.parametrize(("sizes", "right"), [((3, 3), True), ((2, 3), False), ((4, 3), False)])
def test_a_wrong_call_is_found(sizes: tuple[int, int], right: bool) -> None:
    """One number for N in all three; an error of the call itself is not in the way."""
    said = shapes.read("doubled", doubled.__doc__, "Tensor")
    with shapes.watched({doubled.__code__: said}, {}) as found:
        assert found.unseen == {"doubled: x", "doubled: y", "doubled: result"}
        with suppress(RuntimeError):
            doubled(*(torch.ones(size, 2) for size in sizes))
    assert (found.wrong == set()) is right


def test_a_wrong_attribute_is_found() -> None:
    said = shapes.read("Factor", "A factor.\n\nAttributes:\n    L: (N, N, 2) triangular.")
    with shapes.watched({}, {rfm.Factor: said}) as found:
        rfm.factorise(torch.eye(3))
    assert found.unseen == set()
    assert len(found.wrong) == 1
