"""The activation φ: what a neuron makes of the number that it sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor


class Activation(ABC):
    """What a neuron makes of its input; write another by subclassing.

    Attributes:
        even: whether φ(−z) = φ(z).
    """

    even: bool

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """φ(z), entry by entry, in the shape of z."""


@dataclass(frozen=True)
class Square(Activation):
    """φ(z) = z²: the network is a quadratic form in each output, like a quadratic kernel."""

    even = True

    def __call__(self, z: Tensor) -> Tensor:
        return z.square()


@dataclass(frozen=True)
class ReLU(Activation):
    """φ(z) = max(z, 0), which is not even."""

    even = False

    def __call__(self, z: Tensor) -> Tensor:
        return z.relu()
