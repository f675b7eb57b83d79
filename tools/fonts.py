"""Fonts cut down to what is used, as part of a style sheet: some browsers load none from a file."""

import base64
import io
from pathlib import Path


def face(file: Path, family: str, codes: set[int], weight: int = 400) -> str:
    """Return a ``@font-face`` rule that holds the font itself.

    Args:
        file: the font.
        family: its name in the style sheet.
        codes: Unicode code points of the characters to keep; those it lacks are passed over.
        weight: its weight in the style sheet.
    """
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=[], drop_tables=["FFTM"])
    font = subset.load_font(file, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    kept = io.BytesIO()
    subset.save_font(font, kept, options)
    data = base64.b64encode(kept.getvalue()).decode()
    return (
        f'@font-face {{\n  font-family: "{family}";\n  font-weight: {weight};\n'
        f"  src: url(data:font/woff;base64,{data});\n}}\n"
    )
