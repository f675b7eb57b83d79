"""One run to be made: what it is, how a table names it, and how it is told from all others."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rfm.arguments import integer
from rfm.digest import digest
from rfm.kernels import Kernel
from rfm.outcomes import MADE, RESULTS, Plain, as_plain, plain
from rfm.recursion import check, fit
from rfm.run import Run
from rfm.splits import Split
from rfm.threads import torch_threads

NOT_SHOWN = ("split", "kernel", "M0", "device", "progress", "keep_features", "warn", "update")
NOT_THE_RUN = ("split", "kernel", "progress", "warn")  # the first two are digested by content


@dataclass(frozen=True, eq=False)
class Setting:
    """One run to be made: what :func:`rfm.fit` is given, and what names it in a table.

    Attributes:
        split: training and test pairs; its history records how it was made, seeds included.
        kernel: the kernel.
        options: further arguments of :func:`rfm.fit` by name, copied.
        labels: further columns of plain values, such as the number of moved points or the seed,
            copied. NumPy's scalars become plain.
    """

    split: Split
    kernel: Kernel
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Plain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options, labels = self.options, self.labels
        if isinstance(options, Mapping):
            object.__setattr__(self, "options", dict(options))
        if isinstance(labels, Mapping):
            plain_ones = {name: as_plain(value) for name, value in labels.items()}
            object.__setattr__(self, "labels", plain_ones)

    @property
    def columns(self) -> dict[str, str]:
        """What a table shows of this run, column by column.

        Raises:
            TypeError: if split, kernel, options or labels are no such things, and for an option
                that :func:`rfm.fit` does not have.
        """
        return {name: str(value) for name, value in self.values.items()}

    @property
    def values(self) -> dict[str, Plain]:
        """What :attr:`columns` shows, labels as they were given and numbers as numbers.

        Raises:
            TypeError: if split, kernel, options or labels are no such things, and for an option
                that :func:`rfm.fit` does not have.
        """
        given = self._arguments()
        shown = {name: in_a_table(value) for name, value in given.items() if name not in NOT_SHOWN}
        return {
            **self.labels,
            "task": self.split.task.name,
            "split": "; ".join(self.split.history),
            "kernel": in_a_table(self.kernel),
            **shown,
            "M0": "identity" if given["M0"] is None else "given",
        }

    @property
    def key(self) -> str:
        """What tells this run from all others, 64 hexadecimal digits, equal in all processes.

        It is a digest of the samples' kinds, the task's table, the split's history, the kernel, all
        options of :func:`rfm.fit`, starting features to the last bit, the stopping rule and the
        labels. A kernel or rule of your own goes in by its parameters and its code, and with the
        global names that it reads.

        Raises:
            TypeError: as :attr:`columns`, and if the kernel or an option holds what has no content,
                such as an open file.
        """
        given = self._arguments()
        task, group = self.split.task, self.split.task.group
        options = {name: value for name, value in given.items() if name not in NOT_THE_RUN}
        if "device" in options:
            options["device"] = str(options["device"])
        return digest(
            group=group._facts(),
            task=(type(task).__name__, task.name, task.symbol, task.twist),
            split=(self.split.kind, self.split.history, self.split.labels),
            mirrors=[(mirror.k, mirror.reflects) for mirror in self.split.mirrors],
            kernel=self.kernel,
            options=options,
            labels=self.labels,
        )

    def check(self) -> None:
        """Raise what :func:`rfm.fit` would raise for these arguments, without any work.

        Raises:
            TypeError: unless the split is a :class:`rfm.Split`, the kernel a :class:`rfm.Kernel`,
                options and labels are mappings, and labels are plain values; for an option that
                :func:`rfm.fit` does not have.
            ValueError: for what :func:`rfm.fit` would refuse, and for a label with the name of
                another column.
        """
        given = self._arguments()
        columns = {"task", "split", "kernel", "M0"}.union(set(given) - set(NOT_SHOWN))
        plain(self.labels, "labels", (*columns, *RESULTS, *MADE))
        check(**{name: given[name] for name in inspect.signature(check).parameters})

    def run(self, threads: int | None = None, *, warn: bool = True) -> Run:
        """Make the run, with this many threads, or as many as torch is set to.

        Args:
            threads: threads for torch, restored afterwards.
            warn: whether to issue :class:`rfm.JitterWarning`.

        Raises:
            TypeError: for an option that :func:`rfm.fit` does not have.
            ValueError: for a number of threads that is no positive integer, and as :func:`rfm.fit`.
            MemoryError, RunError, Interrupted: as :func:`rfm.fit`.
        """
        if threads is not None:
            threads = integer(threads, "threads", 1)
        options = dict(self.options)
        if "stop" in options:  # a rule that counts begins anew
            options["stop"] = copy.deepcopy(options["stop"])
        options = {"warn": warn, **options}
        with torch_threads(threads):
            return fit(self.split, self.kernel, **options)

    def _arguments(self) -> dict[str, Any]:
        """All arguments of :func:`rfm.fit`, defaults included. Raises TypeError for other kinds."""
        kinds = {"split": Split, "kernel": Kernel, "options": Mapping, "labels": Mapping}
        self._of_kinds(kinds)
        call = inspect.signature(fit).bind(self.split, self.kernel, **self.options)
        call.apply_defaults()
        return call.arguments

    def _of_kinds(self, kinds: Mapping[str, type]) -> None:
        """Raise TypeError unless the attributes are of these kinds."""
        for name, kind in kinds.items():
            if not isinstance(given := getattr(self, name), kind):
                raise TypeError(f"{name} must be a {kind.__name__}, not {given!r:.200}")


def in_a_table(value: object) -> Plain:
    """A value as a table shows it: plain values as they are, others in words, never an address."""
    value = as_plain(value)
    if value is None or isinstance(value, str | int | float | bool):
        return "" if value is None else value
    if type(value).__repr__ is object.__repr__:
        return type(value).__qualname__
    name = getattr(value, "__qualname__", None) or repr(value)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", name).removeprefix("torch.")
