"""The site builds without a warning, reads without a network, and its buttons lead home."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import browsing
import notebooks
import pytest
import repository

# Attributes by which a page loads something without being asked.
LOADING = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "link": ["href"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "video": ["src", "poster"],
}
OUTSIDE = re.compile(r"^\s*(?:https?:)?//")
OUTSIDE_IN_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//[^)\"';]+")


class Page(HTMLParser):
    """What a page loads, links to and shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {values[name] or "" for name in ("id", "name") if name in values}
        if values.get("rel") not in ("canonical", "search", "next", "prev", "index", "genindex"):
            self.loads += [values[name] or "" for name in LOADING.get(tag, []) if name in values]
        if tag == "a" and "href" in values:
            self.links.append(values["href"] or "")
        if tag == "img":
            self.images.append(values)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Every page of the site by its path."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts  # templates of the theme
    }


def test_every_chapter_has_a_page(pages: dict[str, Page]) -> None:
    chapters = {f"book/{source.stem}.html" for source in notebooks.sources()}
    assert chapters <= pages.keys()
    assert {"index.html", "book/index.html", "book/references.html"} <= pages.keys()


def test_nothing_comes_from_the_network(site: Path, pages: dict[str, Page]) -> None:
    loads = {(name, what) for name, page in pages.items() for what in page.loads}
    styles = {
        (path.name, match[0])
        for path in site.rglob("*.css")
        for match in OUTSIDE_IN_CSS.finditer(path.read_text(encoding="utf-8"))
    }
    assert [what for what in loads if OUTSIDE.match(what[1])] == []
    assert not styles


def test_what_a_page_loads_is_there(site: Path, pages: dict[str, Page]) -> None:
    local = {
        (site / name).parent / what.split("?")[0].split("#")[0]
        for name, page in pages.items()
        for what in page.loads
        if what and not what.startswith("data:")
    }
    assert [path for path in local if not path.exists()] == []


def test_every_link_within_the_site_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    """To a page or file that is there, and on a page to something that is there."""
    bad = []
    for name, page in pages.items():
        for link in page.links:
            where, _, anchor = unquote(link).partition("#")
            if ":" in where.split("/")[0] or OUTSIDE.match(where):
                continue
            path = (site / name).parent / where.split("?")[0] if where else site / name
            target = pages.get(os.path.relpath(path, site).replace(os.sep, "/"))
            # What follows `#` of the explorer is a setting of its page.
            told = target is None or anchor in {"", "top", *target.ids} or "=" in anchor
            if not path.exists() or not told:
                bad.append((name, link))
    assert bad == []


def test_every_picture_has_alt_text(pages: dict[str, Page]) -> None:
    """Without any, Sphinx puts the path of the picture there."""
    bad = [
        (name, image.get("src"))
        for name, page in pages.items()
        for image in page.images
        if not (image.get("alt") or "").strip() or image.get("alt") == image.get("src")
    ]
    assert bad == []


@pytest.mark.parametrize("source", notebooks.sources(), ids=lambda path: path.stem)
def test_buttons_open_the_notebook(pages: dict[str, Page], source: Path) -> None:
    address = repository.address()
    owner, name = address.split("/")[-2:]
    path = f"book/{source.stem}.ipynb"
    links = pages[f"book/{source.stem}.html"].links
    assert address in links
    assert f"https://colab.research.google.com/github/{owner}/{name}/blob/main/{path}" in links
    assert f"https://mybinder.org/v2/gh/{owner}/{name}/main?urlpath=lab/tree/{path}" in links


def test_no_directive_is_left_as_it_was_written(site: Path) -> None:
    """As when its first line has a backtick, which CommonMark does not take for a fence."""
    bad = [
        path.name
        for path in sorted((site / "book").glob("*.html"))
        if re.search(r"<p>(?:```|:::)\{", path.read_text(encoding="utf-8"))
    ]
    assert bad == []


def test_a_browser_opens_files_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the C locale."""
    if browsing.chromium() is None:
        pytest.skip("no Chromium found")
    monkeypatch.setenv("LC_ALL", "C")
    file = tmp_path / "Übung eins" / "page.html"
    file.parent.mkdir()
    file.write_text("<title>found</title>", encoding="utf-8")
    with browsing.started() as browser, browsing.opened(browser) as (page, _):
        page.goto(file.as_uri())
        assert page.title() == "found"
