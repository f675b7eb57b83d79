"""Objects that stay what they are, although torch has no tensors that cannot be written to."""

from __future__ import annotations

from torch import Tensor


class Immutable:
    """Hands out copies: a tensor read from a public attribute can be written to without harm.

    What is kept under a name with a leading underscore is handed out as it is, for the package's
    own inner loops.
    """

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        return value.clone() if isinstance(value, Tensor) and name[0] != "_" else value
