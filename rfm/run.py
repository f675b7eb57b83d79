"""The record of a run, and the two ways in which it can be cut short."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from torch import Tensor

from rfm.immutable import Immutable
from rfm.splits import Split


@dataclass(frozen=True, eq=False)
class Run(Immutable):
    """What a recursive feature machine did.

    Attributes:
        split: the split it was trained and tested on.
        table: one row an iteration; row t describes the machine fitted with M_{t−1}. Columns:
            ``train_accuracy``, ``test_accuracy``; ``random_accuracy``, ``withheld_accuracy``,
            ``moved_accuracy`` by kind of test point (NaN where there is none);
            ``orbit_baseline``, the test accuracy of a model that knows only the withheld
            reflections (NaN where none was withheld); ``train_loss``, ``test_loss``, the mean over
            samples of ‖f(x) − y‖², 1 for f = 0; ``margin``, the smallest lead of the right class
            over the runner-up among the test points got right (NaN if none); ``tie``, the lead up
            to which there is none (:attr:`rfm.KernelMachine.resolution`); ``condition``, a lower
            bound on the condition number of K; ``jitter``, what had to be added to its diagonal;
            ``step``, ‖M_t − M_{t−1}‖ / ‖M_{t−1}‖ in the Frobenius norm; ``turn``, the same for
            M / ‖M‖, the direction of M.
        features: M after the last iteration, (2n, 2n), on the CPU.
        predictions: one row a test point, from the last fit: ``a``, ``b``, ``label``,
            ``predicted`` as elements of the group, written as a reader writes them; ``kind``,
            ``margin`` and ``correct``. Positions are in ``split.test``, in the same order. A point
            is correct if its class leads all others by more than ``tie``: a tie counts as wrong,
            in training too.
        right: (T, N_test) bool, which test points each iteration's machine got right.
        seconds: wall-clock time of each iteration.
        settings: everything that made the run, as plain values.
        ended: why there is no further iteration: ``all iterations done``, ``stopped by`` a rule,
            ``interrupted`` or ``failed``, the last two with what happened.
        history: M_0, M_1, … if ``keep_features`` was asked for, else empty.
    """

    split: Split
    table: pd.DataFrame
    features: Tensor
    predictions: pd.DataFrame
    right: Tensor
    seconds: tuple[float, ...]
    settings: dict[str, object]
    ended: str
    history: tuple[Tensor, ...] = field(default=(), repr=False)

    def correct(self) -> Tensor:
        """Which test points the last fit got right, (N_test,) bool, in the order of the split."""
        return self.right[-1]


class Interrupted(KeyboardInterrupt):
    """A run was interrupted.

    Attributes:
        run: the iterations that were finished, a :class:`rfm.Run`.
    """

    def __init__(self, run: Run):
        super().__init__(run)
        self.run = run

    def __str__(self) -> str:
        return f"interrupted after {len(self.run.table)} iterations, which .run holds"


class RunError(RuntimeError):
    """A run could not go on; ``__cause__`` is the error that ended it, where there was one.

    Attributes:
        reason: what happened.
        iteration: in which iteration, from 1.
        run: the iterations that were finished, a :class:`rfm.Run`, or None if there were none.
    """

    def __init__(self, reason: str, iteration: int, run: Run | None):
        super().__init__(reason, iteration, run)
        self.reason, self.iteration, self.run = reason, iteration, run

    def __str__(self) -> str:
        done = 0 if self.run is None else len(self.run.table)
        held = f"; .run holds the {done} finished" if done else ""
        return f"iteration {self.iteration}: {self.reason}{held}"
