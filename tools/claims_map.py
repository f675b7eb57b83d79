"""The map of the book's claims, ``book/map.md``, as Markdown made of :mod:`statements`."""

from __future__ import annotations

import statements

WAYS = {
    "proved": "proved",
    "part": "proved in part",
    "exhaustive": "all cases",
    "draws": "draws",
    "cases": "listed cases",
}


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], widths: str, kind: str) -> str:
    """Return a list-table."""
    lines = [f"```{{list-table}}\n:header-rows: 1\n:class: {kind}\n:widths: {widths}\n"]
    for row in (head, *rows):
        lines.append("* - " + "\n  - ".join(row))
    return "\n".join([*lines, "```"])


def of_ledger() -> str:
    """The ledger's claims: what is said, how it is settled, and where."""
    rows = []
    for row in statements.ledger():
        name = f"**{row.claim}**" + (f" ({row.part})" if row.part else "")
        ways = " ".join(f"[{WAYS[way]}]{{.way .{way}}}" for way in row.how)
        proofs = [f"{{prf:ref}}`{label}`" for label in row.proofs]
        where = ", ".join([*proofs, f"{{ref}}`cell <{row.target}>`"])
        rows.append((f"{name}: {row.statement}", ways, row.verdict, where))
    head = ("Claim", "How it is settled", "Verdict", "Where")
    return table(head, rows, "56 14 14 16", "ledger map")


def of_theorems() -> str:
    """Every theorem, proposition, lemma and corollary, chapter by chapter."""
    parts = []
    for name in statements.chapters():
        found = list(statements.results(name))
        if not found:
            continue
        links = [
            f"- {{prf:ref}}`{result.label}`"
            + (f", {_plain(result.title)}" if result.title else "")
            + ("" if result.proved else " (stated without a proof)")
            for result in found
        ]
        parts.append(f"**{{doc}}`{name}`**\n\n" + "\n".join(links))
    return "\n\n".join(parts)


def _plain(title: str) -> str:
    return title[0].lower() + title[1:] if not title[1:2].startswith(":") else title


def of_chapters() -> str:
    """What each chapter states about its own runs, to unfold."""
    parts = []
    for name in statements.chapters():
        said = statements.stated(name)
        count = sum(answer == "holds" for _, answer in said)
        rest = "" if count == len(said) else f", {len(said) - count} not stated for its own task"
        items = [
            f"- {sentence}" + ("" if answer == "holds" else f" *({answer})*")
            for sentence, answer in said
        ]
        link = f"[Where it is checked]({name}.ipynb#does-it-hold-for-yours)"
        body = "\n".join(items)
        parts.append(
            f":::{{dropdown}} {_label(name)}: {count} hold{rest}\n\n{body}\n\n{link}.\n:::"
        )
    return "\n\n".join(parts)


def of_open() -> str:
    """What each page says that it did not show, to unfold."""
    parts = []
    for name in statements.pages():
        items = statements.not_shown(name)
        link = f"[On the page]({name}.ipynb#what-this-did-not-show)"
        body = "\n".join(f"- {item}" for item in items)
        parts.append(f":::{{dropdown}} {_label(name)}: {len(items)}\n\n{body}\n\n{link}.\n:::")
    return "\n\n".join(parts)


def _label(name: str) -> str:
    number = f"{int(name[:2])} · " if name[:2].isdigit() else ""
    return number + statements.title(name)
