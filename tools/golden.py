"""Write what the explorer's engine is held against: the thresholds it reads, and golden runs.

    python tools/golden.py [NAME ...]

makes ``book/site/explorer/thresholds.js`` and, of each case of ``CASES`` or those named, the run in
``tests/golden/NAME.json``, all with ``rfm``. Tests make them again, and run the browser on them.

Rounding decides some things, and differs between processors. So every case is run again from three
starts that differ from the identity by 1e-15. How far M wanders off then is stored along with the
run, and what is not said in the same way by all four is marked as unsure, as is a lead that is
nearly a tie, or the winner among classes that tie.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from repository import ROOT
from torch import Tensor

import rfm
from rfm.decomposition import threshold
from rfm.judging import leads

THRESHOLDS = ROOT / "book" / "site" / "explorer" / "thresholds.js"
GOLDEN = ROOT / "tests" / "golden"
MOST = 25  # values of one kind that the explorer can have
FALSE_ALARMS = 0.01  # the default of rfm.decompose
ITERATIONS = 12
STORED = (1, 3, ITERATIONS)  # the iterations whose M is stored
SHADOWS, NUDGE = 3, 1e-15
NEAR = 30  # a lead within this factor of a tie is unsure in any case

KEPT = (  # columns of the table that are stored
    *("train_accuracy", "test_accuracy", "random_accuracy", "withheld_accuracy"),
    *("moved_accuracy", "train_loss", "test_loss", "margin", "tie", "condition", "jitter"),
    *("step", "turn"),
)

Step = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One run, said twice: as the explorer's setting, and in the package's own words.

    Attributes:
        split: makes the split.
        steps: the same as the explorer's steps.
        operation: as the explorer writes it.
        orders: as the explorer writes them.
        kernel: the package's kernel.
        options: of :func:`rfm.fit` besides the defaults.
    """

    operation: str
    orders: tuple[int, ...]
    split: Callable[[rfm.Task], rfm.Split]
    steps: tuple[Step, ...]
    kernel: rfm.Kernel = field(default_factory=rfm.Gaussian)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def setting(self) -> dict[str, Any]:
        """The explorer's setting, with points as sample numbers."""
        setting = {"operation": self.operation, "orders": list(self.orders)}
        setting |= {"kernel": type(self.kernel).__name__, "steps": list(self.steps)}
        if isinstance(self.kernel, rfm.Gaussian):
            setting["bandwidth"] = self.kernel.bandwidth
        return setting | self.options

    def task(self) -> rfm.Task:
        """The task."""
        makers = {"+": rfm.addition, "−": rfm.subtraction}
        makers |= {"×": rfm.multiplication, "÷": rfm.division}
        return makers[self.operation](*self.orders)


def axis(*k: int) -> Callable[[rfm.Task], rfm.Split]:
    """Withhold the fixed points of the reflections sr^k, k by position."""
    return lambda task: rfm.withhold(
        task, torch.cat([task.reflections[i].fixed_points() for i in k])
    )


def on_axes(task: rfm.Task, *k: int) -> Step:
    """The same as a step of the explorer."""
    return {"do": "withhold", "points": sorted(task.index(axis(*k)(task).test).tolist())}


def then(
    first: Callable[[rfm.Task], rfm.Split], change: Callable[[rfm.Split], rfm.Split]
) -> Callable[[rfm.Task], rfm.Split]:
    """A split and one change of it."""
    return lambda task: change(first(task))


def moved(*points: int) -> Callable[[rfm.Split], rfm.Split]:
    """Move points, by sample number."""
    return lambda split: split.move(split.task.samples[list(points)])


QUADRATIC = rfm.Quadratic()
ELEVEN, TWELVE, THIRTEEN = (rfm.addition(n) for n in (11, 12, 13))
ONE_MOVED = (on_axes(THIRTEEN, 0), {"do": "move", "points": [2]})
OFF_AXIS = (on_axes(ELEVEN, 0), {"do": "move", "points": [3, 40]})
CASES = {
    "trap": Case("+", (13,), axis(0), (on_axes(THIRTEEN, 0),)),
    "trap-quadratic": Case("+", (13,), axis(0), (on_axes(THIRTEEN, 0),), QUADRATIC),
    "moved": Case("+", (13,), then(axis(0), moved(2)), ONE_MOVED),
    "moved-quadratic": Case("+", (13,), then(axis(0), moved(2)), ONE_MOVED, QUADRATIC),
    "random": Case(
        "+",
        (13,),
        lambda task: rfm.random_split(task, 0.5, 3),
        ({"do": "random", "fraction": 0.5, "seed": 3},),
    ),
    "random-quadratic": Case(
        "+",
        (11,),
        lambda task: rfm.random_split(task, 0.62, 2**31 + 5),
        ({"do": "random", "fraction": 0.62, "seed": 2**31 + 5},),
        QUADRATIC,
    ),
    "minus": Case(
        "−",
        (11,),
        then(axis(3), lambda split: split.move_random(2, 5)),
        (on_axes(rfm.subtraction(11), 3), {"do": "moveRandom", "count": 2, "seed": 5}),
    ),
    "times": Case(
        "×",
        (11,),
        then(axis(4), lambda split: split.move_mirror_pairs(2, split.mirrors[0], 7)),
        (
            on_axes(rfm.multiplication(11), 4),
            {"do": "movePairs", "count": 2, "mirror": 4, "seed": 7},
        ),
        QUADRATIC,
    ),
    "over": Case(
        "÷",
        (13,),
        lambda task: rfm.random_split(task, 0.7, 0),
        ({"do": "random", "fraction": 0.7, "seed": 0},),
    ),
    "product": Case(
        "+",
        (3, 3),
        then(axis(5), moved(2)),
        (on_axes(rfm.addition(3, 3), 5), {"do": "move", "points": [2]}),
    ),
    "even": Case("+", (12,), axis(0), (on_axes(TWELVE, 0),)),
    "even-quadratic": Case("−", (2, 4), axis(1), (on_axes(rfm.subtraction(2, 4), 1),), QUADRATIC),
    "two-mirrors": Case("+", (12,), axis(1, 4), (on_axes(TWELVE, 1, 4),)),
    "two-mirrors-quadratic": Case("+", (11,), axis(0, 3), (on_axes(ELEVEN, 0, 3),), QUADRATIC),
    "given-back": Case(
        "+",
        (11,),
        then(axis(0), lambda split: split.give_back_random(3, 1)),
        (on_axes(ELEVEN, 0), {"do": "giveBackRandom", "count": 3, "seed": 1}),
        QUADRATIC,
    ),
    "ridge": Case(
        "+", (11,), then(axis(0), moved(3, 40)), OFF_AXIS, rfm.Gaussian(1.5), {"ridge": 0.01}
    ),
    "ridge-quadratic": Case(
        "+", (11,), then(axis(0), moved(3, 40)), OFF_AXIS, QUADRATIC, {"ridge": 0.1}
    ),
    "power": Case("+", (11,), then(axis(0), moved(3, 40)), OFF_AXIS, options={"power": 0.25}),
    "raw": Case("+", (11,), then(axis(0), moved(3, 40)), OFF_AXIS, options={"centred": False}),
    "raw-quadratic": Case(
        "+",
        (11,),
        then(axis(0), moved(3, 40)),
        OFF_AXIS,
        QUADRATIC,
        {"centred": False, "power": 1.0},
    ),
}


# -------------------------------------------------------------------------------- the thresholds


def thresholds() -> str:
    """The script with the thresholds of :func:`rfm.decompose`, by the number of values."""
    found = [threshold(m, FALSE_ALARMS) for m in range(MOST + 1)]
    entries = "".join(f"    {'Infinity' if x == math.inf else repr(x)},\n" for x in found)
    return (
        "/** Generated by tools/golden.py from rfm, never edited: see decomposition.js. */\n"
        'function rfmThresholds() {\n  "use strict";\n'
        f"  return [\n{entries}  ];\n}}\n"
    )


# ---------------------------------------------------------------------------------------- runs


@dataclass(frozen=True)
class Told:
    """What one run says.

    Attributes:
        rows: its table.
        features: M by iteration.
        right: (T, n²) bool, of all samples.
        predicted: (T, n²) int64, the class with the highest score.
        leads: (T, n²), by how much the right class leads, in units of a tie.
        wins: (T, n²), the same of the class predicted.
        elements: by iteration, those that M encodes, by number.
    """

    rows: list[dict[str, float]]
    features: list[Tensor]
    right: Tensor
    predicted: Tensor
    leads: Tensor
    wins: Tensor
    elements: list[list[int]]


def run(case: Case, split: rfm.Split, M0: Tensor | None = None) -> Told:
    """Run the package, and judge training samples as it judges test points."""
    found = rfm.fit(
        split,
        case.kernel,
        ITERATIONS,
        M0=M0,
        warn=False,
        keep_features=True,
        device="cpu",
        **case.options,
    )
    task, train, judged = split.task, split.train, []
    number = {g: i for i, g in enumerate(task.symmetries)}
    for M, tie in zip(found.history, found.table["tie"], strict=False):
        machine = rfm.KernelMachine.fit(
            train,
            task.one_hot_labels(train),
            case.kernel,
            M,
            case.options.get("ridge", 0.0),
            warn=False,
        )
        scores = torch.empty(task.n**2, task.n, dtype=torch.float64)
        scores[task.index(train)] = machine.train_predictions()
        scores[task.index(split.test)] = machine.predict(split.test)
        lead, best = leads(scores, task.labels), scores.argmax(1)
        judged.append((lead > tie, best, lead / tie, leads(scores, best) / tie))
    return Told(
        found.table[list(KEPT)].to_dict("records"),
        list(found.history[1:]),
        *map(torch.stack, zip(*judged, strict=True)),
        [[number[g] for g in rfm.decompose(M, task).elements] for M in found.history[1:]],
    )


def shadows(case: Case, split: rfm.Split) -> list[Told]:
    """The same from starts that differ from the identity by rounding."""
    d, told = split.task.dimension, []
    for seed in range(SHADOWS):
        noise = torch.randn(
            d, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
        )
        told.append(run(case, split, torch.eye(d) + NUDGE * (noise + noise.T) / 2))
    return told


def golden(case: Case) -> dict[str, Any]:
    """The content of a golden file."""
    task = case.task()
    split = case.split(task)
    told, others = run(case, split), shadows(case, split)
    differ_right = torch.stack([other.right != told.right for other in others]).any(0)
    near = (told.leads.abs() > 1 / NEAR) & (told.leads.abs() < NEAR)
    differ_best = torch.stack([other.predicted != told.predicted for other in others]).any(0)
    tied = told.wins < NEAR
    H, number = rfm.stabiliser(split), {g: i for i, g in enumerate(task.symmetries)}
    wander = [
        max(distance(other.features[t], M) for other in others) for t, M in enumerate(told.features)
    ]
    return {
        "setting": case.setting,
        "task": task.name,
        "kind": "".join(map(str, split.kind.tolist())),
        "mirrors": [g.k for g in split.mirrors],
        "stabiliser": {
            "name": H.name,
            "elements": [number[g] for g in H.elements],
            "generators": [number[g] for g in H.generators],
        },
        "orbit_baseline": split.orbit_baseline(),
        "wander": [float(f"{x:.1e}") for x in wander],
        "rows": [
            {name: None if math.isnan(x) else x for name, x in row.items()} for row in told.rows
        ],
        "right": [digits(row) for row in told.right.long()],
        "unsure_right": [torch.nonzero(row).flatten().tolist() for row in differ_right | near],
        "predicted": [digits(row) for row in told.predicted],
        "unsure_predicted": [torch.nonzero(row).flatten().tolist() for row in differ_best | tied],
        "elements": [
            where if all(other.elements[t] == where for other in others) else None
            for t, where in enumerate(told.elements)
        ],
        "M": {str(t): packed(told.features[t - 1]) for t in STORED},
    }


def distance(M: Tensor, other: Tensor) -> float:
    """The largest difference, in units of the largest entry."""
    return float((M - other).abs().max() / other.abs().max())


def digits(numbers: Tensor) -> str:
    """Numbers below 36, a character each."""
    return "".join(np.base_repr(x, 36).lower() for x in numbers.tolist())


def packed(M: Tensor) -> str:
    """The lower triangle of a symmetric matrix, row by row, as base64 of its float64."""
    rows, columns = torch.tril_indices(len(M), len(M))
    return base64.b64encode(M[rows, columns].numpy().astype("<f8").tobytes()).decode()


def unpacked(text: str) -> Tensor:
    """The matrix that :func:`packed` was given."""
    entries = torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype="<f8").copy())
    d = round((math.sqrt(8 * len(entries) + 1) - 1) / 2)
    M, (rows, columns) = torch.zeros(d, d, dtype=torch.float64), torch.tril_indices(d, d)
    M[rows, columns] = M[columns, rows] = entries
    return M


def main() -> None:
    """Write everything, or the runs named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}")
    names = parser.parse_args().names
    if unknown := set(names) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    if not names:
        THRESHOLDS.write_text(thresholds(), encoding="utf-8")
    GOLDEN.mkdir(exist_ok=True)
    for name in names or CASES:
        content = golden(CASES[name])
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        worst = max(content["wander"])
        print(f"{name:24} {content['stabiliser']['name']:8} M wanders up to {worst:.0e}")


if __name__ == "__main__":
    main()
