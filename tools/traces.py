"""Find what only one machine would show: an address, a path of its own, its name.

The folders below are those that systems, package managers and hosts of notebooks use. A path that
starts elsewhere is not found, nor is a user's name or a process's number: they look like any word
and any number.
"""

import html
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repository import ROOT

# Right before a path of its own there is no letter and nothing that makes it a part of an address.
START = r"(?<![\w.~#/)\]}-])"
FOLDERS = (
    r"home|root|tmp|[Uu]sers|var|private|mnt|media|opt|usr|etc|srv|run|proc|snap|nix|scratch"
    r"|dev/shm|cygdrive|[a-z]/Users|Volumes|Library|Applications|System|workspaces?|content|kaggle"
)
ALONE = r"root|tmp|dev/shm|workspaces?|content"  # working directories, seen without a file
WINDOWS_FOLDERS = r"Users|Windows|Program Files|ProgramData|Temp|tmp"

COLOUR = re.compile(r"\x1b\[[\d;]*m")
FORMULA = re.compile(r"\$[^$\n]*\$|\{math\}`[^`]*`|\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)
BINARY = re.compile(r"image/(?!svg)|audio/|video/|application/(?:pdf|octet-stream)")


def _places() -> Iterator[str]:
    """Yield patterns for this machine's own directories and for its name."""
    for folder in {ROOT, *map(Path, (os.path.expanduser("~"), tempfile.gettempdir(), sys.prefix))}:
        if len(folder.parts) > 1:
            end = r"(?![\w-])" if len(folder.parts) > 2 else r"[\\/]"
            yield rf"{START}{re.escape(str(folder))}{end}\S*"
    name = socket.gethostname()
    if len(name) > 4 and re.search(r"[\d.-]", name) and re.search(r"[A-Za-z]", name):
        yield rf"(?i:(?<![\w.-]){re.escape(name)}(?![\w-]))"  # a plain word may mean something else


TRACE = re.compile(
    "|".join(
        [
            r"\bat 0x[\da-fA-F]{6,}",
            r"\bfile:/\S+",
            r"\b(?:site|dist)-packages[\\/]\S*",
            rf"{START}/(?:{FOLDERS})/\S*",
            rf"(?<!<){START}/(?:{ALONE})(?![\w-]|\.\w)",
            *_places(),
        ]
    )
)
# A backslash is LaTeX's as well, so other folders count only with two names and without braces.
WINDOWS_TRACE = re.compile(
    rf"(?<!\w)[A-Za-z]:[\\/]+(?:{WINDOWS_FOLDERS})\b\S*"
    r"|(?<!\w)[A-Z]:(?:\\{1,2}|/)[\w-]+(?:\\{1,2}|[/.])\w\S*"
    r"|(?:^|(?<=[\s\"'(<>=,\[]))(?:\\\\[\w.$-]+\\|\\{4}[\w.$-]+\\\\)[\w.$-]+(?![\w{])\S*",
    re.MULTILINE,
)


def trace(text: str) -> str:
    """Return the first detail of one machine in a text or HTML, or an empty string."""
    text = COLOUR.sub("", html.unescape(text))
    match = TRACE.search(text) or WINDOWS_TRACE.search(FORMULA.sub(" ", text))
    return match[0] if match else ""


def traces(output: Any) -> Iterator[str]:
    """Yield the details of one machine in all texts of a cell's output, however deep they lie."""
    if isinstance(output, str):
        if found := trace(output):
            yield found
    elif isinstance(output, dict):
        for key, value in output.items():
            yield from traces(key)
            if not BINARY.search(key):
                yield from traces(value)
    elif isinstance(output, list):
        for value in output:
            yield from traces(value)
