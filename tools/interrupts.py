"""How a command of this folder ends when it is interrupted: with a line, not with a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

STATUS = 130  # what shells give for Ctrl-C


def ended(main: Callable[[], int | None], kept: str) -> NoReturn:
    """Run a command line and exit with its status.

    Args:
        main: the command line; it returns its exit status, or None for success.
        kept: what is said after an interruption, of what was finished.
    """
    try:
        status = main()
    except KeyboardInterrupt:
        print(f"interrupted; {kept}", file=sys.stderr)
        status = STATUS
    sys.exit(status)
