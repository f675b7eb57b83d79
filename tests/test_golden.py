"""The golden runs, which the explorer is held against, are what the package computes now."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import golden
import pytest
import torch

import rfm


def stored(name: str) -> dict[str, Any]:
    return json.loads((golden.GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def test_no_golden_run_is_left_over() -> None:
    assert {path.stem for path in golden.GOLDEN.iterdir()} == set(golden.CASES)


def test_thresholds_are_those_of_the_package() -> None:
    written = golden.THRESHOLDS.read_text(encoding="utf-8")
    numbers = re.compile(r"    (Infinity|[0-9.]+),\n")
    assert numbers.sub("", written) == numbers.sub("", golden.thresholds())
    found, expected = (numbers.findall(text) for text in (written, golden.thresholds()))
    assert [float(x) for x in found] == pytest.approx([float(x) for x in expected], rel=1e-9)
    for m in (3, 12, 25):
        assert float(found[m]) == pytest.approx(rfm.decomposition.threshold(m, 0.01), rel=1e-9)
    assert rfm.decompose.__defaults__ == (0.01, 0.1)  # what decomposition.js has


@pytest.mark.parametrize("name", golden.CASES)
def test_golden_runs_come_again(name: str) -> None:
    case, expected = golden.CASES[name], stored(name)
    split = case.split(case.task())
    told = golden.run(case, split)
    H, number = rfm.stabiliser(split), {g: i for i, g in enumerate(split.task.symmetries)}
    assert expected["setting"] == json.loads(json.dumps(case.setting))
    assert expected["kind"] == "".join(map(str, split.kind.tolist()))
    assert expected["mirrors"] == [g.k for g in split.mirrors]
    assert expected["stabiliser"]["name"] == H.name
    assert expected["stabiliser"]["elements"] == [number[g] for g in H.elements]
    assert expected["stabiliser"]["generators"] == [number[g] for g in H.generators]
    assert expected["orbit_baseline"] == split.orbit_baseline()
    for name, texts in (("right", told.right.long()), ("predicted", told.predicted)):
        for t, row in enumerate(texts):
            unsure = set(expected[f"unsure_{name}"][t])
            pairs = zip(golden.digits(row), expected[name][t], strict=True)
            assert all(x == y or i in unsure for i, (x, y) in enumerate(pairs)), (name, t)
    for t, where in enumerate(expected["elements"]):
        assert where is None or where == told.elements[t], t
    for t, text in expected["M"].items():
        M, allowed = golden.unpacked(text), max(1e-12, 100 * expected["wander"][int(t) - 1])
        assert golden.distance(told.features[int(t) - 1], M) < allowed, t
    for row, old in zip(told.rows, expected["rows"], strict=True):
        assert math.isclose(row["jitter"], old["jitter"], rel_tol=1e-9)


def test_wander_is_small_and_little_is_unsure() -> None:
    """Otherwise the golden runs would say nothing."""
    for name in golden.CASES:
        told = stored(name)
        assert max(told["wander"][:3]) < 1e-12, name
        assert max(told["wander"]) < 1e-8, name
        assert sum(map(len, told["unsure_right"])) <= 0.01 * sum(map(len, told["right"])), name
        assert None not in told["elements"], name


def test_a_packed_matrix_comes_back() -> None:
    A = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(golden.unpacked(golden.packed(A + A.T)), A + A.T)
