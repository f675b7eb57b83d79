"""The weights U and V of a network, and what is read off them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rfm.arguments import instance, square
from rfm.immutable import Immutable
from rfm.networks.activations import Activation
from rfm.products import TableTask
from rfm.tasks import Task, abelian_task


@dataclass(frozen=True, eq=False)
class Weights(Immutable):
    """The weights of a network, and what can be read off them.

    Attributes:
        task: the task.
        first: U, (2n, h) float64, A above B.
        second: V, (h, n) float64.

    Raises:
        ValueError: for other shapes or types, or entries that are not finite.
    """

    task: TableTask
    first: Tensor = field(repr=False)
    second: Tensor = field(repr=False)

    def __post_init__(self) -> None:
        instance(self.task, TableTask, "task")
        h = self.first.shape[-1] if isinstance(self.first, Tensor) and self.first.ndim else 0
        for name, shape in (("first", (self.task.dimension, h)), ("second", (h, self.task.n))):
            W = getattr(self, name)
            if not isinstance(W, Tensor) or W.dtype != torch.float64 or W.shape != shape or not h:
                raise ValueError(f"the {name} layer must be a float64 tensor of shape {shape}")
            if not bool(torch.isfinite(W).all()):
                raise ValueError(f"the {name} layer has entries that are not finite")
            object.__setattr__(self, name, W.detach().clone())

    @property
    def width(self) -> int:
        """h, how many neurons there are."""
        return self.first.shape[1]

    @property
    def features(self) -> Tensor:
        """The feature matrix of the first layer, U Uᵀ, (2n, 2n)."""
        return self.first @ self.first.T

    def hidden(self) -> Tensor:
        """What each neuron sees of each sample, A[a] + B[b], (n², h)."""
        return seen(self.first)

    def scores(self, activation: Activation) -> Tensor:
        """The scores of all samples, (n², n), in table order."""
        instance(activation, Activation, "activation")
        return activation(self.hidden()) @ self.second

    def agop(self, activation: Activation) -> Tensor:
        """Average of ∇f ∇fᵀ over all samples and classes, (2n, 2n), gradients in x not centred."""
        instance(activation, Activation, "activation")
        slope = torch.func.vmap(torch.func.grad(activation))(self.hidden().flatten())
        slope = slope.reshape(-1, self.width)
        G = (slope.T @ slope) * (self.second @ self.second.T)
        return self.first @ G @ self.first.T / self.task.n**2

    def frequency_shares(self) -> Tensor:
        """How much of each neuron is one frequency, (h,), from near 0 to 1.

        The rows of A and B are functions on the group, sums of characters. Of the squared size of a
        neuron without its means, the largest share that a character and its conjugate have, in A
        and B together. NaN for a neuron without such a part.
        """
        group, n = abelian_task(self.task, "a frequency").group, self.task.n
        order = torch.argsort(group.logarithm)
        axes = tuple(range(len(group.moduli)))
        A, B = (W[order].reshape(*group.moduli, -1) for W in self.first.chunk(2))
        power = sum(torch.fft.fftn(W, dim=axes).abs().square() for W in (A, B)).reshape(n, -1)
        number = torch.arange(n).reshape(group.moduli)
        conjugate = number.flip(axes).roll([1] * len(axes), axes).flatten()
        once = torch.where(conjugate == number.flatten(), 0.5, 1.0)[:, None]
        pairs = once * (power + power[conjugate])
        rest = power[1:].sum(0)
        rest = torch.where(rest > 1e-24 * power[0], rest, math.nan)  # else it is rounding
        return pairs[1:].amax(0) / rest


def seen(U: Tensor) -> Tensor:
    """A[a] + B[b] for all samples in table order, (n², h)."""
    A, B = U.chunk(2)
    return (A[:, None] + B).flatten(0, 1)


def cross_shares(M: Tensor, task: Task) -> tuple[float, float]:
    """Of what a feature matrix's off-diagonal block is made: shares of labels and of mirrors.

    Take its mean from the block. Of the square of what is left, the first number is the share that
    is the same for all pairs with one label, the second that for all pairs on one axis, which is
    the share of stripes. Noise would have 1/(n + 1) of each. NaN for a block that is constant.

    Raises:
        ValueError: if M is not a symmetric (2n, 2n) matrix.
    """
    instance(task, Task, "task")
    M = square(M, "M", task.dimension).double()
    entries = M[: task.n, task.n :].flatten()
    entries = entries - entries.mean()
    total = float(entries.square().sum())
    found = []
    for kinds in (task.labels, task.mirror(task.samples)):
        sums = torch.zeros(task.n, dtype=torch.float64).index_add(0, kinds, entries)
        found.append(float(sums.square().sum()) / task.n / total if total else math.nan)
    return found[0], found[1]
