"""A page that shows what moved: code, texts with the differences marked, pictures side by side.

The page is one file that loads nothing.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from moved import Moved
from outputs import Difference, decode, moved_pixels
from PIL import Image, ImageDraw, ImageFilter
from traces import COLOUR

NAME = "index.html"
SIGN = '<meta name="generator" content="breaking-symmetry">'
CONTEXT = 3  # equal lines shown around a difference
LONG = 4000  # characters; longer lines are compared word by word
STEPS = 5_000_000  # that matching two texts may take, half a second or so
ITEM = 4  # steps
MARK = (214, 40, 40)
ENLARGED = 360  # pixels


def write_page(
    folder: Path, title: str, notebooks: Sequence[Moved], words: tuple[str, str]
) -> Path:
    """Write the page of some notebooks and return its path.

    Args:
        folder: where to; it is made if need be.
        title: the page's title.
        notebooks: what moved in each.
        words: what the two executions are called, such as "stored" and "now".
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("moved_page.html").render(
        title=title,
        notebooks=[each for each in notebooks if each],
        words=words,
        columns=columns,
        pictures=lambda difference: [*pictures(difference, words)],
        plain=lambda text: COLOUR.sub("", text).strip("\n"),
        percent=percent,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text(page, encoding="utf-8")
    return path


def remove_page(folder: Path) -> None:
    """Remove an earlier page, and nothing else, from a folder."""
    path = folder / NAME
    if path.exists() and SIGN in path.read_text(encoding="utf-8", errors="replace"):
        path.unlink()


def percent(share: float) -> str:
    """Return a share as a percentage of two digits."""
    return f"{100 * share:.2g} %"


# Texts


@dataclass
class Budget:
    """The steps that are left for matching two texts."""

    left: int = STEPS


class TooLong(Exception):
    """Two sequences that no budget is left for."""


class Matcher(SequenceMatcher):
    """A matcher that counts its steps: with many equal items they are more than anyone waits for.

    Raises:
        TooLong: It would take more than is left.
    """

    def __init__(self, old: Sequence[str], new: Sequence[str], budget: Budget) -> None:
        super().__init__(None, old, new, autojunk=False)
        self.budget = budget

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        """The longest match as usual; steps are a pair of equal items each, and ITEM an item."""
        steps = sum(ITEM + len(self.b2j.get(item, ())) for item in self.a[alo:ahi])
        if steps > self.budget.left:
            raise TooLong
        self.budget.left -= steps
        return super().find_longest_match(alo, ahi, blo, bhi)


def matched(
    old: Sequence[str], new: Sequence[str], budget: Budget
) -> list[tuple[str, int, int, int, int]]:
    """Return as difflib's opcodes how one sequence becomes the other.

    Of long ones what they begin and end with in common is set aside first, and if the budget does
    not do for what lies between, that differs as a whole.
    """
    with suppress(TooLong):
        return Matcher(old, new, budget).get_opcodes()
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    inner = old[start : len(old) - end], new[start : len(new) - end]
    try:
        between = Matcher(*inner, budget).get_opcodes()
    except TooLong:
        between = [("replace", 0, len(inner[0]), 0, len(inner[1]))]
    found = [("equal", 0, start, 0, start)] if start else []
    found += [(what, *(place + start for place in places)) for what, *places in between]
    return found + [("equal", len(old) - end, len(old), len(new) - end, len(new))] * bool(end)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """With how many equal items two sequences begin."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(old), len(new)))


def columns(old: str | None, new: str | None) -> tuple[Markup, Markup]:
    """Return two texts as HTML: what differs is marked, long equal stretches are left out."""
    if old is None or new is None:
        return tuple(Markup("") if text is None else escape(text) for text in (old, new))
    lines = old.splitlines(), new.splitlines()
    left, right = [], []
    budget = Budget()
    blocks = matched(*lines, budget)
    for number, (what, i, j, k, m) in enumerate(blocks):
        if what == "equal":
            kept = _kept(lines[0][i:j], number == 0, number == len(blocks) - 1)
            left += kept
            right += kept
        else:
            pair = _marked("\n".join(lines[0][i:j]), "\n".join(lines[1][k:m]), budget)
            left += [pair[0]] if j > i else []
            right += [pair[1]] if m > k else []
    return Markup("\n").join(left), Markup("\n").join(right)


def _kept(lines: list[str], first: bool, last: bool) -> list[Markup]:
    head, tail = (0 if first else CONTEXT), (0 if last else CONTEXT)
    left_out = len(lines) - head - tail
    if left_out < 2:
        return [escape(line) for line in lines]
    note = Markup('<span class="left-out">… {} equal lines …</span>').format(left_out)
    return [*map(escape, lines[:head]), note, *map(escape, lines[len(lines) - tail :])]


def _marked(old: str, new: str, budget: Budget) -> tuple[Markup, Markup]:
    tokens = [
        list(text) if max(len(old), len(new)) <= LONG else re.findall(r"\w+|\W", text)
        for text in (old, new)
    ]
    sides: tuple[list[Markup], list[Markup]] = ([], [])
    for what, i, j, k, m in matched(*tokens, budget):
        for side, text in zip(
            sides, ("".join(tokens[0][i:j]), "".join(tokens[1][k:m])), strict=True
        ):
            if what == "equal":
                side.append(escape(text))
            elif text:
                side.append(Markup("<mark>{}</mark>").format(text))
    return Markup("").join(sides[0]), Markup("").join(sides[1])


# Pictures


def pictures(difference: Difference, words: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (address, caption) of what shows how a picture differs.

    The two pictures; if they have one size, where they differ, on a pale copy of the first, and the
    smallest rectangle around all of that, enlarged, if it is small.
    """
    found = []
    for data, word in zip((difference.stored, difference.fresh), words, strict=True):
        if data is None:
            continue
        try:
            found.append(decode(data).astype(np.uint8))
        except ValueError:
            continue
        yield _address(Image.fromarray(found[-1])), word
    if len(found) < 2 or found[0].shape != found[1].shape:
        return
    moved = moved_pixels(*(picture.astype(np.int16) for picture in found))
    if not moved.any():
        return
    rows, columns = (np.flatnonzero(moved.any(axis=axis)) for axis in (1, 0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    yield _address(_where(found[0], moved, box)), f"where they differ: {percent(moved.mean())}"
    if (enlarged := _enlarged(found, box)) is not None:
        yield _address(enlarged), f"that place enlarged: {words[0]}, {words[1]}"


def _where(old: np.ndarray, moved: np.ndarray, box: tuple[int, int, int, int]) -> Image.Image:
    grey = Image.fromarray(old).convert("L").point(lambda level: 190 + level // 4).convert("RGB")
    thick = Image.fromarray(np.uint8(255 * moved)).filter(ImageFilter.MaxFilter(3))
    grey.paste(MARK, mask=thick)
    if _is_small(box, old.shape):
        frame = (box[0] - 8, box[1] - 8, box[2] + 7, box[3] + 7)
        ImageDraw.Draw(grey).rectangle(frame, outline=MARK, width=2)
    return grey


def _is_small(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    return max((box[2] - box[0]) / shape[1], (box[3] - box[1]) / shape[0]) < 1 / 4


def _enlarged(both: list[np.ndarray], box: tuple[int, int, int, int]) -> Image.Image | None:
    if not _is_small(box, both[0].shape):
        return None
    around = max(4, (box[2] - box[0]) // 2, (box[3] - box[1]) // 2)
    window = (box[0] - around, box[1] - around, box[2] + around, box[3] + around)
    height, width = both[0].shape[:2]
    window = (max(0, window[0]), max(0, window[1]), min(width, window[2]), min(height, window[3]))
    size = (window[2] - window[0], window[3] - window[1])
    scale = max(1, ENLARGED // max(size))
    sheet = Image.new("RGB", (2 * scale * size[0] + 8, scale * size[1]), MARK)
    for number, picture in enumerate(both):
        crop = Image.fromarray(picture).crop(window)
        large = crop.resize((scale * size[0], scale * size[1]), Image.Resampling.NEAREST)
        sheet.paste(large, (number * (scale * size[0] + 8), 0))
    return sheet


def _address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
