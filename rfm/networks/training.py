"""Training by gradient descent on the mean square."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from rfm.arguments import instance, integer, real
from rfm.networks.activations import Activation, Square
from rfm.networks.record import Training, judged
from rfm.networks.starts import Random, Start
from rfm.networks.weights import Weights, seen
from rfm.seeds import Seed, generator, tell
from rfm.settings import in_a_table
from rfm.splits import Kind, Split

SQUARE, RANDOM = Square(), Random()


def train(
    split: Split,
    activation: Activation = SQUARE,
    start: Start = RANDOM,
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
    weights, drawn = check(
        split, activation, start, steps, width, rate, decay, batch, optimiser, every, seed
    )
    U, V = (W.requires_grad_() for W in (weights.first, weights.second))
    if optimiser is None:
        update: Optimizer = AdamW([U, V], lr=rate, weight_decay=decay, betas=(0.9, 0.98))
    else:
        update = optimiser([U, V])
    task, pairs = split.task, split.train
    Y = task.one_hot_labels(task.samples)
    share = (split.kind == Kind.TRAIN).double()[:, None] / (len(pairs) * task.n)
    batches = None if batch is None else _batches(pairs, int(batch), drawn)
    rows, right = {}, []
    for step in range(steps + 1):
        looked = step % every == 0 or step == steps
        if looked or batches is None:
            scores = activation(seen(U)) @ V
        if looked:
            rows[step], ok = judged(split, scores.detach(), Y)
            right.append(ok)
        if step == steps:
            break
        if batches is None:
            loss = ((scores - Y).square() * share).sum()
        else:
            chosen = next(batches)
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
        "width": weights.width,
        "rate": rate,
        "decay": decay,
        "batch": "all" if batch is None else batch,
        "seed": tell(seed),
    }
    return Training(split, table, Weights(task, U, V), torch.stack(right), settings)


def _batches(pairs: Tensor, size: int, drawn: torch.Generator) -> Iterator[Tensor]:
    """So many pairs at a time, all once an epoch, in an order drawn for each, without end."""
    while True:
        yield from pairs[torch.randperm(len(pairs), generator=drawn)].split(size)


def check(
    split: Split,
    activation: Activation,
    start: Start | Weights,
    steps: int,
    width: int,
    rate: float,
    decay: float,
    batch: int | None,
    optimiser: Callable[[list[Tensor]], Optimizer] | None,
    every: int,
    seed: Seed,
) -> tuple[Weights, torch.Generator]:
    """The weights that :func:`train` would start from, and the generator after they were drawn.

    Raises:
        ValueError: as :func:`train`.
    """
    instance(split, Split, "split")
    if split.flipped.any():
        raise ValueError("networks are trained on the task's own labels, and some are flipped here")
    instance(activation, Activation, "activation")
    integer(steps, "steps", 1)
    width = integer(width, "width", 1)
    real(rate, "rate", "a positive number", 5e-324)
    real(decay, "decay", "a number from 0 on", 0)
    if batch is not None:
        integer(batch, "batch", 1, len(split.train))
    if optimiser is not None and not callable(optimiser):
        raise ValueError(f"optimiser must be a function of a list of tensors, not {optimiser!r}")
    integer(every, "every", 1)
    drawn = generator(seed)
    if isinstance(start, Weights):
        if start.task != split.task:
            raise ValueError(f"weights for {start.task} cannot be trained on {split.task}")
        return start, drawn
    instance(start, Start, "start")
    weights = start.draw(split.task, width, drawn)
    instance(weights, Weights, "what start draws")
    return weights, drawn
