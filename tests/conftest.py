"""Operations and precisions for the tests of `rfm`.

What takes seconds to load is loaded where it is used: pytest-xdist has a process that runs no test.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("suite", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("suite")

# What the tests allow, as a fraction of the largest entry, by dtype of the computation.
TOLERANCE = {"float64": 1e-10, "float32": 2e-4}


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Matrices here are small, and pytest-xdist brings its own processes."""
    import torch

    torch.set_num_threads(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Call tests with what they ask for.

    `arithmetic`: an operation written out in Python integers; `arithmetic.task` is the one to test.
    `precision`: a dtype and the relative tolerance that goes with it.
    """
    if "arithmetic" in metafunc.fixturenames:
        from oracles import arithmetics

        metafunc.parametrize("arithmetic", arithmetics(), ids=lambda each: each.task.name)
    if "precision" in metafunc.fixturenames:
        import torch

        both = [(getattr(torch, name), allowed) for name, allowed in TOLERANCE.items()]
        metafunc.parametrize("precision", both, ids=TOLERANCE)
