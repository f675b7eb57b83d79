"""Compute the tables of results that the chapters read: every run, its settings and its outcome.

    python tools/tables.py [NAME ...] [--workers N] [--dask ADDRESS]

Each NAME is one of the functions of ``TABLES`` and becomes ``book/data/NAME.csv``; without a name
all are made. An interrupted table goes on where it stopped. Settings are those of the paper,
[B] in the package's docstrings; where it leaves one open, it is chosen here.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from itertools import product

import joblib
import pandas as pd
import torch
from repository import ROOT
from sympy import primerange

import rfm
from rfm import Setting, Split, Symmetry
from rfm.sweeps import Measure, Plain, outcome

DATA = ROOT / "book" / "data"
GAUSSIAN, QUADRATIC = rfm.Gaussian(bandwidth=2.5), rfm.Quadratic()
KERNELS = (GAUSSIAN, QUADRATIC)
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


# ----------------------------------------------------------------------------------- 05, grokking


def grokking() -> Iterator[Setting]:
    """Random halves of four tables: C1."""
    tasks = rfm.addition(61), rfm.subtraction(61), rfm.multiplication(61), rfm.division(61)
    for task, kernel, seed in product(tasks, KERNELS, SEEDS):
        yield setting(rfm.random_split(task, 0.5, seed), kernel, seed=seed)


def jump(run: rfm.Run) -> dict[str, Plain]:
    """The outcome with features, and when the test accuracy passes 2, 25 and 75 %.

    These are first iterations, 0 if never; ``flat`` is the last one before it reaches 2 %.
    """
    accuracy = run.table["test_accuracy"]

    def first(level: float) -> int:
        return int(accuracy.ge(level).idxmax()) if accuracy.ge(level).any() else 0

    times = {"flat": first(0.02) - 1, "quarter_at": first(0.25), "three_quarters_at": first(0.75)}
    deviation = rfm.circulant_deviation(run.features, run.split.task)
    return {**features(run), "deviation": deviation, **times}


# ------------------------------------------------------- 10, features predict what is learned


@cache
def trapped(task: rfm.Task) -> torch.Tensor:
    """Features after fifty Gaussian iterations without Fix(s), as the paper takes them for M₀."""
    s = Symmetry(task, task.group.identity, reflects=True)
    return learned_without(rfm.generate(s))


def learned_without(H: rfm.Subgroup) -> torch.Tensor:
    """Features after fifty Gaussian iterations without the fixed points of H's reflections."""
    split = rfm.withhold(H.task, H.fixed_points())
    return rfm.fit(split, GAUSSIAN, 50, stop=rfm.converged(1e-7)).features


def features_of(mirror: Symmetry) -> torch.Tensor:
    """The features that encode a reflection sr^k: those of s with coordinates renamed.

    (a, b) ↦ (a, b ⋆ k) takes Fix(s) to Fix(sr^k), so by equivariance it takes one to the other.
    """
    task = mirror.task
    rename = rfm.Equivalence(task, torch.arange(task.n), task.group.identity, mirror.k, False)
    where, M0 = rename.coordinates(), torch.empty_like(trapped(task))
    M0[where[:, None], where] = trapped(task)
    return M0


def started(
    M0: torch.Tensor, split: Split, kernel: rfm.Kernel, iterations: int = 60, **labels: Plain
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
    return Setting(split, kernel, options, labels)


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
        yield started(features_of(mirror), split, kernel, iterations, **labels)


def predicted_by_more() -> Iterator[Setting]:
    """Learn a random tenth or half, starting from the features of a larger subgroup."""
    plus, minus = rfm.addition, rfm.subtraction
    chosen = [(plus(32), 16), (plus(32), 8), (plus(32), 4), (plus(30), 10), (plus(30), 6)]
    chosen += [(plus(27), 9), (minus(30), 10)]
    for (task, step), fraction in product(chosen, (0.1, 0.5)):
        H = rfm.generate(task.reflection(0), task.rotation(step))
        M0 = learned_without(H)
        for kernel, seed in product(KERNELS, SEEDS):
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


@dataclass(frozen=True)
class Table:
    """A table: its settings, and what it keeps of each run."""

    settings: Callable[[], Iterator[Setting]]
    measure: Measure = outcome


TABLES: Mapping[str, Table] = {
    "trap": Table(trap, features),
    "dihedral_subgroups": Table(dihedral_subgroups, features),
    "single_moves": Table(single_moves, still_wrong),
    "held_out": Table(held_out),
    "grokking": Table(grokking, jump),
    "given_back": Table(given_back),
    "random_moves": Table(random_moves),
    "mirror_moves": Table(mirror_moves),
    "predicted": Table(predicted, foretold),
    "predicted_by_more": Table(predicted_by_more, foretold),
    "tilts": Table(tilts, tilt),
}


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
    parser.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler to run on")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(TABLES):
        parser.error(f"no table is called {unknown.pop()}; there are {', '.join(TABLES)}")
    with backend(asked.dask):
        for name in asked.names or TABLES:
            start = time.perf_counter()
            rfm.sweep(
                list(TABLES[name].settings()),
                DATA / f"{name}.csv",
                TABLES[name].measure,
                workers=None if asked.dask else asked.workers,
            )
            print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    if all((DATA / f"{name}.csv").exists() for name in TABLES):
        index().to_csv(DATA / "tables.csv", index=False)


if __name__ == "__main__":
    main()
