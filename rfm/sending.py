"""What is sent to another process as it is, with what was defined in a notebook or a script."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cloudpickle

MAIN = "__main__"  # the notebook or script itself, which other processes do not have
Cached = type(lru_cache(len))


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # which has no types
    """Cloudpickle's, which sends functions of the notebook by their code; cached ones likewise."""

    def reducer_override(self, x: Any) -> Any:
        """How something is taken apart that pickle would look for by its name."""
        if isinstance(x, Cached) and (x.__module__ == MAIN or "<locals>" in x.__qualname__):
            return _cached, (x.__wrapped__, x.cache_parameters())
        return super().reducer_override(x)


def _cached(function: Callable[..., Any], how: dict[str, Any]) -> Callable[..., Any]:
    """The function with a cache of its own, as :func:`functools.lru_cache` makes it."""
    return lru_cache(**how)(function)


class _Elsewhere(pickle.Unpickler):
    """Load what was sent as another process does, which has no such notebook."""

    def find_class(self, module: str, name: str) -> Any:
        """Look up what is sent by its name."""
        if module == MAIN:
            raise pickle.UnpicklingError(f"another process has no {name}, which was defined here")
        return super().find_class(module, name)


def dumped(x: object) -> bytes:
    """Something as it is sent."""
    file = io.BytesIO()
    _Pickler(file).dump(x)
    return file.getvalue()


def arriving(x: object) -> Any:
    """Something as it would arrive in another process.

    Raises:
        Exception: whatever its class raises when it is sent or arrives.
    """
    return _Elsewhere(io.BytesIO(dumped(x))).load()


class Sent:
    """Something on its way to where it is used: the same in this process, sent in full to others.

    Attributes:
        x: what it is.
    """

    def __init__(self, x: Any):
        self.x = x

    def __reduce__(self) -> tuple[object, ...]:
        return _arrived, (dumped(self.x),)


def _arrived(sent: bytes) -> Sent:
    return Sent(pickle.loads(sent))
