"""Draw the site's small icons of its logo, ``book/site/logo.svg``: rectangles, some of them turned.

    python tools/icons.py

``favicon.ico`` for browsers that read no SVG and for those that ask for it by name, in three sizes;
``apple-touch-icon.png`` for home screens, on paper, with a margin.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw
from repository import ROOT

SITE = ROOT / "book" / "site"
SIZES = (16, 32, 48)
TOUCH, PAPER = 180, "#fbfaf6"  # pixels, as Apple asks
FINE = 8  # pixels drawn for each pixel of the icon


def drawn(size: int, paper: str | None = None, margin: float = 0.0) -> Image.Image:
    """Return the logo as a square picture.

    Args:
        size: pixels along a side.
        paper: the ground, None for a transparent one.
        margin: what is left free at each side, as a share of the side.
    """
    root = ET.parse(SITE / "logo.svg").getroot()
    side = float(root.get("viewBox").split()[2])
    big, scale = size * FINE, size * FINE * (1 - 2 * margin) / side
    ground = (*ImageColor.getrgb(paper), 255) if paper else (0, 0, 0, 0)
    picture = Image.new("RGBA", (big, big), ground)
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        for part in group.iter("{http://www.w3.org/2000/svg}rect"):
            layer = _rectangle(dict(group.attrib) | dict(part.attrib), big, scale, big * margin)
            picture = Image.alpha_composite(picture, layer)
    return picture.resize((size, size), Image.Resampling.BOX)


def _rectangle(part: dict[str, str], big: int, scale: float, shift: float) -> Image.Image:
    x, y, width, height, radius = (float(part[k]) for k in ("x", "y", "width", "height", "rx"))
    opacity = round(255 * float(part.get("opacity", 1)))
    colour = (*ImageColor.getrgb(part["fill"]), opacity)
    layer = Image.new("RGBA", (big, big), (*colour[:3], 0))
    box = [shift + scale * v for v in (x, y, x + width, y + height)]
    ImageDraw.Draw(layer).rounded_rectangle(box, scale * radius, fill=colour)
    if turn := re.fullmatch(r"rotate\(([\d.-]+) ([\d.-]+) ([\d.-]+)\)", part.get("transform", "")):
        angle, cx, cy = map(float, turn.groups())
        centre = (shift + scale * cx, shift + scale * cy)
        layer = layer.rotate(-angle, Image.Resampling.BICUBIC, center=centre)
    return layer


def main(folder: Path = SITE) -> None:
    """Write the icons."""
    largest = drawn(max(SIZES))
    smaller = [drawn(size) for size in SIZES[:-1]]
    sizes = [(size, size) for size in SIZES]
    largest.save(folder / "favicon.ico", sizes=sizes, append_images=smaller)
    drawn(TOUCH, PAPER, 0.12).convert("RGB").save(folder / "apple-touch-icon.png", optimize=True)


if __name__ == "__main__":
    main()
