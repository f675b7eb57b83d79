"""Which package is imported, where another distribution has the module's name."""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import processes
import pytest

import rfm
from rfm.version import DISTRIBUTION


def imported(*folders: Path) -> subprocess.CompletedProcess[str]:
    """A new process that imports rfm from these folders, before all else."""
    return processes.python("import rfm; print(rfm.__file__, rfm.__version__)", *folders)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with this one in it."""
    source = Path(rfm.__file__).parent
    shutil.copytree(source, tmp_path / "rfm", ignore=shutil.ignore_patterns("__pycache__"))
    install(tmp_path, DISTRIBUTION, "0.9")
    return tmp_path


def install(site: Path, name: str, version: str) -> None:
    """What an installer leaves beside a package's files."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    (info / "RECORD").write_text("rfm/__init__.py,,\n", encoding="utf-8")


def test_the_version_is_that_of_the_distribution(site: Path) -> None:
    assert rfm.__version__ == metadata.version(DISTRIBUTION)
    assert imported(site).stdout == f"{site / 'rfm' / '__init__.py'} 0.9\n"


def test_a_folder_that_two_distributions_wrote_is_refused(site: Path) -> None:
    install(site, "rfm", "2.0")
    found = imported(site)
    assert found.returncode != 0
    assert "ImportError: the distribution rfm 2.0 has written into" in found.stderr
    assert "install breaking-symmetry alone" in found.stderr


def test_the_other_distribution_elsewhere_does_no_harm(site: Path, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    install(other, "rfm", "2.0")
    found = imported(site, other)
    assert found.stdout == f"{site / 'rfm' / '__init__.py'} 0.9\n", found.stderr
