"""Which points a machine gets right: a lead of the right class that is more than rounding."""

from __future__ import annotations

import math

import pandas as pd
import torch
from torch import Tensor

from rfm.machine import KernelMachine
from rfm.splits import Kind, Split
from rfm.translations import TranslationMachine


def judge(split: Split, scores: Tensor, tie: float) -> pd.DataFrame:
    """Predictions for the test points of a split, as in :attr:`Run.predictions`.

    Args:
        split: the split.
        scores: (N_test, n), one score a class.
        tie: the largest lead that counts as a tie.
    """
    label = split.task.label(split.test)
    lead = leads(scores, label)
    elements = pd.Series(split.task.group.values)
    columns = {"a": split.test[:, 0], "b": split.test[:, 1]}
    columns |= {"label": label, "predicted": scores.argmax(1)}
    return pd.DataFrame(
        {
            **{name: elements[where.tolist()].array for name, where in columns.items()},
            "kind": [Kind(k).name.lower() for k in split.test_kind.tolist()],
            "margin": lead.numpy(),
            "correct": (lead > tie).numpy(),
        }
    )


def leads(scores: Tensor, label: Tensor) -> Tensor:
    """By how much the right class leads the best of the others, (N,); negative where it does not.

    Args:
        scores: (N, n).
        label: (N,) int64.
    """
    rivals = scores.clone()
    rivals.scatter_(1, label[:, None], -torch.inf)
    return scores.gather(1, label[:, None])[:, 0] - rivals.amax(1)


def measured(
    split: Split,
    machine: KernelMachine | TranslationMachine,
    scores: Tensor,
    lead: Tensor,
) -> dict[str, float]:
    """What the table of a run says of one iteration, as described at :attr:`rfm.Run.table`.

    Args:
        split: the split.
        machine: the machine of that iteration.
        scores: (N_test, n), its scores for the test points, on the CPU.
        lead: (N_test,), by how much the right class leads in these, see :func:`leads`.
    """
    task, tie = split.task, machine.resolution
    right, kinds = lead > tie, split.test_kind
    told = task.labels if split.labels is None else split.labels
    fitted = machine.train_predictions()  # stays where it is: N × n numbers
    known = told[task.index(machine.train.cpu())].to(fitted.device)
    residual = machine.factor.ridge * machine.coefficients
    targets = task.one_hot_labels(split.test, scores.dtype)
    return {
        "train_accuracy": _share(leads(fitted, known) > tie),
        "test_accuracy": _share(right),
        **{
            f"{kind.name.lower()}_accuracy": _share(right[kinds == kind])
            for kind in (Kind.RANDOM, Kind.WITHHELD, Kind.MOVED)
        },
        "train_loss": float(residual.square().sum(1).mean()),
        "test_loss": float((scores - targets).square().sum(1).mean()),
        "margin": float(lead[right].min()) if right.any() else math.nan,
        "tie": tie,
        "condition": machine.factor.condition,
        "jitter": machine.factor.jitter,
    }


def _share(right: Tensor) -> float:
    """Of how many it is true; NaN of none."""
    return float(right.double().mean()) if len(right) else math.nan
