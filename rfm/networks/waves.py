"""Neurons as waves: the character that each is nearest to, and whether phases cancel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rfm.immutable import Immutable
from rfm.networks.weights import Weights
from rfm.tasks import abelian_task


@dataclass(frozen=True, eq=False)
class Waves(Immutable):
    """Each neuron's largest pair of conjugate characters, and its coefficients there.

    Neurons whose largest character is real are left out, since they have no phase. On Z_n a neuron
    A = α cos(ωa + θ) has the coefficient αn e^(iθ)/2 up to the sign of ω, which is the same for A,
    B and V.

    Attributes:
        frequency: (m,) int64, a number for each pair of characters, the same for both.
        A: (m,) complex, coefficients of the upper half of the first layer.
        B: (m,) complex, those of the lower half, by τ(b).
        V: (m,) complex, those of the second layer.
    """

    frequency: Tensor
    A: Tensor = field(repr=False)
    B: Tensor = field(repr=False)
    V: Tensor = field(repr=False)

    @classmethod
    def of(cls, weights: Weights) -> Waves:
        """Read them off a network."""
        task = abelian_task(weights.task, "a wave")
        group, n = task.group, task.n
        order, axes = torch.argsort(group.logarithm), tuple(range(len(group.moduli)))
        A, B = weights.first.chunk(2)
        turned = (W[order].reshape(*group.moduli, -1) for W in (A, B[task.twist], weights.second.T))
        A, B, V = (torch.fft.fftn(W, dim=axes).reshape(n, -1) for W in turned)
        best = (A.abs().square() + B.abs().square())[1:].argmax(0) + 1
        number = torch.arange(n).reshape(group.moduli)
        other = number.flip(axes).roll([1] * len(axes), axes).flatten()[best]
        lower, here = torch.minimum(best, other), torch.arange(weights.width)
        has_phase = best != other
        return cls(lower[has_phase], *(W[lower, here][has_phase] for W in (A, B, V)))

    def coherence(self, terms: Tensor) -> float:
        """How well terms of the neurons of a frequency add up, over all frequencies, from 0 to 1.

        The root of the mean square of their sums, relative to the sums of their sizes.
        """
        return self._relative(terms, lambda group: group.sum().abs() ** 2)

    def by_chance(self, terms: Tensor) -> float:
        """What :meth:`coherence` would be for terms of these sizes and independent phases."""
        return self._relative(terms, lambda group: group.abs().square().sum())

    def _relative(self, terms: Tensor, measured: Callable[[Tensor], Tensor]) -> float:
        groups = [terms[self.frequency == f] for f in self.frequency.unique()]
        sums = sum(float(measured(group)) for group in groups)
        return math.sqrt(sums / sum(float(group.abs().sum()) ** 2 for group in groups))
