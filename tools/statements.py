"""What the book claims, read where it is claimed: in the ledger and in the chapters' directives.

The rows of the ledger; theorems and their kin, with whether a proof follows; what chapters state
about their own runs; and what they say that they did not show. Nothing here is typed a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
from repository import ROOT
from variants import statements

BOOK, SOURCES = ROOT / "book", ROOT / "book" / "src"
KINDS = ("theorem", "proposition", "lemma", "corollary")
DIRECTIVE = re.compile(
    r"^(?P<fence>`{3,})\{prf:(?P<kind>\w+)\}(?P<title>[^\n]*)\n(?::label: (?P<label>\S+)\n)?", re.M
)
ROW = re.compile(r"\*\*(?P<claim>[CN]\d+)(?P<part>, [^.*]+)?\.\*\* (?P<statement>.*)")
LINK = re.compile(r"\{ref\}`[^`<]*<(?P<target>[\w-]+)>`")
PROOFS = re.compile(r"\{prf:ref\}`(?P<label>[\w-]+)`")
GLUED = re.compile(r"\{glue:text\}`(?P<key>(?:\d\d|since)-[^`]+)`")


@dataclass(frozen=True)
class Row:
    """A line of the ledger.

    ``claim`` is its name, such as C1 or N12, ``part`` what distinguishes two lines of one claim,
    ``statement`` its words; ``how`` the ways in which it is settled, of ``proved``, ``part``,
    ``exhaustive``, ``draws`` and ``cases``, ``proofs`` the labels of what proves it, or a part of
    it, ``target`` that of the cell.
    """

    claim: str
    part: str
    statement: str
    verdict: str
    how: tuple[str, ...]
    proofs: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Result:
    """A theorem, proposition, lemma or corollary of a chapter, and whether a proof follows."""

    chapter: str
    kind: str
    title: str
    label: str
    proved: bool


def chapters() -> list[str]:
    """The names of the chapters, in order."""
    return sorted(path.stem for path in SOURCES.glob("[0-9][0-9]-*.md"))


def pages() -> list[str]:
    """The chapters, and after them the page on what has appeared since."""
    return [*chapters(), "since"]


def text(name: str) -> str:
    """The text of a chapter or of the ledger."""
    return (SOURCES / f"{name}.md").read_text(encoding="utf-8")


def title(name: str) -> str:
    """The title of a chapter."""
    prose = re.sub(r"^```.*?^```$", "", text(name), flags=re.M | re.S)
    return re.search(r"^# (.+)$", prose, re.M)[1]


def ledger() -> list[Row]:
    """The lines of the ledger's table of claims."""
    table = text("ledger").split("## Claims", 1)[1].split("\n```\n", 1)[0]
    found = []
    for line in table.split("\n* - ")[2:]:
        claim, _, here, verdict = re.split(r"\n  - ?", line.strip())
        head = ROW.match(claim)
        words, link = verdict.split(": {ref}", 1)[0], LINK.search(verdict)
        found.append(
            Row(
                head["claim"],
                (head["part"] or "").strip(", "),
                head["statement"].strip(),
                words,
                how(f"{here} {words}"),
                tuple(PROOFS.findall(here)),
                link["target"],
            )
        )
    return found


def how(words: str) -> tuple[str, ...]:
    """In which ways a line of the ledger is settled, by its words.

    ``proved`` if it says so or points to a theorem, but ``part`` if it calls the claim measured all
    the same; ``exhaustive`` if it says so or names all patterns; ``draws`` if it speaks of draws or
    seeds; else ``cases``, those that it lists.
    """
    proof = r"\bproved\b|\{prf:ref\}"
    measured = re.search(r"\bmeasured\b", words, re.I)
    ways = {
        "part" if measured else "proved": proof,
        "exhaustive": r"\bexhaustive\b|\ball patterns\b",
        "draws": r"\bdraws?\b|\bdrawn\b|\bseeds\b",
    }
    return tuple(way for way, sign in ways.items() if re.search(sign, words, re.I)) or ("cases",)


def results(name: str) -> Iterator[Result]:
    """The theorems and their kin of a chapter, in order."""
    found = list(DIRECTIVE.finditer(text(name)))
    for i, match in enumerate(found):
        if match["kind"] not in KINDS:
            continue
        later = [m["kind"] for m in found[i + 1 :]]
        until = next((j for j, kind in enumerate(later) if kind in KINDS), len(later))
        label, said = match["label"], match["title"].strip()
        yield Result(name, match["kind"], said, label, "proof" in later[:until])


def stated(name: str) -> list[tuple[str, str]]:
    """What a chapter states about its own runs, and whether it holds there."""
    return list(statements(nbformat.read(BOOK / f"{name}.ipynb", as_version=4)))


def not_shown(name: str) -> list[str]:
    """What a chapter says that it did not show: the items of that section, on a line each."""
    section = text(name).split("\n## What this did not show\n", 1)[1].split("\n## ", 1)[0]
    items = re.split(r"^- ", section, flags=re.M)[1:]
    return [abroad(" ".join(item.split("\n\n", 1)[0].split()), name) for item in items]


def abroad(words: str, name: str) -> str:
    """Words of a chapter as they stand on another page: glued values say where they are from."""
    return GLUED.sub(lambda m: f"{{glue:text}}`{name}.ipynb::{m['key']}:s`", words)
