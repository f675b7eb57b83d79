"""Make the book's notebooks from their text, and check that they agree.

    python tools/notebooks.py [--check | --tidy | --take] [--force] [NAME ...]

The MyST text ``book/src/NN-name.md`` becomes a notebook, is executed in ``book/`` and is written as
``book/NN-name.ipynb``. A NAME picks the chapters that start with it.
A notebook whose stored outputs come from the same code, package, tables and versions, by content,
is not executed again (see ``needs.py``): of its text only the words reach it.
A notebook that fails keeps its old file, and the others still run; so it is with a text or a
stored notebook that cannot be read, and with a notebook that was edited where its text was not.

The text itself is first written as Jupyter would write it, with the setup cell in front: a chapter
that is saved in Jupyter changes in nothing but what was edited. ``--tidy`` does only this, and
brings words and captions into the stored notebook without executing it, if no code has changed.
``--take`` goes the other way: the edits of a notebook become those of its text.
"""

import argparse
import difflib
import json
import math
import os
import re
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from displays import Client
from limits import CELL_TIMEOUT, time_scale
from listening import listening
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError
from nbformat.v4 import new_code_cell, new_notebook
from nbformat.validator import iter_validate
from needs import computed_from, files, inputs, tables
from outputs import joined
from pairing import (
    COMPUTED_FROM,
    CONFIG,
    FORMAT,
    MADE_OF,
    METADATA,
    SETUP_TAG,
    as_made,
    contents,
    difference_of,
    digest,
    identifiers,
    is_empty,
    is_setup,
    only_in_notebook,
    with_outputs,
    written,
)
from repository import ROOT, address
from texts import CELL_OPTIONS, KERNEL, NotebookError, check_text, entry
from traces import traces

BOOK = ROOT / "book"
SOURCES = BOOK / "src"
UNCHANGED, WORDS, EXECUTED = "unchanged", "words", "executed"  # what was done
DISTRIBUTION = "breaking-symmetry"  # what pip calls the package; `rfm` is another one there
COLAB = "/content/book"  # where the repository goes there

GLUE_PREFIX = "application/papermill.record/"
GLUED_FIGURE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{glue:figure\}[ \t]*(?P<key>\S+)[ \t]*\n(?P<body>.*?)^(?P=fence)",
    re.MULTILINE | re.DOTALL,
)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Make a NotebookError that names `path` of whatever goes wrong with it."""
    try:
        yield
    except Exception as error:  # jupytext, YAML and JSON raise what they like on bad input
        raise NotebookError(f"{_shown(path)}: {_reason(error)}") from error


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _reason(error: Exception) -> str:
    match error:
        case NotebookError() | CellExecutionError() | CellTimeoutError():
            return str(error)
        case UnicodeDecodeError():
            line = error.object[: error.start].count(b"\n") + 1
            return f"line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8"
        case json.JSONDecodeError():
            return f"line {error.lineno}: not JSON: {error.msg}"
        case ValidationError():
            return f"not a notebook as it should be: {error.message}"
        case OSError(strerror=str()):
            return error.strerror
    return f"{type(error).__name__}: {error}"


# Text -> notebook


def sources(names: list[str] | None = None) -> list[Path]:
    """Return the texts of the chapters that `names` name, by default all: see `named`."""
    texts = sorted(SOURCES.glob("[!.]*.md"))  # editors keep hidden files beside
    for text in texts:
        if " " in text.name:
            raise SystemExit(f"{_shown(text)}: the name has a space; give the chapter another")
        if (BOOK / text.name).exists():
            raise SystemExit(f"{_shown(text)}: the name is that of a page of the book")
    return _chosen(texts, names or [""], f"chapter in {_shown(SOURCES)}")


def named(name: str, stems: Sequence[str]) -> list[str]:
    """Return the chapter of this name, or all that start with it where there is none."""
    return [name] if name in stems else [stem for stem in stems if stem.startswith(name)]


def _chosen(paths: Sequence[Path], names: Sequence[str], what: str) -> list[Path]:
    stems = [path.stem for path in paths]
    for name in names:
        if name and not named(name, stems):
            raise SystemExit(f"no {what} starts with {name!r}")
    chosen = {stem for name in names for stem in named(name, stems)}
    return [path for path in paths if path.stem in chosen]


def notebook_path(source: Path) -> Path:
    """Return where the notebook of this text lies."""
    return source.parent.parent / f"{source.stem}.ipynb"


def setup_cell() -> NotebookNode:
    """Return the first cell of every notebook.

    On Colab it brings the package and the tables, once; everywhere it refuses another package's
    `rfm`.
    """
    code = (
        "# On Google Colab, install and fetch what this notebook needs. Elsewhere only look.\n"
        "import sys\n"
        "from importlib.util import find_spec\n"
        "from pathlib import Path\n\n"
        'if "google.colab" in sys.modules:\n'
        f'    address = "{address()}"\n'
        f'    folder = "{COLAB}"\n'
        '    if not find_spec("rfm"):\n'
        f'        %pip install --quiet "{DISTRIBUTION}[book] @ git+{{address}}"\n'
        "    if not Path(folder).exists():\n"
        "        !git clone --quiet --depth 1 {address} {folder}\n"
        "    %cd -q {folder}/book\n\n"
        "import rfm\n\n"
        'if not hasattr(rfm, "withhold"):\n'
        "    found = rfm.__spec__.origin or [*rfm.__path__]\n"
        f'    raise ImportError(f"{{found}} is another rfm: this book needs {DISTRIBUTION}")'
    )
    return new_code_cell(code, metadata={"tags": ["remove-cell", SETUP_TAG]})


def parse(source: Path) -> NotebookNode:
    """Return the notebook that a text describes, not executed.

    Identifiers of cells come from their content, so that editing one cell renames no other.

    Raises:
        NotebookError: The text cannot be read as MyST with the book's kernel.
    """
    with naming(source):
        nb = new_notebook(cells=_cells(_read(source)), metadata=METADATA)
        for cell, name in zip(nb.cells, [*identifiers(nb.cells)], strict=True):
            cell["id"] = name
        nb = _from_json(nbformat.v4.writes(nb))  # as it will be once stored
        nb.metadata[MADE_OF] = digest(nb)
        return nb


def _read(source: Path) -> str:
    return source.read_text(encoding="utf-8-sig")


def _cells(text: str) -> list[NotebookNode]:
    check_text(text)
    cells = jupytext.reads(text, fmt=FORMAT, config=CONFIG).cells
    for cell in cells:
        if lost := set(cell.metadata) - CELL_OPTIONS:
            raise NotebookError(f"unknown options of a cell: {sorted(lost)}:\n{cell.source}")
    return _with_setup(cells)


def _with_setup(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [setup_cell(), *(c for c in cells if not is_setup(c) and not is_empty(c))]


def _from_json(text: str) -> NotebookNode:
    """Return the notebook that `text` holds, if it is one in the format that the tool writes."""
    raw = json.loads(text)
    version = {"version": nbformat.v4.nbformat, "version_minor": nbformat.v4.nbformat_minor}
    for error in iter_validate(raw or {}, **version):
        raise error
    return nbformat.v4.to_notebook(raw)


# Notebook -> executed notebook


def execute(
    nb: NotebookNode, folder: Path, env: Mapping[str, str] | None = None, **options: Any
) -> None:
    """Execute `nb` in place, in a fresh kernel with `folder` as its working directory.

    Args:
        nb: the notebook.
        folder: where its cells look for files.
        env: the environment variables of the kernel, by default those of this process.
        options: further ones of `NotebookClient`, such as `km`, another Python's kernel.

    Raises:
        NotebookError: A cell failed, or the kernel did, whatever the reason; or a cell read a file
            of `folder` that is no table which the code names.
    """
    with listening() as heard:
        _execute(nb, folder, env, extra_arguments=heard.arguments, **options)
        named = {Path("data", path.name) for path in tables(nb, folder / "data").values()}
        named |= {Path(name) for name in files(nb, folder)}
        if others := [path.as_posix() for path in heard.files(folder) if path not in named]:
            raise NotebookError(
                f"reads {', '.join(others)}, and would not be executed again if that changed: a "
                f"chapter may read tables in data/, and files whose paths stand in its code whole"
            )


def _execute(
    nb: NotebookNode,
    folder: Path,
    env: Mapping[str, str] | None,
    extra_arguments: list[str],
    **options: Any,
) -> None:
    made_of = {MADE_OF: nb.metadata[MADE_OF]} if MADE_OF in nb.metadata else {}
    try:
        scale = time_scale()
    except ValueError as error:
        raise NotebookError(str(error)) from error
    client = Client(
        nb,
        timeout=math.ceil(scale * CELL_TIMEOUT),
        startup_timeout=math.ceil(scale * 180),
        kernel_name=KERNEL,
        extra_arguments=["--log-level=ERROR", *extra_arguments],
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        **options,
    )
    try:
        client.execute(env=dict(os.environ if env is None else env), cleanup_kc=True)
    except Exception as error:
        if hasattr(client, "_async_cleanup_kernel_future"):  # nbclient keeps Ctrl-C to itself
            raise KeyboardInterrupt from error
        where = f"code cell {client.code_cells_executed}: "  # a cell's own error shows its source
        raise NotebookError(isinstance(error, DeadKernelError) * where + _reason(error)) from error
    if client.refused:
        raise NotebookError("\n".join(client.refused))
    nb.metadata = nbformat.from_dict(METADATA | made_of)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # asked for by a tag; the frames name local paths
                output.traceback = [f"{output.ename}: {output.evalue}"]


def make(source: Path, force: bool = False) -> str:
    """Tidy a text, and make and write its notebook; return what was done, in words.

    It is executed if anything has changed that its outputs come from, or if `force` is set.

    Raises:
        NotebookError: It cannot be made; or the stored notebook has an edit that the text lacks,
            and `force` is not set.
    """
    nb, path = parse(source), notebook_path(source)
    if not force:
        _refuse_to_lose(source, nb)
    tidy_text(source)
    with naming(path):
        origin = inputs(nb, path.parent)  # before it runs, whatever is changed meanwhile
        have = _stored(path)
        if not force and have and (filled := _current(nb, have, origin)):
            return WORDS if _write(path, filled) else UNCHANGED
        execute(nb, path.parent)
        if problems := list(output_problems(nb)):
            raise NotebookError("\n".join(problems))
        nb = _from_json(nbformat.v4.writes(nb))
        nb.metadata[COMPUTED_FROM] = computed_from(nb, origin)
        _write(path, nb)
    return EXECUTED


def _current(want: NotebookNode, have: NotebookNode, origin: str) -> NotebookNode | None:
    """Return `want` with the outputs of `have` if these come from what it comes from."""
    filled = with_outputs(want, have)
    if not filled or filled.metadata.get(COMPUTED_FROM) != computed_from(filled, origin):
        return None
    return None if any(output_problems(filled)) else filled


def _write(path: Path, nb: NotebookNode) -> bool:
    """Write a notebook where its file does not hold it; return whether that was so."""
    text = nbformat.v4.writes(nb)
    _from_json(text)
    text += "\n"
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    _replace(path, text)
    return True


def _stored(path: Path) -> NotebookNode | None:
    """Return a stored notebook, None if there is none that can be read.

    Other programs write older formats, and cells without a name.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nb = nbformat.read(path, as_version=4)
        contents(nb.cells)
        return nb
    except Exception:  # whatever is wrong with it, nothing is lost with it
        return None


def _refuse_to_lose(source: Path, want: NotebookNode) -> None:
    path = notebook_path(source)
    have = _stored(path)
    if have is None:
        return
    newer = path.stat().st_mtime > source.stat().st_mtime
    if only_in_notebook(have, want, newer):
        name = source.stem
        raise NotebookError(
            f"{_shown(path)} was edited, and its text was not. `make text NAME={name}` takes the "
            f"edit into the text, `make notebooks NAME={name} FORCE=1` drops it.\n"
            + difference_of(want, have, "text", "notebook")
        )


def tidied(source: Path) -> str:
    """Return a text as Jupyter would write it, with the setup cell in front.

    Raises:
        NotebookError: It cannot be read, or something in it would be lost.
    """
    with naming(source):
        return written(_cells(_read(source)))


def tidy_text(source: Path) -> None:
    """Write a text as Jupyter would, where it is not."""
    if (text := tidied(source)) != _read(source):
        _replace(source, text)


def tidy(source: Path, force: bool = False) -> None:
    """Tidy a text; bring its words into the stored notebook if that has the same code.

    Raises:
        NotebookError: The text cannot be read; the notebook has an edit that the text lacks, and
            `force` is not set; the notebook has to be made again.
    """
    want, path = parse(source), notebook_path(source)
    if not force:
        _refuse_to_lose(source, want)
    tidy_text(source)
    have = _stored(path)
    filled = have and with_outputs(want, have)
    if not filled or list(output_problems(filled)):
        raise NotebookError(
            f"{_shown(path)} has to be made again: its code is not that of the text"
        )
    _write(path, filled)


def take(source: Path, force: bool = False) -> None:
    """Take what was edited in a notebook into its text.

    Raises:
        NotebookError: There is no such notebook; no text can hold it; or the text was edited too,
            and `force` is not set.
    """
    path = notebook_path(source)
    with naming(path):
        have = _stored(path) or _from_json(path.read_text(encoding="utf-8"))
        cells = _with_setup(have.cells)
        text = written(cells)
    if source.exists() and not force:
        want = parse(source)
        if as_made(have):
            return
        if contents(want.cells) == contents(cells):
            tidy_text(source)
            return
        if digest(want) != have.metadata.get(MADE_OF):
            raise NotebookError(
                f"{_shown(path)} and its text were both edited since it was made. This of the text "
                f"would be lost, `make text NAME={source.stem} FORCE=1` loses it:\n"
                + difference_of(have, want, "notebook", "text")
            )
    _replace(source, text)


def _replace(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


# Checks


def output_problems(nb: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the outputs of a notebook: runs, errors, stderr, figures."""
    glued = glued_figures(nb)
    counts = 0
    for number, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or (is_empty(cell) and not cell.outputs):
            continue
        counts += 1
        where = f"cell {number}:\n{_indent(cell.source)}\n"
        tags = cell.metadata.get("tags", [])
        if cell.execution_count != counts:
            yield f"{where}has execution count {cell.execution_count}, not {counts}: run all cells"
        pictures = []
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags:
                yield f"{where}raised {output.ename}: {output.evalue}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{where}wrote to stderr:\n{_indent(output.text)}"
            if found := next(traces(output), None):
                yield f"{where}shows a detail of one machine: {found}"
            pictures += [mime for mime in output.get("data", {}) if "image/" in mime]
            for mime in output.get("data", {}):
                if mime.startswith(GLUE_PREFIX + "image/"):
                    key = entry(output.metadata, "scrapbook", "name")
                    if not glued.get(key):
                        yield f"{where}glues {key!r}: show it by glue:figure with :alt: and caption"
        shown = [mime for mime in pictures if not mime.startswith(GLUE_PREFIX)]
        if shown:
            for what, *keys in (("alt text", "image", "alt"), ("caption", "figure", "caption")):
                words = entry(cell.metadata, "mystnb", *keys)
                if not isinstance(words, str) or not words.strip():
                    yield f"{where}shows a figure without {what} (mystnb: {keys[0]}: {keys[1]}:)"
        if len(shown) > 1:
            yield f"{where}shows {len(shown)} figures under one caption: one figure a cell"


def glued_figures(nb: NotebookNode) -> dict[str, bool]:
    """Map the keys of glued figures to whether alt text and a caption go with them."""
    found = {}
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            for match in GLUED_FIGURE.finditer(cell.source):
                lines = [line.strip() for line in match["body"].splitlines() if line.strip()]
                alt = any(re.match(r":?alt:\s*\S", line) for line in lines)
                caption = any(not line.startswith((":", "---")) for line in lines)
                found[match["key"]] = alt and caption
    return found


def text_problems(source: Path, notebook: Path) -> Iterator[str]:
    """Yield where a notebook differs from its text, and what is wrong with its outputs."""
    if not notebook.exists():
        yield "the notebook is missing"
        return
    want = parse(source)
    with naming(notebook):
        have = _from_json(notebook.read_text(encoding="utf-8"))
    if {**have.metadata, COMPUTED_FROM: None} != {**want.metadata, COMPUTED_FROM: None}:
        yield "the notebook's metadata are not the book's"
    if len(have.cells) != len(want.cells):
        yield f"the text has {len(want.cells)} cells, the notebook {len(have.cells)}"
    for number, (w, h) in enumerate(zip(want.cells, have.cells, strict=False)):
        keys = [key for key in ("cell_type", "source", "metadata", "id") if w[key] != h[key]]
        if keys:  # what follows may only be shifted, so the first difference is enough
            old, new = (str(cell[keys[0]]).splitlines() for cell in (h, w))
            lines = difflib.unified_diff(old, new, "notebook", "text", n=0, lineterm="")
            yield "\n".join([f"cell {number}: {keys[0]} differs", *lines])
            break
    yield from output_problems(have)


def check(source: Path, notebook: Path | None = None) -> list[str]:
    """Return all that is wrong with the notebook of a text; an empty list is a pass."""
    try:
        return list(text_problems(source, notebook or notebook_path(source)))
    except NotebookError as error:
        return [str(error)]


def check_all(source: Path) -> list[str]:
    """Return what is wrong with a notebook or with the form of its text."""
    problems = check(source)
    with suppress(NotebookError):  # then that is said already
        if tidied(source) != _read(source):
            problems.append(f"{_shown(source)} is not written as Jupyter would write it: --tidy")
    return problems


def orphans() -> list[Path]:
    """Return the notebooks that no text makes."""
    made = {notebook_path(source) for source in sources()}
    return [path for path in sorted(BOOK.glob("[!.]*.ipynb")) if path not in made]


def _edited(names: list[str]) -> list[Path]:
    """Return where the texts lie, or would, of the notebooks that `names` name, or of all."""
    found = sorted(BOOK.glob("[!.]*.ipynb"))
    chosen = _chosen(found, names or [""], f"notebook in {_shown(BOOK)}")
    return [SOURCES / f"{path.stem}.md" for path in chosen]


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters, by their first letters")
    what = parser.add_mutually_exclusive_group()
    for act, words in {
        check_all: "compare only, execute nothing",
        tidy: "execute nothing: write texts as Jupyter would, and their words into notebooks",
        take: "take what was edited in notebooks into their texts",
    }.items():
        option = f"--{act.__name__.removesuffix('_all')}"
        what.add_argument(option, dest="act", action="store_const", const=act, help=words)
    parser.add_argument(
        "--force",
        action="store_true",
        help="drop an edit that is only in the other; execute also what has not changed",
    )
    parser.set_defaults(act=make)
    arguments = parser.parse_args()
    given = {} if arguments.act is check_all else {"force": arguments.force}
    failed = 0
    texts = (_edited if arguments.act is take else sources)(arguments.names)
    for source in texts:
        start = time.perf_counter()
        problems, done = [], ""
        try:
            match arguments.act(source, **given):
                case str(words):
                    done = f"  {words}"
                case list(found):
                    problems = found
        except NotebookError as error:
            problems = [str(error)]
        except KeyboardInterrupt:
            print(f"{source.stem:32s} interrupted; what is stored stays as it is", file=sys.stderr)
            return 130
        seconds = time.perf_counter() - start
        status = "FAILED" if problems else "ok"
        print(f"{source.stem:32s} {status:6s} {seconds:7.1f} s{done}", flush=True)
        for problem in problems:
            print(_indent(problem), file=sys.stderr)
        failed += bool(problems)
    if not arguments.names:
        for path in orphans():
            print(f"{_shown(path)} has no text in {_shown(SOURCES)}")
            failed += 1
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
