"""The parts of a machine by characters, each against the dense one or its definition."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import rfm
from rfm import translations
from rfm.families import Polynomial
from rfm.machine import KernelMachine
from rfm.solve import JITTERS, JitterWarning, SingularKernelError
from rfm.spectral import RoundingError
from rfm.translations import TranslationMachine, Translations, factorise_blocks

TASKS = [rfm.addition(9), rfm.addition(12), rfm.subtraction(2, 4), rfm.multiplication(11)]
CLOSE = {"rtol": 1e-9, "atol": 0.0}


def split_of(task: rfm.Task, *withheld: int) -> rfm.Split:
    points = [task.reflections[k].fixed_points() for k in withheld or (1, 2)]
    return rfm.withhold(task, torch.cat(points))


def metric(group: Translations, seed: int = 0) -> Tensor:
    """A random metric that all translations keep."""
    dice = torch.Generator().manual_seed(seed)
    d = group.task.dimension
    root = torch.rand(d, d, generator=dice, dtype=torch.float64) / d
    return group.average(root @ root.T + torch.eye(d, dtype=torch.float64))


def both(
    split: rfm.Split, kernel: rfm.Kernel, M: Tensor, ridge: float = 0.0
) -> tuple[KernelMachine, TranslationMachine, list[int]]:
    """The two machines, and where the samples of the second are in the first."""
    task, group = split.task, Translations(split.task)
    Y = task.one_hot_labels(split.train)
    dense = KernelMachine.fit(split.train, Y, kernel, M, ridge, warn=False)
    differences = group.differences(split)
    blocks = TranslationMachine.fit(group, differences, kernel, M, ridge, warn=False)
    samples = split.train.tolist()
    return dense, blocks, [samples.index(pair) for pair in blocks.train.tolist()]


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_small_pieces_make_no_difference(task: rfm.Task, monkeypatch: pytest.MonkeyPatch) -> None:
    split, group = split_of(task), Translations(task)
    for kernel in (rfm.Gaussian(2.0), rfm.Laplace(1.5), Polynomial(3, 1.0)):
        for centred in (True, False):
            machine = both(split, kernel, metric(group))[1]
            whole = machine.agop(centred), machine.predict(task.samples)
            for piece in (1, 300, 2000):
                with monkeypatch.context() as patch:
                    patch.setattr(translations, "PIECE", piece)
                    torch.testing.assert_close(machine.agop(centred), whole[0], rtol=0, atol=1e-12)
                    again = machine.predict(task.samples)
                    torch.testing.assert_close(again, whole[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_transform_with_and_without_its_table(task: rfm.Task) -> None:
    group = Translations(task)
    dice = torch.Generator().manual_seed(3)
    f = torch.rand(task.n, 2, task.n, 3, generator=dice, dtype=torch.float64)
    assert group.table is not None
    tables = [group.transform(f, axis) for axis in (0, 2)]
    single = group.transform(f.float(), 0)
    assert single.dtype == torch.complex64
    group.table = None
    for axis, F in zip((0, 2), tables, strict=True):
        torch.testing.assert_close(group.transform(f, axis), F, rtol=0, atol=1e-11)
        torch.testing.assert_close(group.inverse(F, axis), f, rtol=0, atol=1e-11)


def test_no_table_from_an_order_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for small, made in ((8, False), (9, True)):
        monkeypatch.setattr(translations, "SMALL", small)
        assert (Translations(rfm.addition(9)).table is not None) == made


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_pairs_have_their_difference(task: rfm.Task) -> None:
    group = Translations(task)
    number = task.group.logarithm
    a, d = torch.arange(task.n)[:, None], torch.arange(task.n)[None]
    pairs = group.pairs(a, d)
    assert pairs.shape == (task.n, task.n, 2)
    for i, j in ((0, 0), (1, 2), (3, 1), (task.n - 1, 2)):
        assert int(number[pairs[i, j, 0]]) == i
        assert int(number[task.mirror(pairs[i, j][None])[0]]) == j


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_differences_are_those_in_training_and_the_others(task: rfm.Task) -> None:
    split, group = split_of(task), Translations(task)
    number = task.group.logarithm
    inside, outside = group.differences(split)
    assert sorted([*inside.tolist(), *outside.tolist()]) == list(range(task.n))
    assert {*inside.tolist()} == {*number[task.mirror(split.train)].tolist()}
    assert {*outside.tolist()} == {*number[task.mirror(split.test)].tolist()}


def test_one_point_more_or_less_is_told() -> None:
    task = rfm.addition(9)
    trap = split_of(task, 1)
    group, axis = Translations(task), task.reflections[1].fixed_points()
    label = "one withheld point given back", trap.give_back(axis[:1])
    for _, split in (label, ("one moved", trap.move(trap.train[:1]))):
        with pytest.raises(ValueError, match="not kept by all translations"):
            group.differences(split)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_how_exact_a_symmetric_start_must_be(dtype: torch.dtype, size: float) -> None:
    group = Translations(rfm.addition(7))
    M = (size * metric(group)).to(dtype)
    M = group.average(M)
    allowed = 1e-9 if dtype == torch.float64 else 1e-5
    for off, fine in ((0.3 * allowed, True), (3 * allowed, False)):
        other = M.clone()
        other[0, 0] += off * M.abs().max()
        if fine:
            group.check(other)
        else:
            with pytest.raises(ValueError, match="symmetric under all translations"):
                group.check(other)


def collapsed(group: Translations) -> Tensor:
    """A metric with few characters: samples that differ coincide under it."""
    spectrum = group.spectrum(metric(group))
    spectrum[2:] = 0
    spectrum[:2, 1] = spectrum[:2, 0]
    spectrum[:2, :, 1] = spectrum[:2, :, :1].squeeze(2)
    return group.matrix(spectrum)


@pytest.mark.parametrize("task", [rfm.addition(12), rfm.subtraction(9)], ids=str)
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_values_and_weights_are_the_kernels(task: rfm.Task, size: float) -> None:
    group = Translations(task)
    d = torch.arange(task.n)
    for M in (size * metric(group), size * collapsed(group)):
        for L in (0.5, 3.0):
            scale = L * size**0.5
            for kernel in (rfm.Gaussian(scale), rfm.Laplace(scale), rfm.Quadratic()):
                for weights in (False, True):
                    found = translations._values(group, kernel, d, d, M, weights)
                    asked = kernel.weights if weights else kernel.gram
                    x = group.pairs(d[:, None], d[None]).flatten(0, 1)  # (a, d′)
                    y = group.pairs(torch.zeros_like(d), d)
                    expected = asked(x, y, M).view(task.n, task.n, task.n)
                    near = 1e-7 * float(expected.abs().max())
                    torch.testing.assert_close(found, expected, rtol=0, atol=near)


def test_samples_that_coincide_have_weight_zero() -> None:
    group = Translations(rfm.addition(12))
    M = collapsed(group)
    d = torch.arange(12)
    weights = translations._values(group, rfm.Laplace(1.0), d, d, M, weights=True)
    distance = translations._values(group, rfm.Laplace(1.0), d, d, M)
    together = distance == 1
    assert int(together.sum()) > 12  # more than each with itself
    assert bool((weights[together] == 0).all())
    assert bool((weights[~together] > 0).all())


@pytest.mark.parametrize("ridge", [0.0, 0.1, 1e5])
def test_what_it_says_of_training_points(ridge: float) -> None:
    for task in TASKS[:3]:
        split = split_of(task)
        for kernel in (rfm.Gaussian(2.0), rfm.Quadratic()):
            if kernel == rfm.Quadratic() and not ridge:
                continue
            dense, blocks, places = both(split, kernel, metric(Translations(task)), ridge)
            expected = dense.train_predictions()[places]
            near = 1e-7 * float(expected.abs().max())
            torch.testing.assert_close(blocks.train_predictions(), expected, rtol=0, atol=near)
            assert blocks.targets.dtype == torch.float64
            assert torch.equal(blocks.targets, dense.targets[places])


@pytest.mark.parametrize("L", [1.0, 30.0, 300.0])
def test_what_counts_as_a_tie(L: float) -> None:
    """Of a narrow kernel the targets decide, of a wide one the size of the coefficients."""
    for task in TASKS[:3]:
        dense, blocks, _ = both(split_of(task), rfm.Gaussian(L), metric(Translations(task)))
        assert blocks.factor.jitter == dense.factor.jitter == 0
        assert blocks.resolution == pytest.approx(dense.resolution, rel=1e-3)
        assert (blocks.resolution > 1.5e-9) == (L > 1)
    single = both(split_of(task), rfm.Gaussian(1.0), metric(Translations(task)))[1]
    assert single.resolution == pytest.approx(1e-9)


def test_a_large_kernel_has_large_ties() -> None:
    task = rfm.addition(9)
    M = 20 * metric(Translations(task))
    for ridge in (1e-3, 10.0):
        dense, blocks, _ = both(split_of(task), Polynomial(2, 30.0), M, ridge)
        assert blocks.factor.largest == pytest.approx(dense.factor.largest)
        assert blocks.factor.largest > 100
        assert blocks.resolution == pytest.approx(dense.resolution, rel=1e-6)


def test_a_jitter_is_that_of_the_dense_machine() -> None:
    task = rfm.addition(12)
    for kernel in (rfm.Gaussian(3e5), Polynomial(1, 50.0)):
        dense, blocks, _ = both(split_of(task), kernel, 3 * metric(Translations(task)), 0.0)
        assert dense.factor.jitter > 0
        assert blocks.factor.jitter == pytest.approx(dense.factor.jitter, rel=1e-12)
        assert blocks.factor.ridge == pytest.approx(dense.factor.ridge, rel=1e-12)
        assert blocks.factor.largest == pytest.approx(dense.factor.largest, rel=1e-12)


def test_a_jitter_is_told_with_the_size_of_the_whole() -> None:
    task = rfm.addition(12)
    split, group = split_of(task), Translations(task)
    differences = group.differences(split)
    with pytest.warns(JitterWarning, match=f"matrix of size {len(split.train)} is singular"):
        TranslationMachine.fit(group, differences, rfm.Gaussian(3e5), metric(group))


def hermitian(*eigenvalues: float) -> Tensor:
    """A complex matrix with these eigenvalues."""
    dice = torch.Generator().manual_seed(5)
    n = len(eigenvalues)
    A = torch.rand(2, n, n, generator=dice, dtype=torch.float64)
    Q, _ = torch.linalg.qr(torch.complex(A[0], A[1]))
    return (Q * torch.tensor(eigenvalues, dtype=torch.float64)) @ Q.mH


def test_factors_of_blocks() -> None:
    blocks = torch.stack([hermitian(1.0, 2.0, 3.0), hermitian(0.5, 5.0, 40.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        factor = factorise_blocks(blocks.clone(), 0.25, 7.0, 9.0, 100, warn=True)
    assert (factor.ridge, factor.jitter, factor.largest) == (0.25, 0.0, 9.0)
    shifted = blocks + 0.25 * torch.eye(3)
    torch.testing.assert_close(factor.L @ factor.L.mH, shifted, **CLOSE)
    pivots = factor.L.diagonal(dim1=-2, dim2=-1).real
    assert factor.condition == pytest.approx(float(pivots.max() / pivots.min()) ** 2)
    assert factor.condition > 5


@pytest.mark.parametrize("dtype", [torch.complex128, torch.complex64], ids=str)
def test_pivots_of_all_blocks_decide(dtype: torch.dtype) -> None:
    """The least of one block is compared with the largest of another, by N ε."""
    real = torch.float64 if dtype == torch.complex128 else torch.float32
    eps, N, top = torch.finfo(real).eps, 50, 900.0
    for times, regular in ((0.5, False), (2.0, True)):
        blocks = torch.zeros(2, 1, 1, dtype=dtype)
        blocks[0], blocks[1] = top, times * N * eps * top
        factor = factorise_blocks(blocks, 0.0, 200.0, top, N, warn=False)
        assert (factor.jitter == 0) == regular
        if not regular:
            assert factor.jitter == pytest.approx(JITTERS[real][0] * 200.0)
            assert factor.ridge == pytest.approx(factor.jitter)
    small = torch.zeros(2, 1, 1, dtype=dtype)  # of small numbers as of large ones
    small[0], small[1] = 1e-4, 2 * N * eps * 1e-4
    assert factorise_blocks(small, 0.0, 1e-5, 1e-4, N, warn=False).jitter == 0


def test_no_jitter_helps_what_is_indefinite() -> None:
    for lowest in (-1.0, -1e-3):
        with pytest.raises(SingularKernelError, match="size 12 cannot be factorised"):
            factorise_blocks(hermitian(lowest, 1.0, 2.0)[None], 0.0, 1.0, 2.0, 12, warn=False)


def test_a_null_direction_of_the_metric_is_none_of_the_gradients() -> None:
    """Directions that the metric has lost come back in no update."""
    task = rfm.addition(12)
    group = Translations(task)
    for size in (1e-4, 1.0, 1e4):
        M = size * collapsed(group)
        dense, blocks, _ = both(split_of(task), rfm.Gaussian(size**0.5), M, 0.1)
        found, expected = blocks.agop(), dense.agop()
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))
        spectrum = group.spectrum(found)
        lost = group.spectrum(M).abs().amax((1, 2)) < 1e-12 * size
        assert int(lost.sum()) >= 4
        assert float(spectrum[lost].abs().max()) < 1e-12 * float(spectrum.abs().max())


def ones(n: int) -> Tensor:
    """The metric that is constant in both blocks: all differences of samples have length 0."""
    return torch.block_diag(*torch.ones(2, n, n, dtype=torch.float64))


def test_gradients_lost_in_rounding_are_told() -> None:
    """The gradients of a radial kernel are orthogonal to a direction; when that outweighs all..."""
    task = rfm.addition(9)
    M = metric(Translations(task))
    for weight, lost in ((1e11, False), (4e12, True)):
        _, blocks, _ = both(split_of(task), rfm.Gaussian(2.0), M + weight * ones(9), 0.1)
        if lost:
            with pytest.raises(RoundingError, match="lost in the rounding"):
                blocks.agop()
        else:
            blocks.agop()


@pytest.mark.parametrize("size", [1e-13, 1e-8, 1e8])
def test_no_gradient_is_lost_because_numbers_are_small_or_large(size: float) -> None:
    task = rfm.addition(9)
    group = Translations(task)
    M = metric(group)
    blocks = both(split_of(task), rfm.Gaussian(2.0), M, 0.1)[1]
    plain = blocks.agop()
    scaled = replace(blocks, α=size * blocks.α).agop()
    torch.testing.assert_close(scaled / size**2, plain, rtol=0, atol=1e-12 * float(plain.max()))
    long = both(split_of(task), rfm.Gaussian(2.0 * size**0.5), size * M, 0.1)[1]
    torch.testing.assert_close(long.agop(), plain, rtol=0, atol=1e-12 * float(plain.max()))


@pytest.mark.parametrize("sizes", [(1.0, 100.0), (100.0, 1.0)])
def test_what_a_metric_does_not_resolve(sizes: tuple[float, float]) -> None:
    """Both operands count: a distance below 8 ε of the entries of M it is made of is 0."""
    group = Translations(rfm.addition(6))
    d = torch.arange(6)
    limit = 16 * torch.finfo(torch.float64).eps * sum(sizes)
    scale = torch.tensor(sizes, dtype=torch.float64).repeat_interleave(6)
    for times, seen in ((0.5, False), (2.0, True)):  # of samples with one operand in common
        M = scale[:, None] * ones(6) + times * limit / 2 * torch.eye(12, dtype=torch.float64)
        values = translations._values(group, rfm.Laplace(1e-3), d[:1], d, M)[:, :, 0]
        shared = group.pairs(d[:, None], d[None])[:, :, 0] == 0  # the first operand
        shared[0, 0] = False  # but not both
        assert bool((values[shared] < 1).all()) == seen
        assert bool((values[shared] <= 1).all())


@pytest.mark.parametrize("sizes", [(1.0, 100.0), (100.0, 1.0)])
def test_entries_of_either_sign(sizes: tuple[float, float]) -> None:
    """Samples coincide, or are far apart, where the entries of M change their sign."""
    group = Translations(rfm.addition(6))
    sign = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(6)
    scale = torch.tensor(sizes, dtype=torch.float64).repeat_interleave(6)
    M = scale[:, None] * ones(6) * sign[:, None] * sign
    d = torch.arange(6)
    weights = translations._values(group, rfm.Laplace(1.0), d, d, M, weights=True)
    assert bool(torch.isfinite(weights).all())
    assert 0 < int((weights == 0).sum()) < weights.numel()


def test_the_difference_from_the_targets_where_it_tells_nothing() -> None:
    """With a ridge so large that Y − λα is rounding, scores are computed."""
    task = rfm.addition(9)
    dense, blocks, places = both(
        split_of(task), rfm.Gaussian(2.0), metric(Translations(task)), 1e12
    )
    expected = dense.predict(dense.train)[places]
    found = blocks.train_predictions()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


def test_single_precision_stays_so() -> None:
    task = rfm.addition(9)
    group = Translations(task)
    differences = group.differences(split_of(task))
    M = metric(group).float()
    blocks = TranslationMachine.fit(group, differences, rfm.Gaussian(2.0), M, 0.1)
    for found in (blocks.targets, blocks.train_predictions(), blocks.agop()):
        assert found.dtype == torch.float32


def test_coefficients_that_a_small_ridge_makes_large() -> None:
    """A kernel that cannot fit: the ties are 10 ε times its largest value times the sums."""
    task = rfm.addition(9)
    M = 20 * metric(Translations(task))
    dense, blocks, _ = both(split_of(task), Polynomial(1, 30.0), M, 1e-5)
    assert blocks.factor.largest > 50
    assert blocks.resolution > 2e-9
    assert blocks.resolution == pytest.approx(dense.resolution, rel=1e-3)


def test_representatives_where_every_element_is_its_own_inverse() -> None:
    group = Translations(rfm.addition(2, 2))
    first, place, classes = group.halves
    assert first.tolist() == [0]
    assert place.tolist() == [0, 0, 0, 0]
    assert classes.tolist() == [0, 1, 2, 3]


def test_limits_are_those_that_are_said() -> None:
    assert translations.PIECE * 8 == 128 * 2**20  # bytes
    Translations(rfm.addition(7)).check(torch.zeros(14, 14, dtype=torch.float64))
