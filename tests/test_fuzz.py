"""Everything public, called with sense and with nonsense: a documented error or a right answer.

An *entry* draws arguments for one or more public names, calls them through :meth:`Draw.call`, and
compares what comes back with an oracle in Python integers or dense numpy. Each argument is good,
bad, or open (either may happen). The verdict is the same everywhere:

* good arguments: an answer, and the right one;
* bad ones: an error of a class that the docstring names, raised by the package itself, soon;
* never a changed argument or a changed state of torch, numpy, random, warnings or matplotlib.

``FUZZ_EXAMPLES=20 pytest tests/test_fuzz.py`` searches twenty times as long, from a new seed.
"""

from __future__ import annotations

import copy
import inspect
import math
import operator
import os
import pickle
import random
import re
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from itertools import permutations, product
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from oracles import Arithmetic, by_component, minus, over, plus, times
from sympy.combinatorics import Permutation, PermutationGroup
from torch import Tensor

import rfm
from rfm import figures

matplotlib.use("Agg")

MORE = float(os.environ.get("FUZZ_EXAMPLES", "1"))
HOME = str(Path(rfm.__file__).parent)
SOON = 60.0  # seconds an error may take, and an answer
NAN, INF = math.nan, math.inf
Array = NDArray[np.float64]
Pair = tuple[int, int]


# --- The tables again, in Python integers ---------------------------------------------------------


class World:
    """A task and its operation, twist and symmetries as plain lists of positions."""

    def __init__(self, arithmetic: Arithmetic):
        self.task, self.n = arithmetic.task, len(arithmetic.elements)
        self.elements = arithmetic.elements
        self.make: Callable[[], rfm.Task] = lambda: copy.deepcopy(arithmetic.task)
        place = {element: i for i, element in enumerate(self.elements)}
        self.place, E, N = place, self.elements, range(self.n)
        self.star = [[place[arithmetic.star(a, b)] for b in E] for a in E]
        self.inverse = [place[arithmetic.invert(a)] for a in E]
        self.label = [[place[arithmetic.label(a, b)] for b in E] for a in E]
        self.e = next(i for i in N if all(self.star[i][j] == j for j in N))
        self.twist = [self.star[self.inverse[self.e]][self.label[self.e][b]] for b in N]
        self.fixed = [[place[arithmetic.fixed(k, a)] for a in E] for k in E]
        self.mirror = {(a, self.fixed[k][a]): k for k in N for a in N}

        def table(act: Callable) -> list[dict[Pair, Pair]]:
            return [
                {(a, b): tuple(place[x] for x in act(k, E[a], E[b])) for a in N for b in N}
                for k in E
            ]

        self.acts = {False: table(arithmetic.rotate), True: table(arithmetic.reflect)}
        self.pairs = [(a, b) for a in N for b in N]

    def act(self, g: rfm.Symmetry, pair: Pair) -> Pair:
        """Image of a pair of positions."""
        return self.acts[g.reflects][g.k][pair]

    def orbit(self, elements: list[rfm.Symmetry], some: set[Pair]) -> set[Pair]:
        """What some symmetries make of a set of pairs."""
        some, before = set(some), None
        while before != len(some):
            before = len(some)
            some |= {self.act(g, x) for g in elements for x in some}
        return some

    def generated(self, elements: list[tuple[bool, int]]) -> set[tuple[bool, int]]:
        """The subgroup as pairs (reflects, k), by multiplying actions."""
        names = {
            (tuple(self.acts[f][k][x] for x in self.pairs), f): (f, k)
            for f in (False, True)
            for k in range(self.n)
        }
        found, before = {(False, self.e), *elements}, 0
        while before != len(found):
            before = len(found)
            for (f, k), (g, m) in product(tuple(found), elements):
                first, second = self.acts[g][m], self.acts[f][k]
                found.add(names[tuple(second[first[x]] for x in self.pairs), f != g])
        return found

    def coordinates(self, reflects: bool, k: int) -> list[int]:
        """Where an element sends the 2n coordinates."""
        n, images = self.n, [0] * (2 * self.n)
        for (a, b), (c, d) in self.acts[reflects][k].items():
            images[a], images[n + b] = (n + d, c) if reflects else (c, n + d)
        return images


def _worlds() -> list[World]:
    two_four = by_component(rfm.addition(2, 4), plus(2), plus(4))
    return [World(w) for w in (plus(5), plus(6), minus(5), two_four, times(7), over(7), minus(3))]


WORLDS = _worlds()


# --- Arguments ------------------------------------------------------------------------------------

NASTY: list[object] = [
    *(0, 1, -1, 2, True, False, None, NAN, INF, -INF, 1e-320, 1e308, -0.0, 2**64, -(2**63)),
    *(np.int64(3), np.uint8(1), np.float32(0.5), np.bool_(True), "3", b"3", "", 3.0, 0.5, 1j),
    *(Fraction(1, 2), Decimal("0.5"), (), [3], int, np.array([1, 2]), np.array(2)),
    *(torch.tensor(3), torch.tensor(0.5), torch.tensor(True), torch.tensor([1, 2])),
]


class Draw:
    """Draws arguments, remembers which are bad or open, calls, and judges what came back."""

    def __init__(self, data: st.DataObject):
        self.data = data
        self.bad: list[str] = []
        self.open: list[str] = []

    def pick(self, *choices: object) -> object:
        return self.data.draw(st.sampled_from(choices))

    def chance(self, one_in: int) -> bool:
        """True once in so many; shrinks to False."""
        return self.data.draw(st.integers(0, one_in - 1)) == one_in - 1

    def int(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))

    def float(self, low: float, high: float) -> float:
        return self.data.draw(st.floats(low, high))

    def judged(self, value: object, bad: object, open_: object, what: str) -> object:
        if bad:
            self.bad.append(f"{what} {shown(value)}")
        elif open_:
            self.open.append(f"{what} {shown(value)}")
        return value

    def integer(
        self,
        low: int,
        high: int,
        what: str,
        extra: tuple = (),
        most: float = INF,
        limited: bool = True,
    ) -> tuple[object, int]:
        """An integer of whatever type, and its plain value; right in low, …, high.

        ``limited`` says whether a larger one is wrong; ``most`` is the largest that is drawn.
        """
        good = self.int(max(low, 0), high)
        if not self.chance(3):
            make = self.pick(int, int, np.int64, np.int32, np.uint8 if 0 <= good < 256 else int)
            return make(good), good
        nasty = [x for x in (*NASTY, *extra) if not isinstance(x, int) or abs(x) <= most]
        value = self.pick(*nasty, low - 1, high + 1)
        try:
            plain = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            return self.judged(value, True, False, what), good
        wrong = isinstance(value, bool | np.bool_) or plain < low
        wrong |= limited and plain > high
        return self.judged(value, wrong, isinstance(value, Tensor | np.ndarray), what), plain

    def number(
        self, good: tuple[float, ...], right: Callable[[float], bool], what: str
    ) -> tuple[object, float]:
        """A real number of whatever type, and its plain value."""
        if not self.chance(4):
            value = self.pick(*good)
            make = self.pick(float, float, np.float64)
            return (make(value) if isinstance(value, float) else value), float(value)
        value = self.pick(*NASTY)
        return self.real(value, right, what, good[0])

    def real(
        self, value: object, right: Callable[[float], bool], what: str, otherwise: float
    ) -> tuple[object, float]:
        known = isinstance(value, int | float | np.floating | np.integer)
        known = known and not isinstance(value, bool | np.bool_)
        try:
            plain = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError, RuntimeError):
            return self.judged(value, True, False, what), otherwise
        if isinstance(value, str | bytes):
            return self.judged(value, True, False, what), otherwise
        return self.judged(value, not right(plain), not known, what), plain

    def flag(self, what: str) -> tuple[object, bool]:
        """A bool, or something else."""
        value = self.pick(True, False, True, False) if not self.chance(12) else self.pick(*NASTY)
        if isinstance(value, bool):
            return value, value
        try:
            plain = bool(value)
        except (TypeError, ValueError, RuntimeError):
            return self.judged(value, True, False, what), True
        return self.judged(value, False, True, what), plain

    def confused(self, right: object, what: str) -> object:
        """The right object, or seldom one of another kind."""
        if not self.chance(25):
            return right
        w, split = WORLDS[0], _some_split()
        others = [w.task, w.task.group, split, w.task.identity, rfm.Gaussian(), rfm.Gaussian, None]
        others += [w.task.samples, 5, "x", [], rfm.stabiliser(split), torch.eye(10)]
        family = rfm.Kernel if isinstance(right, rfm.Kernel) else type(right)
        value = self.pick(*(x for x in others if not isinstance(x, family)))
        return self.judged(value, True, False, what)

    # -- objects

    def world(self) -> World:
        return self.pick(*WORLDS)

    def pair_list(self, w: World, least: int = 0, most: int = 6, pool: list[Pair] | None = None):
        pool = w.pairs if pool is None else pool
        return self.data.draw(st.lists(st.sampled_from(pool), min_size=least, max_size=most))

    def pairs(
        self, w: World, least: int = 0, pool: list[Pair] | None = None, most: int = 6
    ) -> tuple[object, list[Pair], bool]:
        """Pairs in some guise, the plain list, and whether it is a single pair of shape (2,)."""
        plain = self.pair_list(w, max(least, 0), most, pool) if pool != [] else []
        as_tensor = torch.tensor(plain, dtype=torch.int64).reshape(-1, 2)
        if not self.chance(3):
            guise = self.pick("tensor", "one", "list", "numpy", "strided")
            if guise == "one" and plain:
                return as_tensor[0], plain[:1], True
            if guise == "numpy":
                return as_tensor.numpy().copy(), plain, False
            if guise == "strided":
                return torch.stack([as_tensor, as_tensor], 1)[:, 0], plain, False
            return (plain if guise == "list" and plain else as_tensor), plain, False
        n, some = w.n, as_tensor if len(plain) else torch.tensor([[0, 0], [1, 1]])
        if len(some) == 2:
            some = torch.cat([some, some[:1]])
        odd: dict[str, object] = {
            "transposed": some.T,
            "transposed in memory": some.T.contiguous(),
            "flat": some.repeat(2, 1).flatten(),
            "three columns": torch.cat([some, some[:, :1]], 1),
            "float": some.double(),
            "int32": some.int(),
            "numpy int32": some.int().numpy(),
            "numpy float": some.double().numpy(),
            "bool": some.bool(),
            "list of bools": some.bool().tolist(),
            "list of floats": some.double().tolist(),
            "negative": some - n,
            "too large": some + n,
            "one too large": torch.tensor([[0, n]]),
            "huge": torch.tensor([[0, 2**62]]),
            "huge list": [[0, 2**70]],
            "deep": some[None],
            "deeper": some[None, None],
            "ragged": [[0, 1], [0]],
            "scalar": torch.tensor(0),
            "texts": [["0", "1"]],
            "text": "01",
            "none": None,
            "number": 1,
            "values": [((0, 0), (0, 1))] * 2,
            "empty row": torch.empty(0, dtype=torch.int64),
            "empty float": torch.empty(0, 2),
            "complex": some + 0j,
            "meta": some.to("meta"),
            "objects": np.array(some.tolist(), dtype=object),
        }
        guise = self.pick(*odd)
        self.bad.append(f"pairs {guise}")
        return odd[guise], [tuple(x) for x in some.tolist()], False

    def split(self, w: World, plain: bool = False) -> rfm.Split:
        """A proper split of a task, of one of several kinds."""
        task, n = w.task, w.n
        mode = self.pick("axes", "random", "cross", "orbits", "any", "many axes")
        if mode == "random":
            fraction = self.pick(0.5, 0.3, 0.6, 0.7)
            return rfm.random_split(task, fraction, self.int(0, 9))
        if mode in ("axes", "many axes"):
            count = 1 if mode == "axes" else self.int(1, n - 1)
            test = {(a, w.fixed[k][a]) for k in range(count) for a in range(n)}
        elif mode == "cross":
            row, column = self.int(0, n - 1), self.int(0, n - 1)
            test = {(a, b) for a, b in w.pairs if a != row and b != column}
        elif mode == "orbits":
            some = [self.symmetry(w) for _ in range(2)]
            test = w.orbit(some, set(self.pair_list(w, 1, 3)))
        else:
            test = set(self.pair_list(w, 1, n * n // 2))
        if len(test) == n * n:
            test = set(w.pairs[1:])
        return rfm.withhold(task, torch.tensor(sorted(test)))

    def symmetry(self, w: World) -> rfm.Symmetry:
        return rfm.Symmetry(w.task, self.int(0, w.n - 1), self.pick(False, True))

    def kernel(self, tame: bool = False) -> Case:
        cases = _kernels()
        wild = [c for c in cases if c.wild]
        if not tame and self.chance(4):
            return self.pick(*wild)
        return self.pick(*(c for c in cases if not c.wild))

    def matrix(self, w: World, tags: dict[str, str]) -> tuple[object, Array, str]:
        """A (2n, 2n) matrix from the pool, its plain values, its tag.

        ``tags`` says of each tag that is not simply good whether it is ``bad`` or ``open``.
        """
        d, seed = 2 * w.n, self.int(0, 3)
        draws = np.random.default_rng(seed)
        root = draws.standard_normal((d, d))
        psd = root @ root.T / d
        coefficients = draws.integers(-2, 3, (2, w.n)).astype(float)
        coefficients[0] = [coefficients[0][min(k, w.inverse[k])] for k in range(w.n)]
        encoded = np.zeros((d, d))
        for f, k in product((0, 1), range(w.n)):
            images = w.coordinates(bool(f), k)
            encoded[images, range(d)] += coefficients[f, k]
        low = root[:, :2] @ root[:, :2].T
        pool: dict[str, tuple[object, Array]] = {}

        def add(tag: str, value: object, plain: Array = psd) -> None:
            pool[tag] = (value, plain)

        t = torch.from_numpy
        add("eye", torch.eye(d, dtype=torch.float64), np.eye(d))
        add("psd", t(psd.copy()), psd)
        add("low rank", t(low.copy()), low)
        add("encoded", t(encoded.copy()), encoded)
        add("transposed view", t(psd.copy()).T, psd)
        add("zero", torch.zeros(d, d, dtype=torch.float64), np.zeros((d, d)))
        add("huge", t(psd * 1e200), psd * 1e200)
        add("tiny", t(psd * 1e-200), psd * 1e-200)
        add("small", torch.eye(d, dtype=torch.float64) * 1e-160, np.eye(d) * 1e-160)
        add("indefinite", t(psd - 2 * np.eye(d)), psd - 2 * np.eye(d))
        add("negative", t(-psd), -psd)
        add("asymmetric", t(root.copy()), root)
        add("nan", t(np.full((d, d), NAN)))
        one = psd.copy()
        one[0, 0] = INF
        add("inf", t(one))
        add("float32", t(psd).float(), psd.astype(np.float32).astype(float))
        add("half", t(psd).half(), psd.astype(np.float16).astype(float))
        add("int", torch.eye(d, dtype=torch.int64), np.eye(d))
        add("bool", torch.eye(d, dtype=torch.bool), np.eye(d))
        add("complex", t(psd) + 1j * t(psd))
        add("requires_grad", t(psd.copy()).requires_grad_(), psd)
        add("parameter", torch.nn.Parameter(torch.eye(d, dtype=torch.float64)), np.eye(d))
        add("large", torch.eye(d + 2, dtype=torch.float64), np.eye(d + 2))
        add("flat", torch.ones(d, dtype=torch.float64))
        add("deep", torch.eye(d, dtype=torch.float64)[None])
        add("meta", torch.eye(d, dtype=torch.float64, device="meta"))
        add("numpy", psd.copy())
        add("list", psd.tolist())
        add("nothing", None)
        add("sparse", torch.eye(d, dtype=torch.float64).to_sparse())
        common = ("eye", "psd", "low rank", "encoded", "transposed view")
        tag = self.pick(*(common if not self.chance(2) else pool))
        wrong = ("nan", "inf", "half", "bool", "complex", "large", "flat", "deep", "meta", "list")
        usual = dict.fromkeys((*wrong, "nothing", "sparse"), "bad")
        usual |= dict.fromkeys(("numpy", "requires_grad", "parameter", "int"), "open")
        how = (usual | tags).get(tag, "")
        value, plain = pool[tag]
        self.judged(f"matrix {tag}", how == "bad", how == "open", "")
        return value, plain, tag

    # -- calls

    def call(self, name: str, *args: object, **options: object) -> Result:
        """Call a public name with these arguments and take everything down."""
        function, documented = _resolve(name)
        text = ", ".join([*map(shown, args), *(f"{k}={shown(v)}" for k, v in options.items())])
        note(f"rfm.{name}({text})")
        if self.bad or self.open:
            note(f"    bad: {self.bad}, open: {self.open}")
        drawing = name.startswith("figures.")
        before, state = fingerprint((args, options)), global_state(drawing)
        value = error = None
        start = time.process_time()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filters = list(warnings.filters)
            try:
                value = function(*args, **options)
                if isinstance(value, Iterator):
                    value = list(value)
            except (Exception, KeyboardInterrupt) as raised:
                error = raised
            same_filters = filters == list(warnings.filters)
        seconds = time.process_time() - start
        assert same_filters, f"{name} changed the filters of warnings"
        assert fingerprint((args, options)) == before, f"{name} changed an argument"
        after = global_state(drawing)
        changed = [what for what in state if state[what] != after[what]]
        assert not changed or name == "figures.style", f"{name} changed {changed}"
        assert seconds < SOON, f"{name} took {seconds:.1f} s"
        result = Result(name, value, error, documented, caught)
        if error is not None:
            result.check_error()
        return result

    def expect(self, result: Result, oracle: Callable[[object], None] | None = None) -> bool:
        """Judge a result; True if it is an answer, which the oracle has then found right."""
        if result.error is not None:
            if not self.bad and not self.open:
                raise AssertionError(
                    f"{result.name} refuses what is right: {result.error!r}"
                ) from result.error
            return False
        assert not self.bad, f"{result.name} takes {'; '.join(self.bad)}: {shown(result.value)}"
        if oracle is not None:
            oracle(result.value)
        return True

    def ask(self, name: str, right: object, *args: object, **options: object) -> bool:
        """Call and compare with the right answer."""
        result = self.call(name, *args, **options)
        return self.expect(result, lambda value: equal(value, right))


@dataclass
class Result:
    """What a call gave."""

    name: str
    value: object
    error: BaseException | None
    documented: str
    warnings: list

    def check_error(self) -> None:
        """Assert that the error is a documented one of the package's own."""
        error, kind = self.error, type(self.error)
        frame = error.__traceback__
        while frame.tb_next is not None:
            frame = frame.tb_next
        ours = frame.tb_frame.f_code.co_filename.startswith(HOME)
        own = kind.__module__.split(".")[0] == "rfm"
        ours |= kind is TypeError and "unsupported operand" in str(error)  # Python's own protocol
        ours |= kind is TypeError and "unexpected keyword" in str(error)  # of inspect.bind
        plain = kind in (ValueError, TypeError, MemoryError, RuntimeError, KeyboardInterrupt)
        named = kind is ValueError or own or re.search(rf"\b{kind.__name__}\b", self.documented)
        named = named or (kind is TypeError and "unsupported operand" in str(error))
        if not (ours and (own or plain) and named and str(error)):
            raise AssertionError(
                f"{self.name} ends in {kind.__module__}.{kind.__name__}: {error}"
            ) from error


def shown(value: object) -> str:
    """A value in a line."""
    if isinstance(value, Tensor):
        text = f"{value.dtype}{list(value.shape)}".removeprefix("torch.")
        if value.device.type == "meta" or value.numel() > 12 or value.is_sparse:
            return f"<{text}>"
        return f"{text}{value.tolist()}"
    try:
        text = " ".join(repr(value).split())
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {error!r}>"
    return text if len(text) < 160 else f"{text[:150]}…"


def fingerprint(x: object) -> object:
    """What an object holds, comparable, and not shared with it."""
    if isinstance(x, Tensor):
        if x.device.type == "meta" or x.is_sparse:
            return (x.device.type, tuple(x.shape))
        plain = x.detach().contiguous()
        return (x.dtype, tuple(x.shape), x.requires_grad, plain.numpy().tobytes())
    if isinstance(x, np.ndarray):
        return (x.dtype, x.shape, repr(x) if x.dtype == object else x.tobytes())
    if isinstance(x, pd.DataFrame):
        return (tuple(x.columns), repr(x.to_dict()))
    if isinstance(x, list | tuple):
        return tuple(map(fingerprint, x))
    if isinstance(x, dict):
        return tuple((k, fingerprint(v)) for k, v in x.items())
    if is_dataclass(x) and not isinstance(x, type):
        return tuple(fingerprint(getattr(x, f.name)) for f in fields(x))
    if isinstance(x, rfm.FiniteGroup):
        more = (x.logarithm,) if isinstance(x, rfm.Group) else ()
        return tuple(map(fingerprint, (x.table, *more, x.inverses, x.values, x.name)))
    return (type(x), repr(x)) if isinstance(x, int | float | str | None) else id(x)


def global_state(drawing: bool = False) -> dict[str, object]:
    """State of the process that no function of a library should change."""
    state = np.random.get_state()  # noqa: NPY002
    return {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's threads": torch.get_num_threads(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's generator": torch.get_rng_state().numpy().tobytes(),
        "numpy's generator": (state[1].tobytes(), *state[2:]),
        "random's generator": hash(random.getstate()),
        "numpy's errors": np.geterr(),
        "matplotlib's settings": hash(repr(matplotlib.rcParams)) if drawing else 0,
        "the folder": os.getcwd(),
    }


def _documented(thing: object, owner: object = rfm, deep: int = 1) -> str:
    """Docstrings of a function and of those it refers to."""
    text = inspect.getdoc(thing) or ""
    for name in re.findall(r":(?:func|meth|class|attr):`(?:rfm\.)?([\w.]+)`", text) if deep else ():
        for place in (rfm, owner):
            found: object = place
            for part in name.split("."):
                found = inspect.getattr_static(found, part, None)
            text += _documented(found, owner, deep - 1) if found is not None else ""
    return text


@cache
def _resolve(name: str) -> tuple[Callable, str]:
    """A public name as a function of its arguments, ``self`` among them, and its documentation."""
    head, _, tail = name.partition(".")
    owner = figures if head == "figures" else getattr(rfm, head)
    if not tail:
        return owner, _documented(owner) + _documented(getattr(owner, "__init__", None), owner, 0)
    if head == "figures":
        return getattr(figures, tail), _documented(getattr(figures, tail))
    found = inspect.getattr_static(owner, tail)
    if isinstance(found, property | cached_property):
        return operator.attrgetter(tail), _documented(found, owner) + _documented(owner)
    if isinstance(found, classmethod):
        return getattr(owner, tail), _documented(getattr(owner, tail), owner) + _documented(owner)
    if not isinstance(found, FunctionType):  # a field
        return operator.attrgetter(tail), _documented(owner)
    by_class = tail.startswith("__")
    function = found if by_class else lambda self, *a, **o: getattr(self, tail)(*a, **o)
    if tail == "__mul__":
        function = operator.mul
    return function, _documented(found, owner) + _documented(owner)


def equal(value: object, right: object) -> None:
    """Assert that an answer is the right one; tensors against nested lists or arrays."""
    if isinstance(value, Tensor):
        assert not value.requires_grad, "the answer hangs on autograd"
        if isinstance(right, np.ndarray):
            close(value, right)
            return
        value = value.tolist()
    assert value == right, f"{shown(value)} instead of {shown(right)}"


def close(value: Tensor | Array, right: Array, rtol: float = 1e-9) -> None:
    """Assert that two arrays differ by at most a share of the largest entry."""
    found = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else value
    assert found.shape == right.shape, f"shape {found.shape} instead of {right.shape}"
    scale = np.abs(right).max(initial=0.0)
    with np.errstate(all="ignore"):
        off = np.abs(found - right).max(initial=0.0)
    assert off <= rtol * scale or off == 0, f"off by {off:.2e}, where the largest is {scale:.2e}"


# --- Registry -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """Names that one function of a :class:`Draw` calls, and how many examples they are worth."""

    check: Callable[[Draw], None]
    names: tuple[str, ...]
    examples: int


ENTRIES: list[Entry] = []


def entry(*names: str, examples: int = 40) -> Callable:
    """Register a check; a name is a regular expression for names of public things."""

    def add(check: Callable[[Draw], None]) -> Callable[[Draw], None]:
        ENTRIES.append(Entry(check, names, examples))
        return check

    return add


def public_names() -> list[str]:
    """All names of the package, with the public methods that a class defines, and of figures."""
    names = []
    for name in rfm.__all__:
        thing = getattr(rfm, name)
        names.append(name)
        if not inspect.isclass(thing):
            continue
        for attribute, value in vars(thing).items():
            special = ("__call__", "__mul__", "__iter__", "__len__", "__contains__", "__eq__")
            kinds = FunctionType | property | cached_property | classmethod | staticmethod
            wanted = not attribute.startswith("_") or attribute in special
            if wanted and isinstance(value, kinds):
                names.append(f"{name}.{attribute}")
    for name, thing in vars(figures).items():
        if inspect.isfunction(thing) and thing.__module__ == "rfm.figures" and name[0] != "_":
            names.append(f"figures.{name}")
    return names


def test_every_public_name_has_an_entry():
    patterns = [re.compile(name) for each in ENTRIES for name in each.names]
    missing = [n for n in public_names() if not any(p.fullmatch(n) for p in patterns)]
    assert not missing


def _run_entry(each: Entry) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    count = max(1, round(each.examples * MORE))

    @settings(
        max_examples=count,
        suppress_health_check=quiet,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
    )
    @given(st.data())
    def search(data: st.DataObject) -> None:
        each.check(Draw(data))

    search()


@pytest.fixture(autouse=True)
def _figures_closed() -> Iterator[None]:
    yield
    plt.close("all")


# --- Groups and tasks -----------------------------------------------------------------------------

# What no table has room for. (2**61 - 1 is a prime.)
VAST = (2**64, 2**61 - 1)


@entry("addition", "subtraction", "cyclic")
def _makes_a_product(D: Draw) -> None:
    name = D.pick("addition", "subtraction", "cyclic")
    drawn = [D.integer(2, 5, "modulus", VAST, limited=False) for _ in range(D.int(0, 2) or 1)]
    if D.chance(15):
        D.bad.append("no modulus")
        drawn = []
    values, plain = [v for v, _ in drawn], [p for _, p in drawn]
    if any(p > 9 for p in plain):
        D.bad.append("a vast group")

    def right(made: rfm.Task | rfm.Group) -> None:
        group = made if isinstance(made, rfm.Group) else made.group
        elements = list(product(*map(range, plain)))
        expected = [e[0] for e in elements] if len(plain) == 1 else elements
        assert list(group.values) == expected
        assert all(type(m) is int for m in group.moduli)
        assert group.moduli == tuple(plain)
        sign = -1 if name == "subtraction" else 1
        for i, j in ((D.int(0, len(elements) - 1), D.int(0, len(elements) - 1)) for _ in range(3)):
            x, y = elements[i], elements[j]
            z = tuple((a + sign * b) % m for a, b, m in zip(x, y, plain, strict=True))
            pair = torch.tensor([i, j])
            got = group.multiply(*pair) if made is group else made.label(pair)
            assert elements[int(got)] == z
        fresh = getattr(rfm, name)(*plain)
        assert made == fresh
        assert hash(made) == hash(fresh)
        assert repr(made) == repr(fresh)
        pickle.loads(pickle.dumps(made))

    D.expect(D.call(name, *values), right)


@entry("multiplication", "division", "units")
def _makes_units(D: Draw) -> None:
    name = D.pick("multiplication", "division", "units")
    good = D.pick(3, 5, 7, 11)
    if D.chance(3):
        value, p = D.integer(0, 13, "modulus", VAST, limited=False)
    else:
        value, p = D.pick(int, np.int64)(good), good
    prime = p in (3, 5, 7, 11, 13)
    if not prime and p not in VAST:
        D.bad.append("no odd prime")
    if p > 13:
        D.bad.append("a vast group")

    def right(made: rfm.Task | rfm.Group) -> None:
        group = made if isinstance(made, rfm.Group) else made.group
        assert list(group.values) == list(range(1, p))
        power = -1 if name == "division" else 1
        for a, b in product(range(1, p), repeat=2):
            pair = torch.tensor([a - 1, b - 1])
            got = group.multiply(*pair) if made is group else made.label(pair)
            assert int(got) + 1 == a * pow(b, power, p) % p
        assert made == getattr(rfm, name)(p)
        assert repr(made) == repr(getattr(rfm, name)(p))

    D.expect(D.call(name, value), right)


@entry("abelian")
def _lists_groups(D: Draw) -> None:
    value, order = D.integer(2, 36, "order", (2**61 - 1,), 2**61 - 1, limited=False)
    if order > 37:
        D.bad.append("a vast group")

    def right(groups: list[rfm.Group]) -> None:
        partitions = {1: 1, 2: 2, 3: 3, 4: 5, 5: 7}
        count, rest = 1, order
        for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
            times = 0
            while rest % p == 0:
                rest, times = rest // p, times + 1
            count *= partitions.get(times, 1)
        assert len(groups) == count == len(set(groups))
        assert all(math.prod(g.moduli) == order == g.order for g in groups)

    D.expect(D.call("abelian", value), right)


@entry("Group", "Group\\.(__eq__|logarithm|table|inverses|orders)", examples=60)
def _builds_a_group(D: Draw) -> None:
    """Any labelling of Z_a × Z_b by a bijection is right; anything else is refused."""
    moduli = D.pick((4,), (5,), (2, 2), (2, 3), (3,))
    n = math.prod(moduli)
    order = D.data.draw(st.permutations(range(n)))
    logarithm, values = torch.tensor(order), list(range(n))
    wrong = D.pick(*[""] * 8, "repeated", "out", "short", "float", "values", "few", "modulus", "2d")
    good = moduli
    if wrong:
        D.bad.append(wrong)
    if wrong == "repeated":
        logarithm[0] = logarithm[1]
    elif wrong == "out":
        logarithm = logarithm + D.pick(1, -1, 100)
    elif wrong == "short":
        logarithm = logarithm[1:]
    elif wrong == "float":
        logarithm = logarithm.double()
    elif wrong == "2d":
        logarithm = logarithm[None]
    elif wrong == "values":
        values[1] = values[0]
    elif wrong == "few":
        values = values[:-1]
    elif wrong == "modulus":
        moduli = (*moduli[:-1], D.pick(0, -1, True, 2.0, None, moduli[-1] + 1))

    def right(group: rfm.Group) -> None:
        digits = list(product(*map(range, good)))
        for a, b in product(range(n), repeat=2):
            x, y = digits[order[a]], digits[order[b]]
            z = tuple((i + j) % m for i, j, m in zip(x, y, good, strict=True))
            assert order[int(group.table[a, b])] == digits.index(z)
            assert (int(group.inverses[a]) == b) == (order[int(group.table[a, b])] == 0)
        D.ask("Group.logarithm", order, group)
        orders = [
            next(
                k
                for k in range(1, n + 1)
                if all(k * i % m == 0 for i, m in zip(x, good, strict=True))
            )
            for x in (digits[order[a]] for a in range(n))
        ]
        D.ask("Group.orders", orders, group)
        other = list(range(n))
        same = rfm.Group(good, torch.tensor(order), values, "A")
        assert group == same
        if other != order:
            differs = rfm.Group(good, torch.tensor(other), values, "A")
            if not torch.equal(differs.table, group.table):
                assert differs != group, "two groups with different tables are equal"

    D.expect(D.call("Group", moduli, logarithm, values, "A"), right)


@entry("Group\\.(multiply|inverse|position)", "Task\\.(pair|rotation|reflection|element)")
def _finds_elements(D: Draw) -> None:
    w = D.world()
    group, task = w.task.group, w.task
    what = D.pick("position", "pair", "rotation", "reflection", "multiply", "inverse", "element")
    if what in ("multiply", "inverse"):
        a, b = D.data.draw(
            st.tuples(*[st.lists(st.integers(0, w.n - 1), min_size=2, max_size=2)] * 2)
        )
        ta, tb = torch.tensor(a), torch.tensor(b)
        if D.chance(3):
            ta = D.pick(
                ta + w.n, ta - w.n, ta.double(), ta.bool(), None, "x", torch.tensor([-1, 0])
            )
            D.bad.append("positions")
        if what == "inverse":
            D.ask("Group.inverse", [w.inverse[i] for i in a], group, ta)
        else:
            right = [w.star[i][j] for i, j in zip(a, b, strict=True)]
            D.ask("Group.multiply", right, group, ta, tb)
        return
    if what == "element":
        value, i = D.integer(0, w.n - 1, "position")
        D.ask("Task.element", str(w.elements[i]) if not D.bad else "", task, value)
        return
    i = D.int(0, w.n - 1)
    value: object = w.elements[i]
    if D.chance(2):
        if isinstance(value, tuple):
            value = D.pick(tuple(map(np.int64, value)), (*value, 0), value[:1], [*value], *NASTY)
        else:
            value = D.pick(np.int64(value), np.uint8(value), (value,), w.n + 3, -7, *NASTY)
        parts = value if isinstance(value, tuple) else (value,)
        try:
            plain = tuple(operator.index(x) for x in parts)
        except TypeError:
            plain = None
        tuples = isinstance(w.elements[0], tuple)
        if plain is not None and not any(isinstance(x, bool | np.bool_) for x in parts):
            plain = plain if tuples else plain[0] if len(plain) == 1 else plain
        else:
            plain = None
        odd = any(isinstance(x, Tensor | np.ndarray) for x in parts)
        odd |= isinstance(value, tuple) and not tuples
        D.judged(value, plain not in w.place, odd, "element")
        i = w.place.get(plain, 0)
    if what == "position":
        D.ask("Group.position", i, group, value)
    elif what == "pair":
        D.ask("Task.pair", [i, w.e], task, value, w.elements[w.e])
    else:
        reflects = what == "reflection"
        result = D.call(f"Task.{what}", task, value)
        D.expect(result, lambda g: equal((g.k, g.reflects, type(g.k)), (i, reflects, int)))


@entry(
    "Task\\.(label|index|checked|listed|mirror|one_hot|one_hot_labels)",
    "(Symmetry|Equivalence)\\.__call__",
    examples=160,
)
def _takes_pairs(D: Draw) -> None:
    """Whatever takes pairs, in one test: the same pairs are right or wrong for all."""
    w = D.world()
    task, n = w.task, w.n
    method = D.pick(
        "label", "index", "checked", "listed", "mirror", "one_hot", "one_hot_labels", "g", "φ"
    )
    pairs, plain, single = D.pairs(w)

    def answer(values: list) -> object:
        return values[0] if single else values

    if method == "label":
        D.ask("Task.label", answer([w.label[a][b] for a, b in plain]), task, pairs)
    elif method == "index":
        D.ask("Task.index", answer([a * n + b for a, b in plain]), task, pairs)
    elif method == "mirror":
        D.ask("Task.mirror", answer([w.mirror[x] for x in plain]), task, pairs)
    elif method == "checked":
        D.ask("Task.checked", answer([list(x) for x in plain]), task, pairs)
    elif method == "listed":
        D.ask("Task.listed", [list(x) for x in sorted(set(plain))], task, pairs)
    elif method == "one_hot":
        code = [[float(i in (a, n + b)) for i in range(2 * n)] for a, b in plain]
        D.ask("Task.one_hot", answer(code), task, pairs, *_dtype(D))
    elif method == "one_hot_labels":
        code = [[float(i == w.label[a][b]) for i in range(n)] for a, b in plain]
        D.ask("Task.one_hot_labels", answer(code), task, pairs, *_dtype(D))
    elif method == "g":
        g = D.symmetry(w)
        D.ask("Symmetry.__call__", answer([list(w.act(g, x)) for x in plain]), g, pairs)
    else:
        equivalence, act = _equivalence(D, w)
        right = answer([list(act(x)) for x in plain])
        D.ask("Equivalence.__call__", right, equivalence, pairs)


def _dtype(D: Draw) -> tuple[object, ...]:
    """A dtype of codes, which may be left out."""
    if not D.chance(4):
        return ()
    value = D.pick(torch.float32, torch.int64, torch.float64, "float64", float, 5, np.float64)
    return (D.judged(value, not isinstance(value, torch.dtype), False, "dtype"),)


def _equivalence(D: Draw, w: World) -> tuple[rfm.Equivalence, Callable[[Pair], Pair]]:
    """An equivalence by inversion, a power map, translations and a swap."""
    s, t, swaps = D.int(0, w.n - 1), D.int(0, w.n - 1), D.pick(False, True)
    φ = D.pick(list(range(w.n)), w.inverse)
    made = rfm.Equivalence(w.task, torch.tensor(φ), s, t, swaps)

    def act(pair: Pair) -> Pair:
        a, b = w.star[φ[pair[0]]][s], w.star[φ[w.twist[pair[1]]]][t]
        a, b = (b, a) if swaps else (a, b)
        return a, w.twist[b]

    return made, act


@entry(
    "Task\\.(name|n|dimension|samples|labels|logarithm|identity|rotations|reflections|symmetries)",
    "Task\\.by_logarithm",
    "Task\\.__eq__",
    "Task",
    examples=60,
)
def _builds_a_task(D: Draw) -> None:
    w = D.world()
    group, twist = w.task.group, list(w.twist)
    good = twist == w.inverse or twist == list(range(w.n))
    assert good
    wrong = D.pick(*[""] * 6, "permuted", "float", "short", "out", "list", "group", "symbol", "2d")
    value: object = torch.tensor(twist)
    if wrong == "permuted":
        twist = D.data.draw(st.permutations(range(w.n)))
        value = torch.tensor(twist)
        involution = all(twist[twist[i]] == i for i in range(w.n))
        keeps = all(
            twist[w.star[a][b]] == w.star[twist[a]][twist[b]]
            for a, b in product(range(w.n), repeat=2)
        )
        if not (involution and keeps):
            D.bad.append(f"twist {twist}")
    elif wrong in ("float", "short", "out", "2d"):
        D.bad.append(wrong)
        value = {"float": value.double(), "short": value[1:], "out": value + 1, "2d": value[None]}[
            wrong
        ]
    elif wrong == "list":
        D.open.append(wrong)
        value = twist
    if wrong == "group":
        group = D.confused(group, "group")
    symbol = D.pick(*NASTY) if wrong == "symbol" else "∘"
    if not isinstance(symbol, str) or not symbol:
        D.open.append("symbol")

    def right(task: rfm.Task) -> None:
        samples = w.pairs
        labels = [w.star[a][twist[b]] for a, b in samples]
        D.bad.clear()
        D.open.clear()
        D.ask("Task.labels", labels, task)
        D.ask("Task.samples", [list(x) for x in samples], task)
        D.ask("Task.n", w.n, task)
        D.ask("Task.dimension", 2 * w.n, task)
        assert len(task.symmetries) == 2 * len(task.rotations) == 2 * len(task.reflections)
        assert task.identity in task.rotations
        for g in task.symmetries:  # none changes a label
            assert torch.equal(task.label(g(task.samples)), task.labels)
        plain = torch.arange(w.n)
        direct = rfm.Task(task.group, plain, task.symbol, "m")
        other = rfm.Task(task.group, torch.tensor(twist), task.symbol, "m")
        if twist == plain.tolist():
            assert direct == other
        else:
            assert direct != other, "tasks that differ in the twist are equal"
            assert direct.rotations[0] != other.rotations[0]
        logarithm = task.logarithm.tolist()
        place = sorted(range(w.n), key=logarithm.__getitem__)
        M = torch.arange(4 * w.n**2).reshape(2 * w.n, 2 * w.n)
        rows = place + [w.n + i for i in place]
        D.ask("Task.by_logarithm", [[M[i, j].item() for j in rows] for i in rows], task, M)

    D.expect(D.call("Task", group, value, symbol, "m"), right)


@entry(
    "Symmetry",
    "Symmetry\\.(inverse|fixed_points|coordinates|matrix|permutation|on_samples|name|__mul__)",
    examples=60,
)
def _multiplies(D: Draw) -> None:
    w = D.world()
    g, h = D.symmetry(w), D.symmetry(w)
    what = D.pick("mul", "inverse", "fixed_points", "coordinates", "matrix", "on_samples", "new")
    act, n = w.acts[g.reflects][g.k], w.n
    if what == "new":
        k, plain = D.integer(0, n - 1, "k")
        reflects, flag = D.flag("reflects")
        task = D.confused(w.task, "task")
        result = D.call("Symmetry", task, k, reflects)
        D.expect(result, lambda g: equal((g.k, bool(g.reflects)), (plain, flag)))
    elif what == "mul":
        other = D.confused(h, "factor")
        if not D.bad and D.chance(3):
            v = D.world()
            other = D.symmetry(v)
            h = other
            if v is not w:
                D.bad.append("another task")

        def right(gh: rfm.Symmetry) -> None:
            first = w.acts[h.reflects][h.k]
            assert all(w.act(gh, x) == act[first[x]] for x in w.pairs)
            assert gh.name
            assert isinstance(gh.name, str)

        D.expect(D.call("Symmetry.__mul__", g, other), right)
    elif what == "inverse":
        result = D.call("Symmetry.inverse", g)
        D.expect(result, lambda back: equal([w.act(back, act[x]) for x in w.pairs], w.pairs))
    elif what == "fixed_points":
        right = [list(x) for x in w.pairs if act[x] == x]
        D.ask("Symmetry.fixed_points", right, g)
    elif what == "on_samples":
        right = [a * n + b for a, b in (act[x] for x in w.pairs)]
        D.ask("Symmetry.on_samples", right, g)
    else:
        images = w.coordinates(g.reflects, g.k)
        D.ask("Symmetry.coordinates", images, g)
        permutation = D.call("Symmetry.permutation", g).value
        assert [permutation(i) for i in range(2 * n)] == images
        Π = [[float(images[j] == i) for j in range(2 * n)] for i in range(2 * n)]
        D.ask("Symmetry.matrix", Π, g, *_dtype(D))


@entry(
    *("generate", "orbits", "stabiliser", "Subgroup.*"),
    "Split\\.(alike|kept_by|reached_by)",
    examples=90,
)
def _finds_subgroups(D: Draw) -> None:
    w = D.world()
    elements = [D.symmetry(w) for _ in range(D.int(1, 3))]
    what = D.pick("generate", "orbits", "stabiliser", "keeps", "split", "facts", "new")
    group = w.generated([(g.reflects, g.k) for g in elements])
    ordered = sorted(group)

    def names(H: rfm.Subgroup) -> list[tuple[bool, int]]:
        return [(g.reflects, g.k) for g in H.elements]

    if what == "generate":
        arguments: list[object] = list(elements)
        if D.chance(4):
            arguments = D.pick([], [*elements, None], [*elements, 3], [elements], [rfm.Symmetry])
            D.bad.append("generators")
        D.expect(D.call("generate", *arguments), lambda H: equal(names(H), ordered))
    elif what == "new":
        chosen = [rfm.Symmetry(w.task, k, f) for f, k in ordered]
        wrong = D.pick("", "", "one less", "twice", "none", "list", "other", "unsorted")
        if wrong == "one less" and len(chosen) > 1:
            chosen = chosen[:-1] if len(chosen) > 2 else chosen[1:]
        elif wrong == "twice":
            chosen = chosen + chosen[-1:]
        elif wrong == "none":
            chosen = []
        elif wrong == "other":
            chosen = [*chosen, D.symmetry(WORLDS[WORLDS.index(w) - 1])]
        elif wrong == "unsorted" and len(chosen) > 1:
            chosen = chosen[::-1]
        else:
            wrong = wrong if wrong == "list" else ""
        if wrong not in ("", "list", "unsorted", "twice"):
            D.bad.append(wrong)
        value = chosen if wrong == "list" else tuple(chosen)
        D.expect(D.call("Subgroup", value), lambda H: equal(names(H), ordered))
    elif what == "orbits":
        generators: object = D.confused(D.pick(tuple, list, iter)(elements), "generators")
        pairs, plain, _ = D.pairs(w)
        closed = [rfm.Symmetry(w.task, k, f) for f, k in ordered]
        expected = {tuple(sorted({w.act(g, x) for g in closed})) for x in plain}
        right = sorted([list(x) for x in orbit] for orbit in expected)
        result = D.call("orbits", generators, pairs)
        D.expect(result, lambda found: equal([o.tolist() for o in found], right))
    elif what == "stabiliser":
        split = D.split(w)
        train = {tuple(x) for x in split.train.tolist()}
        right = [
            (f, k)
            for f in (False, True)
            for k in range(w.n)
            if {w.acts[f][k][x] for x in train} == train
        ]
        value = D.confused(split, "split")
        D.expect(D.call("stabiliser", value), lambda H: equal(names(H), right))
    elif what == "keeps":
        H, method = rfm.generate(*elements), D.pick("keeps", "orbit")
        pairs, plain, _ = D.pairs(w)
        orbit = w.orbit(elements, set(plain))
        if method == "keeps":
            D.ask("Subgroup.keeps", orbit == set(plain), H, pairs)
        else:
            D.ask("Subgroup.orbit", [x in orbit for x in w.pairs], H, pairs)
    elif what == "split":
        H, v = rfm.generate(*elements), D.world() if D.chance(5) else w
        split, other = D.split(v), D.split(v if D.pick(True, False) else w)
        method = D.pick("alike", "kept_by", "reached_by")
        train = {tuple(x) for x in split.train.tolist()}
        if method == "alike":
            same = v.task == other.task and split.train.tolist() == other.train.tolist()
            D.ask("Split.alike", same, split, D.confused(other, "other"))
            return
        if v is not w:
            D.bad.append("another task")
        orbit = w.orbit(elements, train) if v is w else set()
        if method == "kept_by":
            D.ask("Split.kept_by", orbit == train, split, D.confused(H, "subgroup"))
        else:
            right = [tuple(x) in orbit for x in split.test.tolist()]
            D.ask("Split.reached_by", right, split, D.confused(H, "subgroup"))
    else:
        H = rfm.generate(*elements)
        D.ask("Subgroup.order", len(group), H)
        assert len(H) == len(list(H)) == len(group)
        assert elements[0] in H
        assert None not in H
        assert len(H.rotations) + len(H.reflections) == len(group)
        assert H.task == w.task
        assert H.permutations.order() == len(group)
        assert math.prod(H.invariant_factors) == len(H.rotations)
        assert isinstance(H.name, str)
        assert H.name
        assert repr(H)
        assert names(rfm.generate(*H.generators)) == ordered
        orbits = {tuple(sorted(w.orbit(list(H), {x}))) for x in w.pairs}
        found = D.call("Subgroup.sample_orbits", H).value
        assert [o.tolist() for o in found] == sorted([list(x) for x in o] for o in orbits)
        coordinates = [w.coordinates(f, k) for f, k in group]
        orbits = {tuple(sorted({c[i] for c in coordinates})) for i in range(2 * w.n)}
        fixed = {x for f, k in group if f for x in w.pairs if w.acts[f][k][x] == x}
        D.ask("Subgroup.fixed_points", [list(x) for x in w.pairs if x in fixed], H)
        found = D.call("Subgroup.coordinate_orbits", H).value
        assert [tuple(o.tolist()) for o in found] == sorted(orbits)


# --- Splits ---------------------------------------------------------------------------------------


def _kinds(split: rfm.Split) -> dict[Pair, int]:
    return dict(zip(map(tuple, split.task.samples.tolist()), split.kind.tolist(), strict=True))


def _some_split() -> rfm.Split:
    return rfm.withhold(WORLDS[0].task, torch.tensor([[0, 1], [2, 2]]))


def _check_split(split: rfm.Split, w: World, kinds: dict[Pair, int]) -> None:
    """Every fact of a split against the kinds it should have."""
    assert _kinds(split) == kinds
    assert split.train.tolist() == [list(x) for x in w.pairs if kinds[x] == 0]
    assert split.test.tolist() == [list(x) for x in w.pairs if kinds[x] != 0]
    assert split.test_kind.tolist() == [kinds[x] for x in w.pairs if kinds[x] != 0]
    assert repr(split)
    assert split.history
    again = pickle.loads(pickle.dumps(split))
    assert _kinds(again) == kinds


@entry("withhold", "Split\\.(train|test|test_kind)", examples=120)
def _withholds(D: Draw) -> None:
    w = D.world()
    if D.chance(12):
        pairs, plain = w.task.samples, w.pairs
        D.bad.append("all pairs")
    elif D.chance(6):
        mirror = D.int(0, w.n - 1)
        plain = [(a, w.fixed[mirror][a]) for a in range(w.n)]
        pairs = torch.tensor(plain)
        if D.chance(2):
            pairs = pairs.T
            D.bad.append("transposed fixed points")
    else:
        pairs, plain, _ = D.pairs(w, most=12)
        if not plain and not D.bad:
            D.bad.append("no pair")
    task = D.confused(w.task, "task")

    def right(split: rfm.Split) -> None:
        held = set(plain)
        _check_split(split, w, {x: 2 if x in held else 0 for x in w.pairs})
        mirrors = [k for k in range(w.n) if all((a, w.fixed[k][a]) in held for a in range(w.n))]
        assert [(g.reflects, g.k) for g in split.mirrors] == [(True, k) for k in mirrors]

    D.expect(D.call("withhold", task, pairs), right)


SEEDS = (2**64, -(2**64), 2**63)


@entry("random_split", examples=120)
def _splits_at_random(D: Draw) -> None:
    w = D.world()
    total = w.n**2
    fits = lambda f: 0 < f < 1 and 0 < round(f * total) < total  # noqa: E731
    fraction, plain = D.number((0.5, 0.3, 0.501, 0.504, 0.999, 0.01), lambda f: True, "fraction")
    if not D.bad and not fits(plain):
        D.bad.append(f"fraction {plain}")
    seed, number = _seed(D)

    def right(split: rfm.Split) -> None:
        kinds = _kinds(split)
        assert sum(k == 0 for k in kinds.values()) == round(plain * total)
        assert set(kinds.values()) == {0, 1}
        _check_split(split, w, kinds)
        again = rfm.random_split(w.task, fraction, number)
        assert _kinds(again) == kinds
        near = float(np.nextafter(plain, 1)) if plain < 0.99 else float(np.nextafter(plain, 0))
        if fits(near) and type(fraction) is float:
            other = rfm.random_split(w.task, near, number)
            assert other.history != split.history, "two fractions are printed alike"

    D.expect(D.call("random_split", D.confused(w.task, "task"), fraction, seed), right)


def _seed(D: Draw) -> tuple[object, int]:
    if D.chance(4):
        number = D.int(0, 9)
        return torch.Generator().manual_seed(number), number
    value, plain = D.integer(-(2**63), 99, "seed", SEEDS, limited=False)
    if plain >= 2**64:
        D.bad.append("a vast seed")
    elif not 0 <= plain < 2**63:
        D.open.append("a seed that torch may take")
    return value, plain


@entry("Split\\.(of_kind|reached_by_orbits|orbit_baseline)", "Split", "Kind", examples=80)
def _builds_a_split(D: Draw) -> None:
    w = D.world()
    kinds = D.data.draw(st.lists(st.integers(0, 3), min_size=w.n**2, max_size=w.n**2))
    value: object = torch.tensor(kinds, dtype=torch.uint8)
    odd = {
        "zeros": torch.zeros_like(value),
        "ones": torch.ones_like(value),
        "seven": torch.cat([value[1:], torch.tensor([7], dtype=torch.uint8)]),
        "short": value[1:],
        "square": value.reshape(w.n, w.n),
        "float": value.double(),
        "none": None,
        "meta": value.to("meta"),
    }
    if D.chance(3):
        guise = D.pick(*odd)
        value = odd[guise]
        D.bad.append(f"kind {guise}")
    elif D.chance(6):
        value = value.long()
        D.open.append("int64")
    elif 0 not in kinds or set(kinds) == {0}:
        D.bad.append("nothing in test or in training")
    task = D.confused(w.task, "task")

    def right(split: rfm.Split) -> None:
        D.open.clear()
        all_kinds = dict(zip(w.pairs, kinds, strict=True))
        assert _kinds(split) == all_kinds
        kind: object = D.pick(*rfm.Kind, 7, "TRAIN", None, -1, np.int64(2), 1.0, True)
        if not isinstance(kind, rfm.Kind):
            D.judged(kind, kind in (7, -1, "TRAIN", None), True, "kind")
        of_kind = [list(x) for x in w.pairs if all_kinds[x] == kind]
        D.ask("Split.of_kind", of_kind, split, kind)

    if D.expect(D.call("Split", task, value, history=("made",)), right):
        D.bad.clear()
        D.open.clear()
        split = D.split(w)
        mirrors = [g for g in split.mirrors]
        right_mask = None
        if mirrors:
            orbit = w.orbit(mirrors, {tuple(x) for x in split.train.tolist()})
            right_mask = [tuple(x) in orbit for x in split.test.tolist()]
        D.ask("Split.reached_by_orbits", right_mask, split)
        share = None if right_mask is None else sum(right_mask) / len(right_mask)
        D.expect(
            D.call("Split.orbit_baseline", split),
            lambda value: (
                equal(value is None, share is None)
                or equal(value is None or abs(value - share) < 1e-12, True)
            ),
        )


@entry("Split\\.(move|give_back|move_random|give_back_random|move_mirror_pairs)", examples=160)
def _moves(D: Draw) -> None:
    w = D.world()
    split = D.split(w)
    kinds = _kinds(split)
    before = dict(kinds)
    what = D.pick("move", "give_back", "move_random", "give_back_random", "move_mirror_pairs")
    gives = what.startswith("give_back")
    pool = [x for x in w.pairs if kinds[x] == (2 if gives else 0)]
    goes, where = (2, 0) if gives else (0, 3)
    if what in ("move", "give_back"):
        pairs, plain, _ = D.pairs(w, pool=pool if D.chance(2) else pool or w.pairs)
        if not D.bad:
            if any(kinds[x] != goes for x in plain):
                D.bad.append("a pair of another kind")
            if not plain:
                D.open.append("no pair")
        new = {x: where if x in set(plain) else kinds[x] for x in w.pairs}
        if not D.bad and not any(k == 0 for k in new.values()):
            D.bad.append("nothing left in training")
        if not D.bad and all(k == 0 for k in new.values()):
            D.bad.append("nothing left in test")
        D.expect(D.call(f"Split.{what}", split, pairs), lambda s: _check_split(s, w, new))
    else:
        arguments: list[object] = []
        most, each = len(pool), 1
        if what == "move_mirror_pairs":
            g = rfm.Symmetry(w.task, D.int(0, w.n - 1), True)
            image = w.acts[True][g.k]
            pool = [x for x in pool if kinds[image[x]] == 0 and image[x] > x]
            most, each = len(pool), 2
        count, number = D.integer(0, min(most, 3), "count", (2**40, 0.5))
        if D.bad and number <= most and number >= 0 and type(count) is int:
            D.bad.pop()
        if each == 2:
            mirror = D.confused(g, "mirror")
            if D.chance(8):
                mirror = D.pick(w.task.identity, D.symmetry(WORLDS[WORLDS.index(w) - 1]))
                D.bad.append("mirror")
            arguments = [mirror]
        seed, _ = _seed(D)
        left = sum(k == 0 for k in kinds.values()) + (number if gives else -each * number)
        if not D.bad and not 0 < left < w.n**2:
            D.bad.append("nothing left")

        def right(after: rfm.Split) -> None:
            new = _kinds(after)
            changed = {x for x in w.pairs if new[x] != before[x]}
            assert len(changed) == each * number
            assert all(before[x] == goes and new[x] == where for x in changed)
            if each == 2:
                assert {image[x] for x in changed} == changed
            _check_split(after, w, new)

        D.expect(D.call(f"Split.{what}", split, count, *arguments, seed), right)
    assert _kinds(split) == before


@entry("Split\\.(flip_labels|flipped|train_labels)", examples=60)
def _flips_labels(D: Draw) -> None:
    w = D.world()
    split = D.split(w)
    fraction, share = D.number((0.5, 0.1, 0.0, 1.0, 1.1, -0.1), lambda f: True, "fraction")
    if not D.bad and not 0 <= share <= 1:
        D.bad.append(f"fraction {share}")
    seed, number = _seed(D)
    train = [tuple(x) for x in split.train.tolist()]
    told = [w.label[a][b] for a, b in train]

    def right(after: rfm.Split) -> None:
        changed = [a != b for a, b in zip(after.train_labels.tolist(), told, strict=True)]
        assert changed == after.flipped.tolist()
        assert sum(changed) == round(share * len(train))
        assert torch.equal(after.kind, split.kind)
        again = split.flip_labels(fraction, number)
        assert torch.equal(again.train_labels, after.train_labels)

    D.expect(D.call("Split.flip_labels", split, fraction, seed), right)
    assert split.train_labels.tolist() == told
    assert not split.flipped.any()


@entry(examples=60)
def _hands_out_copies(D: Draw) -> None:
    """What is handed out can be overwritten without harm to what handed it out."""
    w = D.world()
    task = w.make()
    things: dict[str, object] = {
        "Group": task.group,
        "Task": task,
        "Split": rfm.withhold(task, torch.tensor([w.pairs[1], w.pairs[2]])),
    }
    name = D.pick(*things)
    thing = things[name]
    attributes = [a for a in dir(thing) if a[0] != "_"]
    found = []
    for attribute in attributes:
        value = getattr(thing, attribute)
        if isinstance(value, Tensor) or (
            inspect.ismethod(value)
            and not [
                p for p in inspect.signature(value).parameters.values() if p.default is p.empty
            ]
            and isinstance(value(), Tensor)
        ):
            found.append(attribute)
    attribute = D.pick(*found)
    note(f"{name}.{attribute}.fill_(1)")

    def read() -> Tensor:
        value = getattr(thing, attribute)
        return value() if callable(value) else value

    right = read().clone()
    facts = fingerprint(thing)
    read().fill_(1)
    assert torch.equal(read(), right), f"{name}.{attribute} can be overwritten"
    assert fingerprint(thing) == facts
    if name == "Split":  # nor does what it was made of
        kind = right_kind = torch.tensor([0, 1] * (w.n**2), dtype=torch.uint8)[: w.n**2]
        split = rfm.Split(task, kind, history=("made",))
        right_kind = kind.clone()
        kind.fill_(0)
        assert torch.equal(split.kind, right_kind), "a split shares its kinds with their maker"


# --- Equivalences ---------------------------------------------------------------------------------


def _automorphisms(w: World) -> list[list[int]]:
    """All of them by trying every map of generators, in Python."""
    n, found = w.n, []
    generators: list[int] = []
    words: dict[int, tuple[int, ...]] = {w.e: ()}
    while len(words) < n:
        generators.append(next(i for i in range(n) if i not in words))
        before = 0
        while before != len(words):
            before = len(words)
            for x, word in list(words.items()):
                for place, g in enumerate(generators):
                    words.setdefault(w.star[x][g], (*word, place))
    for images in product(range(n), repeat=len(generators)):
        map_ = []
        for x in range(n):
            y = w.e
            for place in words[x]:
                y = w.star[y][images[place]]
            map_.append(y)
        bijective = sorted(map_) == list(range(n))
        if bijective and all(
            map_[w.star[a][b]] == w.star[map_[a]][map_[b]] for a, b in product(range(n), repeat=2)
        ):
            found.append(map_)
    return found


@cache
def _known_automorphisms(place: int) -> list[list[int]]:
    return _automorphisms(WORLDS[place])


@entry(
    "automorphisms",
    "equivalences",
    "single_classes",
    "pair_classes",
    "HeldOut.*",
    "Equivalence",
    "Equivalence\\.(on_labels|coordinates|on_samples|translated)",
    examples=60,
)
def _knows_equivalences(D: Draw) -> None:
    w = D.world()
    known = _known_automorphisms(WORLDS.index(w))
    what = D.pick("automorphisms", "equivalences", "classes", "single", "new", "facts", "held")
    if what == "automorphisms":
        group = D.confused(w.task.group, "group")
        result = D.call("automorphisms", group)
        D.expect(result, lambda rows: equal(sorted(rows.tolist()), sorted(known)))
    elif what == "equivalences":
        if w.n > 6:
            return
        result = D.call("equivalences", D.confused(w.task, "task"))

        def right(maps: list[rfm.Equivalence]) -> None:
            assert len(maps) == 2 * w.n**2 * len(known)
            some = maps[D.int(0, len(maps) - 1)]
            on = some.on_labels().tolist()
            assert [w.label[a][b] for a, b in some(w.task.samples).tolist()] == [
                on[w.label[a][b]] for a, b in w.pairs
            ]

        D.expect(result, right)
    elif what == "single":
        result = D.call("single_classes", D.confused(w.task, "task"))
        D.expect(result, lambda found: equal([c.size for c in found], [w.n**2]))
    elif what == "classes":
        result = D.call("pair_classes", D.confused(w.task, "task"))
        total = w.n**2 * (w.n**2 - 1) // 2
        D.expect(result, lambda found: equal(sum(c.size for c in found), total))
    elif what == "held":
        pairs, plain, single = D.pairs(w, most=3)
        if single or len(plain) not in (1, 2) or len(set(plain)) < len(plain):
            D.bad.append("not one sample or two")
        size, _ = D.integer(1, 9, "size", limited=False)
        result = D.call("HeldOut", w.task, pairs, size)

        def right(held: rfm.HeldOut) -> None:
            D.open.clear()
            mirrors = {w.mirror[x] for x in plain}
            found = D.call("HeldOut.common_mirror", held).value
            assert (None if found is None else found.k) == (
                mirrors.pop() if len(mirrors) == 1 else None
            )
            D.ask("HeldOut.same_label", len({w.label[a][b] for a, b in plain}) == 1, held)
            assert isinstance(D.call("HeldOut.name", held).value, str)

        D.expect(result, right)
    elif what == "new":
        φ = D.data.draw(st.permutations(range(w.n)))
        if D.chance(2):
            φ = D.pick(*known)
        if φ not in known:
            D.bad.append("no automorphism")
        s, _ = D.integer(0, w.n - 1, "s")
        t, _ = D.integer(0, w.n - 1, "t")
        swaps, _ = D.flag("swaps")
        value: object = torch.tensor(φ)
        if D.chance(5):
            value = D.pick(value.double(), value[1:], value + 1, None, φ)
            D.judged("φ", value is not φ, True, "")
        result = D.call("Equivalence", D.confused(w.task, "task"), value, s, t, swaps)
        D.expect(result, lambda e: equal(sorted(e.on_samples().tolist()), list(range(w.n**2))))
    else:
        made, act = _equivalence(D, w)
        D.ask("Equivalence.on_samples", [a * w.n + b for a, b in map(act, w.pairs)], made)
        images = [0] * (2 * w.n)
        for a, b in w.pairs:
            c, d = act((a, b))
            images[a], images[w.n + b] = (w.n + d, c) if made.swaps else (c, w.n + d)
        D.ask("Equivalence.coordinates", images, made)
        D.ask("Equivalence.on_labels", _on_labels(w, act), made)
        (s, _), (t, _) = (D.integer(0, w.n - 1, name) for name in "st")
        swaps, _ = D.flag("swaps")
        moved = D.call("Equivalence.translated", made, s, t, swaps)

        def right(other: rfm.Equivalence) -> None:
            D.open.clear()
            again = rfm.Equivalence(w.task, made.automorphism, int(s), int(t), bool(swaps))
            assert fingerprint(other) == fingerprint(again)
            D.ask("Equivalence.on_samples", again.on_samples().tolist(), other)

        D.expect(moved, right)


def _on_labels(w: World, act: Callable[[Pair], Pair]) -> list[int]:
    labels = [0] * w.n
    for a, b in w.pairs:
        c, d = act((a, b))
        labels[w.label[a][b]] = w.label[c][d]
    return labels


# --- Kernels --------------------------------------------------------------------------------------


class Rational(rfm.RadialKernel):
    """1 / (1 + u), by its profile."""

    def profile(self, u: Tensor) -> Tensor:
        return 1 / (1 + u)


class RationalWeighted(Rational):
    """The same with its weight."""

    def weight(self, u: Tensor) -> Tensor:
        return 2 / (1 + u) ** 2


class RationalNew(Rational):
    """The same with in-place methods that leave their argument alone and return a new tensor."""

    def value_(self, u: Tensor) -> Tensor:
        return 1 / (1 + u)

    def weight_(self, u: Tensor) -> Tensor:
        return 2 / (1 + u) ** 2


class RationalSpoiled(Rational):
    """The same with in-place methods that overwrite their argument with something else."""

    def value_(self, u: Tensor) -> Tensor:
        return u.add_(1) ** -1

    def weight_(self, u: Tensor) -> Tensor:
        return u.add_(1).square_().reciprocal_() * 2


class RationalInPlace(Rational):
    """The same, truly in place."""

    def value_(self, u: Tensor) -> Tensor:
        return u.add_(1).reciprocal_()

    def weight_(self, u: Tensor) -> Tensor:
        return u.add_(1).pow_(-2).mul_(2)


class Cubed(rfm.InnerProductKernel):
    """(1 + t)³ / 8, by its profile."""

    def profile(self, t: Tensor) -> Tensor:
        return (1 + t) ** 3 / 8


class CubedNew(Cubed):
    """The same with in-place methods that return a new tensor."""

    def value_(self, t: Tensor) -> Tensor:
        return (1 + t) ** 3 / 8

    def weight_(self, t: Tensor) -> Tensor:
        return 3 * (1 + t) ** 2 / 8


class WrongWeight(Rational):
    """A weight that belongs to another kernel."""

    def weight(self, u: Tensor) -> Tensor:
        return 1 / (1 + u) ** 2

    def weight_(self, u: Tensor) -> Tensor:
        return u.add_(1).pow_(-2)


class Scalar(Rational):
    """A profile that forgets the shape."""

    def profile(self, u: Tensor) -> Tensor:
        return (1 / (1 + u)).sum()


class Nothing(Rational):
    """A profile that returns nothing."""

    def profile(self, u: Tensor) -> None:
        return None


class NotANumber(Rational):
    """A profile that gives NaN."""

    def profile(self, u: Tensor) -> Tensor:
        return u * NAN


Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Case:
    """A kernel and, in numpy, its profile and the derivative of that."""

    make: Callable[[], rfm.Kernel]
    radial: bool = True
    φ: Function = lambda u: 1 / (1 + u)
    slope: Function = lambda u: -1 / (1 + u) ** 2
    wild: bool = False
    broken: bool = False


def _gaussian(L: float, wild: bool = False) -> Case:
    c = np.float64(0.5) / np.float64(L) ** 2
    return Case(
        lambda: rfm.Gaussian(L), True, lambda u: np.exp(-c * u), lambda u: -c * np.exp(-c * u), wild
    )


def _matern(L: float, ν: float) -> Case:
    """Matérn, or Laplace for ν = 0; √(2ν) r / L = z."""
    scale = math.sqrt(2 * ν) / L if ν else 1 / L

    def φ(u: Array) -> Array:
        z = scale * np.sqrt(u)
        polynomial = {0.0: 1, 1.5: 1 + z, 2.5: 1 + z + z * z / 3}[ν]
        return polynomial * np.exp(-z)

    def slope(u: Array) -> Array:  # dφ/du = dφ/dz · scale² / 2z; at 0 it meets a zero gradient
        z = scale * np.sqrt(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_z = {0.0: 1 / z, 1.5: 1, 2.5: (1 + z) / 3}[ν]
            found = -by_z * np.exp(-z) * scale**2 / 2
        return np.where(z > 0, found, 0.0)

    make = (lambda: rfm.Matern(L, ν)) if ν else (lambda: rfm.Laplace(L))
    return Case(make, True, φ, slope)


@cache
def _kernels() -> tuple[Case, ...]:
    with np.errstate(all="ignore"):
        cases = [_gaussian(L) for L in (2.5, 1.0, 0.5, 10.0)]
        wild = (0.05, 0.2, 0.4, 100.0, 1e4, 1e8, 1e-150, 1e-100, 1e150)
        cases += [_gaussian(L, True) for L in wild]
    square = {"φ": lambda t: t * t, "slope": lambda t: 2 * t}
    cubed = {"φ": lambda t: (1 + t) ** 3 / 8, "slope": lambda t: 3 * (1 + t) ** 2 / 8}
    cases.append(Case(rfm.Quadratic, False, **square))
    cases += [Case(k) for k in (Rational, RationalWeighted, RationalNew, RationalSpoiled)]
    cases.append(Case(RationalInPlace))
    cases += [Case(k, False, **cubed) for k in (Cubed, CubedNew)]
    cases += [_matern(2.5, 0.0), _matern(1.0, 0.0), _matern(2.5, 1.5), _matern(2.5, 2.5)]
    cases += [Case(k, wild=True, broken=True) for k in (Scalar, Nothing, NotANumber)]
    return tuple(cases)


@entry("Gaussian", "Gaussian\\.as_printed", "Laplace", "Matern", "Quadratic", examples=80)
def _makes_kernels(D: Draw) -> None:
    name = D.pick("Gaussian", "Gaussian.as_printed", "Laplace", "Matern")
    extremes = (1e-150, 1e150, 9e-151, 1.1e150, 1e-320, 1e308, INF, 0.0, -1.0)
    value, plain = D.number((2.5, 1.0, 0.4, *extremes), lambda L: True, "L")
    if not 1e-150 <= plain <= 1e150 and not D.bad:
        D.bad.append(f"the bandwidth {plain}")
    arguments = [value]
    ν = 0.0
    if name == "Matern":
        smoothness = D.pick(1.5, 2.5, 0.5, 1.0, 0, NAN, "3/2", None, np.float64(1.5), 1j, True)
        fine = smoothness in (1.5, 2.5)
        D.judged(smoothness, not fine, False, "smoothness")
        arguments.append(smoothness)
        ν = float(smoothness) if fine else 1.5

    def right(kernel: rfm.Kernel) -> None:
        pickle.loads(pickle.dumps(kernel))
        if 1e-3 < plain < 1e3:
            L = math.sqrt(plain / 2) if name.endswith("printed") else plain
            case = _gaussian(L) if "Gauss" in name else _matern(L, ν)
            pairs = torch.tensor([[0, 0], [1, 2]])
            M = torch.eye(6, dtype=torch.float64)
            u = np.array([[0.0, 4.0], [4.0, 0.0]])
            close(kernel.gram(pairs, pairs, M), case.φ(u), 1e-12)

    D.expect(D.call(name, *arguments), right)


def _code(pairs: list[Pair], n: int) -> Array:
    X = np.zeros((len(pairs), 2 * n))
    for i, (a, b) in enumerate(pairs):
        X[i, a] = X[i, n + b] = 1
    return X


def _distances(case: Case, X: Array, Y: Array, M: Array) -> Array:
    inner = X @ M @ Y.T
    if not case.radial:
        return inner
    norms = ((X @ M) * X).sum(1)[:, None] + ((Y @ M) * Y).sum(1)[None] - 2 * inner
    return np.maximum(norms, 0)


@entry(
    "\\w*Kernel",
    "(Gaussian|Quadratic|Laplace|Matern|\\w*Kernel)\\.(value_|weight_|weight|profile|checked)",
    examples=60,
)
def _evaluates_kernels(D: Draw) -> None:
    """The functions of one number, each entry by itself; those in place return what they mean."""
    case = D.kernel(tame=True)
    kernel = case.make()
    method = D.pick("profile", "weight", "value_", "weight_", "checked")
    u = np.array(D.data.draw(st.lists(st.floats(0.01, 30), min_size=1, max_size=6)))
    values = torch.from_numpy(u.copy())
    if method == "checked":
        function = D.pick(
            *(kernel.profile, kernel.value_, torch.sum, lambda u: None, torch.Tensor.int)
        )
        if function not in (kernel.profile, kernel.value_):
            D.bad.append("another function")
        found = D.call("Kernel.checked", kernel, lambda u: function(u.clone()), values)
        D.expect(found, lambda found: close(found, case.φ(u), 1e-12))
        return
    right = case.φ(u) if method in ("profile", "value_") else case.slope(u) * (-2) ** case.radial
    with torch.no_grad():
        found = getattr(kernel, method)(values)
    note(f"{kernel!r}.{method}({u.tolist()})")
    close(found, right, 1e-12)
    assert method.endswith("_") or values.tolist() == u.tolist(), f"{method} overwrites"


@entry(
    "(Gaussian|Quadratic|Laplace|Matern|\\w*Kernel)\\.(gram|weights|gradient_products|values|slopes)",
    examples=120,
)
def _applies_kernels(D: Draw) -> None:
    w = D.world()
    case = D.kernel()
    if case.make is NotANumber:
        D.open.append("what the profile says")
    elif case.broken:
        D.bad.append("a broken kernel")
    kernel = case.make()
    method = D.pick("gram", "weights", "gradient_products")
    products = method == "gradient_products"
    left, plain, one = D.pairs(w, least=1)
    right, other, two = (left, plain, one) if products else D.pairs(w, least=1)
    if one or two:
        D.bad.append("a single pair")
    if not plain or not other:
        return
    tags = dict.fromkeys(("huge", "tiny", "small", "indefinite", "negative", "zero"), "open")
    tags |= dict.fromkeys(("asymmetric", "int", "numpy"), "bad")
    tags |= {"encoded": "open", "requires_grad": "", "parameter": "", "float32": ""}
    M, metric, tag = D.matrix(w, tags)
    if tag == "large" and not products:
        return  # right, as far as the pairs are below n + 1
    metric = np.eye(2 * w.n) if tag == "large" else metric
    rtol = 1e-4 if tag == "float32" else 1e-9
    X, Y = _code(plain, w.n), _code(other, w.n)
    with np.errstate(all="ignore"):
        u = _distances(case, X, Y, metric)
        values, weights = case.φ(u), case.slope(u) * (-2 if case.radial else 1)
    clear = (not D.open or tag in ("encoded", "indefinite")) and not case.wild
    if case.wild:
        D.open.append("wild")
    if products:
        α = np.random.default_rng(D.int(0, 3)).standard_normal((len(plain), w.n))
        dtype = getattr(M, "dtype", torch.float64)
        given: object = torch.from_numpy(α)
        if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
            given = given.to(dtype)
        if D.chance(12):
            given = D.pick(given[1:], given.T, given[:, :1], given.long(), α, None)
            D.bad.append("coefficients")
        centred_, centred = D.flag("centred")
        result = D.call(f"Kernel.{method}", kernel, left, given, M, centred_)

        def sums(found: Tensor) -> None:
            difference = X[None] - X[:, None] if case.radial else X[None] + 0 * X[:, None]
            h = np.einsum("ic,ij,jid->jcd", α, weights, difference)
            h = h - h.mean(0) if centred else h
            expected = np.einsum("jcd,jce->de", h, h)
            size = np.abs(weights).max(initial=0) ** 2 * np.abs(α).max() ** 2
            off = np.abs(found.double().numpy() - expected).max()
            assert not found.requires_grad
            assert off <= rtol * size or tag in ("indefinite", "encoded"), f"off by {off:.1e}"

        D.expect(result, sums if clear else None)
        return
    result = D.call(f"Kernel.{method}", kernel, left, right, M)
    expected = values if method == "gram" else weights
    if method == "weights" and case.radial:
        expected = np.where(u > 1e-12, expected, NAN)

    def compare(found: Tensor) -> None:
        assert tuple(found.shape) == expected.shape
        assert not found.requires_grad
        if clear:
            known = np.isfinite(expected)
            close(found.numpy()[known].astype(float), expected[known], rtol)
            plain = [z for z in (left, right) if isinstance(z, Tensor) and z.dtype == torch.int64]
            if len(plain) == 2 and isinstance(M, Tensor):  # checked: nothing looks at them again
                inner = {
                    "gram": lambda: kernel.values(*plain, M.detach()),
                    "weights": lambda: kernel.slopes(plain[0], M.detach())(plain[1]),
                }
                assert torch.equal(inner[method](), found)

    D.expect(result, compare)


@entry("check_kernel", examples=20)
def _checks_kernels(D: Draw) -> None:
    case = D.kernel()
    make = D.pick(case.make, WrongWeight, Rational, RationalNew)
    kernel = D.confused(make(), "kernel")
    if make is WrongWeight or (case.broken and make is case.make):
        D.bad.append("a wrong kernel")
    elif case.wild and make is case.make:
        D.open.append("a wild kernel")
    D.expect(D.call("check_kernel", kernel))


# --- The machine ----------------------------------------------------------------------------------


@dataclass
class Step:
    """One iteration of a dense machine."""

    M: Array
    K: Array
    α: Array
    fitted: Array
    tested: Array
    agop: Array
    new: Array
    condition: float  # of K + λI
    doubtful: bool  # an eigenvalue of the AGOP lies near the floor of matrix_power


def _power(M: Array, s: float, eps: float = 2.2e-16) -> tuple[Array, bool]:
    """M^s with the documented floor, and whether an eigenvalue lies near that."""
    values, vectors = np.linalg.eigh(M)
    floor = 10 * len(M) * eps * values[-1]
    doubtful = bool(((values > floor / 30) & (values < 1e4 * floor)).any())
    values = np.where(values > floor, values, 0.0)
    with np.errstate(all="ignore"):
        return (vectors * np.where(values > 0, values**s, 0.0)) @ vectors.T, doubtful


def _agop(case: Case, X: Array, α: Array, M: Array, centred: bool) -> Array:
    slope = case.slope(_distances(case, X, X, M))
    difference = X[:, None] - X[None] if case.radial else 0 * X[:, None] + X[None]  # x_j − x_i
    gradients = np.einsum("ji,ic,jid->jcd", slope, α, difference, optimize=True) @ M
    gradients *= 2 if case.radial else 1
    if centred:
        gradients = gradients - gradients.mean(0)
    flat = gradients.reshape(-1, M.shape[0])
    return flat.T @ flat / len(X)


def _machine(
    case: Case, X: Array, Y: Array, test: Array, M: Array, ridge: float, power: float, centred: bool
) -> Step:
    """Fit and update once, on dense vectors."""
    with np.errstate(all="ignore"):
        K = case.φ(_distances(case, X, X, M))
        regular = K + ridge * np.eye(len(K))
        singular = np.linalg.svd(regular, compute_uv=False)
        α = np.linalg.solve(regular, Y)
        condition = singular[0] / singular[-1] if singular[-1] > 0 else INF
        agop = _agop(case, X, α, M, centred)
        new, doubtful = _power(agop, power)
    tested = case.φ(_distances(case, test, X, M)) @ α
    return Step(M, K, α, K @ α, tested, agop, new, float(condition), doubtful)


@entry("matrix_power", examples=60)
def _takes_powers(D: Draw) -> None:
    w = D.world()
    tags = dict.fromkeys(("indefinite", "negative", "asymmetric"), "open") | {"zero": "open"}
    tags |= dict.fromkeys(("huge", "tiny", "small", "float32"), "open") | {"encoded": "open"}
    M, plain, tag = D.matrix(w, tags | {"large": ""})
    s, power = D.number((0.5, 0.25, 0.125, 1.0, 2.0), lambda s: 0 < s < INF, "power")
    result = D.call("matrix_power", M, s)

    def right(found: Tensor) -> None:
        assert bool(torch.isfinite(found).all()) or power > 2
        if tag in ("eye", "psd", "low rank", "transposed view", "numpy", "parameter") and power < 9:
            expected, doubtful = _power(plain, power)
            if not doubtful:
                close(found, expected, 1e-8)

    D.expect(result, right)


@entry("factorise", "Factor", "Factor\\.(solve|condition)", examples=80)
def _factorises(D: Draw) -> None:
    w = WORLDS[0]
    tags = dict.fromkeys(("indefinite", "negative", "zero", "low rank", "encoded"), "open")
    tags |= dict.fromkeys(("huge", "tiny", "small", "float32"), "open") | {"asymmetric": "open"}
    K, plain, tag = D.matrix(w, tags | {"large": ""})
    fits = lambda r: 0 <= r < INF  # noqa: E731
    ridge, λ = D.number((0.0, 1e-3, 1.0, 10.0), fits, "ridge")
    if tag == "negative" and λ < 10:
        D.bad.append("a negative matrix")
    if not isinstance(ridge, float) or λ > 1e6:
        D.open.append("ridge")
    diagonal = K.clone() if isinstance(K, Tensor) else K
    Y = torch.from_numpy(np.random.default_rng(0).standard_normal((len(plain), 3)))
    result = _allow_diagonal(D, "factorise", diagonal, ridge)

    def right(factor: rfm.Factor) -> None:
        if tag not in ("eye", "psd", "large") or D.open:
            assert bool(torch.isfinite(factor.L).all())
            assert factor.jitter >= 0
            assert math.isfinite(factor.ridge)
            return
        assert factor.jitter == 0
        assert factor.ridge == λ
        D.expect(
            D.call("Factor.solve", factor, Y),
            lambda X: close(X, np.linalg.solve(plain + λ * np.eye(len(plain)), Y.numpy()), 1e-7),
        )
        exact = np.linalg.cond(plain + λ * np.eye(len(plain)))
        assert 1 <= D.call("Factor.condition", factor).value <= exact * (1 + 1e-9)
        pickle.loads(pickle.dumps(factor))

    D.expect(result, right)


def _allow_diagonal(D: Draw, name: str, K: object, ridge: object) -> Result:
    """Call with a matrix whose diagonal may be overwritten, as the docstring says."""
    if not isinstance(K, Tensor) or K.is_sparse or K.device.type == "meta" or K.ndim != 2:
        return D.call(name, K, ridge)
    kept = K.detach().clone()
    try:
        result = D.call(name, K, ridge)
    except AssertionError as failed:
        if "changed an argument" not in str(failed):
            raise
        with torch.no_grad():
            off = K.detach().clone()
            if off.shape[0] == off.shape[1]:
                off.diagonal().copy_(kept.diagonal())
        assert fingerprint(off)[3] == fingerprint(kept)[3], "more than the diagonal is overwritten"
        with torch.no_grad():
            K.copy_(kept)
        again = kept.clone()
        function, documented = _resolve(name)
        value = error = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = function(again, ridge)
        except Exception as raised:
            error = raised
        result = Result(name, value, error, documented, [])
        if error is not None:
            result.check_error()
    return result


@entry(
    "KernelMachine", "KernelMachine\\.(fit|predict|train_predictions|resolution|agop)", examples=120
)
def _fits_once(D: Draw) -> None:
    w = D.world()
    case = D.kernel()
    if case.broken:
        D.bad.append("a broken kernel")
    pairs, plain, single = D.pairs(w, least=1, most=10)
    if single or not plain:
        D.bad.append("one pair, or none")
    elif len(set(plain)) < len(plain):
        D.open.append("repeated pairs")
    tags = dict.fromkeys(
        ("huge", "tiny", "small", "float32", "zero", "encoded", "indefinite"), "open"
    )
    tags |= dict.fromkeys(("asymmetric", "int", "numpy"), "bad")
    tags |= {"negative": "open", "requires_grad": "", "parameter": ""}
    M, metric, tag = D.matrix(w, tags)
    if case.wild:
        D.open.append("wild")
    outputs = D.pick(w.n, w.n, w.n, w.n, w.n, 1, w.n + 1, 2 * w.n)
    if tag == "large":
        return  # right, as far as the pairs are below n + 1
    Y = np.random.default_rng(D.int(0, 3)).standard_normal((max(1, len(plain)), outputs))
    if D.chance(2) and outputs == w.n and plain:
        Y = np.array([[float(w.label[a][b] == c) for c in range(w.n)] for a, b in plain])
    targets: object = torch.from_numpy(Y.copy())
    if D.chance(12):
        targets = D.pick(targets[1:], targets[:, 0], targets.float(), targets.long(), Y, None)
        D.bad.append("targets")
    ridge, λ = D.number((0.0, 1e-3, 1.0, 10.0), lambda r: 0 <= r < INF, "ridge")
    if λ > 1e6 or tag == "low rank":
        D.open.append("ill-conditioned")
    kernel = D.confused(case.make(), "kernel")
    X = _code(plain, w.n) if plain else np.zeros((0, 2 * w.n))
    if not D.bad and not D.open:
        K = case.φ(_distances(case, X, X, metric)) + λ * np.eye(len(X))
        if np.linalg.cond(K) > 1e7:
            D.open.append("ill-conditioned")
    options = {} if λ == 0.0 and type(ridge) is float else {"ridge": ridge}
    result = D.call("KernelMachine.fit", pairs, targets, kernel, M, **options)
    if not D.expect(result) or D.open:
        return
    machine = result.value
    asked, other, _ = D.pairs(w, least=0)
    if _ or D.open:
        return
    test = _code(other, w.n) if other else np.zeros((0, 2 * w.n))
    centred = D.pick(True, False)
    step = _machine(case, X, Y, test, metric, λ, 0.5, centred)
    rtol = 1e-8 + 1e-14 * step.condition
    D.expect(D.call("KernelMachine.predict", machine, asked), lambda f: close(f, step.tested, rtol))
    if D.bad:
        return
    scale = np.abs(Y).max()
    fitted = D.call("KernelMachine.train_predictions", machine)
    D.expect(
        fitted,
        lambda f: equal(
            bool(
                np.abs(f.numpy() - step.fitted).max()
                < 1e-14 * step.condition * scale + 1e-9 * scale
            ),
            True,
        ),
    )
    resolution = D.call("KernelMachine.resolution", machine).value
    assert 0 <= resolution <= 1e-9 + 1e-14 * step.condition * scale, f"a tie up to {resolution}"
    centred_, centred = D.flag("centred")
    step = _machine(case, X, Y, test, metric, λ, 0.5, centred)
    D.expect(
        D.call("KernelMachine.agop", machine, centred_),
        lambda A: close(A, step.agop, 1e-8 + 1e-13 * step.condition),
    )


# --- Runs -----------------------------------------------------------------------------------------


class Boom(Exception):
    """What a user's own function raises."""


def _raises(row: dict) -> bool:
    raise Boom("a rule of the user's")


def _interrupts(row: dict) -> bool:
    if row["iteration"] == 2:
        raise KeyboardInterrupt
    return False


def _nan(row: dict) -> float:
    return NAN


def _second(row: dict) -> bool:
    return row["iteration"] == 2


def _numpy_second(row: dict) -> bool:
    return np.bool_(row["iteration"] == 2)


def _nothing(row: dict) -> None:
    return None


def _noise(
    case: Case,
    w: World,
    train: list[Pair],
    test: list[Pair],
    M: Array,
    ridge: float,
    power: float,
    centred: bool,
    steps: int,
) -> Iterator[tuple[Step, float]]:
    """The dense machine step by step, and how far a reordered one is from it."""
    Y = np.array([[float(w.label[a][b] == c) for c in range(w.n)] for a, b in train])
    X, T = _code(train, w.n), _code(test, w.n)
    order, turn = np.random.default_rng(1).permutation(len(X)), slice(None, None, -1)
    other = M[turn, turn]
    for _ in range(steps):
        step = _machine(case, X, Y, T, M, ridge, power, centred)
        again = _machine(
            case, X[order][:, turn], Y[order], T[:, turn], other, ridge, power, centred
        )
        scale = np.abs(step.new).max()
        noise = np.abs(step.new - again.new[turn, turn]).max() / scale if scale > 0 else INF
        off = np.abs(step.tested - again.tested).max()
        yield step, float(max(noise, off))
        M, other = step.new, again.new


@entry("fit", "Run\\..*", "Run", "memory_estimate", "Interrupted.*", "RunError.*", examples=250)
def _runs(D: Draw) -> None:
    w = D.world()
    split = D.split(w)
    case = D.kernel()
    if case.broken:
        D.bad.append("a broken kernel")
    iterations, T = D.integer(1, 5, "iterations", (2.5,), 6, limited=False)
    options: dict[str, object] = {}
    λ, s, centred, metric = 0.0, 0.5, True, np.eye(2 * w.n)
    tag = "eye"
    if D.chance(2):
        ridge, λ = D.number((1e-3, 0.0, 0.01, 1.0, 10.0), lambda r: 0 <= r < INF, "ridge")
        options["ridge"] = ridge
    if D.chance(2):
        power, s = D.number((0.25, 0.125, 0.5, 1.0, 2.0), lambda s: 0 < s < INF, "power")
        options["power"] = power
    if D.chance(3):
        options["centred"], centred = D.flag("centred")
    if D.chance(4):
        tags = dict.fromkeys(("zero", "indefinite", "negative", "asymmetric"), "bad")
        tags |= {"encoded": "open", "float32": "", "requires_grad": "open", "nothing": ""}
        tags |= {"bool": "open", "half": "open"}
        M, metric, tag = D.matrix(w, tags)
        if tag == "nothing":
            metric = np.eye(2 * w.n)
        elif tag == "eye":  # of any size
            scale = 10.0 ** D.pick(0, 0, *range(-200, 201, 20))
            M, metric = M * scale, metric * scale
        options["M0"] = M
    dtype = D.pick(*[torch.float64] * 8, torch.float32, torch.float16, "float64", torch.int64)
    if dtype is not torch.float64:
        options["dtype"] = dtype
        if dtype is not torch.float32:
            D.bad.append("dtype")
    if D.chance(10):
        device = D.pick("cpu", "auto", torch.device("cpu"), "meta", "tpu", "cuda:99", 7, None, "")
        options["device"] = device
        D.judged(device, device not in ("cpu", "auto", torch.device("cpu")), False, "device")
    stop: object = None
    raising = False
    if D.chance(3):
        rules = [rfm.converged(1e-3), rfm.direction_converged(1e-3), _second, _numpy_second]
        odd = [
            rfm.converged,
            rfm.direction_converged,
            5,
            _nan,
            _nothing,
            _raises,
            _interrupts,
            "converged",
            rfm.Run,
        ]
        stop = options["stop"] = D.pick(*rules, *odd)
        raising = stop in (_raises, _interrupts)
        if stop in odd and not raising:
            D.bad.append("no rule")
    kernel: object = D.confused(case.make(), "kernel")
    asked: object = D.confused(split, "split")
    result = D.call("fit", asked, kernel, iterations, keep_features=True, **options)

    # What should have happened, by the dense machine, as far as it can be told.
    if D.bad:
        D.expect(result)
        return
    train = [tuple(x) for x in split.train.tolist()]
    test = [tuple(x) for x in split.test.tolist()]
    steps: list[tuple[Step, float]] = []
    sound = dtype is torch.float64 and not case.broken and not D.open
    if sound:
        try:
            with np.errstate(all="ignore"):
                for step, noise in _noise(case, w, train, test, metric, λ, s, centred, T):
                    steps.append((step, noise))
                    finite = all(np.isfinite(x).all() for x in (step.K, step.new, step.tested))
                    size = np.abs(step.agop).max()
                    if not finite or not 1e-280 < size < 1e280 or step.condition > 1e7:
                        sound = False
                        break
                    if step.doubtful or noise > 1e-7:
                        sound = False
                        break
        except np.linalg.LinAlgError:
            sound = False
    if not sound:
        D.open.append("an extreme case")
    if result.error is not None:
        _check_broken_run(D, result, stop)
        if raising:
            D.open.append("a rule that raises")
        D.expect(result)
        return
    D.expect(result)
    run = result.value
    assert stop is not _raises, "a rule that raises went unnoticed"
    _check_run(run, w, split, T, stop, kernel, dtype)
    _check_rows(run, w, case, λ, metric, train, test, split)
    exact = not run.table["jitter"].any() and dtype is torch.float64
    for t, (step, noise) in enumerate(steps[: len(run.table)]):
        if step.doubtful or not exact or not step.condition < 1e7 or not noise < 1e-7:
            break
        close(run.history[t + 1], step.new, 1e-6 + 1e3 * noise)
        if step.condition < 1e6:
            assert run.table["jitter"].iloc[t] == 0
        lead = np.array(
            [_lead(row, w.label[a][b]) for row, (a, b) in zip(step.tested, test, strict=False)]
        )
        clear = np.abs(lead) > 1e-5
        assert ((lead > 0) == run.right[t].numpy())[clear].all(), f"wrong points, iteration {t + 1}"
        keeps = [g for g in w.task.symmetries if {w.act(g, x) for x in train} == set(train)]
        if np.allclose(metric, metric[0, 0] * np.eye(2 * w.n), rtol=0, atol=0):
            for g in keeps:
                Π = np.eye(2 * w.n)[:, w.coordinates(g.reflects, g.k)].T
                M = run.history[t + 1].numpy()
                close(Π @ M @ Π.T, M, 1e-6)
    memory = D.call("memory_estimate", split)
    assert isinstance(memory.value, int)
    assert memory.value >= 16 * len(train) ** 2
    D.ask("Run.correct", run.right[-1].tolist(), run)
    kept = run.history[-1].clone()
    run.features.fill_(7)
    assert torch.equal(run.history[-1], kept), "features is history[-1] itself"


def _lead(scores: Array, label: int) -> float:
    return float(scores[label] - np.delete(scores, label).max())


def _check_broken_run(D: Draw, result: Result, stop: object) -> None:
    """An error that ends a run carries the finished part, whole, and survives pickling."""
    error = result.error
    if isinstance(error, rfm.Interrupted | rfm.RunError):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)
        run = error.run
        if isinstance(error, rfm.Interrupted):
            assert run is not None
            assert len(run.table) >= 1
        if run is not None:
            assert len(run.table) == len(run.right) == len(run.seconds)
            assert again.run is not None
            assert len(again.run.table) == len(run.table)
            assert bool(torch.isfinite(run.features).all())
    elif stop in (_raises, _interrupts) and not D.bad and not isinstance(error, ValueError):
        raise AssertionError(f"the run is lost: {error!r}") from error


def _check_run(
    run: rfm.Run, w: World, split: rfm.Split, T: int, stop: object, kernel: object, dtype: object
) -> None:
    table = run.table
    assert list(table.index) == list(range(1, len(table) + 1))
    assert 1 <= len(table) <= T
    if stop is None:
        assert len(table) == T
    if stop in (_second, _numpy_second):
        assert len(table) == min(T, 2)
    assert len(run.right) == len(run.seconds) == len(table) == len(run.history) - 1
    assert str(run.settings)
    assert pickle.loads(pickle.dumps(run)).table.equals(table)
    M = run.features
    assert M.dtype is dtype
    assert not M.requires_grad
    assert M.device.type == "cpu"
    for t, M in enumerate(run.history):
        assert bool(torch.isfinite(M).all()), f"M_{t} is not finite, and the run went on"
        size = float(M.abs().max())
        assert size > 0, f"M_{t} is zero, and the run went on"
        assert float((M - M.T).abs().max()) <= 1e-5 * size
    assert torch.equal(run.history[-1], run.features)
    assert bool(table[["train_accuracy", "test_accuracy", "test_loss"]].notna().all().all())
    assert np.isfinite(table["step"]).all(), "a step is not finite"
    frame = run.predictions
    places = {value: i for i, value in enumerate(split.task.group.values)}
    a, b, label = ([places[value] for value in frame[name]] for name in ("a", "b", "label"))
    assert label == [w.label[i][j] for i, j in zip(a, b, strict=True)]
    assert [[i, j] for i, j in zip(a, b, strict=True)] == split.test.tolist()
    assert frame["correct"].tolist() == run.right[-1].tolist()
    assert not (frame["correct"] & (frame["margin"] <= 0)).any()
    for t in range(len(table)):
        assert abs(table["test_accuracy"].iloc[t] - run.right[t].double().mean()) < 1e-12
    converged = getattr(stop, "tolerance", None)
    if isinstance(stop, rfm.converged):
        steps = [
            float(torch.linalg.norm(b - a) / torch.linalg.norm(a))
            for a, b in zip(run.history, run.history[1:], strict=False)
        ]
        fired = [t for t, x in enumerate(steps, 1) if x < converged]
        assert len(table) == (fired[0] if fired else T)


def _check_rows(
    run: rfm.Run,
    w: World,
    case: Case,
    λ: float,
    M0: Array,
    train: list[Pair],
    test: list[Pair],
    split: rfm.Split,
) -> None:
    """Every row from the metric it was made with: accuracy on both sets, loss, margins, ties."""
    Y = np.array([[float(w.label[a][b] == c) for c in range(w.n)] for a, b in train])
    X, S = _code(train, w.n), _code(test, w.n)
    labels = [w.label[a][b] for a, b in train]
    for t, (_, row) in enumerate(run.table.iterrows()):
        if run.features.dtype is not torch.float64:
            break
        M = run.history[t].numpy()
        with np.errstate(all="ignore"):
            K = case.φ(_distances(case, X, X, M))
            regular = K + (λ + row["jitter"]) * np.eye(len(K))
            if not np.isfinite(regular).all():
                return
            singular = np.linalg.svd(regular, compute_uv=False)
            if not singular[-1] > 0 or singular[0] / singular[-1] > 1e9:
                continue
            condition = singular[0] / singular[-1]
            α = np.linalg.solve(regular, Y)
            fitted, tested = K @ α, case.φ(_distances(case, S, X, M)) @ α
        eps, size = np.finfo(float).eps, np.abs(fitted).max()
        tie = max(10 * eps * K.diagonal().max() * np.abs(α).sum(0).max(), 1e-9 * min(1, size))
        assert abs(row["tie"] - tie) <= (1e-6 + 1e-13 * condition) * tie, f"tie {row['tie']}, {tie}"
        for f, truth, accuracy in (
            (fitted, labels, row["train_accuracy"]),
            (tested, [w.label[a][b] for a, b in test], row["test_accuracy"]),
        ):
            lead = np.array([_lead(scores, label) for scores, label in zip(f, truth, strict=True)])
            noise = 1e-13 * condition * np.abs(f).max() + 1e-6 * tie
            low, high = (lead > row["tie"] + noise).mean(), (lead > row["tie"] - noise).mean()
            assert low - 1e-12 < accuracy < high + 1e-12, (
                f"iteration {t + 1}: accuracy {accuracy}, by K α {low} to {high}, tie {row['tie']}"
            )
        loss = ((fitted - Y) ** 2).sum(1).mean()
        assert abs(row["train_loss"] - loss) < 1e-12 * condition**2 + 1e-9
        if not row["jitter"] and condition < 1e6:
            assert row["condition"] <= condition * (1 + 1e-6)


@entry(examples=20)
def _converges(D: Draw) -> None:
    """A run whose direction no longer changes ends, and the record says why."""
    w = D.pick(*WORLDS[:4])
    k = D.int(0, w.n - 1)
    test = {(a, w.fixed[k][a]) for a in range(w.n)} | set(D.pair_list(w, 0, 3))
    split = rfm.withhold(w.task, torch.tensor(sorted(test)))
    L = D.pick(0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 1.0, 2.5)
    rule = rfm.direction_converged(1e-7)
    note(f"rfm.fit({split!r}, rfm.Gaussian({L}), 40, stop={rule!r}, keep_features=True)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run = rfm.fit(split, rfm.Gaussian(L), 40, stop=rule, keep_features=True)
        except rfm.RunError:
            return
    assert isinstance(run.ended, str)
    turned = []
    for a, b in zip(run.history, run.history[1:], strict=False):
        if not float(a.norm()) > 0 < float(b.norm()):
            return
        turned.append(float((a / a.norm() - b / b.norm()).norm()))
    still = [x < 1e-9 for x in turned]
    assert len(run.table) < 40 or not all(still[-6:]), (
        f"the direction stood still (moved by {max(turned[-6:]):.0e}), the scale went "
        f"{[f'{float(M.norm()):.3g}' for M in run.history[-4:]]}, and nothing fired"
    )


@entry("FourNumbers.*", "reduced", examples=60)
def _reduces(D: Draw) -> None:
    """One step on four numbers is one dense step."""
    n, order = D.integer(5, 7, "n", (9.0,), 10**13, limited=False)
    if isinstance(order, int) and order >= 5:
        D.judged(n, order % 2 == 0 or order > 10**12, False, "an even order")
    numbers = [
        D.number((0.5, 1.0, 2.0), lambda x: 0 <= x < INF, "an eigenvalue")[0] for _ in "1234"
    ]
    result = D.call("FourNumbers", n, *numbers)
    if not D.expect(result) or not all(0.1 < float(x) < 10 for x in numbers):
        return
    M, case = result.value, D.kernel(tame=True)
    kernel = D.confused(case.make(), "kernel")
    radial, _ = D.flag("radial")
    u = D.call("FourNumbers.relations", M, radial)
    D.expect(u, lambda u: equal(len(u), 5))
    D.bad, D.open = [], (["a broken kernel"] if case.broken else [])
    if not isinstance(kernel, rfm.Kernel):
        D.bad.append("no kernel")
    ridge, λ = D.number((1e-3, 0.1, 1.0), lambda x: 0 <= x < INF, "ridge")
    for name in ("fit", "margin"):
        D.expect(D.call(f"FourNumbers.{name}", M, kernel, ridge))
    power, s = D.number((0.5, 1.0), lambda x: 0 < x < INF, "power")
    centred, mean = D.flag("centred")
    stepped = D.call("FourNumbers.step", M, kernel, ridge, power, centred)
    D.expect(D.call("reduced", order, kernel, 2, ridge=ridge, power=power, centred=centred))
    if M.n > 7 or not (1e-6 < λ < 10 and 0.2 < s < 2):
        return

    def right(new: rfm.FourNumbers) -> None:
        mirror = rfm.addition(M.n).reflections[1]
        trap = rfm.withhold(mirror.task, mirror.fixed_points())
        recipe = {"ridge": λ, "power": s, "centred": mean, "warn": False}
        dense = rfm.fit(trap, kernel, 1, M0=M.metric(mirror), **recipe).features
        close(new.metric(mirror).numpy(), dense.numpy(), 1e-6)

    D.expect(stepped, right)


@entry("converged.*", "direction_converged.*", examples=40)
def _makes_rules(D: Draw) -> None:
    name = D.pick("converged", "direction_converged")
    value, _plain = D.number((1e-7, 1e-3, 0.5), lambda x: 0 < x < INF, "tolerance")
    result = D.call(name, value)

    def right(rule: object) -> None:
        pickle.loads(pickle.dumps(rule))
        assert repr(rule)
        assert rule == getattr(rfm, name)(value)

    D.expect(result, right)


@entry("Interrupted.*", "\\w+Error.*", "\\w+Warning", examples=20)
def _raises_what_survives(D: Draw) -> None:
    """Every exception of the package survives pickling and copying with all that it carries."""
    run = _some_run()
    names = [n for n in rfm.__all__ if n.endswith(("Error", "Warning")) or n == "Interrupted"]
    name = D.pick(*names)
    kind = getattr(rfm, name)
    how = D.pick("pickle", "copy", "deepcopy")
    note(f"{how} of rfm.{name}")
    if name == "Interrupted":
        error = kind(run)
    else:
        try:
            error = kind("message", run=run, iteration=2) if name == "RunError" else kind("message")
        except TypeError:
            return  # it has a signature of its own; the tests that meet it pickle it
        if name == "SingularKernelError" and getattr(error, "run", 0) is None:
            error.run = run
    try:
        again = {
            "pickle": lambda: pickle.loads(pickle.dumps(error)),
            "copy": lambda: copy.copy(error),
            "deepcopy": lambda: copy.deepcopy(error),
        }[how]()
    except Exception as raised:
        raise AssertionError(f"{how} of {name} fails: {raised!r}") from raised
    assert type(again) is kind
    assert str(again) == str(error)
    if getattr(error, "run", None) is not None:
        assert again.run.table.equals(run.table)


@cache
def _some_run() -> rfm.Run:
    return rfm.fit(rfm.random_split(WORLDS[0].task, 0.6, 0), rfm.Gaussian(), 3)


@entry("memory_estimate", "outcome", examples=30)
def _estimates(D: Draw) -> None:
    w = D.world()
    split = D.split(w)
    if D.pick(True, False):
        dtype = D.pick(torch.float64, torch.float32, torch.int64, "float64", None, torch.bool)
        D.judged(dtype, dtype not in (torch.float64, torch.float32), False, "dtype")
        size = 4 if dtype is torch.float32 else 8
        result = D.call("memory_estimate", D.confused(split, "split"), dtype)
        least = 2 * size * len(split.train) ** 2
        D.expect(result, lambda b: equal((type(b), b >= least), (int, True)))
        return
    run = _some_run()

    def right(found: dict) -> None:
        assert found["iterations_done"] == 3
        assert found["train_size"] == 15
        assert found["random"] == 10
        assert found["random_right"] == int(run.correct().sum())
        assert found["withheld"] == found["moved"] == 0
        worst = max(round((1 - a) * 15) for a in run.table["train_accuracy"])
        assert found["train_errors"] == worst

    D.expect(D.call("outcome", D.confused(run, "run")), right)


# --- What is read off features --------------------------------------------------------------------


@entry("decompose", "Decomposition.*", examples=90)
def _decomposes(D: Draw) -> None:
    w = D.world()
    d, n = 2 * w.n, w.n
    tags = dict.fromkeys(("asymmetric", "int"), "bad") | {"float32": "", "numpy": "bad"}
    M, plain, tag = D.matrix(w, tags | {"requires_grad": "", "parameter": "", "half": ""})
    options: dict[str, object] = {}
    if D.chance(3):
        alarms, _ = D.number((0.01, 0.5, 0.9), lambda x: 0 < x < 1, "false_alarms")
        options["false_alarms"] = alarms
    if D.chance(3):
        share, _ = D.number((0.1, 0.0, 1.0), lambda x: 0 <= x <= 1, "share")
        options["share"] = share
    result = D.call("decompose", M, D.confused(w.task, "task"), **options)

    def right(parts: rfm.Decomposition) -> None:
        D.open.clear()
        tolerance = 1e-5 if tag == "float32" else 1e-10
        coefficients, supports = [], []
        for reflects, k in product((False, True), range(n)):
            images = w.coordinates(reflects, k)
            supports.append(images)
            coefficients.append(plain[images, range(d)].mean())
        expected = np.array(coefficients)
        projection = np.zeros((d, d))
        for c, images in zip(expected, supports, strict=True):
            projection[images, range(d)] += c
        close(parts.coefficients, expected, tolerance)
        D.expect(
            D.call("Decomposition.projection", parts), lambda P: close(P, projection, tolerance)
        )
        size = np.abs(plain).max()
        if size > 0:
            off = np.linalg.norm((plain - projection) / size) / np.linalg.norm(plain / size)
            assert abs(parts.residual - off) < 100 * tolerance
        found = parts.stands_out.tolist()
        elements = [g for g, yes in zip(w.task.symmetries, found, strict=True) if yes]
        D.ask("Decomposition.elements", tuple(elements), parts)
        levels = parts.background.tolist()
        deviation = expected - np.repeat(levels, n)
        close(D.call("Decomposition.deviations", parts).value, deviation, 1e-4 + tolerance)
        sign = {g: deviation[i] for i, g in enumerate(w.task.symmetries)}
        above = D.call("Decomposition.above", parts).value
        below = D.call("Decomposition.below", parts).value
        assert sorted(map(repr, above + below)) == sorted(map(repr, elements))
        assert all(sign[g] >= 0 for g in above)
        assert all(sign[g] <= 0 for g in below)
        assert parts.collapsed == tuple(g for g in below if g.reflects)
        generated = w.generated([(g.reflects, g.k) for g in elements])
        D.expect(
            D.call("Decomposition.group", parts),
            lambda H: equal({(g.reflects, g.k) for g in H}, generated),
        )
        encoded = np.zeros((d, d))
        for yes, dev, images in zip(found, deviation, supports, strict=True):
            encoded[images, range(d)] += dev * yes
        assert np.abs(parts.encoded().numpy() - encoded).max() <= (1e-4 + tolerance) * max(
            np.abs(expected).max(), 1e-300
        )
        assert len(D.call("Decomposition.table", parts).value) == 2 * n
        split = D.split(w)
        orbit = w.orbit(elements, {tuple(x) for x in split.train.tolist()})
        D.expect(
            D.call("Decomposition.predict", parts, split),
            lambda p: equal(p.right.tolist(), [tuple(x) in orbit for x in split.test.tolist()]),
        )
        if (w.twist == list(range(n))) != (w.twist == w.inverse):  # another twist, another answer
            twist = w.inverse if w.twist == list(range(n)) else list(range(n))
            other = rfm.Task(w.task.group, torch.tensor(twist), w.task.symbol, w.task.modulus)
            again = rfm.decompose(M, other)
            for g, c in zip(other.symmetries, again.coefficients.tolist(), strict=True):
                mean = plain[g.coordinates().tolist(), range(d)].mean()
                assert abs(c - mean) <= 100 * tolerance * max(size, 1e-300), (
                    "decomposed by the table of a task with another twist"
                )

    D.expect(result, right)


@entry("predict", "Prediction.*", examples=50)
def _predicts(D: Draw) -> None:
    w = WORLDS[0]
    run = _some_run()
    elements = [D.symmetry(w) for _ in range(D.int(1, 2))]
    split = run.split
    H: object = D.confused(rfm.generate(*elements), "subgroup")
    wrong = D.chance(5)
    asked = D.confused(D.split(D.pick(*WORLDS[1:])), "split") if wrong else split
    if wrong:
        D.bad.append("another task")
    result = D.call("predict", H, asked)
    if not D.expect(result):
        return
    prediction = result.value
    orbit = w.orbit(elements, {tuple(x) for x in split.train.tolist()})
    right = [tuple(x) in orbit for x in split.test.tolist()]
    D.ask("Prediction.correct", right, prediction)
    if D.chance(4):
        run = rfm.fit(D.split(w), rfm.Gaussian(), 1)
        if not torch.equal(run.split.kind != 0, split.kind != 0):
            D.bad.append("a run of another split")
        else:
            run = _some_run()
    run = D.confused(run, "run")
    truth = np.array(right)

    def compared(table: pd.DataFrame) -> None:
        for t, row in enumerate(run.right.numpy()):
            both = int((truth & row).sum())
            assert table["predicted"].iloc[t] == truth.sum()
            assert table["right"].iloc[t] == row.sum()
            assert table["both"].iloc[t] == both
            assert table["agree"].iloc[t] == (truth == row).sum()
            assert table["precision"].iloc[t] == (both / truth.sum() if truth.any() else 1)
            assert table["recall"].iloc[t] == (both / row.sum() if row.any() else 1)

    if D.pick(True, False):
        D.expect(D.call("Prediction.compared", prediction, run), compared)
    else:
        iteration, t = D.integer(1, 3, "iteration")
        if iteration is None:
            D.bad.pop()
            t = 3
        row = None if D.bad else run.right[t - 1].numpy()
        result = D.call("Prediction.precision_recall", prediction, run, iteration)

        def two(found: tuple[float, float]) -> None:
            both = (truth & row).sum()
            assert found[0] == (both / truth.sum() if truth.any() else 1)
            assert found[1] == (both / row.sum() if row.any() else 1)

        D.expect(result, two)
    if D.chance(4):  # a new prediction made by hand
        D.bad.clear()
        D.open.clear()
        mask: object = torch.tensor(right)
        wrong = D.pick("", "short", "float", "none")
        mask = {"": mask, "short": mask[1:], "float": mask.double(), "none": None}[wrong]
        if wrong:
            D.bad.append(f"right {wrong}")
        D.expect(D.call("Prediction", split, mask))


@entry("votes", "vote_accuracy", examples=60)
def _votes(D: Draw) -> None:
    w = D.world()
    n, split = w.n, D.split(w)
    tags = dict.fromkeys(("zero", "huge", "tiny", "small", "int"), "open")
    tags |= {"requires_grad": "open", "parameter": "open", "asymmetric": "bad"}
    M, plain, tag = D.matrix(w, tags)
    plain = plain[: 2 * n, : 2 * n]
    largest = np.abs(plain).max()
    C = (plain / largest if 0 < largest < INF else plain)[n:, :n]
    voters = [tuple(pair) for pair in split.train.tolist()]

    def counted(pairs: list[Pair]) -> Array:
        found = np.zeros((len(pairs), n))
        size = np.bincount([w.label[x][y] for x, y in voters], minlength=n)
        for i, (a, b) in enumerate(pairs):
            for x, y in voters:
                if (x, y) != (a, b):
                    label = w.label[x][y]
                    found[i, label] += (C[b, x] + C[y, a]) ** 2 / size[label]
        return found

    if D.chance(2):
        pairs, listed, _ = D.pairs(w)
        result = D.call("votes", M, pairs, split.train, D.confused(w.task, "task"))
        rough = 1e-5 if tag == "float32" else 1e-9
        D.expect(result, lambda found: close(found, counted(listed), rough))
        return
    tested = [tuple(pair) for pair in split.test.tolist()]
    result = D.call("vote_accuracy", M, D.confused(split, "split"))

    def right(found: float) -> None:
        cast = counted(tested)
        own, most = np.array([w.label[a][b] for a, b in tested]), max(cast.max(), 1e-300)
        lead = cast[range(len(tested)), own]
        cast[range(len(tested)), own] = -INF
        lead = (lead - cast.max(1)) / most
        sure, maybe = (lead > 1e-6).mean(), (lead > 1e-12).mean()
        assert sure <= found <= maybe

    D.expect(result, right)


@entry(
    "circulant_deviation",
    "alignment",
    "commutators",
    "odd_part",
    "random_circulant_features",
    examples=120,
)
def _measures(D: Draw) -> None:
    w = D.world()
    n, d = w.n, 2 * w.n
    what = D.pick("circulant_deviation", "alignment", "commutators", "odd_part", "random")
    if what == "random":
        seed, number = _seed(D)
        options = {}
        if D.chance(4):
            options["dtype"] = D.pick(torch.float32, torch.float64, torch.int64, "float64", None)
            D.judged(
                options["dtype"], options["dtype"] not in (torch.float32, torch.float64), 0, ""
            )
        result = D.call("random_circulant_features", D.confused(w.task, "task"), seed, **options)

        def right(M: Tensor) -> None:
            dtype = options.get("dtype", torch.float64)
            draws = torch.rand(n, generator=torch.Generator().manual_seed(number), dtype=dtype)
            values = (draws - draws.mean()).double().numpy()
            A, C = np.eye(n) - 1 / n, np.zeros((n, n))
            for (a, b), k in w.mirror.items():
                C[b, a] = values[k]
            spectrum, vectors = np.linalg.eigh(np.block([[A, C.T], [C, A]]))
            expected = (vectors * np.sqrt(np.maximum(spectrum, 0))) @ vectors.T
            close(M, expected, 1e-2 if dtype is torch.float32 else 1e-6)

        D.expect(result, right)
        return
    tags = dict.fromkeys(("zero", "huge", "tiny", "small", "int"), "open")
    tags |= {"requires_grad": "", "parameter": "", "float32": "", "half": ""}
    if what == "alignment":
        tags |= {"large": ""}
    M, plain, tag = D.matrix(w, tags)
    plain = plain if what == "alignment" else plain[:d, :d]
    roughness = {"float32": 1e-6, "half": 1e-3} if what == "odd_part" else {"float32": 1e-7}
    rough = roughness.get(tag, 1e-9)
    size = np.abs(plain).max()
    scaled = plain / size if 0 < size < INF else plain

    def near(found: float, right: float) -> None:
        assert isinstance(found, float)
        assert abs(found - right) <= rough or (math.isnan(found) and size == 0), (found, right)

    if what == "circulant_deviation":
        C = scaled[n:, :n]
        off = 0.0
        for k in range(n):
            line = np.array([C[b, a] for a, b in w.pairs if w.mirror[a, b] == k])
            off += ((line - line.mean()) ** 2).sum()
        total = (C**2).sum()
        result = D.call("circulant_deviation", M, D.confused(w.task, "task"))
        if total == 0:
            D.open.append("no block")
        D.expect(result, lambda x: near(x, off / total) if total else None)
    elif what == "alignment":
        first = tag
        N, other, tag = D.matrix(w, tags)
        if (tag == "large") != (first == "large"):
            D.bad.append("two sizes")
        rough = 1e-7 if "float32" in tag else rough
        big = np.abs(other).max()
        B = other / big if 0 < big < INF else other
        norms = np.linalg.norm(scaled) * np.linalg.norm(B)
        result = D.call("alignment", M, N)
        D.expect(result, lambda x: near(x, (scaled * B).sum() / norms) if norms else None)
    else:
        right = []
        for f, k in product((False, True), range(n)):
            Π = np.eye(d)[:, w.coordinates(f, k)].T
            right.append(scaled - Π @ scaled @ Π.T)
        if what == "commutators":
            result = D.call("commutators", M, D.confused(w.task, "task"))
            norm = np.linalg.norm(scaled)

            def compare(found: Tensor) -> None:
                if norm:
                    expected = np.array([np.linalg.norm(x) for x in right]) / norm
                    assert np.abs(found.detach().double().numpy() - expected).max() <= rough
        else:
            g = D.symmetry(w)
            if not g.reflects:
                D.bad.append("a rotation")
            result = D.call("odd_part", M, D.confused(g, "mirror"))

            def compare(found: Tensor) -> None:
                expected = right[n * g.reflects + g.k] / 2 * (size or 1)
                assert np.abs(found.detach().double().numpy() - expected).max() <= rough * size

        D.expect(result, compare)


@entry("\\w+\\.__eq__", examples=60)
def _compares(D: Draw) -> None:
    """Equality answers with a bool, whatever it is asked, and copies of a value are equal to it."""
    w = D.world()
    things: list[object] = [D.symmetry(w), rfm.Gaussian(), rfm.Gaussian(1.0), rfm.Quadratic()]
    things += [w.task, w.task.group, rfm.converged(1e-3), rfm.generate(D.symmetry(w))]
    factor = rfm.factorise(torch.eye(3, dtype=torch.float64))
    one = D.pick(*things, factor)
    other = D.pick(*things, factor, rfm.factorise(torch.eye(3, dtype=torch.float64)), None, 5, "x")
    if D.chance(2):
        other = copy.deepcopy(one)
    note(f"{shown(one)} == {shown(other)}")
    try:
        answer, back = one == other, other == one
    except Exception as error:
        raise AssertionError(f"{type(one).__name__} == raises {error!r}") from error
    assert isinstance(answer, bool)
    assert answer == back
    if isinstance(one, rfm.Factor):
        return
    known = one is other or (type(one) is type(other) and fingerprint(one) == fingerprint(other))
    known |= isinstance(one, rfm.Quadratic) and isinstance(other, rfm.Quadratic)
    assert answer == known
    assert not answer or hash(one) == hash(other)


# --- Figures --------------------------------------------------------------------------------------


@entry("figures\\..*", examples=70)
def _draws(D: Draw) -> None:
    plt.close("all")
    w = D.pick(*WORLDS[:5])
    n, task = w.n, w.task
    name = D.pick(
        "style",
        "panels",
        "cayley_table",
        "split_table",
        "table_legend",
        "mirror_table",
        "accuracy",
        "feature_matrices",
        "group_elements",
        "coefficients",
    )
    call = lambda *a, **o: D.call(f"figures.{name}", *a, **o)  # noqa: E731
    ax = plt.subplots()[1] if name in ("split_table", "cayley_table", "mirror_table") else None

    def image(axes: object) -> Array:
        assert axes is ax
        return np.asarray(ax.images[0].get_array())

    if name == "style":
        with matplotlib.rc_context():
            D.expect(call())
    elif name == "panels":
        count, plain = D.integer(1, 3, "count", most=4, limited=False)
        width, _ = D.number((7.2, 3.0), lambda x: 0 < x < 1e4, "width")
        D.expect(call(count, width), lambda axes: equal(len(axes), plain))
    elif name == "cayley_table":
        order = D.data.draw(st.permutations(range(n)))
        value: object = torch.tensor(order)
        if D.chance(3):
            value = D.pick(value[1:], value.double(), value - 1, order[:1] * n, "order")
            D.bad.append("order")
        place = {x: i for i, x in enumerate(order)}
        right = [[place[w.label[a][b]] for b in order] for a in order]
        result = call(D.confused(task, "task"), ax=ax, order=value)
        D.expect(result, lambda axes: equal(image(axes).tolist(), right))
    elif name == "split_table":
        v = WORLDS[0]
        run = _some_run()
        split, shown_ = (
            run.split,
            D.pick(None, run, rfm.predict(rfm.stabiliser(run.split), run.split)),
        )
        if D.chance(2):
            split = D.split(D.pick(v, w))
            if shown_ is not None:
                same = split.task == run.split.task and torch.equal(
                    split.kind == 0, run.split.kind == 0
                )
                if not same:
                    D.bad.append("a run of another split")
        result = call(D.confused(split, "split"), shown_, ax=ax)

        def picture(axes: object) -> None:
            found = image(axes).flatten().tolist()
            kinds = split.kind.tolist()
            assert [x == 0 for x in found] == [k == 0 for k in kinds]
            if shown_ is not None:
                marks = [x for x in found if x]
                assert marks == [1 if yes else 2 for yes in shown_.correct().tolist()]

        D.expect(result, picture)
    elif name == "table_legend":
        D.expect(call(D.confused(plt.figure(), "figure")))
    elif name == "mirror_table":
        g = rfm.Symmetry(task, D.int(0, n - 1), True)
        label, _ = D.integer(0, n - 1, "label")
        if isinstance(label, Tensor | np.generic):
            D.open.append("label")
        mirror = D.confused(g, "mirror")
        D.expect(call(mirror, [label], ax=ax), lambda axes: equal(image(axes).shape, (n, n, 3)))
    elif name == "accuracy":
        runs: object = D.confused({"one": _some_run()}, "runs")
        if D.chance(5):
            runs = D.pick({}, {"one": None}, {"one": _some_split()})
            D.bad.append("runs")
        column = D.pick("test_accuracy", "train_accuracy", "margins", None, 3)
        D.judged(column, column not in ("test_accuracy", "train_accuracy"), False, "column")
        right = _some_run().table
        D.expect(
            call(runs, column),
            lambda axes: equal(axes.lines[0].get_ydata().tolist(), right[column].tolist()),
        )
    elif name == "feature_matrices":
        M, plain, _ = D.matrix(w, dict.fromkeys(("large", "half"), ""))
        matrices: object = {"M": M} if not D.chance(6) else {}
        if not matrices:
            D.bad.append("no matrix")
        shared, _ = D.flag("shared")
        result = call(matrices, shared)
        D.expect(result, lambda axes: equal(len(axes), 1))
    elif name == "group_elements":
        v = WORLDS[0]
        M = _some_run().features
        parts = D.confused(rfm.decompose(M, v.task), "parts")
        axes = plt.subplots(1, 2)[1]
        if D.chance(4):
            axes = D.pick(axes[:1], [], None, plt.gca())
            D.bad.append("axes")
        D.expect(call(M, parts, axes), lambda axes: equal(len(axes), 2))
    else:
        parts = rfm.decompose(_some_run().features, WORLDS[0].task)
        which, _flag = D.flag("reflections")
        result = call(D.confused(parts, "parts"), which)
        D.expect(result, lambda axes: equal(len(axes.collections), 2))
    plt.close("all")


# --- Sweeps ---------------------------------------------------------------------------------------

MADE: list[object] = []  # the labels of the runs that were measured, in order
PLAN: dict[str, object] = {}  # when a measure is to fail


def measured(run: rfm.Run) -> dict[str, object]:
    """What tells one run from another, and what a test wants to happen meanwhile."""
    if PLAN.get("kill after") == len(MADE):
        raise KeyboardInterrupt
    if PLAN.get("meanwhile") == len(MADE):
        PLAN["meanwhile"] = None
        PLAN["second"]()
    MADE.append(run.split.kind.tolist())
    if PLAN.get("fails") == float(run.table["test_loss"].iloc[-1]):
        raise Boom("a measure of the user's")
    return {
        "loss": float(run.table["test_loss"].iloc[-1]),
        "trace": float(run.features.trace()),
        "held": "-".join(map(str, run.split.test.flatten().tolist()[:12])),
        "rows": len(run.table),
        "all right": bool(run.correct().all()),
        "by orbits": "",
    }


def renamed(run: rfm.Run) -> dict[str, object]:
    """A measure that calls a result like a setting, or like what every sweep adds."""
    return {PLAN["result"]: 1.5}


@dataclass(frozen=True)
class Spec:
    """What makes a setting, as plain values."""

    kind: str = "withheld"
    pairs: tuple[Pair, ...] = ((2, 4),)
    fraction: float = 0.5
    bandwidth: float = 2.5
    start: float = 0.0
    ridge: float = 0.0
    tolerance: float = 0.0
    label: object = "a"
    iterations: int = 2

    def make(self, name: str) -> rfm.Setting:
        task = WORLDS[0].task
        if self.kind == "withheld":
            split = rfm.withhold(task, torch.tensor(self.pairs))
        elif self.kind == "random":
            split = rfm.random_split(rfm.addition(9), self.fraction, 0)
        else:
            split = rfm.withhold(task, torch.tensor([[0, 0]])).move(torch.tensor(self.pairs))
        options: dict[str, object] = {"iterations": self.iterations, "ridge": self.ridge}
        if self.start:
            d = split.task.dimension
            M0 = torch.eye(d, dtype=torch.float64)
            M0[0, 0] += self.start
            options["M0"] = M0
        if self.tolerance:
            options["stop"] = rfm.converged(self.tolerance)
        return rfm.Setting(split, rfm.Gaussian(self.bandwidth), options, {name: self.label})


LABELS = ("a", "None", "NA", "null", "nan", "001", "1e5", "True", "", " x", 'q"u;o', "a\nb", "é,ü")
CLASHES = ("power", "kernel", "task", "split", "ridge", "seconds", "version", "torch", "loss", "M0")


def _spec(D: Draw, label: object) -> Spec:
    kind = D.pick("withheld", "moved", "random")
    pairs = ((2, 4),) if kind == "random" else (D.pick((2, 4), (3, 4), (1, 2)),)
    bandwidth = D.pick(2.5, 2.5, 1.0)
    return Spec(kind, pairs, label=label, bandwidth=bandwidth)


def _changed(D: Draw, spec: Spec) -> Spec:
    """The same setting with one thing different that a printed form may not show."""
    what = D.pick("pairs", "pairs", "start", "kernel", "ridge", "tolerance", "iterations", "label")
    if spec.kind == "random" and what == "pairs":
        return Spec(**{**vars(spec), "fraction": 0.504 if spec.fraction == 0.5 else 0.5 + 2e-2})
    new = {
        "pairs": D.pick(((3, 4),), ((2, 4),), ((1, 3),), ((0, 2),)),
        "start": spec.start + 1.0,
        "kernel": spec.bandwidth + D.pick(1e-3, 1.0),
        "ridge": spec.ridge + 1e-3,
        "tolerance": D.pick(0.5, 1e-7),
        "iterations": spec.iterations + 1,
        "label": D.pick(*LABELS),
    }[what]
    field_ = "bandwidth" if what == "kernel" else what
    return Spec(**{**vars(spec), field_: new})


def _unfinished(path: Path) -> Path | None:
    """The file that an interrupted sweep has left."""
    found = [p for p in path.parent.iterdir() if p.name != path.name and path.name in p.name]
    found = [p for p in found if p.is_file() and not p.name.endswith(".lock") and p.stat().st_size]
    return max(found, key=lambda p: p.stat().st_size, default=None)


def _tamper(D: Draw, file: Path) -> str:
    """What a spreadsheet, another build, or a full disk makes of a file."""
    how = D.pick("mark", "semicolons", "torch", "cut", "rubbish", "version", "crlf", "emptied")
    content = file.read_bytes()
    build = torch.__version__.encode()
    file.write_bytes(
        {
            "mark": b"\xef\xbb\xbf" + content,
            "semicolons": content.replace(b",", b";"),
            "torch": content.replace(build, b"2.13.0+cu126", 1),
            "cut": content[: max(1, len(content) - D.int(1, 40))],
            "rubbish": content + b"\xff\x00\xfe,\n\x80",
            "version": content.replace(b"0.1.0", b"0.0.9"),
            "crlf": content.replace(b"\n", b"\r\n"),
            "emptied": b"",
        }[how]
    )
    return how


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as plain values with their types, without what differs between two attempts."""
    found = []
    for row in table.to_dict("records"):
        row = {k: v for k, v in row.items() if k != "seconds"}
        found.append({k: (type(v).__name__, "nan" if v != v else v) for k, v in row.items()})
    return found


@entry("sweep", examples=15)
def _sweeps(D: Draw) -> None:
    """A sweep that is killed, changed, tampered with: the table is that of a fresh one."""
    PLAN.clear()
    name = "trial"
    labels = D.data.draw(
        st.just(["a", "b", "c"])
        | st.lists(
            st.sampled_from([*LABELS, 1, 2.5, True, 10**18, 0.1]),
            min_size=2,
            max_size=3,
            unique_by=str,
        )
    )
    specs = [_spec(D, label) for label in labels]
    with TemporaryDirectory() as folder:
        path = Path(folder, "some", "table.csv")
        path.parent.mkdir()
        for _ in range(D.int(0, 3)):
            step = D.pick("kill", "kill and change", "kill and change", "tamper", "second")
            if step.startswith("kill"):
                MADE.clear()
                PLAN["kill after"] = D.int(1, len(specs) - 1)
                note(f"sweep killed after {PLAN['kill after']} rows: {specs}")
                _swept([s.make(name) for s in specs], path)
                PLAN["kill after"] = None
                if path.exists():
                    path.unlink()
            if step == "kill and change":
                at = D.pick(0, 0, len(specs) - 1)
                specs[at] = _changed(D, specs[at])
                note(f"changed: {specs[at]}")
            elif step == "tamper":
                file = _unfinished(path)
                if file is not None:
                    old = file.read_bytes()
                    how = _tamper(D, file)
                    note(f"{file.name} tampered with: {how}")
                    MADE.clear()
                    content = file.read_bytes()
                    with warnings.catch_warnings(record=True) as said:
                        warnings.simplefilter("always")
                        PLAN["kill after"] = 0
                        _swept([s.make(name) for s in specs], path)
                        PLAN["kill after"] = None
                    lines = old.count(b"\n") > 1 and how not in ("emptied",)
                    kept = [p.read_bytes() for p in path.parent.iterdir() if p.is_file()]
                    if lines and how in ("mark", "semicolons", "rubbish", "torch", "version"):
                        aside = any(content[:-30] in k or old[:-30] in k for k in kept)
                        whole = file.exists() and file.stat().st_size >= len(old) // 2
                        assert aside or whole, f"{file.name} was emptied ({how})"
                        if not whole:
                            assert said, f"{file.name} was emptied without a word ({how})"
            else:
                _second_sweep(D, specs, name, path)
        MADE.clear()
        made = [s.make(name) for s in specs]
        if len({str(s.label) for s in specs}) < len(specs):
            return
        note(f"sweep: {specs}")
        result = _swept(made, path)
        fresh = Path(folder, "fresh.csv")
        again = _swept([s.make(name) for s in specs], fresh)
        if result.error is not None or again.error is not None:
            error = result.error or again.error
            raise AssertionError(f"the sweep ends in {error!r}") from error
        assert _rows(result.value) == _rows(again.value), "not the table of a fresh sweep"
        _check_table(result.value, specs, name)
        texts = set(result.value["by orbits"])
        assert texts == {""}, f"an empty text came back as {texts}"
        assert path.exists()
        assert not list(path.parent.glob("*.partial"))


def _check_table(table: pd.DataFrame, specs: list[Spec], name: str) -> None:
    """Labels, kinds of result, and results by runs of their own."""
    assert len(table) == len(specs)
    for spec, row in zip(specs, table.to_dict("records"), strict=True):
        assert type(row[name]) is type(spec.label) or not isinstance(spec.label, str), (
            f"the label {spec.label!r} came back as {row[name]!r}"
        )
        assert str(row[name]) == str(spec.label) or row[name] == spec.label, (
            f"the label {spec.label!r} came back as {row[name]!r}"
        )
        right = _alone(replace(spec, label="a"))
        assert row["held"] == right["held"], f"the row of {row['held']} is served for {spec}"
        assert abs(row["loss"] - right["loss"]) <= 1e-5 * abs(right["loss"]), f"a wrong row: {spec}"
        assert abs(row["trace"] - right["trace"]) <= 1e-5 * abs(right["trace"]), f"wrong: {spec}"
        assert row["rows"] == right["rows"]
        assert row["all right"] == right["all right"]


@cache
def _alone(spec: Spec) -> dict[str, object]:
    """What is measured of a run that is made by itself; its label has no part in that."""
    PLAN.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return measured(spec.make("trial").run())


def _swept(made: list[rfm.Setting], path: Path) -> Result:
    function, documented = _resolve("sweep")
    value = error = None
    filters = list(warnings.filters)
    try:
        value = function(made, path, measured, workers=1, progress=False)
    except (Exception, KeyboardInterrupt) as raised:
        error = raised
    assert filters == list(warnings.filters), "a sweep changed the filters of warnings"
    return Result("sweep", value, error, documented, [])


def _second_sweep(D: Draw, specs: list[Spec], name: str, path: Path) -> None:
    """While one sweep lives, a second one on its path is refused, and does not disturb it."""
    second: list[Result] = []
    if len({str(s.label) for s in specs}) < len(specs):
        return

    def start() -> None:
        keep = list(MADE), dict(PLAN)
        PLAN.clear()
        second.append(_swept([s.make(name) for s in specs], path))
        MADE[:] = keep[0]
        PLAN.update(keep[1])

    MADE.clear()
    PLAN["meanwhile"], PLAN["second"] = D.int(0, 1), start
    note(f"a second sweep after {PLAN['meanwhile']} rows: {specs}")
    _swept([s.make(name) for s in specs], path)
    PLAN.clear()
    for result in second:
        assert type(result.error) is RuntimeError, (
            f"a second sweep on the same path: {result.error!r}, table {shown(result.value)}"
        )
    if path.exists():
        path.unlink()


@entry("sweep", "SweepError", examples=30)
def _refuses_sweeps(D: Draw) -> None:
    """Names that clash, settings that are none, and failing runs: before any run, or after all."""
    PLAN.clear()
    MADE.clear()
    what = D.pick("clash", "result", "fails", "alike", "nonsense", "folder", "lambda")
    specs = [_spec(D, label) for label in ("x", "y", "z")]
    name, measure = "trial", measured
    with TemporaryDirectory() as folder:
        path: object = Path(folder, "table.csv")
        if what == "clash":
            name = D.pick(*CLASHES)
            D.bad.append(f"label {name}")
        elif what == "result":
            PLAN["result"] = D.pick(*CLASHES[:-2], "trial", 3, None)
            measure = renamed
            result = PLAN["result"]
            D.judged(result, isinstance(result, str), True, "result")
        made: object = [s.make(name) for s in specs]
        if what == "alike":
            made = [*made, specs[0].make(name)]
            D.bad.append("two alike")
        elif what == "nonsense":
            made = D.pick([], None, made[0], [*made, None], [*made, made[0].split], 5)
            D.bad.append("settings")
        elif what == "folder":
            path = D.pick(Path(folder), Path(folder, "no", "table.csv"), None, 5, "")
            D.bad.append("path")
        elif what == "lambda":
            measure = D.pick(None, 5, "outcome")
            D.bad.append("measure")
        elif what == "fails":
            at = D.int(0, 2)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                PLAN["fails"] = measured(made[at].run())["loss"]
            failing = sum(abs(measured_loss(m) - PLAN["fails"]) < 1e-15 for m in made)
            MADE.clear()
            first = _swept(made, path)
            assert first.error is not None
            assert len(MADE) == 3, f"a failing run kept others from being made ({len(MADE)} of 3)"
            MADE.clear()
            second = _swept(made, path)
            assert second.error is not None
            assert len(MADE) == failing
            assert type(first.error) is rfm.SweepError
            assert repr(str(specs[at].label)) in str(first.error)
            pickle.loads(pickle.dumps(first.error))
            return
        MADE.clear()
        result = D.call("sweep", made, path, measure, workers=1, progress=False)
        D.expect(result)
        assert not MADE, f"{len(MADE)} runs were made before {D.bad} was refused"


def measured_loss(setting: rfm.Setting) -> float:
    """The loss by which a failing run is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(setting.run().table["test_loss"].iloc[-1])


@entry("Setting", "Setting\\..*", examples=80)
def _settings(D: Draw) -> None:
    w = D.world()
    split: object = D.confused(D.split(w), "split")
    case = D.kernel(tame=True)
    kernel: object = D.confused(case.make(), "kernel")
    options: dict[str, object] = {"iterations": 2}
    odd = {
        "iterations": [0, True, "2", None, 2.5, np.int64(2)],
        "ridge": [-1.0, NAN, "0", None, np.float64(0.5)],
        "power": [0.0, -1, INF, None, True],
        "stop": [5, rfm.converged, "converged", rfm.converged(1e-3)],
        "dtype": [torch.int64, "float64", torch.float32],
        "M0": [torch.eye(3), "identity", torch.zeros(2 * w.n, 2 * w.n)],
        "iterrations": [2],
        "device": ["meta", "tpu", "cpu"],
    }
    good = {np.int64, np.float64, rfm.converged}
    if D.chance(2):
        option = D.pick(*odd)
        value = options[option] = D.pick(*odd[option])
        fine = type(value) in good or value is torch.float32 or value == "cpu"
        D.judged(value, not fine, False, option)
    labels: object = {"seed": D.pick(1, "001", 2.5, True)}
    if D.chance(6):
        labels = D.pick({"seed": [1]}, {1: 2}, {"seed": None}, None, [1], {"seed": torch.ones(2)})
        D.bad.append("labels")
    method = D.pick("check", "run", "columns", "key")
    made = D.call("Setting", split, kernel, options, labels)
    if made.error is not None:
        D.expect(made)
        return
    setting = made.value
    if method in ("columns", "key"):
        was_bad = list(D.bad)
        if set(options) - {"iterrations"} and D.bad:
            D.open.append("only named here")
            D.bad.clear()
        result = D.call(f"Setting.{method}", setting)
        if D.expect(result) and not was_bad:
            before = setting.columns["iterations"]
            setting.options["iterations"] = 3
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    rows = len(setting.run().table)
                except rfm.RunError:
                    return
            assert str(setting.columns["iterations"]) == str(rows), (
                f"columns say {before} iterations, the run has {rows}"
            )
        return
    if labels is None or (D.bad and "labels" in D.bad):
        D.open.append("labels are a matter of the sweep")
        D.bad.remove("labels")
    arguments: tuple[object, ...] = ()
    if method == "run" and D.chance(3):
        threads, _ = D.integer(1, 2, "threads", most=2, limited=False)
        if threads is None:
            D.bad.remove("threads None")
        arguments = (threads,)
    result = D.call(f"Setting.{method}", setting, *arguments)
    iterations = options["iterations"]
    D.expect(
        result,
        lambda r: equal(r is None or len(r.table) <= iterations, True),
    )


# --- Groups that need not commute -----------------------------------------------------------------


class Finite:
    """A group of permutations, its products as plain lists of positions, and a task on it."""

    def __init__(self, group: rfm.FiniteGroup, points: int, divides: bool = False):
        self.group, self.n, N = group, group.order, range(group.order)
        self.task = rfm.quotient(group) if divides else rfm.composition(group)
        self.elements = list(group.values)
        images = [_images(text, points) for text in self.elements]
        place = {image: i for i, image in enumerate(images)}
        self.star = [[place[tuple(b[x] for x in a)] for b in images] for a in images]
        self.e = place[tuple(range(points))]
        self.inverse = [next(j for j in N if self.star[i][j] == self.e) for i in N]
        self.twist = self.inverse if divides else list(N)
        self.label = [[self.star[a][self.twist[b]] for b in N] for a in N]
        self.pairs = [(a, b) for a in N for b in N]
        self.automorphisms = [
            φ
            for φ in (dict(zip(N, image, strict=True)) for image in self._candidates())
            if all(φ[self.star[a][b]] == self.star[φ[a]][φ[b]] for a, b in self.pairs)
        ]

    def _candidates(self) -> Iterator[tuple[int, ...]]:
        """Bijections of positions that keep the neutral element."""
        rest = [i for i in range(self.n) if i != self.e]
        for image in permutations(rest):
            full = list(image)
            full.insert(self.e, self.e)
            yield tuple(full)

    def coordinates(self, reflects: bool, k: int) -> list[int]:
        """For :meth:`Draw.matrix`: where the identity sends the coordinates."""
        return list(range(2 * self.n))

    def act(self, φ: dict[int, int], p: int, r: int, exchanges: bool, pair: Pair) -> Pair:
        """Image of a pair of positions under a renaming."""
        a, b = pair[0], self.twist[pair[1]]
        if exchanges:
            a, b = self.inverse[b], self.inverse[a]
        return self.star[p][φ[a]], self.twist[self.star[φ[b]][r]]


def _images(text: str, points: int) -> tuple[int, ...]:
    """The images of 0, 1, … under the permutation that cycles stand for."""
    images = list(range(points))
    for cycle in text.strip("()").split(")(") if text != "id" else ():
        numbers = list(map(int, cycle.split()))
        for x, y in zip(numbers, numbers[1:] + numbers[:1], strict=True):
            images[x] = y
    return tuple(images)


@cache
def _finite() -> tuple[Finite, ...]:
    return (
        Finite(rfm.symmetric(3), 3),
        Finite(rfm.symmetric(3), 3, divides=True),
        Finite(rfm.affine(3, 2), 3),
        Finite(rfm.alternating(3), 3),
        Finite(rfm.quaternions(), 8),
    )


@entry("symmetric", "alternating", "dihedral", "affine", "quaternions", "FiniteGroup\\.commutes")
def _names_a_group(D: Draw) -> None:
    name = D.pick("symmetric", "alternating", "dihedral", "affine", "quaternions")
    if name == "quaternions":
        values, order, involutions = (), 8, 1
    elif name == "affine":
        p, q = D.pick((3, 2), (5, 2), (5, 4), (7, 3), (7, 6))
        values, order = (p, q), p * q
        involutions = 0 if q % 2 else p
        wrong = D.pick(*[None] * 6, (4, 3), (7, 4), (7, 1), (1, 1), (7, True), (7.0, 3), (4099, 2))
        if wrong is not None:
            values = D.judged(wrong, True, False, "numbers")
    elif name == "dihedral":
        value, m = D.integer(3, 6, "corners", most=9, limited=False)
        values, order, involutions = (value,), 2 * m, m + (m % 2 == 0)
    else:
        least = 2 if name == "symmetric" else 3
        value, k = D.integer(least, 4, "things", most=5, limited=False)
        order = math.factorial(max(k, 0)) // (1 if name == "symmetric" else 2)
        counts = {"symmetric": [0, 0, 1, 3, 9, 25], "alternating": [0, 0, 0, 0, 3, 15]}
        values, involutions = (value,), counts[name][k] if 0 <= k < 6 else 0

    def right(group: rfm.FiniteGroup) -> None:
        assert group.order == order
        assert int((group.orders == 2).sum()) == involutions
        table = group.table
        D.ask("FiniteGroup.commutes", bool((table == table.T).all()), group)
        assert group == getattr(rfm, name)(*values)
        assert pickle.loads(pickle.dumps(group)) == group

    D.expect(D.call(name, *values), right)


@entry("permutations")
def _takes_a_group_of_sympy(D: Draw) -> None:
    size = D.int(2, 4)
    generators = [Permutation(D.data.draw(st.permutations(range(size)))) for _ in range(2)]
    theirs, name = PermutationGroup(*generators), "G"
    group: object = theirs
    if D.chance(4):
        group = D.judged(D.pick(*NASTY, generators[0], rfm.symmetric(3)), True, False, "group")
    if D.chance(6):
        name = D.judged(D.pick("", None, 3, b"G"), True, False, "name")

    def right(made: rfm.FiniteGroup) -> None:
        images = [_images(text, size) for text in made.values]
        assert set(images) == {tuple(g.array_form) for g in theirs.elements}
        assert images == sorted(images)
        for i, j in product(range(len(images)), repeat=2):
            both = Permutation(images[i]) * Permutation(images[j])
            assert images[int(made.table[i, j])] == tuple(both.array_form)

    D.expect(D.call("permutations", group, name), right)


@entry(
    "FiniteGroup",
    "FiniteGroup\\.(__eq__|table|inverses|orders|classes|multiply|inverse|position)",
    examples=60,
)
def _builds_a_finite_group(D: Draw) -> None:
    w = D.pick(*_finite())
    n, order = w.n, D.data.draw(st.permutations(range(w.n)))
    star = [[0] * n for _ in range(n)]
    for a, b in w.pairs:
        star[order[a]][order[b]] = order[w.star[a][b]]
    table, values = torch.tensor(star), [f"g{i}" for i in range(n)]
    name: object = "G"
    wrong = D.pick(*[""] * 8, "entry", "out", "float", "flat", "wide", "repeated", "few", "name")
    if wrong:
        D.bad.append(wrong)
    if wrong == "entry":
        i, j = D.int(0, n - 1), D.int(0, n - 1)
        table[i, j] = (table[i, j] + D.int(1, n - 1)) % n
    elif wrong == "out":
        table = table + D.pick(1, -1, n)
    elif wrong == "float":
        table = table.double()
    elif wrong == "flat":
        table = table.flatten()
    elif wrong == "wide":
        table = table[1:]
    elif wrong == "repeated":
        values[1] = values[0]
    elif wrong == "few":
        values = values[1:]
    elif wrong == "name":
        name = D.pick("", None, 3)

    def right(group: rfm.FiniteGroup) -> None:
        e = order[w.e]
        inverse = [next(j for j in range(n) if star[i][j] == e) for i in range(n)]
        assert group.identity == e
        D.ask("FiniteGroup.inverses", inverse, group)
        D.ask("FiniteGroup.table", star, group)
        powers = []
        for g in range(n):
            x, k = g, 1
            while x != e:
                x, k = star[x][g], k + 1
            powers.append(k)
        D.ask("FiniteGroup.orders", powers, group)
        numbers = group.classes.tolist()
        for g, x in product(range(n), repeat=2):
            assert numbers[star[star[x][g]][inverse[x]]] == numbers[g]
        sizes = [sum(star[x][g] == star[g][x] for x in range(n)) for g in range(n)]
        assert max(numbers) + 1 == round(sum(sizes) / n)  # as many as commuting pairs, by n
        other = rfm.FiniteGroup(torch.tensor(w.star), values, "G")
        assert (group == other) == (star == w.star)
        i, j = D.int(0, n - 1), D.int(0, n - 1)
        D.ask("FiniteGroup.multiply", star[i][j], group, i, j)
        D.ask("FiniteGroup.inverse", inverse[i], group, i)
        asked = D.pick(*NASTY, "g", "g99") if D.chance(2) else f"g{i}"
        D.judged(asked, asked not in values if isinstance(asked, str) else True, False, "value")
        D.ask("FiniteGroup.position", i, group, asked)

    D.expect(D.call("FiniteGroup", table, values, name), right)


@entry("composition", "quotient", "TableTask", "TableTask\\..*", examples=160)
def _learns_any_table(D: Draw) -> None:
    w = D.pick(*_finite())
    n = w.n
    if D.chance(4):
        name = "quotient" if w.twist == w.inverse and w.inverse != list(range(n)) else "composition"
        result = D.call(name, D.confused(w.group, "group"))
        D.expect(result, lambda task: equal(task == w.task, True))
        return
    if D.chance(4):
        twist, wrong = torch.tensor(w.twist), D.pick("", "", "moved", "float", "short", "symbol")
        if wrong == "moved":
            twist = twist.roll(1)
        twist = {"float": twist.double(), "short": twist[1:]}.get(wrong, twist)
        if wrong:
            D.bad.append(wrong)
        made = D.call("TableTask", w.group, twist, 3 if wrong == "symbol" else w.task.symbol)
        D.expect(made, lambda task: equal(task == w.task, True))
        return
    task = w.task
    D.ask("TableTask.n", n, task)
    D.ask("TableTask.dimension", 2 * n, task)
    D.ask("TableTask.samples", [list(x) for x in w.pairs], task)
    D.ask("TableTask.labels", [w.label[a][b] for a, b in w.pairs], task)
    i, j = D.int(0, n - 1), D.int(0, n - 1)
    D.ask("TableTask.pair", [i, j], task, w.elements[i], w.elements[j])
    D.ask("TableTask.element", w.elements[i], task, i)
    pairs, plain, single = D.pairs(w)

    def answer(values: list) -> object:
        return values[0] if single else values

    rights = {
        "label": lambda: answer([w.label[a][b] for a, b in plain]),
        "index": lambda: answer([a * n + b for a, b in plain]),
        "checked": lambda: answer([list(x) for x in plain]),
        "listed": lambda: [list(x) for x in sorted(set(plain))],
        "one_hot": lambda: answer(
            [[float(i in (a, n + b)) for i in range(2 * n)] for a, b in plain]
        ),
        "one_hot_labels": lambda: answer(
            [[float(i == w.label[a][b]) for i in range(n)] for a, b in plain]
        ),
    }
    method = D.pick(*rights)
    right = rights[method]() if not D.bad else None
    more = _dtype(D) if method.startswith("one_hot") else ()
    D.ask(f"TableTask.{method}", right, task, pairs, *more)


@entry("Renaming", "Renaming\\..*", "exchange", "renamings", examples=80)
def _renames(D: Draw) -> None:
    w = D.pick(*_finite()[:4])
    n = w.n
    φ = D.pick(*w.automorphisms)
    value: object = torch.tensor([φ[i] for i in range(n)])
    wrong = D.pick(*[""] * 8, "moved", "float", "short", "constant", "list")
    if wrong:
        odd = {
            "moved": torch.roll(torch.arange(n), 1),
            "float": value.double(),
            "short": value[1:],
            "constant": torch.full((n,), w.e),
            "list": value.tolist(),
        }
        value = D.judged(odd[wrong], wrong != "list", wrong == "list", "map")
    if D.chance(8):
        found = D.call("renamings", D.confused(w.task, "task"))

        def all_of_them(maps: list[rfm.Renaming]) -> None:
            assert len(maps) == 2 * n * n * len(w.automorphisms)
            kept = sum(g.keeps_labels for g in maps)
            assert kept == (2 * n if w.group.commutes else n)

        D.bad = [text for text in D.bad if not text.startswith("map")]
        D.open.clear()
        D.expect(found, all_of_them)
        return
    if D.chance(3):
        p = r = w.e
        exchanges = True
        made = D.call("exchange", D.confused(w.task, "task"), value)
    else:
        (pv, p), (rv, r) = D.integer(0, n - 1, "p"), D.integer(0, n - 1, "r")
        flag, exchanges = D.flag("exchanges")
        made = D.call("Renaming", D.confused(w.task, "task"), value, pv, rv, flag)

    def right(g: rfm.Renaming) -> None:
        images = {x: w.act(φ, p, r, exchanges, x) for x in w.pairs}
        labels = {w.label[a][b]: w.label[c][d] for (a, b), (c, d) in images.items()}
        D.ask("Renaming.on_labels", [labels[i] for i in range(n)], g)
        D.ask("Renaming.keeps_labels", all(labels[i] == i for i in range(n)), g)
        D.ask("Renaming.on_samples", [c * n + d for c, d in images.values()], g)
        fixed = [list(x) for x in w.pairs if images[x] == x]
        D.ask("Renaming.fixed_points", fixed, g)
        where = [0] * (2 * n)
        for (a, b), (c, d) in images.items():
            where[a], where[n + b] = (n + d, c) if exchanges else (c, n + d)
        D.ask("Renaming.coordinates", where, g)
        matrix = np.zeros((2 * n, 2 * n))
        matrix[where, range(2 * n)] = 1
        D.ask("Renaming.matrix", matrix, g)
        pairs, plain, single = D.pairs(w)
        got = [list(images[x]) for x in plain] if not D.bad else [[]]
        D.ask("Renaming.__call__", got[0] if single else got, g, pairs)

    D.expect(made, right)


@entry("characters", "CharacterTable", "CharacterTable\\..*", "projections")
def _has_characters(D: Draw) -> None:
    w = D.pick(*_finite())
    n = w.n
    name = D.pick("characters", "projections")
    made = D.call(name, D.confused(w.group, "group"))

    def right(table: rfm.CharacterTable) -> None:
        degrees = D.call("CharacterTable.degrees", table).value
        χ = D.call("CharacterTable.on_elements", table).value.numpy()
        assert int((degrees**2).sum()) == n
        assert np.allclose(χ @ χ.conj().T, n * np.eye(len(χ)))
        assert np.allclose(χ[:, w.e], degrees)
        at = w.group.classes.tolist()
        assert np.allclose(table.values.numpy()[:, at], χ)
        flipped = D.call("CharacterTable.conjugates", table).value
        assert np.allclose(χ[flipped], χ.conj())
        for a, x in w.pairs:
            assert np.allclose(χ[:, w.star[w.star[x][a]][w.inverse[x]]], χ[:, a])

    def projects(P: Tensor) -> None:
        assert np.allclose(P.sum(0).numpy(), np.eye(n))
        for i, j in product(range(len(P)), repeat=2):
            wanted = P[i] if i == j else torch.zeros_like(P[i])
            assert torch.allclose(P[i] @ P[j], wanted, atol=1e-12)
        for t in range(n):  # kept by translations on both sides
            rows = torch.tensor([w.star[t][a] for a in range(n)])
            assert torch.allclose(P[:, rows][:, :, rows], P, atol=1e-12)

    D.expect(made, right if name == "characters" else projects)


@entry("isotypic", "IsotypicParts", "exchanged", "exchange_share", examples=90)
def _speaks_of_representations(D: Draw) -> None:
    w = D.pick(*_finite())
    n = w.n
    tags = dict.fromkeys(("asymmetric", "int", "numpy"), "bad")
    tags |= dict.fromkeys(("requires_grad", "parameter"), "")
    tags |= dict.fromkeys(("huge", "tiny", "small", "half"), "open")  # squares leave the range
    M, plain, tag = D.matrix(w, tags)
    C = plain[n:, :n][w.twist]
    centred = C - C.mean()
    tolerance = 1e-5 if tag == "float32" else 1e-9
    name = D.pick("isotypic", "exchange_share", "exchanged")
    back = [[0.0] * n for _ in range(n)]
    for u, v in w.pairs:
        at = [(w.star[w.inverse[v]][c], w.star[c][w.inverse[u]]) for c in range(n)]
        back[u][v] = sum(centred[x] for x in at) / n
    if name == "exchanged":
        if D.bad or D.open:
            D.bad.clear()
            D.open.clear()
            D.bad.append("no matrix")
            D.expect(D.call("exchanged", D.pick(None, 3, torch.ones(n), torch.eye(n + 1)), w.group))
            return
        result = D.call("exchanged", torch.from_numpy(centred.copy()), w.group)
        D.expect(result, lambda E: close(E, np.array(back), tolerance))
        return
    result = D.call(name, M, D.confused(w.task, "task"))

    def right(found: object) -> None:
        if tag in ("huge", "tiny", "small", "half"):
            return
        size = np.square(centred).sum()
        if name == "exchange_share":
            share = float((centred * np.array(back)).sum() / size) if size > 1e-20 else NAN
            assert math.isnan(found) if math.isnan(share) else abs(found - share) < tolerance
            return
        P = rfm.projections(w.group).numpy()
        kept = sum(Q @ centred @ Q for Q in P).real
        if size > 1e-20:
            off = np.linalg.norm(kept - centred) / math.sqrt(size)
            assert abs(found.residual - off) < 10 * tolerance
            parts = [np.square(np.abs(Q @ centred @ Q)).sum() / size for Q in P]
            close(found.shares, np.array(parts), tolerance)
        again = rfm.isotypic(found.projection, w.task)
        assert torch.allclose(again.projection, found.projection, atol=1e-6)

    D.expect(result, right)


@entry("search", "Search", examples=12)
def _searches(D: Draw) -> None:
    w = D.pick(*_finite()[:3])
    split = rfm.random_split(w.task, 0.7, D.int(0, 3))
    steps, plain = D.integer(1, 3, "steps", most=4, limited=False)
    options: dict[str, object] = {}
    for name in ("rate", "ridge"):
        if D.chance(4):
            options[name], _ = D.number((0.01, 1e-3), lambda x: 0 < x < INF, name)
    tags = dict.fromkeys(("asymmetric", "int", "numpy", "half"), "bad")
    tags |= dict.fromkeys(("requires_grad", "parameter"), "")
    tags |= dict.fromkeys(("huge", "tiny", "small", "zero", "indefinite", "negative"), "open")
    if D.chance(2):
        options["M0"], _, _ = D.matrix(w, tags)
    if "rate" in options or "ridge" in options:
        D.open.append("a step of any size")
    kernel = D.confused(rfm.Gaussian(), "kernel")
    result = D.call("search", D.confused(split, "split"), kernel, steps, every=2, **options)

    def right(found: rfm.Search) -> None:
        assert found.table.index.tolist() == sorted({*range(0, plain + 1, 2), plain})
        assert found.metric.shape == (2 * w.n, 2 * w.n)
        assert bool(torch.isfinite(found.metric).all())

    D.expect(result, right)


# --- The tests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", ENTRIES, ids=lambda e: e.check.__name__.strip("_"))
def test_a_documented_error_or_a_right_answer(each: Entry):
    _run_entry(each)
