"""Pythons and their packages, beside those of ``.venv``, in which the chapters can be executed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bounds import bounds
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from packaging.requirements import Requirement
from repository import ROOT

PROBE = Path(__file__).with_name("probe.py")
PINNED = ("-r", "requirements.txt")
MADE_WITH = "made-with.txt"  # in an environment: what it was made of
RENEW = ("--upgrade", "--upgrade-strategy=eager")  # as if it were made today
UNREACHED = re.compile(r"WARNING: Retrying \(|Could not fetch URL")  # for pip that is no error


class MissingError(Exception):
    """Something that this machine does not have, and in which nothing can be run without it."""


def packages(which: str) -> tuple[str, ...]:
    """The oldest or newest packages that pyproject.toml allows, and a kernel, for pip."""
    options = RENEW if which == "newest" else ()
    return (*options, *bounds(which, chapters=True), "ipykernel")


def interpreter(version: str) -> str:
    """The first Python of a version, such as "3.13", on the PATH, or the one that runs this.

    Raises:
        MissingError: There is none.
    """
    for folder in (*os.get_exec_path(), Path(sys.base_prefix) / "bin"):
        path = Path(folder) / f"python{version}"
        if path.is_file():
            asked = "import sys; print('{}.{}'.format(*sys.version_info))"
            run = subprocess.run(
                [path, "-c", asked], capture_output=True, encoding="utf-8", check=False
            )
            if run.stdout.strip() == version:
                return str(path)
    raise MissingError(f"there was no Python {version}")


def made(folder: Path, version: str, needs: Sequence[str]) -> Path:
    """The Python of a virtual environment, which is made unless it is there.

    One that pip is to upgrade is upgraded each time. Where it cannot be, as without a network, that
    is said, and what is there is used.

    Args:
        folder: where it lies, or will.
        version: of Python, such as "3.13".
        needs: what pip is to install there, and its options.

    Raises:
        MissingError: There is no such Python, or pip cannot install all of it.
    """
    python, mark = folder / "bin" / "python", folder / MADE_WITH
    text = "\n".join([version, *needs])
    for name in re.findall(r"^(\S+\.txt)$", text, re.MULTILINE):
        text += "\n" + (ROOT / name).read_text(encoding="utf-8")
        text += "\n" + (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet")
    if mark.exists() and mark.read_text(encoding="utf-8") == text:
        if "--upgrade" in needs:
            _upgrade(*pip, "--retries=1", *needs)
        return python
    start = interpreter(version)
    shutil.rmtree(folder, ignore_errors=True)
    _order("no environment could be made", start, "-m", "venv", "--without-pip", str(folder))
    _order("pip could not install all of it", *pip, *needs)
    mark.write_text(text, encoding="utf-8")
    return python


def _upgrade(*words: str) -> None:
    """Order an upgrade, and say so if it was none."""
    try:
        if not UNREACHED.search(_order("pip could not upgrade", *words)):
            return
        reason = "pip could not look everywhere for newer packages"
    except MissingError as error:
        reason = str(error)
    print(f"    {reason}: going on with those that are there", file=sys.stderr)


def _order(failure: str, *words: str) -> str:
    """Run a program and return what it wrote to stderr."""
    run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if run.returncode:
        lines = run.stderr.strip().splitlines() or ["no reason given"]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
        raise MissingError(f"{failure}: {(errors or lines)[-1]}")
    return run.stderr


@dataclass(frozen=True)
class Found:
    """What a Python and its libraries say of themselves.

    Attributes:
        python: its version.
        threads: how many torch uses.
        aten: the instructions for which torch picks its own routines.
        mkl: the same of the library that multiplies its matrices; empty if that is none of Intel's.
        rounding: a digest of some results; where it is another one, last digits are others.
        versions: package ↦ version, of those that the package and the chapters import.
    """

    python: str
    threads: int
    aten: str
    mkl: str
    rounding: str
    versions: dict[str, str]


def asked(python: Path, variables: Mapping[str, str]) -> Found:
    """What a Python says of itself in an environment of these variables alone.

    Raises:
        MissingError: It cannot import what the chapters do.
    """
    names = [Requirement(need).name for need in bounds("newest", chapters=True)]
    run = subprocess.run(
        [python, PROBE, *names],
        env=dict(variables) | {"MKL_VERBOSE": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode:
        raise MissingError(f"it cannot be used: {run.stderr.strip().splitlines()[-1]}")
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("{"))
    return Found(**json.loads(line), mkl=instructions(run.stdout))


def instructions(said: str) -> str:
    """The instructions that MKL says it uses, in what it writes with ``MKL_VERBOSE=1``."""
    which = re.search(r"^MKL_VERBOSE .* 64 architecture (.*?)(?: enabled)? processors", said, re.M)
    rule = re.search(r"^MKL_VERBOSE \w+\(.* CNR:(\S+)", said, re.M)
    if not (which and rule):
        return ""
    name = re.sub(r" \(Intel\(R\) .*\)$|\(R\)", "", which[1])
    return name if rule[1] == "OFF" else f"{name}, {rule[1]}"


def kernel(python: Path, folder: Path) -> AsyncKernelManager:
    """Jupyter's kernel of a Python.

    Args:
        python: the Python.
        folder: where to describe it for Jupyter.
    """
    here = folder / "kernels" / "matrix"
    here.mkdir(parents=True, exist_ok=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = json.dumps({"argv": argv, "display_name": "matrix", "language": "python"})
    (here / "kernel.json").write_text(text, encoding="utf-8")
    manager = KernelSpecManager(kernel_dirs=[str(here.parent)], ensure_native_kernel=False)
    return AsyncKernelManager(kernel_name="matrix", kernel_spec_manager=manager)
