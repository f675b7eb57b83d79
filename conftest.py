"""Every notebook is checked strictly, however pytest is called in this repository."""

pytest_plugins = ["nbstrict"]
