"""The ledger has a line for every claim; its numbers come from cells to which its links lead."""

from __future__ import annotations

import re
from functools import cache

import nbformat
import notebooks
import pytest

CLAIMS = {f"C{i}" for i in range(1, 16)} | {f"N{i}" for i in range(1, 28)}
VERDICTS = (
    *("confirmed", "confirmed with a correction", "not confirmed"),
    *("ours, proved", "ours, measured"),
)
GLUED = re.compile(r"\{glue:text\}`(?:(?P<page>[\w-]+\.ipynb)::)?(?P<key>[\w-]+)(?::s)?`")
LINK = re.compile(r"\{ref\}`cell <(?P<target>[\w-]+)>`")
REFERENCE = re.compile(r"\{(?:prf:)?ref\}`(?:[^<`]*<)?([\w-]+)>?`")
LABEL = re.compile(r"\((?P<label>[\w-]+)\)=")
TEXT = (notebooks.SOURCES / "ledger.md").read_text(encoding="utf-8")


def rows() -> list[tuple[str, list[str]]]:
    """Claim and cells of each line of the first table."""
    table = TEXT.split("## Claims", 1)[1].split("\n```\n", 1)[0]
    lines = [re.split(r"\n  - ?", row) for row in table.split("\n* - ")[2:]]
    return [
        (re.match(r"\*\*([CN]\d+)", line[0])[1], [cell.strip() for cell in line]) for line in lines
    ]


@cache
def glued(page: str) -> frozenset[str]:
    """The keys that the cells of a notebook have glued."""
    nb = nbformat.read(notebooks.BOOK / page, as_version=4)
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    return frozenset(
        output["metadata"]["scrapbook"]["name"]
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    )


@cache
def labels(page: str) -> dict[str, frozenset[str]]:
    """The labels of the sections in which each number of a page is glued or printed."""
    nb = nbformat.read(notebooks.BOOK / page, as_version=4)
    found: dict[str, frozenset[str]] = {}
    open_sections: list[tuple[int, set[str]]] = [(0, set())]
    pending: set[str] = set()
    for cell in nb.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else []:
            if label := LABEL.fullmatch(line):
                pending.add(label["label"])
            elif heading := re.match(r"(#+) ", line):
                level = len(heading[1])
                while open_sections[-1][0] >= level:
                    open_sections.pop()
                open_sections.append((level, pending))
                pending = set()
            elif line and pending:
                open_sections[-1][1].update(pending)
                pending = set()
            here = frozenset().union(*(names for _, names in open_sections))
            for match in GLUED.finditer(line):
                found[match["key"]] = found.get(match["key"], frozenset()) | here
        here = frozenset().union(pending, *(names for _, names in open_sections))
        for output in cell.get("outputs", []):
            if "scrapbook" in output.get("metadata", {}):
                key = output["metadata"]["scrapbook"]["name"]
                found[key] = found.get(key, frozenset()) | here
    return found


def test_every_claim_has_a_line() -> None:
    assert {claim for claim, _ in rows()} == CLAIMS


@pytest.mark.parametrize(("claim", "cells"), rows(), ids=[cells[0][:20] for _, cells in rows()])
def test_a_line_is_whole(claim: str, cells: list[str]) -> None:
    statement, paper, here, verdict = cells
    assert statement
    assert paper
    assert verdict.split(":")[0] in VERDICTS
    assert GLUED.search(here), "no number of ours"
    target = LINK.search(verdict)["target"]
    sources = [path.read_text(encoding="utf-8") for path in notebooks.sources()]
    assert sum(f"\n({target})=\n" in text for text in sources) == 1, target


@pytest.mark.parametrize(("claim", "cells"), rows(), ids=[cells[0][:20] for _, cells in rows()])
def test_no_number_is_typed(claim: str, cells: list[str]) -> None:
    for cell in cells[1:3]:
        left = re.sub(r"\$[^$]*\$|\{prf:ref\}`[^`]*`|\bN[12]\b", "", GLUED.sub("", cell))
        assert not re.search(r"\d", left), left


def test_every_number_is_glued_by_its_page() -> None:
    for match in GLUED.finditer(TEXT):
        assert match["key"] in glued(match["page"] or "ledger.ipynb"), match[0]


@pytest.mark.parametrize(("claim", "cells"), rows(), ids=[cells[0][:20] for _, cells in rows()])
def test_a_line_links_to_the_section_of_each_of_its_numbers(claim: str, cells: list[str]) -> None:
    linked = set(REFERENCE.findall(" ".join(cells)))
    for match in GLUED.finditer(" ".join(cells)):
        if match["page"]:
            sections = labels(match["page"]).get(match["key"], frozenset())
            assert sections & linked, (match["key"], sorted(sections))
