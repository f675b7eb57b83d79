"""When two outputs of a cell are the same: the one strict rule of the checker and the comparison.

Texts, tables and errors are the same if no character differs. Pictures are the same if they look
alike, pixel by pixel. What is displayed is compared kind by kind (stdout, ``text/plain``,
``image/png``, ...), in the order in which the cell showed it, and so are the names by which pages
refer to what is glued. Then the list of outputs is compared: which are results, which are displays,
of which kinds, with which metadata, and where a stream begins.

A stream is one text, as it is stored: what a cell prints after a display is not told from what it
prints before. Of an error the name and the value count, not the traceback, which names lines and
paths of a machine.
"""

import base64
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nbformat import NotebookNode
from PIL import Image

GLUED = "application/papermill.record/"
GLUED_PNG = f"{GLUED}image/png"
NAMES = "name of what is glued"
ORDER = "list of outputs"
SCRAPBOOK = "scrapbook"  # the metadata of what is glued
BITMAPS = ("image/png", "image/jpeg", GLUED_PNG)  # other pictures are text, compared exactly

# Two renderings of one picture may differ in the last bit of some colours, which no one sees: by
# one of 255 where it was measured, and neighbours among the colours of a heat map are hardly ever
# more than three apart. A pixel counts when a channel moves by more than LEVEL of 255; PIXELS is
# the fraction allowed: one wrong entry of a 61 × 61 table is about 1e-4 of a usual figure.
LEVEL = 3
PIXELS = 2e-5

NUMBER = re.compile(r"([-+\N{MINUS SIGN}]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)", re.IGNORECASE)
OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)


@dataclass(frozen=True)
class Difference:
    """One output that is not the stored one.

    Attributes:
        kind: what it is: ``stdout``, ``stderr``, ``error``, a MIME type, NAMES or ORDER.
        number: its position among the cell's outputs of this kind, from 0.
        stored: the stored text, or the picture in base64; None if there was none.
        fresh: the same of the cell executed again; None if there is none.
        message: what differs, in words.
        size: by how much: the share of pixels that differ, or the largest relative change of a
            number in a text; None where nothing can be measured.
        allowed: whether the strict rule lets it pass.
    """

    kind: str
    number: int
    stored: str | None
    fresh: str | None
    message: str
    size: float | None = None
    allowed: bool = False

    @property
    def is_picture(self) -> bool:
        """Whether this is a bitmap."""
        return self.kind in BITMAPS


# How two pictures differ: in words, by how much, and whether that is let pass.
Rule = Callable[[np.ndarray, np.ndarray], tuple[str, float | None, bool]]


def pixel_by_pixel(old: np.ndarray, new: np.ndarray) -> tuple[str, float | None, bool]:
    """The strict rule for pictures, each (height, width, 3), 0 to 255."""
    if old.shape != new.shape:
        sizes = [f"{picture.shape[1]} × {picture.shape[0]}" for picture in (new, old)]
        return f"is now {sizes[0]} pixels, stored is {sizes[1]}", None, False
    share = float(moved_pixels(old, new).mean())
    return f"differs in {share:.3%} of its pixels", share, share <= PIXELS


def compare(
    stored: Iterable[NotebookNode], fresh: Iterable[NotebookNode], rule: Rule = pixel_by_pixel
) -> list[Difference]:
    """Return what differs between the stored and the fresh outputs of a cell, by a rule."""
    both = [*stored], [*fresh]
    old, new = map(parts, both)
    found = [each for kind in {**old, **new} for each in _of_kind(kind, old, new, rule)]
    if any(each.stored is None or each.fresh is None for each in found):
        return found  # then the lists differ, too, and no one need be told
    lists = ["\n".join(listed(outputs)) for outputs in both]
    if lists[0] != lists[1]:
        message, size, _ = _of_texts(*lists)
        found.append(Difference(ORDER, 0, *lists, f"{ORDER} {message}", size))
    return found


def listed(outputs: Iterable[NotebookNode]) -> list[str]:
    """Return what each output of a cell is, in order, with its kinds and metadata, in words.

    A stream stands where it begins: the kernel sends what was printed before it sends a display.
    Of two streams that begin between the same displays either may arrive first: they are sorted.
    """
    found: list[str] = []
    begins: dict[str, int] = {}
    for output in outputs:
        what = output["output_type"]
        if what == "stream":
            begins.setdefault(output["name"], len(found))
        elif what == "error":
            found.append("error")
        else:
            about = {k: v for k, v in output.get("metadata", {}).items() if k != SCRAPBOOK}
            words = f" {json.dumps(about, sort_keys=True)}" if about else ""
            found.append(f"{what}: {', '.join(sorted(output['data']))}{words}")
    for name in sorted(begins, key=lambda name: (begins[name], name), reverse=True):
        found.insert(begins[name], name)  # from the last, so that the places of others stand
    return found


def parts(outputs: Iterable[NotebookNode]) -> dict[str, list[str]]:
    """Return what a cell shows, kind ↦ texts in order; a stream is one text."""
    found: dict[str, list[str]] = {}
    for output in outputs:
        what = output["output_type"]
        if what == "stream":
            found[output.name] = ["".join(found.get(output.name, [])) + output.text]
        elif what == "error":
            found.setdefault("error", []).append(f"{output.ename}: {output.evalue}")
        else:
            for kind, value in output["data"].items():
                text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
                found.setdefault(kind, []).append(text)
            if name := output.get("metadata", {}).get(SCRAPBOOK, {}).get("name"):
                found.setdefault(NAMES, []).append(name)
    for name in ("stdout", "stderr"):
        if name in found:  # of a line with carriage returns what follows the last one
            found[name] = [OVERWRITTEN.sub("", found[name][0])]
    return found


def joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Return outputs with each stream as one, where it begins, without what it overwrites.

    nbclient does the same in a time that grows with the square of the longest line.
    """
    streams: dict[str, NotebookNode] = {}
    found = []
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
        else:
            if output["output_type"] == "stream":
                streams[output["name"]] = output
            found.append(output)
    for output in streams.values():
        output["text"] = OVERWRITTEN.sub("", output["text"])
    return found


def _of_kind(
    kind: str, old: dict[str, list[str]], new: dict[str, list[str]], rule: Rule
) -> Iterator[Difference]:
    stored, fresh = old.get(kind, []), new.get(kind, [])
    if stored == fresh:
        return
    for number in range(max(len(stored), len(fresh))):
        name = f"Picture {number}" if kind in BITMAPS else f"{kind} {number}"
        if number >= len(fresh):
            message = f"{name} is missing: {len(stored)} stored, {len(fresh)} now"
            yield Difference(kind, number, stored[number], None, message)
        elif number >= len(stored):
            message = f"{name} is new: {len(stored)} stored, {len(fresh)} now"
            yield Difference(kind, number, None, fresh[number], message)
        elif stored[number] != fresh[number]:
            both = stored[number], fresh[number]
            message, size, allowed = (
                _of_pictures(*both, rule) if kind in BITMAPS else _of_texts(*both)
            )
            yield Difference(
                kind, number, stored[number], fresh[number], f"{name} {message}", size, allowed
            )


# Texts


def largest_change(old: str, new: str) -> float | None:
    """Return the largest relative change of a number, |a - b| / max(|a|, |b|).

    Numbers are read as they stand, group by group of digits. None if the texts differ in more than
    their numbers.
    """
    lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if len(lines[0]) != len(lines[1]):
        return None
    largest = 0.0
    for one, other in zip(*lines, strict=True):
        if one != other:
            words, now = NUMBER.split(one), NUMBER.split(other)  # every second one is a number
            if words[::2] != now[::2]:
                return None
            pairs = zip(words[1::2], now[1::2], strict=True)
            largest = max(largest, *(_change(*pair) for pair in pairs if pair[0] != pair[1]))
    return largest


def _change(old: str, new: str) -> float:
    a, b = (float(text.replace("\N{MINUS SIGN}", "-")) for text in (old, new))
    if not (math.isfinite(a) and math.isfinite(b)):
        return 1.0
    return abs(a - b) / (max(abs(a), abs(b)) or 1.0)


def _of_texts(old: str, new: str) -> tuple[str, float | None, bool]:
    change = largest_change(old, new)
    lines = old.splitlines() or [""], new.splitlines() or [""]
    pairs = enumerate(zip(*lines, strict=False), start=1)
    where = next(
        (f"in line {n}: stored {_short(a)}, now {_short(b)}" for n, (a, b) in pairs if a != b),
        f"in its length: {len(lines[0])} lines stored, {len(lines[1])} now",
    )
    how = "" if change is None else f" (largest relative change of a number: {change:.2g})"
    return f"differs {where}{how}", change, False


def _short(line: str) -> str:
    return repr(line if len(line) <= 160 else f"{line[:160]}…")


# Pictures


@lru_cache(maxsize=2)
def decode(data: str) -> np.ndarray:
    """Return an encoded picture as it looks on white, (height, width, 3), 0 to 255, read-only.

    Raises:
        ValueError: It is no picture.
    """
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    except Exception as error:  # of a damaged file the decoder raises whatever it comes to
        raise ValueError("no picture") from error
    white = Image.new("RGBA", picture.size, "white")
    seen = np.asarray(Image.alpha_composite(white, picture).convert("RGB"), dtype=np.int16)
    seen.flags.writeable = False
    return seen


def moved_pixels(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return where two pictures of one size look different, (height, width)."""
    far = np.abs(old - new) > LEVEL
    return far[..., 0] | far[..., 1] | far[..., 2]  # several times as fast as .any(axis=2)


def _of_pictures(stored: str, fresh: str, rule: Rule) -> tuple[str, float | None, bool]:
    try:
        return rule(decode(stored), decode(fresh))
    except ValueError:
        return "cannot be read", None, False
