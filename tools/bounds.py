"""Print what the package needs in its oldest or newest supported versions, one requirement a line.

python tools/bounds.py oldest|newest
"""

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any

LANGUAGE = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def project() -> dict[str, Any]:
    """Return what pyproject.toml says of the package."""
    file = Path(__file__).resolve().parent.parent / "pyproject.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))["project"]


def bounds(which: str, chapters: bool = False) -> list[str]:
    """Return the requirements of pyproject.toml, at their lower bounds or as they are.

    Args:
        which: `oldest` or `newest`.
        chapters: whether what only the chapters import comes too.
    """
    found = project()
    needs = found["dependencies"] + (found["optional-dependencies"]["book"] if chapters else [])
    return {"oldest": [need.replace(">=", "==") for need in needs], "newest": needs}[which]


def pythons() -> list[str]:
    """Return the versions of Python that pyproject.toml names, such as "3.11", in its order."""
    found = map(LANGUAGE.fullmatch, project()["classifiers"])
    return [match[1] for match in found if match]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("which", choices=("oldest", "newest"))
    print("\n".join(bounds(parser.parse_args().which)))
