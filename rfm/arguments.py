"""What an argument may be, said once; everything else is an error that names the argument."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor


def integer(value: Any, name: str, least: int | None = None, most: int | None = None) -> int:
    """A whole number: whatever ``operator.index`` accepts, NumPy's integers too, but no bool.

    Raises:
        ValueError: for anything else, or a number outside ``least`` … ``most``.
    """
    allowed = "an integer"
    if least is not None:
        allowed += f" of at least {least}" if most is None else f" from {least} to {most}"
    try:
        if isinstance(value, bool | np.bool_ | np.ndarray | Tensor) and not _counts(value):
            raise TypeError
        number = operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{name} must be {allowed}, not {value!r}") from None
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"{name} must be {allowed}, not {number}")
    return number


def _counts(value: object) -> bool:
    """Whether a bool, an array or a tensor is in truth a single integer."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and np.issubdtype(value.dtype, np.integer)
    if isinstance(value, Tensor):
        whole = not (value.is_floating_point() or value.is_complex() or value.dtype == torch.bool)
        return value.ndim == 0 and whole
    return False


def real(value: object, name: str, allowed: str, least: float, most: float = math.inf) -> float:
    """A finite real number with ``least`` ≤ number ≤ ``most``, as a Python float.

    Args:
        value: what was given; a bool is no number here.
        name: what the error calls it.
        allowed: what the error says it must be.
        least: the smallest number allowed.
        most: the largest number allowed.

    Raises:
        ValueError: for anything else.
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else None
    except OverflowError:
        number = None
    if number is None or not math.isfinite(number) or not least <= number <= most:
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return number


def flag(value: object, name: str) -> bool:
    """True or False, NumPy's too. Raises ValueError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def instance(value: object, kind: type, name: str) -> None:
    """Make sure that an argument is an object of a class.

    Raises:
        ValueError: if it is something else, the class itself included.
    """
    if not isinstance(value, kind):
        what = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise ValueError(f"{name} must be a {kind.__name__}, not {what}")


def members(values: object, name: str) -> tuple[Any, ...]:
    """The members of a sequence or other iterable, a text being none.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a sequence, not {values!r:.200}")
    return tuple(values)


def pairs_below(pairs: object, n: int) -> Tensor:
    """Pairs of positions 0, …, n−1: one of shape (2,) or several of shape (m, 2), int64.

    Raises:
        ValueError: for any other shape, type or number; nothing is reshaped or converted, since
            that would take transposed pairs for other ones.
    """
    try:
        found = torch.as_tensor(pairs)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ValueError(f"pairs must be an int64 tensor, not {type(pairs).__name__}") from None
    if found.dtype != torch.int64 or found.shape[-1:] != (2,) or found.ndim > 2:
        raise ValueError(
            "pairs must be an int64 tensor of shape (2,) or (m, 2), not "
            f"{found.dtype} of shape {tuple(found.shape)}"
        )
    ordinary(found, "pairs")
    least, most = torch.stack(found.aminmax()).tolist() if found.numel() else (0, 0)
    if found.numel() and not 0 <= least <= most < n:
        raise ValueError(f"positions in a pair must lie in 0, …, {n - 1}")
    return found


def positions(values: object, n: int, name: str) -> Tensor:
    """A tensor of n positions 0, …, n−1, int64, copied to the CPU.

    Raises:
        ValueError: for anything else.
    """
    values = row(values, n, torch.int64, name, "positions")
    if n and not 0 <= int(values.min()) <= int(values.max()) < n:
        raise ValueError(f"{name} must hold positions from 0 to {n - 1}")
    return values


def row(values: object, n: int, dtype: torch.dtype, name: str, things: str) -> Tensor:
    """A tensor of n things, (n,), of a dtype, copied to the CPU.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(values, Tensor) or (values.dtype, values.shape) != (dtype, (n,)):
        what = f"{'an' if dtype == torch.int64 else 'a'} {str(dtype).removeprefix('torch.')} tensor"
        raise ValueError(f"{name} must be {what} of shape ({n},): {n} {things}")
    ordinary(values, name)
    return values.detach().cpu().clone()


def ordinary(tensor: Tensor, name: str) -> None:
    """Raise ValueError for a tensor without values, or with few of them."""
    if tensor.device.type == "meta" or tensor.layout != torch.strided:
        raise ValueError(f"{name} must be an ordinary tensor with values, neither meta nor sparse")


def square(matrix: Any, name: str, d: int | None = None, *, symmetric: bool = True) -> Tensor:
    """A real (d, d) matrix of finite floating-point numbers, without its gradient.

    Args:
        matrix: what was given.
        name: what the error calls it.
        d: the size it must have, by default any.
        symmetric: whether it must be symmetric, which allows for rounding.

    Raises:
        ValueError: for anything else.
    """
    shape = tuple(getattr(matrix, "shape", ()))
    size = (d, d) if d is not None else (len(matrix),) * 2 if shape else (0, 0)
    if (
        not isinstance(matrix, Tensor)
        or not matrix.is_floating_point()
        or shape != size
        or not size[0]
    ):
        what = f"{matrix.dtype} {shape}" if isinstance(matrix, Tensor) else type(matrix).__name__
        wanted = f"({d}, {d})" if d is not None else "square"
        raise ValueError(f"{name} must be a floating-point {wanted} matrix, not {what}")
    ordinary(matrix, name)
    matrix = matrix.detach()
    odd, largest = (matrix / 2 - matrix.T / 2).abs().max(), matrix.abs().max()
    odd, largest = torch.stack([odd, largest]).tolist()  # at once, for the sake of GPUs
    if not math.isfinite(largest):
        raise ValueError(f"{name} has entries that are not finite")
    if symmetric and odd > 5e-7 * largest:
        raise ValueError(f"{name} is not symmetric")
    return matrix
