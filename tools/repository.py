"""The repository's public address, known to pyproject.toml only.

As a Sphinx extension it gives the address to the theme, which makes the repository, Binder and
Colab buttons of it.
"""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

ROOT = Path(__file__).resolve().parent.parent


def address() -> str:
    """Return the address that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].rstrip("/")


def site() -> str:
    """Return the address of the published site: pyproject's Homepage, or where GitHub shows it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    owner, name = address().split("/")[-2:]
    pages = f"https://{owner}.github.io/{name}"
    return project["urls"].get("Homepage", pages).rstrip("/") + "/"


def _tell_theme(app: "Sphinx", config: "Config") -> None:
    config.html_theme_options |= {"repository_url": address(), "use_repository_button": True}


def setup(app: "Sphinx") -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", _tell_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
