"""What a notebook and its text have in common, and what only one of the two has.

Content is what both hold: type, source, tags and figure of every cell. A notebook is named after
the content that it was made of, and each cell after its own, so that an edit made in the notebook
is known from one made in the text.
"""

import difflib
import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy

import jupytext
import nbformat
from jupytext.config import load_jupytext_configuration_file
from nbformat import NotebookNode
from repository import ROOT
from texts import CELL_OPTIONS, KERNEL, NotebookError, check_text

SETUP_TAG = "setup"
MADE_OF = "made_of"
COMPUTED_FROM = "computed_from"  # see needs.py; far from the other, so that both can be merged
CONFIG = load_jupytext_configuration_file(str(ROOT / "jupytext.toml"))
FORMAT = "md:myst"
DIFF_LINES = 40  # of a diff that a message shows

# Fixed, so that a Python patch release or a kernel's display name changes no notebook; the name is
# the one that ipykernel gives itself, so that opening a notebook in Jupyter changes it no more.
METADATA = {
    # What a text holds of the notebook's metadata and of its cells': all else would be a diff that
    # nobody made. It stands in both files, for Jupyter compares them with what stands there.
    "jupytext": {
        "cell_metadata_filter": "tags,mystnb,-all",
        "default_lexer": "ipython3",
        "notebook_metadata_filter": "-jupytext.text_representation",
    },
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": KERNEL},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


def is_setup(cell: NotebookNode) -> bool:
    """Whether a cell is the first one, which the tool writes."""
    return SETUP_TAG in cell.metadata.get("tags", ())


def content(cell: NotebookNode) -> str:
    """Return what a cell has in both files, as one string."""
    source = cell.source.strip("\n")
    if cell.cell_type == "markdown":
        source = source.rstrip()
    return json.dumps([cell.cell_type, source, options(cell)])


def options(cell: NotebookNode) -> dict[str, object]:
    """Return of a cell's metadata what belongs into the text."""
    kept = {key: value for key, value in cell.metadata.items() if key in CELL_OPTIONS and value}
    return json.loads(json.dumps(kept, sort_keys=True))  # in the order in which a notebook has them


def is_empty(cell: NotebookNode) -> bool:
    """Whether nothing of a cell goes into the text: editors leave such cells behind."""
    return not cell.source.strip() and not options(cell)


def contents(cells: Iterable[NotebookNode]) -> list[str]:
    """Return the content of the cells that have some, but the first, which the tool writes."""
    return [content(cell) for cell in cells if not is_setup(cell) and not is_empty(cell)]


def digest(nb: NotebookNode) -> str:
    """Return a short name of the content of a notebook."""
    return hashlib.sha256("\n".join(contents(nb.cells)).encode()).hexdigest()[:16]


def identifiers(cells: Iterable[NotebookNode]) -> Iterator[str]:
    """Yield the cells' identifiers: from their source, so that an edit renames no other cell."""
    seen: Counter[str] = Counter()
    for cell in cells:
        key = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        yield f"{key}-{seen[key]}" if seen[key] else key
        seen[key] += 1


# Cells -> text


def written(cells: list[NotebookNode]) -> str:
    """Return the text of cells, to the letter as Jupyter writes it when it saves their notebook.

    Raises:
        NotebookError: The text would hold something else than the cells.
    """
    kept = nbformat.v4.new_notebook(metadata=METADATA)
    for cell in cells:
        if not is_empty(cell):
            new = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")
            kept.cells.append(new(cell.source, metadata=nbformat.from_dict(options(cell))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what would be lost is found below
        text = jupytext.writes(kept, fmt=FORMAT, config=CONFIG)
        check_text(text)
        back = jupytext.reads(text, fmt=FORMAT, config=CONFIG)
    if [*map(content, back.cells)] != [*map(content, kept.cells)]:
        difference = difference_of(kept, back, "what it is", "as text")
        raise NotebookError(f"no text can hold this:\n{difference}")
    return text


def difference_of(old: NotebookNode, new: NotebookNode, *names: str) -> str:
    """Return a diff of the content of two notebooks; empty if there is none."""
    lines = ([line for cell in nb.cells for line in _lines(cell)] for nb in (old, new))
    diff = [*difflib.unified_diff(*lines, *names, n=0, lineterm="")]
    return "\n".join(diff[:DIFF_LINES] + ["..."] * (len(diff) > DIFF_LINES))


def _lines(cell: NotebookNode) -> Iterator[str]:
    yield f"{cell.cell_type} cell {json.dumps(options(cell), ensure_ascii=False)}"
    yield from cell.source.strip().splitlines()


# Edits


def as_made(have: NotebookNode) -> bool:
    """Whether a stored notebook still has the content that it was made of."""
    if made := have.metadata.get(MADE_OF):
        return made == digest(have)
    cells = [cell for cell in have.cells if not is_empty(cell)]
    return [cell.id for cell in cells] == [*identifiers(cells)]


def edited(have: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the cells whose source is not the one that they are named after."""
    cells = [cell for cell in have.cells if not is_empty(cell)]
    for cell, name in zip(cells, identifiers(cells), strict=True):
        if cell.id != name and not is_setup(cell):
            yield cell


def only_in_notebook(have: NotebookNode, want: NotebookNode, newer: bool) -> bool:
    """Whether making `want` of the text would lose an edit that somebody made in the notebook.

    Args:
        have: the notebook as it is stored.
        want: the notebook that the text makes.
        newer: whether the notebook was written after the text.
    """
    if as_made(have) or contents(have.cells) == contents(want.cells):
        return False
    theirs = set(contents(want.cells))
    # What was saved from Jupyter is in the text as well, which may have been edited since.
    return newer or any(content(cell) not in theirs for cell in edited(have))


def with_outputs(want: NotebookNode, have: NotebookNode) -> NotebookNode | None:
    """Return `want` with the outputs of `have`, and what these come from.

    None if they are not those of the same code.
    """
    filled = deepcopy(want)
    new, old = (
        [c for c in nb.cells if c.cell_type == "code" and not is_empty(c)] for nb in (filled, have)
    )
    if [cell.id for cell in new if not is_setup(cell)] != [c.id for c in old if not is_setup(c)]:
        return None
    if any(cell.cell_type == "code" for cell in edited(have)):  # and perhaps not run since
        return None
    outputs = (cell.outputs for cell in old if not is_setup(cell))
    for count, cell in enumerate(new, start=1):
        cell.execution_count = count
        cell.outputs = [] if is_setup(cell) else next(outputs)
    if COMPUTED_FROM in have.metadata:
        filled.metadata[COMPUTED_FROM] = have.metadata[COMPUTED_FROM]
    return filled
