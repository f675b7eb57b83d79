"""Starts that differ in their last digits, to tell what rounding decides."""

from __future__ import annotations

import torch
from torch import Tensor

NUDGE, SINGLE = 1e-13, 1e-6  # of the largest entry; of each coordinate, in single precision


def nudged(M0: Tensor, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """A symmetric matrix (d, d) changed by about 1e-13 of its largest entry.

    A run in single precision would not see that: for one the coordinates are scaled by some 1e-6.
    """
    M0, drawn = M0.double(), torch.Generator().manual_seed(seed)
    noise = torch.randn(M0.shape, generator=drawn, dtype=torch.float64)
    if dtype == torch.float32:
        scale = 1 + SINGLE * noise.diagonal()
        return scale * M0 * scale[:, None]
    return M0 + NUDGE * M0.abs().max() * (noise + noise.T)
