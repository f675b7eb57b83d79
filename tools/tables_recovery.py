"""Tables of chapter 14: when the group law can be read off a shuffled metric, and when not."""

from collections.abc import Iterable, Iterator
from itertools import product

import torch
from scipy.optimize import linear_sum_assignment

import rfm
from rfm import Setting, Split
from rfm.matching import standardised
from rfm.noise import between, chance
from rfm.recovery import DOUBT, Recovery, recover
from rfm.shuffling import same_law, shuffled
from rfm.sweeps import Plain

KERNELS = rfm.Gaussian(bandwidth=2.5), rfm.Quadratic()
SEEDS = range(5)
PRIMES = (23, 29, 31, 37, 41, 43, 47, 53, 59, 61)
PERCENT = (30, 40, 45, 50, 60)
ITERATIONS = 24


def learned(split: Split, kernel: rfm.Kernel, **labels: Plain) -> Setting:
    """Twenty-four iterations, or until M stands still, every metric kept."""
    stop = rfm.converged(1e-3)
    options = {"iterations": ITERATIONS, "stop": stop, "keep_features": True}
    return Setting(split, kernel, options, labels)


def recovery() -> Iterator[Setting]:
    """Random parts of x + y mod p: when the law can be read off the shuffled metric."""
    for p, percent, kernel, seed in product(PRIMES, PERCENT, KERNELS, SEEDS):
        split = rfm.random_split(rfm.addition(p), percent / 100, seed)
        yield learned(split, kernel, order=p, percent=percent, seed=seed)


def recovery_groups() -> Iterator[Setting]:
    """Random parts of other tables, for the law and for the name of the group."""
    tasks = [rfm.subtraction(31), rfm.division(31)]
    tasks += [rfm.multiplication(p) for p in (23, 31, 47)]
    moduli = (36,), (6, 6), (25,), (5, 5), (27,), (3, 9), (3, 3, 3), (32,), (2, 16), (4, 8)
    tasks += [rfm.addition(*m) for m in (*moduli, (2, 2, 2, 2, 2), (7, 7))]
    for task, percent, kernel, seed in product(tasks, (60,), KERNELS, range(3)):
        split = rfm.random_split(task, percent / 100, seed)
        yield learned(split, kernel, order=task.n, percent=percent, seed=seed)


def recovery_times() -> Iterator[Setting]:
    """Random parts of x × y mod p, whose order no one has told, with fewer samples."""
    tasks = [rfm.multiplication(p) for p in (23, 31, 47)]
    for task, percent, kernel, seed in product(tasks, (30, 40, 50), KERNELS, SEEDS):
        split = rfm.random_split(task, percent / 100, seed)
        yield learned(split, kernel, order=task.n, percent=percent, seed=seed)


def recovery_small() -> Iterator[Setting]:
    """Random parts of x + y mod p for small p: where certificates begin."""
    for p, percent, kernel, seed in product((7, 11, 13, 17, 19), (40, 50, 60, 70), KERNELS, SEEDS):
        split = rfm.random_split(rfm.addition(p), percent / 100, seed)
        yield learned(split, kernel, order=p, percent=percent, seed=seed)


def recovery_long() -> Iterator[Setting]:
    """Two fifths of x + y mod p over 120 iterations: is the law that the metric has used?"""
    for p, percent, kernel, seed in product((23, 29, 31), (40,), KERNELS, SEEDS):
        split = rfm.random_split(rfm.addition(p), percent / 100, seed)
        options = {"iterations": 120, "keep_features": True}
        yield Setting(split, kernel, options, {"order": p, "percent": percent, "seed": seed})


def renamed(pairs: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Pairs of positions as they are called after :func:`rfm.shuffling.shuffled`."""
    row, column = torch.argsort(rows), torch.argsort(columns)
    return torch.stack([row[pairs[:, 0]], column[pairs[:, 1]]], 1)


def read_off(M: torch.Tensor, split: Split, seed: int) -> tuple[Recovery | None, bool, int]:
    """What a metric gives when shuffled, whether it is the law, and the test points it answers.

    Nothing but the shuffled metric goes into the law. To answer, it takes the training labels.
    """
    task = split.task
    hidden, rows, columns = shuffled(M, seed)
    found = recover(hidden)
    if found is None:
        return None, False, 0
    table = task.labels.view(task.n, task.n)[rows][:, columns]
    train, test = (renamed(pairs, rows, columns) for pairs in (split.train, split.test))
    answers = found.answers(train, task.label(split.train), test)
    right = int((answers == task.label(split.test)).sum())
    return found, same_law(found.law, table), right


def held(M: torch.Tensor, task: rfm.Task) -> float:
    """The share of the cross block between the stripes of the task, by the answer key."""
    C = standardised(M[: task.n, task.n :])
    return 0.0 if C is None else between(C, task.mirror(task.samples).view(task.n, task.n))


Told = tuple[Recovery | None, bool, int]


def laws(run: rfm.Run) -> Iterator[Told]:
    """What the metrics of a run give, from M_1 on, the names drawn anew for each."""
    for t, M in enumerate(run.history[1 : len(run.table)], 1):  # iteration t + 1 fits with M_t
        yield read_off(M, run.split, t)


def first_law(run: rfm.Run, told: Iterable[Told] | None = None) -> dict[str, Plain]:
    """When the metric first gives a law with a certificate, and what the machine knows then.

    ``first`` is the first t for which M_t gives one, 0 for never; the names of its coordinates are
    drawn anew for each t. Of ``points`` test points ``machine_right`` are right in the fit with
    this metric, that of iteration t+1, ``law_right`` by the law and the training labels, and
    ``final_right`` in the last fit. ``true`` says whether the law is that of the task, ``group``
    what it is called; ``share`` and ``chance`` make up its certificate. ``refused`` is the largest
    share of a law before it that got none. The metric of the last fit is asked too: ``last``. The
    fit ``half`` is the first that has more than half of the points right, 0 for never.
    ``held_before`` and ``held_last`` look the share of the true stripes up: in the metric before
    the first, 0 if there is no first, and in that of the last fit. ``told`` is what :func:`laws`
    gives, if that is known.
    """
    points, refused = len(run.split.test), 0.0
    at: dict[str, Plain] = {
        **{"first": 0, "machine_right": 0, "law_right": 0, "true": False, "group": ""},
        **{"share": 0.0, "chance": 0.0, "held_before": 0.0},
    }
    for t, (found, true, right) in enumerate(laws(run) if told is None else told, 1):
        if found is not None and found.certified:
            at = {
                "first": t,
                "machine_right": int(run.right[t].sum()),
                "law_right": right,
                "true": true,
                "group": str(found.permutations.abelian_invariants()),
                "share": found.share,
                "chance": found.chance,
                "held_before": held(run.history[t - 1], run.split.task),
            }
            break
        if found is not None:
            refused = max(refused, found.share)
    accurate = run.table.test_accuracy > 0.5
    last_metric = run.history[len(run.table) - 1]
    found, true, _ = read_off(last_metric, run.split, 0)
    last = "none" if found is None or not found.certified else "true" if true else "false"
    return {
        "iterations_done": len(run.table),
        "train_size": len(run.split.train),
        "points": points,
        **at,
        "refused": refused,
        "last": last,
        "held_last": held(last_metric, run.split.task),
        "half": int(accurate.idxmax()) if accurate.any() else 0,
        "final_right": int(run.correct().sum()),
        "jitter": float(run.table["jitter"].max()),
    }


def law_and_key(run: rfm.Run, told: Iterable[Told] | None = None) -> dict[str, Plain]:
    """The same, and since when the law is there, by the answer key.

    ``held_first`` is the first t whose true stripes have a share in M_t that the bound believes, 0
    for never. ``most_right`` is the largest number of test points right in any fit.
    """
    task, metrics = run.split.task, run.history[1 : len(run.table)]
    there = (t for t, M in enumerate(metrics, 1) if chance(task.n, held(M, task)) <= DOUBT)
    most = int(run.right.sum(1).max())
    return {**first_law(run, told), "held_first": next(there, 0), "most_right": most}


def every_law(run: rfm.Run) -> dict[str, Plain]:
    """The same, and how many of all metrics give a certified law, and a false one.

    ``contradicted`` is the least number of training labels that are not those by a false law that
    is certified, −1 if none is: who has these labels can see that it is false.
    """
    train, labels = run.split.train, run.split.task.label(run.split.train)
    certified, contradicted, told = 0, [], [*laws(run)]
    for t, (found, true, _) in enumerate(told, 1):
        if found is not None and found.certified:
            certified += 1
            if not true:
                rows, columns = shuffled(run.history[t], t)[1:]
                own = renamed(train, rows, columns)
                contradicted.append(int((found.answers(own, labels, own) != labels).sum()))
    counts = {"certified": certified, "false": len(contradicted)}
    return {**law_and_key(run, told), **counts, "contradicted": min(contradicted, default=-1)}


# ------------------------------------------------------------------------------------- decoys


def recovery_decoys() -> Iterator[Setting]:
    """Metrics without a group: from random labels, a table without one, and in the trap."""
    for n, kernel, seed in product((23, 31, 36), KERNELS, range(3)):
        split = rfm.random_split(rfm.addition(n), 0.5, seed)
        options = {"iterations": 15, "keep_features": True}
        yield Setting(split, kernel, options, {"what": "half", "order": n, "seed": seed})
    for n, kernel, k in product((23, 31, 36), KERNELS, range(2)):
        task = rfm.addition(n)
        split = rfm.withhold(task, task.reflections[k].fixed_points())
        options = {"iterations": 15, "keep_features": True}
        yield Setting(split, kernel, options, {"what": "axis", "order": n, "seed": k})


def iterated(split: Split, labels: torch.Tensor, kernel: rfm.Kernel) -> torch.Tensor:
    """The metric after fifteen iterations on other labels (N,) of the training pairs."""
    targets = torch.eye(split.task.n, dtype=torch.float64)[labels]
    M = torch.eye(split.task.dimension, dtype=torch.float64)
    for _ in range(15):
        machine = rfm.KernelMachine.fit(split.train, targets, kernel, M, warn=False)
        M = rfm.matrix_power(machine.agop(), 0.5)
    return M


def exchanged(labels: torch.Tensor, every: int, drawn: torch.Generator) -> torch.Tensor:
    """The labels (N,) with those of one random pair in so many exchanged at random among them."""
    some = torch.randperm(len(labels), generator=drawn)[: len(labels) // every]
    other = labels.clone()
    other[some] = labels[some[torch.randperm(len(some), generator=drawn)]]
    return other


def latin(n: int, seed: int) -> torch.Tensor:
    """A random Latin square (n, n) int64, row by row.

    Each row is a best assignment of symbols to columns for random costs, without those that the
    columns have. There always is one: any rows with different symbols in each column go on. (The
    table of Z_p would not do as a beginning: exchanging along cycles only renames its rows.)
    """
    drawn = torch.Generator().manual_seed(seed)
    used, rows = torch.zeros(n, n, dtype=torch.bool), list[torch.Tensor]()
    for _ in range(n):
        cost = torch.rand(n, n, generator=drawn) + n * used
        rows.append(torch.from_numpy(linear_sum_assignment(cost.numpy())[1]))
        used[torch.arange(n), rows[-1]] = True
    return torch.stack(rows)


def decoyed(run: rfm.Run) -> dict[str, Plain]:
    """Whether a law is certified where there is none, and the largest share of one that is not.

    In the metrics of the run itself; in its last one with the entries of the cross block in random
    places (``entries``), and turned at random, with the same spectrum (``spectrum``); in that of
    a machine that learns the training pairs with their labels exchanged at random (``labels``), or
    with those of a random Latin square (``square``). In columns that end in ``_share`` 0
    stands for nothing found; ``certified`` counts the metrics of the run.

    With the labels of only every tenth or every third training pair exchanged among them
    (``tenth``, ``third``) there is a law, and it is not that of all labels: whether it gets a
    certificate, and whether what gets one is the law of the task (``_true``).
    """
    split, task, n = run.split, run.split.task, run.split.task.n
    drawn = torch.Generator().manual_seed(0)
    kernel = next(k for k in KERNELS if repr(k) == run.settings["kernel"])
    M = run.features
    entries = M.clone()
    C = M[:n, n:].flatten()[torch.randperm(n * n, generator=drawn)].view(n, n)
    entries[:n, n:], entries[n:, :n] = C, C.T
    Q, _ = torch.linalg.qr(torch.randn(2 * n, 2 * n, generator=drawn, dtype=torch.float64))
    turned = Q @ torch.diag(torch.linalg.eigvalsh(M)) @ Q.T
    labels = task.label(split.train)
    mixed = labels[torch.randperm(len(labels), generator=drawn)]
    square = latin(n, 0)[split.train[:, 0], split.train[:, 1]]
    decoys = {
        "entries": entries,
        "spectrum": (turned + turned.T) / 2,
        "labels": iterated(split, mixed, kernel),
        "square": iterated(split, square, kernel),
    }
    found = {name: recover(shuffled(one, 0)[0]) for name, one in decoys.items()}
    spoilt = {
        name: read_off(iterated(split, exchanged(labels, every, drawn), kernel), split, 0)
        for name, every in (("tenth", 10), ("third", 3))
    }
    own = [recover(shuffled(one, 0)[0]) for one in run.history[1:]]
    certified = [one for one in own if one is not None and one.certified]
    last = own[-1]
    return {
        "metrics": len(own),
        "certified": len(certified),
        "share": 0.0 if last is None else last.share,
        "rivals": 0 if last is None else last.rivals,
        **{name: one is not None and one.certified for name, one in found.items()},
        **{f"{name}_share": 0.0 if one is None else one.share for name, one in found.items()},
        **{name: one is not None and one.certified for name, (one, _, _) in spoilt.items()},
        **{
            f"{name}_true": one is not None and one.certified and true
            for name, (one, true, _) in spoilt.items()
        },
    }
