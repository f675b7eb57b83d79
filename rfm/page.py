"""What a page says about its own runs: numbers, settings and claims, taken from the objects.

A chapter starts with one line that names its task, and everything it says follows from there. So
its sentences hold no typed number, a caption's setting comes from the runs that the figure shows,
and a claim says whether it holds here. Needs the extra ``book``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite, isnan
from typing import Any, cast

import numpy as np
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue
from pandas.api.types import is_float_dtype

from rfm.arguments import instance, integer
from rfm.kernels import Kernel
from rfm.run import Run
from rfm.symmetry import Symmetry

NEVER = "never"
"""What :class:`Notes` prints for a first time that there was none of."""


class Notes:
    """Make values available to the text of a page, as they are printed there.

    ``note("wrong", 3)`` on a page with the prefix ``05`` is shown by ``{glue:text}`05-wrong```, in
    a sentence, a caption or an alt text.

    Args:
        prefix: what all keys of the page begin with.
    """

    def __init__(self, prefix: str):
        instance(prefix, str, "prefix")
        self.prefix = prefix

    def __call__(self, key: str, value: object, digits: int = 0) -> None:
        """Glue a value: a number rounded to so many digits, None as "never", else as text.

        A reflection or rotation is set as mathematics, for the role ``glue:md``.

        Raises:
            ValueError: if ``digits`` is no integer from 0 on.
        """
        digits = integer(digits, "digits", 0)
        glue(f"{self.prefix}-{key}", _printed(value, digits), display=False)


def _printed(value: Any, digits: int) -> object:
    if value is None:
        return NEVER
    if isinstance(value, Symmetry):
        return Markdown(mathematics(value))
    if isinstance(value, str):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if not isfinite(number):
        return "no value" if isnan(number) else str(number)
    number = rounded(number, digits) + 0.0  # −0.0 is 0.0
    return number if digits else int(number)


def rounded(values: float | pd.Series | pd.DataFrame, digits: int = 0) -> Any:
    """Floats rounded to so many digits, from a half on away from zero.

    What is a half but for a millionth counts as one. Means of a few decimals, as of stored tables,
    are often exactly half-way between two numbers of fewer digits, and then the last bit of a sum
    would decide, in which versions of numpy and pandas differ. Of a table, columns of other things
    than floats stay as they are.

    Raises:
        ValueError: if ``digits`` is no integer from 0 on.
    """
    digits = integer(digits, "digits", 0)
    if isinstance(values, pd.DataFrame):
        return values.apply(rounded, digits=digits)
    hair = 1e-6 * 10.0**-digits
    if isinstance(values, pd.Series):
        floats = is_float_dtype(values)
        return (values + hair * np.sign(values)).round(digits) if floats else values
    return float(np.round(values + hair * np.sign(values), digits))


def mathematics(g: Symmetry) -> str:
    """An element of Dih(A) as a page sets it, as ``$sr^{5}$``."""
    instance(g, Symmetry, "g")
    name = re.sub(r"\^(.*)$", r"^{\1}", g.name)
    return "$" + ("\\mathrm{id}" if name == "id" else name) + "$"


def first(condition: pd.Series) -> int | None:
    """The first index at which a condition holds; None where it never does.

    ``condition.idxmax()`` would name the first row in that case.

    Raises:
        ValueError: if ``condition`` is not a series of True and False.
    """
    instance(condition, pd.Series, "condition")
    if condition.dtype != bool:
        raise ValueError(f"condition must be a series of True and False, not of {condition.dtype}")
    return cast(int, condition.idxmax()) if condition.any() else None


def by_name(*kernels: Kernel) -> dict[str, Kernel]:
    """Kernels under their names: that of the class, with the parameters where two share one.

    A kernel that is given twice is listed once.

    Raises:
        ValueError: if one of them is no kernel.
    """
    different: list[Kernel] = []
    for kernel in kernels:
        instance(kernel, Kernel, "each kernel")
        if kernel not in different:
            different.append(kernel)
    classes = [type(kernel).__name__ for kernel in different]
    return {
        name if classes.count(name) == 1 else repr(kernel): kernel
        for name, kernel in zip(classes, different, strict=True)
    }


def setting(*runs: Run | Mapping[object, Run] | Iterable[Run]) -> str:
    """The setting of one or several runs in words, for the caption of a figure that shows them.

    What they share is said once, what differs is listed: the tasks, the splits, the kernels, then
    ridge, power, centring and start where they are not the usual ones, iterations and stop rule.

    Raises:
        ValueError: if there is no run, or something else among them.
    """
    flat = [run for one in runs for run in _runs(one)]
    if not flat:
        raise ValueError("a setting needs one or more runs")
    for run in flat:
        instance(run, Run, "each run")
    told = [_told(run.settings) for run in flat]
    parts = (_together(dict.fromkeys(one[i] for one in told)) for i in range(len(told[0])))
    return "; ".join(part for part in parts if part)


def _runs(one: object) -> Iterable[Any]:
    if isinstance(one, Run):
        return [one]
    if not isinstance(one, Iterable):
        raise ValueError(f"a setting is that of runs, not of {one!r}")
    return one.values() if isinstance(one, Mapping) else one


def _told(settings: Mapping[str, object]) -> tuple[str, ...]:
    """The parts of a setting: task, split, kernel, recipe, length."""
    recipe = [f"ridge {settings['ridge']:g}"]
    if settings["power"] != 0.5:
        recipe.append(f"power {settings['power']:g}")
    if not settings["centred"]:
        recipe.append("not centred")
    if not str(settings["update"]).startswith("AGOP("):
        recipe.append(f"update by {settings['update']}")
    if settings["M0"] != "identity":
        recipe.append("from given features")
    count = settings["iterations"]
    length = "one iteration" if count == 1 else f"{count} iterations"
    rule = re.fullmatch(r"(direction_)?converged\(tolerance=(.*)\)", str(settings["stop"]))
    if rule:
        what = "the metric's direction moves by less than {:g}"
        what = what if rule[1] else "the metric moves by less than {:g} of its norm"
        length += " or until " + what.format(float(rule[2]))
    elif settings["stop"]:
        length += f" or until {settings['stop']}"
    split = str(settings["split"]).replace("%", " %")
    return (
        str(settings["task"]),
        split,
        in_words(str(settings["kernel"])),
        ", ".join(recipe),
        length,
    )


def in_words(kernel: str) -> str:
    """What a kernel prints, ``Gaussian(bandwidth=2.5)``, as words: Gaussian kernel with L = 2.5.

    Raises:
        ValueError: if that is no text.
    """
    instance(kernel, str, "kernel")
    name, _, parameters = kernel.partition("(")
    parameters = parameters.removesuffix(")").replace("=", " = ").replace("bandwidth", "L")
    return f"{name} kernel" + (f" with {parameters}" if parameters else "")


def _together(parts: Iterable[str]) -> str:
    """Several texts as one, where what some of them begin with is said once."""
    groups: dict[str, list[str]] = {}
    for part in parts:
        first, _, rest = part.partition("; ")
        groups.setdefault(first, []).append(rest)
    said = [_varied(first, rests) for first, rests in groups.items()]
    if len(said) == 1 or len(said) == sum(map(len, groups.values())):
        return _listed(said)
    return f"{', '.join(said[:-1])}, and {said[-1]}"


def _varied(first: str, rests: list[str]) -> str:
    if len(rests) == 1:
        return "; ".join([first, *filter(None, rests)])
    return f"{first}, " + _listed(f"with {rest}" if rest else "alone" for rest in rests)


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _truth(holds: Any) -> bool | None:
    """A truth value, of NumPy or torch too, or None. Raises ValueError for anything else."""
    if holds is None or isinstance(holds, bool):
        return holds
    try:
        plain = holds.item()
    except (AttributeError, ValueError, RuntimeError):
        plain = holds
    if not isinstance(plain, bool):
        raise ValueError(
            f"a truth value is needed: True, False or None (not stated), not {holds!r}"
        )
    return plain


class Claims:
    """Statements of a page, each with whether it holds for what the page is about.

    Called with a sentence and a condition: True, False, or None where the argument behind it does
    not apply, as for a group of even order a theorem about odd ones.
    """

    ANSWERS: Mapping[bool | None, str] = {True: "holds", False: "does not hold", None: "not stated"}

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def __call__(self, sentence: str, holds: bool | None) -> None:
        """Note a statement.

        Raises:
            ValueError: if it was made before, is no single line, or has no truth value.
        """
        instance(sentence, str, "sentence")
        if not sentence.strip() or "|" in sentence or "\n" in sentence:
            raise ValueError(f"a statement is one line without the sign |, not {sentence!r}")
        if sentence in self._said:
            raise ValueError(f"stated twice: {sentence!r}")
        self._said[sentence] = self.ANSWERS[_truth(holds)]

    def table(self, about: object) -> Markdown:
        """All statements, with a column that says what holds for ``about``."""
        heading = " ".join(str(about).split()).replace("|", "∣")
        lines = [f"| statement | {heading} |", "|:--|:--|"]
        lines += [f"| {sentence} | {answer} |" for sentence, answer in self._said.items()]
        return Markdown("\n".join(lines))
