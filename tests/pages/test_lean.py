"""The site has what its pages need: every icon, every file that a style sheet names, no more."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import browsing
import lean
from fontTools.ttLib import TTFont
from PIL import Image

MEGABYTE = 10**6


def test_every_icon_is_in_the_fonts(site: Path) -> None:
    static = site / "_static"
    theme = (static / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    codes = {
        name: int(code, 16)
        for names, code in lean.NAMED.findall(theme)
        for name in lean.ICON.findall(names)
    }
    styles = (static / lean.STYLES).read_text(encoding="utf-8")
    characters = set()
    for data in re.findall(r"base64,([^)]*)\)", styles):
        characters |= (TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap() or {}).keys()
    used = {
        name
        for page in browsing.pages(site)
        for names in re.findall(r'class="([^"]*)"', (site / page).read_text(encoding="utf-8"))
        for name in names.split()
        if name in codes
    }
    assert used >= {"fa-bars", "fa-magnifying-glass"}
    assert {name for name in used if codes[name] not in characters} == set()


def test_what_a_style_sheet_names_is_there(site: Path) -> None:
    missing = [
        (path.name, name)
        for path in site.rglob("*.css")
        for name in re.findall(r"url\([\"']?([^\"')]+)", path.read_text(encoding="utf-8"))
        if not name.startswith(("data:", "#"))
        and not (path.parent / name.split("?")[0].split("#")[0]).exists()
    ]
    assert missing == []


def test_nothing_is_carried_that_no_page_needs(site: Path) -> None:
    text = "".join((site / page).read_text(encoding="utf-8") for page in browsing.pages(site))
    assert "thebe" not in text.lower()
    assert "fontawesome.js" not in text
    assert "mathjax.js" not in text.lower()
    assert list(site.rglob("*.map")) == list(site.rglob("sphinx-thebe*")) == []


def test_the_site_is_small(site: Path) -> None:
    """Without the notebooks and tables, which readers may download."""
    taken = {site / "_sources", site / "_downloads"}
    files = [path for path in site.rglob("*") if path.is_file() and not taken & {*path.parents}]
    assert sum(path.stat().st_size for path in files) < 15 * MEGABYTE


THEMES = """
html[data-theme="light"] .highlight .hll { background-color: #fae4c2 }
html[data-theme="light"] .highlight { background: #fefefe; color: #080808 }
html[data-theme="light"] .highlight .n { color: #080808 }
html[data-theme="light"] .highlight .k { color: #080808 }
html[data-theme="light"] .highlight .ge { font-style: italic }
html[data-theme="dark"] .highlight { background: #2b2b2b; color: #F8F8F2 }
html[data-theme="dark"] .highlight .n { color: #F8F8F2 }
html[data-theme="dark"] .highlight .k { color: #DCC6E0 }
"""


def test_code_says_the_kinds_that_are_shown() -> None:
    assert lean.coloured(THEMES) == {"hll", "k", "ge"}  # k differs in one of the themes
    code = '<pre><span class="k">def</span> <span class="n">f</span></pre>'
    page = f'<span class="n">f</span>{code}<span class="n">f</span>'
    outside = '<span class="n">f</span>'
    kept = '<pre><span class="k">def</span> f</pre>'
    assert lean.plainer(page, {"k"}) == outside + kept + outside


def test_the_kinds_of_the_site_are_found(site: Path) -> None:
    kinds = lean.coloured((site / "_static/pygments.css").read_text(encoding="utf-8"))
    assert {"k", "kn", "s2", "mi", "nb", "nf", "c1", "o"} <= kinds
    assert kinds.isdisjoint({"n", "p", "w"})


def test_a_smaller_picture_is_the_same(tmp_path: Path) -> None:
    drawn = Image.linear_gradient("L").convert("RGBA")
    drawn.putalpha(Image.radial_gradient("L"))
    drawn.save(tmp_path / "a.png", compress_level=0)
    found = lean.smaller(tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.webp"]
    assert Image.open(found).convert("RGBA").tobytes() == drawn.tobytes()
    Image.new("RGB", (1, 1)).save(tmp_path / "b.png", optimize=True)
    kept = lean.smaller(tmp_path / "b.png")
    assert kept.exists()
