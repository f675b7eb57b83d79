"""Which package this is: its distribution is called breaking-symmetry, its module rfm."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

DISTRIBUTION = "breaking-symmetry"


def _version() -> str:
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return "not installed"


def refuse_a_mixture() -> None:
    """Refuse to work if another distribution has put its files into this folder.

    There is another package of the name ``rfm`` on PyPI. Installed beside this one, each overwrites
    files of the other.

    Raises:
        ImportError: saying how to get out of it.
    """
    try:
        other = metadata.distribution("rfm")
    except metadata.PackageNotFoundError:
        return
    if Path(str(other.locate_file("rfm/__init__.py"))) == Path(__file__).with_name("__init__.py"):
        raise ImportError(
            f"the distribution rfm {other.version} has written into {Path(__file__).parent}, the "
            f"folder of {DISTRIBUTION}: uninstall both, and install {DISTRIBUTION} alone"
        )


VERSION = _version()
