"""Make the book's notebooks from their text, and check that they agree.

    python tools/notebooks.py [--check] [NAME ...]

One way only: the MyST text ``book/src/NN-name.md`` becomes a notebook, is executed in ``book/``
and is written as ``book/NN-name.ipynb``. A NAME picks the chapters that start with it.
A notebook that fails keeps its old file, and the others still run.
"""

import argparse
import difflib
import hashlib
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from repository import ROOT, address

BOOK = ROOT / "book"
SOURCES = BOOK / "src"
SETUP_TAG = "setup"
CELL_TIMEOUT = 1200  # seconds

# Fixed, so that a Python patch release or a kernel's display name changes no notebook.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}

# A path or an address of the machine that ran the notebook: differs elsewhere.
MACHINE_DETAIL = re.compile(
    rf"\bat 0x[0-9a-f]{{6,}}|(?<![\w.])(?:/(?:home|root|tmp|Users)/|{re.escape(str(ROOT))})\S*"
)
GLUE_PREFIX = "application/papermill.record/"
GLUED_FIGURE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{glue:figure\}[ \t]*(?P<key>\S+)[ \t]*\n(?P<body>.*?)^(?P=fence)",
    re.MULTILINE | re.DOTALL,
)


class NotebookError(Exception):
    """A notebook that could not be made, with the cell and the reason."""


# Text -> notebook


def sources(names: list[str] | None = None) -> list[Path]:
    """Return the texts of the chapters that start with one of `names`, by default all."""
    texts = sorted(SOURCES.glob("*.md"))
    if not names:
        return texts
    for name in names:
        if not any(text.stem.startswith(name) for text in texts):
            raise SystemExit(f"no chapter in {SOURCES.relative_to(ROOT)} starts with {name!r}")
    return [text for text in texts if text.stem.startswith(tuple(names))]


def notebook_path(source: Path) -> Path:
    """Return where the notebook of this text lies."""
    return source.parent.parent / f"{source.stem}.ipynb"


def setup_cell() -> NotebookNode:
    """Return the first cell of every notebook: on Colab it brings the package and the tables."""
    code = (
        "# On Google Colab, install and fetch what this notebook needs. Elsewhere do nothing.\n"
        "import sys\n\n"
        'if "google.colab" in sys.modules:\n'
        f'    %pip install --quiet "rfm[book] @ git+{address()}"\n'
        f"    !git clone --quiet --depth 1 {address()} book\n"
        "    %cd -q book/book"
    )
    return new_code_cell(code, metadata={"tags": ["remove-cell", SETUP_TAG]})


def parse(source: Path) -> NotebookNode:
    """Return the notebook that a text describes, not executed.

    Identifiers of cells come from their content, so that editing one cell renames no other.
    """
    text = jupytext.read(source, fmt="md:myst")
    cells = [c for c in text.cells if SETUP_TAG not in c.metadata.get("tags", [])]
    cells.insert(0, setup_cell())
    seen: Counter[str] = Counter()
    for cell in cells:
        content = f"{cell.cell_type}\n{cell.source}".encode()
        key = hashlib.sha256(content).hexdigest()[:12]
        cell["id"] = f"{key}-{seen[key]}" if seen[key] else key
        seen[key] += 1
    return new_notebook(cells=cells, metadata=METADATA)


# Notebook -> executed notebook


def execute(nb: NotebookNode, folder: Path) -> None:
    """Execute `nb` in place, in a fresh kernel with `folder` as its working directory."""
    client = NotebookClient(
        nb,
        timeout=CELL_TIMEOUT,
        startup_timeout=180,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except (CellExecutionError, RuntimeError, TimeoutError) as error:
        raise NotebookError(str(error)) from error
    nb.metadata = nbformat.from_dict(METADATA)
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":  # asked for by a tag; the frames name local paths
                output.traceback = [f"{output.ename}: {output.evalue}"]


def make(source: Path) -> None:
    """Make and write the notebook of one text."""
    nb = parse(source)
    path = notebook_path(source)
    execute(nb, path.parent)
    if problems := list(output_problems(nb)):
        raise NotebookError("\n".join(problems))
    nbformat.validate(nb)
    path.write_text(nbformat.writes(nb, version=4) + "\n", encoding="utf-8", newline="\n")


# Checks


def output_problems(nb: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the outputs of a notebook: runs, errors, stderr, figures."""
    glued = glued_figures(nb)
    counts = 0
    for number, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
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
            if match := MACHINE_DETAIL.search(_text(output)):
                yield f"{where}shows a detail of one machine: {match[0]}"
            pictures += [mime for mime in output.get("data", {}) if "image/" in mime]
            for mime in output.get("data", {}):
                if mime.startswith(GLUE_PREFIX + "image/"):
                    key = output.metadata["scrapbook"]["name"]
                    if not glued.get(key):
                        yield f"{where}glues {key!r}: show it by glue:figure with :alt: and caption"
        shown = [mime for mime in pictures if not mime.startswith(GLUE_PREFIX)]
        if shown:
            style = cell.metadata.get("mystnb", {})
            if not style.get("image", {}).get("alt", "").strip():
                yield f"{where}shows a figure without alt text (mystnb: image: alt:)"
            if not style.get("figure", {}).get("caption", "").strip():
                yield f"{where}shows a figure without caption (mystnb: figure: caption:)"
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
    want, have = parse(source), nbformat.read(notebook, as_version=4)
    if have.metadata != want.metadata:
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
    return list(text_problems(source, notebook or notebook_path(source)))


def orphans() -> list[Path]:
    """Return the notebooks that no text makes."""
    made = {notebook_path(source) for source in sources()}
    return [path for path in sorted(BOOK.glob("*.ipynb")) if path not in made]


def _text(output: NotebookNode) -> str:
    texts = [value for mime, value in output.get("data", {}).items() if "image/" not in mime]
    parts = [output.get("text", ""), *output.get("traceback", []), *map(str, texts)]
    return "\n".join(parts)


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters, by their first letters")
    parser.add_argument("--check", action="store_true", help="compare only, execute nothing")
    arguments = parser.parse_args()
    failed = 0
    for source in sources(arguments.names):
        start = time.perf_counter()
        try:
            if arguments.check:
                problems = check(source)
            else:
                make(source)
                problems = []
        except NotebookError as error:
            problems = [str(error)]
        seconds = time.perf_counter() - start
        print(f"{source.stem:32s} {'FAILED' if problems else 'ok':6s} {seconds:7.1f} s", flush=True)
        for problem in problems:
            print(_indent(problem), file=sys.stderr)
        failed += bool(problems)
    if not arguments.names:
        for path in orphans():
            print(f"{path.relative_to(ROOT)} has no text in {SOURCES.relative_to(ROOT)}")
            failed += 1
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
