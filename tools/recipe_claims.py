"""The paper's claims at a small size, as predicates on runs, and changes of the recipe.

A claim of several parts has a case for each, which is a run and a question about it. Which case a
run is of, the measure reads from the settings that :class:`Claimed` leaves in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product

import torch
from later import Later, Start
from nudging import nudged

import rfm
from rfm import Kind, Run, RunError, Setting, Split
from rfm.outcomes import Plain

Answer = tuple[float, bool]
"""What was measured, and whether the claim holds of it."""

DRAWS = 5
STARTS = 5  # of a case that has one draw
P = 23

# ----------------------------------------------------------------------------- what is changed


@dataclass(frozen=True)
class Recipe:
    """A kernel and options of :func:`rfm.fit`, by the name of what they change."""

    kernel: rfm.Kernel
    options: Mapping[str, object]


GAUSSIAN, QUADRATIC = rfm.Gaussian(2.5), rfm.Quadratic()
PRINTED = rfm.Gaussian.as_printed(2.5)
CHANGES: Mapping[str, Mapping[str, object]] = {
    "none": {},
    "raw gradients": {"centred": False},
    "AGOP power 1/4": {"power": 0.25},
    "AGOP power 1": {"power": 1.0},
    "ridge 1e-6": {"ridge": 1e-6},
    "ridge 1e-2": {"ridge": 1e-2},
    "float32": {"dtype": torch.float32},
    "20 iterations": {"iterations": 20},
    "60, not stopped": {"stop": None},
}
RECIPES: Mapping[tuple[str, str], Recipe] = {
    **{("Gaussian", name): Recipe(GAUSSIAN, changes) for name, changes in CHANGES.items()},
    ("Gaussian", "denominator L"): Recipe(PRINTED, {}),
    ("Gaussian", "text: L and raw"): Recipe(PRINTED, {"centred": False}),
    **{("quadratic", name): Recipe(QUADRATIC, changes) for name, changes in CHANGES.items()},
}


def options(changes: Mapping[str, object]) -> dict[str, object]:
    """Sixty iterations, or until M moves by less than 1e-5, but for what is changed."""
    return {"iterations": 60, "stop": rfm.converged(1e-5), **changes}


@cache
def trapped_features(machine: str, change: str) -> torch.Tensor:
    """What the recipe makes of the trap of s modulo 23 in fifty iterations, as double precision.

    A ridge or a number of iterations is changed there too.
    """
    recipe = RECIPES[machine, change]
    given = {**options(recipe.options)}
    given["iterations"] = min(50, given["iterations"])
    trapped = axis(rfm.addition(P).reflection(0))
    return rfm.fit(trapped, recipe.kernel, **given, warn=False).features.double()


# ------------------------------------------------------------------------- splits and questions


def axis(mirror: rfm.Symmetry) -> Split:
    """All but the fixed points of a reflection."""
    return rfm.withhold(mirror.task, mirror.fixed_points())


def share(run: Run, kind: Kind = Kind.WITHHELD) -> float:
    """The share of the test points of a kind that are right in the end."""
    return float(run.correct()[run.split.test_kind == kind].double().mean())


def never(run: Run) -> Answer:
    """The most withheld points right in any iteration; the claim is that there is none."""
    most = int(run.right[:, run.split.test_kind == Kind.WITHHELD].sum(1).max())
    return float(most), most == 0


def freed(run: Run) -> Answer:
    """The share of the withheld points right in the end; the claim is more than half."""
    found = share(run)
    return found, found > 0.5


def wrong(run: Run) -> Answer:
    """The share of the withheld points right in the end; the claim is none."""
    found = share(run)
    return found, found == 0


def right(run: Run) -> Answer:
    """The share of the withheld points right in the end; the claim is all."""
    found = share(run)
    return found, found == 1


def groks(run: Run) -> Answer:
    """The test accuracy in the end: no training error ever, four flat iterations, then 90 %."""
    accuracy = run.table["test_accuracy"]
    flat = bool((accuracy.iloc[:4] < 0.05).all())
    found = float(accuracy.iloc[-1])
    return found, flat and found >= 0.9 and bool((run.table["train_accuracy"] == 1).all())


def striped(run: Run) -> Answer:
    """How many reflections stand out; the claim is all that were withheld, and perhaps others."""
    elements = set(rfm.decompose(run.features.double(), run.split.task).elements)
    found = sum(g.reflects for g in elements)
    return float(found), set(run.split.mirrors) <= elements


def two_stripes(run: Run) -> Answer:
    """How many elements stand out; the claim is the identity and the reflection, no other."""
    task = run.split.task
    elements = set(rfm.decompose(run.features.double(), task).elements)
    return float(len(elements)), elements == {task.identity, *run.split.mirrors}


def circulant(run: Run) -> Answer:
    """The circulant deviation in the end; the claim is at most a tenth."""
    found = rfm.circulant_deviation(run.features.double(), run.split.task)
    return found, found <= 0.1


def foretold(run: Run) -> Answer:
    """The share of test points as predicted from the orbit under {id, s}; the claim is all."""
    H = rfm.generate(run.split.task.reflection(0))
    same = rfm.predict(H, run.split).right == run.correct()
    return float(same.double().mean()), bool(same.all())


@dataclass(frozen=True)
class Case:
    """A part of a claim.

    Attributes:
        split: the split of a draw.
        asks: the question, of a run.
        draws: how many splits; one where all are equivalent.
        started: whether the run is one fit from the features of the trap of s.
    """

    split: Callable[[int], Split]
    asks: Callable[[Run], Answer]
    draws: int = DRAWS
    started: bool = False

    @property
    def starts(self) -> int:
        """From how many starts each draw is run, all but the first changed in its last digits."""
        return 2 if self.draws > 1 else STARTS


PLUS = rfm.addition(P)
S, OTHER = PLUS.reflection(0), PLUS.reflection(10)
TIMES = rfm.multiplication(P).reflections[5]
PRODUCT = rfm.addition(5, 5).reflection((2, 3))
EVEN = rfm.addition(32)
SUBGROUP = rfm.generate(EVEN.reflection(0), EVEN.rotation(8))
TRAPS = (S, TIMES, PRODUCT)


def panel(draw: int) -> Split:
    """Panels A to D of the paper's Fig. 14."""
    B, partners = axis(OTHER), S(OTHER.fixed_points())
    return (axis(S), B, B.move(partners[::3]), B.move(partners))[draw]


def pair_of(*elements: tuple[int, int]) -> Split:
    """All of the table modulo 23 but these samples."""
    return rfm.withhold(PLUS, torch.stack([PLUS.pair(a, b) for a, b in elements]))


CASES: Mapping[str, Case] = {
    "C1": Case(lambda draw: rfm.random_split(PLUS, 0.8, draw), groks),
    "C2": Case(lambda draw: axis(TRAPS[draw]), never, len(TRAPS)),
    "C3, one point": Case(lambda draw: axis(S).move_random(1, draw), freed, 1),
    "C3, 5.5 %": Case(lambda draw: axis(S).move_random(28, draw), freed),
    "C4, random": Case(lambda draw: axis(S).move_random(20, draw), freed),
    "C4, pairs": Case(lambda draw: axis(S).move_mirror_pairs(10, S, draw), wrong),
    "C5": Case(lambda draw: axis(S).give_back_random(5, draw), never),
    "C6, one": Case(lambda draw: pair_of((0, 1)), wrong, 1),
    "C6, one axis": Case(lambda draw: pair_of((0, 0), (1, 1)), wrong, 1),
    "C6, two": Case(lambda draw: pair_of((0, 0), (2 * draw, 1)), right, 3),
    "C7": Case(lambda draw: axis(TIMES).move_random(20, draw), freed),
    "C8, random": Case(lambda draw: axis(PRODUCT).move_random(20, draw), freed),
    "C8, pairs": Case(lambda draw: axis(PRODUCT).move_mirror_pairs(10, PRODUCT, draw), wrong),
    "C9, zero": Case(lambda draw: rfm.withhold(EVEN, SUBGROUP.fixed_points()), never, 1),
    "C9, stripes": Case(lambda draw: rfm.withhold(EVEN, SUBGROUP.fixed_points()), striped, 1),
    "C10, trap": Case(lambda draw: axis(TRAPS[draw]), two_stripes, len(TRAPS)),
    "C10, random": Case(lambda draw: rfm.random_split(PLUS, 0.8, draw), circulant),
    "C11": Case(lambda draw: rfm.random_split(PLUS, 0.5, draw), foretold, started=True),
    "C12": Case(panel, foretold, 4, started=True),
}


# ------------------------------------------------------------------------------------ the table


class Claimed(Later):
    """A run that carries its labels, and that ends where the machine cannot go on."""

    def run(self, threads: int | None = None, *, warn: bool = True) -> Run:
        """Make the run, or as much of it as there is."""
        try:
            run = super().run(threads, warn=warn)
        except RunError as error:
            if error.run is None:
                raise
            run = error.run
        return replace(run, settings={**run.settings, **self.labels})


def begun(M0: Start, start: int, dtype: torch.dtype) -> torch.Tensor:
    """A metric as it is for start 0, and for every other changed as rounding would."""
    made = M0() if callable(M0) else M0
    return nudged(made, start, dtype) if start else made


def recipe_claims() -> Iterator[Setting]:
    """Each claim of the paper at a small size, under each change of the recipe.

    Each draw is run from some starts that differ in last digits: rounding decides some answers.
    """
    for (machine, change), recipe in RECIPES.items():
        for claim, case in CASES.items():
            for draw, start in product(range(case.draws), range(case.starts)):
                split, given = case.split(draw), options(recipe.options)
                M0: Start = torch.eye(split.task.dimension)
                if case.started:
                    M0 = partial(trapped_features, machine, change)
                    given["iterations"] = 1
                if start or case.started:
                    given["M0"] = partial(begun, M0, start, given.get("dtype", torch.float64))
                labels = {"claim": claim, "machine": machine, "change": change, "draw": draw}
                yield Claimed(split, recipe.kernel, given, {**labels, "start": start})


def verdict(run: Run) -> dict[str, Plain]:
    """What was measured of a claim and whether it holds of this run.

    ``fitted`` says whether every training point is right in the end, without which a machine that
    is right nowhere says little; ``whole`` whether the run came to its end.
    """
    measured, holds = CASES[str(run.settings["claim"])].asks(run)
    return {
        "measured": measured,
        "holds": holds,
        "fitted": bool(run.table["train_accuracy"].iloc[-1] == 1),
        "whole": not run.ended.startswith("failed"),
        "iterations_done": len(run.table),
        "jitter": float(run.table["jitter"].max()),
    }
