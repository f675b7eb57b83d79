"""What can have happened to the stored outputs of a notebook, one small thing at a time.

A text loses a line, has two neighbouring lines or rows of a table in the other order, or one digit
is another one. A picture has a small square negated somewhere, is a little lighter or stronger in
its colours everywhere, is mirrored, cut or gone. An output is missing, or there twice, or in the
other order with the next one or the next of its kind; it is one with the next, or a part of it has
gone there; it has other metadata, or is a display instead of a result; a number is glued by another
name; an error is another one; a cell was never run, is exempt, or has a warning besides.

The strict check of notebooks is to notice every one of these: see ``tests/tools/test_spoiling.py``.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_output
from outputs import BITMAPS
from PIL import Image

SQUARE = 6  # pixels, like one wrong entry of a table
GRID = 2  # so many squares in each direction, one at a time
LIGHTER = 4  # of 255
STRONGER = 1.03  # the contrast to white
OTHER = {"execute_result": "display_data", "display_data": "execute_result"}
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)


@dataclass(frozen=True)
class Spoilt:
    """A cell's outputs after something has happened to them.

    Attributes:
        what: what has happened, in words.
        cell: the cell, a copy.
    """

    what: str
    cell: NotebookNode


def spoilt(cell: NotebookNode) -> Iterator[Spoilt]:
    """Yield a code cell as it would be after each of the things above."""

    def holding(what: str, *outputs: NotebookNode) -> Spoilt:
        return Spoilt(what, NotebookNode(cell | {"outputs": [*outputs]}))

    exempt = NotebookNode(cell.metadata | {"tags": ["nbval-ignore-output"]})
    yield Spoilt("it was never run", NotebookNode(cell | {"execution_count": None}))
    yield Spoilt("it is exempt", NotebookNode(cell | {"metadata": exempt}))
    warning = new_output("stream", name="stderr", text="a warning\n")
    yield holding("it has a warning", *cell.outputs, warning)
    for i, output in enumerate(cell.outputs):
        before, after = cell.outputs[:i], cell.outputs[i + 1 :]
        yield holding(f"output {i} is gone", *before, *after)
        yield holding(f"output {i} is there twice", *before, output, output, *after)
        for what, changed in of_output(output):
            yield holding(f"output {i} {what}", *before, changed, *after)
    for i, j in _neighbours(cell.outputs):
        outputs = list(cell.outputs)
        outputs[i], outputs[j] = cell.outputs[j], cell.outputs[i]
        yield holding(f"outputs {i} and {j} have changed places", *outputs)
    for i, pair in enumerate(pairwise(cell.outputs)):
        before, after = cell.outputs[:i], cell.outputs[i + 2 :]
        for what, outputs in of_pair(*pair):
            yield holding(f"outputs {i} and {i + 1}: {what}", *before, *outputs, *after)


def _neighbours(outputs: list[NotebookNode]) -> Iterator[tuple[int, int]]:
    """Each output with the next one, and with the next that holds the same, if it shows others."""
    held = [(each.output_type, *each.get("data", {})) for each in outputs]
    for i, output in enumerate(outputs):
        later = range(i + 1, len(outputs))
        found = {*later[:1], *[j for j in later if held[j] == held[i]][:1]}
        yield from ((i, j) for j in sorted(found) if _shown(outputs[j]) != _shown(output))


def _shown(output: NotebookNode) -> tuple:
    return output.output_type, output.get("data"), output.get("text")


def of_pair(one: NotebookNode, other: NotebookNode) -> Iterator[tuple[str, list[NotebookNode]]]:
    """Yield what can have happened to two displays in a row, in words, and what they are then."""
    if "data" not in one or "data" not in other:
        return
    if not one.data.keys() & other.data.keys():
        yield "are one", [_holding(one, one.data | other.data)]
    for which, (giving, taking) in {"next": (one, other), "last": (other, one)}.items():
        for kind in giving.data.keys() - taking.data.keys():
            left = {name: value for name, value in giving.data.items() if name != kind}
            both = [
                _holding(giving, left),
                _holding(taking, taking.data | {kind: giving.data[kind]}),
            ]
            yield f"{kind} belongs to the {which}", both if which == "next" else both[::-1]


def of_output(output: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield what can have happened to one output, in words, and the output then."""
    if output.output_type == "stream":
        for what, text in of_text(output.text):
            yield f"{output.name} {what}", NotebookNode(output | {"text": text})
    elif output.output_type == "error":
        for key in ("ename", "evalue"):
            for what, text in [("is another one", f"{output[key]}, or so"), *of_text(output[key])]:
                yield f"{key} {what}", NotebookNode(output | {key: text})
    else:
        yield from _of_data(output)


def _of_data(output: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    for kind, shown in output.data.items():
        if not isinstance(shown, str):
            raise TypeError(f"nobody has said what can happen to {kind}, which is no text")
        without = {name: value for name, value in output.data.items() if name != kind}
        yield f"{kind} is gone", _holding(output, without)
        for what, changed in of_picture(shown) if kind in BITMAPS else of_text(shown):
            yield f"{kind} {what}", _holding(output, output.data | {kind: changed})
        wide = output.metadata | {kind: {"width": 400}}
        yield f"{kind} has other metadata", NotebookNode(output | {"metadata": NotebookNode(wide)})
    other = OTHER[output.output_type]
    yield f"is {other}", NotebookNode(output | {"output_type": other})
    if name := output.metadata.get("scrapbook", {}).get("name"):
        renamed = output.metadata | {"scrapbook": output.metadata.scrapbook | {"name": f"{name}-2"}}
        yield "is glued by another name", NotebookNode(output | {"metadata": NotebookNode(renamed)})


def _holding(output: NotebookNode, data: dict[str, str]) -> NotebookNode:
    return NotebookNode(output | {"data": NotebookNode(data)})


def of_text(text: str) -> Iterator[tuple[str, str]]:
    """Yield what can have happened to a text, in words, and the text then."""
    for digit in re.finditer(r"\d", text):
        other = str((int(digit[0]) + 1) % 10)
        yield f"has another digit at {digit.start()}", _between(text, *digit.span(), other)
    lines = text.splitlines(keepends=True)
    for i, line in enumerate(lines):
        if len(lines) > 1:
            yield f"has lost line {i}", "".join([*lines[:i], *lines[i + 1 :]])
        if i and line.strip() != lines[i - 1].strip():
            swapped = "".join([*lines[: i - 1], line, lines[i - 1], *lines[i + 1 :]])
            if swapped != text:
                yield f"has lines {i - 1} and {i} swapped", swapped
    rows = list(ROW.finditer(text))
    for one, other in pairwise(rows):
        if one[0] != other[0]:
            between = text[one.end() : other.start()]
            swapped = f"{other[0]}{between}{one[0]}"
            yield "has two rows swapped", _between(text, one.start(), other.end(), swapped)
    yield "is cut short", text[: len(text) // 2]


def _between(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def of_picture(data: str) -> Iterator[tuple[str, str]]:
    """Yield what can have happened to a bitmap, in words, and the bitmap then, in base64."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))
    height, width = pixels.shape[:2]
    for row in range(GRID):
        for column in range(GRID):
            changed = pixels.copy()
            top = (2 * row + 1) * height // (2 * GRID)
            left = (2 * column + 1) * width // (2 * GRID)
            square = changed[top : top + SQUARE, left : left + SQUARE]
            square[..., :3] = 255 - square[..., :3]
            square[..., 3] = 255
            yield f"has a spot at {top}, {left}", png(changed)
    for what, changed in (
        ("mirrored", pixels[:, ::-1]),
        ("upside down", pixels[::-1]),
        ("a little lighter", _mapped(pixels, lambda colours: colours + LIGHTER)),
        ("stronger", _mapped(pixels, lambda colours: 255 - STRONGER * (255 - colours))),
    ):
        if not np.array_equal(changed, pixels):
            yield f"is {what}", png(changed)
    yield "is a row shorter", png(pixels[:-1])
    yield "cannot be read", base64.b64encode(b"no picture").decode()


def _mapped(pixels: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A picture with other colours, as opaque as it was."""
    changed = pixels.copy()
    changed[..., :3] = change(pixels[..., :3].astype(float)).round().clip(0, 255)
    return changed


def png(pixels: np.ndarray) -> str:
    """Return a picture as a notebook stores it."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=0)
    return base64.b64encode(file.getvalue()).decode()
