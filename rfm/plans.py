"""What is asked of a sweep, checked before any run begins."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from rfm.digest import digest
from rfm.outcomes import Measure, plain
from rfm.sending import arriving
from rfm.settings import Setting


def target(path: str | Path) -> Path:
    """The file that a path means, links followed.

    Raises:
        TypeError: unless it is text or a path.
        ValueError: if no table can be there.
        OSError: if the folder cannot be written.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be text or a path, not {path!r:.200}")
    try:
        path = Path(path).resolve()
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is a folder or a device, not a file for a table")
    except (OSError, RuntimeError) as error:  # a name too long, links that lead in circles
        raise ValueError(f"no table can be written to {path}: {error}") from error
    if not path.parent.is_dir():
        raise ValueError(f"the folder {path.parent} for the table does not exist")
    if path.suffix in (".partial", ".lock"):
        raise ValueError(f"{path.name} would be taken for what belongs to another table")
    try:
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(error.errno, f"the table cannot be written: {error}", str(path)) from error
    return path


def count(number: int | None, what: str) -> int | None:
    """A number of workers, which joblib also counts from the end, or of threads.

    Raises:
        ValueError: unless it is an integer other than 0, for threads a positive one, or None.
    """
    if number is None:
        return None
    try:
        counted = 0 if isinstance(number, bool) else operator.index(number)
    except TypeError:
        counted = 0
    if not counted or (counted < 0 and what == "threads"):
        kind = "a positive integer" if what == "threads" else "an integer other than 0"
        raise ValueError(f"{what} must be {kind}, or None, not {number!r:.200}")
    return counted


def by_key(settings: Iterable[Setting], measure: Measure) -> dict[str, Setting]:
    """The settings by a key of setting and measure, after all checks that can be made before a run.

    Raises:
        TypeError: for what is not a setting or a measure, and what cannot be compared or sent.
        ValueError: for no, repeated or different settings, and what :func:`rfm.fit` would refuse.
    """
    if isinstance(settings, Setting) or not isinstance(settings, Iterable):
        raise TypeError(f"settings must be several, each an rfm.Setting, not {settings!r:.200}")
    settings = list(settings)
    if not settings:
        raise ValueError("a sweep needs at least one setting")
    if not callable(measure):
        raise TypeError(f"measure must be a function of a run, not {measure!r:.200}")
    for setting in settings:
        if not isinstance(setting, Setting):
            raise TypeError(f"each setting must be an rfm.Setting, not {setting!r:.200}")
        setting.check()
    by = digest(measure=measure)
    wanted: dict[str, Setting] = {}
    names, shown = list(settings[0].values), set()
    for setting in settings:
        columns = setting.columns
        plain(columns, "columns", ())
        if list(columns) != names:
            raise ValueError(f"settings differ in their columns: {names}, {list(columns)}")
        key, texts = digest(setting=setting.key, measure=by), tuple(columns.values())
        if key in wanted:
            raise ValueError(f"two settings are alike: {columns}")
        if texts in shown:
            raise ValueError(
                f"two settings look alike in the table: {columns}; tell them by a label"
            )
        wanted[key] = setting
        shown.add(texts)
    _check_sending(settings, measure)
    return wanted


def _check_sending(settings: Sequence[Setting], measure: Measure) -> None:
    """Raise TypeError for what could not be sent to another process."""
    things: list[tuple[object, str]] = [(measure, "measure")]
    for setting in settings:
        things.append((setting.kernel, "a kernel"))
        things += [(value, f"the option {name!r}") for name, value in setting.options.items()]
    for thing, what in {id(thing): (thing, what) for thing, what in things}.values():
        try:
            arriving(thing)
        except Exception as error:  # whatever its class does when it is pickled
            raise TypeError(
                f"{what} cannot be sent to another process: {thing!r:.200}, {error}"
            ) from error
