"""A slider through the iterations of a run, in place of the still picture of chapter 05.

A Sphinx extension. The figure called ``FIGURE`` stays as it is where there is no script, in print
and in the notebook. On the site it is given the slider, which shows the stored frames of
``tools/frames.py``: the numbers are part of the page, the pictures are loaded when they come into
view. Only the page with that figure loads the script and the style sheet.
"""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx

FIGURE = "fig-frames"
TABLE = Path(__file__).resolve().parent.parent / "book" / "data" / "grokking_frames.csv"
COUNTS = ("t", "train_size", "train_right", "points", "right", "votes")
COLUMNS = 6  # pictures side by side on a sheet, as in tools/frames.py
FIRST = 10  # where the slider stands at first, and the still picture

MARKUP = """\
<div class="slider" data-columns="{columns}" hidden>
<div class="slider-controls">
<button type="button" class="slider-play">Play</button>
<label for="slider-t">Iterations done</label>
<span class="slider-now" aria-hidden="true">{first}</span>
<input type="range" id="slider-t" min="0" max="{last}" step="1" value="{first}">
</div>
<output class="slider-says" for="slider-t"></output>
<div class="slider-panels">
<div class="slider-metric">
<div class="slider-title">metric <i>M<sub>t</sub></i> without its main diagonal</div>
<div class="slider-blocks"><canvas role="img" aria-label="the metric"></canvas></div>
<div class="slider-scale" aria-hidden="true">
<span class="slider-low"></span>
<span class="slider-bar" style="background: linear-gradient(to right, {colours})"></span>
<span class="slider-high"></span>
</div>
<fieldset class="slider-ends">
<legend>colours end at the largest entry</legend>
<label><input type="radio" name="slider-ends" value="own" checked> of this picture</label>
<label><input type="radio" name="slider-ends" value="shared"> of all pictures</label>
</fieldset>
</div>
<div class="slider-charts">
<div class="slider-title">accuracy with <i>M<sub>t</sub></i></div>
<svg class="slider-accuracy" role="img" aria-label="Accuracy by iteration"
  viewBox="0 0 340 178"></svg>
<div class="slider-title">mean votes by class, under <i>C</i></div>
<svg class="slider-votes" role="img" aria-label="Mean votes by class"
  viewBox="0 0 340 178"></svg>
</div>
</div>
<script type="application/json" class="slider-data">{data}</script>
</div>
"""


def frames(path: Path = TABLE) -> list[dict[str, Any]]:
    """The rows of the table that the page shows, as JSON can hold them."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {
                **{name: int(line[name]) for name in COUNTS},
                "largest": float(line["largest"]),
                "size": float(line["size"]),
                "deviation": float(line["deviation"]) if line["deviation"] else None,
                "profile": [float(value) for value in line["profile"].split()],
            }
            for line in csv.DictReader(file)
        ]


def colours(count: int = 11) -> str:
    """The colour scale of the sheets as stops of a gradient."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return ", ".join(to_hex(colormaps["RdBu_r"](i / (count - 1))) for i in range(count))


def markup() -> str:
    """The slider, hidden until its script has run."""
    rows = frames()
    data = json.dumps(rows, separators=(",", ":"))
    places = {"columns": COLUMNS, "last": len(rows) - 1, "first": FIRST}
    return MARKUP.format(colours=colours(), data=data, **places)


def _figures(doctree: "document | None") -> list[Any]:
    from docutils import nodes

    found = doctree.findall(nodes.figure) if doctree else ()
    return [figure for figure in found if FIGURE in figure["ids"]]


def _note(app: "Sphinx", doctree: "document") -> None:
    if _figures(doctree):
        app.env.note_dependency(str(TABLE))


def _add(app: "Sphinx", doctree: "document", docname: str) -> None:
    from docutils import nodes

    for figure in _figures(doctree):
        if app.builder.format == "html":
            figure["classes"].append("has-slider")
            figure.insert(0, nodes.raw("", markup(), format="html"))


def _load(
    app: "Sphinx", page: str, template: str, context: Any, doctree: "document | None"
) -> None:
    if _figures(doctree):
        app.add_css_file("slider/slider.css")
        app.add_js_file("slider/slider.js", loading_method="defer")


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-read", _note)
    app.connect("doctree-resolved", _add)
    app.connect("html-page-context", _load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
