"""Rules that end a run before its last iteration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rfm.arguments import real

Stop = Callable[[dict[str, float]], bool]


@dataclass(frozen=True)
class converged:  # lower case, for it reads as a function: stop=converged(1e-7)
    """A stopping rule: M has moved by less than ``tolerance`` of its Frobenius norm.

    Raises:
        ValueError: if the tolerance is not a positive number.
    """

    tolerance: float = 1e-7

    def __post_init__(self) -> None:
        tolerance = real(self.tolerance, "tolerance", "a positive finite number", 5e-324)
        object.__setattr__(self, "tolerance", tolerance)

    def __call__(self, row: dict[str, float]) -> bool:
        """Whether to stop after this row of the table."""
        return row["step"] < self.tolerance


@dataclass(frozen=True)
class direction_converged(converged):
    """A stopping rule: M / ‖M‖ has moved by less than ``tolerance``.

    For kernels and settings in which the direction of M settles while its scale does not, as for a
    Gaussian of small bandwidth, where the scale can alternate between two values for ever.

    Raises:
        ValueError: if the tolerance is not a positive number.
    """

    def __call__(self, row: dict[str, float]) -> bool:
        """Whether to stop after this row of the table."""
        return row["turn"] < self.tolerance


def check_rule(stop: object) -> None:
    """Make sure that a rule is a function, or an object that can be called like one.

    Raises:
        ValueError: if it is not, or is a class such as ``converged`` without its parentheses.
    """
    if isinstance(stop, type) or not callable(stop):
        call = f"; did you mean {stop.__name__}()?" if isinstance(stop, type) else ""
        raise ValueError(f"stop must be a rule, a function of a row, not {stop!r}{call}")


def stops(stop: Stop, row: dict[str, float]) -> bool:
    """What a rule says. Raises TypeError if that is neither True nor False."""
    answer = stop(dict(row))
    if not isinstance(answer, bool | np.bool_):
        raise TypeError(f"the stop rule must return True or False, not {answer!r}")
    return bool(answer)
