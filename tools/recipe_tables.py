"""The tables of the chapter on kernels, bandwidth and recipe."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

import rfm
from rfm import Setting, Split
from rfm.families import Normalised, Polynomial, bandwidth_for, size
from rfm.sweeps import Plain, outcome

BANDWIDTHS = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
RADIAL = {"Gaussian": rfm.Gaussian, "Matern": rfm.Matern, "Laplace": rfm.Laplace}
QUADRATIC = rfm.Quadratic()
POWERS = (0.25, 0.375, 0.75, 1.0)  # of the AGOP, beside the usual one half
SEEDS = range(5)
COUNTS = {29: (0, 1, 5, 10, 20, 50, 100), 61: (0, 1, 10, 50)}  # points moved out of the trap
PERCENT = {29: (40, 50, 60, 80), 61: (40, 60)}  # of the table in a random split

Point = tuple[str, float, rfm.Kernel, dict[str, float]]
"""A family, its parameter, the kernel, and what else is changed."""


def in_bandwidth() -> Iterator[Point]:
    """Four families by their bandwidth; that of the quadratic kernel is a bias L²."""
    for L, (name, make) in product(BANDWIDTHS, RADIAL.items()):
        yield name, L, make(L), {}
    for L in BANDWIDTHS:
        yield "biased quadratic", L, Polynomial(2, L**2), {}


def in_power() -> Iterator[Point]:
    """Powers of the inner product, and powers of the AGOP for both kernels of the paper."""
    yield "power", 2.0, QUADRATIC, {}
    for m in (3, 4):
        yield "power", float(m), Polynomial(m), {}
    for s in POWERS:
        yield "AGOP power, Gaussian", s, rfm.Gaussian(2.5), {"power": s}
        yield "AGOP power, quadratic", s, QUADRATIC, {"power": s}


def run_of(split: Split, point: Point, **labels: Plain) -> Setting:
    """Sixty iterations, or until M moves by less than 1e-5 of its norm."""
    family, parameter, kernel, changes = point
    options = {"iterations": 60, "stop": rfm.converged(1e-5), **changes}
    return Setting(split, kernel, options, {"family": family, "parameter": parameter, **labels})


def moved(task: rfm.Task, count: int, seed: int) -> Split:
    """The trap of s with so many training points moved to the test set."""
    trapped = rfm.withhold(task, task.reflection(0).fixed_points())
    return trapped.move_random(count, seed) if count else trapped


def seeds(count: int) -> range:
    """One seed where all draws are equivalent, for a prime: of no point, and of one point."""
    return SEEDS[:1] if count < 2 else SEEDS


def recipe_moves() -> Iterator[Setting]:
    """Move points out of the trap modulo 29: kernels, bandwidths, powers."""
    task = rfm.addition(29)
    for point, count in product([*in_bandwidth(), *in_power()], COUNTS[29]):
        for seed in seeds(count):
            yield run_of(moved(task, count, seed), point, moved_points=count, seed=seed)


RIDGES: tuple[Point, ...] = (
    *(("quadratic", ridge, QUADRATIC, {"ridge": ridge}) for ridge in (1e-3, 1e-2, 0.1)),
    ("Gaussian", 1e-3, rfm.Gaussian(2.5), {"ridge": 1e-3}),
)


def recipe_ridges() -> Iterator[Setting]:
    """Move points out of the trap modulo 29, with a ridge."""
    task = rfm.addition(29)
    for point, count in product(RIDGES, COUNTS[29]):
        for seed in seeds(count):
            yield run_of(moved(task, count, seed), point, moved_points=count, seed=seed)


def recipe_fractions() -> Iterator[Setting]:
    """Random parts of the table modulo 29: the same kernels, bandwidths, powers."""
    task = rfm.addition(29)
    points = [*in_bandwidth(), *in_power()]
    for point, percent, seed in product(points, PERCENT[29], SEEDS):
        if point[0].startswith("AGOP") and percent != 60:
            continue
        split = rfm.random_split(task, percent / 100, seed)
        yield run_of(split, point, fraction=percent / 100, seed=seed)


def narrowest(singles: Iterable[Setting]) -> Iterator[Setting]:
    """The runs with the narrowest Gaussian, whose metric need not come to rest, once more.

    Args:
        singles: runs in which one point is moved; those with this kernel in odd orders are made.
    """
    point = next(in_bandwidth())
    family, parameter, kernel, _ = point
    for n in COUNTS:
        task, as_long = rfm.addition(n), half_as_long if n == 61 else lambda run: run
        splits = [("moved", m, s, moved(task, m, s)) for m in COUNTS[n] for s in seeds(m)]
        for percent, seed in product(PERCENT[n], SEEDS):
            splits.append(("random", percent, seed, rfm.random_split(task, percent / 100, seed)))
        for what, amount, seed, split in splits:
            yield as_long(run_of(split, point, n=n, what=what, amount=str(amount), seed=seed))
    for single in singles:
        n, of = single.split.task.n, single.labels
        if single.kernel == kernel and n % 2 and not of["varied"]:
            what = {"n": n, "what": "one moved", "amount": str(of["difference"]), "seed": 0}
            yield replace(single, labels={"family": family, "parameter": parameter, **what})


def last_two(run: rfm.Run) -> dict[str, Plain]:
    """How many test points, withheld if there are such, are right in the last two iterations."""
    kinds = run.split.test_kind
    kind = rfm.Kind.WITHHELD if bool((kinds == rfm.Kind.WITHHELD).any()) else rfm.Kind.RANDOM
    before, last = run.right[-2:, kinds == kind].sum(1).tolist()
    step_before, step = run.table["step"].iloc[-2:].tolist()
    return {
        "iterations_done": len(run.table),
        "points": int((kinds == kind).sum()),
        "right_before": before,
        "right": last,
        "step_before": step_before,
        "step": step,
        "size": size(run.features),
    }


ALIKE = (0.135, 0.726, 0.98)  # exp(−2/L²), the Gaussian at the mean distance: L = 1, 2.5, 10
SMOOTHNESS = {
    "Laplace": rfm.Laplace,
    "Matern 3/2": rfm.Matern,
    "Matern 5/2": lambda L: rfm.Matern(L, 2.5),
    "Gaussian": rfm.Gaussian,
}


def recipe_normalised() -> Iterator[Setting]:
    """Kernels that see a metric of fixed size, and agree at the mean distance, modulo 29."""
    task = rfm.addition(29)
    for alike, (name, make) in product(ALIKE, SMOOTHNESS.items()):
        kernel = Normalised(make(bandwidth_for(make, alike)))
        splits = [("moved", 0, 0), ("moved", 1, 0)]
        splits += [(*drawn, seed) for drawn in (("moved", 10), ("random", 70)) for seed in SEEDS]
        for what, amount, seed in splits:
            if what == "moved":
                split = moved(task, amount, seed)
            else:
                split = rfm.random_split(task, amount / 100, seed)
            labels = {"what": what, "amount": amount, "seed": seed}
            options = {"iterations": 60, "stop": rfm.direction_converged(1e-5)}
            yield Setting(split, kernel, options, {"family": name, "alike": alike, **labels})


def recipe_61() -> Iterator[Setting]:
    """All of these kernels modulo 61: points moved out of the trap, and random parts."""
    task = rfm.addition(61)
    everything = [*in_bandwidth(), *in_power(), *RIDGES]
    for count in COUNTS[61]:
        for seed, point in product(seeds(count), everything):
            labels = {"what": "moved", "amount": count, "seed": seed}
            yield half_as_long(run_of(moved(task, count, seed), point, **labels))
    for point in everything:
        labels = {"what": "moved, longer", "amount": 1, "seed": 0}
        yield run_of(moved(task, 1, 0), point, **labels)
    for percent, seed, point in product(PERCENT[61], SEEDS, everything):
        if point[0].startswith("AGOP") and percent != 60:
            continue
        labels = {"what": "random", "amount": percent, "seed": seed}
        yield half_as_long(run_of(rfm.random_split(task, percent / 100, seed), point, **labels))


LASTING: tuple[Point, ...] = (
    *(("Gaussian", L, rfm.Gaussian(L), {}) for L in (2.5, 5.0, 10.0, 20.0)),
    ("biased quadratic", 20.0, Polynomial(2, 400.0), {}),
    ("quadratic", 0.0, QUADRATIC, {}),
    ("quadratic", 0.1, QUADRATIC, {"ridge": 0.1}),
)
ORDERS = (23, 31, 37, 41, 43, 47, 53, 61)  # beside 29
LOOKS = (30, 60, 80, 100, 150, 200)  # iterations after which the right points are counted


def recipe_lasting() -> Iterator[Setting]:
    """Points moved out of the trap, and no stop: how long what was found lasts."""
    for n, point, count in product((29,), LASTING, (1, 10, 50)):
        for seed in seeds(count):
            yield long_run(n, point, count, seed, 200)
    for n, point in product(ORDERS, LASTING[-2:]):
        yield long_run(n, point, 1, 0, 150)


def long_run(n: int, point: Point, count: int, seed: int, iterations: int) -> Setting:
    """A run of so many iterations that does not end before, whatever the metric does."""
    task = rfm.addition(n)
    setting = run_of(moved(task, count, seed), point, n=n, moved_points=count, seed=seed)
    kept = {name: value for name, value in setting.options.items() if name != "stop"}
    return replace(setting, options={**kept, "iterations": iterations})


def lasting(run: rfm.Run) -> dict[str, Plain]:
    """How many withheld points are right after some numbers of iterations, at most, and when.

    ``right_30`` and so on are empty where the run was shorter. ``lost_at`` is the first iteration
    after the best one in which no withheld point is right, empty if there is none.
    """
    withheld = run.split.test_kind == rfm.Kind.WITHHELD
    right = run.right[:, withheld].sum(1).tolist()
    best = max(right)
    first = right.index(best)
    gone = next((t + 1 for t in range(first, len(right)) if right[t] == 0), "") if best else ""
    counts = {f"right_{t}": right[t - 1] if t <= len(right) else "" for t in LOOKS}
    return {
        "iterations_done": len(right),
        "withheld": int(withheld.sum()),
        **counts,
        "best_right": best,
        "best_at": first + 1,
        "lost_at": gone,
        "step": float(run.table["step"].iloc[-1]),
    }


def half_as_long(setting: Setting) -> Setting:
    """The same run, with at most 30 iterations."""
    return replace(setting, options={**setting.options, "iterations": 30})


def sized(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and ``size``, tr M / 2n of the last metric: 1 for the identity."""
    return {**outcome(run), "size": size(run.features)}
