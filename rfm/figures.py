"""The book's figures: one look, colour-blind-safe, every function a thin layer over matplotlib.

Nothing is set at import; a chapter calls :func:`style` once. Functions draw and return axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from rfm.run import Run
from rfm.splits import Kind, Split
from rfm.symmetry import Symmetry
from rfm.tasks import Task

TRAIN, RIGHT, WRONG, HELD = "#dfe3e8", "#0173b2", "#d55e00", "#8c8f96"
"""Colours of training samples, right and wrong test points, and test points not yet judged."""


def style() -> None:
    """Set the book's look for the figures that follow."""
    sns.set_theme(context="notebook", style="ticks", palette="colorblind", font_scale=0.9)
    plt.rcParams.update(
        {
            "figure.dpi": 150,
            "figure.figsize": (7.2, 3.2),
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "image.interpolation": "nearest",
        }
    )


def panels(count: int, width: float = 7.2, height: float | None = None) -> list[Axes]:
    """A row of ``count`` axes, ``width`` inches in all; square-ish unless a height is given."""
    height = width / count + 0.3 if height is None else height
    _, axes = plt.subplots(1, count, figsize=(width, height), squeeze=False)
    return list(axes[0])


def cayley_table(
    task: Task, ax: Axes | None = None, numbers: bool | None = None, order: Tensor | None = None
) -> Axes:
    """The table of the operation, coloured by result; a is the row, b the column.

    Args:
        task: the task.
        ax: where to draw.
        numbers: whether to write the results in the cells, by default for n up to 13.
        order: (n,) positions, the order in which elements are listed; their own by default. Rows,
            columns and colours follow it.
    """
    ax = plt.gca() if ax is None else ax
    order = torch.arange(task.n) if order is None else order
    labels = task.labels.reshape(task.n, task.n)[order][:, order]
    places = torch.argsort(order)[labels].numpy()
    ax.imshow(places, cmap="viridis")
    if task.n <= 13 if numbers is None else numbers:
        for (i, j), place in np.ndenumerate(places):
            colour = "white" if place < 0.6 * task.n else "black"
            text = task.element(int(labels[i, j]))
            size = min(10, 90 / task.n)
            ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=size)
    return _square(ax, task, "a", "b", task.name, order)


def split_table(
    split: Split,
    run: Run | None = None,
    mirrors: Sequence[Symmetry] = (),
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """The table of samples as a picture: training, right and wrong test points, reflection axes.

    Args:
        split: the split to draw.
        run: a run on it; without one, test points are drawn as not yet judged.
        mirrors: reflections whose axis, the fixed points, is dotted in black.
        ax: where to draw.
        legend: whether to explain the colours below the picture.
    """
    ax = plt.gca() if ax is None else ax
    n = split.task.n
    picture = np.where((split.kind == Kind.TRAIN).numpy(), 0, 3)
    if run is not None:
        picture[split.task.index(split.test).numpy()] = np.where(run.correct().numpy(), 1, 2)
    colours = [TRAIN, RIGHT, WRONG, HELD]
    names = ["training", "test, right", "test, wrong", "test"]
    ax.imshow(picture.reshape(n, n), cmap=ListedColormap(colours), vmin=0, vmax=3)
    for g in mirrors:
        a, b = g.fixed_points().T.numpy()
        ax.scatter(b, a, s=2, color="black", linewidths=0)
    if legend:
        shown = [Patch(color=colours[i], label=names[i]) for i in np.unique(picture)]
        ax.legend(handles=shown, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=len(shown))
    return _square(ax, split.task, "a", "b", split.task.name)


def mirror_table(g: Symmetry, labels: Sequence[int] | None = None, ax: Axes | None = None) -> Axes:
    """A reflection in the table: its fixed points, and arcs that join each sample to its image.

    Args:
        g: the reflection.
        labels: positions of the labels whose samples are joined, one colour each; cells of these
            labels are tinted. By default the identity's.
        ax: where to draw.
    """
    ax = plt.gca() if ax is None else ax
    task, n = g.task, g.task.n
    labels = [task.group.identity] if labels is None else labels
    table = task.labels.reshape(n, n).numpy()
    palette = sns.color_palette("colorblind", len(labels))
    picture = np.ones((n, n, 3)) * np.array(to_rgb(TRAIN))
    for label, colour in zip(labels, palette, strict=True):
        picture[table == label] = 0.45 * np.array(colour) + 0.55
    ax.imshow(picture)
    ax.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", lw=0.8)
    ax.tick_params(which="minor", length=0)
    for label, colour in zip(labels, palette, strict=True):
        pairs = task.samples[task.labels == label]
        for (a, b), (c, d) in zip(pairs.tolist(), g(pairs).tolist(), strict=True):
            if (a, b) < (c, d):
                arc = {"arrowstyle": "<->", "color": colour, "connectionstyle": "arc3,rad=0.25"}
                ax.annotate("", (b, a), (d, c), arrowprops=arc | {"shrinkA": 0, "shrinkB": 0})
    a, b = g.fixed_points().T.numpy()
    ax.scatter(b, a, s=26, color="black", linewidths=0, zorder=3)
    return _square(ax, task, "a", "b", f"{task.name}, {g!r}")


def accuracy(
    runs: Mapping[str, Run], column: str = "test_accuracy", ax: Axes | None = None
) -> Axes:
    """A column of the runs' tables against the iteration, one line a run, as a share of 1."""
    ax = plt.gca() if ax is None else ax
    for label, run in runs.items():
        ax.plot(run.table.index, run.table[column], marker="o", markersize=3, label=label)
    ax.set(xlabel="iteration", ylabel=column.replace("_", " "), ylim=(-0.04, 1.04))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return ax


def feature_matrices(
    matrices: Mapping[str, Tensor],
    shared: bool = True,
    blocks: bool = True,
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Feature matrices side by side; the lines separate the coordinates of a from those of b.

    Args:
        matrices: title ↦ matrix.
        shared: one colour scale for all, symmetric about zero.
        blocks: whether the matrices are (2n, 2n), with lines between the operands.
        axes: where to draw, one for each matrix.
    """
    axes = panels(len(matrices)) if axes is None else list(axes)
    top = max(float(m.abs().max()) for m in matrices.values())
    for ax, (title, matrix) in zip(axes, matrices.items(), strict=True):
        limit = top if shared else float(matrix.abs().max())
        image = ax.imshow(np.asarray(matrix), cmap="RdBu_r", vmin=-limit, vmax=limit)
        d = len(matrix)
        if blocks:
            ax.axhline(d / 2 - 0.5, color="0.35", lw=0.6)
            ax.axvline(d / 2 - 0.5, color="0.35", lw=0.6)
        ax.set(title=title, xticks=[], yticks=[])
        sns.despine(ax=ax, left=True, bottom=True)
        if not shared:
            ax.figure.colorbar(image, ax=ax, shrink=0.75)
    if shared:
        axes[0].figure.colorbar(image, ax=axes, shrink=0.75)
    return axes


def _square(
    ax: Axes, task: Task, rows: str, columns: str, title: str, order: Tensor | None = None
) -> Axes:
    places = np.arange(0, task.n, -(-(task.n - 1) // 6))  # at most seven
    names = [task.element(i if order is None else int(order[i])) for i in places]
    ax.set(xlabel=columns, ylabel=rows, title=title, aspect="equal")
    ax.set_xticks(places, names, rotation=90 if len(task.group.moduli) > 1 else 0)
    ax.set_yticks(places, names)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax
