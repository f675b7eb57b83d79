"""Feature matrices as sums of group elements: M ≈ Σ c_g Π(g), and which g stand out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import pandas as pd
import torch
from torch import Tensor

from rfm.arguments import instance, real, square
from rfm.immutable import Immutable
from rfm.prediction import Prediction, predict
from rfm.splits import Split
from rfm.subgroups import Subgroup, generate
from rfm.symmetry import Symmetry
from rfm.tasks import Task

DRAWS = 20_000  # samples of pure background from which a threshold is read off


@dataclass(frozen=True, eq=False)
class Decomposition(Immutable):
    """A feature matrix projected on the span of the Π(g), g ∈ Dih(A); :func:`decompose` makes one.

    The supports of the Π(g) do not overlap, so the projection needs one mean for each g:

        c_g = ⟨M, Π(g)⟩ / 2n .

    Attributes:
        task: the task.
        coefficients: (2n,) float64, c_g in the order of ``task.symmetries``, rotations first.
        residual: ‖M − Σ c_g Π(g)‖_F / ‖M‖_F, the share of M that no group element accounts for.
        background: (2,) float64, the common level of rotations and that of reflections.
        stands_out: (2n,) bool, by the rule of :func:`decompose`.
    """

    task: Task
    coefficients: Tensor = field(repr=False)
    residual: float
    background: Tensor = field(repr=False)
    stands_out: Tensor = field(repr=False)

    @cached_property
    def deviations(self) -> Tensor:
        """(2n,) float64, c_g less the background of its kind."""
        return self.coefficients - self.background.repeat_interleave(self.task.n)

    @property
    def elements(self) -> tuple[Symmetry, ...]:
        """The elements that stand out, rotations first."""
        return self._where(self.stands_out)

    @property
    def above(self) -> tuple[Symmetry, ...]:
        """Those that stand out above the background."""
        return self._where(self.stands_out & (self.deviations > 0))

    @property
    def below(self) -> tuple[Symmetry, ...]:
        """Those that stand out below the background."""
        return self._where(self.stands_out & (self.deviations < 0))

    @property
    def collapsed(self) -> tuple[Symmetry, ...]:
        """The reflections that stand out below, on whose axes M shortens the samples.

        For a sample x on the axis of sr^k, xᵀMx contains the coefficient of sr^k twice. In a trap
        these are the reflections whose fixed points were withheld.
        """
        return tuple(g for g in self.below if g.reflects)

    @cached_property
    def group(self) -> Subgroup:
        """The subgroup of Dih(A) that the elements generate; {id} if there are none."""
        return generate(self.task.identity, *self.elements)

    def predict(self, split: Split) -> Prediction:
        """The test points in the orbit of the training set under the group: :func:`rfm.predict`.

        Raises:
            ValueError: if the split belongs to another task.
        """
        return predict(self.group, split)

    def projection(self) -> Tensor:
        """Σ c_g Π(g), (2n, 2n) float64: the nearest matrix to M in the span."""
        return self.coefficients[carriers(self.task)]

    def encoded(self) -> Tensor:
        """Σ (c_g − background) Π(g) over the elements that stand out, (2n, 2n) float64."""
        return (self.deviations * self.stands_out)[carriers(self.task)]

    def table(self) -> pd.DataFrame:
        """One row an element of Dih(A): its coefficient, deviation, and whether it stands out."""
        return pd.DataFrame(
            {
                "element": [g.name for g in self.task.symmetries],
                "coefficient": self.coefficients.numpy(),
                "deviation": self.deviations.numpy(),
                "stands_out": self.stands_out.numpy(),
            }
        ).set_index("element")

    def _where(self, chosen: Tensor) -> tuple[Symmetry, ...]:
        return tuple(self.task.symmetries[i] for i in torch.nonzero(chosen).flatten().tolist())


def decompose(
    M: Tensor, task: Task, false_alarms: float = 0.01, share: float = 0.1
) -> Decomposition:
    """Project a feature matrix on Dih(A) and find the elements that stand out.

    The rule, for rotations and reflections apart:

    1. More than half of them are background. Of all halves take the one whose coefficients lie
       closest together; the middle of its range is the background, half its width the spread.
    2. An element stands out if it is farther from the background, in units of the spread, than the
       farthest of as many normal variates would be in all but a share ``false_alarms`` of cases,
    3. and its deviation is at least a share ``share`` of the largest in M. That of the identity is
       left out here, since every metric has a diagonal.

    M is symmetric, so r^k and its inverse have one coefficient, which counts once in 1 and 2. The
    identity is judged by the background of the other rotations. Where only two or fewer values are
    left of a kind, as of the rotations of Z_5, none of it is judged. What differs by less than the
    square root of the machine precision of M, relative to its largest coefficient, is equal.

    Args:
        M: (2n, 2n) symmetric; any floating-point dtype.
        task: the task it was learned on.
        false_alarms: between 0 and 1; for each of the two kinds.
        share: from 0 to 1.

    Raises:
        ValueError: if M is not a symmetric matrix of finite numbers with that shape, or an option
            lies out of its range.
    """
    instance(task, Task, "task")
    M = square(M, f"the feature matrix for {task}", task.dimension)
    if not 0 < real(false_alarms, "false_alarms", "between 0 and 1", 0, 1) < 1:
        raise ValueError(f"false_alarms must lie between 0 and 1, not {false_alarms!r}")
    share = real(share, "share", "between 0 and 1", 0, 1)
    n, which, M64 = task.n, carriers(task), M.cpu().double()
    M64 = (M64 + M64.T) / 2
    sums = torch.zeros(2 * n, dtype=torch.float64)
    coefficients = sums.index_add(0, which.flatten(), M64.flatten()) / task.dimension
    largest = M64.abs().max()  # divided by, so that no square over- or underflows
    rest, whole = (M64 - coefficients[which]) / largest, M64 / largest
    residual = float(rest.norm() / whole.norm()) if largest > 0 else 0.0
    smallest = torch.finfo(M.dtype).eps ** 0.5 * float(coefficients.abs().max())

    k, e = torch.arange(n), task.group.identity
    once = k[(k <= task.group.inverses) & (k != e)]  # of r^k and its inverse one, and not id
    levels, limits = [], []
    for values in (coefficients[once], coefficients[n:]):
        rounded = (values / smallest).round() * smallest if smallest else values
        level, spread = background(rounded)
        levels.append(level)
        distance = threshold(len(values), false_alarms)
        limits.append(distance * float(spread) if distance < math.inf else math.inf)
    deviations = (coefficients - torch.stack(levels).repeat_interleave(n)).abs()
    others = torch.arange(2 * n) != e
    limit = torch.tensor(limits, dtype=torch.float64).repeat_interleave(n).clamp(min=smallest)
    matters = ~others | (deviations >= share * deviations[others].max())
    stands_out = (deviations > limit) & matters
    return Decomposition(task, coefficients, residual, torch.stack(levels), stands_out)


def background(values: Tensor) -> tuple[Tensor, Tensor]:
    """Middle and half-width of the shortest interval that holds half of some values.

    Both are exact as long as more than half of the values are equal, whatever the others are; the
    shortest half is Rousseeuw's least-median-of-squares estimate in one dimension.

    Args:
        values: (..., m), m ≥ 1; every row is a case of its own.

    Returns:
        The two, each of shape (...).
    """
    ordered = values.sort(dim=-1).values
    half = (ordered.shape[-1] + 1) // 2
    low, high = ordered[..., : ordered.shape[-1] - half + 1], ordered[..., half - 1 :]
    width, first = (high - low).min(dim=-1, keepdim=True)
    return (low.gather(-1, first) + width / 2).squeeze(-1), width.squeeze(-1) / 2


@lru_cache
def threshold(m: int, false_alarms: float) -> float:
    """How far, in spreads, the farthest of m normal variates lies in all but a share of cases.

    Read off ``DRAWS`` samples with a fixed seed. Half of two values is one, which has no spread:
    for m ≤ 2 the distance is infinite, and nothing can stand out.
    """
    if m <= 2:
        return math.inf
    normal = torch.randn(DRAWS, m, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    level, spread = background(normal)
    farthest = (normal - level[:, None]).abs().amax(1) / spread
    return float(torch.quantile(farthest, 1 - false_alarms))


@lru_cache(maxsize=4)
def carriers(task: Task) -> Tensor:
    """(2n, 2n) int64: which element g, by its place in ``task.symmetries``, has Π(g)_ij = 1.

    There is exactly one for each entry, since the supports of all Π(g) cover the matrix once.
    """
    columns = torch.arange(task.dimension)
    which = torch.empty(task.dimension, task.dimension, dtype=torch.int64)
    for place, g in enumerate(task.symmetries):
        which[g.coordinates(), columns] = place
    return which
