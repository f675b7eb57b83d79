"""Every page in a real browser, without a network, in the light and in the dark."""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import product
from pathlib import Path

import bench_pages
import browsing
import notebooks
import pytest
from playwright.sync_api import Browser, Error, Page

SIZES = pytest.mark.parametrize("size", [browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])
CHAPTERS = [f"book/{source.stem}.html" for source in notebooks.sources()]

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

# What is within a formula does not scroll, and there is much of it.
SCROLLING = """() => [...document.querySelectorAll(".bd-article :not(mjx-container *)")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0
    && /auto|scroll/.test(getComputedStyle(e).overflowX))
  .map((e) => [e.tabIndex, e.tagName + "." + e.className])"""

# Hidden code included: all is opened meanwhile.
CUT = """() => {
  const boxes = [...document.querySelectorAll("details:not([open])")];
  const hidden = [...document.querySelectorAll(".toggle-hidden")];
  for (const box of boxes) box.open = true;
  for (const box of hidden) box.classList.remove("toggle-hidden");
  const cut = [...document.querySelectorAll("pre")]
    .filter((pre) => pre.scrollWidth > pre.clientWidth)
    .map((pre) => [pre.scrollWidth, pre.clientWidth, pre.textContent.slice(0, 40)]);
  for (const box of boxes) box.open = false;
  for (const box of hidden) box.classList.add("toggle-hidden");
  return cut;
}"""

# Of the letters of formulas, and of their words, which nobody sees, those stay in which there is a
# kind of element, or a colour, that was not there before.
FORMULAS = """() => {
  const seen = new Set();
  for (const part of document.querySelectorAll("mjx-math, mjx-assistive-mml")) {
    const kinds = [part.localName + part.getAttributeNames().join() + getComputedStyle(part).color];
    for (const inner of part.querySelectorAll("*"))
      kinds.push(inner.localName + inner.getAttributeNames().join());
    if (kinds.every((kind) => seen.has(kind)))
      if (part.textContent) part.replaceChildren(part.textContent);
      else part.remove();
    for (const kind of kinds) seen.add(kind);
  }
}"""
# The contrast of words is that of their colour and size with what is painted behind them; that of a
# link also with the words around it. So of those that have all of it in common three are judged, on
# all pages together. What was judged before is given; what is judged now comes back, look by look.
LOOKS = """(before) => {
  const plain = "rgba(0, 0, 0, 0)|none|1|none|normal|static", grounds = new Map();
  const style = getComputedStyle, ground = (box) => {
    if (!box) return "";
    if (!grounds.has(box)) {
      const s = style(box);
      const parts = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.mixBlendMode];
      const own = [...parts, s.position].join("|");
      grounds.set(box, (own === plain ? "" : own + "/") + ground(box.parentElement));
    }
    return grounds.get(box);
  };
  const seen = (part) => part.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const length = (part) => part.textContent.trim().length;
  const alike = (part, other) => ground(part) === ground(other) &&
    ["color", "font", "textShadow"].every((name) => style(part)[name] === style(other)[name]);
  const looks = [], parts = new Set(document.querySelectorAll("input, select, textarea, button"));
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    if (!walk.currentNode.data.trim()) continue;
    let part = walk.currentNode.parentElement;
    while (part.localName === "span" && alike(part, part.parentElement)) part = part.parentElement;
    parts.add(part);
  }
  for (const part of [...parts].filter(seen)) {
    const s = style(part), box = part.getBoundingClientRect();
    const size = [s.fontSize, s.fontWeight, box.width > 2 && box.height > 2];
    const off = part.closest("[disabled], [aria-disabled], [aria-hidden], label") !== null;
    const field = part.matches("input, select, textarea, button");
    const what = [field, off, length(part) > 1];
    looks.push([part, [s.color, s.textShadow, ...size, ...what, ground(part)].join()]);
  }
  for (const link of document.querySelectorAll("a[href], [role=link]")) {
    if (!length(link) || !seen(link)) continue;
    let block = link.parentElement;
    while (style(block).display === "inline") block = block.parentElement;
    const look = [link, block].flatMap((part) => {
      const s = style(part);
      return [s.display, s.color, s.font, s.textDecorationLine, s.border, s.outline, ground(part)];
    });
    const links = [...block.querySelectorAll("a, [role=link]")].map(length);
    const within = length(block) > 2 * links.reduce((sum, one) => sum + one);
    looks.push([block, ["link", within, ...look].join()]);
  }
  const judged = new Map(Object.entries(before)), now = [];
  for (const [part, look] of looks) {
    judged.set(look, (judged.get(look) ?? 0) + 1);
    if (judged.get(look) > 3) continue;
    part.toggleAttribute("data-judged", true);
    now.push(look);
  }
  return now;
}"""
# Words stand in many elements that say nothing but how they look. For all rules but those about
# colours the words are enough, and so they are for the formulas of which nothing else was left.
WORDS = """() => {
  const seen = (part) => part.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const plain = (part) => part.getAttributeNames().every((name) =>
    name === "style" ? !part.style.cssText.includes("!") : /^(class|data-|jax|display)/.test(name));
  const parts = [...document.querySelectorAll("span, code, em, strong, i")].filter((part) =>
    getComputedStyle(part).display === "inline" && seen(part) === seen(part.parentElement));
  const formulas = "mjx-container:not(:has(mjx-math, [data-judged], mjx-assistive-mml *))";
  for (const formula of document.querySelectorAll(formulas))
    parts.push(formula, ...formula.children);
  for (const part of parts)
    if (plain(part) && !part.matches("[data-judged], :has([data-judged])"))
      part.replaceWith(...part.childNodes);
  document.body.normalize();
}"""
BAD = ("critical", "serious")
ALL = {  # also what axe calls experimental; the last is slow, and moderate at worst
    "label-content-name-mismatch": {"enabled": True},
    **{rule: {"enabled": False} for rule in (*browsing.COLOURS, "region")},
}


class Judge:
    """Axe, which looks at one page after the other, and at most three times at what looks alike.

    Attributes:
        judged: how often words and links of each look were judged, in the light and in the dark.
    """

    def __init__(self) -> None:
        self.judged: dict[str, Counter[str]] = {"light": Counter(), "dark": Counter()}

    def faults(self, page: Page) -> list[tuple[str, str]]:
        """What is critical or serious on a page: rule and element. Little is left of the page."""
        self.mark(page)
        page.evaluate(WORDS)
        found = browsing.axe(page, rules=ALL)
        browsing.alone(page, "[data-judged]")
        for scheme in ("dark", "light"):
            browsing.show(page, scheme)
            found += browsing.colours(page)
        return [(fault["rule"], fault["html"]) for fault in found if fault["impact"] in BAD]

    def mark(self, page: Page) -> None:
        """Mark what is to be judged for its colours, in the light or in the dark."""
        page.evaluate(FORMULAS)
        for scheme, judged in self.judged.items():
            browsing.show(page, scheme)
            judged.update(page.evaluate(LOOKS, dict(judged)))


class Visit:
    """A page in a window, read to its end: what was there to see.

    Attributes:
        moved: how much moved while it loaded and while it was read, shares of the window.
        wrong: errors, and files that are missing.
        untypeset: TeX in what a reader sees.
        unspoken: formulas without words.
        width: of all that is on it, in pixels.
        scrolling: what scrolls sideways, each with its place among the stops of the keyboard.
        cut: code that is wider than its column.
        faults: what a judge finds, if there is one.
    """

    def __init__(self, tab: Page, wrong: list[str], judge: Judge | None = None) -> None:
        found = bench_pages.stand(tab)
        self.moved = found["loading"], found["reading"]
        print(f"{tab.url}: {found['seconds']:.2f} s")  # what else the machine does decides that
        self.look(tab, wrong, judge)

    def look(self, tab: Page, wrong: list[str], judge: Judge | None) -> None:
        """Look at a page that is there."""
        self.untypeset, self.unspoken = tab.evaluate(UNTYPESET), tab.evaluate(UNSPOKEN)
        self.width = tab.evaluate("document.scrollingElement.scrollWidth")
        self.scrolling = tab.evaluate(SCROLLING)
        self.cut = tab.evaluate(CUT)
        self.wrong = list(wrong)
        self.faults = judge.faults(tab) if judge else []

    def moves(self) -> bool:
        """Whether a reader would be disturbed."""
        return self.moved[0] > 0.1 or self.moved[1] > 0.001


class Glance(Visit):
    """Listings of source code, which nobody reads to their end, in a window that is there."""

    def __init__(self, tab: Page, wrong: list[str], page: Path, judge: Judge | None) -> None:
        wrong.clear()
        tab.goto(page.as_uri(), wait_until="load")
        self.look(tab, wrong, judge)


Visits = dict[tuple[int, int], dict[str, Visit]]


@pytest.fixture(scope="module")
def judge() -> Judge:
    """Who has seen every page once `visits` are made."""
    return Judge()


def windows(browser: Browser, page: Path, judge: Judge) -> tuple[Visit, Visit]:
    """Visit a page in a wide window and on a phone: while one is looked at, the other stands."""
    with browsing.opened(browser) as wide, browsing.opened(browser, browsing.PHONE) as phone:
        for tab, _ in (wide, phone):
            bench_pages.load(tab, page)
        return Visit(*wide, judge), Visit(*phone)


@pytest.fixture(scope="module")
def visits(
    browser: Browser, site: Path, judge: Judge, tmp_path_factory: pytest.TempPathFactory
) -> Visits:
    """Every page of the site, visited once in a window of each size; listings gathered.

    The judge comes to the wide one. What could not be visited is tried once more.
    """
    found: Visits = {browsing.WIDE: {}, browsing.PHONE: {}}
    for name in bench_pages.names(site):
        try:
            pair = windows(browser, site / name, judge)
        except Error:
            pair = windows(browser, site / name, judge)
        for seen, visit in zip(found.values(), pair, strict=True):
            seen[name] = visit
    listings = browsing.gathered(site, tmp_path_factory.mktemp("listings"))
    for size, seen in found.items():
        with browsing.opened(browser, size) as (tab, wrong):
            for name, page in listings.items():
                seen[name] = Glance(tab, wrong, page, judge if size == browsing.WIDE else None)
    assert {"search.html", "genindex.html", "book/api.html", *CHAPTERS} <= set(seen)
    return found


@SIZES
def test_nothing_goes_wrong_on_a_page(visits: Visits, size: tuple[int, int]) -> None:
    """No error, every file there; formulas are typeset, and have words."""
    found = {name: v.wrong + v.untypeset + v.unspoken for name, v in visits[size].items()}
    assert {name: bad for name, bad in found.items() if bad} == {}


@SIZES
def test_nothing_moves_while_one_reads(
    browser: Browser, site: Path, visits: Visits, size: tuple[int, int]
) -> None:
    """What has moved is opened twice more, and the least counts: a busy machine loads in pieces."""
    read = bench_pages.names(site)  # the listings of source code are left out
    suspect = [name for name in read if visits[size][name].moves()]
    again = {name: [alone(browser, site / name, size) for _ in range(2)] for name in suspect}
    moved = {name: found for name, found in again.items() if all(v.moves() for v in found)}
    assert {name: [visit.moved for visit in found] for name, found in moved.items()} == {}


def alone(browser: Browser, page: Path, size: tuple[int, int]) -> Visit:
    """Visit a page when no other one loads."""
    with browsing.opened(browser, size) as (tab, wrong):
        bench_pages.load(tab, page)
        return Visit(tab, wrong)


GROWS = """<!doctype html><title>t</title>
<html style="overflow-anchor: none"><p></p><h1 style="height: 400vh; background: gold">words</h1>
<script>
const grow = () => document.querySelector("p").style.height = "40vh";
const late = () => setTimeout(grow, 100);
</script>"""


@pytest.mark.parametrize(
    ("script", "moved"),
    [
        ("", [False, False]),
        ("addEventListener('load', late)", [True, False]),
        ("addEventListener('scroll', grow)", [False, True]),
    ],
    ids=["still", "loading", "reading"],
)
@SIZES
def test_what_moves_is_seen(
    browser: Browser, tmp_path: Path, size: tuple[int, int], script: str, moved: list[bool]
) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"{GROWS}<script>{script}</script>", encoding="utf-8")
    visit = alone(browser, page, size)
    assert [share > 0 for share in visit.moved] == moved
    assert visit.moves() == any(moved)


def test_no_page_is_wider_than_a_phone(visits: Visits) -> None:
    widths = {name: visit.width for name, visit in visits[browsing.PHONE].items()}
    assert {name: width for name, width in widths.items() if width > browsing.PHONE[0]} == {}


def test_code_fits_its_column(visits: Visits) -> None:
    cut = {name: visit.cut for name, visit in visits[browsing.WIDE].items()}
    assert {name: boxes for name, boxes in cut.items() if boxes} == {}


def test_what_scrolls_takes_the_focus(visits: Visits) -> None:
    """On a phone many tables and lines of code do."""
    boxes = {name: visit.scrolling for name, visit in visits[browsing.PHONE].items()}
    assert sum(map(len, boxes.values())) > 100
    missed = {name: [box for index, box in some if index < 0] for name, some in boxes.items()}
    assert {name: some for name, some in missed.items() if some} == {}


def test_axe_finds_nothing_serious_in_light_or_dark(visits: Visits, judge: Judge) -> None:
    """All rules are asked; what does not depend on colours is looked at once."""
    assert min(map(len, judge.judged.values())) > 30
    faults = {name: visit.faults for name, visit in visits[browsing.WIDE].items()}
    assert {name: found for name, found in faults.items() if found} == {}


# One fault of each kind, where many others are alike, or where something was left out above.
PLANTED = """() => {
  const seen = (part) => !part.closest(".toggle, details");
  const last = (what) => [...document.querySelectorAll(what)].filter(seen).at(-1);
  const add = (where, html) => last(where).insertAdjacentHTML("beforeend", html);
  last("mjx-math *").tabIndex = 0;
  last("mjx-container").style.setProperty("letter-spacing", "0", "important");
  last(".highlight").innerHTML = "<div style='width: 9px; overflow: auto'>no way on</div>";
  add(".bd-article ul", "<span>no item</span>");
  add(".bd-article td", "<span><img src=''></span>");
  add(".bd-article p", "<button aria-label='else'>press <span>this</span></button>");
  add(".bd-article p", "<button><span><input aria-label=a></span>press</button>");
}"""
STRUCTURE = {
    *("aria-hidden-focus", "avoid-inline-spacing", "image-alt", "label-content-name-mismatch"),
    *("list", "nested-interactive", "scrollable-region-focusable"),
}
PLANTED_COLOURS = """(scheme) => {
  const style = document.createElement("style"), dark = scheme === "dark";
  style.textContent = `[data-theme=${scheme}] {
    .bd-article em.pale { color: ${dark ? "#555" : "#aaa"}; }
    .bd-article a.plain { color: ${dark ? "#99a" : "#667"}; text-decoration: none; }
  }`;
  document.head.append(style);
  const seen = (part) => !part.closest(".toggle, details");
  const where = [...document.querySelectorAll(".bd-article p")].filter(seen).at(-1);
  const words = "more words that stand around all that was added to this page";
  where.innerHTML += `<em class=pale>pale</em> ${words} <a class=plain href=x>${scheme}</a>`;
}"""


def test_axe_would_find_it(browser: Browser, site: Path) -> None:
    """On a page of which all was seen before, one fault of a kind does not get lost."""
    page, judge = (site / "book" / "08-every-held-out-point.html").as_uri(), Judge()
    with browsing.opened(browser) as (tab, _):
        tab.goto(page)
        assert judge.faults(tab) == []
        tab.goto(page)
        tab.evaluate(PLANTED)
        assert {rule for rule, _ in judge.faults(tab)} == STRUCTURE
        for scheme in ("light", "dark"):
            tab.goto(page)
            tab.evaluate(PLANTED_COLOURS, scheme)
            assert {rule for rule, _ in judge.faults(tab)} == {*browsing.COLOURS}


PALER = """() => {
  for (const part of document.querySelectorAll("h2, a, figcaption, footer *, pre span"))
    part.style.color = "#888";
  for (const part of document.querySelectorAll("table, .admonition")) part.style.opacity = 0.4;
  const near = "color-mix(in srgb, var(--pst-color-text-base), gray)";  // the colour of text
  for (const part of document.querySelectorAll("p a"))
    part.style = `text-decoration: none; color: ${near}`;
}"""


def test_the_few_that_are_judged_speak_for_all(browser: Browser, site: Path) -> None:
    """Where much of a page is made pale, they show every fault that the whole rules find."""
    few, every, judge = set(), set(), Judge()
    with browsing.opened(browser) as (page, _):
        for name in ("book/index.html", "book/explorer.html", "prf-prf.html"):
            page.goto((site / name).as_uri())
            page.evaluate(PALER)
            judge.mark(page)
            every |= pale(page)
            page.evaluate(WORDS)
            browsing.alone(page, "[data-judged]")
            few |= pale(page)
    assert few >= every
    assert {(scheme, rule) for scheme, rule, *_ in few} == {
        *product(("light", "dark"), browsing.COLOURS)
    }
    assert len(every) > 10


def pale(page: Page) -> set[tuple[object, ...]]:
    """The colours that are no good: letters, ground, size and weight."""
    found, keys = set(), ("fgColor", "bgColor", "fontSize", "fontWeight", "contrastRatio")
    for scheme in ("dark", "light"):
        browsing.show(page, scheme)
        for fault in browsing.colours(page):
            found.add((scheme, fault["rule"], *map((fault["data"] or {}).get, keys)))
    return found


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
