"""What docstrings say of shapes, and whether it is so in calls that are made.

A shape stands in parentheses, in the symbols of the page of notation: ``(N, 2)``, ``(2n, 2n)``.
In the first paragraph of a docstring it belongs to the argument right in front of it, as in
"pairs ``x`` (N, 2)", else to what is returned; in the sections Args, Attributes and Returns to what
it stands first with. A symbol is one number in a call, or in an object, and n, N and N_test are
those of the task and the split that the call is about.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np
import torch

import rfm

Shape = tuple[str, ...]
Sizes = dict[str, Any]  # symbol ↦ number, and what "..." stands for

SIZE = r"(?:\.\.\.|…|\d*(?:N_test|[NncmdrkhTR])[′²]?(?:·[kn])?(?: \+ 1)?|\d+)"
SHAPE = rf"\((?:(?:{SIZE}, )+{SIZE}|{SIZE},|\.\.\.|…|)\)"
SHAPES = rf"{SHAPE}(?:,? or (?:several )?(?:of shape )?{SHAPE})*"
ARGUMENT = re.compile(rf"``(?P<name>\w+)`` (?:of shape )?(?P<shapes>{SHAPES})")
ENTRY = re.compile(rf"^    (?P<name>\w+): (?:optional |an? |[^\s()]+, )?(?P<shapes>{SHAPES})", re.M)
RESULT = re.compile(rf"^    (?P<shapes>{SHAPES})")
SYMBOL = re.compile(r"N_test|[A-Za-z]′?")
BARE = [(), ("2",), ("...",), ("…",)]  # shapes without a symbol; (1, 1) may be a vector


def shapes(words: str) -> list[Shape]:
    """The shapes in some words: ``(2n, 2n) or (r, r)`` as two tuples."""
    found = [tuple(re.findall(SIZE, each[1:-1])) for each in re.findall(SHAPE, words)]
    return [
        each for each in found if SYMBOL.search("".join(each)) or each in [(), ("2",), ("...",)]
    ]


@dataclass
class Said:
    """What a docstring says: the shapes that an argument, or each of the results, may have."""

    where: str
    arguments: dict[str, list[Shape]] = field(default_factory=dict)
    results: list[list[Shape]] = field(default_factory=list)


def read(where: str, doc: str, returns: str = "") -> Said:
    """Read a docstring; ``returns`` is the annotation of what is returned."""
    said = Said(where)
    first, *others = re.split(r"\n\n", doc)
    sections = {title: text for part in others for title, _, text in [part.partition(":\n")]}
    summary = " ".join(first.split())
    for match in ARGUMENT.finditer(summary):
        said.arguments[match["name"]] = shapes(match["shapes"])
    for title in ("Args", "Attributes"):
        for match in ENTRY.finditer(sections.get(title, "")):
            said.arguments[match["name"]] = shapes(match["shapes"])
    if result := RESULT.match(sections.get("Returns", "")):
        said.results = [shapes(result["shapes"])]
    elif re.match(r"Tensor|tuple\[Tensor", returns):
        rest = ARGUMENT.sub(" ", summary)
        said.results = [found for each in re.findall(SHAPES, rest) if (found := shapes(each))]
    return said


def package() -> tuple[dict[CodeType, Said], dict[type, Said]]:
    """What the docstrings of the package say: of functions by their code, and of classes."""
    functions: dict[CodeType, Said] = {}
    classes: dict[type, Said] = {}
    for info in pkgutil.walk_packages(rfm.__path__, "rfm."):
        module = importlib.import_module(info.name)
        for thing in vars(module).values():
            if getattr(thing, "__module__", None) != module.__name__:
                continue
            if inspect.isclass(thing):
                where = f"{module.__name__}.{thing.__name__}"
                said = read(where, inspect.getdoc(thing) or "")
                if "Attributes:" in (thing.__doc__ or "") and said.arguments:
                    classes[thing] = said
                for name, member in vars(thing).items():
                    _add(functions, f"{where}.{name}", member)
            else:
                _add(functions, f"{module.__name__}.{getattr(thing, '__name__', '')}", thing)
    return functions, classes


def _add(functions: dict[CodeType, Said], where: str, thing: object) -> None:
    """Add what the docstring of a function, method or property says of shapes."""
    for name in ("fget", "func", "__func__", "__wrapped__"):
        thing = getattr(thing, name, None) or thing
    if inspect.isfunction(thing) and not getattr(thing, "__isabstractmethod__", False):
        returns = str(thing.__annotations__.get("return", ""))
        said = read(where, inspect.getdoc(thing) or "", returns)
        if said.arguments or said.results:
            functions.setdefault(thing.__code__, said)


# Whether it is so


def value(size: str, known: Sizes) -> int:
    """A size, such as ``2n``, with numbers for its symbols."""
    code = re.sub(r"(\d)(?=[A-Za-z])", r"\1*", size).replace("²", "**2").replace("·", "*")
    return eval(code.replace("′", "_"), {name.replace("′", "_"): n for name, n in known.items()})


def agreed(shape: Shape, actual: tuple[int, ...], known: Sizes) -> Sizes | None:
    """The symbols' numbers if a tensor has this shape, None if it cannot have it."""
    known = dict(known)
    if dots := [i for i, size in enumerate(shape) if size in ("...", "…")]:
        before, after = dots[0], len(shape) - dots[0] - 1
        if len(actual) < before + after:
            return None
        inner = actual[before : len(actual) - after]
        if known.setdefault("...", inner) != inner:
            return None
        shape = (*shape[:before], *shape[before + 1 :])
        actual = (*actual[:before], *actual[len(actual) - after :])
    if len(shape) != len(actual):
        return None
    pairs = sorted(zip(shape, actual, strict=True), key=lambda pair: len(SYMBOL.findall(pair[0])))
    for size, number in pairs:
        match [name for name in SYMBOL.findall(size) if name not in known]:
            case []:
                if value(size, known) != number:
                    return None
            case [name]:
                fitting = [n for n in range(number + 1) if value(size, known | {name: n}) == number]
                if not fitting:
                    return None
                known[name] = fitting[0]
    return known


def about(name: str, thing: object) -> Sizes:
    """The sizes that an argument brings along: those of its task and its split, or itself."""
    if isinstance(thing, int) and SYMBOL.fullmatch(name):
        return {name: thing}
    found: Sizes = {}
    with suppress(AttributeError):  # of what is being made
        split = thing if isinstance(thing, rfm.Split) else getattr(thing, "split", None)
        if isinstance(split, rfm.Split):  # its own lists of pairs may be what is looked at
            train = int((split.kind == rfm.Kind.TRAIN).sum())
            found |= {"N": train, "N_test": len(split.kind) - train}
        of = getattr(thing, "split", thing)
        if isinstance(order := getattr(getattr(of, "task", of), "n", None), int):
            found["n"] = order
    return found


def shape_of(thing: object) -> tuple[int, ...] | None:
    """The shape of a tensor or an array, None of anything else."""
    return tuple(thing.shape) if isinstance(thing, torch.Tensor | np.ndarray) else None


@dataclass
class Found:
    """What was seen: which of all that is said was looked at, and what is not so."""

    said: dict[CodeType, Said]
    classes: dict[type, Said]
    seen: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)

    @property
    def unseen(self) -> set[str]:
        """What is said of shapes and was not looked at."""
        every = [*self.said.values(), *self.classes.values()]
        names = {f"{said.where}: {name}" for said in every for name in said.arguments}
        return (names | {f"{said.where}: result" for said in every if said.results}) - self.seen

    def compare(
        self, said: Said, values: Mapping[str, object], results: list[object], known: Sizes
    ) -> None:
        """Compare what is said with the values of one call, or of one object."""
        claims = [(name, values[name], of) for name, of in said.arguments.items() if name in values]
        claims += [("result", *pair) for pair in zip(results, said.results, strict=False)]
        fitting, looked = [known], []
        for name, thing, allowed in claims:
            actual = shape_of(thing)
            if actual is None:
                continue
            looked.append(f"{name} {actual}, which is to be {' or '.join(map(str, allowed))}")
            self.seen.add(f"{said.where}: {name}")
            fitting = [
                more
                for before in fitting
                for shape in allowed
                if (more := agreed(shape, actual, before)) is not None
            ]
        if not fitting:
            self.wrong.add(f"{said.where}: {'; '.join(looked)}; with {known}")


@contextmanager
def watched(said: dict[CodeType, Said], classes: dict[type, Said]) -> Iterator[Found]:
    """Compare, in every call that is made meanwhile, what is said of it with what it is.

    Args:
        said: of functions, by their code.
        classes: of the attributes of a class, which are looked at when an object is made.
    """
    found, calls = Found(said, classes), {}

    def look(frame: FrameType, event: str, given: object) -> None:
        code = frame.f_code
        if event == "call" and code in said:
            count = code.co_argcount + code.co_kwonlyargcount
            values = {name: frame.f_locals.get(name) for name in code.co_varnames[:count]}
            known: Sizes = {}
            for name, thing in values.items():
                known |= about(name, thing)
            calls[frame] = values, known
        elif event == "return" and frame in calls:
            results = [*given] if isinstance(given, tuple) else [given]
            found.compare(said[code], calls[frame][0], results, calls.pop(frame)[1])
        if event == "return" and code.co_name == "__init__":
            thing = frame.f_locals.get("self")
            for parent in type(thing).__mro__:
                if parent in classes and parent is not object:
                    of = classes[parent]
                    values = {name: getattr(thing, name, None) for name in of.arguments}
                    found.compare(of, values, [], about("self", thing))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)
