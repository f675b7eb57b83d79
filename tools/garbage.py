"""A build of the site makes millions of objects that stay, and next to no garbage.

A Sphinx extension. Python looks for garbage each time that so many more objects are there; seldom
enough, that is no longer a sixth of the time of a build.
"""

import gc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

OBJECTS = 50_000  # more than were there when it was looked for last; Python's own number is 700
SELDOM = 20  # how much more rarely it is looked for among older objects


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    gc.set_threshold(OBJECTS, SELDOM, SELDOM)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
