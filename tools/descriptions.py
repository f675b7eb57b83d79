"""The tables of ``book/data`` and their columns, as ``book/data/columns.yml`` describes them.

For the page ``book/data.md``, made as Markdown; and the values that pages quote from a table.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from repository import ROOT

DATA = ROOT / "book" / "data"


@cache
def described() -> dict[str, Any]:
    """The descriptions: ``groups`` of columns that tables share, and ``tables``."""
    return yaml.safe_load((DATA / "columns.yml").read_text(encoding="utf-8"))


@cache
def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table, as text."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(name: str) -> list[str]:
    """The columns of a table, in order."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def meanings(name: str) -> dict[str, str]:
    """Column ↦ meaning for a table, those of its groups and its own.

    Raises:
        ValueError: A column is described twice.
    """
    found: dict[str, str] = {}
    table = described()["tables"][name]
    shared = [described()["groups"][group]["columns"] for group in table.get("groups", ())]
    for said in (*shared, table["columns"]):
        if twice := found.keys() & said.keys():
            raise ValueError(f"{name}.csv: {', '.join(sorted(twice))} described twice")
        found |= said
    return found


def what(name: str) -> str:
    """What a table is: as described, or what was run, by the list of the tables."""
    said = described()["tables"][name]
    listed = {row["table"]: row["what was run"] for row in rows("tables")}
    return said.get("what") or listed[f"{name}.csv"]


def value(name: str, column: str, where: Mapping[str, str]) -> str:
    """An entry of the one row of a table that has these values.

    Raises:
        LookupError: There is no such row or column, or more than one row.
    """
    found = [row for row in rows(name) if where.items() <= row.items()]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows of {name}.csv have {dict(where)}")
    return found[0][column]


def text() -> str:
    """The page's sections: what tables share, and the tables."""
    shared = [
        f":::{{dropdown}} {group['title']}\n:name: data-{key}\n\n{_list(group['columns'])}\n:::"
        for key, group in described()["groups"].items()
    ]
    return "\n\n".join(
        ["## Columns that tables share", *shared, "## The tables", *map(_section, _ordered())]
    )


def _ordered() -> list[str]:
    return sorted(described()["tables"])


def _section(name: str) -> str:
    table, size = described()["tables"][name], (DATA / f"{name}.csv").stat().st_size
    command = table.get("command", f"make tables NAME={name}")
    made = f"Made by `{command}`." if command else "Typed from the paper."
    groups = [
        f"{{ref}}`{_lower(described()['groups'][group]['title'])} <data-{group}>`"
        for group in table.get("groups", ())
    ]
    lines = [
        f"(data-table-{name})=\n### {name}",
        what(name),
        f"{{download}}`{name}.csv <data/{name}.csv>`, {len(rows(name)):,} rows, "
        f"{len(columns(name))} columns, {size / 1000:,.0f} kB. {made}".replace(" 0 kB", " 1 kB"),
    ]
    if table["columns"]:
        lines.append(_list(table["columns"]))
    if groups:
        own = "And" if table["columns"] else "Its columns:"
        lines.append(f"{own} {', '.join(groups)}.")
    return "\n\n".join(lines)


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]


def _list(columns: Mapping[str, str]) -> str:
    return "\n".join(f"- `{name}`: {meaning}" for name, meaning in columns.items())
