"""Every page in a real browser, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import bench_pages
import browsing
import pytest
from playwright.sync_api import Browser, Page

SIZES = pytest.mark.parametrize("size", [browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])

# TeX in what a reader sees, but for code.
UNTYPESET = r"""() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (parent.closest("script, style, code, pre, mjx-container")) continue;
    if (/\\[(\[]|\$\$|\\(frac|begin|mathbb)\b/.test(walk.currentNode.data))
      found.push(walk.currentNode.data);
  }
  return found;
}"""

UNSPOKEN = """() => [...document.querySelectorAll(".math")]
  .filter(formula => !formula.querySelector("mjx-assistive-mml math")?.textContent.trim())
  .map(formula => formula.outerHTML.slice(0, 200))"""


SCROLLING = """() => [...document.querySelectorAll(".bd-article *")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0
    && /auto|scroll/.test(getComputedStyle(e).overflowX))
  .map((e) => [e.tabIndex, e.tagName + "." + e.className])"""

# Hidden code included: everything is opened first.
CUT = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const box of document.querySelectorAll(".toggle-hidden"))
    box.classList.remove("toggle-hidden");
  return [...document.querySelectorAll("pre")]
    .filter((pre) => pre.scrollWidth > pre.clientWidth)
    .map((pre) => [pre.scrollWidth, pre.clientWidth, pre.textContent.slice(0, 40)]);
}"""


class Visit:
    """A page, opened in a window and read to its end: what was there to see.

    Attributes:
        moved: how much moved while it loaded and while it was read, shares of the window.
        wrong: errors, and files that are missing.
        untypeset: TeX in what a reader sees.
        unspoken: formulas without words.
        width: of all that is on it, in pixels.
        scrolling: what scrolls sideways, each with its place among the stops of the keyboard.
        cut: code that is wider than its column.
    """

    def __init__(self, browser: Browser, site: Path, name: str, size: tuple[int, int]) -> None:
        found = bench_pages.measure(browser, site / name, size, then=self.look)
        self.moved = found["loading"], found["reading"]
        print(f"{name}: {found['seconds']:.2f} s")  # what else the machine does decides that

    def look(self, page: Page, wrong: list[str]) -> None:
        """Look at a page that is there."""
        self.untypeset, self.unspoken = page.evaluate(UNTYPESET), page.evaluate(UNSPOKEN)
        self.width = page.evaluate("document.scrollingElement.scrollWidth")
        self.scrolling = page.evaluate(SCROLLING)
        self.cut = page.evaluate(CUT)
        self.wrong = list(wrong)


class Glance(Visit):
    """Listings of source code, which nobody reads to their end, in a window that is there."""

    def __init__(self, tab: Page, wrong: list[str], page: Path) -> None:
        wrong.clear()
        tab.goto(page.as_uri(), wait_until="load")
        self.look(tab, wrong)


@pytest.fixture(scope="module")
def visits(
    browser: Browser, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[tuple[int, int]], dict[str, Visit]]:
    """Every page of the site, visited once in a window of each size; listings gathered."""
    read = bench_pages.names(site)
    listings = browsing.gathered(site, tmp_path_factory.mktemp("listings"))

    @cache
    def visited(size: tuple[int, int]) -> dict[str, Visit]:
        found = {name: Visit(browser, site, name, size) for name in read}
        with browsing.opened(browser, size) as (tab, wrong):
            return found | {name: Glance(tab, wrong, page) for name, page in listings.items()}

    return visited


Visits = Callable[[tuple[int, int]], dict[str, Visit]]


@SIZES
def test_nothing_goes_wrong_on_a_page(visits: Visits, size: tuple[int, int]) -> None:
    """No error, every file there; formulas are typeset, and have words."""
    found = {name: v.wrong + v.untypeset + v.unspoken for name, v in visits(size).items()}
    assert {name: bad for name, bad in found.items() if bad} == {}


@SIZES
def test_nothing_moves_while_one_reads(
    browser: Browser, site: Path, visits: Visits, size: tuple[int, int]
) -> None:
    """What has moved is opened twice more, and the least counts: a busy machine loads in pieces."""

    def moves(visit: Visit) -> bool:
        return visit.moved[0] > 0.1 or visit.moved[1] > 0.001

    read = bench_pages.names(site)  # the listings of source code are left out
    suspect = [name for name, visit in visits(size).items() if name in read and moves(visit)]
    again = {name: [Visit(browser, site, name, size) for _ in range(2)] for name in suspect}
    moved = {name: found for name, found in again.items() if all(map(moves, found))}
    assert {name: [visit.moved for visit in found] for name, found in moved.items()} == {}


def test_no_page_is_wider_than_a_phone(visits: Visits) -> None:
    widths = {name: visit.width for name, visit in visits(browsing.PHONE).items()}
    assert {name: width for name, width in widths.items() if width > browsing.PHONE[0]} == {}


def test_code_fits_its_column(visits: Visits) -> None:
    cut = {name: visit.cut for name, visit in visits(browsing.WIDE).items()}
    assert {name: boxes for name, boxes in cut.items() if boxes} == {}


def test_what_scrolls_takes_the_focus(visits: Visits) -> None:
    """On a phone many tables and lines of code do."""
    boxes = {name: visit.scrolling for name, visit in visits(browsing.PHONE).items()}
    assert sum(map(len, boxes.values())) > 100
    missed = {name: [box for index, box in some if index < 0] for name, some in boxes.items()}
    assert {name: some for name, some in missed.items() if some} == {}


def test_what_is_copied_has_the_source(browser: Browser, site: Path) -> None:
    """Of formulas in the selection, and of one whose part is selected."""
    with browsing.opened(browser) as (page, _):
        page.goto((site / "book" / "02-group-actions.html").as_uri())
        copied = page.evaluate(
            """() => {
              let text;
              document.addEventListener("copy", e => text = e.clipboardData.getData("text/plain"));
              const formula = document.querySelector("p mjx-container");
              getSelection().selectAllChildren(formula.closest("p"));
              document.execCommand("copy");
              return [text, formula.dataset.tex];
            }"""
        )
    text, source = copied
    assert f"${source}$" in text
    assert text.count("$") % 2 == 0


def test_listings_are_gathered(site: Path, tmp_path: Path) -> None:
    """On few pages, each of one kind; of none of them the code is missing."""
    found = browsing.gathered(site, tmp_path)
    listings = [name for name in browsing.pages(site) if name.startswith("_modules/")]
    texts = {path.parent: [] for path in map(Path, listings)}
    for name, page in found.items():
        texts[Path(name).parent].append(page.read_text(encoding="utf-8"))
    assert len(found) < 10 < len(listings)
    for name in listings:
        code = "".join(browsing.CODE.findall((site / name).read_text(encoding="utf-8")))
        assert any(code in text for text in texts[Path(name).parent]), name
        assert code or name in found


def test_a_listing_unlike_the_others_is_seen_itself(site: Path, tmp_path: Path) -> None:
    """A name may differ, and code; an attribute or a word around it may not."""
    copy = tmp_path / "_modules" / "rfm"
    copy.mkdir(parents=True)
    names = ("kernels", "machine", "splits", "tasks")
    for name in names:
        shutil.copy(site / "_modules" / "rfm" / f"{name}.html", copy)
    assert list(browsing.gathered(tmp_path, tmp_path)) == ["_modules/rfm/kernels.html"]
    for name, old, new in (("machine", "<h1>", '<h1 title="x">'), ("tasks", "Source", "Sauce")):
        text = (copy / f"{name}.html").read_text(encoding="utf-8")
        (copy / f"{name}.html").write_text(text.replace(old, new), encoding="utf-8")
    found = browsing.gathered(tmp_path, tmp_path)
    assert [Path(name).stem for name in found] == ["kernels", "machine", "tasks"]
