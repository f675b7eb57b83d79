"""From the listing of a module's source back to each of its objects on the API page.

A Sphinx extension. Sphinx's ``viewcode`` takes all objects of a module to be documented under one
name, ``rfm.Expansion`` because ``rfm.reduced`` stands there as well; an object that is documented
as ``rfm.reduced.Expansion`` gets that address too.
"""

from typing import TYPE_CHECKING, Any

from sphinx import addnodes

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx


def _addresses(app: "Sphinx", doctree: "document") -> None:
    for signature in doctree.findall(addnodes.desc_signature):
        package, _, module = (signature.get("module") or "").partition(".")
        short = f"{package}.{signature.get('fullname')}"
        if module and short not in doctree.ids:
            signature["ids"].append(short)
            doctree.ids[short] = signature


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", _addresses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
