"""Kernels as a reader writes them: what is returned counts, and the check finds what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from oracles import dense_agop, random_metric, random_pairs, same
from torch import Tensor

import rfm
from rfm import check_kernel

TASK = rfm.subtraction(3, 4)
TRAIN = random_pairs(TASK, 60, seed=1)
M = random_metric(24, seed=2)
MADE = [rfm.Gaussian(L) for L in (2.5, 0.3, 0.1, 0.01, 30.0)]
MADE += [rfm.Laplace(L) for L in (2.5, 0.3, 0.01, 30.0)]
MADE += [rfm.Matern(L, ν) for L in (2.5, 0.3, 0.03, 30.0) for ν in (1.5, 2.5)]
MADE += [rfm.Quadratic()]


class Profile(rfm.RadialKernel):
    """exp(−u / 12.5) by its profile."""

    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u / 12.5)


class New(Profile):
    """The same with methods that leave their argument alone and return a new tensor."""

    def value_(self, u: Tensor) -> Tensor:
        return torch.exp(-u / 12.5)

    def weight_(self, u: Tensor) -> Tensor:
        return torch.exp(-u / 12.5) / 6.25


class Own(Profile):
    """The same with a weight of its own."""

    def weight(self, u: Tensor) -> Tensor:
        return self.profile(u) / 6.25


class Careless(rfm.RadialKernel):
    """The same with a profile that overwrites its argument."""

    def profile(self, u: Tensor) -> Tensor:
        return u.mul_(-1 / 12.5).exp_()


class Root(rfm.RadialKernel):
    """The Laplace kernel by its profile: no derivative at 0, and torch gives −∞ there."""

    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u.sqrt() / 1.5)


class Infinite(Root):
    """The same with a weight that is infinite at 0."""

    def weight(self, u: Tensor) -> Tensor:
        return self.profile(u) / (1.5 * u.sqrt())


class Shifted(rfm.InnerProductKernel):
    """(t + 1/2)³."""

    def profile(self, t: Tensor) -> Tensor:
        return (t + 0.5) ** 3


RIGHT = [Profile(), New(), Own(), Careless(), Root(), Infinite(), Shifted()]


@pytest.mark.parametrize("kernel", [*MADE, *RIGHT], ids=lambda k: repr(k).split(" ")[0])
def test_what_is_right_passes_the_check(kernel: rfm.Kernel) -> None:
    table = check_kernel(kernel)
    assert (table["difference"] <= 1e-6).all()
    assert {"value", "weight", "raw AGOP", "centred AGOP"} <= set(table.index)


@pytest.mark.parametrize("kernel", [Profile(), New(), Own(), Careless()], ids=lambda k: type(k))
@pytest.mark.parametrize("centred", [True, False])
def test_a_kernel_is_the_same_however_it_is_written(kernel: rfm.Kernel, centred: bool) -> None:
    """To the AGOP, and to three iterations of a run."""
    X, Y = TASK.one_hot(TRAIN), TASK.one_hot_labels(TRAIN)
    machine = rfm.KernelMachine.fit(TRAIN, Y, kernel, M)
    expected = dense_agop("gaussian", X, machine.coefficients, M, centred)
    same(machine.agop(centred), expected, 1e-9)
    split = rfm.random_split(rfm.addition(7), 0.6, 0)
    run, plain = (rfm.fit(split, k, 3, centred=centred) for k in (kernel, rfm.Gaussian(2.5)))
    same(run.features, plain.features, 1e-9)


@pytest.mark.parametrize("kernel", [Root(), Infinite(), rfm.Laplace(1.5)], ids=lambda k: type(k))
@pytest.mark.parametrize("centred", [True, False])
def test_a_tip_is_left_out_of_gradients(kernel: rfm.Kernel, centred: bool) -> None:
    X, Y = TASK.one_hot(TRAIN), TASK.one_hot_labels(TRAIN)
    machine = rfm.KernelMachine.fit(TRAIN, Y, kernel, M)
    expected = dense_agop("laplace", X, machine.coefficients, M, centred)
    same(machine.agop(centred), expected, 1e-8)


def test_a_narrow_kernel_has_no_noise_of_its_own_weight() -> None:
    """The weight at distance zero is by e^200 larger than all that count."""
    X, kernel = TASK.one_hot(TRAIN), rfm.Gaussian(0.1)
    α = torch.randn(60, 12, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    eye = torch.eye(24, dtype=torch.float64)
    found = rfm.KernelMachine(kernel, eye, TRAIN, α, α, factor=None).agop()
    u = ((X[:, None] - X[None]) ** 2).sum(-1)
    w = torch.where(u > 0, torch.exp(-u * 50) * 100, 0.0)
    h = torch.einsum("ij,ic,ijd->jcd", w, α, X[:, None] - X[None])
    h = h - h.mean(0)
    same(found, torch.einsum("jcd,jce->de", h, h) / 60, 1e-10)


# ----------------------------------------------------------------------- what a subclass takes over


@dataclass(frozen=True)
class Wider(rfm.Gaussian):
    """A Gaussian whose profile is another one."""

    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u / 50)


class Fourth(rfm.Quadratic):
    """t⁴, from a kernel with a closed form for its AGOP."""

    def profile(self, t: Tensor) -> Tensor:
        return t**4


class Halved(rfm.Quadratic):
    """The wrong weight, from a kernel with a closed form that would hide it."""

    def weight(self, t: Tensor) -> Tensor:
        return t


def test_a_new_profile_takes_its_derived_methods_with_it() -> None:
    for kernel in (Wider(), Fourth()):
        check_kernel(kernel)
    wide = Wider().gram(TRAIN, TRAIN, M)
    same(wide, rfm.Gaussian(5.0).gram(TRAIN, TRAIN, M), 1e-12)


def test_what_a_subclass_leaves_alone_stays_fast() -> None:
    class Named(rfm.Gaussian):
        pass

    for name in ("value_", "weight_", "profile"):
        assert getattr(Named, name) is getattr(rfm.Gaussian, name)
    assert Fourth.gradient_products is rfm.Kernel.gradient_products
    assert Wider.value_ is rfm.RadialKernel.value_


# ------------------------------------------------------------------------------- what is found out


class WrongValue(Profile):
    def value_(self, u: Tensor) -> Tensor:
        return u.mul_(-0.081).exp_()


class WrongWeight(Profile):
    def weight_(self, u: Tensor) -> Tensor:
        return self.profile(u)


class NotAlone(rfm.RadialKernel):
    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u / (1 + u.max()))


class NotANumber(rfm.RadialKernel):
    def profile(self, u: Tensor) -> Tensor:
        return torch.log(u)


class OfNumPy(rfm.RadialKernel):
    def profile(self, u: Tensor) -> Tensor:
        return torch.from_numpy(1 / (1 + u.numpy()))


class Constant(rfm.RadialKernel):
    def profile(self, u: Tensor) -> Tensor:
        return torch.ones_like(u)


class Single(rfm.RadialKernel):
    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u).float()


class Sum(rfm.RadialKernel):
    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u).sum()


class Nothing(rfm.RadialKernel):
    def profile(self, u: Tensor) -> None:
        u.neg_().exp_()


FAILS = {
    WrongValue: "its value",
    WrongWeight: "its weight",
    Halved: "its weight",
    NotAlone: "each number by itself",
    NotANumber: "not finite",
    OfNumPy: "torch cannot derive",
    Constant: "torch cannot derive",
    Single: "must return a tensor like its argument",
    Sum: "must return a tensor",
    Nothing: "torch cannot derive",
}


@pytest.mark.parametrize(
    ("kind", "message"), FAILS.items(), ids=lambda k: getattr(k, "__name__", "")
)
def test_what_is_wrong_fails_the_check(kind: type[rfm.Kernel], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_kernel(kind())


@pytest.mark.parametrize("kind", [Single, Sum, Nothing, NotANumber, OfNumPy])
def test_what_cannot_be_used_ends_a_run_with_its_documented_error(kind) -> None:
    with pytest.raises(rfm.RunError) as caught:
        rfm.fit(rfm.random_split(rfm.addition(5), 0.5, 0), kind(), 3)
    assert (caught.value.iteration, caught.value.run) == (1, None)


@pytest.mark.parametrize("thing", [rfm.Gaussian, None, 3, "Gaussian"])
def test_only_kernels_are_checked(thing) -> None:
    with pytest.raises(ValueError, match="kernel must be a Kernel"):
        check_kernel(thing)


class Mixed:
    """A profile that comes from beside the family of kernels."""

    def profile(self, u: Tensor) -> Tensor:
        return 1 / (1 + u)


def test_a_profile_from_a_mixin_counts_as_well() -> None:
    class Both(Mixed, rfm.Gaussian):
        pass

    check_kernel(Both())
    assert torch.allclose(Both().gram(TRAIN, TRAIN, M)[0, 1:], rational()[0, 1:])
    split = rfm.random_split(rfm.addition(7), 0.6, 0)
    runs = [rfm.fit(split, kernel, 3).features for kernel in (Both(), rfm.Gaussian())]
    assert (runs[0] - runs[1]).abs().max() > 0.01 * runs[1].abs().max()


def rational() -> Tensor:
    X = TASK.one_hot(TRAIN)
    gaps = X[:, None] - X[None]
    return 1 / (1 + ((gaps @ M) * gaps).sum(-1))


def test_distances_are_known_to_the_entries_that_they_are_made_of() -> None:
    """One huge entry of M leaves pairs alone that do not touch it."""
    metric = torch.eye(14, dtype=torch.float64)
    metric[0, 0] = 1e18
    x, y = torch.tensor([[1, 1]]), torch.tensor([[2, 2]])
    found = float(rfm.Gaussian(2.5).gram(x, y, metric))
    assert found == pytest.approx(float(torch.exp(torch.tensor(-4 / 12.5, dtype=torch.float64))))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize(
    "kernel", [rfm.Gaussian(), rfm.Quadratic(), rfm.Laplace(), rfm.Matern()], ids=repr
)
def test_features_stay_in_the_range_of_a_start_of_low_rank(kernel, rank, seed) -> None:
    """Or the run ends: samples coincide, and what is left of a gradient can be rounding."""
    low = random_metric(14, seed=seed, rank=rank)
    basis = torch.linalg.eigh(low)[1][:, : 14 - rank]  # of the null space
    try:
        run = rfm.fit(
            rfm.random_split(rfm.addition(7), 0.6, 0),
            kernel,
            8,
            M0=low,
            warn=False,
            keep_features=True,
        )
    except rfm.RunError as error:
        run = error.run
    for features in () if run is None else run.history[1:]:
        assert (basis.T @ features).norm() < 1e-7 * features.norm()


class Torn(rfm.InnerProductKernel):
    """Its profile is sound everywhere, its derivative is not at 0."""

    def profile(self, u: Tensor) -> Tensor:
        return u**2 + u.abs().sqrt() * 0


def test_a_kernel_that_breaks_where_a_run_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="identity"):
        rfm.check_kernel(Torn())


class Doubled(rfm.Gaussian):
    """Twice a Gaussian, said by what fit and predict ask for instead of by its profile."""

    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        return super().gram(x, y, M, out).mul_(2)

    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        return 3 * super().weights(x, y, M)


def test_a_kernel_that_redefines_its_matrices_is_asked_for_them() -> None:
    """By all that uses them, and with the memory that they are to be written to."""
    pairs = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    x, y = pairs[:7], pairs[8:17]  # none in both: a coincidence has no weight
    M, plain, kernel = torch.eye(10, dtype=torch.float64), rfm.Gaussian(), Doubled()
    out = torch.empty(7, 9, dtype=torch.float64)
    assert kernel.values(x, y, M, out) is out
    assert torch.equal(out, 2 * plain.gram(x, y, M))
    assert torch.equal(kernel.values(x, y, M), out)
    assert torch.equal(kernel.slopes(x, M)(y), 3 * plain.weights(x, y, M))
