"""Which files a kernel reads, as the kernel itself tells.

A chapter is executed again when a table changes that its code names (`needs.py`). So it may read no
other file of the book, and here is how that is known.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import all_suffixes
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CODE = {*all_suffixes()}


class Heard:
    """What is heard of one kernel, by a file to which it writes.

    Attributes:
        arguments: what the kernel has to be started with.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        run = f"__import__('runpy').run_path({__file__!r}, {{'FILE': {str(file)!r}}}, '__main__')"
        self.arguments = [f"--IPKernelApp.exec_lines={run}"]

    def files(self, folder: Path) -> list[Path]:
        """Return the files below a folder that were read, but for code and libraries."""
        names = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        within = folder.resolve()
        paths = {Path(name).resolve() for name in names}
        libraries = Path(sys.prefix).resolve()
        return sorted(
            path.relative_to(within)
            for path in paths
            if path.is_relative_to(within) and not path.is_relative_to(libraries)
            if path.is_file() and path.suffix not in CODE
        )


@contextmanager
def listening() -> Iterator[Heard]:
    """Hear one kernel, until the end of a block."""
    with TemporaryDirectory() as folder:
        yield Heard(Path(folder, "read"))


def listen(file: str) -> None:
    """In a kernel: write down what is opened from now on for reading, a path a line."""
    written = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            path, mode, _ = arguments
            if mode is None or not set(mode) & set("wax"):
                os.write(written, f"{os.path.abspath(path)}\n".encode("utf-8", "surrogateescape"))

    sys.addaudithook(hear)


if __name__ == "__main__":
    listen(FILE)  # noqa: F821 (see `Heard`)
