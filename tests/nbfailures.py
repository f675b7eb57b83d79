"""What a failing notebook leaves: itself as it was executed, and a page that shows what is wrong.

All lies in one folder, ``_build/failures`` unless the option ``--failures`` or the environment says
otherwise. It is removed when the next run of notebooks starts.
"""

import copy
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from moved import FAILURE, failed
from moved_page import write_page
from nbval.plugin import IPyNbCell, IPyNbFile

FOLDER = "_build/failures"
VARIABLE = "NOTEBOOK_FAILURES"
MARKER = ".failing-notebooks"  # says that a folder is one of these, and may be removed
WHERE = "stored"  # in the metadata of an executed notebook: the stored one's path


def folder_of(config: pytest.Config) -> Path:
    """Return where failures go."""
    named = config.getoption("--failures") or os.environ.get(VARIABLE) or FOLDER
    return config.rootpath / named


def clear(config: pytest.Config) -> None:
    """Remove what an earlier run left.

    Raises:
        UsageError: The folder holds something else.
    """
    folder = folder_of(config)
    if not folder.exists():
        return
    if not folder.is_dir() or ((any(folder.iterdir())) and not (folder / MARKER).exists()):
        raise pytest.UsageError(f"{folder} is no folder of failing notebooks: it is left alone")
    shutil.rmtree(folder)


class Executed:
    """A notebook as it is executed, written as soon as a cell of it has failed."""

    def __init__(self, notebook: IPyNbFile) -> None:
        self.stored, self.nb = notebook.path, copy.deepcopy(notebook.nb)
        root = notebook.config.rootpath
        inside = self.stored.is_relative_to(root)
        self.name = self.stored.relative_to(root) if inside else Path(self.stored.name)
        self.folder = folder_of(notebook.config)
        self.nb.metadata[WHERE] = str(self.stored)
        self.cells = [cell for cell in self.nb.cells if cell.cell_type == "code"]
        for cell in self.cells:
            cell.outputs, cell.execution_count = [], None
        self.failed = False

    def ran(self, item: IPyNbCell, message: str = "", traceback: str = "") -> None:
        """Take over what a cell has shown, and what is wrong with it."""
        cell = self.cells[item.cell_num]
        ran = item.test_outputs is not None
        if ran:
            cell.outputs = copy.deepcopy(item.test_outputs)
            cell.execution_count = item.cell_num + 1
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = cell.execution_count
        if message:
            cell.metadata[FAILURE] = {"message": message, "traceback": traceback, "ran": ran}
        self.failed = self.failed or bool(message)
        if self.failed:
            path = self.folder / self.name
            path.parent.mkdir(parents=True, exist_ok=True)
            (self.folder / MARKER).touch()
            nbformat.write(self.nb, path)


def page(config: pytest.Config) -> Path | None:
    """Write the page of all that failed; return its path, None if nothing did."""
    folder, notebooks = folder_of(config), []
    if not (folder / MARKER).exists():
        return None
    for path in sorted(folder.rglob("*.ipynb")):
        executed = nbformat.read(path, as_version=4)
        stored = nbformat.read(executed.metadata[WHERE], as_version=4)
        name = path.relative_to(folder).as_posix()
        notebooks.append(failed(name, stored, executed, name))
    cells = sum(len(each.cells) for each in notebooks)
    return write_page(folder, f"Cells that failed: {cells}", notebooks, ("stored", "now"))
