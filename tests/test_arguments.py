"""What constructors and functions refuse, what they accept of NumPy, and what stays unchanged."""

from __future__ import annotations

import copy
import dataclasses
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
import torch

import rfm
from rfm import figures

T = rfm.addition(5)
SPLIT = rfm.random_split(T, 0.5, 0)
G = rfm.Gaussian()
RUN = rfm.fit(SPLIT, G, 2, keep_features=True)
EYE = torch.eye(10, dtype=torch.float64)
S3 = rfm.symmetric(3)
Z5 = T.group
POSITIONS = torch.arange(5)

Call = Callable[[], object]


def refused(call: Call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# ------------------------------------------------------------------------------ pairs, everywhere

TAKES_PAIRS: dict[str, Callable[[object], object]] = {
    "label": T.label,
    "index": T.index,
    "mirror": T.mirror,
    "listed": T.listed,
    "one_hot": T.one_hot,
    "one_hot_labels": T.one_hot_labels,
    "symmetry": T.reflection(1),
    "equivalence": next(rfm.equivalences(T)),
    "withhold": lambda pairs: rfm.withhold(T, pairs),
    "move": SPLIT.move,
    "give_back": rfm.withhold(T, T.reflection(0).fixed_points()).give_back,
    "orbits": lambda pairs: rfm.orbits([T.reflection(0)], pairs),
    "keeps": rfm.generate(T.reflection(0)).keeps,
    "orbit": rfm.generate(T.reflection(0)).orbit,
    "gram": lambda pairs: G.gram(pairs, SPLIT.train, EYE),
    "weights": lambda pairs: G.weights(SPLIT.train, pairs, EYE),
    "held out": lambda pairs: rfm.HeldOut(T, pairs, 1),
    "predict": rfm.KernelMachine.fit(SPLIT.train, T.one_hot_labels(SPLIT.train), G, EYE).predict,
}
NO_PAIRS = {
    "transposed": SPLIT.train.T,
    "a flat list": SPLIT.train.flatten(),
    "three columns": torch.zeros(4, 3, dtype=torch.int64),
    "three dimensions": T.samples.reshape(5, 5, 2),
    "floats": SPLIT.train.double(),
    "int32": SPLIT.train.int(),
    "bools": torch.ones(3, 2, dtype=torch.bool),
    "too large": torch.tensor([[0, 5]]),
    "negative": torch.tensor([[-1, 0]]),
    "nothing with values": torch.zeros(3, 2, dtype=torch.int64, device="meta"),
    "a text": "ab",
    "None": None,
    "ragged": [[0, 1], [2]],
    "huge": [[0, 2**70]],
}


@pytest.mark.parametrize("pairs", NO_PAIRS.values(), ids=NO_PAIRS)
@pytest.mark.parametrize("takes", TAKES_PAIRS.values(), ids=TAKES_PAIRS)
def test_what_are_no_pairs_is_refused_wherever_pairs_are_taken(takes, pairs) -> None:
    refused(lambda: takes(pairs), "pair|one sample or two")


def test_transposed_axes_do_not_withhold_another_axis() -> None:
    axis = T.reflection(0).fixed_points()
    assert rfm.withhold(T, axis).mirrors == (T.reflection(0),)
    refused(lambda: rfm.withhold(T, axis.T), r"shape \(2, 5\)")


# ----------------------------------------------------------------------------- what is constructed

ONES = torch.full((25,), 1, dtype=torch.uint8)
WRONG = {
    "a logarithm that is no bijection": (
        lambda: rfm.Group((5,), torch.tensor([0, 1, 1, 3, 4]), range(5), "Z"),
        "bijection",
    ),
    "a logarithm of floats": (lambda: rfm.Group((5,), torch.arange(5.0), range(5), "Z"), "int64"),
    "a logarithm out of range": (lambda: rfm.Group((5,), POSITIONS + 1, range(5), "Z"), "from 0"),
    "a logarithm that is no homomorphism": (
        lambda: rfm.Group((4,), torch.arange(4), (1, 2, 3, 4), "U", law=lambda a, b: a * b % 5),
        "no homomorphism: by it 2 ⋆ 2 is 3, by the law it is 4",
    ),
    "values that repeat": (
        lambda: rfm.Group((5,), POSITIONS, (0, 1, 1, 3, 4), "Z"),
        "as many different values",
    ),
    "too few values": (lambda: rfm.Group((5,), POSITIONS, range(4), "Z"), "as many different"),
    "values that are no integers": (lambda: rfm.Group((2,), POSITIONS[:2], "ab", "Z"), "sequence"),
    "no moduli": (lambda: rfm.Group((), POSITIONS[:1], (0,), "Z"), "moduli"),
    "a modulus of one": (lambda: rfm.Group((5, 1), POSITIONS, range(5), "Z"), "at least 2"),
    "a group without name": (lambda: rfm.Group((5,), POSITIONS, range(5), None), "name"),
    "a group too large": (lambda: rfm.cyclic(2**40), "product up to"),
    "a huge prime": (lambda: rfm.multiplication(2**61 - 1), "odd prime"),
    "a twist that is no involution": (
        lambda: rfm.Task(Z5, torch.tensor([0, 2, 4, 1, 3]), "+", "5"),
        "involution",
    ),
    "a twist that is no homomorphism": (
        lambda: rfm.Task(Z5, torch.tensor([1, 0, 2, 3, 4]), "+", "5"),
        "no homomorphism",
    ),
    "a twist of another size": (lambda: rfm.Task(Z5, torch.arange(6), "+", "5"), "5 positions"),
    "a task without group": (lambda: rfm.Task(None, POSITIONS, "+", "5"), "group must be a Group"),
    "a symbol that is no text": (lambda: rfm.Task(Z5, POSITIONS, 1, "5"), "symbol must be a str"),
    "a symmetry out of range": (lambda: rfm.Symmetry(T, 5, True), "k must be an integer from 0"),
    "a symmetry that may reflect": (lambda: rfm.Symmetry(T, 1, 1), "reflects must be True or"),
    "a symmetry of nothing": (lambda: rfm.Symmetry(None, 1, True), "one of a Task"),
    "an automorphism that is none": (
        lambda: rfm.Equivalence(T, torch.tensor([1, 0, 2, 3, 4]), 0, 0, False),
        "no automorphism",
    ),
    "an automorphism that is constant": (
        lambda: rfm.Equivalence(T, torch.zeros(5, dtype=torch.int64), 0, 0, False),
        "no automorphism",
    ),
    "a translation out of range": (
        lambda: rfm.Equivalence(T, POSITIONS, 5, 0, False),
        "s must be an integer from 0 to 4",
    ),
    "a subgroup that is not closed": (lambda: rfm.Subgroup((T.rotation(1),)), "not closed"),
    "a subgroup without the identity": (lambda: rfm.Subgroup((T.reflection(0),)), "not closed"),
    "half a coset": (
        lambda: rfm.Subgroup((*T.rotations, T.reflection(0))),
        "not closed",
    ),
    "a subgroup of nothing": (lambda: rfm.Subgroup(()), "one or more symmetries"),
    "a subgroup of two tasks": (
        lambda: rfm.Subgroup((T.identity, rfm.subtraction(5).identity)),
        "do not go together",
    ),
    "a split with no test point": (lambda: rfm.Split(T, 0 * ONES), "no test points"),
    "a split with no training point": (lambda: rfm.Split(T, ONES), "no training points"),
    "a kind that there is not": (lambda: rfm.Split(T, 7 * ONES), "from 0 to 3, not 7"),
    "kinds of another size": (lambda: rfm.Split(T, ONES[:9]), r"shape \(25,\)"),
    "kinds of another type": (lambda: rfm.Split(T, ONES.long()), "uint8"),
    "a mirror that is none": (
        lambda: rfm.Split(T, SPLIT.kind, (T.rotation(1),)),
        "must be a reflection",
    ),
    "a split of no task": (
        lambda: rfm.random_split(Z5, 0.5, 0),
        "task must be a TableTask, not Group",
    ),
    "held out without size": (lambda: rfm.HeldOut(T, T.samples[:1], 0), "size must be"),
    "a prediction of another length": (
        lambda: rfm.Prediction(SPLIT, torch.ones(3, dtype=torch.bool)),
        "one for each test point",
    ),
    "a prediction that is no bool": (
        lambda: rfm.Prediction(SPLIT, torch.ones(len(SPLIT.test))),
        "bool tensor",
    ),
    "a run of another split": (
        lambda: figures.split_table(rfm.random_split(T, 0.5, 1), RUN),
        "of another split",
    ),
    "a mirror of another task": (
        lambda: figures.split_table(SPLIT, mirrors=[rfm.addition(7).reflection(0)]),
        "mirrors must be reflections",
    ),
    "a position that is none": (lambda: T.element(-1), "a position must be"),
    "positions to multiply that are none": (
        lambda: Z5.multiply(torch.tensor([-1]), 0),
        "positions must lie in 0, …, 4",
    ),
    "a matrix of another size": (lambda: T.by_logarithm(torch.eye(4)), "matrix is needed"),
    "a commutator of nothing": (lambda: rfm.commutators(0 * EYE, T), "must not be zero"),
    "features that are not finite": (
        lambda: rfm.alignment(EYE / 0.0, EYE),
        "not finite",
    ),
    "targets of another size": (
        lambda: rfm.KernelMachine.fit(SPLIT.train, T.one_hot_labels(SPLIT.test), G, EYE),
        "one row for each training pair",
    ),
    "a metric of another type": (
        lambda: rfm.KernelMachine.fit(SPLIT.train, T.one_hot_labels(SPLIT.train), G, EYE.float()),
        "dtype of M",
    ),
    "a negative ridge": (lambda: rfm.factorise(EYE.clone(), -1.0), "ridge must be a finite"),
    "a matrix that is not square": (lambda: rfm.factorise(EYE[:3]), "square"),
    "a power of nothing": (lambda: rfm.matrix_power(EYE / 0.0, 0.5), "not finite"),
    "a tolerance that is none": (lambda: rfm.converged(0), "tolerance must be"),
    "a smoothness that is none": (lambda: rfm.Matern(smoothness=2), "1.5 or 2.5"),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused_where_it_is_made(call: Call, message: str) -> None:
    refused(call, message)


@pytest.mark.parametrize(
    "bandwidth", [1e-154, 1e-170, 1e155, float("inf"), float("nan"), 0, -1, True, None, "2", 1j]
)
@pytest.mark.parametrize("kernel", [rfm.Gaussian, rfm.Laplace, rfm.Matern, rfm.Gaussian.as_printed])
def test_a_bandwidth_is_a_number_whose_square_is_one(kernel, bandwidth) -> None:
    refused(lambda: kernel(bandwidth), "must be positive, a number from 1e-150 to")


NO_SEEDS = (True, 1.5, "3", None, -1, 2**64, np.bool_(True), torch.tensor(1.0))


@pytest.mark.parametrize("seed", NO_SEEDS, ids=repr)
def test_what_is_no_seed_is_refused_by_name(seed) -> None:
    trap = rfm.withhold(T, T.reflection(0).fixed_points())
    for call in (
        lambda: rfm.random_split(T, 0.5, seed),
        lambda: SPLIT.move_random(1, seed),
        lambda: trap.move_mirror_pairs(1, T.reflection(0), seed),
        lambda: trap.give_back_random(1, seed),
        lambda: rfm.random_circulant_features(T, seed),
    ):
        refused(call, "a seed")


FIT = {
    "a split that is a task": ({"split": T}, "split must be a Split, not Task"),
    "no kernel": ({"kernel": None}, "kernel must be a Kernel, not NoneType"),
    "a kernel's class": ({"kernel": rfm.Gaussian}, "kernel must be a Kernel, not the class"),
    "a start that wants a gradient": ({"M0": EYE.clone().requires_grad_()}, "M0 must be a plain"),
    "a start that is a parameter": ({"M0": torch.nn.Parameter(EYE)}, "M0 must be a plain tensor"),
    "a complex start": ({"M0": EYE + 1j}, "M0 must be a floating-point"),
    "a start without values": ({"M0": EYE.to("meta")}, "M0 must be an ordinary tensor"),
    "a rule that is a number": ({"stop": 5}, "stop must be a rule"),
    "a rule's class": ({"stop": rfm.converged}, r"did you mean converged\(\)"),
    "a device without values": ({"device": "meta"}, "device must be"),
    "centring by a number": ({"centred": 1}, "centred must be True or False"),
    "progress by a text": ({"progress": "yes"}, "progress must be True or False"),
    "a ridge that is a bool": ({"ridge": True}, "ridge must be a finite number"),
    "a ridge too large": ({"ridge": 10**400}, "ridge must be a finite number"),
    "iterations of a bool": ({"iterations": np.bool_(True)}, "iterations must be an integer"),
}


@pytest.mark.parametrize(("wrong", "message"), FIT.values(), ids=FIT)
def test_a_run_refuses_by_name_and_before_any_work(wrong, message, monkeypatch) -> None:
    monkeypatch.setattr(rfm.recursion.KernelMachine, "fit", None)
    refused(lambda: rfm.fit(**{"split": SPLIT, "kernel": G, "iterations": 2} | wrong), message)


# --------------------------------------------------------------------------------- what is accepted


def test_integers_of_numpy_are_integers() -> None:
    three = np.int64(3)
    assert rfm.addition(np.int64(7), np.uint8(3)) == rfm.addition(7, 3)
    assert rfm.multiplication(np.int32(7)) == rfm.multiplication(7)
    assert rfm.abelian(np.int64(8)) == rfm.abelian(8)
    assert torch.equal(T.pair(three, np.array(1)), T.pair(3, 1))
    assert rfm.addition(3, 5).reflection((np.int64(2), 3)) == rfm.addition(3, 5).reflection((2, 3))
    assert rfm.Symmetry(T, torch.tensor(3), np.bool_(True)) == T.reflection(3)
    assert torch.equal(rfm.random_split(T, 0.5, three).kind, rfm.random_split(T, 0.5, 3).kind)
    assert SPLIT.move_random(three, three).history == SPLIT.move_random(3, 3).history
    assert len(rfm.fit(SPLIT, G, iterations=three, ridge=np.float32(0.5)).table) == 3
    assert type(rfm.fit(SPLIT, G, three).settings["iterations"]) is int
    assert rfm.Gaussian(np.float64(2.5)) == rfm.Gaussian(2.5)
    assert repr(rfm.Gaussian(np.float64(2.5))) == "Gaussian(bandwidth=2.5)"
    assert rfm.random_split(T, Fraction(1, 2), 0).history == SPLIT.history


def test_pairs_of_numpy_and_of_lists_are_pairs() -> None:
    for pairs in ([[0, 1], [2, 3]], np.array([[0, 1], [2, 3]])):
        assert T.label(pairs).tolist() == [1, 0]
        assert rfm.withhold(T, pairs).history == ("withheld (0, 1), (2, 3)",)


@pytest.mark.parametrize(
    ("fraction", "told"),
    [(0.5, "50%"), (0.501, "50.1%"), (0.504, "50.4%"), (0.999, "99.9%"), (0.1, "10%")],
)
def test_a_fraction_is_told_exactly(fraction: float, told: str) -> None:
    (step,) = rfm.random_split(rfm.addition(31), fraction, 0).history
    assert step == f"{told} in training at random (seed 0)"


def test_a_third_is_told_to_its_last_digit() -> None:
    (step,) = rfm.random_split(T, 1 / 3, 0).history
    assert float(step.split("%")[0]) / 100 == pytest.approx(1 / 3, abs=1e-16)


def test_a_law_that_agrees_is_accepted() -> None:
    powers = [pow(3, i, 7) for i in range(6)]
    logarithm = torch.tensor([powers.index(x) for x in range(1, 7)])
    group = rfm.Group((6,), logarithm, range(1, 7), "Z_7^×", law=lambda a, b: a * b % 7)
    assert group == rfm.units(7)


# ------------------------------------------------------------------------------------- equal or not


def test_tasks_differ_by_their_twist_and_groups_by_their_logarithm() -> None:
    twisted = rfm.Task(Z5, Z5.inverses, "+", "5")
    assert twisted.name == T.name
    assert twisted != T
    refused(lambda: twisted.rotation(1) * T.rotation(1), "cannot compose")
    assert rfm.Task(Z5, POSITIONS, "+", "5") == T
    assert hash(rfm.Task(Z5, POSITIONS, "+", "5")) == hash(T)
    other = rfm.Group((5,), torch.tensor([0, 2, 4, 1, 3]), range(5), "Z_5")
    assert other != Z5
    assert rfm.Group((2, 3), torch.arange(6), range(6), "Z") != rfm.Group(
        (6,), torch.arange(6), range(6), "Z"
    )


def test_features_are_decomposed_for_the_task_that_is_meant() -> None:
    """Two tasks that differ in nothing but the twist do not share what is cached by task."""
    twisted = rfm.Task(Z5, Z5.inverses, "+", "5")
    for task in (T, twisted, T):
        g = task.reflection(2)
        parts = rfm.decompose(g.matrix() + torch.eye(10), task)
        assert g in parts.elements
        assert parts.residual < 1e-12


# --------------------------------------------------------------------------- unchanged, and movable

PUBLIC = {
    "group": (Z5, ("logarithm", "table", "inverses", "orders")),
    "task": (T, ("twist", "samples", "labels", "logarithm")),
    "split": (SPLIT, ("kind", "train", "test", "test_kind")),
    "equivalence": (next(rfm.equivalences(T)), ("automorphism",)),
    "held out": (rfm.single_classes(T)[0], ("representative",)),
    "decomposition": (
        rfm.decompose(RUN.features, T),
        ("coefficients", "background", "stands_out", "deviations"),
    ),
    "prediction": (rfm.predict(rfm.generate(T.reflection(0)), SPLIT), ("right",)),
    "run": (RUN, ("features", "right")),
}


@pytest.mark.parametrize(("thing", "names"), PUBLIC.values(), ids=PUBLIC)
def test_what_is_handed_out_can_be_written_to_without_harm(thing, names) -> None:
    for name in names:
        before = getattr(thing, name).clone()
        getattr(thing, name).fill_(1)
        getattr(thing, name).zero_()
        assert torch.equal(getattr(thing, name), before), name


def test_what_is_put_in_can_be_written_to_without_harm() -> None:
    kind, twist, right = SPLIT.kind, T.twist, torch.ones(len(SPLIT.test), dtype=torch.bool)
    split, task = rfm.Split(T, kind), rfm.Task(Z5, twist, "+", "5")
    prediction = rfm.Prediction(SPLIT, right)
    kind.fill_(0), twist.fill_(0), right.fill_(False)
    assert torch.equal(split.kind, SPLIT.kind)
    assert torch.equal(task.twist, T.twist)
    assert prediction.right.all()


def test_the_last_features_are_not_those_of_the_history() -> None:
    RUN.features.zero_()
    assert RUN.history[-1].any()
    assert torch.equal(RUN.history[-1], RUN.features)


MOVABLE = {
    "Group": Z5,
    "Task": T,
    "FiniteGroup": S3,
    "TableTask": rfm.composition(S3),
    "Renaming": rfm.Renaming(rfm.composition(S3), torch.arange(6), 1, 2, True),
    "CharacterTable": rfm.characters(S3),
    "IsotypicParts": rfm.isotypic(
        torch.arange(12.0).outer(torch.arange(12.0)), rfm.composition(S3)
    ),
    "Search": rfm.search(SPLIT, G, 2),
    "Symmetry": T.reflection(1),
    "Subgroup": rfm.generate(T.reflection(1)),
    "Split": SPLIT,
    "Equivalence": next(rfm.equivalences(T)),
    "HeldOut": rfm.pair_classes(T)[0],
    "Run": RUN,
    "Decomposition": rfm.decompose(RUN.features, T),
    "Prediction": rfm.predict(rfm.generate(T.reflection(0)), SPLIT),
    "KernelMachine": rfm.KernelMachine.fit(SPLIT.train, T.one_hot_labels(SPLIT.train), G, EYE),
    "Factor": rfm.factorise(EYE.clone()),
    "Gaussian": G,
    "Laplace": rfm.Laplace(),
    "Matern": rfm.Matern(),
    "Quadratic": rfm.Quadratic(),
    "converged": rfm.converged(1e-3),
    "direction_converged": rfm.direction_converged(1e-3),
    "Setting": rfm.Setting(SPLIT, G, {"iterations": 2}, {"a": 1}),
    "Interrupted": rfm.Interrupted(RUN),
    "RunError": rfm.RunError("why", 3, RUN),
    "RunError without rows": rfm.RunError("why", 1, None),
    "FourNumbers": rfm.FourNumbers(7, 0.5, 1.5),
    "SingularKernelError": rfm.SingularKernelError("why"),
    "JitterWarning": rfm.JitterWarning("why"),
}


def content(thing: object) -> object:
    """What a thing holds, as plain values."""
    if isinstance(thing, torch.Tensor):
        return thing.tolist()
    if isinstance(thing, BaseException):
        return str(thing), [content(one) for one in thing.args]
    if isinstance(thing, tuple | list):
        return [content(one) for one in thing]
    if hasattr(thing, "to_csv"):
        return thing.to_csv()
    if isinstance(thing, rfm.FiniteGroup):
        return thing.name, thing.values, thing.table.tolist(), getattr(thing, "moduli", ())
    if dataclasses.is_dataclass(thing):
        names = [field.name for field in dataclasses.fields(thing)]
        return {name: content(getattr(thing, name)) for name in names}
    return repr(thing)


@pytest.mark.parametrize("thing", MOVABLE.values(), ids=MOVABLE)
def test_everything_public_survives_pickling_and_copying(thing) -> None:
    expected = content(thing)
    for moved in (pickle.loads(pickle.dumps(thing)), copy.copy(thing), copy.deepcopy(thing)):
        assert type(moved) is type(thing)
        assert content(moved) == expected


def test_public_classes_are_all_tried_for_pickling() -> None:
    tried = {type(thing).__name__ for thing in MOVABLE.values()}
    classes = {name for name in rfm.__all__ if isinstance(getattr(rfm, name), type)}
    abstract = {"Kernel", "RadialKernel", "InnerProductKernel", "Kind"}
    assert classes - abstract - tried - {"SweepError", "SweepWarning"} == set()


def interrupted() -> None:
    raise rfm.Interrupted(RUN)


def test_an_interrupt_crosses_a_process_boundary() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as pool, pytest.raises(rfm.Interrupted) as caught:
        pool.submit(interrupted).result(timeout=120)
    assert len(caught.value.run.table) == 2
