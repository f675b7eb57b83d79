"""The number of threads that torch computes with, set for a while, also by several runs at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.RLock()
_inside: list[int] = []  # the counts asked for by those who are inside
_before = 0  # what the first of them found


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Compute with ``count`` threads; None leaves torch's setting.

    The setting belongs to the process, and in part to each thread of it. The first to come in keeps
    what there was, the last to go out restores it, and those who go before restore it for the
    thread that they ran in only.
    """
    global _before
    if count is None:
        yield
        return
    with _lock:
        if not _inside:
            _before = torch.get_num_threads()
        _inside.append(count)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            _inside.remove(count)
            torch.set_num_threads(_before)
            if _inside:  # for the process again, by a thread that ends here
                helper = threading.Thread(target=torch.set_num_threads, args=(_inside[-1],))
                helper.start()
                helper.join()
