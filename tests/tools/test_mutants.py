"""Mutants are killed by the tests that notice them and by nothing else; the table of scores."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from queue import Queue

import mutants
import pytest
import repository

MODULE = """
from functools import cached_property, lru_cache

LIMIT = 3


class Counter:
    def __init__(self, n):
        self.n = n

    @property
    def double(self):
        return 2 * self.n

    @cached_property
    def half(self):
        return self.n / 2


@lru_cache
def below(n):
    return n < LIMIT


def down(n):
    while n > 0:
        n -= 1
    return n


def unused(n):
    return n + 1


AT_IMPORT = unused(1)
"""
TESTS = """
import pytest
from tiny.calc import Counter, below, down

TWO = Counter(1).double


@pytest.mark.parametrize("n", [1, 2])
def test_double(n):
    assert Counter(n).double == 2 * n


def test_half():
    assert Counter(4).half == 2


def test_below():
    assert below(2)
    assert not below(3)


def test_down():
    assert down(3) == 0
    assert down(0) == 0
"""
# What is changed, where that is, and what becomes of it.
CHANGES = [
    ("2 * self.n", "3 * self.n", ("Counter", "double"), "killed"),
    ("2 * self.n", "self.n * 2", ("Counter", "double"), "survived"),
    ("self.n / 2", "self.n // 2", ("Counter", "half"), "survived"),
    ("self.n / 2", "self.n / 3", ("Counter", "half"), "killed"),
    ("self.n = n", "self.n = None", ("Counter", "__init__"), "killed"),
    ("n < LIMIT", "n <= LIMIT", ("below",), "killed"),
    ("LIMIT = 3", "LIMIT = 4", (), "killed"),
    ("LIMIT = 3", "LIMIT = 3.0", (), "survived"),
    ("LIMIT = 3", "LIMIT = missing", (), "killed"),
    ("n -= 1", "n -= 0", ("down",), "late"),
    ("n > 0", "n >= 0", ("down",), "killed"),
    ("n > 0", "n != 0", ("down",), "survived"),
    ("n + 1", "n + None", ("unused",), "killed"),  # at import only
    ("n + 1", "n + 2", ("unused",), "survived"),
]
SCRIPT = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
import judging
judging.LATE = 2.0, 10.0
root = Path.cwd()
sys.path.insert(0, str(root))
judges = judging.Judges(root, root / "tiny", ["tests/test_calc.py"], ["-q", "-p", "no:xdist"])
coverage = judges.coverage("tests/test_calc.py")
found = []
for module, source, place, line in json.load(sys.stdin):
    mutant = SimpleNamespace(module=module, source=source, place=tuple(place), lines=(line, line))
    tests, seconds = judging.chosen_tests(mutant, root / "tiny" / "calc.py", coverage, 3)
    verdict = judges.judge(mutant, tests, seconds)
    found.append((verdict.kind, verdict.by, tests))
judges.close()
print(json.dumps(found))
"""


def judged(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    """Try all changes in a process of its own."""
    for name, text in (("tiny/__init__", ""), ("tiny/calc", MODULE), ("tests/test_calc", tests)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    asked = []
    for before, after, place, _ in CHANGES:
        assert MODULE.count(before) == 1
        line = MODULE[: MODULE.index(before)].count("\n") + 1
        asked.append(("tiny.calc", MODULE.replace(before, after), place, line))
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env={
            "PYTHONPATH": str(repository.ROOT / "tools"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_what_is_killed_what_survives_and_what_is_late(tmp_path: Path) -> None:
    run = judged(tmp_path, TESTS)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert [kind for kind, _, _ in found] == [kind for *_, kind in CHANGES]
    assert [bool(by) for _, by, _ in found] == [kind == "killed" for *_, kind in CHANGES]
    assert sorted(found[0][2]) == [f"tests/test_calc.py::test_double[{n}]" for n in (1, 2)]
    assert found[3][1:] == ["tests/test_calc.py::test_half", ["tests/test_calc.py::test_half"]]
    assert len(found[6][2]) == 5  # what is run at import concerns all


def test_tests_that_fail_anyway_kill_nothing(tmp_path: Path) -> None:
    run = judged(tmp_path, f"{TESTS}\n\ndef test_wrong():\n    assert not below(2)\n")
    assert run.returncode
    assert "test_wrong" in run.stderr
    run = judged(tmp_path, f"{TESTS}\nimport nowhere\n")
    assert run.returncode
    assert "No module named 'nowhere'" in run.stderr


def test_mutants_are_all_there_and_words_have_none(tmp_path: Path) -> None:
    pytest.importorskip("mutmut", reason="make mutants installs it")
    import mutating

    source = '''
"""A text."""
A: int = 3


class One:
    @property
    def two(self) -> int | None:
        return self.x + 1


def three(x, y=5):
    if x < 0:
        raise ValueError("not good", f"{x + 1}")
    return zeros(x, device=y)
'''
    path = tmp_path / "m.py"
    path.write_text(source, encoding="utf-8")
    found = list(mutating.mutants(path, "m"))
    assert [(m.place, m.before, m.after) for m in found] == [
        ((), "A: int = 3", "A: int = None"),
        ((), "3", "4"),
        (("One", "two"), "self.x + 1", "self.x - 1"),
        (("One", "two"), "1", "2"),
        ((), "5", "6"),
        (("three",), "< 0", "<= 0"),
        (("three",), "0", "1"),
        (("three",), "zeros(x, device=y)", "zeros(None, device=y)"),
        (("three",), "zeros(x, device=y)", "zeros(device=y)"),
    ]
    assert [m.lines[0] for m in found] == [3, 3, 9, 9, 12, 13, 13, 15, 15]
    assert len({m.source for m in found}) == len(found)


def test_the_table_has_every_module_and_enough_is_killed() -> None:
    rows = mutants.read()
    books = sorted(path.relative_to(mutants.ROOT) for path in mutants.ROOT.glob("book/*.ipynb"))
    every = [*(f"rfm/{name}.py" for name in mutants.TESTS), *(path.as_posix() for path in books)]
    assert list(rows) == [name for name in every if name in rows]
    for name, row in rows.items():
        total, *kinds = (int(row[kind]) for kind in ("mutants", "killed", "survived", "timeouts"))
        assert total == sum(kinds) > 0, name
        tried = total - kinds[2]  # a change that keeps the tests from ending counts as neither
        assert kinds[0] >= tried * (mutants.AIM if name.endswith(".py") else 1), name
    if stale := mutants.stale():  # a score is that of a day: make mutants brings it up to date
        warnings.warn(f"changed since their mutants were tried: {', '.join(stale)}", stacklevel=1)


class Worker:
    """A process that lives for a while, and puts something in at the end."""

    def __init__(self, queue: Queue, asked: int, last: object) -> None:
        self.queue, self.left, self.last = queue, asked, last

    def is_alive(self) -> bool:
        self.left -= 1
        if self.left == 0:
            self.queue.put(self.last)
        return self.left > 0


def test_a_worker_that_ended_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "PATIENCE", 0.01)
    queue: Queue = Queue()
    queue.put("first")
    found = mutants.gathered(queue, [Worker(queue, 3, "last")], 3)
    assert [next(found), next(found)] == ["first", "last"]
    with pytest.raises(RuntimeError, match="a worker ended: run again, verdicts are kept"):
        next(found)


def test_every_module_has_its_tests() -> None:
    for name, files in mutants.TESTS.items():
        assert (mutants.PACKAGE / f"{name}.py").is_file()
        for file in (*mutants.ALWAYS, *files):
            assert (mutants.ROOT / "tests" / f"test_{file}.py").is_file()


def test_what_was_killed_stands_until_its_test_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    monkeypatch.setattr(mutants, "PACKAGE", tmp_path)
    monkeypatch.setattr(mutants, "KEPT", tmp_path / "kept")
    module, test = tmp_path / "m.py", tmp_path / "test_m.py"
    module.write_text("one", encoding="utf-8")
    test.write_text("two", encoding="utf-8")
    kept = mutants.Kept("m", force=False)
    by = mutants.Outcome("killed", "test_m.py::test", mutants.digest(test), 0.5, "a change")
    kept.add(0, by)
    kept.add(1, mutants.Outcome("survived", "", "", 0.5, "a change"))
    again = mutants.Kept("m", force=False)
    assert again.found == kept.found
    assert [again.stands(i) for i in range(3)] == [True, False, False]
    test.write_text("three", encoding="utf-8")
    assert not again.stands(0)
    assert mutants.Kept("m", force=False).found
    module.write_text("four", encoding="utf-8")
    assert not mutants.Kept("m", force=False).found
    module.write_text("one", encoding="utf-8")
    assert not mutants.Kept("m", force=True).found
