"""What the measures say, whole, of an argument that cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import rfm
from rfm import measures

TASK = rfm.addition(5)
MIRROR, SPLIT = TASK.reflection(1), rfm.random_split(TASK, 0.5, 0)
M, LARGE = torch.eye(10, dtype=torch.float64), torch.eye(12, dtype=torch.float64)
X = torch.tensor([[0, 1]])
LOPSIDED = M + torch.triu(torch.ones_like(M), 1)
Call = Callable[[], object]

# What takes a matrix, called with one; whether it must be symmetric.
OF_A_MATRIX = {
    "circulant_deviation": (lambda M: measures.circulant_deviation(M, TASK), False),
    "alignment": (lambda M: measures.alignment(M, M), False),
    "relative_spectrum": (lambda M: measures.relative_spectrum(M, TASK), True),
    "votes": (lambda M: measures.votes(M, X, X, TASK), True),
    "odd_part": (lambda M: measures.odd_part(M, MIRROR), False),
    "commutators": (lambda M: measures.commutators(M, TASK), False),
}
# What is called with something else than its kind, and what that is called there.
OF_A_KIND: list[tuple[Call, str, str]] = [
    (lambda: measures.circulant_deviation(M, 5), "task", "Task"),
    (lambda: measures.relative_spectrum(M, 5), "task", "Task"),
    (lambda: measures.votes(M, X, X, 5), "task", "TableTask"),
    (lambda: measures.vote_accuracy(M, 5), "split", "Split"),
    (lambda: measures.odd_part(M, 5), "mirror", "Symmetry"),
    (lambda: measures.commutators(M, 5), "task", "Task"),
    (lambda: measures.random_circulant_features(5, 0), "task", "Task"),
]


def said(call: Call) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, all of it is compared
        call()
    return str(caught.value)


@pytest.mark.parametrize(("call", "name", "kind"), OF_A_KIND)
def test_another_kind(call: Call, name: str, kind: str) -> None:
    assert said(call).startswith(f"{name} must be ")
    assert kind in said(call)


@pytest.mark.parametrize("name", OF_A_MATRIX)
def test_another_matrix(name: str) -> None:
    call, symmetric = OF_A_MATRIX[name]
    assert said(lambda: call("M")).startswith("M must be ")
    if name != "alignment":  # that takes any size
        assert said(lambda: call(LARGE)).startswith("M must be ")
    if symmetric:
        assert said(lambda: call(LOPSIDED)).startswith("M is not symmetric")
    else:
        call(LOPSIDED)


def test_two_matrices_of_one_size() -> None:
    assert said(lambda: measures.alignment(M, LARGE)).startswith("the other matrix must be ")
    assert measures.alignment(LOPSIDED, LOPSIDED) == pytest.approx(1)
