r"""Search that finds names as people type them: accents or none, Greek or spelled, "C7", "Π(g)".

A Sphinx extension. Sphinx's index splits words as they are written, ranks all pages with a word
alike, and has ``\lambda`` where a reader types λ. Here both sides are folded to plain letters and
to British spelling, and pages by their title, claims of the ledger, symbols of the notation and
cited authors are targets of their own, which come first when they are asked for.
"""

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx

Target = dict[str, Any]
SCRIPT = Path(__file__).with_suffix(".js")
CLAIM = re.compile(r"([CN])(\d+)\b")
COMMAND = re.compile(r"\\([A-Za-z]+)")
SIGNS = {  # as results of a search show them
    **{"star": "⋆", "circ": "∘", "infty": "∞", "pm": "±", "times": "×", "rtimes": "⋊", "wr": "≀"},
    **{"top": "ᵀ", "lVert": "‖", "rVert": "‖", "lvert": "|", "rvert": "|", "sum": "Σ", "dots": "…"},
    **{"langle": "⟨", "rangle": "⟩", "cdot": "·", "le": "≤", "leq": "≤", "in": "∈", "mapsto": "↦"},
    **{"to": "→", "ldots": "…", "cdots": "…", "mid": "|", "ne": "≠", "ge": "≥", "geq": "≥"},
}
NAMES = {"×": "multiplication", "÷": "division", "+": "addition", "−": "subtraction"}
SPELLINGS = [  # American and British, as regular expressions of Python and of JavaScript
    (r"^(\w{3,})iz(e|ed|er|ers|es|ing|able|ation|ations)$", "is"),
    (r"^(\w{3,})yz(e|ed|er|ers|es|ing)$", "ys"),
    (r"^(behavi|col|fav|neighb)or(|s|ed|ing|hood)$", "our"),
    (r"^(cent)er(|s)$", "re"),
    (r"^(cent)er(ed|ing)$", "r"),
]


@cache
def named() -> dict[str, str]:
    """Return each sign that one may type ↦ its name, as ``×`` ↦ ``multiplication``."""
    return {sign: name for name, sign in SIGNS.items() if not sign.isascii()} | NAMES


@cache
def greek() -> dict[str, str]:
    """Return each lower-case Greek letter ↦ its name in LaTeX, as ``λ`` ↦ ``lambda``."""
    names = {}
    for letter in map(chr, range(0x3B1, 0x3CA)):
        name = unicodedata.name(letter).split()[-1].lower()
        names[letter] = {"lamda": "lambda"}.get(name, name)
    return names


def fold(text: str) -> list[str]:
    """Return the words of a text without accents, in lower case, with Greek letters spelled out."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    spelled = "".join(f" {greek()[c]} " if c in greek() else c for c in plain.lower())
    return [british(word) for word in re.findall(r"\w+", spelled)]


@cache
def british(word: str) -> str:
    """Return a word in lower case as this book spells it, ``stabiliser`` of ``stabilizer``."""
    for pattern, middle in SPELLINGS:
        word = re.sub(pattern, rf"\g<1>{middle}\g<2>", word)
    return word


def said(text: str) -> str:
    """Return a text with the signs in it by their names."""
    return "".join(f" {named()[c]} " if c in named() else c for c in text)


def spoken(latex: str) -> str:
    r"""Return a formula as one would type it: ``\Pi(g)`` as Π(g), ``sr^k`` as it is."""
    letters = {name: letter for letter, name in greek().items()}

    def command(found: re.Match[str]) -> str:
        if found[1] in SIGNS:
            return SIGNS[found[1]]
        name = found[1].removeprefix("var")
        small = letters.get(name.lower(), "")
        return small.upper() if small and name[0].isupper() else small

    latex = re.sub(r"\\(?:math\w+|operatorname|text)\{([^{}]*)\}", r"\1", latex)
    latex = re.sub(r"\\[,;:! ]", "", latex).replace(r"\|", "‖")
    return re.sub(r"[{}\\$\s]", "", COMMAND.sub(command, latex))


def forms(*texts: str) -> list[str]:
    """Return what a target is found by: each text, folded, and without an index that is a sign."""
    folded = {" ".join(fold(form)) for text in texts for form in (text, said(text))}
    return sorted((folded | {re.sub(r"( ?_)+$", "", form) for form in folded}) - {""})


def numbers(letter: str, number: str) -> list[str]:
    """Return how one writes the number of a claim: ``C7``, ``C07``, ``claim 7``, ``claim C7``."""
    plain = [f"{letter}{number}", f"{letter}{int(number):02}"]
    kinds = {"C": "claim", "N": "result"}
    return [*plain, *(f"{kinds[letter]} {each}" for each in (number, plain[0]))]


class Language(SearchEnglish):
    """English in plain letters. The browser folds what is typed by the script beside this file."""

    @property
    def js_splitter_code(self) -> str:
        """The script, with the letters, signs and spellings that it needs."""
        tables = {"GREEK": greek(), "NAMES": named(), "SPELLINGS": SPELLINGS}
        lines = [f"const {k} = {json.dumps(v, ensure_ascii=False)};" for k, v in tables.items()]
        return "\n".join([*lines, SCRIPT.read_text(encoding="utf-8")])

    def split(self, input: str) -> list[str]:
        """Return the words of a text, folded."""
        return fold(input)


def _rows(app: "Sphinx", doctree: "document") -> None:
    """Give rows of the ledger and of the notation an address, and note what they are about."""
    page, found = app.env.docname, []
    for table in doctree.findall(nodes.table):
        head = next(table.findall(nodes.thead), None)
        if head is None:
            continue
        symbols = head[0][0].astext() == "symbol"
        for row in next(table.findall(nodes.tbody)):
            if "ledger" in table["classes"] and (claim := CLAIM.match(row[0].astext())):
                title = next(row[0].findall(nodes.strong)).astext().rstrip(".")
                found.append(_target(row, page, title, "claim", [*numbers(*claim.groups()), title]))
            elif symbols:
                parts = [spoken(math.astext()) for math in row[0].findall(nodes.math)]
                words = [piece for part in parts for piece in (part, *re.split("[=,≤(]", part))]
                words += [sign for sign in SIGNS.values() if any(sign in part for part in parts)]
                if parts:
                    found.append(_target(row, page, ", ".join(parts), "symbol", words))
    if found:
        app.env.metadata[page]["targets"] = found


def _target(row: nodes.Element, page: str, title: str, kind: str, names: list[str]) -> Target:
    taken = row.document.ids
    anchor = base = nodes.make_id(f"{kind}-{'-'.join(fold(title))}")
    while anchor in taken:
        anchor = f"{base}-{int(anchor.removeprefix(base).strip('-') or 1) + 1}"
    row["ids"].append(anchor)
    taken[anchor] = row
    return {"page": page, "title": title, "anchor": anchor, "kind": kind, "forms": forms(*names)}


def _works(app: "Sphinx") -> list[Target]:
    """Return cited works and the pages that cite them, by the last names of their authors."""
    domain, works, citing = app.env.get_domain("cite"), [], {}
    for reference in domain.citation_refs:
        for target in reference.targets:
            citing.setdefault(target.key, set()).add(reference.docname)
    for cited in domain.citations:
        people = cited.entry.persons.get("author", [])
        names = [" ".join(map(str, person.rich_last_names)) for person in people]
        parts = [part for name in names for part in (name, *name.split())]
        eprint = cited.entry.fields.get("eprint", "")
        title = f"{', '.join(names)} {cited.entry.fields.get('year', '')}"
        home, found = cited.bibliography_key.docname, forms(*parts, " ".join(names), eprint)
        work = {"page": home, "title": title, "anchor": cited.citation_id, "kind": "work"}
        works.append(work | {"forms": found})
        for page in sorted(citing.get(cited.key, set()) - {home}):
            link = {"page": page, "title": app.env.titles[page].astext(), "anchor": ""}
            works.append(link | {"kind": f"cites {title}", "forms": found})
    return works


def _titles(app: "Sphinx") -> list[Target]:
    """Return every page as what its title names."""
    titles = {page: title.astext() for page, title in app.env.titles.items()}
    return [
        {"page": page, "title": title, "anchor": "", "kind": "page"}
        | {"forms": forms(title, re.sub("^(The|A) ", "", title))}
        for page, title in sorted(titles.items())
    ]


def _write(app: "Sphinx", exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    rows = [t for data in app.env.metadata.values() for t in data.get("targets", [])]
    text = json.dumps(_titles(app) + rows + _works(app), ensure_ascii=False, indent=1)
    path = Path(app.outdir) / "_static" / "targets.js"
    path.write_text(f"const TARGETS = {text};\n", encoding="utf-8")


def _load(app: "Sphinx", page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if page == "search":
        app.add_js_file("targets.js")


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_search_language(Language)
    app.connect("doctree-read", _rows)
    app.connect("html-page-context", _load)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
