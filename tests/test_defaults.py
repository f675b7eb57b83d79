"""What stands for what is left out: arguments, and methods that a kernel does not define."""

from __future__ import annotations

import torch
from oracles import same

import rfm
from rfm.machine import scratch

ADD = rfm.addition(5)
SPLIT = rfm.random_split(ADD, 0.6, 0)


def machine() -> rfm.KernelMachine:
    Y = ADD.one_hot_labels(SPLIT.train)
    return rfm.KernelMachine.fit(SPLIT.train, Y, rfm.Gaussian(), torch.eye(10).double())


def test_mean_gradients_are_subtracted() -> None:
    fitted = machine()
    assert torch.equal(fitted.agop(), fitted.agop(True))
    assert not torch.allclose(fitted.agop(), fitted.agop(False))


class Threefold(rfm.Gaussian):
    """Three times a Gaussian, by its gram alone."""

    def gram(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        M: torch.Tensor,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        values = 3 * super().gram(x, y, M)
        return values if out is None else out.copy_(values)


class Steep(rfm.Gaussian):
    """A Gaussian with twice its slope, by its weights alone."""

    def weights(self, x: torch.Tensor, y: torch.Tensor, M: torch.Tensor) -> torch.Tensor:
        return 2 * super().weights(x, y, M)


def test_a_kernel_that_defines_gram_or_weights_by_itself_is_fitted_with_them() -> None:
    plain, M = machine(), torch.eye(10).double()
    Y = ADD.one_hot_labels(SPLIT.train)
    threefold = rfm.KernelMachine.fit(SPLIT.train, Y, Threefold(), M, scratch=scratch(15, M))
    same(threefold.coefficients, plain.coefficients / 3, 1e-10)
    same(threefold.predict(SPLIT.test), plain.predict(SPLIT.test), 1e-10)
    steep = rfm.KernelMachine.fit(SPLIT.train, Y, Steep(), M)
    assert torch.equal(steep.coefficients, plain.coefficients)
    same(steep.agop(), 4 * plain.agop(), 1e-10)
