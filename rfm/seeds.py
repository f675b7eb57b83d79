"""Explicit randomness: nothing in the package touches torch's global generator."""

from __future__ import annotations

import torch

Seed = int | torch.Generator


def generator(seed: Seed) -> torch.Generator:
    """A generator for an integer seed; a generator is returned as it is, to be drawn from."""
    return seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)


def tell(seed: Seed) -> str:
    """The seed in words, for the record of a run."""
    if isinstance(seed, torch.Generator):
        return f"generator of seed {seed.initial_seed()}"
    return f"seed {seed}"
