"""Explicit randomness: nothing in the package touches torch's global generator."""

from __future__ import annotations

import torch

from rfm.arguments import integer

Seed = int | torch.Generator
RANGE = 0, 2**64 - 1  # of integer seeds


def generator(seed: Seed) -> torch.Generator:
    """A generator for an integer seed; a generator is returned as it is, to be drawn from.

    Raises:
        ValueError: if the seed is neither, or no integer from 0 to 2⁶⁴ − 1, or the generator draws
            on another device than the CPU.
    """
    if isinstance(seed, torch.Generator):
        if seed.device.type != "cpu":
            raise ValueError(f"a seed's generator must draw on the CPU, not on {seed.device}")
        return seed
    return torch.Generator().manual_seed(integer(seed, "a seed that is no torch.Generator", *RANGE))


def tell(seed: Seed) -> str:
    """The seed in words, for the record of a run. Raises ValueError as :func:`generator`."""
    if isinstance(seed, torch.Generator):
        return f"generator of seed {seed.initial_seed()}"
    return f"seed {integer(seed, 'a seed that is no torch.Generator', *RANGE)}"
