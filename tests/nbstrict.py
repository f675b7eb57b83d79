"""A pytest plugin that makes nbval strict.

nbval runs each cell and compares text outputs exactly, but lets a swapped or lost picture pass, and
a cell that was never run. With this plugin a code cell also fails when

- it was never run, or is exempt from comparison by one of nbval's tags or comments;
- a picture is missing, additional, of another size, or looks different;
- anything stands in its stderr.

nbval runs cells without history, so IPython forgets that a trailing ``;`` hides the result of a
line; that is mended here too.

It uses what nbval's cell items hold (``cell``, ``options``, ``test_outputs``,
``raise_cell_error``), which is no public interface: nbval is pinned, and ``test_nbstrict.py`` tests
that all this still bites.
"""

import base64
import io
from collections.abc import Generator, Iterable

import numpy as np
import pytest
from IPython.core.displayhook import DisplayHook
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell
from PIL import Image

GLUED_PNG = "application/papermill.record/image/png"
BITMAPS = ("image/png", "image/jpeg", GLUED_PNG)  # other pictures are text, compared exactly

# Two renderings of one picture may differ in the last bit of some colours, which no one sees.
# A pixel counts when a channel moves by more than LEVEL of 255; PIXELS is the fraction allowed:
# one wrong entry of a 61 × 61 table is about 1e-4 of a usual figure.
LEVEL = 24
PIXELS = 2e-5


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run a notebook's cell as nbval does, then apply what nbval leaves out."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    stored = item.cell.outputs
    if item.options["skip"] or not item.options["check"]:
        item.raise_cell_error("Cell is exempt from comparison")
    item.parent.skip_compare = {*item.parent.skip_compare, GLUED_PNG}  # compared below instead
    item.output_timeout = 60  # nbval's 5 s are short for a busy machine
    if DisplayHook.semicolon_at_end_of_expression(item.cell.source):
        item.cell.source += "\nNone"
    result = yield
    if item.cell.execution_count is None:
        item.raise_cell_error("Cell was never run")
    if any(output.get("name") == "stderr" for output in stored):
        item.raise_cell_error("Cell has stored stderr output")
    if difference := compare_pictures(pictures(stored), pictures(item.test_outputs)):
        item.raise_cell_error(difference)
    return result


def pictures(outputs: Iterable[NotebookNode]) -> list[np.ndarray]:
    """Return the bitmaps among the outputs of a cell, each (height, width, 3)."""
    return [
        decode(output["data"][mime])
        for output in outputs
        for mime in BITMAPS
        if mime in output.get("data", {})
    ]


def decode(data: str) -> np.ndarray:
    """Return an encoded picture as it looks on white, (height, width, 3), 0 to 255."""
    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"), dtype=np.int16)


def compare_pictures(stored: list[np.ndarray], fresh: list[np.ndarray]) -> str:
    """Return how the pictures of a cell differ from the stored ones; empty if they look alike."""
    if len(stored) != len(fresh):
        return f"Cell shows {len(fresh)} pictures, {len(stored)} are stored"
    for number, (old, new) in enumerate(zip(stored, fresh, strict=True)):
        if old.shape != new.shape:
            return f"Picture {number} is now {new.shape[:2]}, stored is {old.shape[:2]}"
        fraction = (np.abs(old - new).max(axis=2) > LEVEL).mean()
        if fraction > PIXELS:
            return f"Picture {number} differs from the stored one in {fraction:.3%} of its pixels"
    return ""
