"""How much of a table lies between the stripes of a group, and how likely noise has so much."""

from __future__ import annotations

import math

import torch
from sympy import factorint
from sympy.functions.combinatorial.numbers import partition
from torch import Tensor

from rfm.arguments import integer, real
from rfm.finite import LARGEST


def between(C: Tensor, stripes: Tensor) -> float:
    """The share of the variance of a table that lies between n stripes of n cells each, 0 to 1.

    Args:
        C: (n, n) with mean 0 and variance 1, :func:`rfm.matching.standardised`.
        stripes: (n, n) int64, the number of each cell's stripe, 0 to n − 1.
    """
    n = len(C)
    sums = torch.zeros(n, dtype=C.dtype).index_add(0, stripes.flatten(), C.flatten())
    return min(1.0, float((sums / n).square().mean()))


def chance(n: int, share: float) -> float:
    """log10 of a bound on how likely noise is to have so large a share between stripes.

    The noise is an (n, n) table of independent normal entries with one mean and variance, and the
    stripes are those of *any* Abelian group of order n, with any names of rows and columns. There
    are at most (n!/n)² ways to draw the stripes of one group. In each, the share has the beta
    distribution with a = (n−1)/2 and b = (n²−n)/2, whose mean is μ = 1/(n+1), and for x > μ

        P(share ≥ x) ≤ (x/μ)^a ((1−x)/(1−μ))^b .

    Args:
        n: the order, from 2 to 4096.
        share: x, from 0 to 1; the share of the variance that is between stripes.

    Returns:
        A number that is not positive; minus infinity for a share of 1.

    Raises:
        ValueError: for other numbers.
    """
    n = integer(n, "n", 2, LARGEST)
    x = real(share, "share", "between 0 and 1", 0, 1)
    a, b, μ = (n - 1) / 2, (n * n - n) / 2, 1 / (n + 1)
    if x <= μ:
        return 0.0
    if x == 1:
        return -math.inf
    groups = math.prod(int(partition(m)) for m in factorint(n).values())  # len(rfm.abelian(n))
    ways = math.log(groups) + 2 * (math.lgamma(n + 1) - math.log(n))
    tail = a * math.log(x / μ) + b * math.log((1 - x) / (1 - μ))
    return min(0.0, (ways + tail) / math.log(10))
