"""What an error says, whole, in what goes beyond the paper: other updates, groups, recovery."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
import torch
from sympy.combinatorics.named_groups import SymmetricGroup
from torch import tensor

import rfm
from rfm.characters import characters
from rfm.families import Normalised, Polynomial, bandwidth_for
from rfm.finite import FiniteGroup
from rfm.noise import chance
from rfm.permuting import affine, alternating, dihedral, permutations, symmetric
from rfm.products import TableTask
from rfm.recovery import Recovery, recover
from rfm.renamings import Renaming, exchange, lifted_automorphisms, renamings
from rfm.representations import (
    exchange_share,
    exchanged,
    in_product_order,
    isotypic,
    projections,
)
from rfm.searching import search
from rfm.shuffling import blocks, same_law, shuffled
from rfm.updates import AGOP, FACT, Diagonal

S3, Z5 = symmetric(3), rfm.cyclic(5).table
T, G, EYE = rfm.composition(S3), rfm.Gaussian(), torch.eye(12, dtype=torch.float64)
HALF, FOUND = rfm.random_split(T, 0.5, 0), Recovery(Z5, Z5, 0.5, 0)

# What is called, and what it says.
SAID: list[tuple[Callable[[], object], str]] = [
    # updates
    (lambda: AGOP(power=0), "power must be a positive finite number, not 0"),
    (lambda: AGOP(power=-1), "power must be a positive finite number, not -1"),
    (lambda: AGOP(power=math.inf), "power must be a positive finite number, not inf"),
    (lambda: AGOP(centred=1), "centred must be True or False, not 1"),
    (lambda: Diagonal(power=0), "power must be a positive finite number, not 0"),
    (lambda: Diagonal(centred=None), "centred must be True or False, not None"),
    (lambda: FACT(averaged=1), "averaged must be True or False, not 1"),
    # kernels in families
    (lambda: Polynomial(0), "degree must be an integer of at least 1, not 0"),
    (lambda: Polynomial(2, -1), "bias must be a finite number from 0 on, not -1"),
    (lambda: Polynomial(2, math.inf), "bias must be a finite number from 0 on, not inf"),
    (lambda: Normalised(rfm.Quadratic()), "kernel must be a RadialKernel, not Quadratic"),
    (
        lambda: bandwidth_for(rfm.Gaussian, 0),
        "no bandwidth gives the value 0.0 at the mean distance",
    ),
    (lambda: bandwidth_for(rfm.Gaussian, 1.5), "value must be a number between 0 and 1, not 1.5"),
    (
        lambda: bandwidth_for(lambda L: rfm.Gaussian(1), 0.5),
        "no bandwidth gives the value 0.5 at the mean distance",
    ),
    # recovery of a hidden group
    (
        lambda: blocks(torch.eye(2, dtype=torch.float64)),
        "M must have 2n rows, n of at least 2 for each operand, not 2",
    ),
    (
        lambda: blocks(torch.eye(5, dtype=torch.float64)),
        "M must have 2n rows, n of at least 2 for each operand, not 5",
    ),
    (lambda: blocks("M"), "M must be a floating-point square matrix, not str"),
    (
        lambda: shuffled(EYE, 0.5),
        "a seed that is no torch.Generator must be an integer from 0 to "
        "18446744073709551615, not 0.5",
    ),
    (
        lambda: same_law(tensor([1.0]), tensor([1])),
        "the tables must be int64 tensors with one or more entries",
    ),
    (
        lambda: same_law(tensor([1]), tensor([], dtype=torch.int64)),
        "the tables must be int64 tensors with one or more entries",
    ),
    (
        lambda: same_law([1], tensor([1])),
        "the tables must be int64 tensors with one or more entries",
    ),
    (
        lambda: same_law(tensor([[1]]), tensor([1])),
        "the tables must have one shape, not torch.Size([1, 1]) and torch.Size([1])",
    ),
    (lambda: chance(1, 0.5), "n must be an integer from 2 to 4096, not 1"),
    (lambda: chance(4097, 0.5), "n must be an integer from 2 to 4096, not 4097"),
    (lambda: chance(5, -0.1), "share must be between 0 and 1, not -0.1"),
    (lambda: chance(5, 1.1), "share must be between 0 and 1, not 1.1"),
    (lambda: recover("M"), "M must be a floating-point square matrix, not str"),
    (lambda: recover(EYE, 0), "anchors must be an integer of at least 1, not 0"),
    (
        lambda: FOUND.answers(tensor([[5, 0]]), tensor([1]), tensor([0, 0])),
        "positions in a pair must lie in 0, …, 4",
    ),
    (
        lambda: FOUND.answers(tensor([[0, 0]]), tensor([1, 2]), tensor([0, 0])),
        "labels must be an int64 tensor of shape (1,): 1 labels",
    ),
    (
        lambda: FOUND.answers(tensor([[0, 0]]), tensor([-1]), tensor([0, 0])),
        "labels must be numbers from 0 on",
    ),
    # groups
    (lambda: FiniteGroup([[0]], [0], "G"), "the table must be an int64 tensor of shape (n, n)"),
    (
        lambda: FiniteGroup(tensor([0]), [0], "G"),
        "the table must be an int64 tensor of shape (n, n)",
    ),
    (
        lambda: FiniteGroup(tensor([[0, 1]]), [0], "G"),
        "the table must be square, with 1 to 4096 rows",
    ),
    (
        lambda: FiniteGroup(tensor([[0, 2], [1, 0]]), [0, 1], "G"),
        "the table must hold positions from 0 to 1",
    ),
    (
        lambda: FiniteGroup(tensor([[0, -1], [1, 0]]), [0, 1], "G"),
        "the table must hold positions from 0 to 1",
    ),
    (
        lambda: FiniteGroup(tensor([[0, 0], [0, 0]]), [0, 1], "G"),
        "there is no neutral element in this table",
    ),
    (lambda: FiniteGroup(tensor([[0, 1], [1, 1]]), [0, 1], "G"), "the element 1 has no inverse"),
    (
        lambda: FiniteGroup(tensor([[0, 1, 2], [1, 0, 1], [2, 2, 0]]), [0, 1, 2], "G"),
        "this table is not associative: (ag)b is not a(gb) for g = 1",
    ),
    (
        lambda: FiniteGroup(S3.table, [0, 1, 2], "G"),
        "a group of order 6 needs as many different values, not 3 among 3",
    ),
    (
        lambda: FiniteGroup(S3.table, [0, 1, 2, 3, 4, 4], "G"),
        "a group of order 6 needs as many different values, not 5 among 6",
    ),
    (lambda: FiniteGroup(S3.table, range(6), ""), "the name of a group must be a text, not ''"),
    (lambda: FiniteGroup(S3.table, range(6), 3), "the name of a group must be a text, not 3"),
    (lambda: S3.multiply(6, 0), "a position must be an integer from 0 to 5, not 6"),
    (
        lambda: S3.multiply(tensor([0, 1]), tensor([0, 1, 2])),
        "positions of shapes (2,) and (3,) do not go together",
    ),
    (lambda: S3.multiply(tensor([0.0]), 1), "positions must be int64, not torch.float32 on cpu"),
    (lambda: S3.multiply(tensor([6]), 1), "positions must lie in 0, …, 5"),
    (lambda: S3.multiply(tensor([-1]), 1), "positions must lie in 0, …, 5"),
    (lambda: S3.inverse(-1), "a position must be an integer from 0 to 5, not -1"),
    (
        lambda: S3.position("(0 5)"),
        "'(0 5)' is not an element of S_3; its elements are id, (1 2), …, (0 2)",
    ),
    # tasks
    (lambda: TableTask("g", torch.arange(6), "·"), "group must be a FiniteGroup, not str"),
    (lambda: TableTask(S3, torch.arange(6), 3), "symbol must be a str, not int"),
    (
        lambda: TableTask(S3, torch.arange(5), "·"),
        "the twist must be an int64 tensor of shape (6,): 6 positions",
    ),
    (
        lambda: TableTask(S3, S3.table[1], "·"),
        "the twist of a product must be the identity or inversion",
    ),
    (lambda: T.one_hot(T.samples, "f"), "dtype must be a dtype, not str"),
    (lambda: T.one_hot_labels(T.samples, "f"), "dtype must be a dtype, not str"),
    (lambda: T.element(6), "a position must be an integer from 0 to 5, not 6"),
    (lambda: T.element(-1), "a position must be an integer from 0 to 5, not -1"),
    (lambda: rfm.composition("g"), "group must be a FiniteGroup, not str"),
    (lambda: rfm.quotient("g"), "group must be a FiniteGroup, not str"),
    # groups of permutations
    (lambda: permutations("g", "G"), "group must be a PermutationGroup, not str"),
    (
        lambda: permutations(SymmetricGroup(7), "S_7"),
        "a group must have an order up to 4096, not 5040",
    ),
    (lambda: affine(2, 2), "p must be an integer from 3 to 4096, not 2"),
    (lambda: affine(9, 2), "p must be a prime, q a divisor of p − 1, and pq at most 4096"),
    (lambda: affine(7, 4), "p must be a prime, q a divisor of p − 1, and pq at most 4096"),
    (lambda: affine(7, 1), "q must be an integer of at least 2, not 1"),
    (lambda: affine(4099, 2), "p must be an integer from 3 to 4096, not 4099"),
    (lambda: affine(97, 48), "p must be a prime, q a divisor of p − 1, and pq at most 4096"),
    (lambda: dihedral(2), "the number of corners must be an integer from 3 to 2048, not 2"),
    (lambda: dihedral(2049), "the number of corners must be an integer from 3 to 2048, not 2049"),
    (lambda: symmetric(1), "the number of things must be an integer from 2 to 6, not 1"),
    (lambda: symmetric(7), "the number of things must be an integer from 2 to 6, not 7"),
    (lambda: alternating(2), "the number of things must be an integer from 3 to 6, not 2"),
    (lambda: alternating(7), "the number of things must be an integer from 3 to 6, not 7"),
    # renamings
    (lambda: Renaming("t", torch.arange(6), 0, 0, False), "task must be a TableTask, not str"),
    (
        lambda: Renaming(T, torch.arange(5), 0, 0, False),
        "the automorphism must be an int64 tensor of shape (6,): 6 positions",
    ),
    (
        lambda: Renaming(T, tensor([0, 0, 0, 0, 0, 0]), 0, 0, False),
        "this map of positions is no automorphism of S_3",
    ),
    (
        lambda: Renaming(T, tensor([1, 0, 2, 3, 4, 5]), 0, 0, False),
        "this map of positions is no automorphism of S_3",
    ),
    (lambda: Renaming(T, torch.arange(6), 6, 0, False), "p must be an integer from 0 to 5, not 6"),
    (
        lambda: Renaming(T, torch.arange(6), 0, -1, False),
        "r must be an integer from 0 to 5, not -1",
    ),
    (lambda: Renaming(T, torch.arange(6), 0, 0, 1), "exchanges must be True or False, not 1"),
    (lambda: next(renamings("t")), "task must be a TableTask, not str"),
    (lambda: exchange("t", torch.arange(6)), "task must be a TableTask, not str"),
    (lambda: lifted_automorphisms("g"), "group must be a FiniteGroup, not str"),
    (
        lambda: lifted_automorphisms(rfm.cyclic(*[2] * 6)),
        "Z_2 × Z_2 × Z_2 × Z_2 × Z_2 × Z_2 has 62523502209 candidates for an "
        "automorphism, too many to try",
    ),
    # characters and representations
    (lambda: characters("g"), "group must be a FiniteGroup, not str"),
    (lambda: projections("g"), "group must be a FiniteGroup, not str"),
    (lambda: isotypic(EYE, "t"), "task must be a TableTask, not str"),
    (
        lambda: isotypic(EYE[:4, :4], T),
        "M must be a floating-point (12, 12) matrix, not torch.float64 (4, 4)",
    ),
    (lambda: in_product_order(EYE, "t"), "task must be a TableTask, not str"),
    (
        lambda: in_product_order(EYE[:4, :4], T),
        "M must be a floating-point (12, 12) matrix, not torch.float64 (4, 4)",
    ),
    (lambda: exchanged(EYE[:6, :6], "g"), "group must be a FiniteGroup, not str"),
    (
        lambda: exchanged(EYE, S3),
        "C must be a floating-point (6, 6) matrix, not torch.float64 (12, 12)",
    ),
    (lambda: exchange_share(EYE, "t"), "task must be a TableTask, not str"),
    # searching
    (lambda: search("s", G), "split must be a Split, not str"),
    (lambda: search(HALF, "k"), "kernel must be a Kernel, not str"),
    (lambda: search(HALF, G, steps=0), "steps must be an integer of at least 1, not 0"),
    (lambda: search(HALF, G, every=0), "every must be an integer of at least 1, not 0"),
    (lambda: search(HALF, G, rate=0), "rate must be a positive number, not 0"),
    (lambda: search(HALF, G, ridge=0), "ridge must be a positive number, not 0"),
    (
        lambda: search(HALF, G, M0=EYE[:4, :4]),
        "M0 must be a floating-point (12, 12) matrix, not torch.float64 (4, 4)",
    ),
]


@pytest.mark.parametrize(("call", "words"), SAID, ids=[str(i) for i in range(len(SAID))])
def test_the_whole_message(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        call()
