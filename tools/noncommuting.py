"""Tables of chapter 15: groups that do not commute, beside Abelian ones of the same order.

:mod:`tables` computes them with all others. Groups of permutations are made once a process.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import chain, product
from statistics import median

import torch
from later import Later
from sympy.combinatorics import Permutation, PermutationGroup

import rfm
from rfm import FiniteGroup, Setting, Split, TableTask
from rfm.judging import leads
from rfm.networks import NetworkSetting, Square, Training
from rfm.outcomes import Measure, Plain, outcome
from rfm.representations import in_product_order
from rfm.starts import wishart

GAUSSIAN, QUADRATIC = rfm.Gaussian(bandwidth=2.5), rfm.Quadratic()
KERNELS = (GAUSSIAN, QUADRATIC)
SEEDS = range(5)
FIRM = 1e-6  # a lead below this is taken for rounding

MAKERS: Mapping[str, Callable[[], FiniteGroup]] = {
    "S_3": lambda: rfm.symmetric(3),
    "D_8": lambda: rfm.dihedral(4),
    "Q_8": rfm.quaternions,
    "D_10": lambda: rfm.affine(5, 2),
    "A_4": lambda: rfm.alternating(4),
    "D_12": lambda: rfm.dihedral(6),
    "D_14": lambda: rfm.affine(7, 2),
    "F_20": lambda: rfm.affine(5, 4),
    "F_21": lambda: rfm.affine(7, 3),
    "D_22": lambda: rfm.affine(11, 2),
    "S_4": lambda: rfm.symmetric(4),
    "H_27": lambda: rfm.permutations(_heisenberg(), "H_27"),
    "M_27": lambda: rfm.permutations(_modulo_nine(), "M_27"),
    "D_34": lambda: rfm.affine(17, 2),
    "F_39": lambda: rfm.affine(13, 3),
    "F_42": lambda: rfm.affine(7, 6),
    "D_46": lambda: rfm.affine(23, 2),
    "F_55": lambda: rfm.affine(11, 5),
    "F_57": lambda: rfm.affine(19, 3),
    "D_58": lambda: rfm.affine(29, 2),
    "A_5": lambda: rfm.alternating(5),
    "F_72": lambda: rfm.permutations(_nine(), "F_72"),
    "D_74": lambda: rfm.affine(37, 2),
}


def _nine() -> PermutationGroup:
    """The maps x ↦ ux + v of the field of nine elements."""

    def number(x: tuple[int, int]) -> int:
        return 3 * (x[0] % 3) + x[1] % 3

    field = list(product(range(3), repeat=2))  # a + bi with i² = −1
    shifts = [[number((a + c, b + d)) for a, b in field] for c, d in ((1, 0), (0, 1))]
    turn = [number((a - b, a + b)) for a, b in field]  # times 1 + i, which has order 8
    return PermutationGroup(*map(Permutation, (*shifts, turn)))


def _heisenberg() -> PermutationGroup:
    """The maps (i, j) ↦ (i + u, j + vi + w) modulo 3: order 27, exponent 3."""
    places = list(product(range(3), repeat=2))
    step = [3 * ((i + 1) % 3) + j for i, j in places]
    shear = [3 * i + (j + i) % 3 for i, j in places]
    return PermutationGroup(Permutation(step), Permutation(shear))


def _modulo_nine() -> PermutationGroup:
    """The maps x ↦ ux + v modulo 9, u = 1, 4, 7: order 27, exponent 9."""
    step, turn = [(x + 1) % 9 for x in range(9)], [4 * x % 9 for x in range(9)]
    return PermutationGroup(Permutation(step), Permutation(turn))


@cache
def task(name: str) -> TableTask:
    """x · y in a group by its name, such as ``D_22`` or ``Z_22``."""
    letter, order = name.split("_")
    return rfm.composition(rfm.cyclic(int(order)) if letter == "Z" else MAKERS[name]())


@cache
def degrees(group: FiniteGroup) -> torch.Tensor:
    """The degrees of its irreducible characters."""
    return rfm.characters(group).degrees


def described(name: str) -> dict[str, Plain]:
    """Columns that say what kind of group it is."""
    group = task(name).group
    d = degrees(group)
    return {"group": name, "n": group.order, "degree": int(d.max()), "degree_sum": int(d.sum())}


# ------------------------------------------------------------------------- random parts of a table

PAIRS = (("A_4", "Z_12"), ("D_14", "Z_14"), ("F_21", "Z_21"), ("D_22", "Z_22"), ("S_4", "Z_24"))
LARGE = (("F_57", "Z_57"), ("D_58", "Z_58"), ("A_5", "Z_60"))


def noncommuting() -> Iterator[Setting]:
    """Random parts of tables that do not commute, and of Abelian ones of the same order."""
    options = {"iterations": 40, "stop": rfm.converged(1e-5), "keep_features": True}
    tried = product(product(chain(*PAIRS), (0.65, 0.8, 0.95)), KERNELS, SEEDS)
    large = product(product(chain(*LARGE), (0.8,)), (GAUSSIAN,), SEEDS)
    for (name, fraction), kernel, seed in chain(tried, large):
        split = rfm.random_split(task(name), fraction, seed)
        labels = {**described(name), "fraction": fraction, "seed": seed}
        yield Setting(split, kernel, options, labels)


def once(split: Split, kernel: rfm.Kernel, M: torch.Tensor) -> int:
    """How many test points a single fit gets right under a metric, its negative part dropped."""
    values, vectors = torch.linalg.eigh(M)
    M = (vectors * values.clamp(min=0)) @ vectors.T
    return int(rfm.fit(split, kernel, 1, M0=M, warn=False).correct().sum())


def kernel_of(run: rfm.Run) -> rfm.Kernel:
    """The kernel of a run of these tables."""
    return next(k for k in KERNELS if repr(k) == run.settings["kernel"])


def spoken(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and what the last metric says in terms of representations.

    Of its off-diagonal block less its mean, ``residual`` is the distance from what keeps isotypic
    components, ``by_chance`` what a random block would have, ``exchange`` the agreement with its
    own exchange and ``bound`` what it could be at most with these components; ``residual_first`` is
    that of the first metric. :func:`filled` says how much of each component there is.
    ``votes_right`` test points are right by votes, ``projected_right`` in a fit under the
    projection.
    """
    M, now = run.features, run.split.task
    parts, d = rfm.isotypic(M, now), degrees(now.group)
    n = now.n
    return {
        **outcome(run),
        **in_parts(M, now),
        "by_chance": round((1 - (float((d**4).sum()) - 1) / (n * n - 1)) ** 0.5, 4),
        "residual_first": round(rfm.isotypic(run.history[1], now).residual, 4),
        **filled(M, now),
        "votes_right": round(rfm.vote_accuracy(M, run.split) * len(run.split.test)),
        "projected_right": once(run.split, kernel_of(run), parts.projection),
    }


def in_parts(M: torch.Tensor, of: TableTask) -> dict[str, Plain]:
    """Distance from what keeps components, agreement with the exchange, and its bound."""
    parts, d = rfm.isotypic(M, of), degrees(of.group)
    return {
        "residual": round(parts.residual, 4),
        "exchange": round(rfm.exchange_share(M, of), 4),
        "bound": round(float((parts.shares / d)[1:].sum()), 4),
    }


def filled(M: torch.Tensor, of: TableTask) -> dict[str, float]:
    """How the blocks of a metric fill the components, the trivial one left out; nan where none is.

    ``size_one`` and ``size_more`` are the root mean square of the singular values of P C P, C the
    off-diagonal block, over all components of degree 1 and of higher degree, and ``size_least``
    that of the component where it is least. ``evenness`` is the median, over those of higher
    degree, of the smallest singular value relative to the largest, and ``evenness_random`` that of
    random blocks. ``diagonal`` is the smallest eigenvalue of a diagonal block without the means of
    its rows, relative to its largest; the less of the two.
    """
    n, d = of.n, degrees(of.group)[1:].tolist()
    M = in_product_order(M, of)
    sizes = values_on(M[n:, :n], of.group)
    P = torch.eye(n, dtype=torch.float64) - 1 / n
    blocks = [torch.linalg.eigvalsh(P @ B @ P)[1:] for B in (M[:n, :n], M[n:, n:])]
    found = {"size_one": [s for s, k in zip(sizes, d, strict=True) if k == 1]}
    found["size_more"] = [s for s, k in zip(sizes, d, strict=True) if k > 1]
    return {
        **{
            name: round(float(torch.cat(each).square().mean().sqrt()), 4) if each else math.nan
            for name, each in found.items()
        },
        "size_least": round(min(float(s.square().mean().sqrt()) for s in sizes), 4),
        "evenness": evenness(sizes),
        "evenness_random": evenness_random(of.group.name),
        "diagonal": round(min(float(values[0] / values[-1]) for values in blocks), 4),
    }


def values_on(C: torch.Tensor, group: FiniteGroup) -> list[torch.Tensor]:
    """The d² singular values of P C P, descending, for each component but the trivial one."""
    parts, d = rfm.projections(group)[1:], degrees(group)[1:].tolist()
    values = torch.linalg.svdvals(parts @ C.to(parts.dtype) @ parts)
    return [row[: k * k] for row, k in zip(values, d, strict=True)]


def evenness(sizes: list[torch.Tensor]) -> float:
    """The median of least over largest, over components of higher degree, nan without one."""
    shares = sorted(float(s[-1] / s[0]) for s in sizes if len(s) > 1)
    return round(median(shares), 4) if shares else math.nan


@cache
def evenness_random(name: str) -> float:
    """The same over fifty normal matrices in one."""
    group, dice = task(name).group, torch.Generator().manual_seed(0)
    n = group.order
    drawn = torch.randn(50, n, n, generator=dice, dtype=torch.float64)
    return evenness([s for C in drawn for s in values_on(C, group)])


# ---------------------------------------------------------------------------- metrics that are made

METRICS = ("best", "any", "worst")
GROWING = (
    *("A_4", "D_14", "F_20", "F_21", "D_22", "S_4", "D_34", "F_39", "F_42", "D_46", "F_55"),
    *("F_57", "D_58", "A_5", "F_72", "D_74", "Z_12", "Z_21", "Z_22", "Z_58"),
)
CLIMBS = 8


@cache
def made(name: str, kind: str, seed: int) -> torch.Tensor:
    """The metric [[P, Cᵀ], [C, P]], P = I − J/n, C an isometry that keeps isotypic components.

    A normal matrix is projected on the span of the L(g)R(h), its mean taken off, and its singular
    values are set to 1: that is ``any``. From there ``best`` climbs to the largest agreement with
    the exchange, and ``worst`` down: of C ± E C, weighted with the degrees, the singular values are
    set to 1 again, eight times; those that the way down makes 0 stay 0.
    """
    group = task(name).group
    n, dice = group.order, torch.Generator().manual_seed(seed)
    parts, d = rfm.projections(group)[1:], degrees(group)[1:, None, None]
    C = torch.randn(n, n, generator=dice, dtype=torch.float64).to(parts.dtype)
    C = isometry((parts @ C @ parts).sum(0).real)
    for _ in range(CLIMBS if kind != "any" else 0):
        weighted = (d * (parts @ C.to(parts.dtype) @ parts)).sum(0).real
        C = isometry(C + {"best": 1, "worst": -1}[kind] * rfm.exchanged(weighted, group))
    P = torch.eye(n, dtype=torch.float64) - 1 / n
    return torch.cat([torch.cat([P, C.T], 1), torch.cat([C, P], 1)])


def isometry(C: torch.Tensor) -> torch.Tensor:
    """C with its singular values set to 1, where they are not 0."""
    U, S, V = torch.linalg.svd(C)
    large = S.gt(1e-9 * S[0])
    return (U * large) @ V


def noncommuting_metrics() -> Iterator[Setting]:
    """A single fit under metrics made of representations, in groups of growing order."""
    for name, kind, fraction, seed in product(GROWING, METRICS, (0.8, 0.95), SEEDS):
        group = task(name).group
        if (kind == "worst" and group.commutes) or (group.order > 60 and kind != "best"):
            continue
        if group.order > 40 and (fraction > 0.8 or kind == "worst"):
            continue
        for kernel in KERNELS if group.order < 40 else (GAUSSIAN,):
            split = rfm.random_split(task(name), fraction, seed)
            labels = {**described(name), "metric": kind, "fraction": fraction, "seed": seed}
            start = {"M0": partial(made, name, kind, seed), "keep_features": True}
            yield Later(split, kernel, {"iterations": 1, "ridge": 1e-6, **start}, labels)


def single(run: rfm.Run) -> dict[str, Plain]:
    """How many test points are right, and what votes under the metric say if all pairs vote.

    A pair votes for its class at another with C[b, a′] C[b′, a]. At each of the n² pairs,
    ``own_vote`` is the mean of the votes for the class that is right, ``other_votes`` the root of
    the mean square of the rest, and ``votes_right`` counts where its class has the most.
    """
    now, M = run.split.task, run.history[0]
    found = cast_votes(M[now.n :, : now.n], now)
    own = found.gather(1, now.labels[:, None])[:, 0]
    others = (found.square().sum(1) - own.square()).mean() / (now.n - 1)
    return {
        "train_size": len(run.split.train),
        "random": len(run.split.test),
        "random_right": int(run.correct().sum()),
        "exchange": round(rfm.exchange_share(M, now), 4),
        "votes_right": int((leads(found, now.labels) > 1e-9).sum()),
        "own_vote": round(float(own.mean()), 4),
        "other_votes": round(float(others) ** 0.5, 4),
    }


def cast_votes(C: torch.Tensor, of: TableTask) -> torch.Tensor:
    """Σ C[b, a′] C[b′, a] over the pairs (a′, b′) of each class, (n², n), in table order."""
    n, table = of.n, of.labels.view(of.n, of.n)
    scores = torch.empty(n * n, n, dtype=C.dtype)
    for label in range(n):
        partner = (table == label).to(C.dtype)  # [a′, b′]
        scores[:, label] = (C @ partner @ C).T.flatten()  # at [a, b]
    return scores


# ------------------------------------------------------------------------- a component alone

BEGUN = (("A_5", "the identity"), ("A_5", "one component"), ("Z_60", "the identity"))


def noncommuting_begun() -> Iterator[Setting]:
    """The quadratic kernel at order 60, from the identity and from one component alone."""
    for (name, start), seed in product(BEGUN, range(3)):
        split = rfm.random_split(task(name), 0.8, seed)
        labels = {**described(name), "start": start, "fraction": 0.8, "seed": seed}
        options = {"iterations": 20, "ridge": 1e-6, "keep_features": True}
        if start == "one component":
            options["M0"] = alone(name)
        yield Setting(split, QUADRATIC, options, labels)


def alone(name: str) -> torch.Tensor:
    """The metric of a character that leaves the other product most room, and of its conjugate."""
    group, found = task(name).group, rfm.characters(task(name).group)
    real = found.conjugates == torch.arange(len(found.degrees))
    m = found.degrees**2 * torch.where(real, 1, 2)
    largest = (found.values.real / found.degrees[:, None]).topk(2).values[:, 1]
    k = int((1 - m / group.order - largest).argmax())
    P = sum(rfm.projections(group)[i] for i in {k, int(found.conjugates[k])}).real
    return torch.block_diag(P, P)


def begun(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, what is right at first, and in one fit of a wide Gaussian from the same start.

    ``more_at`` is the first iteration with more than half of the test points right, 0 for never.
    """
    right, wide = run.right.sum(1), rfm.Gaussian(bandwidth=30)
    once = rfm.fit(run.split, wide, 1, M0=run.history[0], ridge=1e-9, warn=False)
    more = 2 * right > run.right.shape[1]
    return {
        **outcome(run),
        "first_right": int(right[0]),
        "more_at": int(more.int().argmax()) + 1 if more.any() else 0,
        "wide_right": int(once.correct().sum()),
    }


# --------------------------------------------------------------------------- metrics that are found

SEARCHED = ("A_4", "D_14", "F_20", "F_21", "D_22", "S_4", "Z_14", "Z_21", "Z_22")
STEPS, AFTER = 300, 20


def noncommuting_search() -> Iterator[Setting]:
    """Descend on the leave-one-out error from a random metric, then let the recursion go on."""
    wanted = [(name, 0.8, seed) for name in SEARCHED for seed in SEEDS]
    wanted += [(name, 0.65, seed) for name in SEARCHED for seed in range(3)]
    for name, fraction, seed in wanted:
        split = rfm.random_split(task(name), fraction, seed)
        labels = {**described(name), "fraction": fraction, "seed": seed}
        start = {"M0": 4 * wishart(task(name), seed, 2 * task(name).n), "keep_features": True}
        yield Setting(split, GAUSSIAN, {"iterations": AFTER, **start}, labels)


def searched(run: rfm.Run) -> dict[str, Plain]:
    """What recursion makes of a random metric, what a search makes of it, and recursion of that.

    Shares of the test points that are right: ``recursion`` from the start, ``found`` in a single
    fit with the metric that the search ends at, ``diagonal`` in one with its diagonal blocks alone,
    ``kept`` after recursion from there; ``from_identity`` after as many iterations from the
    identity. ``left_out`` is the share of training points that are right
    when left out. Of the metric that was found there is more in :func:`sides`; with ``_after``, of
    the one after recursion.
    """
    split, now, n = run.split, run.split.task, run.split.task.n
    found = rfm.search(split, GAUSSIAN, STEPS, M0=run.history[0])
    M = found.metric
    diagonal = torch.block_diag(M[:n, :n], M[n:, n:])
    then = rfm.fit(split, GAUSSIAN, AFTER, M0=M, warn=False)
    once_ = {"found": M, "diagonal": diagonal}
    right = {
        name: rfm.fit(split, GAUSSIAN, 1, M0=each, ridge=1e-9, warn=False).correct()
        for name, each in once_.items()
    }
    right |= {"recursion": run.correct(), "kept": then.correct()}
    right["from_identity"] = rfm.fit(split, GAUSSIAN, AFTER, warn=False).correct()
    return {
        "train_size": len(split.train),
        "points": len(split.test),
        **{name: round(float(each.double().mean()), 4) for name, each in right.items()},
        "left_out": round(float(found.table.right.iloc[-1]), 4),
        **{name: round(value, 2) for name, value in sides(M, now).items()},
        **{f"{name}_after": round(value, 2) for name, value in sides(then.features, now).items()},
    }


def sides(M: torch.Tensor, of: TableTask) -> dict[str, float]:
    """Of a metric without the means of its blocks' rows: its rank, and which renamings keep it.

    ``rank`` is (Σ λ)²/Σ λ². ``outer`` is the share of the diagonal blocks' squares that the
    renamings (a, b) ↦ (pa, br) keep, ``inner`` the share that (at⁻¹, tb) keep, which keep labels.
    ``exchange`` is the exchange share.
    """
    group, n = of.group, of.n
    P = torch.eye(n, dtype=torch.float64) - 1 / n
    M = in_product_order(M, of)
    M = torch.block_diag(P, P) @ M @ torch.block_diag(P, P)
    left, right = group.table[group.inverses], group.table[:, group.inverses]  # u⁻¹v and uv⁻¹
    A, D = M[:n, :n], M[n:, n:]
    size = float(A.square().sum() + D.square().sum())
    return {
        "rank": float(M.trace() ** 2 / M.square().sum()),
        "outer": (constant_on(A, left) + constant_on(D, right)) / size,
        "inner": (constant_on(A, right) + constant_on(D, left)) / size,
        "exchange": rfm.exchange_share(M, rfm.composition(group)),
    }


def constant_on(B: torch.Tensor, places: torch.Tensor) -> float:
    """The sum of squares of a block's projection on what depends on ``places`` alone."""
    sums = torch.zeros(len(B), dtype=B.dtype).index_add(0, places.flatten(), B.flatten())
    return float(sums.square().sum()) / len(B)


# ------------------------------------------------------------------------------- one held-out point

HELD = ("S_3", "D_8", "Q_8", "D_10", "A_4", "D_12", "D_14", "F_20", "F_21", "D_22", "S_4")
HELD += ("H_27", "M_27", "F_39")
HELD += ("Z_6", "Z_8", "Z_10", "Z_12", "Z_14", "Z_20", "Z_21", "Z_22", "Z_24", "Z_27", "Z_39")


def noncommuting_held() -> Iterator[Setting]:
    """Hold out one pair; by renaming it does not matter which. All runs, and then longer ones."""
    kernels = rfm.Gaussian(1.0), GAUSSIAN, rfm.Matern(bandwidth=2.5), QUADRATIC
    for iterations, name, kernel in product((40, 160), HELD, kernels):
        e = task(name).group.identity
        split = rfm.withhold(task(name), torch.tensor([[e, e]]))
        made = recursion(split, kernel, **described(name))
        yield replace(made, options={**made.options, "iterations": iterations})


def recursion(split: Split, kernel: rfm.Kernel, **labels: Plain) -> Setting:
    """Forty iterations, or until M stands still."""
    return Setting(split, kernel, {"iterations": 40, "stop": rfm.converged(1e-6)}, labels)


def held(run: rfm.Run) -> dict[str, Plain]:
    """The outcome, and whether what is right is more than rounding.

    ``firm_right`` points lead by more than a millionth in the end, where a training point leads by
    one, and all points right in one of ``firm_iterations`` iterations do. ``lead`` is the median
    lead of the right class over the withheld points, below 0 where it is behind.
    """
    leading = run.table["margin"].fillna(0).gt(FIRM) & run.table["test_accuracy"].gt(0)
    return {
        **outcome(run),
        "firm_right": int((run.predictions["margin"] > FIRM).sum()),
        "firm_iterations": int(leading.sum()),
        "lead": float(run.predictions["margin"].median()),
        **in_parts(run.features, run.split.task),
    }


# ------------------------------------------------------------------------------------------ traps

TRAPS = ("S_3", "D_8", "Q_8", "D_10", "A_4", "D_14", "F_20", "F_21", "D_22", "S_4")


@cache
def involutions(name: str) -> list[torch.Tensor]:
    """The automorphisms with φ² = id ≠ φ, one of each class of conjugates."""
    maps = rfm.automorphisms(task(name).group)
    identity = torch.arange(maps.shape[1])
    inverses = torch.argsort(maps, 1)
    chosen, seen = [], set[tuple[int, ...]]()
    for φ in maps:
        if φ[φ].equal(identity) and not φ.equal(identity) and tuple(φ.tolist()) not in seen:
            conjugates = maps.gather(1, φ[inverses])  # ψφψ⁻¹
            seen |= {tuple(one) for one in conjugates.tolist()}
            chosen.append(φ)
    return chosen


def noncommuting_traps() -> Iterator[Setting]:
    """Withhold the fixed points of exchanges, and as many pairs drawn in three ways."""
    for name in TRAPS:
        now = task(name)
        for number, φ in enumerate(involutions(name), 1):
            axis = rfm.exchange(now, φ).fixed_points()
            count = len(now.label(axis).unique())
            for kernel in KERNELS:
                labels = {**described(name), "withheld_set": f"axis {number}", "labels": count}
                yield recursion(rfm.withhold(now, axis), kernel, **labels, seed=0)
        for seed in SEEDS:
            for how, pairs in controls(name, seed).items():
                labels = {**described(name), "withheld_set": how}
                labels["labels"] = len(now.label(pairs).unique())
                for kernel in KERNELS:
                    yield recursion(rfm.withhold(now, pairs), kernel, **labels, seed=seed)


def controls(name: str, seed: int) -> dict[str, torch.Tensor]:
    """As many pairs as an axis has: at random, one a row and column, and of each axis's labels."""
    now, dice = task(name), torch.Generator().manual_seed(seed)
    n = now.n
    sets = {"at random": now.samples[torch.randperm(n * n, generator=dice)[:n]]}
    sets["rows and columns"] = torch.stack(
        [torch.arange(n), torch.randperm(n, generator=dice)], dim=1
    )
    for number, φ in enumerate(involutions(name), 1):
        counts = now.label(rfm.exchange(now, φ).fixed_points()).bincount(minlength=n)
        shuffled = torch.randperm(n * n, generator=dice)
        labels = now.labels[shuffled]
        chosen = [shuffled[labels == c][:count] for c, count in enumerate(counts.tolist())]
        sets[f"labels of axis {number}"] = now.samples[torch.cat(chosen)]
    return sets


def trapped(run: rfm.Run) -> dict[str, Plain]:
    """The same, and how near the last metric is to Π(id) − Π(g), g the exchange; nan without one.

    ``kept`` says whether g keeps the metric, to a millionth of it.
    """
    now, M = run.split.task, run.features
    name = now.group.name
    near = kept = math.nan
    pairs = set(map(tuple, run.split.test.tolist()))
    for φ in involutions(name):
        g = rfm.exchange(now, φ)
        if pairs == set(map(tuple, g.fixed_points().tolist())):
            Π = g.matrix()
            near = rfm.alignment(M, torch.eye(now.dimension, dtype=Π.dtype) - Π)
            kept = float((Π @ M @ Π.T - M).norm() / M.norm())
    return {**held(run), "cosine": near, "kept": math.nan if kept != kept else kept < 1e-6}


# --------------------------------------------------------------------------------------- networks

NETS = ("A_4", "Z_12", "D_14", "Z_14", "F_21", "Z_21", "D_22", "Z_22", "S_4")


def noncommuting_networks() -> Iterator[Setting]:
    """Train quadratic networks on the same random parts, and on the axes of exchanges."""
    for name, fraction, seed in product(NETS, (0.65, 0.8), SEEDS):
        split = rfm.random_split(task(name), fraction, seed)
        labels = {**described(name), "withheld_set": "at random", "fraction": fraction}
        yield NetworkSetting(split, Square(), {"steps": 1000, "seed": seed}, labels)
    for name in ("D_14", "F_21", "D_22", "S_4"):
        for (number, φ), seed in product(enumerate(involutions(name), 1), SEEDS):
            split = rfm.withhold(task(name), rfm.exchange(task(name), φ).fixed_points())
            labels = {**described(name), "withheld_set": f"axis {number}", "fraction": 0.0}
            yield NetworkSetting(split, Square(), {"steps": 200, "seed": seed}, labels)


def seen(run: Training) -> dict[str, Plain]:
    """What a network got right, and what a machine gets right with its features.

    ``first_all`` is the first step that we looked at with all test points right, −1 for never.
    ``fixed_right`` test points are right in a single fit of the quadratic kernel, and
    ``gaussian_right`` of the Gaussian, with the feature matrix UUᵀ for a metric, its trace that of
    the identity. ``component`` is the median over neurons of the largest share that a character and
    its conjugate have in one.
    """
    split, M = run.split, run.features
    every = run.table.test_accuracy == 1
    metric = M * (len(M) / M.trace())
    return {
        "train_size": len(split.train),
        "train_errors": round((1 - run.table.train_accuracy.iloc[-1]) * len(split.train)),
        "points": len(split.test),
        "right": int(run.correct().sum()),
        "most_right": int(run.right.sum(1).max()),
        "first_all": int(every.idxmax()) if every.any() else -1,
        "fixed_right": once(split, QUADRATIC, metric),
        "gaussian_right": once(split, GAUSSIAN, metric),
        **in_parts(M, split.task),
        "component": round(component(run), 4),
    }


def component(run: Training) -> float:
    """The median over neurons of the largest share of a character and its conjugate."""
    now, U = run.split.task, run.weights.first
    P, pair = rfm.projections(now.group), rfm.characters(now.group).conjugates
    halves = torch.stack([U[: now.n], U[now.n + now.twist]]).to(P.dtype)
    power = (P[:, None] @ halves).abs().square().sum((1, 2))  # (r, h)
    power = torch.where((pair == torch.arange(len(pair)))[:, None], power, power + power[pair])
    whole = halves.abs().square().sum((0, 1)) - power[0]
    return float((power[1:].amax(0) / whole).median())


TABLES: Mapping[str, tuple[Callable[[], Iterator[Setting]], Measure]] = {
    "noncommuting": (noncommuting, spoken),
    "noncommuting_metrics": (noncommuting_metrics, single),
    "noncommuting_begun": (noncommuting_begun, begun),
    "noncommuting_search": (noncommuting_search, searched),
    "noncommuting_held": (noncommuting_held, held),
    "noncommuting_traps": (noncommuting_traps, trapped),
    "noncommuting_networks": (noncommuting_networks, seen),
}
