"""What is shown of an object, what its fields become, and small facts checked by another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracles import KERNELS, Arithmetic, dense_agop, random_metric, random_pairs, same

import rfm
from rfm.decomposition import threshold
from rfm.spectral import VanishedError, sound

ADD = rfm.addition(5)


def test_a_decomposition_shows_no_tensors() -> None:
    shown = repr(rfm.decompose(torch.eye(10), ADD))
    assert shown == "Decomposition(task=x + y mod 5, residual=0.0)"


def test_a_threshold_is_read_off_twenty_thousand_samples_of_seed_zero() -> None:
    m, share = 7, 0.01
    seeded = torch.Generator().manual_seed(0)
    drawn = np.sort(torch.randn(20_000, m, generator=seeded, dtype=torch.float64).numpy())
    widths = np.stack([drawn[:, i + 3] - drawn[:, i] for i in range(4)], axis=1)  # 4 of 7
    first = widths.argmin(axis=1)
    width = widths.min(axis=1)
    level = np.take_along_axis(drawn, first[:, None], axis=1)[:, 0] + width / 2
    farthest = np.maximum(level - drawn[:, 0], drawn[:, -1] - level) / (width / 2)
    assert threshold(m, share) == pytest.approx(np.quantile(farthest, 1 - share), rel=1e-12)


def test_fields_of_a_symmetry_are_plain() -> None:
    g = rfm.Symmetry(ADD, np.int64(3), np.True_)
    assert (type(g.k), type(g.reflects)) == (int, bool)
    assert g == ADD.reflection(3)


def test_fields_of_a_split_are_plain() -> None:
    kind = rfm.random_split(ADD, 0.5, 0).kind
    split = rfm.Split(ADD, kind, [ADD.reflection(1)], ["made", 3])
    assert split.mirrors == (ADD.reflection(1),)
    assert split.history == ("made", "3")


def test_fixed_points_of_a_subgroup_are_those_of_its_reflections(arithmetic: Arithmetic) -> None:
    task = arithmetic.task
    for H in (
        rfm.generate(*task.symmetries[-2:]),
        rfm.generate(task.reflections[1]),
        rfm.generate(task.rotations[1]),
    ):
        axes = {tuple(p) for g in H.reflections for p in g.fixed_points().tolist()}
        assert [tuple(p) for p in H.fixed_points().tolist()] == sorted(axes)


@pytest.mark.parametrize("name", ["gaussian", "cubic", "quadratic"])
def test_gradients_of_more_samples_than_are_held_at_a_time(name: str) -> None:
    task = rfm.addition(13)
    x, M = random_pairs(task, 150, seed=1), random_metric(26, seed=2, rank=9)
    α = torch.randn(150, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for centred in (True, False):
        found = KERNELS[name].gradient_products(x, α, M, centred) / 150
        same(found, dense_agop(name, task.one_hot(x), α, M, centred), 1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_matrix_is_lost_up_to_the_bound_and_not_beyond(dtype: torch.dtype) -> None:
    finite = torch.finfo(dtype)
    bound = finite.tiny / finite.eps
    certain = torch.full((2, 2), 2 * bound, dtype=dtype)
    assert sound(certain, "M") is certain
    with pytest.raises(VanishedError, match=r"^the M has vanished: its largest entry is \d"):
        sound(torch.full((2, 2), bound, dtype=dtype), "M")
    for bad in (torch.inf, torch.nan):
        with pytest.raises(VanishedError, match=r"^the M has overflowed or is not finite$"):
            sound(torch.tensor([[1.0, bad]], dtype=dtype), "M")
