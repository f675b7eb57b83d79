"""Pages that can be read by ear: what Sphinx, docutils, MyST-NB and pandas write, made proper HTML.

A Sphinx extension. Templates of the theme that need the same are in ``tools/templates``.
"""

from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.writers.html5 import HTML5Translator

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx

ALIKE = {"proof", "proof-content", "exercise-content", "solution-content"}  # the same id in each


class Translator(HTML5Translator):
    """Sphinx's, with lists that are lists and header cells that head something."""

    def visit_entry(self, node: nodes.Element) -> None:
        """Write an empty cell of a header as an ordinary cell."""
        super().visit_entry(node)
        if self.context[-1] == "</th>\n" and not node.astext().strip():
            self.body[-1] = self.body[-1].replace("<th", "<td", 1)
            self.context[-1] = "</td>\n"

    def visit_citation(self, node: nodes.Element) -> None:
        """Write an entry of the bibliography as the item of a list that its parent says it is."""
        super().visit_citation(node)
        self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')

    def _visit_sig_parameter_list(self, node: nodes.Element, *args: Any) -> None:
        """Open the parameters of a signature, one a line, as a box: they define no terms."""
        super()._visit_sig_parameter_list(node, *args)
        if self.multi_line_parameter_list:
            self.body[-1] = self.body[-1].replace("<dl", '<span class="sig-params"', 1)

    def _depart_sig_parameter_list(self, node: nodes.Element) -> None:
        start = len(self.body)
        super()._depart_sig_parameter_list(node)
        self._replace(start, "</dl>", "</span>")

    def visit_desc_parameter(self, node: nodes.Element) -> None:
        """Write a parameter, on its own line where the list has one a line."""
        start = len(self.body)
        super().visit_desc_parameter(node)
        self._replace(start, "<dd", '<span class="sig-line"')

    def depart_desc_parameter(self, node: nodes.Element) -> None:
        """Close what :meth:`visit_desc_parameter` opened."""
        start = len(self.body)
        super().depart_desc_parameter(node)
        self._replace(start, "</dd>", "</span>")

    def _replace(self, start: int, old: str, new: str) -> None:
        self.body[start:] = [part.replace(old, new) for part in self.body[start:]]


def table(html: str) -> str:
    """Return an HTML fragment in which no header cell of a table is empty.

    pandas writes the corner of a table, and the cells beside the name of its index, as headers.
    """
    soup = BeautifulSoup(html, "html.parser")
    for cell in soup.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
    return str(soup)


def _mend(app: "Sphinx", doctree: "document") -> None:
    for raw in doctree.findall(nodes.raw):
        if "html" in raw.get("format", "") and "<th" in raw.astext():
            mended = table(raw.astext())
            raw.rawsource, raw.children = mended, []
            raw += nodes.Text(mended)


def _once(app: "Sphinx", doctree: "document", page: str) -> None:
    """Take away the id that all proofs have, all exercises, …; no one links to it."""
    for part in doctree.findall(nodes.Element):
        if not ALIKE.isdisjoint(part.get("ids", ())):
            part["ids"] = [name for name in part["ids"] if name not in ALIKE]


def _named_by_its_text(app: "Sphinx") -> None:
    """Let the switch of a hidden cell be called what it says."""
    from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput

    def visit(self: HTML5Translator, node: nodes.Element) -> None:
        start = len(self.body)
        visit_HideCellInput(self, node)
        label = ' aria-label="Toggle hidden content"'
        self.body[start:] = [part.replace(label, "") for part in self.body[start:]]

    app.add_node(HideCodeCellNode, override=True, html=(visit, depart_HideCellInput))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.set_translator("html", Translator)
    app.connect("builder-inited", _named_by_its_text)
    app.connect("doctree-read", _mend)
    app.connect("doctree-resolved", _once)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
