"""Draw the book's cover, ``book/site/cover.png``: the trap, the way out, and how little it takes.

    python tools/cover.py

Addition modulo 61 with a Gaussian kernel. Left, the diagonal is withheld and the machine is wrong
on all of it. Middle, one further entry is withheld and it is right on nearly all. Right, by how
much the two learned metrics differ. Takes about a minute.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyBboxPatch

import rfm
from rfm import Run, figures

COVER = Path(__file__).resolve().parent.parent / "book" / "site" / "cover.png"
WIDTH, HEIGHT, DPI = 16.0, 7.0, 100  # inches; 1600 × 700 pixels
PAPER, INK, SOFT = "#fbfaf6", "#22262b", "#5d646d"
ITERATIONS = 14
MOVED = (14, 36)  # nothing is random here


def runs() -> tuple[Run, Run]:
    """The trapped machine, and the one that misses one more entry."""
    task = rfm.addition(61)
    trapped = rfm.withhold(task, task.reflection(0).fixed_points())
    freed = trapped.move(task.pair(*MOVED))
    kernel = rfm.Gaussian(bandwidth=2.5)
    return rfm.fit(trapped, kernel, ITERATIONS), rfm.fit(freed, kernel, ITERATIONS)


def draw_table(ax: Axes, run: Run) -> None:
    """The addition table in pale colours, test entries in strong ones, the moved one ringed."""
    task = run.split.task
    pale = LinearSegmentedColormap.from_list("pale", ["#f4f2ec", "#ccd3dc"])
    ax.imshow(task.labels.numpy().reshape(task.n, task.n), cmap=pale)
    colours = np.where(run.predictions["correct"], figures.RIGHT, figures.WRONG)
    ax.scatter(run.predictions["b"], run.predictions["a"], s=60, marker="s", c=colours, lw=0)
    moved = run.predictions[run.predictions["kind"] == "moved"]
    ax.scatter(moved["b"], moved["a"], s=460, facecolors="none", edgecolors=INK, lw=2)


def draw_change(ax: Axes, trapped: Run, freed: Run) -> float:
    """The difference of the two metrics; returns its largest entry relative to theirs."""
    change = freed.features - trapped.features
    limit = float(change.abs().max())
    ax.imshow(np.zeros_like(change), cmap="RdBu_r", vmin=-1, vmax=1)
    row, column = (change.abs() > limit / 10).nonzero(as_tuple=True)  # drawn larger than they are
    strength = {"c": change[row, column], "cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    ax.scatter(column, row, s=24, marker="s", lw=0, **strength)
    for line in (ax.axhline, ax.axvline):
        line(trapped.split.task.n - 0.5, color="0.75", lw=1)
    return limit / float(trapped.features.abs().max())


def main() -> None:
    """Run the two machines and write the picture."""
    figures.style()
    trapped, freed = runs()
    figure = plt.figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="none", facecolor="none")
    shape = {"boxstyle": "round,pad=0,rounding_size=0.02", "mutation_aspect": WIDTH / HEIGHT}
    card = FancyBboxPatch((0.003, 0.007), 0.994, 0.986, **shape)
    card.set(facecolor=PAPER, edgecolor="#e3e0d8", lw=1.5, zorder=-1)
    card.set_transform(figure.transFigure)
    figure.add_artist(card)

    side, gap = 4.55 / WIDTH, 0.55 / WIDTH
    left = (1 - 3 * side - 2 * gap) / 2
    axes = [
        figure.add_axes((left + i * (side + gap), 0.155, side, 4.55 / HEIGHT)) for i in range(3)
    ]
    draw_table(axes[0], trapped)
    draw_table(axes[1], freed)
    share = draw_change(axes[2], trapped, freed)

    diagonal = freed.predictions["kind"] == "withheld"
    right = int(freed.predictions["correct"][diagonal].sum())
    texts = [
        ("Trapped", "the diagonal withheld", "0 of 61 right"),
        ("Freed", "one more entry withheld", f"{right} of 61 right"),
        (
            "The difference",
            "of the two learned metrics",
            f"up to {100 * share:.1f} % of their largest entry",
        ),
    ]
    if trapped.correct().any():
        raise SystemExit("the trapped machine is right somewhere: the first caption would be wrong")
    for ax, (title, setting, result) in zip(axes, texts, strict=True):
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.text(0, 1.115, title, transform=ax.transAxes, fontsize=23, weight="bold", color=INK)
        ax.text(0, 1.035, setting, transform=ax.transAxes, fontsize=17, color=SOFT)
        ax.text(0, -0.1, result, transform=ax.transAxes, fontsize=19, color=INK)
    figure.savefig(COVER, transparent=False, facecolor="none")


if __name__ == "__main__":
    main()
