"""Measure what an iteration of rfm costs, beside a textbook RFM, xRFM and a bare Cholesky.

``make bench`` prints the figures. ``.venv/bin/python tools/bench.py --write`` also writes them to
``book/data``, where the page "How it was computed" reads them.

The task is x + y mod p with every sample in training but the fixed points of s, Gaussian kernel.
Each measurement runs in a process of its own, so that its peak memory is its own; the contenders
take turns for several rounds, and ratios are formed within a round.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import psutil
import torch
from torch import Tensor

import rfm
from rfm.two_spectra import Midpoints, TwoSpectra

DATA = Path(__file__).resolve().parent.parent / "book" / "data"
KERNEL = rfm.Gaussian()
WARM_UP = 2  # iterations that are not timed

TEXTBOOK = "textbook RFM"
XRFM = "xRFM"
XRFM_BATCHES = "xRFM, gradients in batches of 128"
CHOLESKY = "bare Cholesky"
CHOLESKY_GIVEN = "bare Cholesky, memory given"
PEAK = "peak memory of rfm, GB"
BLOCKS = "in blocks"
REDUCED = "on four numbers"
SPECTRA = "on two spectra"
AIMS = {  # as printed beside the figure, and as a test of it
    f"{TEXTBOOK} / rfm": ("at least 8", lambda x: x >= 8),
    f"{XRFM} / rfm": ("at least 20", lambda x: x >= 20),
    f"rfm / {CHOLESKY}": ("at most 2.5", lambda x: x <= 2.5),
    PEAK: ("at most 0.8", lambda x: x <= 0.8),
}

TRAP_AIMS = {  # of the machines for the trap, by machine and order: seconds, and ratio to the full
    (BLOCKS, 61): ("50 times as fast as the full machine", lambda s, ratio, gb: ratio >= 50),
    (BLOCKS, 256): ("at most 3 s", lambda s, ratio, gb: s <= 3),
    (BLOCKS, 509): ("at most 30 s and 6 GB", lambda s, ratio, gb: s <= 30 and gb <= 6),
}

Measured = dict[str, list[float]]


# ------------------------------------------------------------------- one process, one contender


def problem(p: int) -> rfm.Split:
    """All samples of x + y mod p in training but the fixed points of s."""
    task = rfm.addition(p)
    return rfm.withhold(task, task.reflection(0).fixed_points())


def codes(split: rfm.Split, pairs: Tensor) -> Tensor:
    """One-hot codes of pairs, (N, 2n) float64."""
    return torch.eye(split.task.n, dtype=torch.float64)[pairs].flatten(1)


def one_hot_labels(split: rfm.Split, pairs: Tensor) -> Tensor:
    """One-hot labels of pairs, (N, n) float64."""
    return torch.eye(split.task.n, dtype=torch.float64)[split.task.label(pairs)]


def timed(function: Callable[[], object]) -> tuple[float, object]:
    """Seconds that a call took, and what it returned."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def peak_gb() -> float:
    """Peak memory of this process so far, in 10⁹ bytes.

    Where Linux tells it, the high-water mark of this program: the usual ``ru_maxrss`` also counts
    what the process was before it became this program, a copy of its parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text(encoding="utf-8"))[1]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure_rfm(p: int, rounds: int, keep: Path) -> Measured:
    """Iterations of ``rfm.fit``, each followed by a bare Cholesky factorisation of the same size.

    The peak memory is read before anything but ``rfm.fit`` has allocated a matrix.
    """
    split = problem(p)
    found: Measured = {CHOLESKY: [], CHOLESKY_GIVEN: [], "before GB": [peak_gb()]}
    given: list[Tensor] = []

    def between(row: dict[str, float]) -> bool:
        """A stopping rule that never stops: it is called after each iteration."""
        if row["iteration"] == WARM_UP:
            found["peak GB"] = [peak_gb()]
            M = torch.eye(2 * p, dtype=torch.float64)
            K = KERNEL.gram(split.train, split.train, M)
            given.extend([K, torch.empty_like(K).mT, torch.empty((), dtype=torch.int32)])
        if row["iteration"] >= WARM_UP:
            K, L, info = given
            given_memory = timed(lambda: torch.linalg.cholesky_ex(K, out=(L, info)))[0]
            found[CHOLESKY_GIVEN].append(given_memory)
            found[CHOLESKY].append(timed(lambda: torch.linalg.cholesky(K))[0])
        return False

    run = rfm.fit(split, KERNEL, WARM_UP + rounds, device="cpu", stop=between, keep_features=True)
    M = run.history
    labels = one_hot_labels(split, split.train)
    scores = rfm.KernelMachine.fit(split.train, labels, KERNEL, M[1]).predict(split.test)
    torch.save({"AGOP": M[2] @ M[2], "f": scores}, keep)
    for name in (CHOLESKY, CHOLESKY_GIVEN):
        del found[name][0]  # belongs to the warm-up
    return found | {"seconds": list(run.seconds[WARM_UP:])}


def measure_textbook(p: int, rounds: int, keep: Path) -> Measured:
    """Iterations of :func:`textbook_iteration`."""
    split = problem(p)
    X, Z = codes(split, split.train), codes(split, split.test)
    Y = one_hot_labels(split, split.train)
    M = torch.eye(2 * p, dtype=torch.float64)
    seconds = []
    for t in range(max(2, 1 + rounds)):
        took, (M, scores) = timed(lambda M=M: textbook_iteration(X, Y, Z, M, KERNEL.bandwidth))
        seconds.append(took)
        if t == 1:
            torch.save({"AGOP": M @ M, "f": scores}, keep)
    return {"seconds": seconds[1:], "peak GB": [peak_gb()]}


def textbook_iteration(
    X: Tensor, Y: Tensor, Z: Tensor, M: Tensor, L: float
) -> tuple[Tensor, Tensor]:
    """One iteration written as a textbook would, for any inputs: returns the next M and f(Z).

    Args:
        X: (N, d) training inputs.
        Y: (N, c) targets.
        Z: (N′, d) test inputs.
        M: (d, d) metric.
        L: bandwidth of the Gaussian.
    """
    (N, d), c = X.shape, Y.shape[1]
    XM = X @ M
    K = textbook_gaussian(X, X, M, L)
    α = torch.linalg.solve(K, Y).contiguous()
    scores = textbook_gaussian(Z, X, M, L) @ α
    W = K / L**2
    G = (W @ (α[:, :, None] * XM[:, None, :]).view(N, c * d)).view(N, c, d)
    G -= (W @ α)[:, :, None] * XM[:, None, :]
    G -= G.mean(0)
    agop = torch.einsum("jcu,jcv->uv", G, G) / N
    values, vectors = torch.linalg.eigh((agop + agop.T) / 2)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T, scores


def textbook_gaussian(X: Tensor, Z: Tensor, M: Tensor, L: float) -> Tensor:
    """exp(−‖x − z‖²_M / 2L²) for the rows of ``X`` and ``Z``."""
    XM = X @ M
    distances = (XM * X).sum(1)[:, None] + (Z @ M * Z).sum(1) - 2 * XM @ Z.T
    return torch.exp(-distances.clamp(min=0) / (2 * L**2))


def measure_xrfm(p: int, rounds: int, keep: Path, batch: int | None = None) -> Measured:
    """Iterations of xRFM without its tree: one leaf, all samples, direct solve, no ridge.

    Its generalised Laplace kernel exp(−(‖x − x′‖/L)^q) with q = 2 is the Gaussian. It solves by
    Cholesky here, the fastest of its solvers. It does not subtract the mean gradients of each
    output and divides its AGOP by the largest entry, so one step from M = I is what can be
    compared; ``kept`` holds that step and the predictions under M = I.
    """
    from xrfm.rfm_src import RFM
    from xrfm.rfm_src.kernels import LaplaceKernel

    split = problem(p)
    X, Z = codes(split, split.train), codes(split, split.test)
    data = (X, one_hot_labels(split, split.train)), (Z, one_hot_labels(split, split.test))
    kernel = LaplaceKernel(bandwidth=2**0.5 * KERNEL.bandwidth, exponent=2.0)
    model = RFM(kernel, device="cpu", verbose=False, tuning_metric="mse")
    starts: list[float] = []

    def fit(iterations: int) -> None:
        model.fit(
            *data,
            iters=iterations,
            reg=0.0,
            solver="cholesky",
            M_batch_size=batch,
            return_best_params=False,
            early_stop_rfm=False,
            callback=lambda iteration: starts.append(time.perf_counter()),
        )

    fit(0)
    scores = model.predict(Z)
    starts.clear()
    fit(max(1, rounds))
    if rounds <= 1:
        torch.save({"AGOP": model.M, "f": scores}, keep)
    gaps = [end - start for start, end in pairwise(starts)]
    return {"seconds": gaps, "peak GB": [peak_gb()]}


def measure_pieces(p: int, rounds: int, keep: Path) -> Measured:
    """``rfm.fit``, then its pieces one by one."""
    split = problem(p)
    before = peak_gb()
    run = rfm.fit(split, KERNEL, 1 + rounds, device="cpu")
    found: Measured = {
        "seconds": list(run.seconds[1:]),
        "peak GB": [peak_gb()],
        "before GB": [before],
        "estimate GB": [rfm.memory_estimate(split) / 1e9],
    }
    Y, M = one_hot_labels(split, split.train), run.features
    K, L = rfm.machine.scratch(len(split.train), like=M)

    def piece(name: str, function: Callable[[], object]) -> object:
        took, result = timed(function)
        found.setdefault(name, []).append(took)
        return result

    for _ in range(1 + rounds):
        piece("kernel", lambda: KERNEL.gram(split.train, split.train, M, out=K))
        factor = piece("Cholesky", lambda: rfm.factorise(K, out=L))
        piece("triangular solves", lambda factor=factor: factor.solve(Y))
        machine = rfm.KernelMachine.fit(split.train, Y, KERNEL, M, scratch=(K, L))
        agop = piece("AGOP", machine.agop)
        piece("root", lambda agop=agop: rfm.matrix_power(agop, 0.5))
        piece("prediction", lambda machine=machine: machine.predict(split.test))
    return found


def measure_blocks(p: int, rounds: int, keep: Path) -> Measured:
    """Iterations of ``rfm.fit`` by characters, the first left out."""
    split = problem(p)
    run = rfm.fit(split, KERNEL, 1 + rounds, translations=True)
    return {
        "seconds": list(run.seconds[1:]),
        "peak GB": [peak_gb()],
        "estimate GB": [rfm.memory_estimate(split, translations=True) / 1e9],
    }


def measure_beside(p: int, rounds: int, keep: Path) -> Measured:
    """Iterations of the full machine, each followed by some by characters, the median of which."""
    split, blocks = problem(p), []

    def between(row: dict[str, float]) -> bool:
        """A stopping rule that never stops: it is called after each iteration."""
        again = rfm.fit(split, KERNEL, WARM_UP + 5, translations=True)
        blocks.append(median(again.seconds[WARM_UP:]))
        return False

    run = rfm.fit(split, KERNEL, WARM_UP + rounds, device="cpu", stop=between)
    return {"seconds": list(run.seconds[WARM_UP:]), "blocks": blocks[WARM_UP:]}


def measure_reduced(p: int, rounds: int, keep: Path) -> Measured:
    """Iterations of :func:`rfm.reduced`, from the time that a hundred of them take."""
    seconds = [timed(lambda: rfm.reduced(p, KERNEL, 100))[0] / 100 for _ in range(1 + rounds)]
    return {"seconds": seconds[1:], "peak GB": [peak_gb()]}


def measure_spectra(p: int, rounds: int, keep: Path) -> Measured:
    """Steps and predictions of :class:`rfm.two_spectra.TwoSpectra`, the first left out."""
    mid = Midpoints(rfm.addition(p).reflections[0])
    few, seconds = TwoSpectra.of(mid, torch.eye(2 * p, dtype=torch.float64)), []
    for _ in range(2 + rounds):
        spent, few = timed(lambda few=few: (few.axis(KERNEL), few.step(KERNEL))[1])
        seconds.append(spent)
    return {"seconds": seconds[2:], "peak GB": [peak_gb()]}


PIECES = ("kernel", "Cholesky", "triangular solves", "AGOP", "root", "prediction")

MEASURES: dict[str, Callable[[int, int, Path], Measured]] = {
    "rfm": measure_rfm,
    TEXTBOOK: measure_textbook,
    XRFM: measure_xrfm,
    XRFM_BATCHES: lambda p, rounds, keep: measure_xrfm(p, rounds, keep, batch=128),
    "pieces": measure_pieces,
    BLOCKS: measure_blocks,
    "beside": measure_beside,
    SPECTRA: measure_spectra,
    REDUCED: measure_reduced,
}


# ------------------------------------------------------------------------------- taking turns


def in_own_process(name: str, p: int, rounds: int, keep: Path, patience: float) -> Measured:
    """Measure in a fresh process, on a machine at rest; again if that was disturbed.

    Other programs may take a twentieth of the processor. For ``patience`` seconds it is tried to do
    better; then the least disturbed attempt counts. ``others`` is the share, in per cent.
    """
    deadline = time.monotonic() + patience
    order = [sys.executable, __file__, "--measure", name, "--p", str(p), "--iterations"]
    order += [str(rounds), "--keep", str(keep)]
    best: Measured = {}
    while not best or (best["others"][0] > 5 and time.monotonic() < deadline):
        while psutil.cpu_percent(interval=0.5) > 10 and time.monotonic() < deadline:
            pass
        before, own_before = _processor_seconds()
        output = subprocess.run(order, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
        after, own_after = _processor_seconds()
        idle, busy = after.idle - before.idle, _busy(after) - _busy(before)
        others = 100 * max(0.0, busy - (own_after - own_before)) / (idle + busy)
        print(f"  {name}, p = {p}: others took {others:.0f} %", file=sys.stderr, flush=True)
        if not best or others < best["others"][0]:
            best = json.loads(output.splitlines()[-1]) | {"others": [others]}
    return best


def _processor_seconds() -> tuple[Any, float]:
    """Processor time of the machine so far, and what of it went to finished measurements."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return psutil.cpu_times(), children.ru_utime + children.ru_stime


def _busy(times: Any) -> float:
    return times.user + times.system + getattr(times, "nice", 0) + getattr(times, "steal", 0)


def compare(p: int, rounds: int, patience: float) -> dict[str, pd.DataFrame]:
    """The contenders in turn, ``rounds`` times: seconds and memory, ratios, agreement with rfm."""
    seconds: Measured = defaultdict(list)
    peaks: Measured = defaultdict(list)
    ratios: Measured = defaultdict(list)
    others: Measured = defaultdict(list)
    with TemporaryDirectory() as folder:
        kept = {name: Path(folder) / f"{i}.pt" for i, name in enumerate(MEASURES)}
        for _ in range(rounds):
            ours = in_own_process("rfm", p, 7, kept["rfm"], patience)
            seconds["rfm"] += ours["seconds"]
            peaks["rfm"] += ours["peak GB"]
            others["rfm"] += ours["others"]
            for name, iterations in ((TEXTBOOK, 2), (XRFM, 1), (XRFM_BATCHES, 1)):
                theirs = in_own_process(name, p, iterations, kept[name], patience)
                seconds[name] += theirs["seconds"]
                peaks[name] += theirs["peak GB"]
                others[name] += theirs["others"]
                ratios[f"{name} / rfm"].append(median(theirs["seconds"]) / median(ours["seconds"]))
            for name in (CHOLESKY, CHOLESKY_GIVEN):
                seconds[name] += ours[name]
                others[name] += ours["others"]
                pairs = zip(ours["seconds"], ours[name], strict=True)
                ratios[f"rfm / {name}"] += [a / b for a, b in pairs]
        agree = agreement(p, {name: torch.load(f) for name, f in kept.items() if f.exists()})
    ratios[PEAK] = peaks["rfm"]
    times = {
        name: {
            **_spread(seconds[name]),
            "peak GB": _peak(peaks[name]),
            "other programs, %": round(max(others[name])),
        }
        for name in seconds
    }
    compared = {name: {**_spread(ratios[name]), **_aim(name, ratios[name])} for name in ratios}
    return {
        "bench": _table("seconds an iteration", times),
        "bench_ratios": _table("figure", compared),
        "bench_agreement": _table("largest difference from rfm", agree),
    }


def agreement(p: int, kept: dict[str, dict[str, Tensor]]) -> dict[str, dict[str, str]]:
    """Largest difference from rfm, relative to the largest entry, in the AGOP and in f."""
    split = problem(p)
    labels = one_hot_labels(split, split.train)
    first = rfm.KernelMachine.fit(
        split.train, labels, KERNEL, torch.eye(2 * p, dtype=torch.float64)
    )
    step = first.agop(centred=False)
    like_xrfm = {"AGOP": step / step.max(), "f": first.predict(split.test)}
    expected = {TEXTBOOK: kept["rfm"], XRFM: like_xrfm, XRFM_BATCHES: like_xrfm}
    return {
        name: {what: _apart(kept[name][what], right[what]) for what in ("AGOP", "f")}
        for name, right in expected.items()
    }


def _apart(one: Tensor, other: Tensor) -> str:
    return f"{float((one - other).abs().max() / other.abs().max()):.0e}".replace("0e+00", "0")


def growth(sizes: list[int], rounds: int, patience: float) -> dict[str, pd.DataFrame]:
    """How seconds, shares of an iteration and memory grow with p."""
    times, memory = {}, {}
    for p in sizes:
        found = in_own_process("pieces", p, rounds, Path(os.devnull), patience)
        pieces = {name: median(found[name][1:]) for name in PIECES}
        total = sum(pieces.values())
        (before,), (peak,), (estimate,) = (
            found[f"{when} GB"] for when in ("before", "peak", "estimate")
        )
        times[p] = {
            "samples": p * p - p,
            "seconds": _digits(median(found["seconds"])),
            **{f"{name}, %": round(100 * pieces[name] / total, 1) for name in PIECES},
            "other programs, %": round(found["others"][0]),
        }
        memory[p] = {
            "before the run, GB": _digits(before),
            "peak, GB": _digits(peak),
            "rise, GB": _digits(peak - before),
            "estimate, GB": _digits(estimate),
        }
    return {"bench_growth": _table("p", times), "bench_memory": _table("p", memory)}


def trap(
    beside: int, blocks: list[int], orders: list[int], patience: float
) -> dict[str, pd.DataFrame]:
    """What an iteration of the trap costs in blocks and on four numbers, at orders without end."""
    rows = []

    def row(machine: str, p: int, found: Measured, ratio: float | None = None) -> None:
        seconds, peak = median(found["seconds"]), max(found.get("peak GB", [math.nan]))
        aim, reached = TRAP_AIMS.get((machine, p), ("", None))
        rows.append(
            {
                "machine": machine,
                "n": p,
                "training samples": p * p - p,
                "seconds": _digits(seconds),
                "full / this": "" if ratio is None else _digits(ratio),
                "peak, GB": "" if math.isnan(peak) else _digits(peak),
                "other programs, %": round(found["others"][0]),
                "aim": aim,
                "met": "" if reached is None else "yes" if reached(seconds, ratio, peak) else "no",
            }
        )

    nowhere = Path(os.devnull)
    both = in_own_process("beside", beside, 5, nowhere, patience)
    row("full", beside, both)
    pairs = zip(both["seconds"], both["blocks"], strict=True)
    there = both | {"seconds": both["blocks"]}
    row(BLOCKS, beside, there, median(full / block for full, block in pairs))
    for p in blocks:
        row(BLOCKS, p, in_own_process(BLOCKS, p, 3 if p < 400 else 1, nowhere, patience))
    for p in (61, 101, 251):
        row(SPECTRA, p, in_own_process(SPECTRA, p, 5, nowhere, patience))
    for p in orders:
        row(REDUCED, p, in_own_process(REDUCED, p, 5, nowhere, patience))
    return {"bench_trap": pd.DataFrame(rows)}


def settings(p: int, rounds: int) -> pd.DataFrame:
    """What the figures depend on."""
    kind = torch.backends.cpu.get_cpu_capability().replace("AVX512", "AVX-512")
    rows = {
        "task": f"x + y mod {p}, all but Fix(s) in training",
        "training samples": p * p - p,
        "kernel": repr(KERNEL),
        "ridge, power, M₀": "0, 1/2, identity",
        "precision": "float64",
        "processor": f"{os.cpu_count()} cores, {platform.machine()}, {kind}",
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "Python": platform.python_version(),
        "rfm": rfm.__version__,
        **{name: version(name) for name in ("xrfm", "torch", "numpy", "scikit-learn")},
    }
    return _table("setting", {name: {"value": str(value)} for name, value in rows.items()})


def _table(key: str, rows: dict[object, dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame([{key: name, **row} for name, row in rows.items()])


def _spread(values: list[float]) -> dict[str, object]:
    few = {"smallest": min(values), "median": median(values), "largest": max(values)}
    return {name: _digits(x) for name, x in few.items()} | {"measured": len(values)}


def _peak(values: list[float]) -> float | str:
    return _digits(max(values)) if values else ""


def _aim(name: str, values: list[float]) -> dict[str, str]:
    if name not in AIMS:
        return {}
    aim, reached = AIMS[name]
    return {"aim": aim, "met": "yes" if reached(median(values)) else "no"}


def _digits(x: float) -> float:
    """Three significant digits."""
    return float(f"{x:.3g}")


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the tables to book/data")
    parser.add_argument("--rounds", type=int, default=3, help="how often all contenders run")
    parser.add_argument("--p", type=int, default=61, help="the modulus to compare at")
    parser.add_argument("--growth", type=int, nargs="*", default=[29, 61, 97, 113])
    parser.add_argument("--blocks", type=int, nargs="*", default=[256, 509])
    parser.add_argument("--orders", type=int, nargs="*", default=[61, 1009, 10007, 10**9 + 7])
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds to try for an undisturbed run"
    )
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--iterations", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(MEASURES[asked.measure](asked.p, asked.iterations, asked.keep)))
        return
    for measure in (  # what is measured first is kept if the rest is interrupted
        lambda: {"bench_settings": settings(asked.p, asked.rounds)},
        lambda: compare(asked.p, asked.rounds, asked.patience),
        lambda: growth(asked.growth, 3, asked.patience),
        lambda: trap(asked.p, asked.blocks, asked.orders, asked.patience),
    ):
        for name, table in measure().items():
            print("", table.to_string(index=False, na_rep=""), sep="\n", flush=True)
            if asked.write:
                table.to_csv(DATA / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
