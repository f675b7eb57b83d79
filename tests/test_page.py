"""What a page says about its own runs comes from the runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from IPython.display import Markdown

import rfm
from rfm import page


@pytest.fixture
def glued(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the notes of a page have made available to its text."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(page, "glue", lambda key, value, display: found.update({key: value}))
    return found


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [
        (3, 0, "3"),
        (2.5, 1, "2.5"),
        (2.468, 1, "2.5"),
        (2.0, 1, "2.0"),
        (np.int64(7), 0, "7"),
        (np.float64(0.126), 2, "0.13"),
        (torch.tensor(4), 0, "4"),
        (True, 0, "1"),
        (0.4, 0, "0"),
        (None, 0, "never"),
        (math.nan, 2, "no value"),
        ("in words", 0, "in words"),
        ((1, 2), 0, "(1, 2)"),
        (rfm.addition(3, 5), 0, "x + y mod (3, 5)"),
    ],
)
def test_a_value_is_noted_as_it_is_printed(
    glued: dict[str, Any], value: Any, digits: int, printed: str
) -> None:
    page.Notes("05")("key", value, digits)
    assert {key: str(value) for key, value in glued.items()} == {"05-key": printed}
    assert not isinstance(glued["05-key"], np.generic)  # some versions show their type


@pytest.mark.parametrize("total", [math.fsum, np.sum, sum])
def test_halves_are_rounded_up_whatever_the_last_bit(total: Any) -> None:
    """Decimals that end in 5, as written in any of the ways that sums of them come out."""
    for half in range(5, 10_000, 10):
        exact = half / 10_000
        for value in (
            exact,
            np.nextafter(exact, 0),
            np.nextafter(exact, 1),
            total([exact] * 7) / 7,
        ):
            assert page.rounded(value, 3) == (half + 5) / 10_000
            assert page.rounded(-value, 3) == -(half + 5) / 10_000
    assert page.rounded(0.12349, 3) == 0.123
    assert {type(page.rounded(number(2.5), 1)) for number in (float, np.float64)} == {float}


def test_a_table_is_rounded_where_it_holds_floats() -> None:
    table = pd.DataFrame({"a": [0.125, -0.375, math.nan], "b": [25, 5, 0], "c": ["x", "", "y"]})
    want = pd.DataFrame({"a": [0.13, -0.38, math.nan], "b": [25, 5, 0], "c": ["x", "", "y"]})
    pd.testing.assert_frame_equal(page.rounded(table, 2), want)
    pd.testing.assert_series_equal(page.rounded(table["a"], 2), want["a"])
    with pytest.raises(ValueError, match="digits"):
        page.rounded(table, -1)


def test_a_symmetry_is_noted_as_mathematics(glued: dict[str, Any]) -> None:
    task = rfm.addition(13)
    page.Notes("05")("mirror", task.reflections[5])
    assert isinstance(glued["05-mirror"], Markdown)
    assert glued["05-mirror"].data == "$sr^{5}$"


@pytest.mark.parametrize("task", [rfm.addition(13), rfm.addition(2, 4), rfm.multiplication(7)])
def test_symmetries_of_any_group_have_different_formulas(task: rfm.Task) -> None:
    formulas = [page.mathematics(g) for g in task.symmetries]
    assert len(set(formulas)) == 2 * task.n
    assert all(formula[0] == formula[-1] == "$" for formula in formulas)
    assert formulas[0] == "$\\mathrm{id}$"
    assert all(formula.count("{") == formula.count("}") for formula in formulas)


@pytest.mark.parametrize("digits", [-1, 1.5, "1", None])
def test_digits_are_a_count(glued: dict[str, Any], digits: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        page.Notes("05")("key", 1.0, digits)
    assert not glued


@pytest.mark.parametrize("prefix", [5, None])
def test_a_prefix_is_text(prefix: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        page.Notes(prefix)


# First times


def test_first_is_the_first_label_or_none() -> None:
    series = pd.Series([0.1, 0.6, 0.4, 0.9], index=[3, 5, 7, 9])
    assert page.first(series > 0.5) == 5
    assert page.first(series < 0.5) == 3
    assert page.first(series > 1) is None
    assert page.first(pd.Series([], dtype=bool)) is None


@pytest.mark.parametrize("condition", [pd.Series([1, 0]), pd.Series("a"), [True], np.array(True)])
def test_first_takes_true_and_false_only(condition: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        page.first(condition)


# Kernels


def test_kernels_are_known_by_their_class() -> None:
    kernels = page.by_name(rfm.Gaussian(2.5), rfm.Quadratic())
    assert kernels == {"Gaussian": rfm.Gaussian(2.5), "Quadratic": rfm.Quadratic()}
    assert list(kernels) == ["Gaussian", "Quadratic"]


def test_a_kernel_given_twice_is_one() -> None:
    assert page.by_name(rfm.Quadratic(), rfm.Quadratic()) == {"Quadratic": rfm.Quadratic()}


def test_two_of_a_class_are_known_by_their_parameters() -> None:
    names = list(page.by_name(rfm.Gaussian(1.0), rfm.Quadratic(), rfm.Gaussian(2.0)))
    assert names == ["Gaussian(bandwidth=1.0)", "Quadratic", "Gaussian(bandwidth=2.0)"]


def test_what_is_no_kernel_has_no_name() -> None:
    with pytest.raises((ValueError, TypeError)):
        page.by_name("Gaussian")


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (rfm.Gaussian(bandwidth=2.5), "Gaussian kernel with L = 2.5"),
        (rfm.Quadratic(), "Quadratic kernel"),
        (rfm.Matern(bandwidth=2.5, smoothness=1.5), "Matern kernel with L = 2.5, smoothness = 1.5"),
    ],
)
def test_a_kernel_in_words(kernel: rfm.Kernel, words: str) -> None:
    assert page.in_words(repr(kernel)) == words


# Settings


def fit(task: rfm.Task, kernel: rfm.Kernel | None = None, **recipe: Any) -> rfm.Run:
    recipe = {"iterations": 2} | recipe
    split = rfm.random_split(task, 0.5, seed=0)
    return rfm.fit(split, kernel or rfm.Gaussian(bandwidth=2.5), **recipe)


FIVE, SIX = rfm.addition(5), rfm.addition(2, 3)


def test_the_setting_of_a_run_names_what_it_is_a_run_of() -> None:
    words = page.setting(fit(FIVE))
    task, split, kernel, recipe, length = words.split("; ")
    assert task == str(FIVE)
    assert "50 %" in split
    assert kernel == "Gaussian kernel with L = 2.5"
    assert recipe == "ridge 0"
    assert length == "2 iterations"


def test_what_runs_share_is_said_once() -> None:
    one, other = fit(FIVE), fit(FIVE, rfm.Quadratic())
    words = page.setting(one, other)
    assert words.count(str(FIVE)) == 1
    assert "Gaussian kernel with L = 2.5 and Quadratic kernel" in words
    assert page.setting(one, one) == page.setting(one)


def test_what_differs_is_listed_in_order() -> None:
    runs = [fit(FIVE), fit(SIX), fit(rfm.addition(7))]
    assert page.setting(*runs).startswith(f"{FIVE}, {SIX} and {rfm.addition(7)}; ")


def test_what_all_begin_with_is_said_once() -> None:
    axis = rfm.withhold(FIVE, rfm.Symmetry(FIVE, 0, True).fixed_points())
    splits = [axis, axis.move(FIVE.pair(0, 1))]
    runs = [rfm.fit(split, rfm.Gaussian(), 2) for split in splits]
    _, split, *_ = page.setting(runs).split("; ")
    whole, moved = (str(run.settings["split"]).partition("; ")[::2] for run in runs)
    assert whole[0] == moved[0]
    assert split == f"{whole[0]}, alone and with {moved[1]}"
    third = rfm.fit(rfm.random_split(FIVE, 0.5, 0), rfm.Gaussian(), 2)
    assert f"; {split}, and 50 % in training" in page.setting(*runs, third)
    assert f"; {runs[1].settings['split']}; " in page.setting(runs[1])


def test_runs_may_come_in_a_mapping_or_a_list() -> None:
    one, other = fit(FIVE), fit(SIX)
    words = page.setting(one, other)
    assert page.setting({"a": one, "b": other}) == page.setting([one, other]) == words
    assert page.setting(iter([one]), {"b": other}) == words


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"ridge": 1e-3}, "ridge 0.001"),
        ({"power": 1.0}, "power 1"),
        ({"centred": False}, "not centred"),
        ({"iterations": 1}, "one iteration"),
        ({"iterations": 3}, "3 iterations"),
        ({"stop": rfm.converged(1e-7)}, "until the metric moves by less than 1e-07 of its norm"),
        ({"M0": torch.eye(10, dtype=torch.float64)}, "from given features"),
    ],
)
def test_an_unusual_recipe_is_told(recipe: dict[str, Any], said: str) -> None:
    assert said in page.setting(fit(FIVE, **recipe))
    usual = page.setting(fit(FIVE))
    assert "power" not in usual
    assert "centred" not in usual
    assert "features" not in usual


@pytest.mark.parametrize("runs", [[], [[]], ["run"], [3], [{"a": None}]])
def test_a_setting_is_that_of_runs(runs: list[Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        page.setting(*runs)


# Statements


def test_statements_are_listed_with_their_answers() -> None:
    claims = page.Claims()
    claims("Yes.", True)
    claims("No.", np.bool_(False))
    claims("Of odd orders only.", None)
    claims("By torch.", torch.tensor(True))
    assert claims.table(FIVE).data.splitlines() == [
        "| statement | x + y mod 5 |",
        "|:--|:--|",
        "| Yes. | holds |",
        "| No. | does not hold |",
        "| Of odd orders only. | not stated |",
        "| By torch. | holds |",
    ]


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [("a | b", True), ("a\nb", True), (3, True), ("Said.", True)],
    ids=["bar", "two lines", "number", "twice"],
)
def test_a_statement_is_one_new_line(sentence: Any, holds: bool) -> None:
    claims = page.Claims()
    claims("Said.", True)
    with pytest.raises((ValueError, TypeError)):
        claims(sentence, holds)


def test_a_series_has_no_truth_value() -> None:
    with pytest.raises(ValueError, match="truth value"):
        page.Claims()("All of them.", pd.Series([True, False]))


def test_pages_do_not_share_statements() -> None:
    page.Claims()("Said.", True)
    page.Claims()("Said.", False)


@pytest.mark.parametrize("holds", [float("nan"), pd.NA, torch.tensor([True, False]), "yes", 1])
def test_a_claim_needs_a_truth_value(holds: object) -> None:
    with pytest.raises(ValueError, match="truth value"):
        page.Claims()("x", holds)


def test_odd_words_and_numbers() -> None:
    claims = page.Claims()
    with pytest.raises(ValueError, match="one line"):
        claims(" ", True)
    claims("x", torch.tensor(True))
    assert claims.table("a\nb|c").data.splitlines()[0] == "| statement | a b∣c |"
    for thing in (3, [3]):
        with pytest.raises(ValueError, match="run"):
            page.setting(thing)
    with pytest.raises(ValueError, match="kernel"):
        page.in_words(3)
    assert page._printed(float("inf"), 0) == "inf"
    assert str(page._printed(-0.0001, 2)) == "0.0"


def test_a_rule_about_the_direction_is_told_as_such() -> None:
    split = rfm.random_split(rfm.addition(5), 0.5, 0)
    said = {}
    for rule in (rfm.converged(1e-3), rfm.direction_converged(1e-3)):
        said[rule] = page.setting(rfm.fit(split, rfm.Gaussian(), 2, stop=rule))
    plain, direction = said.values()
    assert "until the metric moves by less than 0.001 of its norm" in plain
    assert "until the metric's direction moves by less than 0.001" in direction
