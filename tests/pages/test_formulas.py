"""Formulas are typeset in the build: Sphinx's page, but for what stands in the place of the TeX."""

from __future__ import annotations

import base64
import html
import io
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import formulas
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

MADE = re.compile(r'<mjx-container data-tex="([^"]*)"([^>]*)>.*?</mjx-container>', re.S)

PAGE = r"""# A page of $x^2$

On a line: $a < b$, $\mathbb{Z}_n$, and {eq}`first` before {eq}`second`.

## With $\alpha$ in a heading

```{math}
:label: first
a + b = c
```

$$
x &= 1 \\
y &= 2
$$ (second)

\begin{align*}
u &= v \\
w &= \{z\}
\end{align*}

| formula | words |
|---|---|
| $\frac{1}{2}$ | half |

```{math}
one

two
```
"""

SOURCES = [
    r"x^2 + \alpha",
    r"\mathbb{Z}_n \rtimes \{\pm 1\}",
    r"\begin{pmatrix} 1 & -1 \\ 0 & \tfrac12 \end{pmatrix}",
    r"\Bigl( \sum_{u \in A} \lVert f(u) \rVert^2 \Bigr)^{1/2}",
    r"\left\{ \frac{a}{\frac{b}{\frac{c}{d}}} \right\}",
    r"\operatorname{tr}\left(\alpha^\top K \alpha\right) \text{ for all } x < y",
    r"\underbrace{a + b}_{\widehat{abc}} \mathcal{L} \mathbf{1} \longmapsto \overline{xy}",
]


@pytest.fixture
def build(tmp_path: Path) -> Callable:
    """Build a page with a renderer of formulas: what it says, and the warnings."""

    def call(
        text: str, renderer: str = "formulas", extensions: Iterable[str] = ()
    ) -> tuple[str, str]:
        folder = tmp_path / renderer
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "src" / "index.md").write_text(text, encoding="utf-8")
        warnings = io.StringIO()
        options = {
            "extensions": ["myst_parser", "sphinx.ext.mathjax", "formulas", *extensions],
            "myst_enable_extensions": ["amsmath", "dollarmath"],
            "source_suffix": {".rst": "restructuredtext"},  # of its own: extensions add to it
            "html_math_renderer": renderer,
            "html_theme": "basic",
            "numfig": True,
        }
        folders = (folder / "src", None, folder / "out", folder / "tree")
        with patch_docutils(), docutils_namespace():
            Sphinx(*folders, "html", options, status=None, warning=warnings).build()
        return (folder / "out" / "index.html").read_text(encoding="utf-8"), warnings.getvalue()

    return call


@pytest.fixture(scope="module")
def typesetter() -> Iterator[formulas.Typesetter]:
    made = formulas.Typesetter()
    yield made
    made.close()


def body(page: str) -> str:
    """What stands in the page, without space where lines break."""
    inner = re.search(r'<div class="body".*?(?=<div class="clearer">)', page, re.S)[0]
    return re.sub(r"\s+", " ", inner)


def test_the_page_is_sphinx_s_but_for_the_formulas(build: Callable) -> None:
    """Numbers, links and labels among the rest: with the source put back, nothing differs."""
    ours, warnings = build(PAGE)
    theirs, _ = build(PAGE, "mathjax")
    assert not warnings
    found = []

    def back(formula: re.Match[str]) -> str:
        found.append(html.unescape(formula[1]))
        return rf"\[{formula[1]}\]" if "display=" in formula[2] else rf"\({formula[1]}\)"

    def plain(text: str) -> str:
        return re.sub(r"\s+(?=\\[\])])|(?<=\\[\[(])\s+|(?<=>)\s+|\s+(?=<)", "", body(text))

    assert plain(MADE.sub(back, ours)) == plain(theirs)
    assert "(1)" in ours
    assert "(2)" in ours
    assert r"\mathbb{Z}_n" in found
    assert not re.search(r"\\[(\[]", MADE.sub("", body(ours)))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (r"\nosuchmacro", r"Undefined control sequence \nosuchmacro"),
        (r"\frac{1", "Missing close brace"),
        (r"\begin{matrix} 1", "Missing \\end{matrix}"),
        (r"\newcommand{\x}{y} \x", r"Undefined control sequence \newcommand"),
    ],
)
def test_what_tex_does_not_accept_is_a_warning_with_its_place(
    build: Callable, formula: str, message: str
) -> None:
    _, warnings = build(f"# A page\n\nGood: $x$.\n\nBad: ${formula}$.\n")
    assert message in warnings
    assert re.search(r"index\.md:5: WARNING", warnings)


def test_a_formula_depends_on_its_source_only(typesetter: formulas.Typesetter) -> None:
    first = {source: typesetter(source, True) for source in SOURCES}
    other = formulas.Typesetter()
    shuffled = random.Random(0).sample(SOURCES, len(SOURCES))
    again = {source: other(source, True) for source in shuffled}
    other.close()
    assert again == first


def test_what_was_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = formulas.Typesetter(tmp_path / "kept.json")
    made = [fresh(source) for source in SOURCES]
    fresh.close()
    monkeypatch.setattr(formulas.subprocess, "Popen", None)
    kept = formulas.Typesetter(tmp_path / "kept.json")
    assert [kept(source) for source in SOURCES] == made
    assert kept.styles == fresh.styles
    with pytest.raises(TypeError):
        kept("not yet made")


def test_on_a_line_and_on_its_own_a_formula_differs(typesetter: formulas.Typesetter) -> None:
    """So they are kept apart."""
    assert typesetter(r"\sum_x x") != typesetter(r"\sum_x x", True)


@pytest.mark.parametrize("source", SOURCES)
def test_a_screen_reader_finds_mathml(typesetter: formulas.Typesetter, source: str) -> None:
    for display in (False, True):
        made = typesetter(source, display)
        visual, mathml = made.split("<mjx-assistive-mml")
        assert 'aria-hidden="true"' in visual
        assert re.search(r"<math\b.*</math>", mathml, re.S)
        assert "merror" not in made


@pytest.mark.parametrize("source", SOURCES)
def test_the_style_sheet_has_every_glyph(typesetter: formulas.Typesetter, source: str) -> None:
    made = typesetter(source, True)
    styles = formulas.stylesheet(typesetter.styles, [made])
    whole = dict(re.findall(r"(mjx-c\.[^{}]*::before) (\{[^}]*\})", typesetter.styles))
    for classes in re.findall(r'<mjx-c class="([^"]*)"', made):
        selector = f"mjx-c.{classes.replace(' ', '.')}::before"
        assert f"{selector} {whole[selector]}" in styles
    fonts = [
        TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap() or {}
        for data in re.findall(r"url\(data:font/woff;base64,([^)]*)\)", styles)
    ]
    shown = re.findall(r'content: "(?:\\([0-9A-F]+)|(.))"', styles)
    for code in {int(code, 16) if code else ord(char) for code, char in shown}:
        assert any(code in font for font in fonts)
    assert styles.count("{") - styles.count('"{') == styles.count("}") - styles.count('"}')


def test_glyphs_not_in_use_are_left_out(typesetter: formulas.Typesetter) -> None:
    styles = formulas.stylesheet(typesetter.styles, [typesetter("x")])
    assert len(styles) < len(typesetter.styles) / 10


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Of $a$, and", "$a$,"),
        ("is ($a$) or", "($a$)"),
        ("it is $a$.", "$a$."),
        ("of $a$’s own", "$a$’s"),
        ("an $a$-th one", "$a$-"),
        ("from f($a$) on", "$a$)"),
        ("“$a$”: so", "“$a$”:"),
        ("$a$ and $b$ alone", None),
    ],
)
def test_punctuation_stays_with_its_formula(build: Callable, text: str, kept: str | None) -> None:
    """All of the sentence is there, in its order, and what is kept together is one element."""
    page, _ = build(f"# Page\n\n{text}\n", extensions=["punctuation"])
    shown = BeautifulSoup(MADE.sub(r"$\1$", page), "html.parser").select_one("section p")
    assert shown.get_text() == text.replace("\n", " ")
    assert [one.get_text() for one in shown.select(".unbroken")] == ([kept] if kept else [])
