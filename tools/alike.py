"""A rule for pictures that another version of the drawing library has drawn.

Other versions set letters and margins a little differently, and everything else moves along with
them by some pixels. No pixel is where it was, and yet the picture is the same.
"""

from __future__ import annotations

import numpy as np
from outputs import pixel_by_pixel
from PIL import Image, ImageFilter

SIDES = 0.03  # how much longer or shorter a side may be
BLOCK = 8  # pixels in a row of one block, whose mean colour counts
LEVEL = 32  # of 255: how far it may be from the colours around that place in the other picture
BLOCKS = 0.006  # the share of blocks that may be farther away


def redrawn(old: np.ndarray, new: np.ndarray) -> tuple[str, float | None, bool]:
    """The rule of `pixel_by_pixel`, or else this looser one.

    The second picture is stretched to the size of the first, and both are shrunk to the mean
    colours of blocks. Each of these has to be like the blocks around its place in the other
    picture: no channel above the largest of the nine there or below the smallest, but for `LEVEL`.

    Args:
        old: a picture, (height, width, 3), 0 to 255.
        new: another one.

    Returns:
        How they differ: in words, as a share of pixels or of blocks, and whether that is let pass.
    """
    said, share, allowed = pixel_by_pixel(old, new)
    sides = [abs(a - b) / a for a, b in zip(old.shape, new.shape, strict=True)]
    if allowed or max(sides) > SIDES:
        return said, share, allowed
    size = old.shape[1], old.shape[0]
    both = [_shrunk(picture, size) for picture in (old, new)]
    share = float((_astray(*both) | _astray(*both[::-1])).mean())
    return f"is redrawn and differs in {share:.2%} of its blocks", share, share <= BLOCKS


def words() -> str:
    """The rule in words, for a page."""
    return (
        f"There a picture whose sides are within {SIDES:.0%} of the stored one's is stretched to "
        f"its size, and both are shrunk to the mean colours of blocks of {BLOCK} × {BLOCK} pixels. "
        "Each colour has to lie between those of the nine blocks around its place in the other "
        f"picture, but for {LEVEL} of 255, and in {BLOCKS:.1%} of the blocks it need not. Letters "
        "that are set differently pass, and whatever moves along with them by a few pixels; a "
        "curve that runs elsewhere, or a picture of something else, does not."
    )


def _shrunk(picture: np.ndarray, size: tuple[int, int]) -> Image.Image:
    small = max(1, size[0] // BLOCK), max(1, size[1] // BLOCK)
    stretched = Image.fromarray(picture.astype(np.uint8)).resize(size, Image.Resampling.BOX)
    return stretched.resize(small, Image.Resampling.BOX)


def _astray(picture: Image.Image, other: Image.Image) -> np.ndarray:
    """Where a picture's colours are none of those around that place in the other one."""
    least, most = (
        np.asarray(other.filter(extreme(3)), dtype=np.int16)
        for extreme in (ImageFilter.MinFilter, ImageFilter.MaxFilter)
    )
    colours = np.asarray(picture, dtype=np.int16)
    return ((colours < least - LEVEL) | (colours > most + LEVEL)).any(axis=2)
