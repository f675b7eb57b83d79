"""How the weights are drawn: at random, or with a symmetry of the task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from rfm.arguments import instance, integer, real
from rfm.networks.weights import Weights
from rfm.products import TableTask
from rfm.seeds import Seed, generator
from rfm.symmetry import Symmetry


class Start(ABC):
    """How the weights are drawn; write another by subclassing."""

    @abstractmethod
    def draw(self, task: TableTask, width: int, seed: Seed) -> Weights:
        """Weights for a task, from a seed or a generator."""


@dataclass(frozen=True)
class Random(Start):
    """Independent normal weights, of variance scale²/2n in the first and scale²/h in the second.

    Attributes:
        scale: one by default; much larger is what is called lazy.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        real(self.scale, "scale", "a positive number", 5e-324)

    def draw(self, task: TableTask, width: int, seed: Seed) -> Weights:
        instance(task, TableTask, "task")
        width, drawn = integer(width, "width", 1), generator(seed)
        U = torch.randn(task.dimension, width, generator=drawn, dtype=torch.float64)
        V = torch.randn(width, task.n, generator=drawn, dtype=torch.float64)
        return Weights(task, self.scale * U / task.dimension**0.5, self.scale * V / width**0.5)


@dataclass(frozen=True)
class Paired(Start):
    """Neurons in pairs that a mirror exchanges: the network is symmetric, and no neuron is.

    Attributes:
        mirror: the reflection. The width must be even.
    """

    mirror: Symmetry

    def __post_init__(self) -> None:
        _reflection(self.mirror)

    def draw(self, task: TableTask, width: int, seed: Seed) -> Weights:
        _same_task(self.mirror, task)
        if integer(width, "width", 1) % 2:
            raise ValueError(f"paired neurons need an even width, not {width}")
        half = Random().draw(task, width // 2, seed)
        U, V = half.first, half.second / 2**0.5
        return Weights(task, torch.cat([U, mirrored(U, self.mirror)], 1), torch.cat([V, V]))


@dataclass(frozen=True)
class Mirrored(Start):
    """Each neuron by itself even or odd under a mirror: for s, B = A or B = −A.

    A is random, and B is made of it; the first ``odd`` of the neurons see z(g(a, b)) = −z(a, b), so
    that they are zero on the axis, the others z(g(a, b)) = z(a, b).

    Attributes:
        mirror: the reflection g.
        odd: the share of odd neurons, all by default.
        noise: relative size of an independent random part that is added to A and B.
    """

    mirror: Symmetry
    odd: float = 1.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        _reflection(self.mirror)
        real(self.odd, "odd", "a number from 0 to 1", 0, 1)
        real(self.noise, "noise", "a number from 0 on", 0)

    def draw(self, task: TableTask, width: int, seed: Seed) -> Weights:
        _same_task(self.mirror, task)
        drawn = generator(seed)
        random = Random().draw(task, width, drawn)
        U = random.first
        U[task.n :] = 0
        sign = torch.where(torch.arange(width) < round(self.odd * width), -1.0, 1.0)
        U = U + sign * mirrored(U, self.mirror)
        U = U + self.noise * Random().draw(task, width, drawn).first
        return Weights(task, U, random.second)


def mirrored(U: Tensor, g: Symmetry) -> Tensor:
    """Π(g) U: the neurons that see of g(a, b) what those of U see of (a, b). (2n, h)."""
    return U[g.inverse().coordinates()]


def _reflection(g: Symmetry) -> None:
    instance(g, Symmetry, "mirror")
    if not g.reflects:
        raise ValueError(f"mirror must be a reflection, not {g!r}")


def _same_task(g: Symmetry, task: TableTask) -> None:
    instance(task, TableTask, "task")
    if g.task != task:
        raise ValueError(f"mirror must be a reflection of {task}, not of {g.task}")
