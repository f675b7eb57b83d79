"""Notebooks are checked strictly, and one chapter can be, however pytest is called here."""

pytest_plugins = ["nbstrict", "onechapter"]
