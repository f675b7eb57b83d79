"""What moved between two executions of a notebook, cell by cell."""

from dataclasses import dataclass, field
from difflib import SequenceMatcher

from nbformat import NotebookNode
from outputs import Difference, Rule, compare, pixel_by_pixel

FAILURE = "failure"  # in the metadata of a cell that failed the strict check: what is wrong with it


@dataclass(frozen=True)
class MovedCell:
    """A code cell whose outputs are not the stored ones, or that failed.

    Attributes:
        number: its position among the notebook's code cells, from 0, as pytest counts.
        source: its code.
        differences: what differs, allowed differences of pictures included.
        failure: what is wrong with the cell besides, if anything.
        traceback: where it was raised, if an error was.
    """

    number: int
    source: str
    differences: list[Difference] = field(default_factory=list)
    failure: str = ""
    traceback: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the strict rule lets all of it pass."""
        return not self.failure and all(each.allowed for each in self.differences)


@dataclass(frozen=True)
class Moved:
    """What moved in a notebook.

    Attributes:
        name: the notebook's name.
        cells: the cells that moved.
        remarks: what concerns no single cell that both have.
        executed: where the notebook executed again lies, seen from the page; empty for nowhere.
    """

    name: str
    cells: list[MovedCell] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    executed: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the strict rule lets all of it pass."""
        return not self.remarks and all(cell.allowed for cell in self.cells)

    def __bool__(self) -> bool:
        """Whether anything moved at all."""
        return bool(self.cells or self.remarks)


def moved(
    name: str, stored: NotebookNode, fresh: NotebookNode, rule: Rule = pixel_by_pixel
) -> Moved:
    """Return what moved from one execution to another, pictures by a rule.

    Cells are those of the same code in the same order: what one notebook alone has is a remark.
    """
    old, new = _code_cells(stored), _code_cells(fresh)
    sources = [[cell.source for _, cell in cells] for cells in (old, new)]
    blocks = SequenceMatcher(None, *sources, autojunk=False).get_matching_blocks()
    pairs = [(block.a + i, block.b + i) for block in blocks for i in range(block.size)]
    cells = [_moved_cell(*old[i], new[j][1], rule) for i, j in pairs]
    remarks = []
    for which, own, common in (
        ("stored", old, {i for i, _ in pairs}),
        ("fresh", new, {j for _, j in pairs}),
    ):
        remarks += [
            f"cell {number} is in the {which} notebook only: {_first_line(cell.source)}"
            for i, (number, cell) in enumerate(own)
            if i not in common
        ]
    return Moved(name, [cell for cell in cells if cell], remarks)


def failed(name: str, stored: NotebookNode, executed: NotebookNode, path: str) -> Moved:
    """Return what is wrong with a notebook in which the strict check has marked what failed.

    Args:
        name: the notebook's name.
        stored: the stored notebook.
        executed: the same notebook as it was executed, with the marks.
        path: where that lies, seen from the page.
    """
    cells = []
    for (number, old), (_, new) in zip(_code_cells(stored), _code_cells(executed), strict=True):
        if mark := new.metadata.get(FAILURE):
            found = compare(old.outputs, new.outputs) if mark["ran"] else []
            cells.append(MovedCell(number, old.source, found, mark["message"], mark["traceback"]))
    return Moved(name, cells, executed=path)


def _code_cells(nb: NotebookNode) -> list[tuple[int, NotebookNode]]:
    return [*enumerate(cell for cell in nb.cells if cell.cell_type == "code")]


def _moved_cell(number: int, old: NotebookNode, new: NotebookNode, rule: Rule) -> MovedCell | None:
    never = [
        which
        for which, cell in (("stored", old), ("fresh", new))
        if cell.execution_count is None and cell.source.strip()
    ]
    failure = f"was never run in the {' nor in the '.join(never)} notebook" if never else ""
    found = compare(old.outputs, new.outputs, rule)
    return MovedCell(number, old.source, found, failure) if found or failure else None


def _first_line(source: str) -> str:
    return (source.strip().splitlines() or ["(empty)"])[0]
