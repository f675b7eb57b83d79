"""Alt texts with numbers: let ``{glue:text}`` stand in the alt text of a figure, as in its caption.

A Sphinx extension. MyST-NB takes alt texts literally; here each role in one is replaced by what the
notebook has glued under that key, so that a figure of another group is described truly.
"""

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx

ROLE = re.compile(r"\{glue:text\}`([^`]+)`")
MIME = "application/papermill.record/text/plain"


def glued(notebook: dict[str, Any]) -> dict[str, str]:
    """Return key ↦ text of all that a notebook has glued."""
    found = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get(MIME)
            if text is not None:
                key = output["metadata"]["scrapbook"]["name"]
                found[key] = "".join(text).strip().strip("'\"")
    return found


def filled(alt: str, texts: dict[str, str]) -> str:
    """Return an alt text with what was glued in place of each role.

    Raises:
        KeyError: Nothing was glued under a key.
    """
    return ROLE.sub(lambda role: texts[role[1]], alt)


def _fill(app: "Sphinx", doctree: "document") -> None:
    from docutils import nodes
    from sphinx.util import logging

    path = app.env.doc2path(app.env.docname)
    images = [i for i in doctree.findall(nodes.image) if ROLE.search(i.get("alt", ""))]
    if not images or not str(path).endswith(".ipynb"):
        return
    with open(path, encoding="utf-8") as file:
        texts = glued(json.load(file))
    for image in images:
        try:
            image["alt"] = filled(image["alt"], texts)
        except KeyError as error:
            logging.getLogger(__name__).warning(
                "nothing glued under %s for an alt text", error, location=image
            )


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
