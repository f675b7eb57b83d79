"""The repository may lie in a folder of any name, without git, under any locale."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT

CODE = [
    path for folder in (".ci", "rfm", "tests", "tools") for path in (ROOT / folder).rglob("*.py")
]
FOLDER = "Übung eins"
MODE = re.compile(r"[rwax]t?\+?")


def by_locale(code: str) -> Iterator[str]:
    """Yield the calls that read or write text in the encoding of whatever locale there is."""
    for call in ast.walk(ast.parse(code)):
        match call:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                given = {each.arg: ast.unparse(each.value) for each in call.keywords}
                modes = [a.value for a in call.args if isinstance(a, ast.Constant)]
                of_text = (
                    (name == "read_text" and not call.args)
                    or (name == "write_text" and len(call.args) < 2)
                    or (name == "open" and any(MODE.fullmatch(str(mode)) for mode in modes))
                    or (name == "open" and isinstance(call.func, ast.Name) and len(call.args) < 2)
                    or "True" in (given.get("text"), given.get("universal_newlines"))
                )
                if of_text and not given.keys() & {
                    "encoding",
                    None,
                }:  # None: some that are passed on
                    yield ast.unparse(call)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(text)", True),
        ("path.write_text(text, 'utf-8')", False),
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, 'rb')", False),
        ("path.open('a')", True),
        ("path.open('ab')", False),
        ("subprocess.run(order, text=True)", True),
        ("subprocess.run(order, text=True, encoding='utf-8')", False),
        ("subprocess.run(order, capture_output=True)", False),
    ],
)
def test_what_depends_on_the_locale_is_found(code: str, found: bool) -> None:
    assert bool([*by_locale(code)]) is found


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_is_read_or_written_by_the_locale(path: Path) -> None:
    assert [*by_locale(path.read_text(encoding="utf-8"))] == []


def commands(*order: str) -> list[list[str]]:
    """The words of each command that make would run."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    run = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "--always-make", *order],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return [shlex.split(line) for line in re.sub(r"\\\n", " ", run.stdout).splitlines()]


def test_paths_that_make_is_given_may_have_spaces() -> None:
    old, new = f"/{FOLDER}/book", "/two words"
    compared = commands("compare", f"A={old}", f"B={new}")[-1]
    assert compared[-3:] == ["tools/compare.py", old, new]
    python = f"/{FOLDER}/bin/python3"
    assert [python, "-m", "venv", ".venv"] in commands(".venv/.ready", f"PYTHON={python}")
