"""What errors of groups, tasks and the theory of the trap say, whole: see `test_told`."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

import rfm
from rfm.equivalence import Equivalence, HeldOut, automorphisms, equivalences, single_classes
from rfm.prediction import Prediction, predict
from rfm.reduced import FourNumbers, reduced
from rfm.spectral import matrix_power
from rfm.starts import averaged, entry_orbits, symmetrised, wishart
from rfm.translations import Translations
from rfm.two_spectra import Midpoints, TwoSpectra, sign_patterns

ADD, TIMES = rfm.addition(5), rfm.multiplication(7)
Z5 = ADD.group
EYE = torch.eye(10, dtype=torch.float64)
MID = Midpoints(ADD.reflection(2))
ONE = torch.ones(3, dtype=torch.float64)
SPLIT = rfm.withhold(ADD, torch.tensor([[0, 1]]))
FEW = "one or more moduli of at least 2 are needed, with a product up to 4096"
ORDER = torch.arange(2)

SAID: list[tuple[Callable[[], object], str]] = [
    # groups
    (lambda: rfm.Group(3, ORDER, (0, 1), "g"), "moduli must be a sequence, not 3"),
    (
        lambda: rfm.Group((1,), ORDER, (0, 1), "g"),
        "a modulus must be an integer of at least 2, not 1",
    ),
    (
        lambda: rfm.Group((), ORDER, (0, 1), "g"),
        "the moduli must be one or more with a product up to 4096",
    ),
    (
        lambda: rfm.Group((4097,), ORDER, (0, 1), "g"),
        "the moduli must be one or more with a product up to 4096",
    ),
    (
        lambda: rfm.Group((2,), [0, 1], (0, 1), "g"),
        "the logarithm must be an int64 tensor of shape (2,): 2 positions",
    ),
    (
        lambda: rfm.Group((2,), ORDER + 1, (0, 1), "g"),
        "the logarithm must hold positions from 0 to 1",
    ),
    (
        lambda: rfm.Group((2,), 0 * ORDER, (0, 1), "g"),
        "the logarithm must be a bijection: it takes a number twice",
    ),
    (lambda: rfm.Group((2,), ORDER, 3, "g"), "values must be a sequence, not 3"),
    (lambda: rfm.Group((2,), ORDER, (0, 0.5), "g"), "a residue must be an integer, not 0.5"),
    (
        lambda: rfm.Group((2,), ORDER, ((0, 0), (0, "1")), "g"),
        "a residue must be an integer, not '1'",
    ),
    (
        lambda: rfm.Group((2,), ORDER, (0, 0), "g"),
        "a group of order 2 needs as many different values, not 1 among 2",
    ),
    (
        lambda: rfm.Group((2,), ORDER, (0, 1, 2), "g"),
        "a group of order 2 needs as many different values, not 3 among 3",
    ),
    (lambda: rfm.Group((2,), ORDER, (0, 1), ""), "the name of a group must be a text, not ''"),
    (lambda: rfm.Group((2,), ORDER, (0, 1), 3), "the name of a group must be a text, not 3"),
    (
        lambda: rfm.Group((2,), ORDER, (0, 1), "g", 3),
        "the law must be a function of two values, not 3",
    ),
    (
        lambda: rfm.Group((2,), ORDER, (0, 1), "g", lambda x, y: max(x, y)),
        "the logarithm is no homomorphism: by it 1 ⋆ 1 is 0, by the law it is 1",
    ),
    (lambda: rfm.cyclic(), FEW),
    (lambda: rfm.cyclic(64, 65), FEW),
    (lambda: rfm.cyclic(1), "a modulus must be an integer of at least 2, not 1"),
    (
        lambda: rfm.multiplication(2),
        "the odd prime modulus of multiplication and division must be an integer from 3 to 4096, "
        "not 2",
    ),
    (
        lambda: rfm.division(9),
        "multiplication and division need an odd prime modulus, not 9",
    ),
    (
        lambda: Z5.multiply(torch.arange(2), torch.arange(3)),
        "positions of shapes (2,) and (3,) do not go together",
    ),
    (lambda: Z5.multiply(5, 0), "a position must be an integer from 0 to 4, not 5"),
    (lambda: Z5.multiply(0, -1), "a position must be an integer from 0 to 4, not -1"),
    (lambda: Z5.inverse(torch.tensor([5])), "positions must lie in 0, …, 4"),
    (lambda: Z5.inverse(torch.tensor([-1])), "positions must lie in 0, …, 4"),
    (
        lambda: Z5.inverse(torch.tensor([1.0])),
        "positions must be int64, not torch.float32 on cpu",
    ),
    (
        lambda: Z5.inverse(torch.arange(2, device="meta")),
        "positions must be int64, not torch.int64 on meta",
    ),
    (
        lambda: Z5.position(5),
        "5 is not an element of Z_5; its elements are 0, 1, …, 4",
    ),
    (
        lambda: TIMES.group.position("1"),
        "'1' is not an element of Z_7^×; its elements are 1, 2, …, 6",
    ),
    # tasks
    (lambda: rfm.Task("g", ORDER, "+", "2"), "group must be a Group, not str"),
    (lambda: rfm.Task(Z5, torch.arange(5), 1, "5"), "symbol must be a str, not int"),
    (lambda: rfm.Task(Z5, torch.arange(5), "+", 5), "modulus must be a str, not int"),
    (
        lambda: rfm.Task(Z5, ORDER, "+", "5"),
        "the twist must be an int64 tensor of shape (5,): 5 positions",
    ),
    (
        lambda: rfm.Task(Z5, torch.arange(5).roll(1), "+", "5"),
        "the twist must be an involution, and twice applied it moves elements",
    ),
    (
        lambda: rfm.Task(Z5, torch.tensor([1, 0, 2, 3, 4]), "+", "5"),
        "the twist is no homomorphism of Z_5",
    ),
    (lambda: ADD.one_hot(ADD.samples, "f"), "dtype must be a dtype, not str"),
    (lambda: ADD.one_hot_labels(ADD.samples, "f"), "dtype must be a dtype, not str"),
    (lambda: ADD.element(5), "a position must be an integer from 0 to 4, not 5"),
    (lambda: ADD.element(-1), "a position must be an integer from 0 to 4, not -1"),
    (lambda: ADD.by_logarithm(torch.eye(4)), "a (10, 10) matrix is needed"),
    (lambda: ADD.by_logarithm([[1]]), "a (10, 10) matrix is needed"),
    # what held-out samples are equivalent
    (lambda: automorphisms("g"), "group must be a FiniteGroup, not str"),
    (
        lambda: automorphisms(rfm.cyclic(*[2] * 6)),
        "Z_2 × Z_2 × Z_2 × Z_2 × Z_2 × Z_2 has 68719476736 candidates for an automorphism; at most "
        "156250 are tried",
    ),
    (
        lambda: Equivalence("t", torch.arange(5), 0, 0, False),
        "task must be a Task, not str",
    ),
    (
        lambda: Equivalence(ADD, ORDER, 0, 0, False),
        "the automorphism must be an int64 tensor of shape (5,): 5 positions",
    ),
    *(
        (
            lambda φ=φ: Equivalence(ADD, torch.tensor(φ), 0, 0, False),
            "this map of positions is no automorphism of Z_5",
        )
        for φ in ([0, 0, 0, 0, 0], [1, 2, 3, 4, 0], [0, 2, 1, 3, 4])
    ),
    *(
        (
            lambda s=s, t=t: Equivalence(ADD, torch.arange(5), s, t, False),
            f"{name} must be an integer from 0 to 4, not {wrong}",
        )
        for s, t, name, wrong in (
            (5, 0, "s", 5),
            (-1, 0, "s", -1),
            (0, 5, "t", 5),
            (0, -1, "t", -1),
        )
    ),
    (
        lambda: Equivalence(ADD, torch.arange(5), 0, 0, 1),
        "swaps must be True or False, not 1",
    ),
    (lambda: next(equivalences("t")), "task must be a Task, not str"),
    (lambda: single_classes("t"), "task must be a Task, not str"),
    (lambda: rfm.pair_classes("t"), "task must be a Task, not str"),
    (lambda: HeldOut("t", ADD.samples[:1], 1), "task must be a Task, not str"),
    *(
        (
            lambda pairs=pairs: HeldOut(ADD, pairs, 1),
            "held out are one sample or two, as a tensor (1, 2) or (2, 2)",
        )
        for pairs in (ADD.samples[0], ADD.samples[:0], ADD.samples[:3])
    ),
    (
        lambda: HeldOut(ADD, ADD.samples[[1, 1]], 1),
        "held out are two different samples, not one of them twice",
    ),
    (lambda: HeldOut(ADD, ADD.samples[:1], 0), "size must be an integer of at least 1, not 0"),
    # starts and powers
    (lambda: wishart("t", 0), "task must be a TableTask, not str"),
    (lambda: wishart(ADD, 0, 0), "width must be an integer of at least 1, not 0"),
    (lambda: entry_orbits(3), "moves must be a sequence, not 3"),
    (lambda: entry_orbits([]), "moves must be one or more symmetries or equivalences"),
    (lambda: entry_orbits([3]), "moves must be symmetries or equivalences, not 3"),
    (
        lambda: entry_orbits([ADD.identity, TIMES.identity]),
        "moves must be of one task, not of x + y mod 5 and x × y mod 7",
    ),
    (lambda: averaged("M", EYE), "M must be a floating-point square matrix, not str"),
    *(
        (
            lambda orbits=orbits: averaged(EYE, orbits),
            "orbits must be an int64 tensor of shape (10, 10)",
        )
        for orbits in ([0], EYE, EYE.long()[:4])
    ),
    (
        lambda: symmetrised(EYE[:4, :4], [ADD.identity]),
        "M must be a floating-point (10, 10) matrix, not torch.float64 (4, 4)",
    ),
    (lambda: matrix_power(EYE, 0), "power must be a positive finite number, not 0"),
    (lambda: matrix_power(EYE, "1"), "power must be a positive finite number, not '1'"),
    (lambda: matrix_power("M", 1), "M must be a floating-point square matrix, not str"),
    (
        lambda: matrix_power(EYE.half(), 1),
        "M must be in double or single precision, not torch.float16",
    ),
    # predictions
    (lambda: Prediction("s", ONE), "split must be a Split, not str"),
    (
        lambda: Prediction(SPLIT, ONE),
        "right must be a bool tensor of shape (1,): 1 answers, one for each test point",
    ),
    (
        lambda: Prediction(SPLIT, torch.tensor([True])).compared("run"),
        "run must be a Run, not str",
    ),
    (lambda: predict(rfm.generate(ADD.identity), "s"), "split must be a Split, not str"),
    # the theory of the trap
    (
        lambda: Translations(ADD).differences(SPLIT),
        "the training set is not kept by all translations: (1, 2) is in it and (0, 1), which has "
        "the same difference, is not",
    ),
    (
        lambda: Translations(ADD).differences(
            rfm.withhold(ADD, ADD.reflection(0).fixed_points()).flip_labels(0.5, 0)
        ),
        "translations=True needs the task's own labels, and some are flipped",
    ),
    (
        lambda: Translations(rfm.composition(rfm.symmetric(3))),
        "a computation by characters needs a task on an Abelian group, such as addition, not "
        "x · y in S_3",
    ),
    (lambda: Midpoints("g"), "mirror must be a Symmetry, not str"),
    (lambda: Midpoints(ADD.rotation(1)), "mirror must be a reflection, not r^1"),
    (
        lambda: Midpoints(TIMES.reflection(1)),
        "a pair has one midpoint in groups of odd order, here up to 255, not in Z_7^× of order 6",
    ),
    (
        lambda: Midpoints(rfm.addition(257).reflection(1)),
        "a pair has one midpoint in groups of odd order, here up to 255, not in Z_257 of order 257",
    ),
    (lambda: TwoSpectra("mid", ONE, ONE), "mid must be a Midpoints, not str"),
    (
        lambda: TwoSpectra(MID, ONE[:2], ONE),
        "even must be a float64 tensor of shape (3,): 3 eigenvalues",
    ),
    (
        lambda: TwoSpectra(MID, ONE, ONE.float()),
        "odd must be a float64 tensor of shape (3,): 3 eigenvalues",
    ),
    (lambda: TwoSpectra(MID, -ONE, ONE), "even must be finite numbers of at least 0"),
    (lambda: TwoSpectra(MID, ONE, ONE / 0), "odd must be finite numbers of at least 0"),
    (
        lambda: TwoSpectra(MID, ONE, ONE).step(rfm.Gaussian(), power=0),
        "power must be a positive finite number, not 0",
    ),
    (
        lambda: TwoSpectra(MID, ONE, ONE).step(rfm.Gaussian(), centred=1),
        "centred must be True or False, not 1",
    ),
    (lambda: TwoSpectra(MID, ONE, ONE).axis("k"), "kernel must be a Kernel, not str"),
    (
        lambda: TwoSpectra(MID, ONE, ONE).axis(rfm.Gaussian(), -1),
        "ridge must be a finite number of at least 0, not -1",
    ),
    (lambda: sign_patterns("mid"), "mid must be a Midpoints, not str"),
    (lambda: sign_patterns(MID, 1), "opposite must be True or False, not 1"),
    (
        lambda: sign_patterns(Midpoints(rfm.addition(43).reflection(0))),
        "a group of order 43 has 2^21 patterns; at most 2^20 are listed",
    ),
    (lambda: TwoSpectra.relative("mid", ONE), "mid must be a Midpoints, not str"),
    (
        lambda: TwoSpectra.relative(MID, ONE),
        "signs must be a float64 tensor of shape (2,): 2 numbers from -1 to 1",
    ),
    (lambda: TwoSpectra.relative(MID, -1.01 * ONE[:2]), "signs must be numbers from -1 to 1"),
    (lambda: TwoSpectra.of("mid", EYE), "mid must be a Midpoints, not str"),
    (
        lambda: TwoSpectra.of(MID, EYE[:4, :4]),
        "M must be a floating-point (10, 10) matrix, not torch.float64 (4, 4)",
    ),
    (
        lambda: FourNumbers(6),
        "four numbers are enough for odd orders only, not for 6: where a ⋆ a = e for some a ≠ e, "
        "the labels on the axis repeat, and pairs of samples differ by that too",
    ),
    *(
        (
            lambda name=name: FourNumbers(5, **{name: -1}),
            f"{name} must be a finite number of at least 0, not -1",
        )
        for name in ("even", "odd", "constant", "opposite")
    ),
    (lambda: FourNumbers(5).relations(1), "radial must be True or False, not 1"),
    (lambda: FourNumbers(5).from_axis(1), "radial must be True or False, not 1"),
    (lambda: FourNumbers(5).fit("k"), "kernel must be a Kernel, not str"),
    (
        lambda: FourNumbers(5).fit(rfm.Gaussian(), -1),
        "ridge must be a finite number of at least 0, not -1",
    ),
    (
        lambda: FourNumbers(5).step(rfm.Gaussian(), power=0),
        "power must be a positive finite number, not 0",
    ),
    (
        lambda: FourNumbers(5).step(rfm.Gaussian(), centred=1),
        "centred must be True or False, not 1",
    ),
    (lambda: FourNumbers(5).metric("g"), "mirror must be a Symmetry, not str"),
    (lambda: FourNumbers(4), "n must be an integer from 5 to 1000000000000, not 4"),
    (lambda: FourNumbers(10**12 + 1), f"n must be an integer from 5 to {10**12}, not {10**12 + 1}"),
    (lambda: reduced(5, "k"), "kernel must be a Kernel, not str"),
    (lambda: reduced(5, rfm.Gaussian(), 0), "iterations must be an integer of at least 1, not 0"),
    (
        lambda: reduced(5, rfm.Gaussian(), ridge=-1),
        "ridge must be a finite number of at least 0, not -1",
    ),
    (
        lambda: reduced(5, rfm.Gaussian(), power=0),
        "power must be a positive finite number, not 0",
    ),
    (
        lambda: reduced(5, rfm.Gaussian(), centred=1),
        "centred must be True or False, not 1",
    ),
    *(
        (
            lambda g=g: FourNumbers(5).metric(g),
            "mirror must be a reflection of a group of order 5",
        )
        for g in (ADD.rotation(1), TIMES.reflection(1))
    ),
]


@pytest.mark.parametrize(("call", "said"), SAID, ids=[said[:60] for _, said in SAID])
def test_an_error_says_what_was_wrong(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        call()
