"""The notation page names every chapter that has a letter with several meanings."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

import notebooks
import pytest

PAGE = (notebooks.BOOK / "notation.md").read_text(encoding="utf-8")
TABLE = PAGE.split("\n(letters-with-several-meanings)=\n", 1)[1]
ROW = re.compile(r"^\| \$(?P<letter>[^$]+)\$ \| (?P<meaning>.+) \| (?P<where>all|[\d, ]+) \|$")
CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.MULTILINE | re.DOTALL)
FORMULA = re.compile(r"\$\$(.*?)\$\$|\$([^$]+)\$|\{math\}`([^`]+)`", re.DOTALL)
UPRIGHT = re.compile(r"\\(?:text|mathrm|operatorname|mathbf|mathbb|begin|end)\*?\{[^}]*\}")
TOKEN = re.compile(r"\\mathcal\{\w\}|\\[A-Za-z]+|[A-Za-z]")


def letters(text: str) -> set[str]:
    """The letters of all formulas of a text; those in words and upright names do not count."""
    formulas = ["".join(found) for found in FORMULA.findall(CELL.sub("", text))]
    return {token for one in formulas for token in TOKEN.findall(UPRIGHT.sub(" ", one))}


@cache
def chapters() -> dict[int, set[str]]:
    """The letters of each chapter, by number."""
    paths = [path for path in notebooks.sources() if path.name[:2].isdecimal()]
    return {int(path.name[:2]): letters(path.read_text(encoding="utf-8")) for path in paths}


def rows() -> dict[str, list[tuple[str, set[int] | None]]]:
    """The meanings of each letter and the chapters of each, None for all that have the letter."""
    found = defaultdict(list)
    for line in [line for line in TABLE.splitlines() if line.startswith("| $")]:
        row = ROW.match(line)
        assert row, line
        where = None if row["where"] == "all" else {int(n) for n in row["where"].split(",")}
        found[row["letter"]].append((row["meaning"], where))
    return found


@pytest.mark.parametrize("letter", rows())
def test_a_letter_is_where_its_rows_say_and_nowhere_else(letter: str) -> None:
    used = {number for number, found in chapters().items() if letter in found}
    for meaning, where in rows()[letter]:
        assert where is None or where <= used, (meaning, where - used)
    named = set().union(*(used if where is None else where for _, where in rows()[letter]))
    assert named == used, sorted(used - named)


def test_formulas_are_found() -> None:
    cell = "```{code-cell} ipython3\n$q$\n```\n"
    text = "$a \\text{ b } \\mathcal{L}$ and $$\\hat f$$ {math}`x`\n" + cell
    assert letters(text) >= {"a", "f", "x", "\\mathcal{L}"}
    assert not letters(text) & {"b", "q", "L"}
