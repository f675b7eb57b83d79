"""Compare two sets of executed notebooks: two machines, two versions, before and after.

    python tools/compare.py A B [--page FOLDER]

A and B are folders of notebooks or two notebooks. What moved is listed with how far: of a text the
largest relative change of a number, of a picture the share of its pixels. A page in FOLDER shows
it. Nothing is executed. The exit status is 1 if anything moved that the strict check of notebooks
would not let pass, 0 if nothing did, 2 if the two cannot be compared.
"""

import argparse
import sys
import warnings
from pathlib import Path

import nbformat
from moved import Moved, moved
from moved_page import remove_page, write_page
from nbformat import NotebookNode
from repository import ROOT

PAGE = ROOT / "_build" / "compared"


def pairs(old: Path, new: Path) -> dict[str, tuple[Path | None, Path | None]]:
    """Return the notebooks to compare, by name; None where one of the two is missing.

    Raises:
        ValueError: They are no two folders with notebooks and no two notebooks.
    """
    for path in (old, new):
        if not path.exists():
            raise ValueError(f"{path} does not exist")
    if old.is_file() and new.is_file():
        return {new.stem if old.stem == new.stem else f"{old.stem}, {new.stem}": (old, new)}
    if old.is_file() or new.is_file():
        raise ValueError("compare two folders or two notebooks, not one with the other")
    found = [
        {path.stem: path for path in sorted(folder.glob("[!.]*.ipynb"))} for folder in (old, new)
    ]
    for folder, notebooks in zip((old, new), found, strict=True):
        if not notebooks:
            raise ValueError(f"{folder} holds no notebook")
    names = sorted({*found[0], *found[1]})
    return {name: (found[0].get(name), found[1].get(name)) for name in names}


def compared(name: str, old: Path | None, new: Path | None) -> Moved:
    """Return what moved between two notebooks, one of which may be missing.

    Raises:
        ValueError: One of them cannot be read.
    """
    if old is None or new is None:
        return Moved(name, remarks=[f"only in {(old or new).parent}"])
    return moved(name, _read(old), _read(new))


def _read(path: Path) -> NotebookNode:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # older notebooks have cells without a name
            return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises what it likes on bad input
        raise ValueError(f"{path} is no notebook: {error}") from error


def listed(found: Moved) -> str:
    """Return what moved in a notebook as lines of text."""
    lines = [f"{found.name:32s} {'moved' if not found.allowed else 'within the rule'}"]
    lines += [f"    {remark}" for remark in found.remarks]
    for cell in found.cells:
        said = [cell.failure] if cell.failure else []
        said += [each.message + ", within the rule" * each.allowed for each in cell.differences]
        lines += [f"    cell {cell.number}: {words}" for words in said]
    return "\n".join(lines)


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path, metavar="A", help="a folder of notebooks or a notebook")
    parser.add_argument("new", type=Path, metavar="B", help="the other one")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FOLDER", help="where to")
    arguments = parser.parse_args()
    try:
        both = pairs(arguments.old, arguments.new)
        found = [compared(name, *paths) for name, paths in both.items()]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for each in filter(None, found):
        print(listed(each))
    beyond = [each for each in found if not each.allowed]
    print(f"{len(beyond)} of {len(found)} notebooks moved beyond the strict rule")
    if alone := sum(None in two for two in both.values()):
        print(f"{alone} of these are in one of the two folders only")
    remove_page(arguments.page)  # of an earlier comparison
    if any(found):
        names = str(arguments.old), str(arguments.new)
        title = f"{len(beyond)} of {len(found)} notebooks moved"
        print(f"See {write_page(arguments.page, title, found, names).resolve().as_uri()}")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
