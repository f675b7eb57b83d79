"""Recursive feature machines: fit, take the AGOP, repeat."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm  # tqdm.auto warns in a notebook without ipywidgets

from rfm.arguments import flag, instance, integer, real, square
from rfm.judging import judge, leads, measured
from rfm.kernels import Kernel
from rfm.machine import KernelMachine, scratch
from rfm.resources import check_memory, resolve_device
from rfm.run import Interrupted, Run, RunError
from rfm.spectral import sound
from rfm.splits import Split
from rfm.stopping import Stop, check_rule, stops
from rfm.translations import TranslationMachine, Translations
from rfm.updates import AGOP, Update
from rfm.version import VERSION

MOST = 10**9  # iterations


@dataclass(frozen=True)
class _Iteration:
    """What one iteration leaves, put down at once so that no part of it can be missing."""

    row: dict[str, float]
    right: Tensor
    scores: Tensor
    features: Tensor
    seconds: float


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
    warn: bool = True,
    translations: bool = False,
    update: Update | None = None,
) -> Run:
    """Run a recursive feature machine [B, section 2].

    Each iteration solves (K + λI) α = Y on the training set under the metric M, then sets
    M ← AGOP^s, or what another rule says. The defaults are those of the paper's released code.

    Args:
        split: training and test pairs.
        kernel: the kernel.
        iterations: how many times to fit and update, an integer of at least 1.
        ridge: λ ≥ 0.
        power: s > 0.
        centred: whether mean gradients are subtracted before the AGOP.
        M0: (2n, 2n) symmetric start, the identity by default.
        dtype: float64, or float32 for those who accept what it does to thin margins.
        device: ``auto`` takes a CUDA GPU where there is one, else the CPU.
        stop: a rule that sees each row of the table, as a dict, and ends the run when it returns
            True, such as :func:`converged`.
        progress: show a progress bar.
        keep_features: keep every M in ``run.history``.
        warn: tell a jitter, once a run, by a :class:`rfm.JitterWarning`; the table has it in any
            case.
        translations: compute by characters, in blocks: for a split that all translations
            (a, b′) ↦ (a ⋆ t, b′ ⋆ t) keep, b′ = τ(b), as the trap is. The same run, and
            faster the larger n is, but for rounding: it can break this symmetry elsewhere and not
            here, and the table's ``condition`` is a bound from other pivots. ``M0`` must have the
            symmetry too. On the CPU.
        update: another rule for the next metric than ``AGOP(power, centred)``, such as
            ``rfm.updates.FACT()``; it says its own power and centring.

    Raises:
        ValueError: for a setting out of range or two that exclude each other, a device that cannot
            do it, or a split or start without the symmetry asked for, before any work.
        MemoryError: if the run would not fit in memory, with the estimate, before any work.
        RunError: if it cannot go on: a kernel matrix cannot be factorised, M vanishes, overflows or
            is not finite, the kernel or the rule raises an error, the rule returns no bool.
        Interrupted: a ``KeyboardInterrupt`` that carries the iterations finished so far; a plain
            ``KeyboardInterrupt`` if there are none.
    """
    device = check(
        split,
        kernel,
        iterations,
        ridge,
        power,
        M0,
        dtype,
        device,
        stop,
        centred,
        progress,
        keep_features,
        warn,
        translations,
        update,
    )
    task, iterations = split.task, int(iterations)
    ridge, power = float(ridge), float(power)
    rule = AGOP(power, centred) if update is None else update
    M = torch.eye(task.dimension) if M0 is None else M0.detach()
    M = M.to(device, dtype, copy=True)
    first = before = M.cpu()
    test = split.test.to(device)
    fitted = _blocks(split, kernel, ridge) if translations else _dense(split, kernel, ridge, M)
    labels = task.label(split.test)
    settings = {
        "task": task.name,
        "split": "; ".join(split.history),
        "train_size": len(split.train),
        "kernel": repr(kernel),
        "iterations": iterations,
        "ridge": ridge,
        "power": power,
        "centred": bool(centred),
        "M0": "identity" if M0 is None else "given",
        "stop": "" if stop is None else getattr(stop, "__qualname__", repr(stop)),
        "translations": bool(translations),
        "update": repr(rule),
        "dtype": str(dtype).removeprefix("torch."),
        "device": device.type,
        "version": VERSION,
        "torch": torch.__version__,
    }
    baseline = split.orbit_baseline()
    done: list[_Iteration] = []

    def record(ended: str) -> Run:
        return Run(
            split,
            pd.DataFrame([one.row for one in done]).set_index("iteration"),
            done[-1].features,
            judge(split, done[-1].scores, done[-1].row["tie"]),
            torch.stack([one.right for one in done]),
            tuple(one.seconds for one in done),
            settings,
            ended,
            (first, *(one.features for one in done)) if keep_features else (),
        )

    t = 1
    try:
        for t in tqdm(range(1, iterations + 1), disable=not progress, desc=str(task)):
            start = time.perf_counter()
            told = any(one.row["jitter"] for one in done)  # one warning a run says enough
            machine = fitted(M, warn and not told)
            new = _checked(rule(machine), rule, M)  # type: ignore[arg-type]  # blocks: the AGOP
            features = sound(new.cpu(), "M")
            step, turn = _moved(features, before)
            scores = machine.predict(test).cpu()
            lead = leads(scores, labels)
            row = {"iteration": t, **measured(split, machine, scores, lead)}
            row |= {"orbit_baseline": math.nan if baseline is None else baseline}
            row |= {"step": step, "turn": turn}
            M, before = new, features
            right = lead > machine.resolution
            done.append(_Iteration(row, right, scores, features, time.perf_counter() - start))
            if len(done) > 1:  # of these only the last are wanted
                kept = done[-2].features if keep_features else first
                done[-2] = replace(done[-2], scores=scores, features=kept)
            if stop is not None and stops(stop, row):
                return record(f"stopped by {settings['stop']} after iteration {t}")
    except KeyboardInterrupt as interrupt:
        if not done:
            raise
        raise Interrupted(record(f"interrupted in iteration {t}")) from interrupt
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        so_far = record(f"failed in iteration {t}: {reason}") if done else None
        raise RunError(reason, t, so_far) from error
    return record("all iterations done")


Fitted = Callable[[Tensor, bool], KernelMachine | TranslationMachine]


def _checked(new: Tensor, rule: Update, M: Tensor) -> Tensor:
    """What a rule has made of a fit, after making sure that it can follow M."""
    if not isinstance(rule, AGOP):
        new = square(new, f"what {rule!r} makes of a fit", len(M))
        if (new.dtype, new.device) != (M.dtype, M.device):
            raise ValueError(
                f"{rule!r} must give a matrix of {M.dtype} on {M.device}, as M is, "
                f"not of {new.dtype} on {new.device}"
            )
    return new


def _dense(split: Split, kernel: Kernel, ridge: float, like: Tensor) -> Fitted:
    """Fit a machine under a metric, all in the same memory."""
    train = split.train.to(like.device)
    targets = torch.eye(split.task.n, dtype=like.dtype)[split.train_labels].to(like.device)
    buffers = scratch(len(train), like)
    return lambda M, warn: KernelMachine.fit(train, targets, kernel, M, ridge, buffers, warn=warn)


def _blocks(split: Split, kernel: Kernel, ridge: float) -> Fitted:
    """Fit a machine under a metric, a block for each character."""
    group = Translations(split.task)
    Δ = group.differences(split)
    return lambda M, warn: TranslationMachine.fit(group, Δ, kernel, M, ridge, warn=warn)


def _moved(new: Tensor, M: Tensor) -> tuple[float, float]:
    """How far M has moved, and how far its direction, by Frobenius norms that do not overflow."""
    scale = max(float(new.abs().max()), float(M.abs().max()))
    new, M = new / scale, M / scale
    before, after = torch.linalg.norm(M), torch.linalg.norm(new)
    turn = torch.linalg.norm(new / after - M / before)
    return float(torch.linalg.norm(new - M) / before), float(turn)


def check(
    split: Split,
    kernel: Kernel,
    iterations: int = 60,
    ridge: float = 0.0,
    power: float = 0.5,
    M0: Tensor | None = None,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "auto",
    stop: Stop | None = None,
    centred: bool = True,
    progress: bool = False,
    keep_features: bool = False,
    warn: bool = True,
    translations: bool = False,
    update: Update | None = None,
) -> torch.device:
    """Raise what :func:`fit` promises to raise before any work; return the device to compute on."""
    instance(split, Split, "split")
    instance(kernel, Kernel, "kernel")
    if flag(translations, "translations"):
        device = "cpu" if isinstance(device, str) and device == "auto" else device
    device = resolve_device(device, dtype)
    if translations and device.type != "cpu":
        raise ValueError(f"translations=True computes on the CPU, not on {device}")
    integer(iterations, "iterations", 1, MOST)
    real(ridge, "ridge", "a finite number of at least 0", 0)
    if not real(power, "power", "a positive finite number", 0):
        raise ValueError("power must be a positive finite number, not 0")
    for name, value in {
        "centred": centred,
        "progress": progress,
        "keep_features": keep_features,
        "warn": warn,
        "translations": translations,
    }.items():
        flag(value, name)
    if update is not None:
        _check_update(update, power, centred, translations)
    if stop is not None:
        check_rule(stop)
    group = Translations(split.task) if translations else None
    if group:
        group.differences(split)
    check_memory(split, dtype, device, int(iterations) if keep_features else 0, bool(translations))
    if M0 is not None:
        _check_start(M0, split.task.dimension)
        if group:
            group.check(M0)
    return device


def _check_update(update: Update, power: float, centred: bool, translations: bool) -> None:
    instance(update, Update, "update")
    if power != 0.5 or not centred:
        raise ValueError(
            f"power and centred belong to the AGOP: with update={update!r} leave them out, or say "
            "them there"
        )
    if translations and not isinstance(update, AGOP):
        raise ValueError(f"translations=True computes the AGOP only, not {update!r}")


def _check_start(M0: Tensor, d: int) -> None:
    if isinstance(M0, Tensor) and M0.requires_grad:
        raise ValueError("M0 must be a plain tensor without gradient: give M0.detach()")
    M0 = square(M0, "M0", d).double()
    largest = float(M0.abs().max())
    if not largest > 0:
        raise ValueError("M0 must be positive semi-definite and not zero, but it is zero")
    eigenvalues = torch.linalg.eigvalsh(M0 / largest)
    if eigenvalues[0] < -1e-6 * eigenvalues[-1]:
        raise ValueError(
            "M0 must be positive semi-definite and not zero, but its eigenvalues run from "
            f"{float(eigenvalues[0]) * largest:.2g} to {float(eigenvalues[-1]) * largest:.2g}"
        )
