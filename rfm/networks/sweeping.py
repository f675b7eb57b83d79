"""A training as one run of a sweep."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rfm.networks.activations import Activation
from rfm.networks.record import Training
from rfm.networks.training import check, train
from rfm.outcomes import MADE, Plain, plain
from rfm.settings import Setting, in_a_table
from rfm.splits import Split
from rfm.threads import torch_threads

NOT_SHOWN = ("split", "optimiser")


@dataclass(frozen=True, eq=False)
class NetworkSetting(Setting):
    """A training to be made, for :func:`rfm.sweep`: what :func:`train` is given.

    Attributes:
        split: training and test pairs.
        kernel: in its place, the activation.
        options: further arguments of :func:`train` by name; a table does not show an optimiser.
        labels: further columns.
    """

    @property
    def values(self) -> dict[str, Plain]:
        """What the columns show, labels as they were given and numbers as numbers."""
        given = self._arguments()
        shown = {name: in_a_table(value) for name, value in given.items() if name not in NOT_SHOWN}
        return {
            **self.labels,
            "task": self.split.task.name,
            "split": "; ".join(self.split.history),
            **shown,
            "batch": shown["batch"] or "all",
        }

    def check(self) -> None:
        """Raise what :func:`train` would raise for these arguments, without any work."""
        given = self._arguments()
        plain(self.labels, "labels", (*given, "task", *MADE))
        check(**given)

    def run(  # type: ignore[override]  # a sweep hands it to its measure alone
        self, threads: int | None = None, *, warn: bool = True
    ) -> Training:
        """Make the run, with this many threads, or as many as torch is set to."""
        with torch_threads(threads):
            return train(**self._arguments())

    def _arguments(self) -> dict[str, Any]:
        """All arguments of :func:`train`, defaults included. Raises TypeError for other kinds."""
        kinds = {"split": Split, "kernel": Activation, "options": Mapping, "labels": Mapping}
        self._of_kinds(kinds)
        call = inspect.signature(train).bind(self.split, self.kernel, **self.options)
        call.apply_defaults()
        call.arguments["seed"] = copy.deepcopy(call.arguments["seed"])  # a generator begins anew
        return call.arguments
