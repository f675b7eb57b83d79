"""The site has what its pages need: every icon, every file that a style sheet names, no more."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import browsing
import lean
from fontTools.ttLib import TTFont

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
    """Without the notebooks, which readers may download."""
    files = [path for path in site.rglob("*") if path.is_file()]
    assert (
        sum(p.stat().st_size for p in files if site / "_sources" not in p.parents) < 15 * MEGABYTE
    )
