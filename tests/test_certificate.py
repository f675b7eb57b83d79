"""The certificate of chapter 11 passes, and a changed coefficient of a formula makes it fail."""

from __future__ import annotations

import inspect
import math
import sys
from collections import Counter

import notebooks
import pytest
from sympy import QQ, field, ring

import rfm

FORMULAS = inspect.getsource(sys.modules[rfm.FourNumbers.__module__])


def cells() -> str:
    """The code of the chapter's cells that carry the tag."""
    (source,) = notebooks.sources(["11"])
    every = notebooks.parse(source).cells
    tagged = [cell.source for cell in every if "certificate" in cell.metadata.get("tags", [])]
    assert len(tagged) == 3
    return "\n".join(tagged)


def executed(before: str = "", after: str = "") -> dict:
    """What the cells define, with the formulas as they are or with one of them changed."""
    assert not before or FORMULAS.count(before) == 1, before
    formulas = {"__name__": rfm.FourNumbers.__module__}
    exec(compile(FORMULAS.replace(before, after), "formulas", "exec"), formulas)
    names = {"math": math, "Counter": Counter, "QQ": QQ, "field": field, "ring": ring}
    names |= {name: formulas[name] for name in ("Expansion", "expansion", "gains")}
    exec(cells(), names)
    return names


def least(found: dict) -> float:
    polynomials = found["certificate"], *found["gaps"].values()
    return min(float(c) for P in polynomials for c in P.coeffs())


def test_every_coefficient_is_positive(capsys: pytest.CaptureFixture[str]) -> None:
    found = executed()
    assert least(found) >= 1
    assert len(found["P"]) == 447
    assert len(found["certificate"]) == 1623
    assert all(found["facts"].values())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("e0 + (n - 4) * e1 - (n - 3) * e2 + ridge", "e0 + (n - 5) * e1 - (n - 3) * e2 + ridge"),
        ("e0 - 2 * e1 + e2 + ridge", "e0 - 3 * e1 + e2 + ridge"),
        ("D = (n - 1) / (n * l0) + 1 / (n * l1)", "D = (n - 1) / (n * l0) + 2 / (n * l1)"),
        ("ω = w[2] - w[3]", "ω = w[2] - 2 * w[3]"),
        ("/ (n - 2)\n", "/ (n - 1)\n"),
        ("(n - 5, y, y, 0)", "(n - 4, y, y, 0)"),
    ],
)
def test_a_changed_coefficient_makes_it_fail(
    before: str, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = executed(before, after)
    except Exception:  # a division that no longer goes up, a fact that is not there
        return
    assert least(found) < 0 or not all(found["facts"].values())
