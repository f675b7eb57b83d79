"""What the tables of the page *What has appeared since* measure, against its definitions."""

from __future__ import annotations

from itertools import pairwise

import pytest
import since
import torch
from scipy.stats import spearmanr

import rfm


def test_scatter_by_its_definition() -> None:
    dice = torch.Generator().manual_seed(0)
    scores = torch.randn(40, 7, generator=dice, dtype=torch.float64)
    labels = torch.randint(0, 7, (40,), generator=dice)
    off = sum(
        float((scores[labels == c] - scores[labels == c].mean(0)).square().sum())
        for c in labels.unique().tolist()
    )
    whole = float((scores - scores.mean(0)).square().sum())
    assert since.within(scores, labels) == pytest.approx(off / whole)


def test_scatter_is_zero_where_scores_follow_labels_and_one_where_they_do_not() -> None:
    labels = torch.arange(6).repeat(4)
    scores = torch.randn(6, 6, generator=torch.Generator().manual_seed(1)).double()[labels]
    assert since.within(scores, labels) < 1e-28
    rows = torch.arange(4).repeat_interleave(6)
    assert since.within(
        torch.eye(4).double()[rows] @ torch.ones(4, 6).double().cumsum(0), labels
    ) == (pytest.approx(1))


def test_rank_correlation_is_spearmans() -> None:
    for seed in range(5):
        x, y = torch.rand(2, 20, generator=torch.Generator().manual_seed(seed)).double()
        y = y + x * seed
        assert since.rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)


def test_the_first_time_of_nothing_is_never() -> None:
    assert since.at([1, 3, 5], lambda x: x >= 3) == 2
    assert since.at([1, 3, 5], lambda x: x > 5) == 0


@pytest.fixture(scope="module")
def learned() -> rfm.Run:
    return rfm.fit(since.part(23, 0.8, 0), rfm.Gaussian(2.5), 14, keep_features=True)


def test_what_a_run_has_inside(learned: rfm.Run) -> None:
    """From an identity without waves to a machine that is right, all in the same iterations."""
    found = since.inside(learned)
    assert found["random_right"] == found["random"]
    counts = [int(count) for count in found["course"].split()]
    waves = [int(count) for count in found["waves"].split()]
    spreads = [float(share) for share in found["spread"].split()]
    assert len(counts) == len(waves) == len(spreads) == len(found["scatter"].split()) == 14
    half = found["half_at"]
    assert 2 * counts[half - 1] >= found["random"] > 2 * counts[half - 2]
    assert waves[half - 1] == found["waves_half"]
    assert waves[found["wave_first_at"] - 1] >= 1 > waves[found["wave_first_at"] - 2]
    assert waves[0] == spreads[0] == 0  # the identity
    assert all(a <= b for a, b in pairwise(spreads))
    ratio = found["spread_flat"] / found["spread_first"]
    assert found["gain"] ** (found["flat"] - 2) == pytest.approx(ratio)
    assert found["kept_order"] > 0.9
    assert 0 < found["turned_first"] < found["turned_last"]


def test_a_machine_without_a_ridge_echoes_what_it_was_told() -> None:
    split = since.part(11, 0.8, 0).flip_labels(0.2, 0)
    run = rfm.fit(split, rfm.Gaussian(2.5), 5, keep_features=True)
    found = since.mended(run)
    assert found["flipped"] == found["echoed"] == int(split.flipped.sum()) > 0
    assert found["mended"] == 0


def test_a_machine_with_a_large_ridge_does_not() -> None:
    split = since.part(11, 0.8, 0).flip_labels(0.2, 0)
    run = rfm.fit(split, rfm.Quadratic(), 3, ridge=10.0, keep_features=True)
    found = since.mended(run)
    assert found["echoed"] < found["flipped"]


@pytest.mark.parametrize(("rule", "off"), [("diagonal", 0.0), ("FACT", 0.5), ("AGOP", 0.5)])
def test_how_far_from_the_identity_the_trap_ends(rule: str, off: float) -> None:
    run = since.ruled(rule, since.trap(7), rfm.Gaussian(2.5)).run(warn=False)
    found = since.elements(run)
    assert found["off"] == pytest.approx(0, abs=1e-9) if not off else found["off"] > off
    assert found["elements"] == ("id" if not off else "id; s")
    assert found["withheld_right"] == 0


def test_a_scaled_rule_is_the_agops_with_the_trace_of_the_identity() -> None:
    split = since.part(7, 0.8, 0)
    targets = split.task.one_hot_labels(split.train)
    machine = rfm.KernelMachine.fit(split.train, targets, rfm.Gaussian(2.5), torch.eye(14).double())
    plain, scaled = since.AGOP()(machine), since.Scaled()(machine)
    assert float(scaled.trace()) == pytest.approx(14)
    assert float(torch.nn.functional.cosine_similarity(plain.ravel(), scaled.ravel(), 0)) > 1 - 1e-9
    assert float(plain.trace()) != pytest.approx(14, rel=0.1)


def test_a_ridge_makes_the_metric_vanish_unless_its_scale_is_kept() -> None:
    split = since.part(11, 0.8, 0).flip_labels(0.1, 0)
    ends = {}
    for name, update in (("plain", None), ("scaled", since.Scaled())):
        options = {"ridge": 0.02, "update": update, "keep_features": True}
        ends[name] = since.mended(rfm.fit(split, rfm.Gaussian(2.5), 30, **options))["largest"]
    assert ends["plain"] < 1e-6
    assert ends["scaled"] > 0.1
