"""The site is for everyone: read by ear, by keyboard, on a phone, in the dark, on paper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import accessible
import browsing
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def wide(browser: Browser) -> Iterator[Page]:
    """A wide window."""
    with browsing.opened(browser) as (page, _):
        yield page


def address(site: Path, name: str) -> str:
    """Where a page of the site is, as a browser is told."""
    return (site / name).as_uri()


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
        pdf = page.pdf(format="A4", page_ranges="1")  # the whole book is printed in test_ways
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
    "C07": "ledger.html#claim-c7",
    "claim 7": "ledger.html#claim-c7",
    "result N3": "ledger.html#claim-n3",
    "μ": "notation",
    "mu": "notation",
    "μ_+": "notation",
    "2604.00316": "references",
    "AGOP": "glossary",
    "odd part": "glossary",
    "ridge": "glossary",
    "C7": "ledger.html#claim-c7",
    "n5": "ledger.html#claim-n5",
    "stabilizer": "glossary",
    "analyze": "references",
    "Π": "notation",
    "how to rerun": "rerun",
    "centering": "glossary",
    "explorer": "explorer",
    "The notation": "notation",
    "×": "notation",
    "÷": "api.html#rfm.division",
    "⋆": "notation",
    "mod 61": "16-",
    "61": "16-",
}


def results(page: Page, site: Path, query: str) -> list[str]:
    """Type a query into the search field of the search page; addresses that come, best first."""
    if not page.url.startswith(address(site, "search.html")):
        page.goto(address(site, "search.html"))
    page.locator("button.search-button__button:visible").first.click()
    page.locator("input[name=q]:visible").first.fill(query)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_function(
        "(document.querySelector('.search-summary')?.innerText ?? '').length > 5"
    )
    links = page.locator("ul.search li > a")
    return links.evaluate_all("links => links.map((a) => a.getAttribute('href'))")


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


def test_the_sign_between_two_keys_is_seen_as_they_are(wide: Page, site: Path) -> None:
    """Which axe does not judge, a single character."""
    wide.goto(address(site, "search.html"))
    for scheme in ("light", "dark"):
        browsing.show(wide, scheme)
        pairs = wide.evaluate(
            """() => [...document.querySelectorAll(".search-button__kbd-shortcut")]
                .map((sign) => [sign, sign.firstElementChild])
                .map((both) => both.map((part) => getComputedStyle(part).color))"""
        )
        assert len(pairs) == 3
        assert [sign for sign, key in pairs if sign != key] == []


def test_an_address_within_a_page_names_one_place(site: Path) -> None:
    for name in browsing.pages(site):
        text = (site / name).read_text(encoding="utf-8")
        ids = Counter(re.findall(r'<[^<>]*\sid="([^"]*)"', text))
        assert [one for one, times in ids.items() if times > 1] == [], name


def test_search_says_when_there_is_nothing(wide: Page, site: Path) -> None:
    for query in ("the", "constructor", "__proto__"):
        assert results(wide, site, query) == []
    assert results(wide, site, "zzqqx") == []
    status = wide.locator(".search-summary")
    assert status.inner_text().startswith("Nothing was found that has all of these words.")
    assert status.get_attribute("role") == "status"
