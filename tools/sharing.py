"""What a page says to those who show it elsewhere: a preview's title, words and picture, and icons.

A Sphinx extension beside sphinxext.opengraph, which makes the preview's tags: it is told the site's
address, and a page's first sentences as its description. The page at the site's root, which leads
to the landing page, has the landing page's tags. Nothing is loaded but the icons, which are files.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import repository
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

ICONS = (
    '<link rel="icon" href="{root}favicon.ico" sizes="16x16 32x32 48x48"/>',
    '<link rel="icon" href="{static}logo.svg" type="image/svg+xml" sizes="any"/>',
    '<link rel="apple-touch-icon" href="{static}apple-touch-icon.png"/>',
)
LENGTH = 240  # characters of a description; a first sentence that is longer is cut at a word
TAG = re.compile(r"<(?:meta (?:property=\"og:|name=\"(?:description|twitter:))|title)[^\n]*")
COVER = "_static/cover.png"  # 1600 × 700 pixels, see tools/cover.py
ALT = "An addition table whose diagonal a machine gets all wrong, and nearly all right once free"


def _tell_opengraph(app: Sphinx, config: Config) -> None:
    config.ogp_site_url = repository.site()
    config.ogp_site_name = config.html_title
    config.ogp_enable_meta_description = False  # it would cut within words
    config.ogp_image = repository.site() + COVER
    config.ogp_image_alt = ALT
    config.ogp_social_cards = {"enable": False}  # it would draw pictures, with fonts of its own
    config.ogp_custom_meta_tags = ['<meta name="twitter:card" content="summary_large_image" />']


def _add_icons(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    where = {"root": context["pathto"]("", 1), "static": context["pathto"]("_static/", 1)}
    icons = "\n".join(line.format(**where) for line in ICONS)
    context["metatags"] = context.get("metatags", "") + "\n" + icons + "\n"


def described(doctree: nodes.document) -> str:
    """Return the first sentences of a page, as many as fit; of its first sentence what fits."""
    paragraphs = list(doctree.findall(nodes.paragraph))
    paragraphs = [p for p in paragraphs if _is_text(p)] or paragraphs
    text = " ".join(paragraphs[0].astext().split()) if paragraphs else ""
    text = re.sub(r"\s+([,.;:])", r"\1", text)
    if len(text) <= LENGTH:
        return text
    ends = [end.end() for end in re.finditer(r"[.?!:](?= )", text[: LENGTH + 1])]
    if ends:
        return text[: ends[-1]]
    return text[: LENGTH - 1].rsplit(" ", 1)[0].rstrip(",;") + "…"


def _is_text(paragraph: nodes.paragraph) -> bool:
    return isinstance(paragraph.parent, nodes.section | nodes.document)


def _describe(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if doctree is None:
        return
    context["meta"] = dict(context.get("meta") or {})
    said = context["meta"].setdefault("og:description", described(doctree))
    context["metatags"] += f'<meta name="description" content="{html.escape(said)}" />\n'
    context["meta"]["og:description"] = html.escape(said)


def _lead_on(app: Sphinx, error: Exception | None) -> None:
    """Write the page at the root, which leads to the landing page."""
    root = app.config.root_doc
    landing = Path(app.outdir, f"{root}.html")
    if error is not None or app.builder.name != "html" or root == "index" or not landing.exists():
        return
    tags = TAG.findall(landing.read_text(encoding="utf-8"))
    icons = [line.format(root="", static="_static/") for line in ICONS]
    lines = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />',
        f'<meta http-equiv="Refresh" content="0; url={root}.html" />',
        *(*tags, *icons, f'</head>\n<body><a href="{root}.html">The book</a></body>\n</html>\n'),
    ]
    Path(app.outdir, "index.html").write_text("\n".join(lines), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinxext.opengraph")
    app.connect("config-inited", _tell_opengraph)
    app.connect("html-page-context", _describe, priority=400)  # before the tags are made
    app.connect("html-page-context", _add_icons)
    app.connect("build-finished", _lead_on)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
