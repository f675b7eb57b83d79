"""Notebooks are checked strictly, one chapter by itself; the order of files wastes no time."""

pytest_plugins = ["nbstrict", "onechapter", "inorder"]
