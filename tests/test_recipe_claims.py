"""The claims as predicates: each says yes where it should, and can say no."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recipe_claims
import torch
from recipe_claims import CASES, RECIPES, Claimed, verdict

import rfm
from rfm.starts import wishart
from rfm.sweeps import row

BASE = {claim: case for claim, case in CASES.items() if not case.started}


def run_of(claim: str, draw: int = 0, **changes: object) -> rfm.Run:
    options = {**recipe_claims.options({}), **changes}
    labels = {"claim": claim, "machine": "Gaussian", "change": "none", "draw": draw}
    return Claimed(CASES[claim].split(draw), recipe_claims.GAUSSIAN, options, labels).run(
        warn=False
    )


def other(split: rfm.Split, claim: str) -> rfm.Run:
    """A machine of which the claim should not hold."""
    if claim in ("C1", "C10, random"):
        return rfm.fit(split, rfm.Gaussian(), 2)  # has not learned yet
    if claim in ("C3, one point", "C3, 5.5 %", "C4, random", "C6, two", "C7", "C8, random"):
        return rfm.fit(split, rfm.Gaussian(), 1)
    return rfm.fit(split, rfm.Gaussian(), 20, M0=wishart(split.task, seed=0), warn=False)


@pytest.mark.parametrize("claim", BASE)
def test_each_claim_can_fail(claim: str) -> None:
    case = BASE[claim]
    assert not any(case.asks(other(case.split(draw), claim))[1] for draw in range(1))


@pytest.mark.parametrize("claim", ["C2", "C3, one point", "C5", "C6, one", "C6, two", "C10, trap"])
def test_some_hold_as_in_the_chapters(claim: str) -> None:
    found = verdict(run_of(claim))
    assert found["holds"]
    assert found["fitted"]
    assert found["whole"]


def test_predictions_fail_from_the_identity() -> None:
    case = CASES["C11"]
    run = rfm.fit(case.split(0), rfm.Gaussian(), 1)
    assert not case.asks(run)[1]


def test_the_same_draw_is_the_same_split() -> None:
    for case in CASES.values():
        splits = [case.split(draw) for draw in range(case.draws)]
        assert all(a.alike(case.split(i)) for i, a in enumerate(splits))
        assert not any(splits[0].task == s.task and splits[0].alike(s) for s in splits[1:])


def test_every_change_is_one_change() -> None:
    base = {name: RECIPES[name, "none"] for name in ("Gaussian", "quadratic")}
    for (machine, change), recipe in RECIPES.items():
        same = (recipe.kernel == base[machine].kernel) + (recipe.options == {})
        assert same == (2 if change == "none" else 0 if change == "text: L and raw" else 1)


def test_a_machine_that_cannot_go_on_is_kept_as_far_as_it_came() -> None:
    setting = Claimed(
        CASES["C2"].split(0),
        recipe_claims.GAUSSIAN,
        {"iterations": 60, "ridge": 10.0},
        {"claim": "C2"},
    )
    found = row(replace(setting, options={**setting.options, "power": 4.0}), verdict)
    assert not found["whole"]
    assert 1 <= found["iterations_done"] < 60


def test_features_of_the_trap_come_from_the_same_recipe() -> None:
    few = recipe_claims.trapped_features("Gaussian", "20 iterations")
    other = recipe_claims.trapped_features("Gaussian", "AGOP power 1/4")
    single = recipe_claims.trapped_features("Gaussian", "float32")
    assert few.dtype == single.dtype == torch.float64
    assert (few - other).abs().max() > 1e-3


def test_each_draw_is_run_from_starts_that_differ_in_last_digits_alone() -> None:
    settings = list(recipe_claims.recipe_claims())
    for (machine, change), recipe in RECIPES.items():
        dtype = recipe.options.get("dtype", torch.float64)
        for claim, case in CASES.items():
            of = {"machine": machine, "change": change, "claim": claim}
            mine = [s for s in settings if of.items() <= s.labels.items()]
            assert len(mine) == case.draws * case.starts >= 5
            assert len({(s.labels["draw"], s.labels["start"]) for s in mine}) == len(mine)
            if claim != ("C11" if change == "none" else "C9, zero"):
                continue
            starts = [s.made().options.get("M0") for s in mine if s.labels["draw"] == 0]
            d = mine[0].split.task.dimension
            starts = [torch.eye(d).double() if M0 is None else M0 for M0 in starts]
            for i, M0 in enumerate(starts):
                off = (M0 - starts[0]).abs().max() / starts[0].abs().max()
                bound = 1e-4 if dtype == torch.float32 else 1e-11
                assert bound * 1e-5 < off < bound if i else off == 0
                assert not any(M0.equal(other) for other in starts[:i])


def test_a_machine_in_single_precision_sees_its_other_start() -> None:
    split = CASES["C9, stripes"].split(0)
    given = recipe_claims.options({"dtype": torch.float32, "iterations": 2})
    M0 = torch.eye(split.task.dimension)
    starts = [recipe_claims.begun(M0, start, torch.float32) for start in (0, 1)]
    runs = [rfm.fit(split, recipe_claims.GAUSSIAN, **given, M0=M0, warn=False) for M0 in starts]
    off = (runs[0].features - runs[1].features).abs().max() / runs[0].features.abs().max()
    assert 1e-7 < off < 1e-3
