"""Two-layer networks on the samples of a task, trained on a split: what beside RFM is compared.

A network without biases has n scores for a pair, f(a, b) = Vᵀ φ(A[a] + B[b]), one row of A and of
B for each group element and one column for each of h neurons. In the notation of chapter 04 this
is Vᵀ φ(Uᵀ x), where U holds A above B, and U Uᵀ, (2n, 2n), is the feature matrix. Here U is what
is often written Wᵀ. All is computed in float64: on the axis of a mirror exact zeros are to be told
from small numbers, as with kernels.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from rfm.arguments import flag, instance, integer, real, square
from rfm.immutable import Immutable
from rfm.judging import leads
from rfm.outcomes import MADE, Plain, plain
from rfm.seeds import Seed, generator, tell
from rfm.settings import Setting, in_a_table
from rfm.splits import Kind, Split
from rfm.symmetry import Symmetry
from rfm.tasks import Task
from rfm.threads import torch_threads

TIE = 1e-9  # a lead up to this is none, as for kernels
POSITIVE = "a positive number"


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
        """φ(z), entry by entry, in the shape of z."""
        return z.square()


@dataclass(frozen=True)
class ReLU(Activation):
    """φ(z) = max(z, 0), which is not even."""

    even = False

    def __call__(self, z: Tensor) -> Tensor:
        """φ(z), entry by entry, in the shape of z."""
        return z.relu()


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

    task: Task
    first: Tensor = field(repr=False)
    second: Tensor = field(repr=False)

    def __post_init__(self) -> None:
        instance(self.task, Task, "task")
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
        return _hidden(self.first).flatten(0, 1)

    def scores(self, activation: Activation) -> Tensor:
        """The scores of all samples, (n², n), in table order."""
        instance(activation, Activation, "activation")
        return activation(self.hidden()) @ self.second

    def agop(self, activation: Activation) -> Tensor:
        """Average of ∇f ∇fᵀ over all samples and classes, (2n, 2n), gradients in x not centred."""
        instance(activation, Activation, "activation")
        slope = torch.func.vmap(torch.func.grad(lambda z: activation(z)))(self.hidden().flatten())
        slope = slope.reshape(-1, self.width)
        G = (slope.T @ slope) * (self.second @ self.second.T)
        return self.first @ G @ self.first.T / self.task.n**2

    def frequency_shares(self) -> Tensor:
        """How much of each neuron is one frequency, (h,), from near 0 to 1.

        The rows of A and B are functions on the group, sums of characters. Of the squared size of a
        neuron without its means, the largest share that a character and its conjugate have, in A
        and B together. NaN for a neuron without such a part.
        """
        group, n = self.task.group, self.task.n
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


def _hidden(U: Tensor) -> Tensor:
    """A[a] + B[b] for all a and b, (n, n, h)."""
    A, B = U.chunk(2)
    return A[:, None] + B


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


def _positive(number: object, name: str) -> float:
    found = real(number, name, POSITIVE, 0)
    if not found:
        raise ValueError(f"{name} must be {POSITIVE}, not {number!r}")
    return found


def _reflection(g: object) -> None:
    instance(g, Symmetry, "mirror")
    if not flag(g.reflects, "reflects"):
        raise ValueError(f"mirror must be a reflection, not {g!r}")


def _of(g: Symmetry, task: Task) -> None:
    instance(task, Task, "task")
    if g.task != task:
        raise ValueError(f"mirror must be a reflection of {task}, not of {g.task}")


class Start(ABC):
    """How the weights are drawn; write another by subclassing."""

    @abstractmethod
    def draw(self, task: Task, width: int, seed: Seed) -> Weights:
        """Weights for a task, from a seed or a generator."""


@dataclass(frozen=True)
class Random(Start):
    """Independent normal weights, of variance scale²/2n in the first and scale²/h in the second.

    Attributes:
        scale: one by default; much larger is what is called lazy.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _positive(self.scale, "scale")

    def draw(self, task: Task, width: int, seed: Seed) -> Weights:
        """Weights for a task, from a seed or a generator."""
        instance(task, Task, "task")
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

    def draw(self, task: Task, width: int, seed: Seed) -> Weights:
        """Weights for a task, from a seed or a generator."""
        _of(self.mirror, task)
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

    def draw(self, task: Task, width: int, seed: Seed) -> Weights:
        """Weights for a task, from a seed or a generator."""
        _of(self.mirror, task)
        drawn = generator(seed)
        random = Random().draw(task, width, drawn)
        U = random.first.clone()
        U[task.n :] = 0
        sign = torch.where(torch.arange(width) < round(self.odd * width), -1.0, 1.0)
        U = U + sign * mirrored(U, self.mirror)
        U = U + self.noise * Random().draw(task, width, drawn).first
        return Weights(task, U, random.second)


def mirrored(U: Tensor, g: Symmetry) -> Tensor:
    """Π(g) U: the neurons that see of g(a, b) what those of U see of (a, b). (2n, h)."""
    return U[g.inverse().coordinates()]


@dataclass(frozen=True, eq=False)
class Training(Immutable):
    """What a network did.

    Attributes:
        split: the split it was trained and tested on.
        table: one row for every so many steps, named by how many were done before. Columns:
            ``train_accuracy``, ``test_accuracy``; ``random_accuracy``, ``withheld_accuracy``,
            ``moved_accuracy`` by kind of test point (NaN where there is none); ``train_loss``,
            ``test_loss``, the mean over samples of ‖f(x) − y‖²; ``margin``, the smallest lead among
            the test points got right (NaN if none), ``train_margin`` the smallest lead of all
            training points.
        weights: the weights in the end.
        right: (T, N_test) bool, which test points were right in each row.
        settings: everything that made the run, as plain values.
    """

    split: Split
    table: pd.DataFrame
    weights: Weights
    right: Tensor = field(repr=False)
    settings: dict[str, Plain]

    @property
    def features(self) -> Tensor:
        """U Uᵀ in the end, (2n, 2n)."""
        return self.weights.features

    def correct(self) -> Tensor:
        """Which test points are right in the end, (N_test,) bool, in the order of the split."""
        return self.right[-1]


def train(
    split: Split,
    activation: Activation = Square(),
    start: Start = Random(),
    steps: int = 1000,
    *,
    width: int = 256,
    rate: float = 1e-2,
    decay: float = 1.0,
    batch: int | None = None,
    optimiser: Callable[[list[Tensor]], Optimizer] | None = None,
    every: int = 10,
    seed: Seed = 0,
) -> Training:
    """Train a network on the training points of a split, by the mean square over all scores.

    The gradient is that of torch. A full batch computes all n² samples and masks those in test.

    Args:
        split: training and test pairs.
        activation: the activation.
        start: how the weights are drawn, or :class:`Weights` to go on from.
        steps: how many updates.
        width: number of neurons; that of ``start`` where it has one.
        rate: learning rate of AdamW, with β = 0.9, 0.98.
        decay: its weight decay.
        batch: this many training samples a step, drawn anew each epoch; None for all.
        optimiser: makes another optimiser of the list [U, V], then ``rate`` and ``decay`` are not
            used.
        every: a row of the table for every so many steps, and for the last.
        seed: an integer or a generator, for the start and the batches.

    Returns:
        The record. The same arguments give the same bits on one machine with one number of threads.

    Raises:
        ValueError: for arguments out of range, and if the weights become infinite.
    """
    weights, drawn = check(split, activation, start, steps, width, rate, decay, batch, every, seed)
    if optimiser is not None and not callable(optimiser):
        raise ValueError(f"optimiser must be a function of a list of tensors, not {optimiser!r}")
    task, told = split.task, tell(seed)
    U, V = (W.requires_grad_() for W in (weights.first, weights.second))
    if optimiser is None:
        optimiser = lambda W: AdamW(W, lr=rate, weight_decay=decay, betas=(0.9, 0.98))  # noqa: E731
    update = optimiser([U, V])
    trained = split.kind == Kind.TRAIN
    Y, pairs = task.one_hot_labels(task.samples), split.train
    share = trained.double()[:, None] / (len(pairs) * task.n)
    rows, right, waiting = {}, [], torch.empty(0, dtype=torch.int64)
    for step in range(steps + 1):
        looked = step % every == 0 or step == steps
        if batch is None or looked:
            scores = activation(_hidden(U)).flatten(0, 1) @ V
        if looked:
            rows[step], ok = _judged(split, trained, scores.detach(), Y)
            right.append(ok)
        if step == steps:
            break
        if batch is None:
            loss = ((scores - Y).square() * share).sum()
        else:
            if not len(waiting):
                waiting = torch.randperm(len(pairs), generator=drawn)
            chosen, waiting = pairs[waiting[:batch]], waiting[batch:]
            a, b = chosen.T
            scores = activation(U[a] + U[task.n + b]) @ V
            loss = (scores - Y[task.index(chosen)]).square().mean()
        update.zero_grad()
        loss.backward()
        update.step()
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("step")
    settings = {
        "task": task.name,
        "split": "; ".join(split.history),
        "activation": in_a_table(activation),
        "start": in_a_table(start) if isinstance(start, Start) else "given",
        "steps": steps,
        "width": U.shape[1],
        "rate": rate,
        "decay": decay,
        "batch": "all" if batch is None else batch,
        "seed": told,
    }
    return Training(split, table, Weights(task, U, V), torch.stack(right), settings)


def _judged(
    split: Split, trained: Tensor, scores: Tensor, Y: Tensor
) -> tuple[dict[str, float], Tensor]:
    """A row of the table, and which test points are right."""
    lead, wrong = leads(scores, split.task.labels), (scores - Y).square().sum(1)
    right, kinds, held = lead[~trained] > TIE, split.test_kind, lead[~trained]
    kind_of = {k: right[kinds == k].double() for k in (Kind.RANDOM, Kind.WITHHELD, Kind.MOVED)}
    row = {
        "train_accuracy": float((lead[trained] > TIE).double().mean()),
        "test_accuracy": float(right.double().mean()),
        **{f"{k.name.lower()}_accuracy": float(found.mean()) for k, found in kind_of.items()},
        "train_loss": float(wrong[trained].mean()),
        "test_loss": float(wrong[~trained].mean()),
        "margin": float(held[right].min()) if right.any() else math.nan,
        "train_margin": float(lead[trained].min()),
    }
    return row, right


def check(
    split: Split,
    activation: Activation,
    start: Start | Weights,
    steps: int,
    width: int,
    rate: float,
    decay: float,
    batch: int | None,
    every: int,
    seed: Seed,
) -> tuple[Weights, torch.Generator]:
    """The weights that :func:`train` would start from, and the generator after they were drawn.

    Raises:
        ValueError: as :func:`train`.
    """
    instance(split, Split, "split")
    instance(activation, Activation, "activation")
    integer(steps, "steps", 1)
    integer(every, "every", 1)
    width = integer(width, "width", 1)
    _positive(rate, "rate")
    real(decay, "decay", "a number from 0 on", 0)
    if batch is not None:
        integer(batch, "batch", 1, len(split.train))
    drawn = generator(seed)
    if isinstance(start, Weights):
        if start.task != split.task:
            raise ValueError(f"weights for {start.task} cannot be trained on {split.task}")
        return start, drawn
    instance(start, Start, "start")
    weights = start.draw(split.task, width, drawn)
    instance(weights, Weights, "what start draws")
    return weights, drawn


@dataclass(frozen=True, eq=False)
class NetworkSetting(Setting):
    """A training to be made, for :func:`rfm.sweep`: what :func:`train` is given.

    Attributes:
        split: training and test pairs.
        kernel: in its place, the activation.
        options: further arguments of :func:`train` by name, ``optimiser`` excepted.
        labels: further columns.
    """

    @property
    def values(self) -> dict[str, Plain]:
        """What the columns show, labels as they were given and numbers as numbers."""
        given = self._arguments()
        left_out = "split", "optimiser"
        told = {name: in_a_table(given[name]) for name in given if name not in left_out}
        told["batch"] = told["batch"] or "all"
        return {
            **self.labels,
            "task": self.split.task.name,
            "split": "; ".join(self.split.history),
            **told,
        }

    def check(self) -> None:
        """Raise what :func:`train` would raise for these arguments, without any work."""
        given = self._arguments()
        plain(self.labels, "labels", (*given, "task", *MADE))
        check(**{name: value for name, value in given.items() if name != "optimiser"})

    def run(self, threads: int | None = None, *, warn: bool = True) -> Training:
        """Make the run, with this many threads, or as many as torch is set to."""
        with torch_threads(threads):
            return train(self.split, self.kernel, **self.options)

    def _arguments(self) -> dict[str, object]:
        kinds = {"split": Split, "kernel": Activation, "options": Mapping, "labels": Mapping}
        self._of_kinds(kinds)
        call = inspect.signature(train).bind(self.split, self.kernel, **self.options)
        call.apply_defaults()
        return call.arguments
