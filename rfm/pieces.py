"""How much is worked on at a time: what stays in a processor's cache, or what fills a GPU."""

from __future__ import annotations

import torch

SAMPLES = 128  # on a CPU: samples handled at a time, temporaries near the cache
VALUES = 2**18  # on a CPU: kernel values worked on at a time, so that all passes stay in the cache
OUTPUTS = 16  # on a CPU: outputs handled at a time by a closed form
# A GPU is slow on little: each piece costs some launches, whatever its size. So the pieces are
# large there, these shares of its memory.
GRADIENTS_ON_GPU = 1 / 64  # the gradients held at a time; their temporaries take five times that
VALUES_ON_GPU = 1 / 128  # the kernel values worked on at a time
UNSEEN = 16 * 10**9  # bytes that a GPU is taken to have if it is not there


def numbers(share: float, device: torch.device) -> int:
    """How many numbers in double precision fit in a share of a GPU's memory."""
    there = device.type == "cuda" and torch.cuda.is_available()
    memory = torch.cuda.get_device_properties(device).total_memory if there else UNSEEN
    return int(share * memory) // 8


def samples_at_a_time(n: int, device: torch.device) -> int:
    """How many samples' gradients are held at a time, 2n² numbers each."""
    if device.type == "cpu":
        return SAMPLES
    return max(SAMPLES, numbers(GRADIENTS_ON_GPU, device) // (2 * n * n))


def outputs_at_a_time(n: int, device: torch.device) -> int:
    """How many outputs are handled at a time by a closed form, (2n)² numbers each."""
    if device.type == "cpu":
        return OUTPUTS
    return max(OUTPUTS, numbers(GRADIENTS_ON_GPU, device) // (4 * n * n))


def rows_at_a_time(width: int, device: torch.device) -> int:
    """How many rows of so many kernel values are worked on at a time."""
    values = VALUES if device.type == "cpu" else numbers(VALUES_ON_GPU, device)
    return max(1, values // max(1, width))
