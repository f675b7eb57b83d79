"""How much is worked on at a time: what stays in a processor's cache, or what fills a GPU."""

from __future__ import annotations

import torch

SAMPLES = 128  # on a CPU: samples handled at a time, temporaries near the cache
VALUES = 2**18  # on a CPU: kernel values worked on at a time, so that all passes stay in the cache
# A GPU is slow on little: each piece costs some launches, whatever its size.
GRADIENTS_ON_GPU = 2**25  # numbers of the gradients held at a time, 256 MB in double precision
VALUES_ON_GPU = 2**26  # kernel values worked on at a time


def samples_at_a_time(n: int, device: torch.device) -> int:
    """How many samples' gradients are held at a time, 2n² numbers each."""
    if device.type == "cpu":
        return SAMPLES
    return max(SAMPLES, GRADIENTS_ON_GPU // (2 * n * n))


def rows_at_a_time(width: int, device: torch.device) -> int:
    """How many rows of so many kernel values are worked on at a time."""
    return max(1, (VALUES if device.type == "cpu" else VALUES_ON_GPU) // max(1, width))
