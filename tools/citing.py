"""How to cite the book and the paper that it begins from: BibTeX made of ``CITATION.cff``."""

from __future__ import annotations

from typing import Any

import repository
import yaml


def cff() -> dict[str, Any]:
    """What the file says."""
    return yaml.safe_load((repository.ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def names() -> str:
    """The book's authors, with commas between."""
    people = cff()["authors"]
    return ", ".join(p.get("name") or f"{p['given-names']} {p['family-names']}" for p in people)


def _authors(people: list[dict[str, str]]) -> str:
    """Names as BibTeX wants them; a body of authors stands in braces of its own."""
    return " and ".join(
        f"{{{p['name']}}}" if "name" in p else f"{p['family-names']}, {p['given-names']}"
        for p in people
    )


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    lines = [f"  {name:<{width}} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def book() -> str:
    """The entry of the book. It has no year of its own until a release is dated."""
    said = cff()
    fields = {"title": f"{{{said['title']}}}", "author": _authors(said["authors"])}
    if "date-released" in said:
        fields["year"] = str(said["date-released"])[:4]
    fields |= {"version": str(said["version"]), "url": repository.site()}
    return _entry("misc", "breakingsymmetry", fields)


def paper() -> str:
    """The entry of the paper, the first of the references."""
    said = cff()["references"][0]
    preprint = next(i["value"] for i in said["identifiers"] if i["value"].startswith("arXiv:"))
    fields = {
        "title": f"{{{said['title']}}}",
        "author": _authors(said["authors"]),
        "booktitle": said["collection-title"],
        "year": str(said["year"]),
        "eprint": preprint.removeprefix("arXiv:"),
        "archiveprefix": "arXiv",
        "url": said["url"],
    }
    return _entry("inproceedings", "bernal2026breaking", fields)


def text() -> str:
    """Both entries, to copy."""
    return f"```bibtex\n{book()}\n\n{paper()}\n```"
