"""What groups and tasks are called, and that they are what their names say; made in each test."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable

import pytest
import torch

import rfm
import rfm.permuting
from rfm.finite import FiniteGroup
from rfm.products import TableTask

TASKS: dict[str, Callable[[], TableTask]] = {
    "x + y mod 5": lambda: rfm.addition(5),
    "x − y mod 6": lambda: rfm.subtraction(6),
    "x × y mod 7": lambda: rfm.multiplication(7),
    "x ÷ y mod 11": lambda: rfm.division(11),
    "x + y mod (2, 3)": lambda: rfm.addition(2, 3),
    "x − y mod (3, 3)": lambda: rfm.subtraction(3, 3),
    "x · y in D_6": lambda: rfm.composition(rfm.dihedral(3)),
    "x / y in S_3": lambda: rfm.quotient(rfm.symmetric(3)),
}
# Group ↦ order, order of the centre, number of elements x with x² = id.
GROUPS: dict[str, tuple[Callable[[], FiniteGroup], int, int, int]] = {
    "D_6": (lambda: rfm.affine(3, 2), 6, 1, 4),
    "D_14": (lambda: rfm.affine(7, 2), 14, 1, 8),
    "F_21": (lambda: rfm.affine(7, 3), 21, 1, 1),
    "F_20": (lambda: rfm.affine(5, 4), 20, 1, 6),
    "F_39": (lambda: rfm.affine(13, 3), 39, 1, 1),  # 2 has another order there, and so has 13 // 3
    "F_55": (lambda: rfm.affine(11, 5), 55, 1, 1),
    "F_42": (lambda: rfm.affine(7, 6), 42, 1, 8),
    "F_52": (lambda: rfm.affine(13, 4), 52, 1, 14),
    "D_8": (lambda: rfm.dihedral(4), 8, 2, 6),
    "D_10": (lambda: rfm.dihedral(5), 10, 1, 6),
    "D_16": (lambda: rfm.dihedral(8), 16, 2, 10),
    "Q_8": (rfm.quaternions, 8, 2, 2),
    "S_2": (lambda: rfm.symmetric(2), 2, 2, 2),
    "S_4": (lambda: rfm.symmetric(4), 24, 1, 10),
    "A_3": (lambda: rfm.alternating(3), 3, 3, 1),
    "A_5": (lambda: rfm.alternating(5), 60, 1, 16),
    "A_4": (lambda: rfm.alternating(4), 12, 1, 4),
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_called_by_its_operation(name: str) -> None:
    task = TASKS[name]()
    assert task.name == str(task) == repr(task) == name
    assert hash(task) == hash(TASKS[name]())
    assert hash(task) != hash(rfm.addition(4))


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_the_one_of_its_name(name: str) -> None:
    make, order, centre, involutions = GROUPS[name]
    group = make()
    table = group.table
    assert (group.name, group.order, len(group.values)) == (name, order, order)
    assert group.values[group.identity] == group.values[0] == "id"
    assert table.dtype == torch.int64
    assert (table == table.T).all(1).sum() == centre
    assert (table.diagonal() == group.identity).sum() == involutions


@pytest.mark.parametrize("symbol", ["·", "/"])
def test_the_twist_is_named_where_it_is_wrong(symbol: str) -> None:
    group = rfm.symmetric(3)
    for twist in (torch.zeros(6, dtype=torch.int64), torch.arange(5)):
        with pytest.raises(ValueError, match=r"^the twist (must|of a product must) "):
            TableTask(group, twist, symbol)


def test_the_largest_order_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfm.permuting, "LARGEST", 6)
    assert rfm.symmetric(3).order == rfm.affine(3, 2).order == rfm.dihedral(3).order == 6
    for refused in (lambda: rfm.symmetric(4), lambda: rfm.affine(5, 2), lambda: rfm.dihedral(4)):
        with pytest.raises(ValueError, match=r"6|3"):
            refused()


def test_a_product_of_moduli_may_be_as_large_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["rfm.groups"], "LARGEST", 6)
    assert rfm.cyclic(6).order == rfm.cyclic(2, 3).order == 6
    with pytest.raises(ValueError, match="product up to 6"):
        rfm.cyclic(7)


def test_what_modules_offer_is_there() -> None:
    offered = 0
    for found in pkgutil.iter_modules(rfm.__path__, "rfm."):
        module = sys.modules.get(found.name)
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{found.name}.{name}"
            offered += 1
    assert offered > 10
