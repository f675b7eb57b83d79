"""Every public name is on the API page, with a docstring and full type hints."""

from __future__ import annotations

import inspect
import re
from enum import Enum
from types import ModuleType

import pytest
from repository import ROOT

import rfm
from rfm import figures, networks, page

PACKAGES = (rfm, networks)
PAGE = (ROOT / "book" / "api.md").read_text(encoding="utf-8")


def documented(module: str) -> set[str]:
    """Return what autodoc directives under a ``currentmodule`` name, and their order."""
    sections = re.split(r"^\.\. currentmodule:: ", PAGE, flags=re.MULTILINE)[1:]
    return {
        name
        for section in sections
        if section.split("\n", 1)[0] == module
        for name in re.findall(r"^\.\. auto\w+:: ([\w.]+)$", section, re.MULTILINE)
    } - {f"rfm.{module}" for module in ("figures", "networks", "page")}


def public() -> list[tuple[str, object]]:
    """Return the public names of the package and their own public methods and properties."""
    found = [(f"{m.__name__}.{name}", getattr(m, name)) for m in PACKAGES for name in m.__all__]
    for module in (figures, page):
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__ and name[0] != "_"
            if own and (inspect.isfunction(value) or inspect.isclass(value)):
                found.append((f"{module.__name__}.{name}", value))
    for name, value in list(found):
        if inspect.isclass(value) and not issubclass(value, Enum):
            for member, attribute in vars(value).items():
                if member[0] != "_" and (
                    callable(attribute)
                    or isinstance(attribute, classmethod | staticmethod | property)
                    or type(attribute).__name__ == "cached_property"
                ):
                    found.append((f"{name}.{member}", attribute))
    return found


def function(value: object) -> object:
    """Return the function behind a method or property."""
    for name in ("fget", "func", "__func__"):
        value = getattr(value, name, None) or value
    return value


PUBLIC = [pytest.param(value, id=name) for name, value in public()]


def test_page_documents_exactly_the_public_names() -> None:
    for package in PACKAGES:
        assert documented(package.__name__) == set(package.__all__)
    for module in (figures, page):
        assert f".. automodule:: {module.__name__}\n   :members:" in PAGE


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_is_sorted_and_importable(package: ModuleType) -> None:
    assert package.__all__ == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


@pytest.mark.parametrize("value", PUBLIC)
def test_has_a_docstring(value: object) -> None:
    assert inspect.getdoc(value if inspect.isclass(value) else function(value))


@pytest.mark.parametrize("value", PUBLIC)
def test_has_full_type_hints(value: object) -> None:
    made = value.__dict__.get("__init__") if inspect.isclass(value) else function(value)
    if made is None:
        return
    signature = inspect.signature(made)
    for parameter in signature.parameters.values():
        if parameter.name not in ("self", "cls"):
            assert parameter.annotation is not parameter.empty, parameter
    if not inspect.isclass(value):
        assert signature.return_annotation is not signature.empty
