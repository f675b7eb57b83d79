"""Execute notebooks in which no cell changes what another one shows.

``clear_output`` and ``update_display`` are fine within a cell: what it shows in the end is stored.
An update of an earlier cell's display would change an output after its cell was compared, so that
no check could tell whether it is the stored one.
"""

from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode


class Client(NotebookClient):
    """A client that notes in `refused` where a cell changes what an earlier one shows."""

    def __init__(self, nb: NotebookNode, **options: Any) -> None:
        super().__init__(nb, **options)
        self.refused: list[str] = []
        self._owner: dict[str, int] = {}  # display_id ↦ the cell that showed it last

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Process a message of the kernel as nbclient does."""
        name = msg["content"].get("transient", {}).get("display_id")
        if name is not None:
            owner = self._owner.get(name, cell_index)
            if owner != cell_index:
                self.refused.append(
                    f"cell {cell_index}:\n{cell.source}\nchanges what cell {owner} shows, by the "
                    f"display_id {name!r}: show it anew, with another one or none"
                )
            elif msg["msg_type"] != "update_display_data":
                self._owner[name] = cell_index
        return super().process_message(msg, cell, cell_index)
