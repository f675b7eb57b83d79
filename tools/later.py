"""Runs whose start is made when they are: to list the settings of a table then costs nothing."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from rfm import Run, Setting

Start = Tensor | Callable[[], Tensor]
"""A metric, or a function without arguments that makes one, always the same."""


class Later(Setting):
    """A run that may have a function in place of the features M₀ that it starts from."""

    def made(self) -> Setting:
        """The same with these features."""
        M0 = self.options.get("M0")
        options = {**self.options, "M0": M0()} if callable(M0) else self.options
        return Setting(self.split, self.kernel, options, self.labels)

    @property
    def key(self) -> str:
        """That of the run with its features."""
        return self.made().key

    def check(self) -> None:
        """Raise what :func:`rfm.fit` would raise for these features."""
        self.made().check()

    def run(self, threads: int | None = None, *, warn: bool = True) -> Run:
        """Make the features and the run."""
        return self.made().run(threads, warn=warn)
