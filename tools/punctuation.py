"""Punctuation stays on the line of the formula that it belongs to.

A Sphinx extension. A formula in a line is a box, and browsers may break a line on either side of a
box, be it before a comma. So a formula, what opens right before it and what closes right after it
are put into one element, ``<span class="unbroken">``, which the style sheet does not break.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

OPENING = re.compile(r"(?:^|(?<=[\s–—]))[(\[“‘]+$")
CLOSING = re.compile(r"^(?:’\w+|[-,.;:!?)\]”’…]+)")
CLASS = "unbroken"


def _part(node: nodes.Node | None, pattern: re.Pattern[str]) -> str:
    found = pattern.search(str(node)) if isinstance(node, nodes.Text) else None
    return found[0] if found else ""


def join(formula: nodes.math) -> None:
    """Put a formula and the punctuation beside it into one element."""
    parent = formula.parent
    place = parent.index(formula)
    before = parent[place - 1] if place else None
    after = parent[place + 1] if place + 1 < len(parent) else None
    opening, closing = _part(before, OPENING), _part(after, CLOSING)
    if not opening and not closing:
        return
    whole = nodes.inline(classes=[CLASS])
    parent[place] = whole
    whole += [nodes.Text(opening)] * bool(opening) + [formula]
    whole += [nodes.Text(closing)] * bool(closing)
    if closing:
        parent[place + 1] = nodes.Text(str(after).removeprefix(closing))
    if opening:
        parent[place - 1] = nodes.Text(str(before).removesuffix(opening))


class Punctuation(SphinxPostTransform):
    """Every formula in a line of a page."""

    default_priority = 900  # after references are resolved
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Change the page's tree."""
        for formula in list(self.document.findall(nodes.math)):
            join(formula)


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_post_transform(Punctuation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
