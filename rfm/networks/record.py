"""The record of a training, and what its table says of one step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd
from torch import Tensor

from rfm.immutable import Immutable
from rfm.judging import leads
from rfm.machine import TIE
from rfm.networks.weights import Weights
from rfm.outcomes import Plain
from rfm.splits import Kind, Split


@dataclass(frozen=True, eq=False)
class Training(Immutable):
    """What a network did.

    Attributes:
        split: the split it was trained and tested on.
        table: one row for every so many steps, named by how many were done before. Columns:
            ``train_accuracy``, ``test_accuracy``; ``random_accuracy``, ``withheld_accuracy``,
            ``moved_accuracy`` by kind of test point (NaN where there is none); ``train_loss``,
            ``test_loss``, the mean over samples of ‖f(x) − y‖²; ``margin``, the smallest lead among
            the test points got right (NaN if none), ``train_margin`` the smallest lead of all
            training points.
        weights: the weights in the end.
        right: (T, N_test) bool, which test points were right in each row.
        settings: everything that made the run, as plain values.
    """

    split: Split
    table: pd.DataFrame
    weights: Weights
    right: Tensor = field(repr=False)
    settings: dict[str, Plain]

    @property
    def features(self) -> Tensor:
        """U Uᵀ in the end, (2n, 2n)."""
        return self.weights.features

    def correct(self) -> Tensor:
        """Which test points are right in the end, (N_test,) bool, in the order of the split."""
        return self.right[-1]


def judged(split: Split, scores: Tensor, Y: Tensor) -> tuple[dict[str, float], Tensor]:
    """A row of :attr:`Training.table`, and which test points are right.

    Args:
        split: the split.
        scores: (n², n), those of all samples, in table order.
        Y: what they should be, (n², n).
    """
    lead, wrong = leads(scores, split.task.labels), (scores - Y).square().sum(1)
    right, kinds = lead > TIE[scores.dtype], split.kind
    train, test = kinds == Kind.TRAIN, kinds != Kind.TRAIN
    groups = {"train": train, "test": test}
    groups |= {k.name.lower(): kinds == k for k in (Kind.RANDOM, Kind.WITHHELD, Kind.MOVED)}
    leading = lead[test & right]
    row = {
        **{f"{name}_accuracy": float(right[who].double().mean()) for name, who in groups.items()},
        "train_loss": float(wrong[train].mean()),
        "test_loss": float(wrong[test].mean()),
        "margin": float(leading.min()) if len(leading) else math.nan,
        "train_margin": float(lead[train].min()),
    }
    return row, right[test]
