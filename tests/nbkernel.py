"""A notebook's cell in its kernel, as nbclient ran it when the notebook was made.

nbval runs cells without history, so that IPython forgets that a trailing ``;`` hides a result; it
ignores ``clear_output`` and ``update_display``; and it waits for a kernel that has died until the
time is over. All three are mended here, for one notebook at a time.
"""

import time
from queue import Empty
from typing import Any

from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile

Message = dict[str, Any]
STEP = 2.0  # seconds between two looks at whether the kernel lives


class KernelDied(Exception):
    """The kernel ended while a cell was running."""


def mend(notebook: IPyNbFile) -> None:
    """Have a notebook's kernel, once started, behave as above."""
    if not hasattr(notebook, "displays"):
        notebook.displays = Displays(notebook)
        notebook.get_kernel_message = notebook.displays.message
        kernel = notebook.kernel
        kernel.execute_cell_input = lambda source, allow_stdin=None: kernel.kc.execute(
            source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False
        )
        kernel.await_reply = lambda message, timeout=None: _await_reply(kernel, message, timeout)


def _await_reply(kernel: Any, message: str, timeout: float) -> None:
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        try:
            reply = kernel.get_message("shell", timeout=min(left, STEP))
        except Empty:
            if not kernel.is_alive():
                raise KernelDied from None
            continue
        if reply["parent_header"].get("msg_id") == message:
            return
    raise Empty


class Displays:
    """Between a kernel and nbval: what clears or updates the outputs of the running cell.

    nbval appends to the list ``cell.test_outputs`` what `message` returns to it, after it has
    returned. What nbval does not know stays here, and changes that list.
    """

    def __init__(self, notebook: IPyNbFile) -> None:
        self.receive = notebook.get_kernel_message
        self.cell: IPyNbCell | None = None
        self.clear_next = False  # before the next output
        self.owner: dict[str, int] = {}  # display_id ↦ the last cell that showed it
        self.places: dict[str, list[int]] = {}  # display_id ↦ positions in the running cell

    def begin(self, cell: IPyNbCell) -> None:
        """Begin with a cell."""
        self.cell, self.clear_next, self.places = cell, False, {}

    def message(self, timeout: float | None = None, stream: str = "iopub") -> Message:
        """Return the next message that nbval is to see.

        Raises:
            NbCellError: The running cell updates what another one shows.
        """
        while True:
            message = self.receive(stream=stream, timeout=timeout)
            what, content = message["msg_type"], message["content"]
            if what == "clear_output":
                self.clear_next = content["wait"]
                if not content["wait"]:
                    self._clear()
                continue
            name = content.get("transient", {}).get("display_id")
            if name is not None:
                self._update(name, content)
                if what == "update_display_data":
                    continue
            if what in ("display_data", "execute_result", "stream", "error"):
                if self.clear_next:
                    self._clear()
                if name is not None:
                    self.owner[name] = self.cell.cell_num
                    self.places.setdefault(name, []).append(len(self.cell.test_outputs))
            return message

    def _clear(self) -> None:
        self.cell.test_outputs.clear()
        self.clear_next, self.places = False, {}

    def _update(self, name: str, content: Message) -> None:
        """Show something new wherever a display of this name stands."""
        owner = self.owner.get(name, self.cell.cell_num)
        if owner != self.cell.cell_num:
            self.cell.raise_cell_error(f"Cell updates what cell {owner} shows: not comparable")
        for place in self.places.get(name, []):
            output: NotebookNode = self.cell.test_outputs[place]
            output["data"], output["metadata"] = content["data"], content["metadata"]
