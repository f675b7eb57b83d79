"""What no page of the site needs is left out of it.

A Sphinx extension, listed after those that it trims. Jupyter Book always loads sphinx-thebe, which
runs cells in the page; the book has its buttons for that, and the script would start with an error.
The theme draws its icons by a script of 1.5 MB that every page would have to run; a font with just
the icons in use does the same. It stands inside a style sheet, for some browsers load no font from
a file. Pictures are packed tighter, with the same pixels. Words of code that look like all others,
such as names and brackets, are not marked as what they are. Source maps and translations are for
developers.
"""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fonts import face

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STYLES = "icons.css"
UNUSED = "sphinx_thebe"
SCRIPT = re.compile(r'\s*<script src="[^"]*/scripts/fontawesome\.js[^"]*"></script>')
PICTURE = re.compile(r"(?<=_images/)[\w.-]+\.png\b")
ICON = re.compile(r"\bfa-[a-z0-9-]+")
NAMED = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
FACE = re.compile(r"@font-face\s*\{[^}]*/fontawesome/[^}]*\}")
CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
TOKEN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
SHOWN = re.compile(r"\.highlight \.(\w+) \{ (.*?) \}")
TEXT = re.compile(r"\.highlight \{[^}]*[{ ]color: (#\w+) \}")
OTHER = re.compile(r"\\([ef][0-9a-f]{3})\b|([\ue000-\uf8ff])")
FONTS = {  # the theme's files: family and weight
    "fa-solid-900.ttf": ("Font Awesome 6 Free", 900),
    "fa-regular-400.ttf": ("Font Awesome 6 Free", 400),
    "fa-brands-400.ttf": ("Font Awesome 6 Brands", 400),
}


def icons(static: Path, pages: list[str]) -> str:
    """Return a style sheet with the icons that pages name, as fonts.

    Args:
        static: the site's folder ``_static``, as the theme fills it.
        pages: HTML, and scripts, which may add icons.
    """
    used = {name for page in pages for name in ICON.findall(page)}
    styles = "".join(path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.css")))
    codes = {
        int(code, 16)
        for names, code in NAMED.findall(styles)
        if used.intersection(ICON.findall(names))
    }
    others = OTHER.findall(NAMED.sub("", styles))  # of boxes, without a name
    codes |= {int(code, 16) if code else ord(char) for code, char in others}
    folder = static / "vendor/fontawesome/webfonts"
    return "".join(face(folder / name, family, codes, w) for name, (family, w) in FONTS.items())


def _unload(app: "Sphinx") -> None:
    for listeners in app.events.listeners.values():
        for listener in [*listeners]:
            if listener.handler.__module__.split(".")[0] == UNUSED:
                app.disconnect(listener.id)
    app.registry.css_files = [f for f in app.registry.css_files if f[0] != "sphinx-thebe.css"]


def smaller(picture: Path) -> Path:
    """Return a PNG picture as WebP, every pixel the same and in less than half the bytes.

    Where that would not be smaller, or is not the same, it stays as it is.
    """
    from PIL import Image

    made = picture.with_suffix(".webp")
    with Image.open(picture) as image:
        pixels = image.convert("RGBA")
        pixels.save(made, lossless=True, exact=True, method=3, quality=40)
    with Image.open(made) as image:
        same = image.convert("RGBA").tobytes() == pixels.tobytes()
    if same and made.stat().st_size < picture.stat().st_size:
        picture.unlink()
        return made
    made.unlink()
    return picture


def coloured(styles: str) -> set[str]:
    """Return the kinds of a word in code, as Pygments abbreviates them, that a style sheet shows.

    Args:
        styles: Pygments' style sheet, of one theme or of several one after the other. A kind whose
            only rule is the colour that all code has is not shown.
    """
    plain = {f"color: {colour}" for colour in TEXT.findall(styles)}
    return {kind for kind, rule in SHOWN.findall(styles) if rule not in plain}


def plainer(page: str, kinds: set[str]) -> str:
    """Return a page whose code names no other kinds of words than these.

    Args:
        page: HTML.
        kinds: as from `coloured`.
    """

    def word(found: re.Match[str]) -> str:
        return found[0] if found[1] in kinds else found[2]

    return CODE.sub(lambda code: TOKEN.sub(word, code[0]), page)


def _trim(app: "Sphinx", error: Exception | None) -> None:
    if app.builder.format != "html" or error is not None:
        return
    site = Path(app.outdir)
    static = site / "_static"
    pages = {}
    pictures = {path.name: smaller(path).name for path in sorted(site.glob("_images/*.png"))}
    kinds = coloured((static / "pygments.css").read_text(encoding="utf-8"))
    for path in site.rglob("*.html"):
        if static not in path.parents:
            text = path.read_text(encoding="utf-8")
            pages[path] = SCRIPT.sub("", text)
            pages[path] = PICTURE.sub(lambda found: pictures.get(found[0], found[0]), pages[path])
            pages[path] = plainer(pages[path], kinds)
            if pages[path] != text:
                path.write_text(pages[path], encoding="utf-8")
    (static / "scripts/fontawesome.js").unlink(missing_ok=True)
    scripts = [path.read_text(encoding="utf-8") for path in static.rglob("*.js")]
    text = icons(static, [*pages.values(), *scripts])
    (static / STYLES).write_text(text, encoding="utf-8")
    theme = static / "styles/pydata-sphinx-theme.css"
    theme.write_text(FACE.sub("", theme.read_text(encoding="utf-8")), encoding="utf-8")
    for path in static.rglob("*.map"):
        path.unlink()
    for folder in ("vendor", "locales"):
        shutil.rmtree(static / folder, ignore_errors=True)


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    _unload(app)
    app.add_css_file(STYLES)
    app.connect("build-finished", _trim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
