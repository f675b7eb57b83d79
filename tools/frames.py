"""Take a run apart, iteration by iteration: what the slider of chapter 05 shows.

    python tools/frames.py

The run is the first of the table ``grokking_course``, made again in some ten seconds. Written are
``book/data/grokking_frames.csv``, a row for each metric M_t with the numbers that belong to it, and
under ``book/site/slider/`` two sheets of pictures, ``own.png`` and ``shared.png``.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tables
import torch
from matplotlib import colormaps
from PIL import Image
from repository import ROOT
from torch import Tensor

import rfm

TABLE = tables.DATA / "grokking_frames.csv"
SHEETS = ROOT / "book" / "site" / "slider"
COLUMNS = 6  # pictures side by side on a sheet
COLOURS = "RdBu_r"  # as in rfm.figures
LEVELS = 63  # shades on either side of zero


def setting() -> rfm.Setting:
    """The run, with its features kept."""
    return next(tables.grokking_course())


def metrics(run: rfm.Run) -> list[Tensor]:
    """M_0, …, M_{T−1}, those that an iteration was fitted with: iteration t + 1 with M_t."""
    return list(run.history[: len(run.table)])


def rows(run: rfm.Run, columns: dict[str, str]) -> pd.DataFrame:
    """A row for each M_t: what it holds, and what the machine fitted with it gets right.

    ``largest`` is its largest entry in size off the main diagonal, ``largest_in_C`` that of C,
    ``size`` the norm of C relative to that of the block above it, ``deviation`` the circulant
    deviation of C. Of the ``points`` test points the machine has ``right`` right, the votes under C
    ``votes``, and of the ``train_size`` training points the machine has ``train_right``.
    ``profile`` are the mean votes over the test points by class, relative to the mean of all
    classes: the right class is in the middle, the class 30 below it first, where C is zero nothing.

    Args:
        run: a run of an addition of odd order, with its features kept.
        columns: what names the run.
    """
    task, split, found = run.split.task, run.split, []
    for t, M in enumerate(metrics(run)):
        empty = not M[task.n :, : task.n].any()
        accuracy = run.table["train_accuracy"].iloc[t]
        share = 0.0 if empty else rfm.vote_accuracy(M, split)
        found.append(
            {
                **columns,
                "t": t,
                "largest": f"{float(bare(M).abs().max()):.4g}",
                "largest_in_C": f"{float(M[task.n :, : task.n].abs().max()):.4g}",
                "size": f"{tables.size(M):.4g}",
                "deviation": "" if empty else f"{rfm.circulant_deviation(M, task):.4f}",
                "train_size": len(split.train),
                "train_right": round(accuracy * len(split.train)),
                "points": len(split.test),
                "right": int(run.right[t].sum()),
                "votes": round(share * len(split.test)),
                "profile": "" if empty else " ".join(f"{v:.3f}" for v in profile(M, split)),
                "version": rfm.__version__,
            }
        )
    return pd.DataFrame(found)


def profile(M: Tensor, split: rfm.Split) -> list[float]:
    """Mean votes by class less right class, from −(n − 1)/2 to (n − 1)/2; their mean is 1."""
    task = split.task
    offsets = torch.arange(task.n) - task.n // 2
    votes = rfm.votes(M, split.test, split.train, task)
    means = votes.gather(1, (task.label(split.test)[:, None] + offsets) % task.n).mean(0)
    return (means / means.mean()).tolist()


def bare(M: Tensor) -> Tensor:
    """The matrix without its main diagonal."""
    return M - torch.diag(M.diag())


def shades(matrices: Sequence[Tensor], shared: bool) -> np.ndarray:
    """What is drawn, (T, d, d) integers from 0 to 2 ``LEVELS``, with ``LEVELS`` for zero.

    Args:
        matrices: (d, d) each.
        shared: whether colours end at the largest entry of all, else at that of each.
    """
    drawn = torch.stack([bare(M) for M in matrices])
    ends = drawn.abs().amax((1, 2), keepdim=True)
    ends = (ends.max() if shared else ends).clamp(min=torch.finfo(ends.dtype).tiny)
    return (drawn / ends * LEVELS).round().add(LEVELS).numpy().astype(np.uint8)


def sheet(drawn: np.ndarray) -> Image.Image:
    """All pictures in one, in rows of ``COLUMNS``; pixels are shades, the palette has colours."""
    count, d, _ = drawn.shape
    lines = -(-count // COLUMNS)
    tiles = np.full((lines * COLUMNS, d, d), LEVELS, np.uint8)
    tiles[:count] = drawn
    pixels = tiles.reshape(lines, COLUMNS, d, d).swapaxes(1, 2).reshape(lines * d, COLUMNS * d)
    image = Image.frombytes("P", pixels.shape[::-1], pixels.tobytes())
    image.putpalette(palette().tobytes())
    return image


def palette() -> np.ndarray:
    """The colour of each shade, (2 LEVELS + 1, 3) bytes."""
    colours = colormaps[COLOURS](np.linspace(0, 1, 2 * LEVELS + 1))[:, :3]
    return (255 * colours).round().astype(np.uint8)


def pictures(path: Path, count: int) -> np.ndarray:
    """The shades of so many pictures of a stored sheet, (count, d, d)."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    d = pixels.shape[1] // COLUMNS
    tiles = pixels.reshape(-1, d, COLUMNS, d).swapaxes(1, 2).reshape(-1, d, d)
    return tiles[:count]


def main() -> None:
    """Make the run and write the table and the sheets."""
    made = setting()
    run = made.run()
    rows(run, made.columns).to_csv(TABLE, index=False)
    SHEETS.mkdir(exist_ok=True)
    for name, shared in {"own": False, "shared": True}.items():
        sheet(shades(metrics(run), shared)).save(SHEETS / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
