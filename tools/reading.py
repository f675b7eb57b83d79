"""How long a page takes to read, counted when the site is built.

A Sphinx extension. A page is weighed in words of prose, by ``WEIGHTS``, and a minute holds ``PACE``
of them. What is folded away is not counted, code and solutions, nor what cells print.
Each chapter says its time under its title, with links to its notebook and its text. The role
``{minutes}`` gives the time of a page, of a section of it, written ``page#id``, or of a label;
``{minutes}`all``` that of all chapters, and ``{minutes}`here``` the sum of the times given in the
section that it stands in.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from myst_nb.ext.glue.utils import PendingGlueReference

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACE = 200  # words a minute
WEIGHTS: Mapping[str, int] = {
    "word": 1,
    "formula": 3,  # in a line of text
    "display": 30,  # a formula on lines of its own
    "code": 8,  # a line of code that is shown
    "figure": 40,  # a figure, or a table that a cell shows
}
KINDS = (
    *((nodes.math, "formula"), (nodes.math_block, "display")),
    *((nodes.image, "figure"), (PendingGlueReference, "word")),
)
CHAPTER = re.compile(r"book/\d\d-[\w-]+")
WORD = re.compile(r"[^\W_][\w’'.,-]*")


class Minutes(nodes.Inline, nodes.Element):
    """A place for the time of what ``of`` names, filled when all pages are read."""


def weight(node: nodes.Node) -> int:
    """Return how many words of prose a part of a page counts for."""
    if isinstance(node, nodes.Text):
        return WEIGHTS["word"] * len(WORD.findall(node.astext()))
    for kind, name in KINDS:
        if isinstance(node, kind):
            return WEIGHTS[name]
    if isinstance(node, nodes.literal_block):
        return WEIGHTS["code"] * len([line for line in node.astext().splitlines() if line.strip()])
    if isinstance(node, nodes.raw | nodes.Invisible | nodes.system_message) or _folded(node):
        return 0
    if "cell_output" in node.get("classes", ()):
        shown = [part for part in node.findall() if _is_figure(part)]
        words = sum(weight(caption) for caption in node.findall(nodes.caption))
        return WEIGHTS["figure"] * len(shown) + words
    return sum(weight(child) for child in node.children)


def _is_figure(part: nodes.Node) -> bool:
    html = isinstance(part, nodes.container) and part.get("mime_type") == "text/html"
    return html or isinstance(part, nodes.image | nodes.table)


def _folded(node: nodes.Element) -> bool:
    """Whether a reader sees a part only after a click."""
    if "cell_input" in node.get("classes", ()):
        return node.parent.get("hide_mode") in ("all", "input", "input+output")
    return "dropdown" in node.get("classes", ())


def minutes(words: int) -> int:
    """Return the time for a number of words, at least a minute."""
    return max(1, round(words / PACE))


def spelled(time: int) -> str:
    """Return a time in words: ``23 min`` or ``7 h 5 min``."""
    hours, rest = divmod(time, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _weigh(app: Sphinx, doctree: nodes.document) -> None:
    found = {"": weight(doctree)}
    for section in doctree.findall(nodes.section):
        found |= dict.fromkeys(section["ids"], weight(section))
    _weights(app.env)[app.env.docname] = found


def _weights(env: BuildEnvironment) -> dict[str, dict[str, int]]:
    if not hasattr(env, "reading_weights"):
        env.reading_weights = {}
    return env.reading_weights


def chapters(names: Iterable[str]) -> list[str]:
    """Return those of the pages that are chapters."""
    return sorted(name for name in names if CHAPTER.fullmatch(name))


def time_of(env: BuildEnvironment, of: str) -> int:
    """Return the minutes that all chapters, a page, a section of it or a label take.

    Raises:
        KeyError: There is no such page, section or label.
    """
    weights = _weights(env)
    if of == "all":
        return sum(minutes(weights[name][""]) for name in chapters(weights))
    page, _, section = of.partition("#")
    page = f"book/{page}"
    if page not in weights:
        page, section, _ = env.domaindata["std"]["labels"][of]
    return minutes(weights[page][section])


def _fill(app: Sphinx, doctree: nodes.document, name: str) -> None:
    from sphinx.util import logging

    places = {place: place["of"] for place in doctree.findall(Minutes)}
    sections = {place: _section(place) for place in places}
    for place, of in places.items():
        asked = [of]
        if of == "here":
            beside = [p for p in places if sections[p] is sections[place]]
            asked = [places[p] for p in beside if p is not place]
        try:
            text = spelled(sum(time_of(app.env, one) for one in asked))
        except KeyError as error:
            logging.getLogger(__name__).warning("no reading time of %s", error, location=place)
            text = "?"
        place.replace_self(nodes.Text(text))


def _section(node: nodes.Node) -> nodes.Node | None:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


def _role(name: str, raw: str, text: str, line: int, inliner: Any, *_: Any) -> tuple[list, list]:
    return [Minutes(of=text)], []


def _sources(name: str, context: dict[str, Any]) -> dict[str, str]:
    """Where a chapter's notebook and text are, seen from its page."""
    sources, stem = context["pathto"]("_sources/", 1), name.removeprefix("book/")
    return {"notebook": f"{sources}{name}.ipynb", "text": f"{sources}book/src/{stem}.md"}


def _byline(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put under a chapter's title how long it takes, and where its notebook and text are."""
    if not CHAPTER.fullmatch(name) or "body" not in context:
        return
    ways = _sources(name, context).items()
    links = ", ".join(f'<a href="{at}" download>{what}</a>' for what, at in ways)
    time = spelled(minutes(_weights(app.env)[name][""]))
    take = f'<span class="take">· Take it along: {links}</span>'
    line = f'<p class="byline">{time} to read {take}</p>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def _button(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the text among what the theme's button at the top offers for a chapter."""
    groups = context.get("header_buttons", [])
    group = next((g for g in groups if g.get("label") == "download-buttons"), None)
    if group is not None and CHAPTER.fullmatch(name):
        button = {
            "type": "link",
            "url": _sources(name, context)["text"],
            "text": ".md",
            "tooltip": "Download the text",
            "icon": "fas fa-file-lines",
            "label": "download-text-button",
        }
        group["buttons"].insert(1, button)


def _copy_texts(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for name in chapters(_weights(app.env)):
            stem = name.removeprefix("book/")
            copy = Path(app.outdir, "_sources", "book", "src", f"{stem}.md")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(app.srcdir, "book", "src", f"{stem}.md"), copy)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_node(Minutes)
    app.add_role("minutes", _role)
    app.connect("doctree-read", _weigh)
    app.connect("doctree-resolved", _fill)
    app.connect("html-page-context", _byline)
    app.connect("html-page-context", _button, priority=600)  # after the theme has made its own
    app.connect("build-finished", _copy_texts)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
