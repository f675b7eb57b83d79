"""Run the chapters with another group, kernel, reflection or fraction than their own.

    python tools/variants.py [NAME ...] [--change WORDS] [--workers N]

A chapter names what it is about in its cell tagged ``parameters``, one assignment a line. A change
replaces some of these, and the chapter is executed with it, in ``book/``, on the stored tables. It
must run to the end; its statements that do not hold there are listed. Nothing is written.
A NAME picks the chapters that start with it, ``--change`` the changes that contain the words.
"""

import argparse
import ast
import time
from collections.abc import Iterator, Mapping

import interrupts
import joblib
import pandas as pd
from nbformat import NotebookNode
from notebooks import BOOK, NotebookError, execute, parse, sources

TAG = "parameters"
Change = Mapping[str, str]
SMALL = "rfm.addition(13)"

GROUPS: Mapping[str, Change] = {
    "x + y mod 15": {"task": "rfm.addition(15)"},
    "x + y mod 12": {"task": "rfm.addition(12)"},
    "x + y mod (3, 5)": {"task": "rfm.addition(3, 5)"},
    "x × y mod 13": {"task": "rfm.multiplication(13)"},
    "x − y mod 13": {"task": "rfm.subtraction(13)"},
}
KERNELS: Mapping[str, Change] = {
    "Gaussian, L = 1": {"task": SMALL, "kernel": "rfm.Gaussian(bandwidth=1.0)"},
    "Quadratic": {"task": SMALL, "kernel": "rfm.Quadratic()"},
    "Matern": {"task": SMALL, "kernel": "rfm.Matern(bandwidth=2.5)"},
}
OTHERS: Mapping[str, Change] = {
    "another reflection": {"task": SMALL, "mirror": "task.reflections[2]"},
    "three fifths": {"task": SMALL, "fraction": "0.6"},
    "a quarter": {"task": SMALL, "fraction": "0.25"},
}
CHANGES: Mapping[str, Change] = {**GROUPS, **KERNELS, **OTHERS}


def parameters(nb: NotebookNode) -> NotebookNode | None:
    """Return the cell that names what a chapter is about, None if it has none."""
    return next((c for c in nb.cells if TAG in c.metadata.get("tags", [])), None)


def assigned(code: str) -> dict[str, ast.expr]:
    """Return name ↦ value of the assignments in a cell of parameters."""
    statements = [s for s in ast.parse(code).body if isinstance(s, ast.Assign)]
    return {s.targets[0].id: s.value for s in statements if isinstance(s.targets[0], ast.Name)}


def changed(code: str, change: Change) -> str:
    """Return the code of a cell of parameters with the values of some names replaced."""
    lines = code.splitlines()
    for name, value in sorted(assigned(code).items(), key=lambda item: -item[1].lineno):
        if name in change:
            lines[value.lineno - 1 : value.end_lineno] = [f"{name} = {change[name]}"]
    return "\n".join(lines)


def applies(code: str, change: Change) -> bool:
    """Whether a change replaces what it is about: of several names, the last."""
    return list(change)[-1] in assigned(code)


def run(name: str, label: str, change: Change) -> dict[str, object]:
    """Execute a chapter with a change; return what came of it."""
    (source,) = sources([name])
    nb = parse(source)
    cell = parameters(nb)
    outcome = {"chapter": source.stem, "change": label, "result": "", "seconds": 0.0, "untrue": ""}
    if cell is None or not applies(cell.source, change):
        return outcome | {"result": "not asked"}
    cell.source = changed(cell.source, change)
    start = time.perf_counter()
    try:
        execute(nb, BOOK)
        outcome["result"] = "runs"
    except NotebookError as error:
        outcome["result"] = "FAILS"
        outcome["untrue"] = str(error)
    else:
        outcome["untrue"] = "\n".join(untrue(nb))
    return outcome | {"seconds": round(time.perf_counter() - start, 1)}


def statements(nb: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield the statements of an executed chapter, and whether each holds there."""
    for cell in nb.cells:
        if "claims" in cell.metadata.get("tags", []):
            for output in cell.outputs:
                for line in output.data["text/markdown"].splitlines()[2:]:
                    _, sentence, answer, _ = line.split("|")
                    yield sentence.strip(), answer.strip()


def untrue(nb: NotebookNode) -> list[str]:
    """Return the statements of an executed chapter that do not hold there."""
    return [sentence for sentence, answer in statements(nb) if answer == "does not hold"]


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters, by their first letters")
    parser.add_argument("--change", default="", help="only changes whose name contains this")
    parser.add_argument("--workers", type=int, default=1, help="so many at once")
    arguments = parser.parse_args()
    jobs = [
        joblib.delayed(run)(source.stem, label, change)
        for source in sources(arguments.names)
        for label, change in CHANGES.items()
        if arguments.change in label
    ]
    done = []
    for one in joblib.Parallel(arguments.workers, return_as="generator")(jobs):
        print(f"{one['chapter']:32s} {one['change']:20s} {one['result']:10s} {one['seconds']} s")
        for line in str(one["untrue"]).splitlines():
            print(f"    {line}", flush=True)
        done.append(one)
    table = pd.DataFrame(done).pivot(index="chapter", columns="change", values="result")
    print(table[[label for label in CHANGES if label in table]].to_string())
    return int(any(one["result"] == "FAILS" for one in done))


if __name__ == "__main__":
    interrupts.ended(main, "what ran is told above")
