"""Where a run computes, and whether it fits there."""

from __future__ import annotations

import psutil
import torch

from rfm.arguments import flag, instance, integer
from rfm.pieces import samples_at_a_time
from rfm.splits import Kind, Split
from rfm.translations import PIECE


def resolve_device(device: str | torch.device, dtype: torch.dtype) -> torch.device:
    """The device to compute on; ``auto`` is a CUDA GPU where there is one, else the CPU.

    Raises:
        ValueError: for a device that is not there, a dtype that is not float32 or float64, or a
            device that has no float64.
    """
    if dtype not in (torch.float64, torch.float32):
        raise ValueError(f"dtype must be torch.float64 or torch.float32, not {dtype}")
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError, ValueError):
        raise ValueError(
            f"device must be auto, cpu, cuda or cuda:<number>, not {device!r}"
        ) from None
    if device.type == "mps":
        raise ValueError(
            "the device mps cannot compute in float64, which thin margins need; use device='cpu'"
        )
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be auto, cpu or cuda, not {device}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda' was asked for, but torch sees no CUDA GPU; use 'auto'")
    return device


def memory_estimate(
    split: Split,
    dtype: torch.dtype = torch.float64,
    kept: int = 0,
    translations: bool = False,
    device: str | torch.device = "cpu",
) -> int:
    """Bytes that a run on this split needs beyond what the process already holds.

    Two N × N matrices (kernel and factor); targets, coefficients and their groupings, N × n each,
    scores and their judgement for the test points; for one chunk of training points weights, their
    two regroupings and the grouped gradients; a dozen 2n × 2n matrices for the AGOP and its root.

    By translations there are 1/n of them: the kernel values of one sample of each difference, and
    the complex blocks of half the characters with their factors; the scores are as many.

    Args:
        split: the split.
        dtype: float64 or float32.
        kept: how many metrics are kept in ``run.history``.
        translations: whether it is computed by characters.
        device: where it is computed; on a GPU larger chunks are taken. It need not be there.

    Raises:
        ValueError: for other arguments.
    """
    instance(split, Split, "split")
    if dtype not in (torch.float64, torch.float32):
        raise ValueError(f"dtype must be torch.float64 or torch.float32, not {dtype}")
    kept = integer(kept, "kept", 0)
    flag(translations, "translations")
    n, N = split.task.n, int((split.kind == Kind.TRAIN).sum())
    if translations:
        values = N * N // n
        matrices = (12 + kept) * 4 * n * n
        scores = 5 * (n * n - N) * n
        return (4 * values + scores + matrices) * torch.finfo(dtype).bits // 8 + 8 * PIECE * 8
    vectors = 6 * N * n + 5 * (n * n - N) * n
    chunk = min(N, samples_at_a_time(n, torch.device(device))) * (4 * n * n + 6 * n * n)
    matrices = (12 + kept) * 4 * n * n
    return (2 * N * N + vectors + chunk + matrices) * torch.finfo(dtype).bits // 8


def check_memory(
    split: Split,
    dtype: torch.dtype,
    device: torch.device,
    kept: int = 0,
    translations: bool = False,
) -> None:
    """Refuse a run that would not fit.

    Raises:
        MemoryError: with the estimate and what is free on the device.
    """
    needed = memory_estimate(split, dtype, kept, translations, device)
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"{split.task} with {len(split.train)} training samples needs about "
            f"{needed / 2**30:.1f} GiB, but only {free / 2**30:.1f} GiB are free on {device.type}; "
            "take a smaller group or a smaller training fraction"
        )
