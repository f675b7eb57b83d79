"""Compute the tables of results that the chapters read: every run, its settings and its outcome.

    python tools/tables.py [NAME ...] [--workers N] [--dask ADDRESS]

Each NAME is one of the functions of ``TABLES`` and becomes ``book/data/NAME.csv``; without a name
all are made, but for those that take hours by themselves. An interrupted table goes on where it
stopped; and when all are made, those that were made before the interruption are not made again.
Settings are those of the paper, [B] in the package's docstrings; where it leaves one
open, it is chosen here.
"""

import argparse
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product

import interrupts
import joblib
import noncommuting
import pandas as pd
import recipe_claims
import recipe_tables
import since
import torch
from later import Later, Start
from repository import ROOT
from rounds import Round, key_of
from sympy import primerange
from tables_recovery import (
    decoyed,
    every_law,
    first_law,
    law_and_key,
    recovery,
    recovery_decoys,
    recovery_groups,
    recovery_long,
    recovery_small,
    recovery_times,
)

import rfm
from rfm import Setting, Split, Symmetry
from rfm.judging import leads
from rfm.measures import relative_spectrum
from rfm.networks import (
    Activation,
    Mirrored,
    NetworkSetting,
    Paired,
    Random,
    ReLU,
    Square,
    Training,
    Waves,
    cross_shares,
)
from rfm.starts import averaged, entry_orbits, wishart
from rfm.sweeps import Measure, Plain, outcome
from rfm.two_spectra import Midpoints, TwoSpectra, sign_patterns

DATA = ROOT / "book" / "data"
GAUSSIAN, QUADRATIC = rfm.Gaussian(bandwidth=2.5), rfm.Quadratic()
KERNELS = (GAUSSIAN, QUADRATIC)
MORE_KERNELS = (
    *(rfm.Gaussian(bandwidth=L) for L in (1.0, 2.5, 5.0)),
    *(rfm.Laplace(bandwidth=2.5), rfm.Matern(bandwidth=2.5), QUADRATIC),
)
SEEDS = range(5)


def setting(split: Split, kernel: rfm.Kernel, still: float = 1e-7, **labels: Plain) -> Setting:
    """Sixty iterations of the default recipe, as in the paper, or until M stands still.

    That is, until an iteration moves it by less than ``still`` of its norm. At smaller p, in runs
    that went on to sixty, no test point changed sides after 1e-5.
    """
    return Setting(split, kernel, {"iterations": 60, "stop": rfm.converged(still)}, labels)


def names(elements: Iterable[Symmetry]) -> str:
    """Group elements as they stand in a table."""
    return "; ".join(g.name for g in elements)


def features(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and the group elements in the last feature matrix, by the rule of the package.

    ``weakest`` and ``left_out`` say how close the rule came to another answer: the least deviation
    of an element that stands out, and the largest of one that does not, relative to the largest;
    the identity is left out. ``keeps`` counts the elements that keep the training set.
    """
    parts = rfm.decompose(run.features, run.split.task)
    others = torch.tensor([g != parts.task.identity for g in parts.task.symmetries])
    size, out = parts.deviations.abs() / parts.deviations[others].abs().max(), parts.stands_out
    return {
        **outcome(run),
        "elements": names(parts.elements),
        "collapsed": names(parts.collapsed),
        "group": parts.group.name,
        "keeps": rfm.stabiliser(run.split).order,
        "residual": round(parts.residual, 6),
        "weakest": round(float(size[others & out].min()) if (others & out).any() else 0.0, 3),
        "left_out": round(float(size[others & ~out].max()) if (others & ~out).any() else 0.0, 3),
    }


# ------------------------------------------------------------------ 03, kernels without features

WITHOUT = (
    *(rfm.Gaussian(bandwidth=L) for L in (0.5, 2.5, 10)),
    *(rfm.Laplace(bandwidth=2.5), rfm.Matern(bandwidth=2.5), QUADRATIC),
)


def without_features() -> Iterator[Setting]:
    """Fit random splits once, with the metric as it is at the start, M = I."""
    tasks = [rfm.addition(n) for n in (7, 11, 12, 13, 17, 23, 31)]
    tasks += [rfm.addition(3, 5), rfm.addition(2, 2, 3)]
    tasks += [rfm.subtraction(15), rfm.multiplication(13), rfm.division(17)]
    fractions = 0.05, 0.1, 0.2, 0.3, 0.5, 0.9
    for task, fraction, kernel, seed in product(tasks, fractions, WITHOUT, SEEDS):
        split = rfm.random_split(task, fraction, seed)
        yield Setting(split, kernel, {"iterations": 1}, {"fraction": fraction, "seed": seed})
    large, few = (rfm.addition(61), rfm.addition(97)), (0.02, 0.03, 0.04, 0.05, 0.06, 0.1)
    for task, fraction, kernel, seed in product(large, few, KERNELS, range(10)):
        split = rfm.random_split(task, fraction, seed)
        yield Setting(split, kernel, {"iterations": 1}, {"fraction": fraction, "seed": seed})


def unlearned(run: rfm.Run) -> dict[str, Plain]:
    """How many test points are right, and where the score of their class is among all classes.

    ``average`` is by how much it exceeds the mean over classes, averaged over the test points,
    relative to the largest such difference of any class. Of the points, ``below_fewer`` have it
    below every class that misses fewer than two of its cells in the point's row and column.
    """
    split, task = run.split, run.split.task
    kernel = next(k for k in WITHOUT if repr(k) == run.settings["kernel"])
    M, targets = torch.eye(task.dimension).double(), task.one_hot_labels(split.train)
    machine = rfm.KernelMachine.fit(split.train, targets, kernel, M)
    scores = machine.predict(split.test)
    table = task.labels.reshape(task.n, task.n)
    a, b = split.test.T
    relative = scores - scores.mean(1, keepdim=True)
    label = table[a, b, None]
    own = relative.gather(1, label)
    held = (split.kind != rfm.Kind.TRAIN).reshape(table.shape)
    in_row = held.gather(1, table.argsort(1))[a]  # is the cell of class c in row a missing?
    in_column = held.gather(0, table.argsort(0)).T[b]
    fewer = relative.masked_fill(in_row & in_column, torch.inf).amin(1)
    return {
        "n": task.n,
        "train_size": len(split.train),
        "points": len(split.test),
        "right": int(run.correct().sum()),
        "average": float(own.mean() / relative.abs().max()),
        "below_fewer": int((own[:, 0] < fewer - machine.resolution).sum()),
    }


# ------------------------------------------------------------------------------- 06, the trap


def trap() -> Iterator[Setting]:
    """Withhold the fixed points of a reflection, in every setting of the paper: C2."""
    chosen: list[Symmetry] = [
        rfm.addition(61).reflection(0),
        rfm.multiplication(61).reflection(35),
        rfm.addition(53).reflection(0),
        rfm.multiplication(53).reflection(13),
        rfm.division(53).reflection(27),
        rfm.division(47).reflection(27),
        rfm.addition(5, 11).reflection((3, 2)),
    ]
    operations = rfm.addition, rfm.subtraction, rfm.multiplication, rfm.division
    for task in (*(make(29) for make in operations), rfm.addition(3, 7)):
        chosen += task.reflections
    for mirror, kernel in product(chosen, KERNELS):
        split = rfm.withhold(mirror.task, mirror.fixed_points())
        yield setting(split, kernel, reflection=mirror.name)


def given_back() -> Iterator[Setting]:
    """Give withheld fixed points back to training: C5, Fig. 5A."""
    mirrors = rfm.addition(53).reflection(0), rfm.multiplication(53).reflection(13)
    for mirror, count, seed in product(mirrors, (1, 5, 10, 20, 30, 40, 50), SEEDS):
        split = rfm.withhold(mirror.task, mirror.fixed_points()).give_back_random(count, seed)
        yield setting(split, GAUSSIAN, 1e-6, reflection=mirror.name, given_back=count, seed=seed)


SMALL = tuple(rfm.addition(n) for n in range(3, 17))
PRODUCTS = tuple(rfm.addition(*m) for m in ((2, 2), (2, 2, 2), (2, 4), (3, 3), (2, 2, 3), (4, 4)))
FAMILY = (*(rfm.Gaussian(L) for L in (0.5, 1.0, 2.5, 5.0, 10.0)), rfm.Laplace(), rfm.Matern())
RECIPES = (
    *({"ridge": ridge} for ridge in (1e-6, 1e-4, 1e-2)),
    *({"power": power} for power in (0.25, 1.0)),
    {"centred": False},
)


def first_mirror(task: rfm.Task) -> Symmetry:
    """s of an addition. By equivariance all reflections of a task are equivalent."""
    return task.reflections[task.group.identity]


def recipe(split: Split, kernel: rfm.Kernel, changes: Mapping, **labels: Plain) -> Setting:
    """Sixty iterations, or until M stands still, with some of the recipe changed."""
    options = {"iterations": 60, "stop": rfm.converged(1e-7), **changes}
    return Setting(split, kernel, options, labels)


def random_start(task: rfm.Task, size: float, seed: int) -> torch.Tensor:
    """The identity and so much of a random positive matrix, whose mean is the identity."""
    drawn = torch.Generator().manual_seed(seed)
    A = torch.randn(task.dimension, task.dimension, generator=drawn, dtype=torch.float64)
    return torch.eye(task.dimension, dtype=torch.float64) + size * A @ A.T / task.dimension


def trap_varied() -> Iterator[Setting]:
    """The trap in small tables, with other kernels, recipes and random starts: C2."""
    for task in (*SMALL, *PRODUCTS):
        split = rfm.withhold(task, first_mirror(task).fixed_points())
        widths = (0.35, 0.4) if task.n % 2 else (0.3, 0.35, 0.4)
        widths = widths if task.n > 3 else ()  # there rounding decides
        narrow = [rfm.Gaussian(L) for L in widths]
        for kernel in (*narrow, *FAMILY, QUADRATIC):
            yield recipe(split, kernel, {}, n=task.n, varied="kernel", size=0.0, seed=0)
    for n, kernel in product((7, 8, 9, 12), KERNELS):
        task = rfm.addition(n)
        split = rfm.withhold(task, first_mirror(task).fixed_points())
        for changes in RECIPES:
            (name,) = changes
            yield recipe(split, kernel, changes, n=n, varied=name, size=0.0, seed=0)
        for size, seed in product((0.1, 1.0), SEEDS):
            start = {"M0": random_start(task, size, seed), "iterations": 30}
            yield recipe(split, kernel, start, n=n, varied="start", size=size, seed=seed)


def firmly(run: rfm.Run) -> dict[str, Plain]:
    """The outcome without its best iteration, and the best of those whose leads are no rounding.

    ``firm_right`` and ``firm_at`` are the most withheld points right in an iteration in which each
    of them leads by more than a millionth, and the first such iteration, 0 and 0 if there is none.
    ``firm_iterations`` counts the iterations with such a point.
    """
    kept = {name: v for name, v in outcome(run).items() if not name.startswith("best_")}
    held = run.split.test_kind == rfm.Kind.WITHHELD
    counts = run.right[:, held].sum(1).numpy() * run.table["margin"].gt(1e-6).to_numpy()
    best = int(counts.max())
    return {
        **kept,
        "firm_right": best,
        "firm_at": int(counts.argmax()) + 1 if best else 0,
        "firm_iterations": int((counts > 0).sum()),
    }


def given_back_varied() -> Iterator[Setting]:
    """Give fixed points back in small tables, with other kernels: C5."""
    kernels = (*KERNELS, rfm.Gaussian(1.0), rfm.Matern())
    for n, kernel in product((7, 8, 9, 11, 12, 13), kernels):
        task = rfm.addition(n)
        trapped = rfm.withhold(task, first_mirror(task).fixed_points())
        counts = (1, 2, n // 2) if n % 2 else (1, 2, n // 2, n - 1)
        for count, seed in product(counts, range(3)):
            split = trapped.give_back_random(count, seed)
            yield recipe(split, kernel, {}, n=n, given_back=count, seed=seed)


def echoed(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and how many withheld points were answered with labels that were given back.

    ``answered`` counts the points at which the right class is not tied for the lead, ``known``
    those of them that were answered so, ``known_right`` the points that have such a label.
    """
    task, (mirror,) = run.split.task, run.split.mirrors
    axis = mirror.fixed_points()
    given = axis[~torch.isin(task.index(axis), task.index(run.split.test))]
    labels = [task.group.values[label] for label in task.label(given).tolist()]
    told = run.predictions[["predicted", "label"]].isin(labels)
    answered = run.predictions["margin"].abs() > run.table["tie"].iloc[-1]
    return {
        **outcome(run),
        "answered": int(answered.sum()),
        "known": int((told["predicted"] & answered).sum()),
        "known_right": int(told["label"].sum()),
    }


def dihedral_subgroups() -> Iterator[Setting]:
    """Withhold the fixed points of all reflections of a dihedral subgroup: C9, Fig. 3 and 8."""
    task = rfm.addition(32)
    for step, kernel in product((32, 16, 8, 4), KERNELS):
        generators = [task.reflection(0), *([task.rotation(step)] if step < 32 else [])]
        split = rfm.withhold(task, rfm.generate(*generators).fixed_points())
        name = ", ".join(g.name for g in reversed(generators))
        yield setting(split, kernel, subgroup=f"⟨{name}⟩", reflections=32 // step)


# --------------------------------------------------------------------------- 07, breaking it

PLUS_61, TIMES_61 = rfm.addition(61).reflection(0), rfm.multiplication(61).reflection(35)
PLUS_53, OVER_53 = rfm.addition(53).reflection(0), rfm.division(53).reflection(27)
PRODUCT = rfm.addition(5, 11).reflection((3, 2))
CURVE = (0, 1, 5, 10, 20, 50, 100, 200)


def random_moves() -> Iterator[Setting]:
    """Move random training points to the test set: C3 (Table 1), C4, C7 and C8 (Fig. 1, 6, 7)."""
    wanted = [
        (PLUS_61, GAUSSIAN, (0, 1)),
        (PLUS_61, QUADRATIC, (0, 100, 200)),
        *product((PLUS_53, TIMES_61, OVER_53, PRODUCT), KERNELS, (CURVE,)),
    ]
    for mirror, kernel, counts in wanted:
        trapped = rfm.withhold(mirror.task, mirror.fixed_points())
        for count in counts:
            for seed in SEEDS if count else SEEDS[:1]:
                split = trapped.move_random(count, seed) if count else trapped
                labels = {"reflection": mirror.name, "moved_points": count, "seed": seed}
                yield setting(split, kernel, 1e-6, **labels)


def mirror_moves() -> Iterator[Setting]:
    """Move mirror pairs instead, which keeps the symmetry: C4 and C8 (Fig. 1 and 7)."""
    for mirror, kernel, pairs, seed in product(
        (PLUS_53, PRODUCT), KERNELS, (1, 10, 50, 100), SEEDS
    ):
        split = rfm.withhold(mirror.task, mirror.fixed_points())
        split = split.move_mirror_pairs(pairs, mirror, seed)
        labels = {"reflection": mirror.name, "moved_points": 2 * pairs, "seed": seed}
        yield setting(split, kernel, 1e-6, **labels)


def differences(task: rfm.Task) -> Iterator[int]:
    """One element of each orbit of the automorphisms, the identity left out.

    In a group with a direct operation, single moves (a, b) out of the trap of s are equivalent if
    automorphisms carry the difference of their operands to each other.
    """
    maps, seen = rfm.automorphisms(task.group), {task.group.identity}
    for d in range(task.n):
        if d not in seen:
            seen |= set(maps[:, d].tolist())
            yield d


def one_move() -> Iterator[Setting]:
    """Move one point out of the trap in small tables, each in turn up to symmetry: C3, N1."""
    kernels = (*(rfm.Gaussian(L) for L in (0.5, 1.0, 2.5, 10.0)), rfm.Laplace(), rfm.Matern())
    larger = [rfm.addition(n) for n in (18, 21, 25, 27, 28)]
    wanted: list[tuple[rfm.Task, rfm.Kernel, Mapping]] = [
        *product((*SMALL, *PRODUCTS), (*kernels, QUADRATIC), ({},)),
        *product(larger, KERNELS, ({},)),
        *product([rfm.addition(n) for n in (9, 11, 12, 13)], KERNELS, RECIPES),
    ]
    for task, kernel, changes in wanted:
        e = task.group.identity
        trapped = rfm.withhold(task, first_mirror(task).fixed_points())
        for d in differences(task):
            split = trapped.move(torch.tensor([e, d]))
            labels = {"n": task.n, "difference": task.element(d), "varied": "".join(changes)}
            yield recipe(split, kernel, changes, **labels)


def recipe_narrowest() -> Iterator[Setting]:
    """The last two iterations with the narrowest Gaussian: its metric goes up and down."""
    return recipe_tables.narrowest(one_move())


def moves_varied() -> Iterator[Setting]:
    """Move points at random and in mirror pairs in small tables: C3, C4, C7, C8."""
    tasks = [rfm.addition(n) for n in (9, 11, 12, 13, 15, 16)] + [rfm.addition(3, 3)]
    for task, kernel in product(tasks, (*KERNELS, rfm.Gaussian(1.0))):
        mirror = first_mirror(task)
        trapped = rfm.withhold(task, mirror.fixed_points())
        for count, pairs, seed in product((2, 6, 20), (False, True), range(3)):
            if pairs:
                split = trapped.move_mirror_pairs(count // 2, mirror, seed)
            else:
                split = trapped.move_random(count, seed)
            labels = {"n": task.n, "pairs": pairs, "moved_points": count, "seed": seed}
            yield recipe(split, kernel, {}, **labels)
    times = rfm.multiplication(61).reflection(35)
    last = rfm.withhold(times.task, times.fixed_points()).move_random(200, seed=0)
    labels = {"n": times.task.n, "pairs": False, "moved_points": 200, "seed": 0}
    yield recipe(last, QUADRATIC, {"centred": False}, **labels)


# --------------------------------------------------------------------- 08, every held-out point


def single_moves() -> Iterator[Setting]:
    """Move one point; which one does not matter for a prime: N1."""
    for p in primerange(5, 72):
        task = rfm.addition(p)
        trapped = rfm.withhold(task, task.reflection(0).fixed_points())
        yield setting(trapped.move(task.pair(0, 1)), GAUSSIAN, reflection="s", modulus=p)


def still_wrong(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and which fixed points are wrong, seen from the moved point (a, b).

    A fixed point (c, c) is named by the u for which c = m + u (b − a)/2, m = (a + b)/2 the
    midpoint: 0 for m itself, −1 and 1 for a and b, −2 and 2 for m ∓ (b − a).
    """
    p = run.split.task.n
    wrong = run.predictions.query("not correct")
    (a, b), *_ = wrong.loc[wrong["kind"] == "moved", ["a", "b"]].to_numpy().tolist() or [(0, 1)]
    held = wrong.loc[wrong["kind"] == "withheld", "a"].tolist()
    places = [(2 * c - a - b) * pow(b - a, -1, p) % p for c in held]
    places = sorted(u - p if u > p // 2 else u for u in places)
    return {**outcome(run), "wrong_at": " ".join(map(str, places))}


def held_out() -> Iterator[Setting]:
    """Hold out one sample, and two, in every way that symmetry does not make equal: C6, N1, N2."""
    tasks = [rfm.addition(p) for p in (13, 23, 29, 31, 61)]
    tasks += [rfm.addition(12), rfm.addition(3, 5), rfm.multiplication(13)]
    for task in tasks:
        kernels = (GAUSSIAN,) if task.n == 61 else KERNELS
        classes = rfm.single_classes(task) + rfm.pair_classes(task)
        for held, kernel in product(classes, kernels):
            yield setting(
                rfm.withhold(task, held.representative),
                kernel,
                1e-4 if task.n == 61 else 1e-7,
                held_out=len(held.representative),
                difference=held.name,
                sets=held.size,
                common_mirror=held.common_mirror is not None,
                same_label=held.same_label,
            )


def held_out_small() -> Iterator[Setting]:
    """Hold out one sample, and two, of small tables, with more kernels: limits of C6 and N2.

    For an even order rounding decides some cases later than after 25 iterations.
    """
    for moduli in ((3,), (4,), (2, 2), (5,), (6,), (7,), (8,), (2, 4), (9,), (3, 3), (11,), (13,)):
        task = rfm.addition(*moduli)
        classes = rfm.single_classes(task) + rfm.pair_classes(task)
        for held, kernel in product(classes, MORE_KERNELS):
            yield Setting(
                rfm.withhold(task, held.representative),
                kernel,
                {"iterations": 60 if task.n % 2 else 25, "stop": rfm.converged(1e-6)},
                {
                    "held_out": len(held.representative),
                    "difference": held.name,
                    "order": task.n,
                    "common_mirror": held.common_mirror is not None,
                    "same_label": held.same_label,
                },
            )


# ------------------------------------------------------------- 09, features are group elements


def encoded() -> Iterator[Setting]:
    """Withhold a reflection's fixed points, with more kernels and a ridge: limits of C10.

    All reflections of a table are equivalent, so that one speaks for all.
    """
    cyclic = [(n,) for n in (5, 6, 7, 8, 9, 11, 12, 15, 16, 21, 24, 25)]
    products = [(2, 4), (2, 2, 2), (3, 3), (3, 5), (4, 4), (2, 2, 4), (5, 5)]
    for moduli in cyclic + products:
        task = rfm.addition(*moduli)
        mirror = task.reflections[2]
        for kernel, ridge in (*product(MORE_KERNELS, (0.0,)), *product(KERNELS, (0.1,))):
            options = {"iterations": 60, "ridge": ridge, "stop": rfm.converged(1e-6)}
            yield Setting(
                rfm.withhold(task, mirror.fixed_points()),
                kernel,
                {**options, "keep_features": True},
                {"reflection": mirror.name, "order": task.n},
            )


def rise(run: rfm.Run) -> dict[str, Plain]:
    """The outcome with features, and from which iteration on they are those of the trap.

    That is, id and the withheld reflection and nothing else, to the last iteration; 0 if not.
    """
    task = run.split.task
    trap = {task.identity, *run.split.mirrors}
    exact = [set(rfm.decompose(M, task).elements) == trap for M in run.history[1:]]
    since = next((i for i in range(len(exact)) if all(exact[i:])), -1) + 1
    return {**features(run), "exact_from": since}


def halves() -> Iterator[Setting]:
    """Features of random splits of small tables: the rest of C10."""
    operations = rfm.addition, rfm.subtraction, rfm.multiplication, rfm.division
    wanted = [*product([make(29) for make in operations], (0.5,), SEEDS)]
    others = rfm.addition(11), rfm.addition(16), rfm.addition(3, 7)
    wanted += product(others, (0.3, 0.5, 0.8), SEEDS)
    for (task, fraction, seed), kernel in product(wanted, KERNELS):
        split = rfm.random_split(task, fraction, seed)
        yield setting(split, kernel, order=task.n, fraction=fraction, seed=seed)


# ------------------------------------------------------------------------------- 04, RFM and AGOP

FORMS = {
    "code: 2L² and centred": (GAUSSIAN, True),
    "2L² and raw": (GAUSSIAN, False),
    "L and centred": (rfm.Gaussian.as_printed(2.5), True),
    "text: L and raw": (rfm.Gaussian.as_printed(2.5), False),
    "code: quadratic, centred": (QUADRATIC, True),
    "text: quadratic, raw": (QUADRATIC, False),
}


def recipes() -> Iterator[Setting]:
    """The recipe of the paper's text and that of its code, on random parts of four tables."""
    wanted = list(product([rfm.addition(23)], (0.5, 0.6, 0.7, 0.8), range(4), FORMS))
    wanted += product([rfm.addition(31)], (0.6,), range(2), FORMS)
    wanted += product([rfm.multiplication(17)], (0.8,), range(4), FORMS)
    wanted += product(
        [rfm.addition(61)], (0.5,), (0,), ("code: 2L² and centred", "text: L and raw")
    )
    for task, fraction, seed, recipe in wanted:
        kernel, centred = FORMS[recipe]
        options = {"iterations": 25 if task.n == 61 else 30, "centred": centred}
        labels = {"recipe": recipe, "fraction": fraction, "seed": seed}
        yield Setting(rfm.random_split(task, fraction, seed), kernel, options, labels)


# ----------------------------------------------------------------------------------- 05, grokking


FOUR_61 = rfm.addition(61), rfm.subtraction(61), rfm.multiplication(61), rfm.division(61)


def half(split: Split, kernel: rfm.Kernel, iterations: int = 60, **labels: Plain) -> Setting:
    """A run that keeps all its features."""
    made = setting(split, kernel, **labels)
    return replace(made, options={**made.options, "iterations": iterations, "keep_features": True})


def grokking() -> Iterator[Setting]:
    """Random halves of four tables: C1."""
    for task, kernel, seed in product(FOUR_61, KERNELS, SEEDS):
        yield setting(rfm.random_split(task, 0.5, seed), kernel, seed=seed)


def jump(run: rfm.Run) -> dict[str, Plain]:
    """The outcome with features, and when the test accuracy passes 2, 25 and 75 %."""
    deviation = rfm.circulant_deviation(run.features, run.split.task)
    return {**features(run), "deviation": deviation, **times(run)}


def times(run: rfm.Run) -> dict[str, int]:
    """The first iterations with at least 25 and 75 % test accuracy, 0 if never.

    ``flat`` is the last one before it reaches 2 %, the last of all if it never does.
    """
    accuracy = run.table["test_accuracy"]

    def first(level: float) -> int:
        return int(accuracy.ge(level).idxmax()) if accuracy.ge(level).any() else 0

    flat = (first(0.02) or len(accuracy) + 1) - 1
    return {"flat": flat, "quarter_at": first(0.25), "three_quarters_at": first(0.75)}


def grokking_course() -> Iterator[Setting]:
    """A random half of each of the four tables, from inside: C1 and C15."""
    for task, kernel in product(FOUR_61, KERNELS):
        yield half(rfm.random_split(task, 0.5, 0), kernel, 30, seed=0)


def grokking_small() -> Iterator[Setting]:
    """Random parts of smaller tables, with more kernels: where C1 ends."""
    tasks = [rfm.addition(n) for n in (11, 13, 23, 31)]
    tasks += [rfm.multiplication(13), rfm.addition(3, 5)]
    wanted = list(product(tasks, KERNELS, (0.5, 0.6, 0.7, 0.8)))
    others = rfm.Gaussian(1.0), rfm.Gaussian(5.0), rfm.Matern(2.5), rfm.Laplace(2.5)
    wanted += product((rfm.addition(23),), others, (0.5, 0.8))
    for (task, kernel, fraction), seed in product(wanted, range(3)):
        split = rfm.random_split(task, fraction, seed)
        yield half(split, kernel, fraction=fraction, seed=seed)


def by_fraction() -> Iterator[Setting]:
    """Random parts of one table, and features that were not learned there: C15."""
    task, options = rfm.addition(61), {"iterations": 30, "keep_features": True}
    for fraction, seed in product((0.1, 0.2, 0.3, 0.4, 0.5), SEEDS):
        split = rfm.random_split(task, fraction, seed)
        yield Setting(split, GAUSSIAN, options, {"fraction": fraction, "seed": seed})


@cache
def of_a_half() -> rfm.Run:
    """Twenty iterations on a random half of x + y mod 61, seed 0."""
    return rfm.fit(rfm.random_split(rfm.addition(61), 0.5, 0), GAUSSIAN, 20)


def beside(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, what single fits do on the same split, and what could be read off M_10.

    ``plain_right`` test points are right in the first iteration; ``drawn_right`` in one with random
    circulant features, of the seed of the split; ``reused_right`` in one with the metric of
    :func:`of_a_half`, of the ``reused`` test points that were not in training there. Under M_10
    ``votes`` of them have the most votes for the right class and ``right`` are right, its circulant
    deviation is ``deviation`` and the size of its off-diagonal block ``size``.
    """
    split, task = run.split, run.split.task
    seed, M = int(split.history[0].split("seed ")[1].removesuffix(")")), run.history[10]
    drawn = rfm.fit(split, GAUSSIAN, 1, M0=rfm.random_circulant_features(task, seed))
    reused = rfm.fit(split, GAUSSIAN, 1, M0=of_a_half().features).correct()
    new = ~torch.isin(task.index(split.test), task.index(of_a_half().split.train))
    return {
        **outcome(run),
        "plain_right": int(run.right[0].sum()),
        "drawn_right": int(drawn.correct().sum()),
        "reused": int(new.sum()),
        "reused_right": int(reused[new].sum()),
        "votes": round(len(split.test) * rfm.vote_accuracy(M, split)),
        "right": int(run.right[10].sum()),  # iteration 11 fits with M_10
        "deviation": rfm.circulant_deviation(M, task),
        "size": size(M),
    }


def size(M: torch.Tensor) -> float:
    """The norm of the off-diagonal block C of M, relative to that of the block above it."""
    n = len(M) // 2
    return float(M[n:, :n].norm() / M[:n, :n].norm())


def course(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, when the test accuracy passes some levels, and what the metric knows then.

    ``course`` has the test points that are right, iteration by iteration; ``deviation`` is that of
    the last metric, and ``gone`` how much of its way down, from its peak, it had gone in the metric
    of iteration ``flat``, nan where that is the identity. Under this metric ``votes_flat`` test
    points have the most votes for the right class, and ``votes_first`` under the metric that the
    first iteration left. ``size`` is that of the off-diagonal block in the metric of iteration
    ``quarter_at``; 0 if there is none.
    """
    points, reached = len(run.split.test), times(run)
    flat, quarter = reached["flat"], reached["quarter_at"]
    deviations = [rfm.circulant_deviation(M, run.split.task) for M in run.history[1:]]
    way = max(deviations) - deviations[-1]
    gone = (max(deviations) - deviations[flat - 2]) / way if flat > 1 and way > 0 else math.nan
    before = run.history[max(flat - 1, 0)]  # iteration t fits with M_{t−1}
    return {
        **outcome(run),
        "deviation": deviations[-1],
        **reached,
        "gone": gone,
        "votes_first": round(points * rfm.vote_accuracy(run.history[1], run.split)),
        "votes_flat": round(points * rfm.vote_accuracy(before, run.split)),
        "size": size(run.history[quarter - 1]) if quarter else 0.0,
        "course": " ".join(str(int(row.sum())) for row in run.right),
    }


# ------------------------------------------------------- 10, features predict what is learned


@cache
def trapped(task: rfm.Task, kernel: rfm.Kernel) -> torch.Tensor:
    """Features after fifty iterations without Fix(s), as the paper takes them for M₀."""
    s = Symmetry(task, task.group.identity, reflects=True)
    return learned_without(rfm.generate(s), kernel)


@cache
def learned_without(H: rfm.Subgroup, kernel: rfm.Kernel = GAUSSIAN) -> torch.Tensor:
    """Features after fifty iterations without the fixed points of H's reflections."""
    split = rfm.withhold(H.task, H.fixed_points())
    return rfm.fit(split, kernel, 50, stop=rfm.converged(1e-7), warn=False).features


def features_of(mirror: Symmetry, kernel: rfm.Kernel = GAUSSIAN) -> torch.Tensor:
    """The features that encode a reflection sr^k: those of s with coordinates renamed.

    (a, b) ↦ (a, b ⋆ k) takes Fix(s) to Fix(sr^k), so by equivariance it takes one to the other.
    """
    task = mirror.task
    learned = trapped(task, kernel)
    rename = rfm.Equivalence(task, torch.arange(task.n), task.group.identity, mirror.k, False)
    where, M0 = rename.coordinates(), torch.empty_like(learned)
    M0[where[:, None], where] = learned
    return M0


def started(
    M0: Start, split: Split, kernel: rfm.Kernel, iterations: int = 60, **labels: Plain
) -> Setting:
    """A run from given features, all of which it keeps.

    The axis of an encoded reflection collapses to one point with many labels. Without a ridge the
    kernel matrix is then singular, and scores on the axis are what the jitter makes of them. So for
    one iteration there is none, as in the paper, and for more a small one. (If labels occur twice
    on an axis, rounding may decide which of them is ahead at that point.)
    """
    options = {"M0": M0, "keep_features": True, "iterations": iterations}
    if iterations > 1:
        options |= {"ridge": 1e-6, "stop": rfm.converged(1e-6)}
    return Later(split, kernel, options, labels)


def predicted() -> Iterator[Setting]:
    """Learn a random half, starting from the features of a reflection: C11, Fig. 4, 15 and 16."""
    operations = rfm.addition, rfm.subtraction, rfm.multiplication, rfm.division
    tasks = [make(29) for make in operations] + [rfm.addition(30), rfm.addition(4, 6)]
    mirrors = [g for task in tasks for g in task.reflections]
    mirrors.append(rfm.addition(5, 7).reflection((2, 3)))
    for mirror, kernel, iterations, seed in product(mirrors, KERNELS, (1, 60), SEEDS):
        if iterations == 1 and mirror.task.n % 2 == 0:
            continue
        split = rfm.random_split(mirror.task, 0.5, seed)
        labels = {"start": mirror.name, "seed": seed}
        yield started(partial(features_of, mirror), split, kernel, iterations, **labels)


def predicted_by_more() -> Iterator[Setting]:
    """Learn a random tenth or half, starting from the features of a larger subgroup."""
    plus, minus = rfm.addition, rfm.subtraction
    chosen = [(plus(32), 16), (plus(32), 8), (plus(32), 4), (plus(30), 10), (plus(30), 6)]
    chosen += [(plus(27), 9), (minus(30), 10)]
    for task, step in chosen:
        H = rfm.generate(task.reflection(0), task.rotation(step))
        M0 = partial(learned_without, H)
        for fraction, kernel, seed in product((0.1, 0.5), KERNELS, SEEDS):
            split = rfm.random_split(task, fraction, seed)
            labels = {"start": repr(H), "start_order": H.order, "fraction": fraction, "seed": seed}
            yield started(M0, split, kernel, **labels)


def foretold(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and what the features at the start predicted, for the first fit and the last.

    Of the test points, ``predicted`` are in the orbit of the training set under the group that M₀
    encodes; ``first_right`` and ``last_right`` are right, ``first_both`` and ``last_both`` are in
    the orbit as well. In iteration ``first_miss`` prediction and outcome differ on a point for the
    first time, 0 if they never do.
    """
    parts = rfm.decompose(run.history[0], run.split.task)
    course = parts.predict(run.split).compared(run)
    first, last = course.iloc[0], course.iloc[-1]
    miss = course["agree"] < len(run.split.test)
    return {
        **outcome(run),
        "encoded": names(parts.group.generators),
        "encoded_order": parts.group.order,
        "predicted": int(first["predicted"]),
        "first_right": int(first["right"]),
        "first_both": int(first["both"]),
        "last_right": int(last["right"]),
        "last_both": int(last["both"]),
        "first_miss": int(miss.idxmax()) if miss.any() else 0,
    }


def coinciding(mirror: Symmetry, kernel: rfm.Kernel) -> torch.Tensor:
    """From the features that encode a reflection, M₀Π = −M₀ but for the axis, some with M₀Π = M₀.

    The block between the two operands changes its sign.
    """
    M0 = features_of(mirror, kernel)
    n, M = mirror.task.n, M0.clone()
    M[:n, n:], M[n:, :n] = -M0[:n, n:], -M0[n:, :n]
    return M


def pull(
    kernel: rfm.Kernel, M: torch.Tensor, mirror: Symmetry, ridge: float
) -> tuple[float, float]:
    """θ, the share of its label that a sample hands to its mirror image, and the shrinkage η.

    With k₂ the kernel of a sample off the axis and itself, k₁ and one that shares an operand, k₀
    and one that shares none, k₋₁ and k₋₂ the mirror images of these: δ = k₂ − 2k₁ + k₀,
    θ = (k₋₂ − 2k₋₁ + k₀)/(δ + λ) and η = δ/(k₁ − k₀).
    """
    task = mirror.task
    off = task.samples[task.mirror(task.samples) != mirror.k]
    k, shared = kernel.gram(off[:1], off, M)[0], (off == off[0]).sum(1)
    shared -= (mirror(off) == off[0]).sum(1)  # operands are shared with one of the two only
    k2, k1, k0, far1, far2 = (float(k[shared == m].mean()) for m in (2, 1, 0, -1, -2))
    δ = k2 - 2 * k1 + k0
    return (far2 - 2 * far1 + k0) / (δ + ridge), δ / (k1 - k0)


def counted(split: Split, mirror: Symmetry, θ: float, η: float) -> torch.Tensor:
    """By how much the right class leads at each test point, (N_test,), by counts of samples.

    A row or column with m samples in training, one of class c or none, gives c a score of
    1/(m + η) or nothing, all else being equal. The image of a sample x scores θ for its class, and
    on top of it by its own row and column, less θ times by those of x.
    """
    task, n, images = split.task, split.task.n, mirror(split.test)
    lines = torch.cat([split.train[:, 0], n + split.train[:, 1]])
    held = torch.zeros(2 * n, n, dtype=torch.float64)
    held[lines, task.label(split.train).repeat(2)] = 1
    held /= (torch.bincount(lines, minlength=2 * n) + η)[:, None]
    scores = held[split.test[:, 0]] + held[n + split.test[:, 1]]
    scores -= θ * (held[images[:, 0]] + held[n + images[:, 1]])
    return leads(scores + θ * task.one_hot_labels(split.test), task.label(split.test))


ORDERS = (7, 9, 11, 12, 13, 15, 16, 19, 23, 29, 41)
TENTHS = tuple(i / 10 for i in range(1, 9))
MIRROR = 5  # one reflection will do: for odd n the others are this one under other names
OTHERS = *(rfm.Gaussian(L) for L in (0.5, 1.0, 5.0, 10.0)), rfm.Laplace(2.5), rfm.Matern(2.5)
MAPPED = {repr(kernel): kernel for kernel in (*KERNELS, *OTHERS)}


def orbit_map() -> Iterator[Setting]:
    """Learn a random part of the table from the features of a reflection, large and small: C11."""
    wanted = [
        *product(ORDERS, (GAUSSIAN,), ("opposite",), (1,), TENTHS, range(10)),
        *product(ORDERS, (QUADRATIC,), ("opposite",), (1,), TENTHS, SEEDS),
        *product((11, 13, 16, 29), (GAUSSIAN,), ("coincide",), (1,), TENTHS, SEEDS),
        *product((11, 13, 16, 29), KERNELS, ("opposite",), (20,), (0.1, 0.2, 0.3, 0.5), SEEDS),
        *product((13, 29), (rfm.Gaussian(1.0),), ("opposite",), (20,), (0.3, 0.5, 0.7), SEEDS),
    ]
    wanted += product((13, 29), OTHERS, ("opposite",), (1,), TENTHS, SEEDS)
    for n, kernel, images, iterations, fraction, seed in wanted:
        mirror = rfm.addition(n).reflections[MIRROR]
        M0 = partial(features_of if images == "opposite" else coinciding, mirror, kernel)
        split = rfm.random_split(mirror.task, fraction, seed)
        labels = {"n": n, "images": images, "fraction": fraction, "seed": seed}
        options = {"M0": M0, "keep_features": True, "ridge": 1e-6, "iterations": iterations}
        yield Later(split, kernel, options | {"warn": False}, labels)


def weighed(run: rfm.Run) -> dict[str, Plain]:
    """What :func:`foretold` keeps, and what the counts of training samples say of the first fit.

    ``pull`` is θ, the share of its label that a training sample hands to its mirror image, and
    ``shrink`` η, what is added to the number of samples in a row.
    ``counted`` points are right by the counts; of the predicted ones ``counted_right`` are and
    ``counted_alike`` are right or wrong in the first fit as the counts say. ``lucky`` points are
    right and not predicted, ``lucky_axis`` of them on the axis.
    """
    split, task, M0 = run.split, run.split.task, run.history[0]
    mirror, kernel = task.reflections[MIRROR], MAPPED[run.settings["kernel"]]
    predicted, right = split.reached_by(rfm.generate(mirror)), run.right[0]
    θ, η = pull(kernel, M0, mirror, run.settings["ridge"])
    said = counted(split, mirror, θ, η) > 0
    lucky = right & ~predicted
    on_axis = task.mirror(split.test) == mirror.k
    return {
        **foretold(run),
        "pull": round(θ, 6),
        "shrink": round(η, 6),
        "counted_right": int((said & predicted).sum()),
        "counted_alike": int((said == right)[predicted].sum()),
        "lucky": int(lucky.sum()),
        "lucky_axis": int((lucky & on_axis).sum()),
    }


# ------------------------------------------------------------------- 11, the trap is a theorem


def tilts() -> Iterator[Setting]:
    """Move one point out of the trap, three kernels: how far the metric is tilted."""
    for p, kernel in product(primerange(7, 38), (GAUSSIAN, rfm.Gaussian(1.0), QUADRATIC)):
        task = rfm.addition(p)
        trapped = rfm.withhold(task, task.reflection(0).fixed_points())
        yield setting(trapped.move(task.pair(0, 1)), kernel, reflection="s", modulus=p)


def tilt(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and the odd part of the last metric under s.

    ``odd`` is its norm and ``second`` that of all eigenvalues but the n − 1 largest, both relative
    to the metric's; ``circulant`` is the share of the circulant antisymmetric cross block in the
    square of the odd part.
    """
    task, M = run.split.task, run.features
    n, odd = task.n, rfm.odd_part(M, task.reflection(0))
    rows = torch.arange(n)
    across = torch.stack([odd[n + (rows + d) % n, rows].mean() for d in range(n)])
    return {
        **outcome(run),
        "odd": float(odd.norm() / M.norm()),
        "circulant": round(float(2 * n * across.square().sum() / odd.square().sum()), 6),
        "second": float(torch.linalg.eigvalsh(M)[: n + 1].norm() / M.norm()),
    }


# --------------------------------------------------------------- 12, break the start, not the data


@cache
def twists(task: rfm.Task) -> Mapping[str, list[rfm.Equivalence]]:
    """Maps that keep the training set without the axis of s, by name; all but the rotations."""
    e, n, φ = task.group.identity, task.n, rfm.automorphisms(task.group)
    same, inverse = torch.arange(n), task.group.inverses

    def move(φ: torch.Tensor, s: int, t: int) -> rfm.Equivalence:
        return rfm.Equivalence(task, φ, s, t, False)

    return {
        "swap": [rfm.Equivalence(task, same, e, e, True)],
        "negation": [move(inverse, e, e)],
        "translations": [move(same, t, t) for t in range(n)],
        "rotations": [move(same, t, int(inverse[t])) for t in range(n)],
        "automorphisms": [move(f, e, e) for f in φ],
        "squares": [move(f[f], e, e) for f in φ],
    }


SYMMETRIES = (
    *("", "swap", "negation", "translations", "rotations", "automorphisms", "squares"),
    *("swap, translations", "swap, automorphisms", "swap, squares", "translations, squares"),
    *("translations, rotations", "translations, automorphisms", "swap, translations, squares"),
    "swap, translations, automorphisms",
)  # the last is the whole group of the split
USUAL = ("", "swap", "translations", "swap, translations", "swap, translations, squares")
USUAL += ("swap, translations, automorphisms",)


@cache
def orbits_under(task: rfm.Task, symmetry: str) -> torch.Tensor:
    """Of entries of a metric, under the maps of some names."""
    return entry_orbits(g for name in symmetry.split(", ") for g in twists(task)[name])


def drawn(task: rfm.Task, symmetry: str, seed: int, width: int = 256) -> torch.Tensor:
    """A random metric, averaged over the maps of some names."""
    M = wishart(task, seed, width)
    return averaged(M, orbits_under(task, symmetry)) if symmetry else M


def without_circulant(task: rfm.Task, symmetry: str, seed: int) -> torch.Tensor:
    """A random metric less the part of its cross block that the translations keep."""
    M = drawn(task, symmetry, seed)
    part = averaged(M, orbits_under(task, "translations"))
    part[: task.n, : task.n] = part[task.n :, task.n :] = 0
    return M - part


def blocks(task: rfm.Task, seed: int, within: bool) -> torch.Tensor:
    """A random metric without its cross block; or the identity with that cross block.

    In the second case scaled to 0.9 in the spectral norm, so that the metric is positive.
    """
    M, n = wishart(task, seed), task.n
    C = M[n:, :n].clone()
    M[n:, :n] = M[:n, n:] = 0
    if within:
        return M
    C *= 0.9 / torch.linalg.matrix_norm(C, 2)
    return torch.eye(2 * n, dtype=M.dtype) + torch.cat(
        [torch.cat([M.new_zeros(n, n), C.T], 1), torch.cat([C, M.new_zeros(n, n)], 1)]
    )


def signed(task: rfm.Task, positive: int, seed: int) -> torch.Tensor:
    """Circulant and swap-symmetric: |ρ| from 0.1 to 0.5 at random, so many of them positive."""
    mid, dice = Midpoints(first_mirror(task)), torch.Generator().manual_seed(seed)
    k = len(mid.h)
    size = 0.1 + 0.4 * torch.rand(k, generator=dice, dtype=torch.float64)
    up = torch.randperm(k, generator=dice) < positive
    return TwoSpectra.relative(mid, torch.where(up, size, -size)).metric


def collapsed_on(mirror: Symmetry, size: float = 0.9) -> torch.Tensor:
    """The identity less so much of the permutation of a reflection: nearly the trap of its axis."""
    d = mirror.task.dimension
    return torch.eye(d, dtype=torch.float64) - size * mirror.matrix()


def made_starts(task: rfm.Task, seed: int) -> Iterator[tuple[str, Start]]:
    """Starts that are not a symmetrised random metric."""
    k = task.n // 2
    yield "no cross block", partial(blocks, task, seed, within=True)
    yield "cross block only", partial(blocks, task, seed, within=False)
    yield "no circulant part", partial(without_circulant, task, "", seed)
    yield "no circulant part, swap", partial(without_circulant, task, "swap", seed)
    if task.n % 2:
        for name, positive in (("all −", 0), ("one +", 1), ("half +", k // 2), ("all +", k)):
            yield f"circulant, {name}", partial(signed, task, positive, seed)
    yield "trap of another axis", partial(collapsed_on, task.reflections[1 + seed])


DRAWS = range(10)


@cache
def without_axis(task: rfm.Task) -> Split:
    """The training set of the trap of s."""
    return rfm.withhold(task, first_mirror(task).fixed_points())


def begun(M0: Start, split: Split, kernel: rfm.Kernel, **labels: Plain) -> Setting:
    """Twenty-five iterations from a start: a symmetric metric has not lost its symmetry yet."""
    options = {"M0": M0, "iterations": 25, "keep_features": True}
    return Later(split, kernel, options, {"order": split.task.n, **labels})


def starts() -> Iterator[Setting]:
    """Withhold the axis and start from metrics of many kinds, ten draws of each: the main table."""
    three = (*KERNELS, rfm.Matern(bandwidth=2.5))
    for n, kernel, seed in product((13, 29), three, DRAWS):
        task = rfm.addition(n)
        for symmetry in SYMMETRIES:
            M0 = partial(drawn, task, symmetry, seed)
            yield begun(M0, without_axis(task), kernel, start="random", keeps=symmetry, seed=seed)
        for name, M0 in made_starts(task, seed):
            yield begun(M0, without_axis(task), kernel, start=name, keeps="", seed=seed)
        if not seed:
            M0 = torch.eye(2 * n, dtype=torch.float64)
            yield begun(M0, without_axis(task), kernel, start="identity", keeps="", seed=0)
    tasks = [rfm.addition(*m) for m in ((15,), (21,), (23,), (5, 5), (27,), (28,), (31,))]
    for task, kernel, seed, symmetry in product(tasks, three, DRAWS, USUAL):
        M0 = partial(drawn, task, symmetry, seed)
        yield begun(M0, without_axis(task), kernel, start="random", keeps=symmetry, seed=seed)
    for n, kernel, seed, symmetry in product((53, 61), KERNELS, DRAWS, USUAL):
        M0 = partial(drawn, rfm.addition(n), symmetry, seed)
        made = begun(
            M0, without_axis(rfm.addition(n)), kernel, start="random", keeps=symmetry, seed=seed
        )
        kept = "translations" in symmetry
        yield replace(made, options={**made.options, "translations": True}) if kept else made
    others = rfm.subtraction(29), rfm.multiplication(29), rfm.division(29)
    for task, kernel, seed, symmetry in product(others, KERNELS, SEEDS, ("", "swap")):
        M0 = partial(drawn, task, symmetry, seed)
        yield begun(M0, without_axis(task), kernel, start="random", keeps=symmetry, seed=seed)


def start_courses() -> Iterator[Setting]:
    """Withhold the axis and start from random metrics, iteration by iteration: where it fails."""
    unclean = (13, 256, GAUSSIAN, "swap"), (13, 128, GAUSSIAN, "swap"), (31, 256, GAUSSIAN, "swap")
    for (n, width, kernel, symmetry), seed in product((*unclean, (31, 256, QUADRATIC, "")), DRAWS):
        M0 = partial(drawn, rfm.addition(n), symmetry, seed, width)
        labels = {"keeps": symmetry, "width": width, "seed": seed}
        yield begun(M0, without_axis(rfm.addition(n)), kernel, **labels)


def followed(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and how many withheld points are right, iteration by iteration."""
    right = run.right[:, run.split.test_kind == rfm.Kind.WITHHELD].sum(1)
    return {**outcome(run), "course": " ".join(map(str, right.tolist()))}


def freed(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and what became of the signs of the cross block's circulant spectrum.

    ``half_at`` is the first iteration with half of the withheld points right, 0 if never, and
    ``firm_right`` how many lead by more than 1e-4 in the end. ``highest`` and ``lowest`` are the
    largest and smallest real part of ρ(χ), χ ≠ 1, at the start, ``last_highest`` and so on at the
    end, with ``plus`` of ``frequencies`` positive; ``size`` is the median |ρ|. ``odd`` is the
    swap-odd part of the last metric, relative to its norm, and ``circulant`` the deviation of its
    cross block from constant diagonals.
    """
    task = run.split.task
    held = run.split.test_kind == rfm.Kind.WITHHELD
    half = (2 * run.right[:, held].sum(1) >= held.sum()).nonzero()
    table = run.predictions[run.predictions["kind"] == "withheld"]
    first, last = (relative_spectrum(M, task) for M in (run.history[0], run.features))
    mirror = first_mirror(task)
    return {
        **outcome(run),
        "half_at": int(half[0]) + 1 if len(half) else 0,
        "firm_right": int((table["margin"] > 1e-4).sum()),
        "highest": round(float(first.real.max()), 6),
        "lowest": round(float(first.real.min()), 6),
        "last_highest": round(float(last.real.max()), 3),
        "last_lowest": round(float(last.real.min()), 3),
        "plus": int((last.real > 0).sum()),
        "frequencies": len(last),
        "size": round(float(last.abs().median()), 3),
        "odd": float(rfm.odd_part(run.features, mirror).norm() / run.features.norm()),
        "circulant": round(rfm.circulant_deviation(run.features, task), 4),
    }


def start_varied() -> Iterator[Setting]:
    """The same with other recipes, scales, bandwidths, widths and more iterations."""
    task = rfm.addition(29)
    split = without_axis(task)
    for symmetry, seed in product(("", "swap"), SEEDS):
        M0 = drawn(task, symmetry, seed)
        for kernel, (name, options) in product(KERNELS, START_RECIPES.items()):
            made = begun(M0, split, kernel, varied=name, keeps=symmetry, seed=seed)
            yield replace(made, options={**made.options, **options})
        for kernel, factor in product(KERNELS, (0.1, 10.0)):
            name = f"start times {factor:g}"
            yield begun(factor * M0, split, kernel, varied=name, keeps=symmetry, seed=seed)
        for kernel in (rfm.Gaussian(1.0), rfm.Gaussian(5.0), rfm.Laplace(), rfm.Matern(5.0, 2.5)):
            yield begun(M0, split, kernel, varied="kernel", keeps=symmetry, seed=seed)
        for kernel, width in product(KERNELS, (29, 58, 1024, 4096)):
            M0_ = drawn(task, symmetry, seed, width)
            name = f"width {width}"
            yield begun(M0_, split, kernel, varied=name, keeps=symmetry, seed=seed)


START_RECIPES: Mapping[str, Mapping] = {
    "60 iterations": {"iterations": 60},
    "ridge 1e-6": {"ridge": 1e-6},
    "ridge 1e-2": {"ridge": 1e-2},
    "raw gradients": {"centred": False},
    "power 1/4": {"power": 0.25},
    "single precision": {"dtype": torch.float32},
}


def sector(task: rfm.Task, seed: int, odd: bool, across: bool, circulant: bool) -> torch.Tensor:
    """A random symmetric matrix of norm 1, swap-even or -odd, of one kind of blocks.

    ``across`` takes the cross block or the diagonal ones, ``circulant`` what translations keep of
    them or the rest.
    """
    n, dice = task.n, torch.Generator().manual_seed(seed)
    E = torch.randn(2 * n, 2 * n, generator=dice, dtype=torch.float64)
    E = E + E.T
    other = torch.zeros_like(E)
    other[:n, n:], other[n:, :n] = E[:n, n:], E[n:, :n]
    E = other if across else E - other
    even = averaged(E, orbits_under(task, "swap"))
    E = E - even if odd else even
    kept = averaged(E, orbits_under(task, "translations"))
    E = kept if circulant else E - kept
    return E / E.norm()


def start_sizes() -> Iterator[Setting]:
    """How far from the identity? Towards a random metric, and along one sector at a time."""
    task = rfm.addition(29)
    split = without_axis(task)
    for t, kernel, symmetry, seed in product(TOWARDS, KERNELS, ("", "swap"), DRAWS):
        M0 = partial(towards, task, symmetry, seed, t)
        yield begun(M0, split, kernel, along="random", keeps=symmetry, amount=t, seed=seed)
    for n, size, kernel, seed in product((17, 23, 29), (1e-3, 1e-2, 1e-1), KERNELS, SEEDS):
        task = rfm.addition(n)
        for odd, across, circulant in product((False, True), repeat=3):
            name = f"{'odd' if odd else 'even'}, {'cross' if across else 'diagonal'} blocks"
            name += ", circulant" if circulant else ", the rest"
            M0 = partial(along, size, task, seed, odd, across, circulant)
            labels = {"along": name, "keeps": "" if odd else "swap", "amount": size, "seed": seed}
            yield begun(M0, without_axis(task), kernel, **labels)


def towards(task: rfm.Task, symmetry: str, seed: int, t: float) -> torch.Tensor:
    """From the identity a part of the way to a random metric."""
    identity = torch.eye(task.dimension, dtype=torch.float64)
    return (1 - t) * identity + t * drawn(task, symmetry, seed)


def along(
    size: float, task: rfm.Task, seed: int, odd: bool, across: bool, circulant: bool
) -> torch.Tensor:
    """The identity and so much of a matrix of :func:`sector`, relative to it."""
    identity = torch.eye(task.dimension, dtype=torch.float64)
    return identity + size * math.sqrt(task.dimension) * sector(task, seed, odd, across, circulant)


TOWARDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)


def even_signs() -> Iterator[Setting]:
    """Start I ± 0.3 with every pattern of signs of 14 frequencies, up to automorphisms."""
    return signed_starts(rfm.addition(29), KERNELS)


def even_signs_small() -> Iterator[Setting]:
    """Start I ± 0.3 with every pattern of signs at smaller orders; also other bandwidths."""
    for n in (11, 13, 17):
        yield from signed_starts(rfm.addition(n), [rfm.Gaussian(L) for L in (1.0, 2.5, 10.0)])
    for n in (19, 21, 23):
        yield from signed_starts(rfm.addition(n), KERNELS)
    for moduli in ((9,), (3, 3), (15,)):
        yield from signed_starts(rfm.addition(*moduli), KERNELS)
    yield from signed_starts(rfm.addition(17), [QUADRATIC])


def signed_starts(task: rfm.Task, kernels: Iterable[rfm.Kernel]) -> Iterator[Setting]:
    """I ± 0.3 with every pattern of signs, up to automorphisms."""
    mid = Midpoints(first_mirror(task))
    for signs, count in sign_patterns(mid):
        for kernel in kernels:
            yield relative(mid, 0.3 * signs, kernel, signs=in_signs(signs), patterns=count)


def relative(mid: Midpoints, ρ: torch.Tensor, kernel: rfm.Kernel, **labels: Plain) -> Setting:
    """The trap from the metric with μ± = 1 ± ρ, ρ (k,), which swap and translations keep."""
    split = without_axis(mid.mirror.task)
    made = begun(TwoSpectra.relative(mid, ρ).metric, split, kernel, **labels)
    return replace(made, options={**made.options, "translations": True})


def even_signs_drawn() -> Iterator[Setting]:
    """Start from normal ρ of random sizes about the threshold, at three orders."""
    for n in (13, 29, 43):
        mid = Midpoints(first_mirror(rfm.addition(n)))
        for kernel, seed in product(KERNELS, range(40)):
            yield relative(mid, small_signs(mid, seed), kernel, seed=seed)


def small_signs(mid: Midpoints, seed: int) -> torch.Tensor:
    """Normal ρ(χ), (k,), of a standard deviation between 0.1/n and 3/n, itself at random."""
    dice = torch.Generator().manual_seed(seed)
    size = 0.1 * 30 ** float(torch.rand(1, generator=dice, dtype=torch.float64)) / mid.n
    ρ = size * torch.randn(len(mid.h), generator=dice, dtype=torch.float64)
    return ρ.clamp(-1, 1)


def even_signs_61() -> Iterator[Setting]:
    """Start I ± 0.3 modulo 61 with random signs of 30 frequencies, a random share of them plus."""
    mid, dice = Midpoints(first_mirror(rfm.addition(61))), torch.Generator().manual_seed(0)
    for draw in range(20):
        share = float(torch.rand(1, generator=dice, dtype=torch.float64))
        plus = torch.rand(len(mid.h), generator=dice, dtype=torch.float64) < share
        ρ = 0.6 * plus.double() - 0.3
        yield relative(mid, ρ, GAUSSIAN, signs=in_signs(ρ), draw=draw)


def freed_evenly(run: rfm.Run) -> dict[str, Plain]:
    """The same as ``freed``, ``odd`` to three digits: from a start without it is only rounding."""
    found = freed(run)
    return {**found, "odd": round(float(found["odd"]), 3)}


def in_signs(values: torch.Tensor) -> str:
    """Signs as they stand in a table."""
    return "".join("−+"[v] for v in values > 0)


def freed_with_signs(run: rfm.Run) -> dict[str, Plain]:
    """The same as ``freed``, and ``last_signs``, in the order of those at the start."""
    last = TwoSpectra.of(Midpoints(run.split.mirrors[0]), run.features)
    return {**freed(run), "last_signs": in_signs(last.signs)}


def odd_cross(task: rfm.Task, amplitudes: torch.Tensor) -> torch.Tensor:
    """A circulant antisymmetric cross block Σ z_χ sin_χ, as a swap-odd matrix of norm 1."""
    mid, n = Midpoints(first_mirror(task)), task.n
    Z = (mid.sin[1:].T @ amplitudes)[mid.minus]
    E, where = torch.zeros(2 * n, 2 * n, dtype=torch.float64), mid.coordinates
    E[where[n:, None], where[:n]], E[where[:n, None], where[n:]] = Z, Z.T
    return E / E.norm()


def odd_signs() -> Iterator[Setting]:
    """Start I + ε E with E swap-odd and circulant, equal amplitudes, and patterns of signs."""
    for n, size in ((17, 0.01), (17, 0.05), (17, 0.2), (23, 0.01), (23, 0.05), (23, 0.2)):
        task = rfm.addition(n)
        identity = torch.eye(2 * n, dtype=torch.float64)
        for signs, count in sign_patterns(Midpoints(first_mirror(task)), opposite=True):
            M0 = identity + size * math.sqrt(2 * n) * odd_cross(task, signs)
            labels = {"signs": in_signs(signs), "patterns": count, "amount": size}
            made = begun(M0, without_axis(task), GAUSSIAN, **labels)
            yield replace(made, options={**made.options, "translations": True})


def start_held_out() -> Iterator[Setting]:
    """Hold out one sample, and two, from random starts; also such as keep what the split keeps."""
    for moduli, kernel in product(((13,), (15,)), KERNELS):
        task, n = rfm.addition(*moduli), math.prod(moduli)
        for held in rfm.single_classes(task) + rfm.pair_classes(task):
            split = rfm.withhold(task, held.representative)
            moves = keeping(split)
            for start, seed in product(("identity", "random", "random, as the split"), DRAWS):
                if start == "identity" and seed:
                    continue
                M0: Start = torch.eye(2 * n, dtype=torch.float64)
                if start != "identity":
                    M0 = partial(wishart, task, seed)
                if start.endswith("split"):
                    M0 = partial(drawn_as, split, seed)
                yield begun(
                    M0,
                    split,
                    kernel,
                    start=start,
                    held_out=len(held.representative),
                    difference=held.name,
                    common_mirror=held.common_mirror is not None,
                    same_label=held.same_label,
                    kept_by=len(moves),
                    seed=seed,
                )


def drawn_as(split: Split, seed: int) -> torch.Tensor:
    """A random metric, averaged over the renamings that keep the split."""
    return averaged(wishart(split.task, seed), entry_orbits(keeping(split)))


@cache
def equivalences_of(task: rfm.Task) -> tuple[list[rfm.Equivalence], torch.Tensor]:
    """All renamings that keep the table, and where each sends the samples, a row for each."""
    found = list(rfm.equivalences(task))
    return found, torch.stack([g.on_samples() for g in found])


def keeping(split: Split) -> list[rfm.Equivalence]:
    """The renamings that keep the table and the kind of every sample."""
    found, images = equivalences_of(split.task)
    kept = (split.kind[images] == split.kind).all(dim=1)
    return [g for g, keeps in zip(found, kept.tolist(), strict=True) if keeps]


def start_fractions() -> Iterator[Setting]:
    """Random parts of a table from several starts: is it a better machine?"""
    wanted = product((31,), (0.2, 0.3, 0.4, 0.5, 0.6, 0.7), KERNELS, SEEDS)
    for n, fraction, kernel, seed in wanted:
        task = rfm.addition(n)
        split = rfm.random_split(task, fraction, seed)
        features = rfm.random_circulant_features(task, seed)
        starts = {
            "identity": torch.eye(2 * n, dtype=torch.float64),
            "random": drawn(task, "", seed),
            "random, swap": drawn(task, "swap", seed),
            "random, translations": drawn(task, "translations", seed),
            "random circulant": features,
        }
        for start, M0 in starts.items():
            options = {"M0": M0, "iterations": 40}
            labels = {"order": n, "fraction": fraction, "start": start, "seed": seed}
            yield Setting(split, kernel, options, labels)
        labels = {"order": n, "fraction": fraction, "start": "random circulant, fixed"}
        yield Setting(split, kernel, {"M0": features, "iterations": 1}, {**labels, "seed": seed})


# ------------------------------------------------------------- 13, networks in the same trap

SQUARE, RELU = Square(), ReLU()


def network(
    split: Split, changes: Mapping, activation: Activation = SQUARE, *, seed: int, **labels: Plain
) -> Setting:
    """A network with some of its recipe changed; with ReLU twice the decay and the steps.

    Rounding grows until after some three hundred steps it decides the third digit. So where a run
    is long, its counts of points between none and all are those of one machine.
    """
    options = {"steps": 1000, **changes, "seed": seed}
    if activation == RELU:
        options = {**options, "decay": 2.0, "steps": 2 * options["steps"]}
    return NetworkSetting(split, activation, options, {"n": split.task.n, **labels})


def networks() -> Iterator[Setting]:
    """Train two-layer networks from random starts on random splits, on the trap, and out of it."""
    for p, percent, seed in product((23, 31), (30, 40, 50, 60, 70), SEEDS):
        split = rfm.random_split(rfm.addition(p), percent / 100, seed)
        for activation in (SQUARE, RELU) if p == 23 else (SQUARE,):
            yield network(split, {}, activation, what="random", size=percent, seed=seed)
    for seed in SEEDS:
        split = rfm.random_split(rfm.addition(61), 0.5, seed)
        yield network(split, {"steps": 600}, what="random", size=50, seed=seed)
    lazy = {"start": Random(4.0)}
    for changes, seed in product(({"decay": 0.0}, lazy, {**lazy, "decay": 0.0}), SEEDS):
        task = rfm.addition(23)
        split = rfm.random_split(task, 0.7, seed)
        yield network(split, changes, what="random", size=70, seed=seed)
        split = rfm.withhold(task, first_mirror(task).fixed_points())
        yield network(split, changes, what="moved", size=0, seed=seed)
    short = {"steps": 200}
    for p, count, seed in product((23, 29, 31, 61), (0, 1, 5, 20), SEEDS):
        task = rfm.addition(p)
        trapped = rfm.withhold(task, first_mirror(task).fixed_points())
        split = trapped.move_random(count, seed) if count else trapped
        if p < 61 or count < 2:
            yield network(split, short, what="moved", size=count, seed=seed)
        if p in (23, 31) and count in (0, 1, 20):
            yield network(split, short, RELU, what="moved", size=count, seed=seed)
    for p, pairs, seed in product((23, 29, 31), (1, 10), SEEDS):
        task = rfm.addition(p)
        trapped = rfm.withhold(task, first_mirror(task).fixed_points())
        split = trapped.move_mirror_pairs(pairs, first_mirror(task), seed)
        yield network(split, short, what="mirror pairs", size=pairs, seed=seed)
    for p in (23, 29, 31):
        task = rfm.addition(p)
        kinds = rfm.single_classes(task) + (rfm.pair_classes(task) if p == 23 else ())
        for held, activation, seed in product(kinds, (SQUARE, RELU), SEEDS):
            split, size = rfm.withhold(task, held.representative), len(held.representative)
            kind = "common mirror" if held.common_mirror else "no common mirror"
            kind = "same label" if held.same_label else kind
            what = "held out" if size == 1 else f"held out, {kind}"
            if activation == SQUARE or p == 23:
                yield network(split, short, activation, what=what, size=size, seed=seed)
    for task, seed in product((rfm.addition(12), rfm.addition(3, 5), rfm.division(13)), SEEDS):
        split = rfm.withhold(task, first_mirror(task).fixed_points())
        yield network(split, short, what="moved", size=0, seed=seed)


def networks_starts() -> Iterator[Setting]:
    """Train networks on the trap from starts with a symmetry, and from near B = −A."""
    for p, seed in product((23, 29, 31), SEEDS):
        task = rfm.addition(p)
        s = first_mirror(task)
        split = rfm.withhold(task, s.fixed_points())
        for noise in (0.0, 0.03, 0.1, 0.2, 0.3):
            start = Mirrored(s, noise=noise)
            yield network(split, {"start": start}, what="trap", noise=noise, seed=seed)
            without = {"start": start, "decay": 0.0}
            yield network(split, without, what="trap", noise=noise, seed=seed)
        for start in (Paired(s), Mirrored(s, odd=0.0), Mirrored(s, odd=0.5)):
            changes = {"start": start, "steps": 200}
            yield network(split, changes, what="trap", noise=0.0, seed=seed)
    for seed in SEEDS:
        task = rfm.addition(23)
        s = first_mirror(task)
        split, some = rfm.withhold(task, s.fixed_points()), rfm.random_split(task, 0.7, seed)
        start = {"start": Mirrored(s)}
        yield network(split, {**start, "steps": 500}, RELU, what="trap", noise=0.0, seed=seed)
        yield network(some, start, what="random 70 %", noise=0.0, seed=seed)
        one = split.move_random(1, seed)
        yield network(one, start, what="one moved", noise=0.0, seed=seed)
    for task, seed in product((rfm.addition(12), rfm.addition(3, 5), rfm.division(13)), SEEDS):
        g = task.reflections[-1]
        split = rfm.withhold(task, g.fixed_points())
        start = {"start": Mirrored(g), "steps": 500}
        yield network(split, start, what="trap", noise=0.0, seed=seed)


def networks_axes() -> Iterator[Setting]:
    """Train networks from random starts on all but the axes of a subgroup, or one axis."""
    for step, activation, seed in product((16, 8, 4), (SQUARE, RELU), SEEDS):
        changes = {"steps": 600 if activation == SQUARE else 300}  # for ReLU it is doubled
        yield network(
            *(without_axes(rfm.addition(32), step), changes, activation),
            **{"what": "axes", "quotient": step, "seed": seed},
        )
    for activation, seed in product((SQUARE, RELU), SEEDS):
        split = rfm.random_split(rfm.addition(32), 0.75, seed)
        changes = {"steps": 600 if activation == SQUARE else 300}
        yield network(split, changes, activation, what="random", quotient=0, seed=seed)
    several = {12: (2, 3, 4, 6), 15: (3, 5), 20: (4, 5, 10), 24: (4, 6, 8)}
    steps = [(n, step) for n, all_steps in several.items() for step in all_steps]
    for (n, step), seed in product([*steps, *((n, n) for n in range(3, 12))], SEEDS):
        split = without_axes(rfm.addition(n), step)
        yield network(split, {"steps": 400}, what="axes", quotient=step, seed=seed)


def without_axes(task: rfm.Task, step: int) -> Split:
    """All but the axes of ⟨r^step, s⟩ in training; of s alone if the step is the order."""
    generators = [task.reflection(0), *([task.rotation(step)] if step < task.n else [])]
    return rfm.withhold(task, rfm.generate(*generators).fixed_points())


def networks_features() -> Iterator[Setting]:
    """Train networks of several widths, and by the recipe of [M], for what their features are."""
    task = rfm.addition(31)
    trapped = rfm.withhold(task, first_mirror(task).fixed_points())
    for width, seed in product((64, 256, 1024), SEEDS):
        changes = {"width": width, "steps": 200}
        yield network(trapped, changes, what="trap", seed=seed)
        half = rfm.random_split(task, 0.7, seed)
        yield network(half, changes, what="random 70 %", seed=seed)
    theirs = {"batch": 32, "rate": 1e-3, "every": 500, "start": Random(3**-0.5)}
    for (p, percent, steps), seed in product(
        ((31, 50, 6000), (61, 50, 11600), (61, 30, 10500)), SEEDS
    ):
        some = rfm.random_split(rfm.addition(p), percent / 100, seed)
        what = f"recipe of [M], {percent} %"
        yield network(some, {**theirs, "steps": steps}, what=what, seed=seed)


def networks_phases() -> Iterator[Setting]:
    """Train networks on the trap for several numbers of steps, for the phases of their neurons."""
    for p, steps, seed in product((23, 31), (100, 200, 500, 1000), SEEDS):
        task = rfm.addition(p)
        split = rfm.withhold(task, first_mirror(task).fixed_points())
        yield network(split, {"steps": steps}, what="trap", seed=seed)


def learned(run: Training) -> dict[str, Plain]:
    """What a table keeps of a network: counts of points, and of what its features are made.

    ``best_right`` is the most points of the withheld kind right in any row of its own table, or of
    all test points where none is, ``best_at`` the first such step, ``first_all`` the first at which
    all are, −1 for never. Of the cross block less its mean, ``cross`` is the size relative to a
    diagonal block, ``labels`` and ``mirrors`` are its shares by :func:`cross_shares`. ``ratio`` is
    the coefficient of the withheld mirror, or of s, by that of the identity; ``residual`` and
    ``elements`` are those of :func:`rfm.decompose`, ``frequency`` the median share of one frequency
    in a neuron.
    """
    split, task, M = run.split, run.split.task, run.features
    kinds, right = split.test_kind, run.correct()
    counts: dict[str, Plain] = {}
    for kind in (rfm.Kind.WITHHELD, rfm.Kind.MOVED, rfm.Kind.RANDOM):
        chosen = kinds == kind
        counts[kind.name.lower()] = int(chosen.sum())
        counts[f"{kind.name.lower()}_right"] = int(right[chosen].sum())
    chosen = kinds == rfm.Kind.WITHHELD
    course = pd.Series(run.right[:, chosen if chosen.any() else chosen | True].sum(1))
    course.index = run.table.index
    every = run.table.test_accuracy == 1
    parts, last = rfm.decompose(M, task), run.table.iloc[-1]
    g = split.mirrors[0] if split.mirrors else first_mirror(task)
    C = M[: task.n, task.n :]
    labels, mirrors = cross_shares(M, task)
    return {
        "train_size": len(split.train),
        "train_errors": round((1 - last["train_accuracy"]) * len(split.train)),
        **counts,
        "best_right": int(course.max()),
        "best_at": int(course.idxmax()),
        "first_all": int(every.idxmax()) if every.any() else -1,
        "test_loss": float(last["test_loss"]),
        "cross": round(float((C - C.mean()).norm() / M[: task.n, : task.n].norm()), 4),
        "labels": round(labels, 4),
        "mirrors": round(mirrors, 4),
        "ratio": round(
            float(parts.coefficients[task.n + g.k] / parts.coefficients[task.group.identity]), 4
        ),
        "residual": round(parts.residual, 4),
        "elements": names(parts.elements),
        "frequency": round(float(run.weights.frequency_shares().median()), 4),
    }


def learned_near(run: Training) -> dict[str, Plain]:
    """The same, and what the scores of the withheld points say where they are nearly tied.

    ``by_order`` counts the withheld points whose class leads in the end, by however little: not by
    the rule of ties, but more than 1e-20, which exactly odd neurons and rounding do not reach.
    ``largest`` is the largest size of a score there.
    """
    scores = run.weights.scores({repr(a): a for a in (SQUARE, RELU)}[run.settings["activation"]])
    task, split = run.split.task, run.split
    at = task.index(split.test[split.test_kind == rfm.Kind.WITHHELD])
    lead = leads(scores[at], task.labels[at])
    largest = float(scores[at].abs().max()) if len(at) else math.nan
    return {**learned(run), "by_order": int((lead > 1e-20).sum()), "largest": largest}


def phases(run: Training) -> dict[str, Plain]:
    """The same, and whether the phases θ, η of neurons cancel, by :class:`rfm.networks.Waves`.

    ``in_phase`` is how far V has the phase θ + η. The others are coherences: of the blocks of U Uᵀ,
    on labels and on mirrors, of what the score holds with θ − η, and that of chance for labels.
    ``spread`` is the standard deviation of |A| by its mean.
    """
    w = Waves.of(run.weights)
    A, B, V = w.A, w.B, w.V
    found = {
        "in_phase": (V * (A * B).conj()).real.sum() / (V * A * B).abs().sum(),
        "of_labels": w.coherence(A * B),
        "of_mirrors": w.coherence(A * B.conj()),
        "of_scores": w.coherence(V.conj() * A * A),
        "by_chance": w.by_chance(A * B),
        "spread": A.abs().std() / A.abs().mean(),
    }
    return {**learned(run), **{name: round(float(value), 4) for name, value in found.items()}}


@dataclass(frozen=True)
class Table:
    """A table: its settings, what it keeps of each run, and whether it is made only if named.

    That is so for what takes hours by itself.
    """

    settings: Callable[[], Iterator[Setting]]
    measure: Measure = outcome
    if_named: bool = False


TABLES: Mapping[str, Table] = {
    "without_features": Table(without_features, unlearned),
    "trap": Table(trap, features),
    "dihedral_subgroups": Table(dihedral_subgroups, features),
    "single_moves": Table(single_moves, still_wrong),
    "held_out": Table(held_out),
    "held_out_small": Table(held_out_small),
    "encoded": Table(encoded, rise),
    "halves": Table(halves, jump),
    "recipes": Table(recipes),
    "grokking": Table(grokking, jump),
    "grokking_course": Table(grokking_course, course),
    "grokking_small": Table(grokking_small, course),
    "by_fraction": Table(by_fraction, beside),
    "given_back": Table(given_back),
    "trap_varied": Table(trap_varied, firmly),
    "given_back_varied": Table(given_back_varied, echoed),
    "one_move": Table(one_move),
    "moves_varied": Table(moves_varied),
    "random_moves": Table(random_moves),
    "mirror_moves": Table(mirror_moves),
    "predicted": Table(predicted, foretold),
    "predicted_by_more": Table(predicted_by_more, foretold),
    "orbit_map": Table(orbit_map, weighed),
    "tilts": Table(tilts, tilt),
    "starts": Table(starts, freed),
    "start_varied": Table(start_varied, freed),
    "start_courses": Table(start_courses, followed),
    "start_sizes": Table(start_sizes, freed),
    "even_signs": Table(even_signs, freed),
    "even_signs_small": Table(even_signs_small, freed_with_signs),
    "even_signs_drawn": Table(even_signs_drawn, freed_evenly),
    "even_signs_61": Table(even_signs_61, freed_evenly),
    "odd_signs": Table(odd_signs, freed),
    "start_held_out": Table(start_held_out),
    "start_fractions": Table(start_fractions),
    "networks": Table(networks, learned),
    "networks_starts": Table(networks_starts, learned_near),
    "networks_axes": Table(networks_axes, learned),
    "networks_features": Table(networks_features, learned),
    "networks_phases": Table(networks_phases, phases),
    "recovery": Table(recovery, first_law),
    "recovery_small": Table(recovery_small, every_law),
    "recovery_long": Table(recovery_long, law_and_key),
    "recovery_groups": Table(recovery_groups, first_law),
    "recovery_times": Table(recovery_times, first_law),
    "recovery_decoys": Table(recovery_decoys, decoyed),
    **{name: Table(*parts) for name, parts in noncommuting.TABLES.items()},
    "since_course": Table(since.course, since.inside),
    "since_noise": Table(since.noise, since.mended),
    "since_updates": Table(since.updates, since.elements),
    "since_fixed": Table(since.fixed),
    "recipe_moves": Table(recipe_tables.recipe_moves, recipe_tables.sized),
    "recipe_ridges": Table(recipe_tables.recipe_ridges, recipe_tables.sized),
    "recipe_lasting": Table(recipe_tables.recipe_lasting, recipe_tables.lasting),
    "recipe_fractions": Table(recipe_tables.recipe_fractions, recipe_tables.sized),
    "recipe_narrowest": Table(recipe_narrowest, recipe_tables.last_two),
    "recipe_normalised": Table(recipe_tables.recipe_normalised, recipe_tables.sized),
    "recipe_61": Table(recipe_tables.recipe_61, recipe_tables.sized, if_named=True),
    "recipe_claims": Table(recipe_claims.recipe_claims, recipe_claims.verdict),
}


def usual() -> list[str]:
    """The tables that are made if none is named; of each other a line is printed."""
    made = []
    for name, table in TABLES.items():
        if table.if_named:
            print(f"{name}: left out, it takes hours; make tables NAME={name} makes it", flush=True)
        else:
            made.append(name)
    return made


def index() -> pd.DataFrame:
    """What stands in ``book/data/tables.csv``: the tables, how many runs, and their time."""
    rows = []
    for name, table in TABLES.items():
        stored = pd.read_csv(DATA / f"{name}.csv")
        rows.append(
            {
                "table": f"{name}.csv",
                "what was run": table.settings.__doc__.splitlines()[0],
                "runs": len(stored),
                "minutes of one core": f"{stored['seconds'].sum() / 60:.1f}",
            }
        )
    return pd.DataFrame(rows)


def backend(dask: str | None) -> AbstractContextManager:
    """Where joblib sends the runs: processes on this machine, or the workers of a Dask cluster."""
    if dask is None:
        return nullcontext()
    from distributed import Client

    Client(dask)
    return joblib.parallel_config(backend="dask")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TABLES)}")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="of a Dask scheduler; its workers import tables.py"
    )
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(TABLES):
        parser.error(f"no table is called {unknown.pop()}; there are {', '.join(TABLES)}")
    whole = None if asked.names else Round(DATA / "tables.round")
    with backend(asked.dask):
        for name in asked.names or usual():
            start, path, table = time.perf_counter(), DATA / f"{name}.csv", TABLES[name]
            settings = list(table.settings())
            key = key_of(settings, table.measure) if whole else ""
            if whole and whole.has(path, key):
                print(f"{name}: made before the interruption", flush=True)
                continue
            workers = None if asked.dask else asked.workers
            rfm.sweep(settings, path, table.measure, workers=workers)
            if whole:
                whole.add(path, key)
            print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    if whole:
        whole.end()
    if all((DATA / f"{name}.csv").exists() for name in TABLES):
        index().to_csv(DATA / "tables.csv", index=False)


if __name__ == "__main__":
    # Under the name of the module other processes have what it defines, and keep what it caches.
    import tables

    interrupts.ended(
        tables.main, "finished rows are kept, and the same command goes on where it stopped"
    )
