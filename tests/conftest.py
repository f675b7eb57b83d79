"""Fixtures for the tests of `rfm`; the oracles themselves are in `oracles.py`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings
from oracles import Arithmetic, arithmetics

settings.register_profile("suite", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("suite")

torch.set_num_threads(1)  # matrices here are small, and pytest-xdist brings its own processes

# What the tests allow, as a fraction of the largest entry, by dtype of the computation.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-4}


@pytest.fixture(params=arithmetics(), ids=lambda arithmetic: arithmetic.task.name)
def arithmetic(request: pytest.FixtureRequest) -> Arithmetic:
    """An operation written out in Python integers; `arithmetic.task` is the one to test."""
    return request.param


@pytest.fixture(params=list(TOLERANCE), ids=lambda dtype: str(dtype).removeprefix("torch."))
def precision(request: pytest.FixtureRequest) -> tuple[torch.dtype, float]:
    """A dtype and the relative tolerance that goes with it."""
    return request.param, TOLERANCE[request.param]
