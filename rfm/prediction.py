"""What a subgroup says about test points, and how that compares with a run [B, Finding 4.1]."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor

from rfm.arguments import instance, integer, row
from rfm.immutable import Immutable
from rfm.run import Run
from rfm.splits import Split
from rfm.subgroups import Subgroup


@dataclass(frozen=True, eq=False)
class Prediction(Immutable):
    """Which test points a machine is said to get right.

    Attributes:
        split: the split.
        right: (N_test,) bool, in the order of the split's test points.

    Raises:
        ValueError: if ``right`` does not have that shape and type.
    """

    split: Split
    right: Tensor = field(repr=False)

    def __post_init__(self) -> None:
        instance(self.split, Split, "split")
        right, count = object.__getattribute__(self, "right"), len(self.split.test)
        right = row(right, count, torch.bool, "right", "answers, one for each test point")
        object.__setattr__(self, "right", right)

    def correct(self) -> Tensor:
        """The attribute ``right`` by the name that a run has for it, so that figures draw both."""
        return self.right

    def compared(self, run: Run) -> pd.DataFrame:
        """Prediction and outcome, one row an iteration of a run on the same split.

        Columns: ``predicted``, how many points are said to be right; ``right``, how many are;
        ``both``; ``agree``, how many points are what they are said to be; ``precision``,
        both / predicted, and ``recall``, both / right, each 1 where there is nothing to divide by:
        then nothing was claimed, or nothing missed.

        Raises:
            ValueError: if the run was made on another split.
        """
        instance(run, Run, "run")
        if not run.split.alike(self.split):
            raise ValueError(f"the prediction is for another split than the run's {run.split!r}")
        both = (run.right & self.right).sum(1)
        table = pd.DataFrame(
            {
                "predicted": int(self.right.sum()),
                "right": run.right.sum(1).numpy(),
                "both": both.numpy(),
                "agree": (run.right == self.right).sum(1).numpy(),
            },
            index=run.table.index,
        )
        table["precision"] = (table["both"] / table["predicted"]).fillna(1.0)
        table["recall"] = (table["both"] / table["right"]).fillna(1.0)
        return table

    def precision_recall(self, run: Run, iteration: int | None = None) -> tuple[float, float]:
        """The two numbers of :meth:`compared` for one iteration, by default the last.

        Raises:
            ValueError: if the run is of another split, or has no such iteration.
        """
        table = self.compared(run)
        last = int(table.index[-1])
        iteration = last if iteration is None else integer(iteration, "iteration", 1, last)
        precision, recall = table.loc[iteration, ["precision", "recall"]].to_numpy(float)
        return float(precision), float(recall)


def predict(subgroup: Subgroup, split: Split) -> Prediction:
    """Say that a machine is right on the orbit of the training set, and nowhere else.

    A machine whose features encode a subgroup H and nothing else treats the samples of an orbit as
    one: it knows the label of those that it shares with a training sample [B, Finding 4.1].

    That is so for one reflection and a kernel under which mirror images look alike, such as the
    quadratic one. For others it needs enough training samples in each row; and more reflections
    than one are another matter. The chapter "Features predict what is learned" has the limits.

    Raises:
        ValueError: if subgroup and split belong to different tasks.
    """
    instance(split, Split, "split")
    return Prediction(split, split.reached_by(subgroup))
