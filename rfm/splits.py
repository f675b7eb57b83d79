"""Splits of a task's samples into training and test, each test point knowing why it is one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import IntEnum
from functools import cached_property

import torch
from torch import Tensor

from rfm.arguments import instance, integer, members, real, row
from rfm.immutable import Immutable
from rfm.products import TableTask
from rfm.seeds import Seed, generator, tell
from rfm.subgroups import Subgroup, generate, keepers
from rfm.symmetry import Symmetry
from rfm.tasks import Task, abelian_task

FEW = 4  # so many pairs are named in the history of a split; more are counted


class Kind(IntEnum):
    """Why a sample is where it is."""

    TRAIN = 0
    RANDOM = 1  # test, drawn at random from the whole table
    WITHHELD = 2  # test, withheld as part of a chosen set
    MOVED = 3  # test, moved out of training afterwards


@dataclass(frozen=True, eq=False)
class Split(Immutable):
    """A partition of the n² samples of a task. Immutable: every change returns a new split.

    Make one by :func:`random_split` or :func:`withhold`.

    Attributes:
        task: the task.
        kind: (n²,) uint8, a :class:`Kind` for each sample.
        mirrors: the reflections whose fixed points were all withheld.
        history: how the split was made, one entry a step, seeds included.
        labels: (n²,) int64, the label that each sample has if it is in training; None where that is
            the task's for all of them. Test points are always judged by the task's.

    Raises:
        ValueError: if ``kind`` or ``labels`` is not such a tensor, there is no training or no test
            point, or a mirror is not a reflection of the task.
    """

    task: TableTask
    kind: Tensor = field(repr=False)
    mirrors: tuple[Symmetry, ...] = ()
    history: tuple[str, ...] = ()
    labels: Tensor | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        instance(self.task, TableTask, "task")
        total = self.task.n**2
        kind = row(object.__getattribute__(self, "kind"), total, torch.uint8, "kind", "kinds")
        if int(kind.max()) > max(Kind):
            raise ValueError(f"kind must hold numbers from 0 to {max(Kind)}, not {int(kind.max())}")
        train = int((kind == Kind.TRAIN).sum())
        if not 0 < train < total:
            which = "training" if train == 0 else "test"
            raise ValueError(f"this would leave no {which} points out of {total} samples")
        mirrors, history = members(self.mirrors, "mirrors"), members(self.history, "history")
        for g in mirrors:
            instance(g, Symmetry, "each mirror")
            _reflection(g, self.task, "a mirror")
        if self.labels is not None:
            labels = row(self.labels, total, torch.int64, "labels", "labels")
            if not 0 <= int(labels.min()) <= int(labels.max()) < self.task.n:
                raise ValueError(f"labels must be positions from 0 to {self.task.n - 1}")
            object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "mirrors", mirrors)
        object.__setattr__(self, "history", tuple(map(str, history)))

    @cached_property
    def train(self) -> Tensor:
        """Training pairs, (N, 2) int64, in table order."""
        return self.of_kind(Kind.TRAIN)

    @cached_property
    def test(self) -> Tensor:
        """Test pairs of every kind, (N_test, 2) int64, in table order."""
        return self.task.samples[self.kind != Kind.TRAIN]

    @cached_property
    def test_kind(self) -> Tensor:
        """Kind of each test pair, (N_test,) uint8."""
        return self.kind[self.kind != Kind.TRAIN]

    @cached_property
    def train_labels(self) -> Tensor:
        """Labels of the training pairs, (N,) int64, as the machine is told them."""
        labels = self.task.labels if self.labels is None else self.labels
        return labels[self.kind == Kind.TRAIN]

    @cached_property
    def flipped(self) -> Tensor:
        """Which training pairs have another label than the task's, (N,) bool."""
        return self.train_labels != self.task.label(self.train)

    def of_kind(self, kind: Kind) -> Tensor:
        """The pairs of one kind, (m, 2) int64, in table order.

        Raises:
            ValueError: if ``kind`` is no :class:`Kind`.
        """
        return self.task.samples[self.kind == integer(kind, "kind", 0, max(Kind))]

    def move(self, pairs: Tensor) -> Split:
        """Move given training points, (m, 2) or a single pair (2,), to the test set.

        Raises:
            ValueError: if a pair is not in training, or nothing would be left there.
        """
        pairs = self.task.listed(pairs)
        return self._move(pairs, f"moved {_named(self.task, pairs, 'given')}")

    def move_random(self, count: int, seed: Seed) -> Split:
        """Move ``count`` training points, drawn at random, to the test set.

        Raises:
            ValueError: if ``count`` is not an integer from 0 on, or there are not more training
                points than that.
        """
        chosen = _draw(self.train, count, seed, "training points")
        return self._move(chosen, f"moved {count} at random ({tell(seed)})")

    def move_mirror_pairs(self, count: int, mirror: Symmetry, seed: Seed) -> Split:
        """Move ``count`` pairs {x, g(x)}, drawn at random, from training to the test set.

        Args:
            count: number of mirror pairs; 2·count points move.
            mirror: the reflection g; both x and g(x) ≠ x must be in training.
            seed: an integer or a generator.

        Raises:
            ValueError: if ``mirror`` is not a reflection of this task, or there are fewer such
                pairs in training.
        """
        instance(mirror, Symmetry, "mirror")
        _reflection(mirror, self.task, "the mirror of pairs")
        image = mirror.on_samples()
        i = torch.arange(len(image))
        both = (self.kind == Kind.TRAIN) & (self.kind[image] == Kind.TRAIN)
        candidates = self.task.samples[both & (i < image)]
        chosen = _draw(candidates, count, seed, f"pairs mirrored by {mirror!r} in training")
        step = f"moved {count} pairs mirrored by {mirror!r} at random ({tell(seed)})"
        return self._move(torch.cat([chosen, mirror(chosen)]), step)

    def give_back(self, pairs: Tensor) -> Split:
        """Give withheld points, (m, 2) or a single pair (2,), back to training.

        Raises:
            ValueError: if a pair is not a withheld one, or no test point would be left.
        """
        pairs = self.task.listed(pairs)
        return self._give_back(pairs, f"gave {_named(self.task, pairs, 'given')} back")

    def give_back_random(self, count: int, seed: Seed) -> Split:
        """Give ``count`` withheld points, drawn at random, back to training.

        Raises:
            ValueError: if fewer are withheld, or no test point would be left.
        """
        withheld = self.of_kind(Kind.WITHHELD)
        chosen = _draw(withheld, count, seed, "withheld points")
        return self._give_back(chosen, f"gave {count} back at random ({tell(seed)})")

    def flip_labels(self, fraction: float, seed: Seed) -> Split:
        """Give round(fraction · N) training points another label each; points and labels are drawn.

        Raises:
            ValueError: if ``fraction`` is no number from 0 to 1, or the seed none.
        """
        fraction = real(fraction, "fraction", "a number from 0 to 1", 0, 1)
        dice, n, N = generator(seed), self.task.n, len(self.train)
        chosen = self.train[torch.randperm(N, generator=dice)[: round(fraction * N)]]
        labels, places = self.task.labels, self.task.index(chosen)
        labels = labels if self.labels is None else self.labels
        labels[places] = (labels[places] + torch.randint(1, n, (len(places),), generator=dice)) % n
        step = f"{_percent(fraction)} of training labels flipped ({tell(seed)})"
        return replace(self, labels=labels, history=(*self.history, step))

    def alike(self, other: Split) -> bool:
        """Whether another split has the same task, the same training points and labels."""
        instance(other, Split, "other")
        same = self.task == other.task and torch.equal(self.train, other.train)
        return same and torch.equal(self.train_labels, other.train_labels)

    def kept_by(self, subgroup: Subgroup) -> bool:
        """Whether each element of a subgroup of Dih(A) maps the training set to itself.

        Raises:
            ValueError: if the subgroup belongs to another task.
        """
        return _of(subgroup, self.task).keeps(self.train)

    def reached_by(self, subgroup: Subgroup) -> Tensor:
        """Which test points lie in the orbit of the training set under a subgroup, (N_test,) bool.

        Raises:
            ValueError: if the subgroup belongs to another task.
        """
        return _of(subgroup, self.task).orbit(self.train)[self.task.index(self.test)]

    def reached_by_orbits(self) -> Tensor | None:
        """Which test points an orbit-only model gets right, (N_test,) bool.

        Such a model has learned nothing but the group H generated by the withheld reflections: it
        is right on exactly the orbit of the training set under H. None where no reflection was
        withheld.
        """
        return self.reached_by(generate(*self.mirrors)) if self.mirrors else None

    def orbit_baseline(self) -> float | None:
        """Test accuracy of the orbit-only model (:meth:`reached_by_orbits`), or None."""
        reached = self.reached_by_orbits()
        return None if reached is None else float(reached.double().mean())

    def _move(self, pairs: Tensor, step: str) -> Split:
        return self._change(pairs, Kind.TRAIN, Kind.MOVED, step)

    def _give_back(self, pairs: Tensor, step: str) -> Split:
        return self._change(pairs, Kind.WITHHELD, Kind.TRAIN, step)

    def _change(self, pairs: Tensor, before: Kind, after: Kind, step: str) -> Split:
        chosen = self.task.index(pairs)
        wrong = self.kind[chosen] != before
        if wrong.any():
            a, b = pairs[wrong][0].tolist()
            raise ValueError(
                f"the pair ({self.task.element(a)}, {self.task.element(b)}) is not "
                f"{'in training' if before is Kind.TRAIN else 'a withheld point'}"
            )
        kind = self.kind.clone()
        kind[chosen] = after
        return replace(self, kind=kind, history=(*self.history, step))

    def __repr__(self) -> str:
        return (
            f"{self.task}: {len(self.train)} in training, {len(self.test)} in test"
            f" ({'; '.join(self.history)})"
        )


def random_split(task: TableTask, fraction: float, seed: Seed) -> Split:
    """Draw round(fraction · n²) training samples at random; the rest is the test set.

    Raises:
        ValueError: if one of the two sets would be empty, or an argument is of the wrong type.
    """
    instance(task, TableTask, "task")
    total = task.n**2
    allowed = f"a number between 0 and 1 that leaves some of {total} samples on either side"
    fraction = real(fraction, "fraction", allowed, 0, 1)
    count = round(fraction * total)
    if not 0 < count < total:
        raise ValueError(f"fraction must be {allowed}, not {fraction}")
    kind = torch.full((total,), Kind.RANDOM, dtype=torch.uint8)
    kind[torch.randperm(total, generator=generator(seed))[:count]] = Kind.TRAIN
    step = f"{_percent(fraction)} in training at random ({tell(seed)})"
    return Split(task, kind, history=(step,))


def withhold(task: TableTask, pairs: Tensor) -> Split:
    """Train on all samples but the given ones, (m, 2) or a single pair (2,).

    Raises:
        ValueError: if no pair is given, they are all samples of the task, or not pairs of
            positions.
    """
    instance(task, TableTask, "task")
    pairs = task.listed(pairs)
    kind = torch.full((task.n**2,), Kind.TRAIN, dtype=torch.uint8)
    kind[task.index(pairs)] = Kind.WITHHELD
    mirrors = _whole_axes(task, pairs) if isinstance(task, Task) else ()
    if len(pairs) != len(mirrors) * task.n:
        what = _named(task, pairs, "points")
    elif len(mirrors) == 1:
        what = f"Fix({mirrors[0]!r})"
    else:
        what = "fixed points of " + ", ".join(map(repr, mirrors))
    return Split(task, kind, mirrors, (f"withheld {what}",))


def stabiliser(split: Split) -> Subgroup:
    """All elements of Dih(A) that map the training set to itself: its setwise stabiliser.

    They do the same with the test set.

    Raises:
        ValueError: if ``split`` is not a split.
    """
    instance(split, Split, "split")
    return keepers(abelian_task(split.task, "a stabiliser in Dih(A)"), split.train)


def _percent(fraction: float) -> str:
    """A share exactly as it was given, and 50% for 0.5."""
    return f"{Decimal(repr(fraction)).scaleb(2):f}%"


def _whole_axes(task: Task, pairs: Tensor) -> tuple[Symmetry, ...]:
    """The reflections all of whose fixed points are among some different pairs."""
    per_mirror = torch.bincount(task.mirror(pairs), minlength=task.n)
    return tuple(g for g in task.reflections if per_mirror[g.k] == task.n)


def _named(task: TableTask, pairs: Tensor, what: str) -> str:
    """A few pairs as a reader writes them; of more, how many."""
    if not 0 < len(pairs) <= FEW:
        return f"{len(pairs)} {what}"
    return ", ".join(f"({task.element(a)}, {task.element(b)})" for a, b in pairs.tolist())


def _of(subgroup: Subgroup, task: TableTask) -> Subgroup:
    """The subgroup, after making sure that it acts on the samples of a task."""
    instance(subgroup, Subgroup, "subgroup")
    if subgroup.task != task:
        raise ValueError(f"a subgroup for {subgroup.task} does not act on a split of {task}")
    return subgroup


def _reflection(g: Symmetry, task: TableTask, what: str) -> None:
    if not g.reflects or g.task != task:
        raise ValueError(f"{what} must be a reflection of {task}, not {g!r} of {g.task}")


def _draw(candidates: Tensor, count: int, seed: Seed, what: str) -> Tensor:
    count = integer(count, "count", 0)
    if count > len(candidates):
        raise ValueError(f"asked for {count} of {len(candidates)} {what}")
    order = torch.randperm(len(candidates), generator=generator(seed))
    return candidates[order[:count]]
