"""Print the built site as one PDF, by Chromium.

    python tools/pdf.py [--site DIR] [--to FILE]

On which page each section is, for the table of contents, is known when all is printed: then what
stands before the chapters, and the contents, are printed again, and these pages take the place of
the first ones. Links between chapters lead to pages of the PDF.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import citing
import onepage
import pikepdf
from chrome import OPTIONS, chromium
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader
from repository import ROOT

SITE, PDF = ROOT / "_build" / "html", ROOT / "_build" / "breaking-symmetry.pdf"
MISSING = (
    "To print the book Chromium is needed, and none was found: install it (on Debian and Ubuntu, "
    "apt install chromium), or name where it is, CHROMIUM=/path/to/chromium make pdf."
)
FOOTER = (
    '<div style="font: 8pt sans-serif; width: 100%; text-align: center; color: #555">'
    '<span class="pageNumber"></span></div>'
)
SET = """async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map(i => i.decode().catch(() => null)));
}"""
# A number that is not known yet is as wide as any, and painted as one piece, like it.
NUMBER = """pages => {
    for (const line of document.querySelectorAll('nav.book-contents li')) {
        const name = decodeURIComponent(line.querySelector('a').hash.slice(1));
        line.querySelector('.page').textContent = pages ? pages[name] ?? '' : '000';
    }
}"""
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => heading.textContent)"
FRONT = "nav.book-contents ~ article { display: none }"  # no more than the contents


def printed(page: Page) -> bytes:
    """The page as a PDF with a number at the foot of each sheet, and an outline."""
    return page.pdf(
        prefer_css_page_size=True,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        outline=True,
        tagged=True,
    )


def numbers(pdf: bytes) -> dict[str, int]:
    """Name ↦ page, from 1, of the places in a PDF to which something in it links."""
    reader = PdfReader(io.BytesIO(pdf))
    found = reader.named_destinations.items()
    return {
        name.removeprefix("/"): reader.get_destination_page_number(place) + 1
        for name, place in found
    }


def mended(pdf: bytes, front: bytes, headings: list[str]) -> pikepdf.Pdf:
    """The PDF with other first pages, and an outline that opens and has the titles of the headings.

    Links and tags stay those that are there. Chromium doubles the title of a heading that it had to
    move to the next page, and loses the space where a heading goes on in the next line.
    """
    titles = {"".join(words.split()): " ".join(words.split()) for words in headings}
    book = pikepdf.open(io.BytesIO(pdf))
    with pikepdf.open(io.BytesIO(front)) as other:
        for page, printed_again in zip(book.pages, other.pages, strict=False):
            for name in ("/Contents", "/Resources"):
                page[name] = book.copy_foreign(other.make_indirect(printed_again.obj[name]))
    for entry in _entries(book.Root.Outlines):
        found = "".join(str(entry.Title).split())
        title = titles.get(found) or titles.get(found[: len(found) // 2])
        if title:
            entry.Title = pikepdf.String(title)
    book.Root.PageMode = pikepdf.Name.UseOutlines
    book.docinfo["/Title"], book.docinfo["/Author"] = "Breaking Symmetry", citing.names()
    return book


def _entries(node: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The entries of an outline below one of them, those below these included."""
    child = node.get("/First")
    while child is not None:
        yield child
        yield from _entries(child)
        child = child.get("/Next")


def make(site: Path, target: Path) -> int:
    """Print a site to a file; return the number of pages.

    Raises:
        RuntimeError: There is no Chromium.
        FileNotFoundError: The site is not built.
    """
    if chromium() is None:
        raise RuntimeError(MISSING)
    whole = onepage.written(site, target.parent / "pdf" / "book.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        page = browser.new_context(offline=True, color_scheme="light").new_page()
        page.set_default_timeout(0)
        page.goto(whole.as_uri(), wait_until="load")
        page.evaluate(SET)
        page.evaluate(NUMBER)
        pdf, headings = printed(page), page.evaluate(HEADINGS)
        page.evaluate(NUMBER, numbers(pdf))
        page.add_style_tag(content=FRONT)
        front = printed(page)
        browser.close()
    with mended(pdf, front, headings) as book:
        book.save(target)
        return len(book.pages)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the built site")
    parser.add_argument("--to", type=Path, default=PDF, help="the file to write")
    asked, start = parser.parse_args(), time.perf_counter()
    try:
        count = make(asked.site, asked.to)
    except RuntimeError as error:
        sys.exit(str(error))
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: build the site first, by make book.")
    size, took = asked.to.stat().st_size / 1e6, time.perf_counter() - start
    print(f"The book is at {asked.to.resolve().as_uri()}")
    print(f"{count} pages, {size:.1f} MB, {took:.0f} s")


if __name__ == "__main__":
    main()
