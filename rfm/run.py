"""Recursive feature machines: fit, take the AGOP, repeat; and the record of such a run."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm  # tqdm.auto warns in a notebook without ipywidgets

from rfm.kernels import Kernel
from rfm.machine import KernelMachine, matrix_power, scratch
from rfm.resources import check_memory, resolve_device
from rfm.solve import JitterWarning, SingularKernelError
from rfm.splits import Kind, Split

# A lead smaller than this is rounding and counts as a tie; targets are 0 and 1.
TIE = {torch.float64: 1e-9, torch.float32: 1e-4}

Stop = Callable[[dict[str, float]], bool]


@dataclass(frozen=True, eq=False)
class Run:
    """What a recursive feature machine did.

    Attributes:
        split: the split it was trained and tested on.
        table: one row an iteration; row t describes the machine fitted with M_{t−1}. Columns:
            ``train_accuracy``, ``test_accuracy``; ``random_accuracy``, ``withheld_accuracy``,
            ``moved_accuracy`` by kind of test point (NaN where there is none);
            ``orbit_baseline``, the test accuracy of a model that knows only the withheld
            reflections (NaN where none was withheld); ``train_loss``, ``test_loss``, the mean over
            samples of ‖f(x) − y‖², 1 for f = 0; ``margin``, the smallest lead of the right class
            over the runner-up among the test points got right (NaN if none); ``condition``, a
            lower bound on the condition number of K; ``jitter``, what had to be added to its
            diagonal; ``step``, ‖M_t − M_{t−1}‖ / ‖M_{t−1}‖ in the Frobenius norm.
        features: M after the last iteration, (2n, 2n), on the CPU.
        predictions: one row a test point, from the last fit: ``a``, ``b``, ``label``,
            ``predicted`` as positions, ``kind``, ``margin`` and ``correct``. A point is correct if
            its class leads all others by more than 1e-9 (1e-4 in float32): a tie counts as wrong.
        right: (T, N_test) bool, which test points each iteration's machine got right.
        seconds: wall-clock time of each iteration.
        settings: everything that made the run, as plain values.
        history: M_0, M_1, … if ``keep_features`` was asked for, else empty.
    """

    split: Split
    table: pd.DataFrame
    features: Tensor
    predictions: pd.DataFrame
    right: Tensor
    seconds: tuple[float, ...]
    settings: dict[str, object]
    history: tuple[Tensor, ...] = field(default=(), repr=False)

    def correct(self) -> Tensor:
        """Which test points the last fit got right, (N_test,) bool, in the order of the split."""
        return self.right[-1]


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; ``run`` holds the iterations that were finished."""

    def __init__(self, run: Run):
        super().__init__(f"interrupted after {len(run.table)} iterations")
        self.run = run


@dataclass(frozen=True)
class converged:  # lower case, for it reads as a function: stop=converged(1e-7)
    """A stopping rule: M has moved by less than ``tolerance`` of its Frobenius norm."""

    tolerance: float = 1e-7

    def __call__(self, row: dict[str, float]) -> bool:
        """Whether to stop after this row of the table."""
        return row["step"] < self.tolerance


def fit(
    split: Split,
    kernel: Kernel,
    iterations: int = 60,
    *,
    ridge: float = 0.0,
    power: float = 0.5,
    centred: bool = True,
    M0: Tensor | None = None,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "auto",
    stop: Stop | None = None,
    progress: bool = False,
    keep_features: bool = False,
) -> Run:
    """Run a recursive feature machine [B, section 2].

    Each iteration solves (K + λI) α = Y on the training set under the metric M, then sets
    M ← AGOP^s. The defaults are those of the paper's released code.

    Args:
        split: training and test pairs.
        kernel: the kernel.
        iterations: how many times to fit and update, at least 1.
        ridge: λ ≥ 0.
        power: s > 0.
        centred: whether mean gradients are subtracted before the AGOP.
        M0: (2n, 2n) symmetric start, the identity by default.
        dtype: float64, or float32 for those who accept what it does to thin margins.
        device: ``auto`` takes a CUDA GPU where there is one, else the CPU.
        stop: a rule that sees each row of the table and ends the run when it returns True, such
            as :func:`converged`.
        progress: show a progress bar.
        keep_features: keep every M in ``run.history``.

    Raises:
        ValueError: for a setting out of range or a device that cannot do it, before any work.
        MemoryError: if the run would not fit in memory, with the estimate, before any work.
        rfm.SingularKernelError: if a kernel matrix cannot be factorised; it carries the iterations
            finished so far, as ``Interrupted`` does.
        Interrupted: a ``KeyboardInterrupt`` that carries the iterations finished so far.
    """
    task = split.task
    device = check(split, iterations, ridge, power, M0, dtype, device)
    M = torch.eye(task.dimension) if M0 is None else M0
    M = M.to(device, dtype, copy=True)
    train, test = split.train.to(device), split.test.to(device)
    targets = task.one_hot_labels(split.train, dtype).to(device)
    buffers = scratch(len(train), like=M)
    settings = {
        "task": task.name,
        "split": "; ".join(split.history),
        "train_size": len(train),
        "kernel": repr(kernel),
        "iterations": iterations,
        "ridge": ridge,
        "power": power,
        "centred": centred,
        "M0": "identity" if M0 is None else "given",
        "stop": "" if stop is None else getattr(stop, "__qualname__", repr(stop)),
        "dtype": str(dtype).removeprefix("torch."),
        "device": device.type,
        "version": version("rfm"),
        "torch": torch.__version__,
    }
    baseline = split.orbit_baseline()
    rows, right, seconds, history = [], [], [], [M.cpu()] if keep_features else []
    predictions = pd.DataFrame()

    def record() -> Run:
        table = pd.DataFrame(rows).set_index("iteration")
        stacked, times = torch.stack(right), tuple(seconds)
        return Run(split, table, M.cpu(), predictions, stacked, times, settings, tuple(history))

    try:
        for t in tqdm(range(1, iterations + 1), disable=not progress, desc=str(task)):
            start = time.perf_counter()
            with warnings.catch_warnings():
                if any(row["jitter"] for row in rows):  # one warning a run says enough
                    warnings.simplefilter("ignore", JitterWarning)
                machine = KernelMachine.fit(train, targets, kernel, M, ridge, buffers)
            new = matrix_power(machine.agop(centred), power)
            scores = machine.predict(test).cpu()
            step = float(torch.linalg.norm(new - M) / torch.linalg.norm(M))
            now = judge(split, scores)
            row = {"iteration": t, **_row(split, machine, scores, now)}
            row |= {"orbit_baseline": math.nan if baseline is None else baseline, "step": step}
            M, predictions = new, now
            rows.append(row)
            right.append(torch.tensor(now["correct"].to_numpy()))
            seconds.append(time.perf_counter() - start)
            if keep_features:
                history.append(M.cpu())
            if stop is not None and stop(row):
                break
    except KeyboardInterrupt as interrupt:
        if not rows:
            raise
        raise Interrupted(record()) from interrupt
    except SingularKernelError as error:
        error.run = record() if rows else None
        raise
    return record()


def judge(split: Split, scores: Tensor) -> pd.DataFrame:
    """Predictions for the test points of a split, as in :attr:`Run.predictions`.

    Args:
        split: the split.
        scores: (N_test, n), one score a class.
    """
    label = split.task.label(split.test)
    rivals = scores.clone()
    rivals.scatter_(1, label[:, None], -torch.inf)
    margin = scores.gather(1, label[:, None])[:, 0] - rivals.amax(1)
    return pd.DataFrame(
        {
            "a": split.test[:, 0].numpy(),
            "b": split.test[:, 1].numpy(),
            "label": label.numpy(),
            "predicted": scores.argmax(1).numpy(),
            "kind": [Kind(k).name.lower() for k in split.test_kind.tolist()],
            "margin": margin.numpy(),
            "correct": (margin > TIE[scores.dtype]).numpy(),
        }
    )


def check(
    split: Split,
    iterations: int,
    ridge: float,
    power: float,
    M0: Tensor | None,
    dtype: torch.dtype,
    device: str | torch.device,
) -> torch.device:
    """Raise what :func:`fit` promises to raise before any work; return the device to compute on."""
    device = resolve_device(device, dtype)
    if not isinstance(iterations, int) or isinstance(iterations, bool) or iterations < 1:
        raise ValueError(f"iterations must be an integer of at least 1, not {iterations!r}")
    if not isinstance(ridge, int | float) or not 0 <= ridge < math.inf:
        raise ValueError(f"ridge must be a finite number of at least 0, not {ridge!r}")
    if not isinstance(power, int | float) or not 0 < power < math.inf:
        raise ValueError(f"power must be positive and finite, not {power!r}")
    check_memory(split, dtype, device)
    if M0 is not None:
        _check_start(M0, split.task.dimension)
    return device


def _check_start(M0: Tensor, d: int) -> None:
    if not isinstance(M0, Tensor) or M0.shape != (d, d):
        what = tuple(M0.shape) if isinstance(M0, Tensor) else type(M0).__name__
        raise ValueError(f"M0 must be a tensor of shape ({d}, {d}) for this task, not {what}")
    if not bool(torch.isfinite(M0).all()) or not torch.allclose(M0, M0.T):
        raise ValueError("M0 must be symmetric with finite entries")
    eigenvalues = torch.linalg.eigvalsh(M0.double())
    if not eigenvalues[-1] > 0 or eigenvalues[0] < -1e-6 * eigenvalues[-1]:
        raise ValueError(
            "M0 must be positive semi-definite and not zero, but its eigenvalues run from "
            f"{float(eigenvalues[0]):.2g} to {float(eigenvalues[-1]):.2g}"
        )


def _row(
    split: Split, machine: KernelMachine, scores: Tensor, predictions: pd.DataFrame
) -> dict[str, float]:
    task = split.task
    right = predictions["correct"]
    by_kind = right.groupby(predictions["kind"]).mean()
    fitted = machine.train_predictions().cpu()
    residual = machine.factor.ridge * machine.coefficients
    targets = task.one_hot_labels(split.test, scores.dtype)
    return {
        "train_accuracy": float((fitted.argmax(1) == task.label(split.train)).double().mean()),
        "test_accuracy": float(right.mean()),
        **{
            f"{kind}_accuracy": float(by_kind.get(kind, math.nan))
            for kind in ("random", "withheld", "moved")
        },
        "train_loss": float(residual.square().sum(1).mean()),
        "test_loss": float((scores - targets).square().sum(1).mean()),
        "margin": float(predictions["margin"][right].min()),
        "condition": machine.factor.condition,
        "jitter": machine.factor.jitter,
    }
