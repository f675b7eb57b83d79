"""Check and measure the machine on a GPU: ``make gpu``, or by hand for another device.

The tests of ``tests/test_device.py`` on the device; runs of the chapters there and on the CPU, side
by side; an iteration beside a bare Cholesky factorisation of the same size on the same device, with
peak memory; how often the host waits for the device; and what single precision would save. One
table is printed for each, and with ``--write`` goes to ``book/data/gpu_*.csv``.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pandas as pd
import sympy
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

import rfm
import rfm.resources
from rfm.machine import scratch

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "book" / "data"
KERNEL = rfm.Gaussian()
LEAST = 5  # the smallest modulus with a trap
AIM = 2.0  # an iteration, in bare factorisations, from p = 97 on
WARM_UP = 2
EARLY = 3  # iterations after which metrics are compared
ITERATIONS = 30  # of a run that is compared
CLOSE = 1e-8  # of their largest entry that metrics may be apart
REFINED = 1e-12  # largest residual of a refined solution
STEPS = 12  # of refinement, at most
PASSED = re.compile(r"\d+ passed(, \d+ (skipped|warnings?))* in [^;]*")  # what a good end is called
WAITS = ("cudaStreamSynchronize", "cudaMemcpyAsync", "cudaDeviceSynchronize")


def all_but_axis(p: int) -> rfm.Split:
    """All samples of x + y mod p in training but the fixed points of s."""
    task = rfm.addition(p)
    return rfm.withhold(task, task.reflections[0].fixed_points())


def chapters(p: int, q: int) -> dict[str, tuple[rfm.Split, rfm.Kernel, int]]:
    """Runs as in chapters 05, 06, 07 and 09, modulo p, or q where the chapter has a small group."""
    trap, small = all_but_axis(p), all_but_axis(q)
    both = {"Gaussian": KERNEL, "quadratic": rfm.Quadratic()}
    runs: dict[str, tuple[rfm.Split, rfm.Kernel, int]] = {}
    for name, kernel in both.items():
        random = rfm.random_split(rfm.addition(p), 0.5, seed=0)
        runs |= {
            f"05, random half, {name}": (random, kernel, ITERATIONS),
            f"06, trap, {name}": (small, kernel, ITERATIONS),
            f"07, one point moved, {name}": (trap.move_random(1, seed=0), kernel, ITERATIONS),
            f"09, division, {name}": (
                rfm.random_split(rfm.division(q), 0.6, seed=0),
                kernel,
                ITERATIONS,
            ),
        }
    return runs


def tests(device: str) -> pd.DataFrame:
    """The tests of the machine on the device; they need torch, pandas and pytest, and no site.

    How they ended is in pytest's words, with its exit status if that is not 0.
    """
    order = [sys.executable, "-m", "pytest", "-q", "--noconftest", "--color=no"]
    found = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"RFM_DEVICE": device, "PYTHONPATH": found, "OMP_NUM_THREADS": "1"}
    own |= {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        [*order, "tests/test_device.py"],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    print(run.stdout[-6000:])
    said = (run.stdout.strip() or run.stderr.strip() or "nothing").splitlines()[-1][-200:]
    if run.returncode:
        said = f"{said}; exit status {run.returncode}"
    return pd.DataFrame([{"tests": "tests/test_device.py", "on": device, "result": said}])


def holds(table: pd.DataFrame) -> bool:
    """Whether all is well, of a table that says so in a column."""
    if "agrees" in table:
        return bool((table["agrees"] == "yes").all())
    if "result" in table:
        return bool(table["result"].str.fullmatch(PASSED).all())
    return True


def agreement(device: str, p: int, q: int) -> pd.DataFrame:
    """Runs on the device and on the CPU: metrics early, predictions and counts in the end."""
    rows = []
    for name, (split, kernel, iterations) in chapters(p, q).items():
        here, there = (
            rfm.fit(split, kernel, iterations, device=d, keep_features=True, warn=False)
            for d in ("cpu", device)
        )
        apart = max(
            float((mine - theirs).abs().max() / theirs.abs().max())
            for mine, theirs in zip(
                there.history[1 : EARLY + 1], here.history[1 : EARLY + 1], strict=True
            )
        )
        predicted = there.predictions["correct"] == here.predictions["correct"]
        rows.append(
            {
                "chapter, run": name,
                "task": str(split.task),
                "training samples": len(split.train),
                f"M apart, first {EARLY}": f"{apart:.0e}",
                "right on the CPU": int(here.predictions["correct"].sum()),
                "right there": int(there.predictions["correct"].sum()),
                "judged differently": int((~predicted).sum()),
                "of": len(predicted),
                "agrees": "yes" if apart < CLOSE and bool(predicted.all()) else "no",
            }
        )
    return pd.DataFrame(rows)


def speed(device: str, sizes: list[int], rounds: int) -> pd.DataFrame:
    """Iterations, each followed by a bare factorisation of a kernel matrix of the same size."""
    rows = []
    for p in sizes:
        split, bare = all_but_axis(p), []
        given: list[Tensor] = []

        def between(
            row: dict[str, float],
            split: rfm.Split = split,
            bare: list[float] = bare,
            given: list[Tensor] = given,
        ) -> bool:
            """A stopping rule that never stops: it is called after each iteration."""
            if not given:
                train = split.train.to(device)
                M = torch.eye(split.task.dimension, dtype=torch.float64, device=device)
                K = KERNEL.gram(train, train, M)
                K.diagonal().add_(1e-3)
                info = torch.empty((), dtype=torch.int32, device=device)
                given.extend([K, torch.empty_like(K).mT, info])
            K, L, info = given
            bare.append(timed(device, lambda: torch.linalg.cholesky_ex(K, out=(L, info))))
            return False

        peak = _peak(device, split)
        run = rfm.fit(split, KERNEL, WARM_UP + rounds, device=device, stop=between)
        seconds, alone = median(run.seconds[WARM_UP:]), median(bare[WARM_UP:])
        ratio = seconds / alone
        rows.append(
            {
                "p": p,
                "training samples": len(split.train),
                "an iteration, s": _digits(seconds),
                "bare Cholesky, s": _digits(alone),
                "ratio": _digits(ratio),
                "aim": f"at most {AIM:g}" if p >= 97 else "",
                "met": "" if p < 97 else "yes" if ratio <= AIM else "no",
                "peak, GB": peak,
                "estimate, GB": _digits(rfm.memory_estimate(split, device=device) / 1e9),
            }
        )
        given.clear()
        print(pd.DataFrame(rows[-1:]).to_string(index=False), flush=True)
    return pd.DataFrame(rows)


def _peak(device: str, split: rfm.Split) -> float | str:
    """Peak memory of one iteration on a GPU, in 10⁹ bytes; nothing where it is not a GPU."""
    if torch.device(device).type != "cuda":
        return ""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    rfm.fit(split, KERNEL, 1, device=device)
    return _digits(torch.cuda.max_memory_allocated(device) / 1e9)


def stages(device: str, sizes: list[int], rounds: int) -> pd.DataFrame:
    """Where the time of an iteration goes."""
    rows = []
    for p in sizes:
        took: dict[str, list[float]] = {}
        for name, seconds in _staged(device, all_but_axis(p), 1 + rounds):
            took.setdefault(f"{name}, s", []).append(seconds)
        rows.append({"p": p, **{name: _digits(median(all_[1:])) for name, all_ in took.items()}})
    return pd.DataFrame(rows)


def _staged(device: str, split: rfm.Split, rounds: int) -> Iterator[tuple[str, float]]:
    """The parts of an iteration one by one, each with the seconds that it took."""
    M = rfm.fit(split, KERNEL, 2, device=device).features.to(device)
    train, test = split.train.to(device), split.test.to(device)
    Y = split.task.one_hot_labels(split.train).to(device)
    K, L = scratch(len(train), M)
    machine = rfm.KernelMachine.fit(train, Y, KERNEL, M, scratch=(K, L))
    agop = machine.agop()
    parts: dict[str, Callable[[], object]] = {
        "kernel matrix": lambda: KERNEL.values(train, train, M, out=K),
        "factor": lambda: rfm.factorise(K, out=L),
        "coefficients": lambda: machine.factor.solve(Y),
        "scores": lambda: machine.predict(test),
        "AGOP": machine.agop,
        "its root": lambda: rfm.matrix_power(agop, 0.5),
    }
    for _ in range(rounds):
        for name, part in parts.items():
            yield name, timed(device, part)


def timed(device: str, function: Callable[[], object]) -> float:
    """Seconds that a call took, the device's work included."""
    _wait(device)
    start = time.perf_counter()
    function()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def waits(device: str, p: int) -> pd.DataFrame:
    """How often the host waits for the device in one iteration, by the profiler."""
    split = all_but_axis(p)
    rfm.fit(split, KERNEL, 1, device=device)
    counts = []
    for iterations in (1, 2):
        kinds = [ProfilerActivity.CPU]
        if torch.device(device).type == "cuda":
            kinds.append(ProfilerActivity.CUDA)
        with profile(activities=kinds) as seen:
            rfm.fit(split, KERNEL, iterations, device=device)
        events = {event.key: event.count for event in seen.key_averages()}
        counts.append(events)
    names = (*WAITS, "aten::_local_scalar_dense", "aten::nonzero")
    return pd.DataFrame(
        [
            {
                "p": p,
                "event": name,
                "in one iteration": counts[1].get(name, 0) - counts[0].get(name, 0),
            }
            for name in names
        ]
    )


def mixed(device: str, sizes: list[int], rounds: int) -> pd.DataFrame:
    """A float32 factor with refinement in float64, beside a float64 factor, on one system.

    On the CPU as well, at the first two sizes.
    """
    there = [(device, p) for p in sizes]
    if device != "cpu":
        there += [("cpu", p) for p in sizes[:2]]
    rows = []
    for where, p in there:
        split = all_but_axis(p)
        run = rfm.fit(split, KERNEL, 5, device=where, keep_features=True)
        train, M = split.train.to(where), run.history[-2].to(where)
        Y = split.task.one_hot_labels(split.train).to(where)
        K = KERNEL.gram(train, train, M)
        took: dict[str, list[float]] = {"double": [], "mixed": []}
        for _ in range(1 + rounds):
            took["double"].append(timed(where, lambda K=K, Y=Y: solved(K, Y)))
            took["mixed"].append(timed(where, lambda K=K, Y=Y: refined(K, Y)))
        _, residual, steps = refined(K, Y)
        double, single = (median(took[name][1:]) for name in ("double", "mixed"))
        rows.append(
            {
                "on": where,
                "p": p,
                "float64, s": _digits(double),
                "float32 and refinement, s": _digits(single),
                "ratio": _digits(double / single),
                "steps": steps,
                "residual": f"{residual:.0e}",
                "reached": "yes" if residual <= REFINED else "no",
                "condition at least": f"{run.table['condition'].iloc[-1]:.0e}",
            }
        )
    return pd.DataFrame(rows)


def solved(K: Tensor, Y: Tensor) -> Tensor:
    """K⁻¹ Y by a factor in double precision."""
    return torch.cholesky_solve(Y, torch.linalg.cholesky(K))


def refined(K: Tensor, Y: Tensor) -> tuple[Tensor, float, int]:
    """K⁻¹ Y by a factor in single precision and corrections in double, the residual, the steps.

    The residual, the largest entry of Y − Kα, is what says whether it may be believed.
    """
    L = torch.linalg.cholesky(K.float())
    α, residual, steps = torch.zeros_like(Y), 1.0, 0
    while residual > REFINED and steps < STEPS:
        α = α + torch.cholesky_solve((Y - K @ α).float(), L).to(Y.dtype)
        residual, steps = float((Y - K @ α).abs().max()), steps + 1
    return α, residual, steps


def settings(device: str, rounds: int) -> pd.DataFrame:
    """What the figures depend on."""
    there = torch.device(device)
    name = torch.cuda.get_device_name(there) if there.type == "cuda" else platform.machine()
    rows = {
        "device": f"{device}: {name}",
        "CUDA": torch.version.cuda or "none",
        "torch": torch.__version__,
        "Python": platform.python_version(),
        "rfm": rfm.__version__,
        "kernel": repr(KERNEL),
        "precision": "float64",
        "iterations of a run that is compared": ITERATIONS,
        "metrics may be apart by": f"{CLOSE:.0e}",
        "iterations that are timed": rounds,
        "steps of refinement, at most": STEPS,
        "residual to be reached": f"{REFINED:.0e}",
    }
    return pd.DataFrame([{"setting": key, "value": value} for key, value in rows.items()])


def _digits(x: float) -> float:
    """Three significant digits."""
    return float(f"{x:.3g}")


def main() -> int:
    """Parse the command line, check and measure; 1 if a test fails or something disagrees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu as a stand-in")
    parser.add_argument("--sizes", type=int, nargs="+", default=[61, 97, 113, 173])
    parser.add_argument("--p", type=int, default=61, help="modulus of the runs compared")
    parser.add_argument("--q", type=int, default=29, help="modulus of the smaller ones")
    parser.add_argument("--rounds", type=int, default=5, help="iterations that are timed")
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out")
    parser.add_argument("--write", action="store_true", help="write the tables to book/data")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds must be at least 1, not {asked.rounds}")
    for size in (*asked.sizes, asked.p, asked.q):
        if size < LEAST or not sympy.isprime(size):
            parser.error(f"sizes and moduli must be primes from {LEAST} on, not {size}")
    try:
        rfm.resources.resolve_device(asked.device, torch.float64)
    except ValueError as error:
        print(f"{error}; --device cpu runs the same checks on the CPU", file=sys.stderr)
        return 2
    device, agrees = asked.device, True
    parts: dict[str, Callable[[], pd.DataFrame]] = {
        "gpu_settings": lambda: settings(device, asked.rounds),
        "gpu_tests": lambda: tests(device),
        "gpu_agreement": lambda: agreement(device, asked.p, asked.q),
        "gpu": lambda: speed(device, asked.sizes, asked.rounds),
        "gpu_stages": lambda: stages(device, asked.sizes, asked.rounds),
        "gpu_waits": lambda: waits(device, asked.p),
        "gpu_mixed": lambda: mixed(device, asked.sizes, asked.rounds),
    }
    if asked.no_tests:
        del parts["gpu_tests"]
    for name, part in parts.items():  # what is measured first is kept if the rest is interrupted
        table = part()
        print("", name, table.to_string(index=False, na_rep=""), sep="\n", flush=True)
        agrees &= holds(table)
        if asked.write:
            table.to_csv(DATA / f"{name}.csv", index=False)
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
