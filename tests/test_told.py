"""What an error says, whole: which argument was wrong, what is allowed, and what was given."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable

import pandas as pd
import pytest
import torch

import rfm
from rfm.kernels import metric
from rfm.run import Interrupted, RunError
from rfm.solve import SingularKernelError, factorise

ADD, TIMES = rfm.addition(5), rfm.multiplication(7)
SPLIT, OTHER = rfm.withhold(ADD, torch.tensor([[0, 1]])), rfm.random_split(TIMES, 0.5, 0)
G, EYE, X = rfm.Gaussian(), torch.eye(10, dtype=torch.float64), torch.tensor([[0, 1], [2, 3]])
ALPHA = torch.ones(2, 5, dtype=torch.float64)
FACTOR = factorise(torch.eye(2, dtype=torch.float64))
LENGTH = "positive, a number from 1e-150 to 1e+150"
KIND = torch.zeros(25, dtype=torch.uint8)
LIKE = (
    "α must be a tensor of shape (N, c), N = 2 > 0, with the dtype and device of M, "
    "torch.float64 on cpu"
)


class Flat(rfm.RadialKernel):
    def profile(self, u: torch.Tensor) -> torch.Tensor:
        return u[0]

    def __repr__(self) -> str:
        return "Flat()"


class Wordy(Flat):
    def profile(self, u: torch.Tensor) -> str:
        return "one"


# What is called, and what it says.
SAID: list[tuple[Callable[[], object], str]] = [
    # kernels
    (lambda: rfm.Gaussian(0), f"bandwidth must be {LENGTH}, not 0"),
    (lambda: rfm.Gaussian(1e151), f"bandwidth must be {LENGTH}, not 1e+151"),
    (lambda: rfm.Gaussian.as_printed("1"), f"L must be {LENGTH}, not '1'"),
    (lambda: rfm.Matern(0), f"bandwidth must be {LENGTH}, not 0"),
    (lambda: rfm.Matern(1, "2.5"), "smoothness must be 1.5 or 2.5, not '2.5'"),
    (lambda: rfm.Matern(1, 0.5), "smoothness must be 1.5 or 2.5, not 0.5"),
    (lambda: rfm.Matern(1, -1), "smoothness must be 1.5 or 2.5, not -1"),
    (lambda: metric("M"), "M must be a floating-point square matrix, not str"),
    (
        lambda: metric(torch.eye(3)),
        "M must be a (2n, 2n) matrix of float64 or float32, not (torch.float32, (3, 3))",
    ),
    (
        lambda: metric(torch.eye(4).half()),
        "M must be a (2n, 2n) matrix of float64 or float32, not (torch.float16, (4, 4))",
    ),
    (
        lambda: G.gram(X, X[0], EYE),
        "a kernel needs lists of pairs, of shapes (N, 2) and (N′, 2)",
    ),
    (
        lambda: G.gram(X[0], X, EYE),
        "a kernel needs lists of pairs, of shapes (N, 2) and (N′, 2)",
    ),
    (lambda: G.weights(X, X + 3, EYE), "positions in a pair must lie in 0, …, 4"),
    (lambda: G.gradient_products(X, ALPHA, EYE, 1), "centred must be True or False, not 1"),
    (lambda: G.gradient_products(X, [1.0], EYE, True), LIKE),
    (lambda: G.gradient_products(X, ALPHA[0], EYE, True), LIKE),
    (lambda: G.gradient_products(X, ALPHA.float(), EYE, True), LIKE),
    (lambda: G.gradient_products(X, ALPHA[:1], EYE, True), LIKE),
    (lambda: G.gradient_products(X[:0], ALPHA[:0], EYE, True), LIKE.replace("N = 2", "N = 0")),
    (
        lambda: Flat().gram(X, X[:1], EYE),
        "Flat() must return a tensor like its argument, torch.float64 (2, 1), not "
        "torch.float64 (1,)",
    ),
    (
        lambda: Wordy().gram(X, X[:1], EYE),
        "Flat() must return a tensor like its argument, torch.float64 (2, 1), not one",
    ),
    (
        lambda: Flat().weights(X, X[:1], EYE),
        "a profile must return a tensor of the shape of its argument, (1, 1), not (1,)",
    ),
    # solving, and the machine
    (lambda: FACTOR.solve([1.0]), "Y must be a matrix of 2 rows with the dtype and device of L"),
    (
        lambda: FACTOR.solve(ALPHA[:, 0]),
        "Y must be a matrix of 2 rows with the dtype and device of L",
    ),
    (
        lambda: FACTOR.solve(ALPHA[:1]),
        "Y must be a matrix of 2 rows with the dtype and device of L",
    ),
    (
        lambda: FACTOR.solve(ALPHA.float()),
        "Y must be a matrix of 2 rows with the dtype and device of L",
    ),
    (lambda: factorise(EYE, -1), "ridge must be a finite number of at least 0, not -1"),
    (
        lambda: factorise("K"),
        "K must be a square float64 or float32 matrix, not (<class 'str'>, ())",
    ),
    (
        lambda: factorise(torch.eye(2).half()),
        "K must be a square float64 or float32 matrix, not (torch.float16, (2, 2))",
    ),
    (
        lambda: factorise(ALPHA),
        "K must be a square float64 or float32 matrix, not (torch.float64, (2, 5))",
    ),
    (
        lambda: factorise(ALPHA[0]),
        "K must be a square float64 or float32 matrix, not (torch.float64, (5,))",
    ),
    (
        lambda: factorise(EYE[:0, :0]),
        "K must be a square float64 or float32 matrix, not (torch.float64, (0, 0))",
    ),
    (
        lambda: factorise(EYE, out=ALPHA),
        "out must be a square float64 or float32 matrix, not (torch.float64, (2, 5))",
    ),
    (lambda: factorise(EYE, out=EYE[:2, :2]), "out must be a matrix of K's size, without gradient"),
    (
        lambda: factorise(EYE.clone().requires_grad_()),
        "K must be a matrix of K's size, without gradient",
    ),
    (
        lambda: factorise(EYE.to("meta")),
        "K must be an ordinary tensor with values, neither meta nor sparse",
    ),
    (
        lambda: factorise(EYE.clone(), out=EYE.to("meta")),
        "out must be an ordinary tensor with values, neither meta nor sparse",
    ),
    (lambda: rfm.KernelMachine.fit(X, ALPHA, "k", EYE), "kernel must be a Kernel, not str"),
    (
        lambda: rfm.KernelMachine.fit(X, [1], G, EYE),
        "targets must be a matrix with one row for each training pair",
    ),
    (
        lambda: rfm.KernelMachine.fit(X, ALPHA[0], G, EYE),
        "targets must be a matrix with one row for each training pair",
    ),
    (
        lambda: rfm.KernelMachine.fit(X, ALPHA[:1], G, EYE),
        "targets must be a matrix with one row for each training pair",
    ),
    (
        lambda: rfm.KernelMachine.fit(X, ALPHA.float(), G, EYE),
        "targets must have the dtype of M, not torch.float32",
    ),
    (
        lambda: rfm.KernelMachine.fit(X + 2, ALPHA, G, EYE),
        "positions in a pair must lie in 0, …, 4",
    ),
    (
        lambda: rfm.KernelMachine.fit(X, ALPHA, G, EYE).predict(X + 2),
        "positions in a pair must lie in 0, …, 4",
    ),
    # runs
    (lambda: rfm.fit("split", G), "split must be a Split, not str"),
    (lambda: rfm.fit(SPLIT, rfm.Gaussian), "kernel must be a Kernel, not the class Gaussian"),
    (lambda: rfm.fit(SPLIT, G, 0), "iterations must be an integer from 1 to 1000000000, not 0"),
    (
        lambda: rfm.fit(SPLIT, G, 10**9 + 1),
        "iterations must be an integer from 1 to 1000000000, not 1000000001",
    ),
    (
        lambda: rfm.fit(SPLIT, G, 1, ridge=-1),
        "ridge must be a finite number of at least 0, not -1",
    ),
    (lambda: rfm.fit(SPLIT, G, 1, power=0), "power must be a positive finite number, not 0"),
    (lambda: rfm.fit(SPLIT, G, 1, power=-1), "power must be a positive finite number, not -1"),
    *(
        (
            lambda name=name: rfm.fit(SPLIT, G, 1, **{name: 1}),
            f"{name} must be True or False, not 1",
        )
        for name in ("centred", "progress", "keep_features", "warn", "translations")
    ),
    (
        lambda: rfm.fit(SPLIT, G, 1, M0=EYE.clone().requires_grad_()),
        "M0 must be a plain tensor without gradient: give M0.detach()",
    ),
    (
        lambda: rfm.fit(SPLIT, G, 1, M0=EYE[:4, :4]),
        "M0 must be a floating-point (10, 10) matrix, not torch.float64 (4, 4)",
    ),
    (
        lambda: rfm.fit(SPLIT, G, 1, M0=0 * EYE),
        "M0 must be positive semi-definite and not zero, but it is zero",
    ),
    (
        lambda: rfm.fit(SPLIT, G, 1, M0=torch.diag(torch.tensor([2.0] * 9 + [-0.5]))),
        "M0 must be positive semi-definite and not zero, but its eigenvalues run from -0.5 to 2",
    ),
    (
        lambda: rfm.fit(SPLIT, G, 1, device="meta", translations=True),
        "device must be auto, cpu or cuda, not meta",
    ),
    # symmetries
    (lambda: rfm.Symmetry("task", 0, True), "a symmetry is one of a Task, not of 'task'"),
    (lambda: rfm.Symmetry(ADD, 5, True), "k must be an integer from 0 to 4, not 5"),
    (lambda: rfm.Symmetry(ADD, -1, True), "k must be an integer from 0 to 4, not -1"),
    (lambda: rfm.Symmetry(ADD, 0, 1), "reflects must be True or False, not 1"),
    (
        lambda: ADD.identity * TIMES.identity,
        "cannot compose symmetries of x + y mod 5 and x × y mod 7",
    ),
    (lambda: ADD.identity.matrix("float64"), "dtype must be a dtype, not str"),
    # subgroups
    (lambda: rfm.Subgroup("g"), "elements must be a sequence, not 'g'"),
    (lambda: rfm.Subgroup(()), "one or more symmetries are needed"),
    (lambda: rfm.Subgroup((1,)), "each element must be a Symmetry, not int"),
    (
        lambda: rfm.Subgroup((ADD.identity, TIMES.identity)),
        "symmetries of x + y mod 5 and x × y mod 7 do not go together",
    ),
    (
        lambda: rfm.Subgroup((ADD.identity, ADD.rotation(1))),
        "these 2 symmetries are not closed under multiplication; generate() makes the subgroup "
        "that they generate",
    ),
    (
        lambda: rfm.generate(),
        "a subgroup needs at least one generator; use task.identity for {id}",
    ),
    (lambda: rfm.orbits("g", X), "generators must be a sequence, not 'g'"),
    (lambda: rfm.orbits([], X), "one or more symmetries are needed"),
    # splits
    (lambda: rfm.Split(ADD, SPLIT.kind, history=3), "history must be a sequence, not 3"),
    (lambda: rfm.Split("t", KIND), "task must be a TableTask, not str"),
    (lambda: rfm.Split(ADD, KIND[1:]), "kind must be a uint8 tensor of shape (25,): 25 kinds"),
    (lambda: rfm.Split(ADD, KIND + 4), "kind must hold numbers from 0 to 3, not 4"),
    (lambda: rfm.Split(ADD, KIND), "this would leave no test points out of 25 samples"),
    (lambda: rfm.Split(ADD, KIND + 1), "this would leave no training points out of 25 samples"),
    (lambda: rfm.Split(ADD, SPLIT.kind, "s"), "mirrors must be a sequence, not 's'"),
    (lambda: rfm.Split(ADD, SPLIT.kind, (), "s"), "history must be a sequence, not 's'"),
    (lambda: rfm.Split(ADD, SPLIT.kind, (1,)), "each mirror must be a Symmetry, not int"),
    (
        lambda: rfm.Split(ADD, SPLIT.kind, (ADD.identity,)),
        "a mirror must be a reflection of x + y mod 5, not id of x + y mod 5",
    ),
    (
        lambda: SPLIT.move_mirror_pairs(1, TIMES.reflection(3), 0),
        "the mirror of pairs must be a reflection of x + y mod 5, not sr^3 of x × y mod 7",
    ),
    (lambda: SPLIT.move_mirror_pairs(1, 3, 0), "mirror must be a Symmetry, not int"),
    (
        lambda: SPLIT.move_mirror_pairs(99, ADD.reflection(2), 0),
        "asked for 99 of 9 pairs mirrored by sr^2 in training",
    ),
    (lambda: SPLIT.of_kind(4), "kind must be an integer from 0 to 3, not 4"),
    (lambda: SPLIT.move(torch.tensor([0, 1])), "the pair (0, 1) is not in training"),
    (lambda: SPLIT.give_back(torch.tensor([1, 1])), "the pair (1, 1) is not a withheld point"),
    (lambda: SPLIT.move_random(25, 0), "asked for 25 of 24 training points"),
    (lambda: SPLIT.move_random(-1, 0), "count must be an integer of at least 0, not -1"),
    (lambda: SPLIT.give_back_random(2, 0), "asked for 2 of 1 withheld points"),
    (lambda: SPLIT.alike("s"), "other must be a Split, not str"),
    (lambda: SPLIT.kept_by("H"), "subgroup must be a Subgroup, not str"),
    (
        lambda: SPLIT.kept_by(rfm.generate(TIMES.identity)),
        "a subgroup for x × y mod 7 does not act on a split of x + y mod 5",
    ),
    (lambda: rfm.random_split("t", 0.5, 0), "task must be a TableTask, not str"),
    *(
        (
            lambda fraction=fraction: rfm.random_split(ADD, fraction, 0),
            "fraction must be a number between 0 and 1 that leaves some of 25 samples on either "
            f"side, not {fraction!r}",
        )
        for fraction in ("0.5", 2, 0.01, 0.99)
    ),
    (lambda: rfm.withhold("t", X), "task must be a TableTask, not str"),
    (lambda: rfm.stabiliser("s"), "split must be a Split, not str"),
    # decompositions
    (lambda: rfm.decompose(EYE, "t"), "task must be a Task, not str"),
    (
        lambda: rfm.decompose(EYE[:4, :4], ADD),
        "the feature matrix for x + y mod 5 must be a floating-point (10, 10) matrix, not "
        "torch.float64 (4, 4)",
    ),
    *(
        (
            lambda false_alarms=false_alarms: rfm.decompose(EYE, ADD, false_alarms),
            f"false_alarms must {verb} between 0 and 1, not {false_alarms!r}",
        )
        for verb, false_alarms in (("be", -0.1), ("be", 1.1), ("lie", 0), ("lie", 1))
    ),
    (lambda: rfm.decompose(EYE, ADD, 0.1, 2), "share must be between 0 and 1, not 2"),
    (lambda: rfm.decompose(EYE, ADD, 0.1, -1), "share must be between 0 and 1, not -1"),
]


@pytest.mark.parametrize(("call", "said"), SAID, ids=[said[:60] for _, said in SAID])
def test_an_error_says_what_was_wrong(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        call()


def test_a_matrix_that_cannot_be_factorised_is_told_with_its_size() -> None:
    for K, said in (
        (torch.zeros(3, 3), "kernel matrix of size 3 has vanished: its mean diagonal is 0.0e+00"),
        (
            torch.full((2, 2), torch.nan),
            "kernel matrix of size 2 has entries that are not finite; the features have overflowed "
            "or a kernel parameter is out of range",
        ),
        (
            torch.tensor([[1.0, 2.0], [2.0, 1.0]]),
            "kernel matrix of size 2 is singular even with 1e-02 of its mean diagonal added; use a "
            "larger ridge, or double precision",
        ),
    ):
        with pytest.raises(SingularKernelError) as error:
            factorise(K)
        assert str(error.value) == said


RUN = rfm.Run(
    *(SPLIT, pd.DataFrame({"iteration": [1, 2]}), EYE, pd.DataFrame(), torch.ones(2, 1)),
    *((0.1, 0.1), {}, "all iterations done"),
)


def test_a_run_without_history_has_none_and_does_not_show_it() -> None:
    assert RUN.history == ()
    assert "history" not in repr(RUN)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RunError("no more", 3, RUN), "iteration 3: no more; .run holds the 2 finished"),
        (RunError("at once", 1, None), "iteration 1: at once"),
        (Interrupted(RUN), "interrupted after 2 iterations, which .run holds"),
    ],
)
def test_what_ends_a_run_says_so_and_travels_whole(error: BaseException, said: str) -> None:
    assert str(error) == said
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(again) == said
        assert type(again) is type(error)
        assert (again.run is None) == (error.run is None)
        if isinstance(error, RunError):
            assert (again.reason, again.iteration) == (error.reason, error.iteration)


AXES = [ADD.reflection(k).fixed_points() for k in (0, 2)]
AXIS = rfm.withhold(ADD, AXES[1])
MADE: list[tuple[Callable[[], rfm.Split], str]] = [
    (lambda: rfm.random_split(ADD, 0.5, 3), "50% in training at random (seed 3)"),
    (
        lambda: rfm.random_split(ADD, 0.125, torch.Generator().manual_seed(1)),
        "12.5% in training at random (generator of seed 1)",
    ),
    (lambda: rfm.random_split(ADD, 0.9, 0).move_random(0, 4), "moved 0 at random (seed 4)"),
    (lambda: AXIS, "withheld Fix(sr^2)"),
    (lambda: rfm.withhold(ADD, torch.cat(AXES)), "withheld fixed points of s, sr^2"),
    (lambda: rfm.withhold(ADD, torch.cat([AXES[0], AXES[1][:1]])), "withheld 6 points"),
    (lambda: rfm.withhold(ADD, ADD.samples[3]), "withheld (0, 3)"),
    (lambda: rfm.withhold(ADD, ADD.samples[:4]), "withheld (0, 0), (0, 1), (0, 2), (0, 3)"),
    (lambda: rfm.withhold(ADD, ADD.samples[:5]), "withheld 5 points"),
    (lambda: AXIS.move(AXIS.train[0]), "moved (0, 0)"),
    (lambda: AXIS.move(AXIS.train[:4]), "moved (0, 0), (0, 1), (0, 3), (0, 4)"),
    (lambda: AXIS.move(AXIS.train[:5]), "moved 5 given"),
    (lambda: AXIS.move(AXIS.train[:0]), "moved 0 given"),
    (lambda: AXIS.move_random(2, 7), "moved 2 at random (seed 7)"),
    (
        lambda: AXIS.move_mirror_pairs(2, ADD.reflection(1), 9),
        "moved 2 pairs mirrored by sr^1 at random (seed 9)",
    ),
    (lambda: AXIS.give_back(AXIS.test[:2]), "gave (0, 2), (1, 3) back"),
    (
        lambda: rfm.withhold(ADD, torch.cat(AXES)).give_back(torch.cat(AXES)[:5]),
        "gave 5 given back",
    ),
    (lambda: AXIS.give_back_random(3, 0), "gave 3 back at random (seed 0)"),
]


@pytest.mark.parametrize(("make", "said"), MADE, ids=[said for _, said in MADE])
def test_a_split_says_how_it_was_made(make: Callable[[], rfm.Split], said: str) -> None:
    split = make()
    assert split.history[-1] == said
    sizes = f"{len(split.train)} in training, {len(split.test)} in test"
    assert repr(split) == f"x + y mod 5: {sizes} ({'; '.join(split.history)})"


def test_splits_are_alike_by_task_and_training_points() -> None:
    again = rfm.random_split(ADD, 0.5, 1)
    kind = again.kind.clone()
    kind[kind == rfm.splits.Kind.RANDOM] = rfm.splits.Kind.MOVED
    assert again.alike(rfm.Split(ADD, kind))
    assert not again.alike(rfm.random_split(ADD, 0.5, 2))
    assert not again.alike(rfm.Split(rfm.subtraction(5), again.kind))
