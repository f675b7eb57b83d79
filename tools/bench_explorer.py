"""Measure how fast the explorer iterates in a browser, beside ``rfm.fit`` with one thread.

    python tools/bench_explorer.py [--write] [--rounds N]

prints the figures; ``--write`` also writes ``book/data/bench_explorer.csv``. It needs Chromium. The
fixed points of one reflection are withheld. Browser and package take turns; of each round the
fastest iteration counts, for other programs only slow one down, and ratios are formed within a
round. What is timed in the browser is what its page sees, the worker's messages included.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pandas as pd
import torch
from playwright.sync_api import Page
from repository import ROOT

import rfm

TABLE = ROOT / "book" / "data" / "bench_explorer.csv"
TASKS = {"+": rfm.addition, "÷": rfm.division}
CASES = [
    (operation, p, kernel)
    for kernel in (rfm.Gaussian(), rfm.Quadratic())
    for operation, p in (("+", 13), ("+", 19), ("÷", 23), ("+", 25))
]
WARM_UP, ITERATIONS = 5, 20  # not timed, and timed, in a round
BROWSER = """async ([setting, warmUp, iterations]) => {
    const worker = engine.startWorker();
    const ask = (message) => new Promise((answered, failed) => {
        worker.onmessage = ({data}) => data.type === "error"
            ? failed(new Error(data.message)) : answered(data);
        worker.postMessage(message);
    });
    await ask({type: "start", setting});
    for (let t = 0; t < warmUp; t++) await ask({type: "step"});
    const times = [];
    for (let t = 0; t < iterations; t++) {
        const begun = performance.now();
        await ask({type: "step"});
        times.push((performance.now() - begun) / 1000);
    }
    worker.terminate();
    return times;
}"""


def in_browser(page: Page, operation: str, p: int, kernel: rfm.Kernel) -> float:
    """Seconds that an iteration takes in a worker of the page, the fastest."""
    task = TASKS[operation](p)
    points = task.index(task.reflection(1).fixed_points()).tolist()
    setting = {"operation": operation, "orders": [p], "kernel": type(kernel).__name__}
    setting["steps"] = [{"do": "withhold", "points": points}]
    return min(page.evaluate(BROWSER, [setting, WARM_UP, ITERATIONS]))


def in_package(operation: str, p: int, kernel: rfm.Kernel) -> float:
    """Seconds that an iteration of ``rfm.fit`` takes, the fastest."""
    task = TASKS[operation](p)
    split = rfm.withhold(task, task.reflection(1).fixed_points())
    run = rfm.fit(split, kernel, WARM_UP + ITERATIONS, device="cpu", warn=False)
    return min(run.seconds[WARM_UP:])


def row(page: Page, operation: str, p: int, kernel: rfm.Kernel, rounds: int) -> dict[str, object]:
    """What is measured of one case."""
    task = TASKS[operation](p)
    both = [
        (in_browser(page, operation, p, kernel), in_package(operation, p, kernel))
        for _ in range(rounds)
    ]
    there, here = (median(seconds) for seconds in zip(*both, strict=True))
    return {
        "task": task.name,
        "kernel": type(kernel).__name__,
        "training samples": task.n**2 - task.n,
        "iterations per second in the browser": float(f"{1 / there:.3g}"),
        "with rfm.fit, one thread": float(f"{1 / here:.3g}"),
        "browser / rfm, seconds": float(f"{median(x / y for x, y in both):.3g}"),
    }


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table to book/data")
    parser.add_argument("--rounds", type=int, default=5, help="how often the two take turns")
    asked = parser.parse_args()
    sys.path.append(str(ROOT / "tests" / "pages"))  # where the browser is
    import browsing
    import exploring

    torch.set_num_threads(1)
    start, rows = time.perf_counter(), []
    with browsing.started() as browser, TemporaryDirectory() as folder:
        with exploring.loaded(browser, Path(folder)) as page:
            for case in CASES:
                rows.append(row(page, *case, asked.rounds))
        release = browser.version.split(".")[0]
    table = pd.DataFrame(rows).assign(browser=f"Chromium {release}")
    print(table.to_string(index=False), f"\n{time.perf_counter() - start:.0f} s", flush=True)
    if asked.write:
        table.to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
