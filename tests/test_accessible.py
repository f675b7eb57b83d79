"""The site is for everyone: read by ear, by keyboard, on a phone, in the dark, on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import accessible
import bench_pages
import browsing
import notebooks
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

BAD = ("critical", "serious")
AXE = {  # every rule, also those that axe still calls experimental
    "resultTypes": ["violations"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}
# Letters of code and of formulas that look alike are looked at once: of all others on a page only
# the text is left. Two look alike if they have one class and stand on one ground. So it is with the
# words of formulas, which nobody sees: one is left as it is for every kind of element in them.
ALIKE = """() => {
  const seen = new Set(), alike = [];
  for (const part of document.querySelectorAll(".highlight span, .sig span, mjx-math")) {
    const formula = part.localName === "mjx-math";
    if (!formula && (part.children.length || part.id || part.title)) continue;
    const ground = [];
    for (let box = part.parentElement; box; box = box.parentElement)
      if (getComputedStyle(box).backgroundColor !== "rgba(0, 0, 0, 0)") ground.push(box.className);
    const look = [formula ? "formula" : part.className, getComputedStyle(part).color, ...ground];
    if (seen.has(look.join())) alike.push(part);
    else seen.add(look.join());
  }
  for (const part of alike)
    if (part.localName === "mjx-math") part.remove();
    else part.replaceWith(...part.childNodes);
  for (const words of document.querySelectorAll("mjx-assistive-mml")) {
    const parts = [...words.querySelectorAll("*")];
    const kinds = parts.map((part) => [part.localName, ...part.getAttributeNames()].join());
    if (kinds.every((kind) => seen.has(kind))) words.replaceChildren(words.textContent);
    for (const kind of kinds) seen.add(kind);
  }
  document.body.normalize();
}"""
# The contrast of words is that of their colour and size with what is painted behind them; of a
# link, with the words around it too. So of those that have all of it in common three are judged, on
# all pages together. What was judged before is given; what is judged now comes back, look by look.
CONTRAST = """(before) => {
  const plain = "rgba(0, 0, 0, 0)|none|1|none|normal|static", grounds = new Map();
  const seen = new Map(Object.entries(before)), now = [];
  const ground = (box) => {
    if (!box) return "";
    if (!grounds.has(box)) {
      const s = getComputedStyle(box);
      const parts = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.mixBlendMode];
      const own = [...parts, s.position].join("|");
      grounds.set(box, (own === plain ? "" : own + "/") + ground(box.parentElement));
    }
    return grounds.get(box);
  };
  const looks = [];
  for (const part of document.querySelectorAll("body, body *")) {
    const text = [...part.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("");
    const field = part.matches("input, select, textarea, button");
    if (!(field || text.trim()) || !part.checkVisibility({ visibilityProperty: true })) continue;
    const s = getComputedStyle(part), box = part.getBoundingClientRect();
    const size = [s.fontSize, s.fontWeight, box.width > 2 && box.height > 2];
    const off = part.closest("[disabled], [aria-disabled], [aria-hidden], label") !== null;
    const around = part.localName === "a" ? getComputedStyle(part.parentElement).color : "";
    const what = [field, off, text.trim().length > 1, around];
    looks.push([part, [s.color, s.textShadow, ...size, ...what, ground(part)].join()]);
  }
  for (const [part, look] of looks) {
    seen.set(look, (seen.get(look) ?? 0) + 1);
    part.toggleAttribute("data-judged", seen.get(look) <= 3);
    if (seen.get(look) <= 3) now.push(look);
  }
  return now;
}"""
JUDGED = ";axe.configure({rules: [{id: 'color-contrast', selector: '[data-judged]'}]});"
IN_THE_DARK = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
CHAPTERS = [f"book/{source.stem}.html" for source in notebooks.sources()]


@pytest.fixture(scope="module")
def pages(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page of the site that shows something, not a redirection; listings gathered."""
    found = {name: site / name for name in bench_pages.names(site)}
    assert {"search.html", "genindex.html", "book/api.html", *CHAPTERS} <= set(found)
    return found | browsing.gathered(site, tmp_path_factory.mktemp("listings"))


@pytest.fixture(scope="module")
def wide(browser: Browser) -> Iterator[Page]:
    """A wide window."""
    with browsing.opened(browser) as (page, _):
        yield page


def address(site: Path, name: str) -> str:
    """Where a page of the site is, as a browser is told."""
    return (site / name).as_uri()


def found(axe: Axe, page: Page, options: dict, judged: Counter[str]) -> list[tuple[str, str]]:
    """What axe finds on a page, of the two worst kinds: rule and element.

    Args:
        axe: axe.
        page: the page.
        options: of axe.
        judged: how often words of each look were judged on other pages, in this scheme. Those of
            this page are added; if there are none and nothing else is asked, axe is not.
    """
    new = page.evaluate(CONTRAST, dict(judged))
    judged.update(new)
    if not new and options is IN_THE_DARK:
        return []
    violations = axe.run(page, options=options).response["violations"]
    return [
        (v["id"], n["html"][:200]) for v in violations if v["impact"] in BAD for n in v["nodes"]
    ]


def test_axe_finds_nothing_serious_in_light_or_dark(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """No rule is off. What does not depend on colours is looked at once."""
    axe, wrong, seen = Axe(AXE_SCRIPT + JUDGED), {}, {"light": Counter(), "dark": Counter()}
    with browsing.opened(browser) as (page, _):
        for name, path in pages.items():
            page.emulate_media(color_scheme="light")
            page.goto(path.as_uri())
            page.add_style_tag(content="* { transition: none !important; }")  # colours at once
            page.evaluate(ALIKE)
            wrong[name, "light"] = found(axe, page, AXE, seen["light"])
            page.emulate_media(color_scheme="dark")
            page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
            wrong[name, "dark"] = found(axe, page, IN_THE_DARK, seen["dark"])
    assert len(seen["dark"]) > 30
    assert {where: what for where, what in wrong.items() if what} == {}


def test_axe_would_find_it(wide: Page) -> None:
    """The test above is not blind: it sees three faults that the site had."""
    wide.set_content(
        '<html lang="en"><title>t</title><main><dl><dd>a</dd></dl>'
        '<p style="color:#ccc">pale words</p>'
        '<button aria-label="something else">press this</button></main>'
    )
    seen = {rule for rule, _ in found(Axe(AXE_SCRIPT + JUDGED), wide, AXE, Counter())}
    assert seen == {"definition-list", "color-contrast", "label-content-name-mismatch"}


PALER = """() => {
  for (const part of document.querySelectorAll("h2, a, figcaption, footer *, pre span"))
    part.style.color = "#888";
  for (const part of document.querySelectorAll("table, .admonition")) part.style.opacity = 0.4;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_few_that_are_judged_speak_for_all(browser: Browser, site: Path, scheme: str) -> None:
    """Where much of a page is made pale, they show every fault that the whole rule finds."""
    pages = ("book/index.html", "book/ledger.html", "book/explorer.html", "genindex.html")
    few, every = ((axe, set()) for axe in (Axe(AXE_SCRIPT + JUDGED), Axe()))
    judged: Counter[str] = Counter()
    with browsing.opened(browser, scheme=scheme) as (page, _):
        for name in pages:
            page.goto(address(site, name))
            page.add_style_tag(content="* { transition: none !important; }")
            page.evaluate(PALER)
            judged.update(page.evaluate(CONTRAST, dict(judged)))
            for axe, faults in (few, every):
                faults |= contrasts(axe, page)
    assert few[1] == every[1]
    assert len(every[1]) > 5


def contrasts(axe: Axe, page: Page) -> set[tuple[str, ...]]:
    """The contrasts that are too low: letters, ground, size and weight."""
    options = AXE | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    violations = axe.run(page, options=options).response["violations"]
    faults = (node["any"][0]["data"] for v in violations for node in v["nodes"])
    keys = ("fgColor", "bgColor", "fontSize", "fontWeight")
    return {tuple(fault[key] for key in keys) for fault in faults}


def test_no_header_cell_is_empty() -> None:
    html = "<div><table><tr><th></th><th>a</th></tr><tr><th> </th><td></td></tr></table> λ</div>"
    assert accessible.table(html) == (
        "<div><table><tr><td></td><th>a</th></tr><tr><td> </td><td></td></tr></table> λ</div>"
    )


FOCUSED = """() => {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const opaque = parseFloat(style.opacity) > 0 && style.visibility === "visible";
    return {
        what: e.className + " " + e.tagName + " " + e.textContent.trim().slice(0, 40),
        visible: seen && opaque && box.width > 0 && box.height > 0,
    };
}"""


def test_a_chapter_can_be_read_with_the_keyboard_alone(wide: Page, site: Path) -> None:
    """Tab from the top: every stop shows itself, and all that can be pressed is a stop."""
    wide.goto(address(site, "book/05-grokking.html"))
    wide.add_style_tag(content="* { transition: none !important; }")
    stops = []
    while len(stops) < 600:
        wide.keyboard.press("Tab")
        stop = wide.evaluate(FOCUSED)
        if "BODY" in stop["what"]:
            break
        stops.append(stop)
    assert [stop["what"] for stop in stops if not stop["visible"]] == []
    assert "Skip to main content" in stops[0]["what"]
    reached = " | ".join(stop["what"] for stop in stops)
    for wanted in ("search-button", "theme-switch-button", "copybtn", "SUMMARY", "toggle-button"):
        assert wanted in reached, wanted
    copies = wide.locator("button.copybtn:visible").count()
    assert sum("copybtn" in stop["what"] for stop in stops) == copies


def test_keys_skip_switch_and_open(wide: Page, site: Path) -> None:
    wide.goto(address(site, "book/05-grokking.html"))
    wide.keyboard.press("Tab")
    wide.keyboard.press("Enter")
    assert wide.evaluate("location.hash") == "#main-content"
    modes = []
    for _ in range(3):
        wide.locator("button.theme-switch-button:visible").first.press("Enter")
        modes.append(wide.evaluate("document.documentElement.dataset.mode"))
    assert sorted(modes) == ["auto", "dark", "light"]
    hidden = wide.locator("details.hide").first
    hidden.locator("summary").press("Enter")
    assert hidden.evaluate("box => box.open")
    solution = wide.locator(".admonition.toggle-hidden").first
    handle = solution.element_handle()
    solution.locator("button.toggle-button").press("Enter")
    assert handle.evaluate("box => !box.classList.contains('toggle-hidden')")


@pytest.mark.parametrize("name", ["book/02-group-actions.html", "book/05-grokking.html"])
def test_paper_is_white_even_in_the_dark(browser: Browser, site: Path, name: str) -> None:
    """Dark on white, nothing hidden but what is pressed, code wrapped; and the screen stays."""
    with browsing.opened(browser, scheme="dark") as (page, _):
        page.goto(address(site, name))
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.emulate_media(media="print", color_scheme="dark")
        page.wait_for_function("document.documentElement.dataset.theme === 'light'")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        printed = page.evaluate(
            """() => {
                const all = (what) => [...document.querySelectorAll(what)];
                const seen = (e) => e.getClientRects().length > 0;
                const light = (colour) => {
                    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
                    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
                };
                const style = getComputedStyle;
                return {
                    paper: light(style(document.body).backgroundColor),
                    ink: Math.max(...all(".bd-article :is(p, li, td, h2, pre, pre span, a)")
                        .filter(seen).map((e) => light(style(e).color))),
                    controls: all(".bd-sidebar, .bd-header-article, .prev-next-footer, .copybtn")
                        .concat(all("summary, .headerlink, .toggle-button"))
                        .filter(seen).map((e) => e.className),
                    hidden: all(".bd-article pre, .solution p").filter((e) => !seen(e)).length,
                    cut: all(".bd-article pre")
                        .filter((e) => e.scrollWidth > e.clientWidth + 1).length,
                    kept: all(".bd-article pre")
                        .filter((e) => style(e).whiteSpace != "pre-wrap").length,
                };
            }"""
        )
        pdf = page.pdf(format="A4")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen", color_scheme="dark")
        page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        assert page.locator("details[open]").count() == 0
    assert pdf.startswith(b"%PDF")
    assert printed.pop("paper") > 0.999
    assert printed.pop("ink") < 0.6
    assert printed == {"controls": [], "hidden": 0, "cut": 0, "kept": 0}


FINDS = {  # what is typed, and the address that is among the first three
    "Tomàs": "references",
    "Tomas": "references",
    "tomas bernal": "references",
    "Rousseeuw": "references",
    "Veličković": "references",
    "velickovic": "references",
    "Π(g)": "notation",
    "Pi(g)": "notation",
    "sr^k": "notation",
    "λ": "notation",
    "lambda": "notation",
    "A[2]": "notation",
    "μ": "notation",
    "mu": "notation",
    "2604.00316": "references",
    "AGOP": "glossary",
    "odd part": "glossary",
    "ridge": "glossary",
    "C7": "ledger.html#claim-c7",
    "n5": "ledger.html#claim-n5",
}


def results(page: Page, site: Path, query: str) -> list[str]:
    """Type a query into the search field of the search page; addresses that come, best first."""
    page.goto(address(site, "search.html"))
    page.locator("button.search-button__button:visible").first.click()
    page.locator("input[name=q]:visible").first.fill(query)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(document.querySelector('.search-summary')?.innerText ?? '').length > 5"
    )
    links = page.locator("ul.search li > a").all()
    return [link.get_attribute("href") or "" for link in links]


@pytest.mark.parametrize("query", FINDS)
def test_search_finds_names_as_they_are_typed(wide: Page, site: Path, query: str) -> None:
    first = results(wide, site, query)[:3]
    assert any(FINDS[query] in link for link in first), first
    page, _, anchor = first[0].partition("#")
    assert not anchor or f'id="{anchor}"' in (site / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("author", ["Mallinar", "Belkin", "Radhakrishnan"])
def test_search_for_an_author_finds_the_pages_that_cite_them(
    wide: Page, site: Path, author: str
) -> None:
    """Second authors too, whose names stand in the references alone; each page once."""
    texts = {name: (site / name).read_text(encoding="utf-8") for name in browsing.pages(site)}
    references = BeautifulSoup(texts["book/references.html"], "html.parser")
    works = references.select("[role=listitem][id]")
    ids = [work["id"] for work in works if author in work.get_text()]
    citing = {n for n, text in texts.items() if any(f'references.html#{i}"' in text for i in ids)}
    links = [link.removeprefix("./") for link in results(wide, site, author) if "#" not in link]
    found = [link.partition("?")[0] for link in links]
    assert ids
    assert {name for name in citing if name.startswith("book/")} <= set(found)
    assert len(found) == len(set(found))


def test_search_says_when_there_is_nothing(wide: Page, site: Path) -> None:
    assert results(wide, site, "zzqqx") == []
    status = wide.locator(".search-summary")
    assert "did not match any documents" in status.inner_text()
    assert status.get_attribute("role") == "status"
