"""Digests: alike for what is alike, in every process; different for what computes otherwise."""

from __future__ import annotations

import copy
import functools
import io
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import processes
import pytest
import torch
from torch import Tensor

import rfm
from rfm import Setting, Split
from rfm.digest import digest

PLUS, T13 = rfm.addition(7), rfm.addition(13)
GAUSSIAN = rfm.Gaussian(2.5)
LIMIT = 0.5


def trap(task: rfm.Task) -> Split:
    return rfm.withhold(task, task.reflections[0].fixed_points())


def with_(kernel: rfm.Kernel = GAUSSIAN, labels: object = None, **options: object) -> Setting:
    return Setting(trap(PLUS), kernel, options, {"name": "x"} if labels is None else labels)


def below(limit: float) -> Callable[[dict[str, float]], bool]:
    return lambda row: row["step"] < limit


def default(limit: float) -> Callable[[dict[str, float]], bool]:
    def rule(row: dict[str, float], limit: float = limit) -> bool:
        return row["step"] < limit

    return rule


def keyword(limit: float) -> Callable[[dict[str, float]], bool]:
    def rule(row: dict[str, float], *, limit: float = limit) -> bool:
        return row["step"] < limit

    return rule


def attribute(limit: float) -> Callable[[dict[str, float]], bool]:
    def rule(row: dict[str, float]) -> bool:
        return row["step"] < rule.limit

    rule.limit = limit
    return rule


def reading(text: str, **names: object) -> Callable[[dict[str, float]], bool]:
    """A rule as a notebook would define it, with global names of its own."""
    names.setdefault("__name__", "__main__")
    exec(f"def rule(row):\n    {text}\n", names)
    return names["rule"]


def kernel_class(weight: float, shown: str = "Mine()", **state: object) -> rfm.Kernel:
    """A kernel of one's own; what it shows is chosen, and says nothing."""

    class Mine(rfm.RadialKernel):
        def __init__(self) -> None:
            vars(self).update(state)

        def value_(self, u: Tensor) -> Tensor:
            return u.mul_(-weight).exp_()

        def weight_(self, u: Tensor) -> Tensor:
            return self.value_(u).mul_(2 * weight)

        def profile(self, u: Tensor) -> Tensor:
            return torch.exp(-weight * u)

        def __repr__(self) -> str:
            return shown

    return Mine()


class Fixed(rfm.RadialKernel):
    def value_(self, u: Tensor) -> Tensor:
        return u.mul_(-1.0).exp_()

    def weight_(self, u: Tensor) -> Tensor:
        return self.value_(u).mul_(2.0)

    def profile(self, u: Tensor) -> Tensor:
        return torch.exp(-u)


class Inherits(Fixed):
    def value_(self, u: Tensor) -> Tensor:
        return u.mul_(-2.0).exp_()

    def __repr__(self) -> str:
        return "Fixed()"


Fixed.__repr__ = lambda self: "Fixed()"


def M0(last: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
    M = torch.eye(14, dtype=dtype)
    M[0, 0] = last
    return M


def retwisted(task: rfm.Task) -> rfm.Task:
    """Another table under the same name."""
    return replace(task, twist=task.group.inverses)


def regrouped() -> rfm.Task:
    """Z_13 with elements renamed, the zero first; prints alike and has another table."""
    logarithm = torch.arange(13)
    logarithm[[1, 2]] = torch.tensor([2, 1])
    group = rfm.Group((13,), logarithm, range(13), "Z_13")
    return rfm.Task(group, torch.arange(13), "+", "13")


PAIRS = {
    "withheld pair": (
        Setting(rfm.withhold(T13, T13.pair(2, 5)), GAUSSIAN),
        Setting(rfm.withhold(T13, T13.pair(3, 4)), GAUSSIAN),
    ),
    "moved pair": (
        Setting(trap(T13).move(T13.pair(0, 1)), GAUSSIAN),
        Setting(trap(T13).move(T13.pair(0, 2)), GAUSSIAN),
    ),
    "given back": (
        Setting(trap(T13).give_back(T13.pair(0, 0)), GAUSSIAN),
        Setting(trap(T13).give_back(T13.pair(1, 1)), GAUSSIAN),
    ),
    "fraction": (
        Setting(rfm.random_split(rfm.addition(31), 0.501, 0), GAUSSIAN),
        Setting(rfm.random_split(rfm.addition(31), 0.504, 0), GAUSSIAN),
    ),
    "twist": (
        Setting(rfm.random_split(T13, 0.5, 0), GAUSSIAN),
        Setting(rfm.random_split(retwisted(T13), 0.5, 0), GAUSSIAN),
    ),
    "table": (
        Setting(rfm.random_split(T13, 0.5, 0), GAUSSIAN),
        Setting(rfm.random_split(regrouped(), 0.5, 0), GAUSSIAN),
    ),
    "moduli": (
        Setting(rfm.random_split(rfm.addition(12), 0.5, 0), GAUSSIAN),
        Setting(rfm.random_split(rfm.addition(3, 4), 0.5, 0), GAUSSIAN),
    ),
    "mirrors": (
        Setting(trap(PLUS), GAUSSIAN),
        Setting(replace(trap(PLUS), mirrors=()), GAUSSIAN),
    ),
    "kind": (
        Setting(trap(PLUS), GAUSSIAN),
        Setting(replace(trap(PLUS), kind=trap(PLUS).kind // 2 * 3), GAUSSIAN),
    ),
    "M0": (with_(M0=M0()), with_(M0=M0(2.0))),
    "a bit of M0": (with_(M0=M0()), with_(M0=M0(1.0 + 2**-52))),
    "type of M0": (with_(M0=M0()), with_(M0=M0(dtype=torch.float32))),
    "sign of a zero": (with_(M0=-0.0 * M0()), with_(M0=0.0 * M0())),
    "no M0": (with_(M0=torch.eye(14).double()), with_()),
    "class of the kernel": (with_(Fixed()), with_(Inherits())),
    "code of the kernel": (with_(kernel_class(1.0)), with_(kernel_class(2.0))),
    "state of the kernel": (with_(kernel_class(1.0, L=1)), with_(kernel_class(1.0, L=2))),
    "tensor in the kernel": (
        with_(kernel_class(1.0, L=torch.ones(2))),
        with_(kernel_class(1.0, L=torch.ones(2, 1))),
    ),
    "a bit of a bandwidth": (
        with_(rfm.Gaussian(0.1 + 0.2)),
        with_(rfm.Gaussian(0.3)),
    ),
    "closure": (with_(stop=below(0.1)), with_(stop=below(0.2))),
    "default": (with_(stop=default(0.1)), with_(stop=default(0.2))),
    "keyword": (with_(stop=keyword(0.1)), with_(stop=keyword(0.2))),
    "attribute": (with_(stop=attribute(0.1)), with_(stop=attribute(0.2))),
    "constant": (with_(stop=lambda row: False), with_(stop=lambda row: True)),
    "comparison": (
        with_(stop=lambda row: row["step"] < 1),
        with_(stop=lambda row: row["step"] > 1),
    ),
    "name that is read": (
        with_(stop=lambda row: row["step"] < 1),
        with_(stop=lambda row: row["jitter"] < 1),
    ),
    "global number": (
        with_(stop=reading("return row['step'] < LIMIT", LIMIT=0.1)),
        with_(stop=reading("return row['step'] < LIMIT", LIMIT=0.2)),
    ),
    "global within": (
        with_(stop=reading("return any(x < LIMIT for x in row.values())", LIMIT=0.1)),
        with_(stop=reading("return any(x < LIMIT for x in row.values())", LIMIT=0.2)),
    ),
    "global function": (
        with_(stop=reading("return f(row)", f=below(0.1))),
        with_(stop=reading("return f(row)", f=below(0.2))),
    ),
    "cached function": (
        with_(stop=functools.lru_cache(below(0.1))),
        with_(stop=functools.lru_cache(below(0.2))),
    ),
    "partial": (
        with_(stop=functools.partial(default(1), limit=0.1)),
        with_(stop=functools.partial(default(1), limit=0.2)),
    ),
    "bound method": (
        with_(stop=rfm.converged(0.1).__call__),
        with_(stop=rfm.converged(0.2).__call__),
    ),
    "tolerance": (with_(stop=rfm.converged(1e-7)), with_(stop=rfm.converged(1e-6))),
    "ridge": (with_(ridge=0.3), with_(ridge=0.1 + 0.2)),
    "device": (with_(), with_(device="cpu")),
    "features kept": (with_(), with_(keep_features=True)),
    "dtype": (with_(), with_(dtype=torch.float32)),
    "True and 1": (with_(labels={"a": True}), with_(labels={"a": 1})),
    "text and 1": (with_(labels={"a": "1"}), with_(labels={"a": 1})),
    "1.0 and 1": (with_(labels={"a": 1.0}), with_(labels={"a": 1})),
    "-0.0 and 0.0": (with_(labels={"a": -0.0}), with_(labels={"a": 0.0})),
    "name of a label": (with_(labels={"a": 1}), with_(labels={"b": 1})),
    "boundary": (with_(labels={"a": "b", "c": "d"}), with_(labels={"a": "bc", "c": "d"})),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=list(PAIRS))
def test_runs_that_differ_have_other_keys(one: Setting, other: Setting) -> None:
    assert one.key != other.key
    assert len(one.key) == len(other.key) == 64
    for setting in (one, other):
        again = Setting(setting.split, setting.kernel, setting.options, setting.labels)
        assert again.key == setting.key


ALIKE = {
    "a default that is said": (with_(), with_(iterations=60, ridge=0.0)),
    "order of options": (with_(ridge=1.0, power=1.0), with_(power=1.0, ridge=1.0)),
    "order of labels": (
        with_(labels={"a": 1, "b": 2}),
        with_(labels={"b": 2, "a": 1}),
    ),
    "progress": (with_(), with_(progress=True)),
    "the same code twice": (with_(stop=below(0.1)), with_(stop=below(0.1))),
    "the same class twice": (with_(kernel_class(1.0)), with_(kernel_class(1.0))),
    "what is shown of the device": (with_(device="cpu"), with_(device=torch.device("cpu"))),
    "a copy of M0": (with_(M0=M0()), with_(M0=M0().T.clone().T)),
    "a scalar of NumPy": (with_(labels={"a": np.int64(1)}), with_(labels={"a": 1})),
    "text run as a program": (
        with_(stop=reading("return row['step'] < 1", __name__="builtins")),
        with_(stop=reading("return row['step'] < 1")),
    ),
    "a global that is not read": (
        with_(stop=reading("return row['limit'] < row.get('x')", limit=1)),
        with_(stop=reading("return row['limit'] < row.get('x')", limit=2, get=3)),
    ),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=list(ALIKE))
def test_runs_that_are_alike_have_one_key(one: Setting, other: Setting) -> None:
    assert one.key == other.key


def test_what_a_run_has_cached_changes_no_key() -> None:
    @dataclass(frozen=True)
    class Cached(rfm.Gaussian):
        @cached_property
        def table(self) -> list[int]:
            return [1, 2]

    setting = Setting(trap(T13), Cached(1.5), {"iterations": 1})
    key = setting.key
    assert setting.kernel.table == [1, 2]
    assert len(setting.split.train) + len(setting.split.test) == 169
    assert setting.split.task.labels.numel() == 169
    setting.split.orbit_baseline()
    assert setting.key == key
    for again in (copy.copy(setting), copy.deepcopy(setting)):
        assert again.key == key


# ---------------------------------------------------------------------------- whatever there may be


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x: object) -> None:
        self.x = x


class Listed(list):
    more: int = 0


@dataclass
class Nested:
    values: list[object] = field(default_factory=list)
    names: frozenset[str] = frozenset({"a", "b", "c"})


def loop(*more: object) -> list[object]:
    found: list[object] = list(more)
    found.append(found)
    return found


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


THINGS = [
    *(None, True, False, 0, 1, -1, 2**100, 0.0, -0.0, 1.0, float("inf"), float("nan"), 1j, 0j),
    *(
        "",
        "a",
        "\ud800",
        b"",
        b"a",
        bytearray(b"a"),
        (),
        [],
        {},
        set(),
        frozenset(),
        (1,),
        [1],
        ...,
    ),
    *([[1], 2], [[1, 2]], [1, [2]], {1: 2}, {"1": 2}, {2: 1}, {1}, {"a", "b"}, {"a", "c"}),
    *(
        frozenset({1}),
        range(3),
        range(4),
        slice(1, 2),
        Path("a"),
        Path("b"),
        Colour.RED,
        Colour.BLUE,
    ),
    *(np.arange(3), np.arange(3.0), np.arange(3)[None], np.array(["a"]), np.array(["a", None])),
    *(np.float64(1.0), np.float32(1.0), np.int64(1), np.bool_(True), np.random.default_rng(0)),
    *(torch.arange(3), torch.arange(3.0), torch.eye(2), torch.eye(2)[0], torch.tensor(1.0)),
    *(torch.ones(2, dtype=torch.bfloat16), torch.ones(2) * 1j, torch.zeros(0), torch.float32),
    *(torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)),
    *(torch.nn.ReLU(), torch.nn.ReLU(inplace=True), torch.nn.ReLU),
    *(pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]}), pd.DataFrame({"b": [1]})),
    *(
        int,
        float,
        dict,
        Colour,
        Slots,
        Nested,
        Slots(1),
        Slots(2),
        Nested([1]),
        Nested(names=set()),
    ),
    *(Listed(), Listed([1]), loop(), loop(1), even, odd, len, sum, np.sin, torch.exp, [].append),
    *(
        below(0.1),
        below(0.2),
        functools.partial(below, 1),
        functools.partial(below),
        Slots(1).__init__,
    ),
    *(
        rfm,
        torch,
        sys.modules[__name__],
        functools.lru_cache(even),
        io.StringIO("a"),
        Fixed,
        Inherits,
    ),
]


def test_things_that_differ_have_other_digests() -> None:
    found = [digest(thing=thing) for thing in THINGS]
    for thing, one in zip(THINGS, found, strict=True):
        alike = [THINGS[i] for i, other in enumerate(found) if other == one]
        assert len(alike) == 1, alike
        assert digest(thing=thing) == one
        assert digest(other=thing) != one


def test_copies_have_the_same_digest() -> None:
    for thing in THINGS:
        if not isinstance(thing, type(rfm)):  # modules are not copied
            assert digest(thing=copy.deepcopy(thing)) == digest(thing=thing), thing


@pytest.mark.parametrize(
    "thing",
    [threading.Lock(), open(os.devnull, encoding="utf-8"), (i for i in ()), threading.local()],  # noqa: SIM115
    ids=["lock", "file", "generator", "local"],
)
def test_what_has_no_content_is_refused_by_name(thing: object) -> None:
    where = {
        r"it has no": thing,
        r"it → here → 1 has no|it → here has no": {"here": [0, thing]},
        r"it → below\.<locals>\.<lambda> → limit has no": below(thing),
        r"it → rule → thing has no": reading("return thing", thing=thing),
        r"it → x has no|it has no": Slots(thing),
    }
    for message, holder in where.items():
        with pytest.raises(TypeError, match=message) as caught:
            digest(it=holder)
        assert type(thing).__name__ in str(caught.value)


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: list[object] = []
    for _ in range(10**5):
        deep = [deep]
    with pytest.raises(TypeError, match="it: nested too deeply"):
        digest(it=deep)


def test_a_module_of_ones_own_goes_by_its_text(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    found = set()
    for number in range(1, 3):
        (tmp_path / f"helpers{number}.py").write_text(
            f"def f(row):\n    return row < {number}\n", encoding="utf-8"
        )
        module = __import__(f"helpers{number}")
        module.__name__ = "helpers"
        found.add(digest(it=reading("return helpers.f(row)", helpers=module)))
    assert len(found) == 2


# ---------------------------------------------------------------------------------- other processes

PROGRAM = """
import functools, re, sys
from dataclasses import dataclass
from enum import Enum
import torch
import rfm
from rfm.digest import digest

class Colour(Enum):
    RED = "red"
    BLUE = "blue"

NAMES = {"alpha", "beta", "gamma", "delta", Colour.RED, Colour.BLUE}

@dataclass(frozen=True)
class Mine(rfm.RadialKernel):
    "A kernel without a useful repr."
    scale: float = 1.5
    names: frozenset = frozenset({"one", "two", "three", "four"})
    __repr__ = object.__repr__

    def value_(self, u):
        return u.mul_(-self.scale).exp_()

    def weight_(self, u):
        return self.value_(u).mul_(2 * self.scale)

    def profile(self, u):
        return torch.exp(-self.scale * u)

    @functools.cached_property
    def table(self):
        return torch.ones(3)

    @staticmethod
    def other(u):
        return u

class Rule:
    def __init__(self):
        super().__init__()
        self.me, self.names = self, NAMES

    def __call__(self, row):
        return row["step"] in {"x", "y", "z"} or re.match("a+", str(NAMES)) is None

def measure(run, *, more=functools.partial(print, sep="")):
    return {name: 1 for name in sorted(map(str, NAMES)) if name not in {"p", "q", "r"}}

if __name__ == "__main__":
    split = rfm.withhold(rfm.addition(7), rfm.addition(7).reflection(0).fixed_points())
    options = {"stop": Rule(), "M0": torch.eye(14), "ridge": 0.1 + 0.2}
    setting = rfm.Setting(split, Mine(), options, {"name": "⟨s⟩"})
    print({str(number) for number in range(50)})
    print(setting.key, digest(measure=measure), digest(names=NAMES), digest(kernel=Mine))
    print(setting.columns)
"""


def test_digests_are_the_same_in_all_processes(tmp_path: Path) -> None:
    """Two processes, in which sets have other orders."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    here = Path(rfm.__file__).parent.parent
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
    environment["PYTHONPATH"] = str(here)
    command = [sys.executable, program]
    one = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    other = processes.python(PROGRAM, here)
    assert (one.returncode, one.stderr) == (other.returncode, other.stderr) == (0, "")
    orders, *found = zip(one.stdout.splitlines(), other.stdout.splitlines(), strict=True)
    assert orders[0] != orders[1]
    assert found == [(line, line) for line, _ in found]
    shown = one.stdout
    assert "0x" not in shown
    assert "'kernel': 'Mine'" in shown


def test_a_key_is_the_same_where_a_setting_is_sent() -> None:
    settings = [setting for pair in PAIRS.values() for setting in pair]
    settings = [s for s in settings if "lru_cache" not in repr(s.options.get("stop"))]
    with processes.workers("forkserver"):
        keys = joblib.Parallel(n_jobs=2, batch_size=200)(joblib.delayed(_key)(s) for s in settings)
    assert keys == [setting.key for setting in settings]


def _key(setting: Setting) -> str:
    return setting.key


def test_keys_of_pickled_settings() -> None:
    setting = Setting(trap(PLUS), rfm.Quadratic(), {"M0": M0(), "stop": rfm.converged(0.1)})
    assert pickle.loads(pickle.dumps(setting)).key == setting.key


@pytest.mark.parametrize("changed", ["pack/sub.py", "deep.py"])
def test_modules_behind_a_module_count(changed: str, tmp_path: Path) -> None:
    """One inside the package that a function reads from, and one that this one imports from."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "pack" / "sub.py").write_text(
        "from deep import two\n\ndef f(u):\n    return u\n", encoding="utf-8"
    )
    (tmp_path / "deep.py").write_text("def two():\n    return 2\n", encoding="utf-8")
    code = (
        "import sys\n"
        "sys.dont_write_bytecode = True\n"
        "import pack.sub\n"
        "from rfm.digest import digest\n"
        "def profile(u):\n"
        "    return pack.sub.f(u)\n"
        "print(digest(profile=profile))"
    )

    def found() -> str:
        made = processes.python(code, tmp_path, Path(rfm.__file__).parent.parent)
        assert (made.returncode, made.stderr) == (0, "")
        return made.stdout

    before = found()
    assert found() == before
    with (tmp_path / changed).open("a", encoding="utf-8") as file:
        file.write("\nmore = 1\n")
    assert found() != before
