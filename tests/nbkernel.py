"""A notebook's cell in its kernel, as nbclient ran it when the notebook was made.

nbval runs cells without history, so that IPython forgets that a trailing ``;`` hides a result; it
ignores ``clear_output`` and ``update_display``; it waits for a kernel that has died until the time
is over; and for one that was interrupted and goes on it waits as long as that says something. All
four are mended here, for one notebook at a time.
"""

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile

Message = dict[str, Any]
STEP = 2.0  # seconds between two looks at whether the kernel lives


class KernelDied(Exception):
    """The kernel ended while a cell was running."""


class GoesOn(Exception):
    """A cell that ran out of time goes on although it was interrupted."""


def mend(notebook: IPyNbFile) -> None:
    """Have a notebook's kernel, once started, behave as above."""
    if not hasattr(notebook, "displays"):
        kernel = notebook.kernel
        notebook.displays = Displays(notebook)
        notebook.get_kernel_message = notebook.displays.message
        kernel.get_message = Patience(notebook, kernel.get_message).message
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


class Patience:
    """Between a kernel and nbval: once a cell is out of time its outputs have one more limit.

    It holds for all of them together; nbval's own starts again with each message.
    """

    def __init__(self, notebook: IPyNbFile, receive: Callable[..., Message]) -> None:
        self.notebook, self.receive = notebook, receive
        self.end: float | None = None

    def message(self, stream: str, timeout: float | None = None) -> Message:
        """Return the kernel's next message.

        Raises:
            GoesOn: The running cell is out of time, and so are its outputs.
        """
        if not self.notebook.timed_out:
            return self.receive(stream, timeout=timeout)
        if self.end is None:  # no cell runs after this one
            self.end = time.monotonic() + self.notebook.displays.cell.output_timeout
        if (left := self.end - time.monotonic()) <= 0:
            raise GoesOn
        try:
            return self.receive(stream, timeout=left)
        except Empty:
            raise GoesOn from None


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
