"""The book's figures: one look, colour-blind-safe, every function a thin layer over matplotlib.

Nothing is set at import; a chapter calls :func:`style` once. Functions draw and return axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from rfm.arguments import flag, instance, integer, members, positions, real, square
from rfm.decomposition import Decomposition
from rfm.prediction import Prediction
from rfm.products import TableTask
from rfm.run import Run
from rfm.splits import Kind, Split
from rfm.symmetry import Symmetry

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
    """A row of ``count`` axes, ``width`` inches in all; square-ish unless a height is given.

    Raises:
        ValueError: if ``count`` is not an integer of at least 1, or a length no positive number of
            inches.
    """
    count = integer(count, "count", 1)
    inches = "a number of inches from 0.1 to 100", 0.1, 100
    width = real(width, "width", *inches)
    height = real(width / count + 0.3 if height is None else height, "height", *inches)
    _, axes = plt.subplots(1, count, figsize=(width, height), squeeze=False)
    return list(axes[0])


def cayley_table(
    task: TableTask,
    ax: Axes | None = None,
    numbers: bool | None = None,
    order: Tensor | None = None,
) -> Axes:
    """The table of the operation, coloured by result; a is the row, b the column.

    Args:
        task: the task.
        ax: where to draw.
        numbers: whether to write the results in the cells, by default for n up to 13.
        order: (n,) positions, the order in which elements are listed; their own by default. Rows,
            columns and colours follow it.

    Raises:
        ValueError: if ``task`` is no task, or the order does not list each position once.
    """
    instance(task, TableTask, "task")
    order = positions(torch.arange(task.n) if order is None else order, task.n, "order")
    if len(order.unique()) < task.n:
        raise ValueError(f"order must list each of {task.n} positions once")
    ax = plt.gca() if ax is None else ax
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
    run: Run | Prediction | None = None,
    mirrors: Sequence[Symmetry] = (),
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """The table of samples as a picture: training, right and wrong test points, reflection axes.

    Args:
        split: the split to draw.
        run: a run on it, or a prediction; without one, test points are drawn as not yet judged.
        mirrors: reflections whose axis, the fixed points, is dotted in black.
        ax: where to draw.
        legend: whether to explain the colours below the picture.

    Raises:
        ValueError: if the run or the prediction is for another split, or a mirror of another task.
    """
    instance(split, Split, "split")
    if run is not None and not isinstance(run, Run | Prediction):
        raise ValueError(f"run must be a Run or a Prediction, not {type(run).__name__}")
    if run is not None and not run.split.alike(split):
        raise ValueError(f"the run is of another split: {run.split!r}, not {split!r}")
    mirrors = members(mirrors, "mirrors")
    for g in mirrors:
        _mirror(g)
        if g.task != split.task:
            raise ValueError(f"the mirrors must be reflections of {split.task}")
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


def table_legend(figure: Figure) -> None:
    """Explain the colours of :func:`split_table` once, below all panels of a figure.

    Raises:
        ValueError: if ``figure`` is no figure of matplotlib.
    """
    instance(figure, Figure, "figure")
    colours = {"training": TRAIN, "test, right": RIGHT, "test, wrong": WRONG}
    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def mirror_table(g: Symmetry, labels: Sequence[int] | None = None, ax: Axes | None = None) -> Axes:
    """A reflection in the table: its fixed points, and arcs that join each sample to its image.

    Args:
        g: the reflection.
        labels: positions of the labels whose samples are joined, one colour each; cells of these
            labels are tinted. By default the identity's.
        ax: where to draw.

    Raises:
        ValueError: if ``g`` is no reflection, or a label no position.
    """
    _mirror(g)
    task, n = g.task, g.task.n
    labels = [task.group.identity] if labels is None else labels
    labels = [integer(label, "a label", 0, n - 1) for label in members(labels, "labels")]
    ax = plt.gca() if ax is None else ax
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
    """A column of the runs' tables against the iteration, one line a run, as a share of 1.

    Raises:
        ValueError: if ``runs`` is not a mapping of names to one or more runs, or the column is
            none of their tables'.
    """
    _named(runs, Run, "runs")
    columns = next(iter(runs.values())).table.columns
    if not isinstance(column, str) or column not in columns:
        raise ValueError(f"column must be one of {', '.join(columns)}, not {column!r}")
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

    Raises:
        ValueError: if ``matrices`` is not a mapping of titles to one or more square matrices of
            finite numbers, ``shared`` or ``blocks`` not a bool, or ``axes`` not as many axes.
    """
    _named(matrices, Tensor, "matrices")
    matrices = {t: square(m, f"the matrix {t}", symmetric=False) for t, m in matrices.items()}
    shared, blocks = flag(shared, "shared"), flag(blocks, "blocks")
    axes = panels(len(matrices)) if axes is None else _axes(axes, len(matrices))
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


def group_elements(
    M: Tensor,
    parts: Decomposition,
    axes: Sequence[Axes],
    title: str = "",
    names: bool = True,
    scale: float | None = None,
) -> list[Axes]:
    """A feature matrix and, beside it on the same colour scale, the group elements found in it.

    Coordinates are sorted by discrete logarithm, which changes nothing for + and −.

    Args:
        M: (2n, 2n).
        parts: its decomposition; drawn is Σ (c_g − background) Π(g) over what stands out.
        axes: two axes.
        title: of the first.
        names: whether each stripe bears the name of its element.
        scale: where colours end, by default at the largest entry of M.

    Raises:
        ValueError: if ``parts`` is no decomposition, M no matrix of finite numbers for its task, or
            ``axes`` are not two.
    """
    instance(parts, Decomposition, "parts")
    task = parts.task
    M, axes = square(M, "M", task.dimension, symmetric=False), _axes(axes, 2)
    scale = float(M.abs().max()) if scale is None else real(scale, "scale", "a positive number", 0)
    for ax, matrix in zip(axes, (M, parts.encoded()), strict=True):
        ax.imshow(task.by_logarithm(matrix), cmap="RdBu_r", vmin=-scale, vmax=scale)
        ax.axhline(task.n - 0.5, color="0.35", lw=0.6)
        ax.axvline(task.n - 0.5, color="0.35", lw=0.6)
        ax.set(xticks=[], yticks=[])
        sns.despine(ax=ax, left=True, bottom=True)
    axes[0].set_title(title)
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "0.6", "lw": 0.5, "alpha": 0.9}
    for g in parts.elements if names else ():
        rows, columns = torch.nonzero(task.by_logarithm(g.matrix())[:, : task.n]).unbind(1)
        nearest = (rows % task.n - task.n // 2).abs() + (columns - task.n // 2).abs()
        at = int(nearest.argmin())  # the one closest to the middle of its block
        place = int(columns[at]), int(rows[at])
        axes[1].text(*place, _math(g), size=7, ha="center", va="center", bbox=box)
    return list(axes)


def coefficients(parts: Decomposition, reflections: bool, ax: Axes | None = None) -> Axes:
    """The coefficients c_g of the rotations or of the reflections against k, and what stands out.

    Args:
        parts: a decomposition.
        reflections: which kind.
        ax: where to draw; the dotted line is the background.

    Raises:
        ValueError: if ``parts`` is no decomposition, or ``reflections`` no bool.
    """
    instance(parts, Decomposition, "parts")
    reflections = flag(reflections, "reflections")
    ax = plt.gca() if ax is None else ax
    n = parts.task.n
    part = slice(n, 2 * n) if reflections else slice(0, n)
    values, found = parts.coefficients[part].numpy(), parts.stands_out[part].numpy()
    ax.axhline(float(parts.background[int(reflections)]), color="black", ls=":", lw=1)
    ax.scatter(np.arange(n)[~found], values[~found], s=10, color=HELD)
    ax.scatter(np.arange(n)[found], values[found], s=22, color=WRONG)
    ax.set(xlabel="$k$", ylabel="of $sr^k$" if reflections else "of $r^k$")
    return ax


def _mirror(g: Any) -> None:
    instance(g, Symmetry, "a mirror")
    if not g.reflects:
        raise ValueError(f"a mirror must be a reflection, not {g!r}")


def _named(things: Any, kind: type, name: str) -> None:
    """Raise ValueError unless these are one or more objects of a class, by name."""
    instance(things, Mapping, name)
    if not things:
        raise ValueError(f"{name} are none: there is nothing to draw")
    for title, thing in things.items():
        instance(thing, kind, f"{name}[{title!r}]")


def _axes(axes: object, count: int) -> list[Axes]:
    """So many axes. Raises ValueError for anything else."""
    found = members(axes, "axes")
    if len(found) != count or not all(isinstance(ax, Axes) for ax in found):
        raise ValueError(f"axes must be a sequence of {count}, not {axes!r:.200}")
    return list(found)


def _math(g: Symmetry) -> str:
    """``Π(sr^3)`` as matplotlib sets it."""
    name = "\\mathrm{id}" if g.name == "id" else g.name.replace("^", "^{") + "}" * ("^" in g.name)
    return f"$\\Pi({name})$"


def _square(
    ax: Axes, task: TableTask, rows: str, columns: str, title: str, order: Tensor | None = None
) -> Axes:
    places = range(0, task.n, -(-(task.n - 1) // 6))  # at most seven
    names = [task.element(i if order is None else int(order[i])) for i in places]
    ax.set(xlabel=columns, ylabel=rows, title=title, aspect="equal")
    ax.set_xticks(places, names, rotation=90 if max(map(len, names)) > 4 else 0)
    ax.set_yticks(places, names)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax
