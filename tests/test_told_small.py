"""What the smallest modules do at their edges: seeds, rules that end a run, products of codes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch

import rfm
from rfm import onehot, seeds, stopping
from rfm.judging import judge, leads, measured

SEED = "a seed that is no torch.Generator must be an integer from 0 to 18446744073709551615, not "
SMALLEST, LARGEST = seeds.RANGE
RULES = (stopping.converged, stopping.direction_converged)
ROW = {"step": 1.0, "turn": 1.0}


def said(call: Callable[[], object], kind: type[Exception] = ValueError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("call", [seeds.generator, seeds.tell])
@pytest.mark.parametrize("seed", [SMALLEST - 1, LARGEST + 1, "0", 0.5, None])
def test_what_is_no_seed(call: Callable[[seeds.Seed], object], seed: seeds.Seed) -> None:
    assert said(lambda: call(seed)) == f"{SEED}{seed!r}"


@pytest.mark.parametrize("seed", [SMALLEST, 1, LARGEST])
def test_what_is_a_seed(seed: int) -> None:
    made = seeds.generator(seed)
    assert made.initial_seed() == seed
    assert seeds.generator(made) is made
    assert seeds.tell(seed) == f"seed {seed}"
    assert seeds.tell(made) == f"generator of seed {seed}"


def test_which_names_are_types() -> None:
    assert seeds.Seed == int | torch.Generator
    assert stopping.Stop == Callable[[dict[str, float]], bool]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("tolerance", [0, -1e-9, math.nan, math.inf, "1"])
def test_what_is_no_tolerance(rule: type[stopping.converged], tolerance: float) -> None:
    words = f"tolerance must be a positive finite number, not {tolerance!r}"
    assert said(lambda: rule(tolerance)) == words


@pytest.mark.parametrize(("rule", "column"), list(zip(RULES, ROW, strict=True)))
def test_a_rule_stops_below_its_tolerance(rule: type[stopping.converged], column: str) -> None:
    assert rule().tolerance == 1e-7
    assert rule(5e-324).tolerance == 5e-324
    assert type(rule(1).tolerance) is float
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule().tolerance = 1.0
    assert rule(0.25)({**ROW, column: 0.2499})
    assert not rule(0.25)({**ROW, column: 0.25})
    assert not rule(0.25)({"step": 0.0, "turn": 0.0, column: math.nan})


def test_what_is_no_rule() -> None:
    words = "stop must be a rule, a function of a row, not "
    assert said(lambda: stopping.check_rule("soon")) == f"{words}'soon'"
    one = stopping.converged
    assert said(lambda: stopping.check_rule(one)) == f"{words}{one!r}; did you mean converged()?"
    words = "the stop rule must return True or False, not "
    assert said(lambda: stopping.stops(lambda row: 1, ROW), TypeError) == f"{words}1"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_products_of_codes(dtype: torch.dtype) -> None:
    n, dice = 5, torch.Generator().manual_seed(0)
    M = torch.randint(-9, 9, (2 * n, 2 * n), generator=dice).to(dtype)
    M = M + M.T
    x, y = (torch.randint(n, (k, 2), generator=dice) for k in (7, 4))
    code = torch.eye(n, dtype=dtype)
    X, Y = (torch.cat([code[z[:, 0]], code[z[:, 1]]], 1) for z in (x, y))
    assert torch.equal(onehot.columns(y, M), M @ Y.T)
    assert onehot.columns(y, M).is_contiguous()
    assert torch.equal(onehot.inner_products(x, y, M), X @ M @ Y.T)
    assert torch.equal(onehot.squared_norms(x, M), (X @ M @ X.T).diagonal())
    table, place = (M @ Y.T).contiguous(), torch.full((7, 4), torch.nan, dtype=dtype)
    assert onehot.sum_rows(x, table, place) is place
    assert torch.equal(place, X @ table)
    assert torch.equal(onehot.sum_rows(x, table), place)


def test_the_lead_of_the_right_class() -> None:
    scores = torch.tensor([[0.5, 0.25, 0.0], [0.5, 0.5, 0.0], [1.0, 3.0, 2.0], [-1.0, -2.0, -4.0]])
    before, label = scores.clone(), torch.tensor([0, 1, 2, 2])
    assert leads(scores, label).tolist() == [0.25, 0.0, -1.0, -3.0]
    assert torch.equal(scores, before)


def test_a_lead_that_is_a_tie_is_not_right() -> None:
    split = rfm.withhold(rfm.addition(3), torch.tensor([[0, 1], [2, 2]]))
    scores = torch.tensor([[0.0, 0.5, 0.0], [0.0, 0.25, 0.0]], dtype=torch.float64)
    found = judge(split, scores, 0.25)
    assert [*found] == ["a", "b", "label", "predicted", "kind", "margin", "correct"]
    assert found.values.tolist() == [
        [0, 1, 1, 1, "withheld", 0.5, True],
        [2, 2, 1, 1, "withheld", 0.25, False],
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_what_is_measured_of_a_fit(seed: int, ridge: float) -> None:
    """From the definitions, with exchanged labels, which a ridge keeps from being learned."""
    task = rfm.addition(7)
    axis = task.reflection(0).fixed_points()
    split = (
        rfm.withhold(task, axis)
        .give_back_random(2, seed)
        .move_random(9, seed)
        .flip_labels(0.2, seed)
    )
    told, label = split.train_labels, task.label(split.test)
    Y = task.one_hot_labels(split.train).mul(0)
    Y[torch.arange(len(told)), told] = 1
    M = torch.eye(14, dtype=torch.float64)
    machine = rfm.KernelMachine.fit(split.train, Y, rfm.Gaussian(), M, ridge)
    scores, fitted = machine.predict(split.test), machine.predict(split.train)
    row = measured(split, machine, scores, leads(scores, label))

    def share(values: torch.Tensor, right: torch.Tensor) -> float:
        ordered = [
            (float(v[k]), float(v[torch.arange(len(v)) != k].max()))
            for v, k in zip(values, right, strict=True)
        ]
        return sum(own > other for own, other in ordered) / len(ordered) if ordered else math.nan

    kinds = {kind.name.lower(): split.test_kind == kind for kind in rfm.Kind}
    leading = [
        float(v[k] - v[torch.arange(7) != k].max()) for v, k in zip(scores, label, strict=True)
    ]
    wanted = {
        "train_accuracy": share(fitted, told),
        "test_accuracy": share(scores, label),
        **{
            f"{kind}_accuracy": share(scores[kinds[kind]], label[kinds[kind]])
            for kind in ("random", "withheld", "moved")
        },
        "train_loss": float((Y - fitted).square().sum(1).mean()),
        "test_loss": float((scores - torch.eye(7).double()[label]).square().sum(1).mean()),
        "margin": min((x for x in leading if x > 0), default=math.nan),
        "tie": machine.resolution,
        "condition": machine.factor.condition,
        "jitter": 0.0,
    }
    assert row == pytest.approx(wanted, nan_ok=True, rel=1e-9, abs=1e-20)
    assert [*row] == [*wanted]
