"""Parts of pages that are made when the site is built, of what stands elsewhere.

A Sphinx extension. A line ``% made: name`` in a page is replaced by the Markdown of one of
``PARTS``; the role ``{stored}`` by an entry of a stored table: ``{stored}`trap:withheld[kernel=…;
task=…]``` is the column ``withheld`` of the one row of ``trap.csv`` with these values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import alike
import citing
import claims_map
import descriptions
import matrix_rows
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PARTS: Mapping[str, Callable[[], str]] = {
    "citation": citing.text,
    "claims of the ledger": claims_map.of_ledger,
    "theorems": claims_map.of_theorems,
    "statements of chapters": claims_map.of_chapters,
    "open": claims_map.of_open,
    "tables": descriptions.text,
    "chapters run again": matrix_rows.since,
    "rule for redrawn pictures": alike.words,
}
MARK = re.compile(r"^% made: (.+)$", re.MULTILINE)
STORED = re.compile(r"(?P<table>\w+):(?P<column>[^\[]+)(?:\[(?P<where>.*)\])?")


def filled(text: str) -> str:
    """Return a page's text with the parts in place of their marks.

    Raises:
        KeyError: There is no part of that name.
    """
    return MARK.sub(lambda mark: PARTS[mark[1].strip()](), text)


def _fill(app: Sphinx, name: str, source: list[str]) -> None:
    if not str(app.env.doc2path(name)).endswith(".ipynb"):
        source[0] = filled(source[0])


def stored(said: str) -> str:
    """Return the entry that the role's text names, whole numbers with commas.

    Raises:
        LookupError: There is none, or more than one.
    """
    match = STORED.fullmatch(said)
    if match is None:
        raise LookupError(f"{said!r} is not of the form table:column[name=value; …]")
    where = dict(part.strip().split("=", 1) for part in (match["where"] or "").split(";") if part)
    found = descriptions.value(match["table"], match["column"], where)
    return f"{int(found):,}" if found.isdigit() else found


def _stored(name: str, raw: str, text: str, line: int, inliner: Any, *_: Any) -> tuple[list, list]:
    try:
        return [nodes.Text(stored(text))], []
    except LookupError as error:
        return [], [inliner.reporter.warning(str(error), line=line)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _fill)
    app.add_role("stored", _stored)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
