"""Powers with a bias, and kernels that see a metric of one size."""

from __future__ import annotations

import math

import pytest
import torch

import rfm
from rfm.families import Normalised, Polynomial, bandwidth_for, size

TASK = rfm.addition(7)
TRAP = rfm.withhold(TASK, TASK.reflection(0).fixed_points())
SPLIT = TRAP.move_random(4, seed=0)
RADIAL = (rfm.Gaussian(1.3), rfm.Laplace(2.5), rfm.Matern(2.0), rfm.Matern(2.0, 2.5))


class WithBandwidth(rfm.InnerProductKernel):
    """(xᵀMx′/L² + b)^m, written down as it stands, its weight derived by torch."""

    def __init__(self, degree: int, L: float, bias: float):
        self.degree, self.L, self.bias = degree, L, bias

    def profile(self, u: torch.Tensor) -> torch.Tensor:
        return (u / self.L**2 + self.bias) ** self.degree


def metric(seed: int = 0) -> torch.Tensor:
    A = torch.randn(14, 30, generator=torch.Generator().manual_seed(seed)).double()
    return A @ A.T / 30


@pytest.mark.parametrize("kernel", [Polynomial(), Polynomial(1, 0.5), Polynomial(3), *RADIAL])
def test_kernels_are_sound(kernel: rfm.Kernel) -> None:
    one = Normalised(kernel) if isinstance(kernel, rfm.RadialKernel) else kernel
    rfm.check_kernel(kernel)
    values = one.gram(TRAP.train, TRAP.train, metric())
    torch.testing.assert_close(values, values.T)
    assert torch.linalg.eigvalsh(values)[0] > -1e-9 * values.abs().max()


@pytest.mark.parametrize(
    "kernel", [Polynomial(), *(Polynomial(m, b) for m in (1, 3) for b in (0, 2))]
)
def test_the_weight_is_the_derivative(kernel: Polynomial) -> None:
    u = torch.linspace(-3, 3, 13, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(kernel.profile(u).sum(), u)
    torch.testing.assert_close(kernel.weight(u.detach()), derivative)


def test_what_is_meant_where_nothing_is_said() -> None:
    assert Polynomial() == Polynomial(2, 0.0)


def test_the_profile_is_that_of_the_kernel() -> None:
    u = torch.linspace(0, 5, 11, dtype=torch.float64)
    for kernel in RADIAL:
        assert Normalised(kernel).profile(u.clone()).equal(kernel.profile(u.clone()))


def test_a_gram_matrix_is_written_where_it_is_wanted() -> None:
    x, M = TRAP.train, metric()
    place = torch.empty(len(x), len(x), dtype=torch.float64)
    found = Normalised(rfm.Gaussian(1.3)).gram(x, x, M, out=place)
    assert found.data_ptr() == place.data_ptr()


def test_no_bandwidth_beyond_a_million_is_tried() -> None:
    assert bandwidth_for(rfm.Gaussian, 1 - 2 / 9e5**2) == pytest.approx(9e5, rel=1e-3)
    with pytest.raises(ValueError, match="no bandwidth"):
        bandwidth_for(rfm.Gaussian, 1 - 2 / 4e6**2)


def test_two_without_a_bias_is_the_quadratic_kernel() -> None:
    runs = [rfm.fit(SPLIT, kernel, 6) for kernel in (Polynomial(2), rfm.Quadratic())]
    torch.testing.assert_close(runs[0].features, runs[1].features, rtol=1e-8, atol=1e-10)
    assert torch.equal(runs[0].right, runs[1].right)


@pytest.mark.parametrize("degree", [2, 3])
def test_a_power_has_no_bandwidth(degree: int) -> None:
    """(xᵀMx′/L²)^m goes through the metrics of (xᵀMx′)^m at ridge 0, and not with a ridge."""
    narrow = WithBandwidth(degree, 0.7, 0.0)
    runs = [rfm.fit(SPLIT, kernel, 4) for kernel in (Polynomial(degree), narrow)]
    torch.testing.assert_close(runs[0].features, runs[1].features, rtol=1e-6, atol=1e-9)
    ridged = [rfm.fit(SPLIT, kernel, 4, ridge=0.1) for kernel in (Polynomial(degree), narrow)]
    assert (ridged[0].features - ridged[1].features).abs().max() > 1e-3


def test_with_a_bias_the_bandwidth_is_its_root() -> None:
    L = 1.7
    runs = [rfm.fit(SPLIT, k, 4) for k in (Polynomial(2, L**2), WithBandwidth(2, L, 1.0))]
    torch.testing.assert_close(runs[0].features, runs[1].features, rtol=1e-6, atol=1e-9)
    other = rfm.fit(SPLIT, Polynomial(2), 4).features
    assert (runs[0].features - other).abs().max() > 1e-3


@pytest.mark.parametrize("degree", range(1, 7))
@pytest.mark.parametrize("bias", [0.0, 0.3, 40.0])
def test_no_power_leaves_the_trap(degree: int, bias: float) -> None:
    """The right class lags in the reduced machine, as the proposition says, at several orders.

    Of the first power the kernel matrix is singular, so there is a ridge, and the AGOP is zero.
    """
    kernel = Polynomial(degree, bias)
    for n in (5, 9, 31):
        assert rfm.FourNumbers(n).margin(kernel, 1e-3) < -1e-9
        if degree > 1:
            assert (rfm.reduced(n, kernel, 8, ridge=1e-3)["margin"] < 1e-15).all()


@pytest.mark.parametrize("kernel", RADIAL)
def test_a_normalised_kernel_does_not_see_the_size_of_its_metric(kernel: rfm.RadialKernel) -> None:
    M, one = metric(), Normalised(kernel)
    x = TRAP.train
    torch.testing.assert_close(one.gram(x, x, M), one.gram(x, x, 7.3 * M))
    unit = M / size(M)
    torch.testing.assert_close(one.gram(x, x, M), kernel.gram(x, x, unit))
    torch.testing.assert_close(one.weights(x, x, M), kernel.weights(x, x, unit))
    assert (kernel.gram(x, x, M) - kernel.gram(x, x, 7.3 * M)).abs().max() > 0.01


@pytest.mark.parametrize("kernel", RADIAL)
def test_it_goes_where_a_recursion_goes_that_scales_its_metric(kernel: rfm.RadialKernel) -> None:
    run = rfm.fit(SPLIT, Normalised(kernel), 5, keep_features=True)
    M = torch.eye(14).double()
    for step in range(5):
        fitted = rfm.fit(SPLIT, kernel, 1, M0=M)
        assert torch.equal(fitted.correct(), run.right[step])
        M = fitted.features / size(fitted.features)
        found = run.history[step + 1]
        torch.testing.assert_close(found / size(found), M, rtol=1e-7, atol=1e-9)


def test_the_size_of_the_identity_is_one() -> None:
    assert size(3.0 * torch.eye(8)) == 3.0


@pytest.mark.parametrize("value", [0.01, 0.5, 0.98])
def test_bandwidths_give_the_value_at_the_mean_distance(value: float) -> None:
    assert bandwidth_for(rfm.Gaussian, value) == pytest.approx(
        math.sqrt(-2 / math.log(value)), abs=1e-4
    )
    assert bandwidth_for(rfm.Laplace, value) == pytest.approx(-2 / math.log(value), abs=1e-4)
    z = 2 * math.sqrt(3) / bandwidth_for(rfm.Matern, value)
    assert (1 + z) * math.exp(-z) == pytest.approx(value, abs=1e-3)


def test_the_mean_squared_distance_is_four() -> None:
    """Of two samples drawn at random, once the rows of each block sum to zero."""
    M = rfm.fit(SPLIT, rfm.Gaussian(), 3).features
    x = TASK.one_hot(TASK.samples).double()
    q = (x @ M * x).sum(1)
    mean = (q[:, None] + q - 2 * x @ M @ x.T).mean()
    assert float(mean) / size(M) == pytest.approx(4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Polynomial(0), "degree"),
        (lambda: Polynomial(1.5), "degree"),
        (lambda: Polynomial(2, -0.1), "bias"),
        (lambda: Polynomial(2, math.inf), "bias"),
        (lambda: Normalised(rfm.Quadratic()), "kernel"),
        (lambda: bandwidth_for(rfm.Gaussian, 1.5), "value"),
        (lambda: bandwidth_for(rfm.Gaussian, 1.0), "value"),
        (lambda: bandwidth_for(lambda L: rfm.Gaussian(1.0), 0.5), "bandwidth"),
    ],
)
def test_errors_name_what_is_wrong(make: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
