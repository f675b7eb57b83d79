"""Measures of feature matrices, by their definitions in loops over entries."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from oracles import Arithmetic, random_metric, same
from torch import Tensor

import rfm
from rfm.measures import relative_spectrum


def deviation_by_loops(C: list[list[float]], diagonals: dict[tuple[int, int], object]) -> float:
    """D(C) of [M] for a grouping of the entries."""
    groups: dict[object, list[float]] = {}
    for (i, j), key in diagonals.items():
        groups.setdefault(key, []).append(C[i][j])
    spread = sum(
        sum((x - sum(group) / len(group)) ** 2 for x in group) for group in groups.values()
    )
    return spread / sum(x * x for row in C for x in row)


def lower_left(M: Tensor) -> list[list[float]]:
    n = len(M) // 2
    return M[n:, :n].tolist()


@pytest.mark.parametrize("n", [7, 8])
@pytest.mark.parametrize(
    ("make", "sign"), [(rfm.addition, -1), (rfm.subtraction, 1)], ids=["sum", "difference"]
)
def test_deviation_on_cyclic_diagonals(make, sign: int, n: int) -> None:
    """Diagonals of constant i − j for sums, anti-diagonals of constant i + j for differences."""
    M = random_metric(2 * n, seed=1)
    diagonals = {(i, j): (i + sign * j) % n for i, j in product(range(n), repeat=2)}
    expected = deviation_by_loops(lower_left(M), diagonals)
    assert rfm.circulant_deviation(M, make(n)) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize(
    ("task", "sign"), [(rfm.multiplication(11), -1), (rfm.division(13), 1)], ids=str
)
def test_deviation_of_products_is_that_of_sums_after_relabelling(task: rfm.Task, sign: int) -> None:
    n = task.n
    M = random_metric(2 * n, seed=2)
    C = lower_left(task.by_logarithm(M))
    diagonals = {(i, j): (i + sign * j) % n for i, j in product(range(n), repeat=2)}
    assert rfm.circulant_deviation(M, task) == pytest.approx(deviation_by_loops(C, diagonals))
    plain = deviation_by_loops(lower_left(M), diagonals)
    assert abs(plain - rfm.circulant_deviation(M, task)) > 1e-3


def test_deviation_by_the_reflection_of_each_entry(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = random_metric(task.dimension, seed=3)
    value = task.group.values
    diagonals = {
        (b, a): next(k for k in arithmetic.elements if arithmetic.fixed(k, value[a]) == value[b])
        for a, b in product(range(task.n), repeat=2)
    }
    expected = deviation_by_loops(lower_left(M), diagonals)
    assert rfm.circulant_deviation(M, task) == pytest.approx(expected, abs=1e-13)


def test_deviation_is_zero_on_the_span_of_reflections(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    weights = torch.rand(task.n, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    M = sum(w * g.matrix() for w, g in zip(weights, task.reflections, strict=True))
    assert rfm.circulant_deviation(M, task) < 1e-28
    noise = random_metric(task.dimension, seed=5)
    noise[task.n :, : task.n] = M[task.n :, : task.n]  # other blocks do not count
    assert rfm.circulant_deviation(noise, task) < 1e-28
    assert rfm.circulant_deviation(1e3 * M, task) < 1e-28


def test_deviation_is_one_for_what_has_mean_zero_on_every_diagonal(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    n = task.n
    noise = random_metric(task.dimension, seed=6)
    for g in task.reflections:
        there = g.matrix()[n:, :n] == 1
        noise[n:, :n][there] -= noise[n:, :n][there].mean()
    assert rfm.circulant_deviation(noise, task) == pytest.approx(1)
    assert rfm.circulant_deviation(-7 * noise, task) == pytest.approx(1)


def test_the_trap_is_circulant_and_a_random_split_is_not_at_first() -> None:
    task = rfm.multiplication(11)
    trapped = rfm.fit(rfm.withhold(task, task.reflection(2).fixed_points()), rfm.Gaussian(), 20)
    assert rfm.circulant_deviation(trapped.features, task) < 1e-12
    start = rfm.fit(rfm.random_split(task, 0.5, 0), rfm.Gaussian(), 1)
    assert rfm.circulant_deviation(start.features, task) > 0.1


def test_alignment_is_a_cosine() -> None:
    M, other = random_metric(14, seed=7), random_metric(14, seed=8)
    dot = sum(x * y for x, y in zip(M.flatten().tolist(), other.flatten().tolist(), strict=True))
    norms = [sum(x * x for x in A.flatten().tolist()) ** 0.5 for A in (M, other)]
    assert rfm.alignment(M, other) == pytest.approx(dot / (norms[0] * norms[1]))
    assert rfm.alignment(M, M) == pytest.approx(1)
    assert rfm.alignment(M, -3 * M) == pytest.approx(-1)
    assert rfm.alignment(2 * M, other) == pytest.approx(rfm.alignment(other, M))
    left, right = torch.diag(torch.tensor([1.0, 0.0])), torch.diag(torch.tensor([0.0, 1.0]))
    assert rfm.alignment(left, right) == 0


def some_matrices(task: rfm.Task) -> list[Tensor]:
    """Matrices without structure, one of them not even symmetric."""
    return [
        random_metric(task.dimension, seed=10),
        random_metric(task.dimension, seed=11, rank=2),
        torch.randn(
            task.dimension, task.dimension, generator=torch.Generator().manual_seed(12)
        ).double(),
    ]


def test_odd_part_by_its_definition(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for M in some_matrices(task):
        for g in task.reflections:
            Π = g.matrix()
            odd = rfm.odd_part(M, g)
            same(odd, 0.5 * (M - Π @ M @ Π.T), 1e-14)
            even = M - odd
            same(Π @ odd @ Π.T, -odd, 1e-14)
            same(Π @ even, even @ Π, 1e-14)
            assert abs((odd * even).sum()) < 1e-13 * M.norm() ** 2  # they are orthogonal


def test_odd_part_under_the_swap_compares_blocks() -> None:
    """For s and a sum: half of M with its blocks exchanged, taken off."""
    task = rfm.addition(2, 4)
    M = random_metric(16, seed=13)
    A, B, C, D = M[:8, :8], M[:8, 8:], M[8:, :8], M[8:, 8:]
    expected = torch.cat([torch.cat([A - D, B - C], 1), torch.cat([C - B, D - A], 1)]) / 2
    same(rfm.odd_part(M, task.reflection((0, 0))), expected, 1e-14)


def test_odd_part_vanishes_with_the_symmetry_and_only_then(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    noise = random_metric(task.dimension, seed=14)
    g = task.reflections[1]
    Π = g.matrix()
    kept = [g for g in task.reflections if not rfm.odd_part(noise + Π @ noise @ Π, g).any()]
    assert kept == [g]
    assert rfm.odd_part(Π @ noise - noise @ Π, g).norm() > 0.1  # all of it is odd
    same(rfm.odd_part(Π @ noise - noise @ Π, g), Π @ noise - noise @ Π, 1e-14)


def test_there_is_no_odd_part_under_a_rotation(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = torch.eye(task.dimension)
    for g in task.rotations:
        with pytest.raises(ValueError, match="the odd part is that under a reflection, not under"):
            rfm.odd_part(M, g)


def test_commutators_by_products_of_matrices(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for M in some_matrices(task):
        found = rfm.commutators(M, task)
        assert found.shape == (2 * task.n,)
        assert found.dtype == M.dtype
        for g, measure in zip(task.symmetries, found.tolist(), strict=True):
            Π = g.matrix()
            commutator = (Π @ M - M @ Π).flatten().tolist()
            expected = sum(x * x for x in commutator) / sum(x * x for x in M.flatten().tolist())
            assert measure == pytest.approx(expected**0.5, abs=1e-12)
        assert found[task.group.identity] == 0
        assert rfm.commutators(-5 * M, task).tolist() == pytest.approx(found.tolist())


def test_the_commutator_of_a_reflection_is_twice_its_odd_part(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    M = random_metric(task.dimension, seed=15)
    found = rfm.commutators(M, task)[task.n :].tolist()
    odd = [float(rfm.odd_part(M, g).norm() / M.norm()) for g in task.reflections]
    assert found == pytest.approx([2 * share for share in odd])
    assert min(found) > 0.1


def test_what_all_of_dih_a_leaves_alone_commutes_with_it(arithmetic: Arithmetic) -> None:
    """The mean of any matrix over the group, and the AGOP of a machine trained on all samples."""
    task = arithmetic.task
    noise = random_metric(task.dimension, seed=16)
    mean = sum(g.matrix() @ noise @ g.matrix().T for g in task.symmetries) / (2 * task.n)
    Y = task.one_hot_labels(task.samples)
    start = torch.eye(task.dimension, dtype=torch.float64)
    machine = rfm.KernelMachine.fit(task.samples, Y, rfm.Gaussian(), start, 1e-3)
    for M in (mean, start, torch.ones_like(start), machine.agop(True)):
        assert rfm.commutators(M, task).max() < 1e-10
    assert rfm.commutators(noise, task).max() > 0.5


def test_features_commute_with_what_keeps_the_training_set_and_no_more(
    arithmetic: Arithmetic,
) -> None:
    task = arithmetic.task
    mirror = task.reflections[1]
    split = rfm.withhold(task, mirror.fixed_points()).move_mirror_pairs(3, mirror, 0)
    found = rfm.commutators(rfm.fit(split, rfm.Gaussian(), 2).features, task).tolist()
    small = [g for g, measure in zip(task.symmetries, found, strict=True) if measure < 1e-7]
    assert mirror in small
    assert small == list(rfm.stabiliser(split))
    assert all(measure > 1e-3 for measure in found if measure >= 1e-7)


def test_random_circulant_features(arithmetic: Arithmetic) -> None:
    """M² is the positive part of M*: what is missing is positive and orthogonal to it."""
    task = arithmetic.task
    n = task.n
    draws = torch.rand(n, generator=torch.Generator().manual_seed(9), dtype=torch.float64).tolist()
    level = sum(draws) / n
    value, position = task.group.values, task.group.position
    star = torch.zeros(2 * n, 2 * n, dtype=torch.float64)
    for i, j in product(range(n), repeat=2):
        star[i, j] = star[n + i, n + j] = (i == j) - 1 / n
        for k in arithmetic.elements:
            if arithmetic.fixed(k, value[j]) == value[i]:
                star[n + i, j] = star[j, n + i] = draws[position(k)] - level
    M = rfm.random_circulant_features(task, 9)
    same(M, M.T, 1e-13)
    assert torch.linalg.eigvalsh(M)[0] > -1e-7
    positive = M @ M
    negative = positive - star
    scale = star.norm()
    assert torch.linalg.eigvalsh(negative)[0] > -1e-13 * scale
    assert (positive @ negative).norm() < 1e-12 * scale**2
    assert rfm.circulant_deviation(M, task) < 1e-24


def test_random_circulant_features_depend_on_the_seed_alone() -> None:
    task = rfm.subtraction(8)
    state = torch.get_rng_state()
    one, again, other = (rfm.random_circulant_features(task, seed) for seed in (1, 1, 2))
    assert one.equal(again)
    assert not one.equal(other)
    assert (torch.get_rng_state() == state).all()
    draws = torch.Generator().manual_seed(1)
    assert rfm.random_circulant_features(task, draws).equal(one)
    assert not rfm.random_circulant_features(task, draws).equal(one)


def test_random_circulant_features_make_a_start() -> None:
    task = rfm.addition(23)
    M = rfm.random_circulant_features(task, 0)
    split = rfm.random_split(task, 0.5, 0)
    plain = rfm.fit(split, rfm.Gaussian(), 1).table["test_accuracy"].iloc[0]
    mapped = rfm.fit(split, rfm.Gaussian(), 1, M0=M).table["test_accuracy"].iloc[0]
    assert mapped > plain + 0.2
    assert rfm.random_circulant_features(task, 0, torch.float32).dtype == torch.float32


def votes_by_loops(M: Tensor, task: rfm.Task, pairs: Tensor, voters: Tensor) -> list[list[float]]:
    """The definition, entry by entry, for M as it is."""
    C, found = lower_left(M), []
    for a, b in pairs.tolist():
        cast: dict[int, list[float]] = {}
        for v, w in voters.tolist():
            own = (a, b) == (v, w)
            weight = 0.0 if own else (C[b][v] + C[w][a]) ** 2
            cast.setdefault(int(task.label(torch.tensor([v, w]))), []).append(weight)
        found.append([sum(cast[r]) / len(cast[r]) if r in cast else 0.0 for r in range(task.n)])
    return found


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_votes_by_loops(arithmetic: Arithmetic, fraction: float) -> None:
    """With a class that has no voters, and pairs among the voters."""
    task = arithmetic.task
    M = random_metric(task.dimension, seed=11)
    split = rfm.random_split(task, fraction, 0)
    some = task.samples[::5]
    expected = torch.tensor(votes_by_loops(M, task, some, split.train)).double()
    found = rfm.votes(M, some, split.train, task)
    same(found * M.abs().max() ** 2, expected, 1e-6)
    same(rfm.votes(-3 * M, some, split.train, task), found, 1e-12)
    noise = random_metric(task.dimension, seed=12)
    noise[task.n :, : task.n] = M[task.n :, : task.n]
    noise[: task.n, task.n :] = M[: task.n, task.n :]
    expected = votes_by_loops(noise, task, split.test, split.train)  # other blocks do not count
    right = 0
    for row, label in zip(expected, task.label(split.test).tolist(), strict=True):
        right += row[label] > max(v for r, v in enumerate(row) if r != label)
    assert rfm.vote_accuracy(noise, split) == pytest.approx(right / len(split.test))


def test_circulant_votes_are_right(arithmetic: Arithmetic) -> None:
    """The lead of the right class, as chapter 05 proves it for all samples as voters."""
    task = arithmetic.task
    n, group = task.n, task.group
    M = rfm.random_circulant_features(task, 3)
    M = M / M.abs().max()
    c = torch.zeros(n, dtype=torch.float64)
    c[task.mirror(task.samples)] = M[n:, :n].T.flatten()
    own = (4 * c[task.mirror(task.samples)] ** 2)[:, None] * torch.eye(n)[task.labels]
    all_votes = n * rfm.votes(M, task.samples, task.samples, task) + own
    for (pair, votes), label in zip(
        zip(task.samples, all_votes, strict=True), task.labels.tolist(), strict=True
    ):
        for r in range(n):
            delta = group.multiply(torch.tensor(r), group.inverses[label])
            lead = float((c - c[group.multiply(torch.arange(n), delta.expand(n))]).square().sum())
            assert float(votes[label] - votes[r]) == pytest.approx(lead, abs=1e-9), pair


def test_a_tie_of_votes_is_wrong() -> None:
    task = rfm.addition(5)
    split = rfm.random_split(task, 0.5, 0)
    assert rfm.vote_accuracy(torch.eye(10), split) == 0  # no votes at all
    assert not rfm.votes(torch.eye(10), split.test, split.train, task).any()
    assert rfm.vote_accuracy(torch.ones(10, 10), split) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (torch.eye(8), None, None, None),
        (torch.eye(10), torch.tensor([[0, 5]]), None, None),
        (torch.eye(10), None, torch.tensor([[0.0, 1.0]]), None),
        (torch.eye(10), None, None, "x + y"),
    ],
)
def test_votes_say_what_is_wrong(arguments: tuple) -> None:
    task = rfm.addition(5)
    M, pairs, voters, other = arguments
    given = (
        M,
        task.samples if pairs is None else pairs,
        task.samples if voters is None else voters,
        task if other is None else other,
    )
    with pytest.raises(ValueError, match=r"\S"):
        rfm.votes(*given)
    with pytest.raises(ValueError, match="split"):
        rfm.vote_accuracy(torch.eye(10), None)


@pytest.mark.parametrize("task", [rfm.addition(7), rfm.subtraction(8), rfm.addition(12)], ids=str)
def test_relative_spectrum_by_sums_over_entries(task: rfm.Task) -> None:
    """ρ(χ) by Fourier sums over all entries of the blocks, written out."""
    n, M = task.n, random_metric(task.dimension, seed=9)
    sign = 1 if "+" in task.name else -1  # τ(b)
    numbers = np.arange(n)
    wave = {k: np.exp(2j * np.pi * k * numbers / n) for k in range(n)}
    blocks = M.numpy()
    found = relative_spectrum(M, task).numpy()
    assert len(found) == n // 2
    for k, ρ in enumerate(found, 1):
        first, second = wave[k], wave[sign * k % n]
        A = first.conj() @ blocks[:n, :n] @ first
        D = second.conj() @ blocks[n:, n:] @ second
        C = second.conj() @ blocks[n:, :n] @ first
        assert abs(abs(ρ) - abs(C) / np.sqrt(A.real * D.real)) < 1e-12
        assert abs(ρ.real - C.real / np.sqrt(A.real * D.real)) < 1e-12


def test_relative_spectrum_is_at_most_one_and_zero_without_a_cross_block() -> None:
    task = rfm.addition(9)
    for seed in range(5):
        M = random_metric(18, seed)
        assert relative_spectrum(M, task).abs().max() < 1
        M[:9, 9:] = M[9:, :9] = 0
        assert relative_spectrum(M, task).abs().max() == 0
