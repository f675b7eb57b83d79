"""Print what the package needs in its oldest or newest supported versions, one requirement a line.

python .ci/bounds.py oldest|newest
"""

import sys
import tomllib
from pathlib import Path


def bounds(which: str) -> list[str]:
    """Return the requirements of pyproject.toml, at their lower bounds or as they are."""
    file = Path(__file__).resolve().parent.parent / "pyproject.toml"
    needs = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["dependencies"]
    return {"oldest": [need.replace(">=", "==") for need in needs], "newest": needs}[which]


if __name__ == "__main__":
    print("\n".join(bounds(*sys.argv[1:])))
