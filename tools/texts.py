"""Check the text of a chapter before jupytext makes cells of it.

Found are the faults that jupytext would stumble on without naming a line, and those that it would
pass over, so that a cell, an option or a block is lost without a word.
"""

import json
import re
from typing import Any

import yaml
from jupytext.myst import MystMetadataParsingError, get_parser, read_fenced_cell
from markdown_it.token import Token

KERNEL = "python3"

# What a text may say about itself and about a cell; anything else would be lost without a word.
FRONT_MATTER = {"kernelspec", "jupytext", "language_info"}
CELL_OPTIONS = {"tags", "mystnb"}  # what editors add of their own stays out
# Python, YAML and Markdown disagree on whether these end a line, or they are invisible.
ODD_CHARACTER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class NotebookError(Exception):
    """A notebook that could not be made or read, with the file or the cell, and the reason."""


def check_text(text: str) -> None:
    """Raise NotebookError where jupytext would stumble without naming a line, or lose something."""
    if odd := ODD_CHARACTER.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise NotebookError(f"line {line}: the character U+{ord(odd[0]):04X} does not belong here")
    text += "\n"  # as jupytext does
    tokens, lines = get_parser().parse(text), text.split("\n")
    if not tokens or tokens[0].type != "front_matter":
        raise NotebookError("line 1: front matter between two lines --- is missing")
    _check_front_matter(tokens[0])
    for token in tokens:
        if token.type == "fence":
            _check_fence(token, lines)


def _check_front_matter(token: Token) -> None:
    try:
        header = yaml.safe_load(token.content)
    except yaml.YAMLError as error:
        raise NotebookError(f"the front matter is not YAML: {_yaml_reason(error, 2)}") from error
    if not isinstance(header, dict):
        raise NotebookError("line 1: the front matter does not consist of lines `key: value`")
    if lost := {str(key) for key in header} - FRONT_MATTER:
        raise NotebookError(f"line 1: front matter that a notebook cannot keep: {sorted(lost)}")
    name, shown = (entry(header, "kernelspec", key) for key in ("name", "display_name"))
    if name != KERNEL or not isinstance(shown, str):
        raise NotebookError(
            f"line 1: the front matter's kernelspec needs a display_name, not {shown!r}, "
            f"and the name {KERNEL!r}, not {name!r}"
        )
    form = entry(header, "jupytext", "text_representation", "format_name")
    if form not in (None, "myst"):
        raise NotebookError(f"line 1: the text's format is {form!r}, not jupytext's 'myst'")


def _check_fence(token: Token, lines: list[str]) -> None:
    line, last = token.map[0] + 1, lines[token.map[1] - 1].strip("> \t")
    opening = rf"^[> ]*{re.escape(token.markup)}+ *[\w{{]"
    if inner := re.search(opening, token.content, re.MULTILINE):
        inside = line + 1 + token.content.count("\n", 0, inner.start())
        raise NotebookError(f"line {line}: this block is not closed before line {inside} opens one")
    if token.map[1] == line or not last.startswith(token.markup) or set(last) != {token.markup[0]}:
        raise NotebookError(f"line {line}: this block is not closed")
    directives = ("{code-cell}", "{raw-cell}")
    if not token.info.strip().startswith(directives):
        return
    if token.level or not token.info.startswith(directives):
        raise NotebookError(
            f"line {line}: not taken for a cell: it may not be part of a list or quotation, "
            f"and {directives[0]} follows the fence at once"
        )
    try:
        options, _ = read_fenced_cell(token, 0, "")
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        start = line + 1 + token.content.startswith("---")
        reason = _yaml_reason(error.__context__ or error, start)
        raise NotebookError(f"the cell's options are not YAML: {reason}") from error
    if not isinstance(options, dict):
        raise NotebookError(f"line {line}: the cell's options are not of the form `:key: value`")
    if unknown := {str(key) for key in options} - CELL_OPTIONS:
        raise NotebookError(f"line {line}: unknown options of the cell: {sorted(unknown)}")
    tags = options.get("tags", [])
    words = isinstance(tags, list) and {tag for tag in tags if isinstance(tag, str)}
    if words is False or len(words) < len(tags):
        raise NotebookError(f"line {line}: the cell's tags are no list of different words: {tags}")
    try:
        json.dumps(options, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    except (TypeError, ValueError) as error:
        raise NotebookError(f"line {line}: the cell cannot keep an option: {error}") from error


def _yaml_reason(error: BaseException, start: int) -> str:
    """Return what is wrong with YAML whose first line is line `start` of the text."""
    mark = getattr(error, "problem_mark", None)
    return f"line {start + (mark.line if mark else 0)}: {getattr(error, 'problem', None) or error}"


def entry(node: Any, *keys: str) -> Any:
    """Return an entry of nested mappings, None where there is none."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node
