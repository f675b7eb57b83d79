"""How long a cell may take, here and on slower machines."""

import math
import os

CELL_TIMEOUT = 1200  # seconds
VARIABLE = "NOTEBOOK_TIME_SCALE"


def time_scale() -> float:
    """Return by what the environment multiplies all limits of time, by default 1.

    Raises:
        ValueError: What it says is no positive number.
    """
    text = os.environ.get(VARIABLE, "1")
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale < math.inf:
        raise ValueError(f"{VARIABLE} is {text!r}: it has to be a positive number, such as 3")
    return scale
