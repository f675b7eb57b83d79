"""What is defined in a notebook reaches other processes; what cannot is refused before a run."""

from __future__ import annotations

import pickle
import sys
from functools import cache, lru_cache
from pathlib import Path

import processes
import pytest
import repository

from rfm.sending import Sent, arriving

PROGRAM = """
from functools import cache

import rfm
from rfm.sweeps import Setting

calls = []


@cache
def start(n):
    calls.append(n)
    return rfm.fit(rfm.random_split(rfm.addition(n), 0.5, 0), rfm.Gaussian(), 2)


def measure(run):
    return {"same": int((start(7).features == start(7).features).all()), "calls": len(calls)}


settings = [
    Setting(rfm.random_split(rfm.addition(7), 0.5, seed), rfm.Gaussian(), {"iterations": 1},
            {"seed": seed})
    for seed in range(3)
]
"""


def sent(x: object) -> object:
    """Something as another process unpickles it."""
    return pickle.loads(pickle.dumps(Sent(x))).x


def test_a_cached_function_of_a_notebook_reaches_other_processes(tmp_path: Path) -> None:
    path = str(tmp_path / "table.csv")
    call = (
        f"rfm.sweep(settings, {path!r}, measure, workers=2, progress=False)\n"
        "from joblib.externals.loky import get_reusable_executor\n"
        "get_reusable_executor().shutdown()"  # as at the end of a program
    )
    run = processes.python(f"{PROGRAM}\n{call}", repository.ROOT)
    assert run.returncode == 0, run.stderr
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[-5:-3] for line in lines] == [["same", "calls"], *[["1", "1"]] * 3]


def test_what_has_a_name_in_a_notebook_only_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "table.csv")
    named = (
        "class Named:\n"
        "    def __call__(self, run):\n        return {'a': 1}\n"
        "    def __reduce__(self):\n        return 'named'\n\n\n"
        "named = Named()\n"
        f"rfm.sweep(settings, {path!r}, named, workers=2, progress=False)"
    )
    run = processes.python(f"{PROGRAM}\n{named}", repository.ROOT)
    assert run.returncode != 0
    last = run.stderr.splitlines()[-1]
    assert last.startswith("TypeError: measure cannot be sent to another process: ")
    assert last.endswith("another process has no named, which was defined here")
    assert not list(tmp_path.iterdir())


def recursive(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


fibonacci = cache(recursive)


def test_its_cache_is_its_own_and_as_large() -> None:
    known = lru_cache(maxsize=3, typed=True)(lambda n: n + 1)
    known(1)
    found = sent(known)
    assert found.cache_parameters() == {"maxsize": 3, "typed": True}
    assert found.cache_info().currsize == 0
    assert found(4) == 5
    assert known.cache_info().currsize == 1


def test_it_may_call_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what is defined in a notebook is sent."""
    main = sys.modules["__main__"]
    for name, function in (("recursive", recursive), ("fibonacci", fibonacci)):
        monkeypatch.setattr(main, name, function, raising=False)
        monkeypatch.setattr(function, "__module__", "__main__")
    found = sent(fibonacci)
    assert found is not fibonacci
    assert found(60) == 1548008755920


@cache
def doubled(n: int) -> int:
    return 2 * n


def test_what_is_of_a_module_is_that_of_the_module() -> None:
    assert sent(doubled) is doubled
    assert arriving(doubled) is doubled
    one = object()
    assert Sent(one).x is one


def test_the_tables_are_made_with_functions_of_their_module() -> None:
    """Not with those of the program, whose caches would be empty in every run."""
    code = (
        "import runpy, sys\n"
        "import rfm\n"
        "from rfm.sending import dumped\n"
        "def sweep(settings, path, measure, **options):\n"
        "    print(measure.__module__, b'__main__' in dumped([settings, measure]))\n"
        "    sys.exit()\n"
        "rfm.sweep = sweep\n"
        "sys.argv = ['tables.py', 'by_fraction', '--workers', '2']\n"
        "sys.path[:0] = ['tools']\n"
        "runpy.run_path('tools/tables.py', run_name='__main__')\n"
    )
    run = processes.python(code, repository.ROOT, repository.ROOT / "tools")
    assert run.stdout == "tables False\n", run.stderr
