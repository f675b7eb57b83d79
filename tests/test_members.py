"""What objects keep of what they were given, what they print, and where they begin and end."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
import torch

import rfm
import rfm.finite
import rfm.pieces
from rfm.characters import CharacterTable, characters
from rfm.families import Polynomial
from rfm.finite import FiniteGroup
from rfm.judging import leads
from rfm.representations import IsotypicParts, exchange_share, isotypic
from rfm.searching import Search, search
from rfm.spectral import VanishedError
from rfm.updates import AGOP, FACT, Diagonal, Update, fact

SPLIT = rfm.random_split(rfm.addition(5), 0.6, seed=1)


def test_numbers_and_flags_are_python_s() -> None:
    for update in (AGOP(np.float64(1), np.bool_(False)), Diagonal(1, np.bool_(False))):
        assert type(update.power) is float
        assert update.centred is False
    assert FACT(np.bool_(False)).averaged is False
    kernel = Polynomial(np.int64(3), np.float32(0.5))
    assert (type(kernel.degree), type(kernel.bias)) == (int, float)


def test_what_is_meant_if_nothing_is_said() -> None:
    assert (AGOP(), Diagonal(), FACT()) == (AGOP(0.5, True), Diagonal(0.5, True), FACT(True))
    given = {name: p.default for name, p in inspect.signature(search).parameters.items()}
    assert (given["steps"], given["rate"], given["every"], given["seed"]) == (200, 0.02, 20, 0)


@pytest.mark.parametrize("kind", [CharacterTable, IsotypicParts, Search])
def test_nothing_may_be_left_out(kind: type) -> None:
    names = list(inspect.signature(kind).parameters)
    for left in names:
        with pytest.raises(TypeError, match=left):
            kind(**{name: None for name in names if name != left})


def test_matrices_are_not_printed() -> None:
    task = rfm.composition(rfm.symmetric(3))
    parts = isotypic(torch.eye(12), task)
    assert parts.task is task
    assert "tensor(" not in repr(characters(task.group))
    assert "tensor(" not in repr(parts)


def test_the_metric_of_a_search_is_not_printed() -> None:
    found = search(SPLIT, rfm.Gaussian(), 1)
    assert "tensor(" not in repr(found)
    assert found.split is SPLIT


@pytest.mark.parametrize(("update", "name"), [(Diagonal(), "AGOP"), (FACT(), "FACT")])
def test_what_has_vanished_is_named(update: Update, name: str) -> None:
    M, x = torch.eye(10, dtype=torch.float64), SPLIT.train
    nothing = rfm.KernelMachine.fit(x, torch.zeros(len(x), 5).double(), rfm.Gaussian(), M)
    with pytest.raises(VanishedError, match=f"^the {name} has vanished"):
        update(nothing)


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=str)
def test_a_few_samples_at_a_time_give_the_same(
    kernel: rfm.Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F, with numbers of samples that leave a rest."""
    x, M = SPLIT.train, torch.eye(10, dtype=torch.float64)
    machine = rfm.KernelMachine.fit(x, SPLIT.task.one_hot_labels(x), kernel, M, 0.1)
    whole = fact(machine)
    for samples in (1, 4, 7):
        monkeypatch.setattr(rfm.pieces, "SAMPLES", samples)
        torch.testing.assert_close(fact(machine), whole, rtol=0, atol=1e-13)


def test_a_constant_block_has_no_shares() -> None:
    """Each block of M is constant: nothing of it is left when its mean is gone."""
    task = rfm.composition(rfm.dihedral(3))
    M = torch.eye(2).double().repeat_interleave(6, 0).repeat_interleave(6, 1) + 1
    parts = isotypic(M, task)
    assert parts.shares.isnan().all()
    assert len(parts.shares) == 3
    assert np.isnan(parts.residual)
    assert np.isnan(exchange_share(M, task))
    torch.testing.assert_close(parts.projection, M)


def test_a_search_begins_where_it_says_and_counts_from_there() -> None:
    """The random start is one half of a normal matrix of variance 4 / 2n, and M its square."""
    drawn = torch.randn(10, 10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = search(SPLIT, rfm.Gaussian(), 5, every=3, seed=3)
    there = search(SPLIT, rfm.Gaussian(), 1, M0=0.4 * drawn @ drawn.T)
    assert found.table.index.tolist() == [0, 3, 5]
    assert found.table.index.name == "step"
    assert found.table.error[0] == pytest.approx(there.table.error[0], rel=1e-9)


def test_a_point_is_right_if_it_is_when_left_out() -> None:
    """Each left out in turn, and the machine fitted without it."""
    x, M = SPLIT.train, search(SPLIT, rfm.Gaussian(), 40).metric
    Y, right = SPLIT.task.one_hot_labels(x), []
    for i in range(len(x)):
        others = torch.arange(len(x)) != i
        machine = rfm.KernelMachine.fit(x[others], Y[others], rfm.Gaussian(), M, 1e-6)
        right.append(bool(leads(machine.predict(x[i : i + 1]), SPLIT.train_labels[i : i + 1]) > 0))
    assert 0 < sum(right) < len(x)
    found = search(SPLIT, rfm.Gaussian(), 1, M0=M)
    assert found.table.right[0] == pytest.approx(sum(right) / len(right))


@pytest.mark.parametrize("moduli", [(2,), (2, 2), (7,), (3, 3), (16,)])
def test_characters_of_cyclic_groups_and_products(moduli: tuple[int, ...]) -> None:
    """All are of degree 1, multiply as the group does, and are orthogonal."""
    group = rfm.cyclic(*moduli)
    χ = characters(group).on_elements
    assert len(χ) == group.order
    torch.testing.assert_close(χ[:, group.table], χ[:, :, None] * χ[:, None])
    torch.testing.assert_close(χ @ χ.mH, group.order * torch.eye(group.order).to(χ.dtype))
    torch.testing.assert_close(χ[0], torch.ones(group.order).to(χ.dtype))


REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: FiniteGroup(torch.empty(0, 0, dtype=torch.int64), [], "x"),
        r"^the table must be square, with 1 to 4096 rows$",
    ),
    (
        lambda: FiniteGroup(torch.arange(3).expand(3, 3), list("abc"), "x"),
        r"^there is no neutral element in this table$",
    ),
    (lambda: FiniteGroup(rfm.cyclic(3).table, 5, "x"), r"^values must "),
    (
        lambda: rfm.cyclic(3).inverse(torch.empty(2, dtype=torch.int64, device="meta")),
        r"^positions must be int64, not torch\.int64 on meta$",
    ),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_group_or_position_is_refused(number: int) -> None:
    call, said = REFUSED[number]
    with pytest.raises(ValueError, match=said):
        call()


def test_a_group_may_be_as_large_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfm.finite, "LARGEST", 3)
    group = FiniteGroup(rfm.cyclic(3).table, list("abc"), "three")
    assert hash(group) == hash(FiniteGroup(rfm.cyclic(3).table, list("abc"), "three"))
    assert hash(group) != hash(FiniteGroup(rfm.cyclic(3).table, list("abd"), "three"))
    with pytest.raises(ValueError, match="1 to 3 rows"):
        FiniteGroup(rfm.cyclic(4).table, list("abcd"), "four")
