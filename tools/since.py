"""Settings and measures of the tables of the page *What has appeared since*.

``tools/tables.py`` computes them with all others: ``make tables NAME=since_updates``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

import rfm
from rfm import KernelMachine, Setting, Split, page
from rfm.judging import leads
from rfm.measures import relative_spectrum
from rfm.outcomes import Plain, outcome
from rfm.updates import AGOP, FACT, Diagonal, Update

KERNELS = {repr(kernel): kernel for kernel in (rfm.Gaussian(bandwidth=2.5), rfm.Quadratic())}
SEEDS = range(5)
ENOUGH = {23: 0.8, 29: 0.8, 31: 0.7, 41: 0.6}  # order ↦ share from which it is learned


def part(order: int, fraction: float, seed: int) -> Split:
    """A random part of an addition table in training."""
    return rfm.random_split(rfm.addition(order), fraction, seed)


def trap(order: int) -> Split:
    """All of an addition table but the axis of s in training."""
    task = rfm.addition(order)
    return rfm.withhold(task, task.reflection(0).fixed_points())


# ---------------------------------------------------------------- what comes before the jump, when


def course() -> Iterator[Setting]:
    """Random parts of tables from inside: group elements, invariance and frequencies."""
    wanted = [(rfm.addition(n), ENOUGH[n]) for n in (23, 31, 41)]
    wanted += [(rfm.multiplication(29), 0.8), (rfm.addition(31), 0.3)]
    for (task, fraction), kernel, seed in product(wanted, KERNELS.values(), SEEDS):
        split = rfm.random_split(task, fraction, seed)
        options = {"iterations": 30, "keep_features": True}
        labels = {"order": task.n, "fraction": fraction, "seed": seed}
        yield Setting(split, kernel, options, labels)


def inside(run: rfm.Run) -> dict[str, Plain]:
    """What each iteration's metric and machine have of the group, beside the accuracy.

    Iteration t has the metric M_{t−1}. ``spread`` is the standard deviation of its coefficients of
    reflections, relative to that of the identity; ``scatter`` that of scores of test points with
    one label, relative to that of all (squares, over all classes), so 0 where the machine is
    invariant on them; ``waves`` counts the frequencies with |ρ| of at least a half.
    """
    task, kernel, metrics = run.split.task, KERNELS[str(run.settings["kernel"])], run.history[:-1]
    targets, labels = task.one_hot_labels(run.split.train), task.label(run.split.test)
    spread, scatter, turned = [], [], []
    for M in metrics:
        c = rfm.decompose(M, task).coefficients
        spread.append(float(c[task.n :].std() / c[task.group.identity]))
        machine = KernelMachine.fit(run.split.train, targets, kernel, M, warn=False)
        scatter.append(within(machine.predict(run.split.test), labels))
        turned.append(float(rfm.commutators(M, task)[1:].mean()))
    sizes = torch.stack([relative_spectrum(M, task).abs() for M in metrics])
    waves = (sizes >= 0.5).sum(1)
    accuracy = run.table["test_accuracy"]
    flat = (page.first(accuracy.ge(0.02)) or len(accuracy) + 1) - 1
    half = page.first(accuracy.ge(0.5))
    level = (max(scatter) + scatter[-1]) / 2
    return {
        **outcome(run),
        "flat": flat,
        "half_at": half or 0,
        "spread_first": spread[1],
        "spread_flat": spread[flat - 1],
        "spread_last": spread[-1],
        "spread_half_at": at(spread, lambda x: x >= spread[-1] / 2),
        "gain": (spread[flat - 1] / spread[1]) ** (1 / max(flat - 2, 1)),
        "scatter_first": scatter[0],
        "scatter_flat": scatter[flat - 1],
        "scatter_last": scatter[-1],
        "scatter_half_at": at(scatter, lambda x: x <= level),
        "turned_first": turned[1],
        "turned_last": turned[-1],
        "frequencies": sizes.shape[1],
        "wave_first_at": at(waves.tolist(), lambda k: k >= 1),
        "wave_median_at": at(waves.tolist(), lambda k: 2 * k >= sizes.shape[1]),
        "wave_last_at": at(waves.tolist(), lambda k: k >= sizes.shape[1]),
        "waves_half": int(waves[half - 1]) if half else 0,
        "largest_last": float(sizes[-1].max()),
        "smallest_last": float(sizes[-1].min()),
        "kept_order": rank_correlation(sizes[1], sizes[half - 1]) if half else 0.0,
        "course": " ".join(str(int(row.sum())) for row in run.right),
        "waves": " ".join(map(str, waves.tolist())),
        "spread": " ".join(f"{100 * x:.2f}" for x in spread),
        "scatter": " ".join(f"{100 * x:.2f}" for x in scatter),
    }


def within(scores: Tensor, labels: Tensor) -> float:
    """Σ ‖f(x) − mean of its label‖² / Σ ‖f(x) − mean of all‖² over scores (N, n): from 0 to 1."""
    of_label = torch.nn.functional.one_hot(labels, scores.shape[1]).to(scores.dtype)
    means = (of_label.T @ scores) / of_label.sum(0).clamp(min=1)[:, None]
    off = (scores - means[labels]).square().sum()
    return float(off / (scores - scores.mean(0)).square().sum())


def at(values: list, holds) -> int:
    """The first iteration, from 1, of which something holds; 0 for never."""
    return next((t for t, value in enumerate(values, 1) if holds(value)), 0)


def rank_correlation(x: Tensor, y: Tensor) -> float:
    """Spearman's, of two rows of numbers without ties."""
    ranks = torch.stack([x.argsort().argsort(), y.argsort().argsort()]).double()
    return float(torch.corrcoef(ranks)[0, 1])


# ------------------------------------------------------------------------------------ label noise


@dataclass(frozen=True)
class Scaled(Update):
    """The AGOP's rule, and then the trace of the identity: a ridge cannot make M vanish."""

    def __call__(self, machine: KernelMachine) -> Tensor:
        """AGOP^½ with trace 2n, (2n, 2n)."""
        M = AGOP()(machine)
        return M * (len(M) / M.trace())


def noise() -> Iterator[Setting]:
    """Random parts with some training labels flipped, with and without a ridge.

    A larger ridge than these makes the metric vanish, but for the rule that keeps its scale.
    """
    gaussian, quadratic = KERNELS.values()
    flips = (0.0, 0.05, 0.1, 0.2)
    wanted = [
        *product((29,), (gaussian,), ("AGOP",), (0.0, 1e-3, 1e-2), flips, SEEDS),
        *product((29,), (quadratic,), ("AGOP",), (0.0, 1e-2, 1e-1), flips, SEEDS),
        *product((29,), (gaussian,), ("scaled",), (0.0, 1e-3, 1e-2, 1e-1), flips, SEEDS),
        *product((41,), (gaussian, quadratic), ("AGOP",), (0.0,), flips, SEEDS),
    ]
    for order, kernel, rule, ridge, share, seed in wanted:
        split = part(order, ENOUGH[order], seed)
        split = split.flip_labels(share, seed) if share else split
        update = {"update": Scaled()} if rule == "scaled" else {}
        options = {"iterations": 40, "ridge": ridge, "keep_features": True, **update}
        labels = {"order": order, "fraction": ENOUGH[order], "rule": rule, "flips": share}
        yield Setting(split, kernel, options, labels | {"seed": seed})


def mended(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and what the last fit makes of the training points whose label was flipped.

    ``mended`` of the ``flipped`` ones are answered with the label of the table, ``echoed`` with the
    one they were given. ``largest`` is the largest entry of the last metric.
    """
    split, kernel = run.split, KERNELS[str(run.settings["kernel"])]
    told = torch.eye(split.task.n, dtype=torch.float64)[split.train_labels]
    ridge = float(str(run.settings["ridge"]))
    machine = KernelMachine.fit(split.train, told, kernel, run.history[-2], ridge, warn=False)
    scores, flipped = machine.train_predictions(), split.flipped

    def answered(labels: torch.Tensor) -> int:
        """How many of the flipped points get these labels, by more than a tie."""
        return int((leads(scores, labels) > machine.resolution)[flipped].sum())

    return {
        **outcome(run),
        "flipped": int(flipped.sum()),
        "mended": answered(split.task.label(split.train)),
        "echoed": answered(split.train_labels),
        "largest": float(run.features.abs().max()),
    }


# ----------------------------------------------------------------------- other rules than the AGOP

RULES: Mapping[str, Update] = {
    "AGOP": AGOP(),
    "FACT": FACT(),
    "diagonal": Diagonal(),
    "diagonal, power 1": Diagonal(power=1.0),
}


def updates() -> Iterator[Setting]:
    """Other rules for the next metric: on random parts, in the trap, and with points moved."""
    wanted = [*product((23, 31), RULES, KERNELS.values(), SEEDS)]
    wanted += product((61,), ("FACT",), (rfm.Quadratic(),), SEEDS)  # the table of its paper
    for order, rule, kernel, seed in wanted:
        fraction = 0.5 if order == 61 else ENOUGH[order]
        labels = {"rule": rule, "what": "random", "order": order, "moves": 0, "seed": seed}
        yield ruled(rule, part(order, fraction, seed), kernel, **labels)
    moved = product((13, 23), RULES, KERNELS.values(), (0, 1, 20), SEEDS)
    for order, rule, kernel, moves, seed in moved:
        if moves == 20 or not seed:  # single moves are all equivalent, for a prime
            split = trap(order).move_random(moves, seed) if moves else trap(order)
            labels = {"rule": rule, "what": "trap", "order": order, "moves": moves, "seed": seed}
            yield ruled(rule, split, kernel, **labels)


def ruled(name: str, split: Split, kernel: rfm.Kernel, **labels: Plain) -> Setting:
    """Seventy-five iterations, as in the paper of FACT, or until M stands still."""
    options = {"iterations": 75, "update": RULES[name], "stop": rfm.converged(1e-5)}
    return Setting(split, kernel, options, labels)


def elements(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, the group elements in the last metric, and when half of the points were right.

    ``off`` is how far that metric is from a multiple of the identity, relative to its norm.
    """
    task, M = run.split.task, run.features
    found = rfm.decompose(M, task)
    level = torch.eye(task.dimension, dtype=M.dtype) * M.diagonal().mean()
    return {
        **outcome(run),
        "half_at": page.first(run.table["test_accuracy"].ge(0.5)) or 0,
        "elements": "; ".join(g.name for g in found.elements),
        "residual": round(found.residual, 6),
        "off": float((M - level).norm() / M.norm()),
    }


# ------------------------------------------------------------------- fixed kernels and the fraction


def fixed() -> Iterator[Setting]:
    """Fixed kernels: one fit with M = I, from a tenth of the table to all of it but one cell."""
    kernels = (*KERNELS.values(), rfm.Laplace(bandwidth=2.5))
    for order, kernel, seed in product((13, 29, 41), kernels, SEEDS):
        cells = order * order
        for fraction in (0.1, 0.3, 0.5, 0.7, 0.9, 0.98, (cells - 1) / cells):
            split = part(order, fraction, seed)
            labels = {"order": order, "fraction": round(fraction, 6), "seed": seed}
            yield Setting(split, kernel, {"iterations": 1}, labels)
