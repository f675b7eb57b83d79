"""Explicit randomness: nothing in the package touches torch's global generator."""

from __future__ import annotations

import torch

Seed = int | torch.Generator


def generator(seed: Seed) -> torch.Generator:
    """A generator for an integer seed; a generator is returned as it is, to be drawn from.

    Raises:
        ValueError: if the seed is neither.
    """
    if isinstance(seed, torch.Generator):
        return seed
    if not isinstance(seed, int):
        raise ValueError(f"a seed must be an integer or a torch.Generator, not {seed!r}")
    return torch.Generator().manual_seed(seed)


def tell(seed: Seed) -> str:
    """The seed in words, for the record of a run."""
    if isinstance(seed, torch.Generator):
        return f"generator of seed {seed.initial_seed()}"
    return f"seed {seed}"
