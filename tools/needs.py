"""What the outputs of a chapter come from, by content: its code, the package, tables, versions.

Which modules and tables those are is read off the chapter's code:

- a module of ``rfm`` that it imports or from which it has what it names, or that one of these
  imports, wherever the import stands;
- a table of ``book/data`` that it names, as ``"data/trap.csv"``, or where its code puts such paths
  together as ``"trap"``; that it reads no other is known when it is executed. How long a row took,
  and with which versions it was made, does not count in code that does not say ``"seconds"``;
- any other file of the book that it names whole, as ``"site/slider/own.png"``;
- every package that is pinned, in the version that is installed; the pinned version stands for one
  that is not, so that all systems agree.

The setup cell, words, captions and tags that change no run do not count, and no file's time does.
"""

import ast
import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from importlib.util import resolve_name
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from pairing import is_setup
from repository import ROOT

PACKAGE = "rfm"
PINS = ("requirements.txt", "constraints.txt")
PIN = re.compile(r"^([\w.-]+)==([^\s;#]+)", re.MULTILINE)
TABLE = "data/{}.csv"
MADE = ["seconds", "version", "torch"]  # the last columns of a table, of how a row was made
PATH = re.compile(r"[\w.-]+(/[\w.-]+)+")
RUN_TAGS = {"raises-exception", "skip-execution"}  # what nbclient heeds


def cells(nb: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook but the first, which the tool writes."""
    return [cell for cell in nb.cells if cell.cell_type == "code" and not is_setup(cell)]


def trees(nb: NotebookNode) -> Iterator[ast.Module]:
    """Yield the syntax of a notebook's cells; nothing of one that is no Python and cannot run."""
    for cell in cells(nb):
        try:
            yield ast.parse(TransformerManager().transform_cell(cell.source))
        except SyntaxError:
            continue


# Modules


def imports(tree: ast.AST, package: str = "") -> Iterator[str]:
    """Yield the names that code imports, those of objects in a module among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def file_of(name: str) -> Path | None:
    """Return the file of a module of the package, None if the name is not that of one."""
    if name.split(".")[0] != PACKAGE:
        return None
    path = ROOT.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def _is_package(name: str) -> bool:
    file = file_of(name)
    return file is not None and file.name == "__init__.py"


def _taken(name: str) -> frozenset[str]:
    """Return what a module of the package imports, by full names."""
    file = file_of(name)
    package = name if _is_package(name) else name.rpartition(".")[0]
    return _imported(file.read_text(encoding="utf-8"), package) if file else frozenset()


@cache
def _imported(text: str, package: str) -> frozenset[str]:
    return frozenset(imports(_tree(text), package))


def modules(nb: NotebookNode) -> dict[str, str]:
    """Map the modules of the package that a notebook's code can come to, to their text.

    ``rfm.withhold`` comes to ``rfm.splits``, and to all that is imported there, and so on; not to
    what the package takes from other modules, which are loaded and do nothing. Code that has the
    package itself, as in ``getattr(rfm, name)``, comes to all of it.
    """
    found: dict[str, str] = {}
    asked = [*reached([*trees(nb)])]
    while asked:
        name = asked.pop()
        file = file_of(name)
        if file is None or name in found:
            continue
        found[name] = file.read_text(encoding="utf-8")
        asked += [name.rpartition(".")[0], *_reached_from(name, file, found[name])]
    return found


def _reached_from(name: str, file: Path, text: str) -> Iterator[str]:
    if file.name == "__init__.py":
        return _used([_tree(text)], name)
    return reached([_tree(text)], name.rpartition(".")[0])


def reached(code: Sequence[ast.AST], package: str = "") -> Iterator[str]:
    """Yield the modules of the package that code imports, or from which it has what it names."""
    for name in (name for tree in code for name in imports(tree, package)):
        if name.endswith(".*"):
            yield from _all_of(name.removesuffix(".*"))
        elif module := _defining(name):
            yield module
    yield from _used(code, package)


def _used(code: Sequence[ast.AST], package: str) -> Iterator[str]:
    """Yield the modules that define what code names, wherever it is imported."""
    for name in _named(code, package):
        if whole := _whole(name):
            yield from _all_of(whole)
        elif module := _defining(name):
            yield module


def _named(code: Sequence[ast.AST], package: str = "") -> Iterator[str]:
    """Yield the full name of what code names of the package, for each place at which it does."""
    nodes, bound = [node for tree in code for node in ast.walk(tree)], {}
    for node in nodes:
        if isinstance(node, ast.Import):
            bound |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            bound |= {a.asname or a.name: f"{module}.{a.name}" for a in node.names}
    within = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        parts = _dotted(node, bound).split(".") if id(node) not in within else [""]
        if parts[0] == PACKAGE:
            while len(parts) > 1 and not file_of(".".join(parts[:-1])):
                parts.pop()
            yield ".".join(parts)


def _whole(name: str) -> str:
    """Return what code has as a whole if it says ``rfm`` or ``rfm.__dict__``, empty if nothing."""
    inside, _, last = name.rpartition(".")
    if last.startswith("__"):
        return inside
    return name if _is_package(name) else ""


def _dotted(node: ast.AST, bound: Mapping[str, str]) -> str:
    """Return the full name that code gives, empty if it is none."""
    if isinstance(node, ast.Name):
        return bound.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (of := _dotted(node.value, bound)):
        return f"{of}.{node.attr}"
    return ""


def _all_of(package: str) -> Iterator[str]:
    """Yield a package and the modules of all that it takes from others."""
    yield package
    for name in _taken(package):
        if module := _defining(name):
            yield module


def shown(nb: NotebookNode) -> set[str]:
    """Return the modules of the package that define what a notebook's code names.

    ``rfm.withhold`` is of ``rfm.splits``, from which the package takes it.
    """
    return {*defining([*trees(nb)])}


def defining(code: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the module that defines it for each place at which code names what the package has."""
    for name in _named(code):
        if not _whole(name) and (module := _defining(name)):
            yield module


def _defining(name: str) -> str | None:
    """Return the module of the package that defines an object, None if none does."""
    module, _, last = name.rpartition(".")
    if file_of(name) or not file_of(module):
        return name if file_of(name) else None
    origin = next((full for full in sorted(_taken(module)) if full.endswith(f".{last}")), None)
    return _defining(origin) if origin else module


# Tables and other files


def texts(nb: NotebookNode) -> set[str]:
    """Return the strings that stand in a notebook's code."""
    nodes = (node for tree in trees(nb) for node in ast.walk(tree))
    values = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {value for value in values if isinstance(value, str)}


def files(nb: NotebookNode, folder: Path) -> dict[str, Path]:
    """Map the files below a folder that a notebook's code names whole to their places."""
    named = (text for text in texts(nb) if PATH.fullmatch(text) and ".." not in text.split("/"))
    return {text: folder / text for text in sorted(named) if (folder / text).is_file()}


def tables(nb: NotebookNode, data: Path) -> dict[str, Path]:
    """Map the names of the tables in a folder that a notebook's code names to their files."""
    said = texts(nb)
    found = {path.stem: path for path in sorted(data.glob("*.csv"))}
    whole = {TABLE.format(name) for name in found}
    parts = any(text.startswith("data/") and text not in whole for text in said)
    return {
        name: path
        for name, path in found.items()
        if TABLE.format(name) in said or (parts and name in said)
    }


def contents(nb: NotebookNode, folder: Path) -> dict[str, str]:
    """Map the tables and other files below a folder that a notebook reads to what counts of them.

    That is their text, or a name of it; of tables, see above.
    """
    named = {TABLE.format(name): path for name, path in tables(nb, folder / "data").items()}
    others = {name: path for name, path in files(nb, folder).items() if name not in named}
    whole = MADE[0] in texts(nb)
    return {name: _results(path, whole) for name, path in named.items()} | {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in others.items()
    }


def _results(table: Path, whole: bool) -> str:
    """Return the text of a table, or what it says without the columns of how a row was made."""
    text = table.read_text(encoding="utf-8")
    lines = list(csv.reader(io.StringIO(text)))
    if whole or not lines or lines[0][-len(MADE) :] != MADE:
        return text
    return json.dumps([line[: -len(MADE)] for line in lines])


# Versions


def pins() -> dict[str, str]:
    """Map the packages that are pinned to their versions."""
    texts = ((ROOT / name).read_text(encoding="utf-8") for name in PINS)
    return {name.lower(): version for text in texts for name, version in PIN.findall(text)}


@cache
def _installed(name: str) -> str | None:
    try:
        return metadata.version(name).partition("+")[0]  # 2.13.0+cpu is 2.13.0
    except metadata.PackageNotFoundError:
        return None


def versions(pinned: Mapping[str, str]) -> dict[str, str]:
    """Map the packages that are pinned to the installed version, where there is one."""
    return {name: _installed(name) or version for name, version in sorted(pinned.items())}


# All of it


def inputs(nb: NotebookNode, folder: Path) -> str:
    """Return a name of all that decides what a notebook shows when it is executed in a folder.

    Args:
        nb: the notebook; its outputs do not count.
        folder: where its kernel runs, with the tables in ``data``.
    """
    code = [
        [cell.source, sorted(RUN_TAGS & {*cell.metadata.get("tags", ())})] for cell in cells(nb)
    ]
    return _name([code, modules(nb), contents(nb, folder), versions(pins())])


def computed_from(nb: NotebookNode, inputs: str) -> str:
    """Return a name of the outputs that a notebook holds, together with what they come from.

    With the outputs in it, it names neither those of another machine nor a mixture of two that
    were merged.
    """
    return _name([inputs, *(cell.outputs for cell in cells(nb))])


def _name(what: Iterable[object]) -> str:
    return hashlib.sha256(json.dumps(list(what), sort_keys=True).encode()).hexdigest()[:16]
