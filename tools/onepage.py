"""The built site as one page for printing: its articles, one after the other, linked among them.

Every name on a page is given the page's own in front, so that links between chapters become links
within the one page. What only works on a screen is left out: buttons, and folded code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath

import repository
import yaml
from bs4 import BeautifulSoup, Tag

OUT = (
    *("a.headerlink", "button", "script", "style", ".ways", ".byline .take", "details.hide"),
    *("#jb-print-docs-body", ".prev-next-footer", "#the-chapters", "#four-ways-to-use-it"),
)
SCREEN = {"book/explorer"}
NAMED = ("id", "for", "aria-labelledby", "aria-describedby", "aria-controls", "headers")
LINKED = ("href", "xlink:href")
URL = re.compile(r"url\(#([^)]+)\)")
FORMULA = re.compile(r"<mjx-container\b[^>]*>(.*?)</mjx-container>", re.DOTALL)
SHORT = re.compile(r'<mjx-container drawn="(\d+)">[^<]*</mjx-container>')
STYLE = Path(__file__).with_name("print.css")


def pages() -> list[str]:
    """The pages of the book in order, by ``_toc.yml``, without those that need a screen."""
    toc = yaml.safe_load((repository.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *(file for file in files if file not in SCREEN)]


def key(page: str) -> str:
    """What stands in front of the names of a page."""
    return PurePosixPath(page).name


def shortened(text: str) -> tuple[str, list[str]]:
    """A page with no more than the words of its formulas, and these formulas.

    Half of a page is formulas. Nothing in them has a name or leads anywhere.
    """
    formulas: list[str] = []

    def short(found: re.Match[str]) -> str:
        formulas.append(found[0])
        words = re.sub(r"<[^>]*>", "", found[1])
        return f'<mjx-container drawn="{len(formulas) - 1}">{words}</mjx-container>'

    return FORMULA.sub(short, text), formulas


class Article:
    """The article of one page of the site, made ready to stand among the others.

    Formulas, in which nothing has to be changed, are put back when it is written.
    """

    def __init__(self, site: Path, page: str, whole: list[str], target: Path) -> None:
        self.page, self.whole = page, whole
        self.images = os.path.relpath(site, target.parent)
        text = (site / f"{page}.html").read_text(encoding="utf-8")
        text, self.formulas = shortened(text)
        self.soup = BeautifulSoup(text, "html.parser")
        self.tag: Tag = self.soup.select_one("article.bd-article")
        shared = [s for s in self.soup.select("body svg:has(defs)") if self.tag not in s.parents]
        for svg in reversed(shared):
            self.tag.insert(0, svg.extract())
        for found in self.tag.select(", ".join(OUT)):
            found.decompose()
        for details in self.tag.find_all("details"):
            details["open"] = ""
        for element in self.tag.find_all(True):
            self._rename(element)
        self.tag["id"] = key(page)

    def __str__(self) -> str:
        """The article as HTML."""
        return SHORT.sub(lambda found: self.formulas[int(found[1])], str(self.tag))

    def _rename(self, element: Tag) -> None:
        for name in NAMED:
            if value := element.get(name):
                words = value.split() if isinstance(value, str) else value
                element[name] = " ".join(f"{key(self.page)}--{word}" for word in words)
        for name in LINKED:
            if value := element.get(name):
                element[name] = self.linked(value)
        if src := element.get("src"):
            element["src"] = self.local(src)
        for name, value in list(element.attrs.items()):
            if isinstance(value, str) and "url(#" in value:
                element[name] = URL.sub(rf"url(#{key(self.page)}--\1)", value)

    def linked(self, href: str) -> str:
        """A link of the page as it stands in the whole: within it, or to the site."""
        if re.match(r"[a-z][a-z+.-]*:|//", href):
            return href
        path, _, name = href.partition("#")
        page = self.path(path).removesuffix(".html") if path else self.page
        if page == "index":
            page = self.whole[0]
        if page in self.whole:
            return f"#{key(page)}--{name}" if name else f"#{key(page)}"
        return repository.site() + self.path(path) + (f"#{name}" if name else "")

    def local(self, src: str) -> str:
        """The path of a picture, from the whole."""
        return src if src.startswith("data:") else f"{self.images}/{self.path(src)}"

    def path(self, path: str) -> str:
        """A path relative to the page as one relative to the site."""
        return normpath(str(PurePosixPath(self.page).parent / path.split("?")[0]))

    def headings(self) -> Iterator[tuple[int, str, str]]:
        """Level, words and name of the page's headings of the first two levels."""
        for heading in self.tag.find_all(["h1", "h2"]):
            section = heading.find_parent("section")
            if section is not None and section.get("id"):
                yield int(heading.name[1]), " ".join(heading.get_text().split()), section["id"]


def _name_once(articles: list[Article]) -> None:
    """Leave a name to the first that has it: some extensions give one to every proof."""
    seen = set()
    for tag in (tag for article in articles for tag in article.tag.find_all(id=True)):
        if tag["id"] in seen:
            del tag["id"]
        else:
            seen.add(tag["id"])


def head(article: Article) -> str:
    """The style sheets of a page; formulas need nothing else."""
    parts = []
    for tag in article.soup.head.find_all(["link", "style"]):
        if tag.name == "link" and "stylesheet" in tag.get("rel", []):
            tag["href"] = article.local(tag["href"])
            parts.append(str(tag))
        elif tag.name == "style":
            parts.append(str(tag))
    return "\n".join(parts)


def contents(articles: list[Article]) -> str:
    """The table of contents; the numbers of its pages are filled in when these are known."""
    lines = [
        f'<li class="level-{level}"><a href="#{name}">{words}</a><span class="page"></span></li>'
        for article in articles[1:]
        for level, words, name in article.headings()
    ]
    return '<nav class="book-contents"><h2>Contents</h2><ul>' + "\n".join(lines) + "</ul></nav>"


def written(site: Path, target: Path) -> Path:
    """Write the whole book as one page of HTML.

    Args:
        site: the folder of the built site.
        target: the file to write; pictures and style sheets are taken from the site.

    Raises:
        FileNotFoundError: The site is not built, or a page of it is missing.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = pages()
    articles = [Article(site, page, whole, target) for page in whole]
    _name_once(articles)
    formulas = next(article for article in articles if re.search(r"/\d\d-", article.page))
    parts = [
        '<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head>'
        '<meta charset="utf-8"/><title>Breaking Symmetry</title>',
        head(formulas),
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>",
        str(articles[0]),
        contents(articles),
        *(str(article) for article in articles[1:]),
        "</body></html>",
    ]
    target.write_text("\n".join(parts), encoding="utf-8")
    return target
