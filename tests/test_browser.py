"""Every page in a real browser, without a network."""

from __future__ import annotations

from pathlib import Path

import bench_pages
import browsing
import pytest
from playwright.sync_api import Browser

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


@SIZES
def test_nothing_goes_wrong_on_a_page(browser: Browser, site: Path, size: tuple[int, int]) -> None:
    """No error, every file there; formulas are typeset, have words, and widen no page."""
    found = {}
    with browsing.opened(browser, size) as (page, wrong):
        for name in browsing.pages(site):
            page.goto((site / name).as_uri(), wait_until="networkidle")
            bad = [*wrong, *page.evaluate(UNTYPESET), *page.evaluate(UNSPOKEN)]
            if bad:
                found[name] = bad
            wrong.clear()
    assert found == {}


@SIZES
def test_nothing_moves_while_one_reads(browser: Browser, site: Path, size: tuple[int, int]) -> None:
    moved = {}
    for name in bench_pages.names(site):
        found = bench_pages.measure(browser, site / name, size)
        print(f"{name}: {found['seconds']:.2f} s")  # what else the machine does decides that
        if found["reading"] > 0.001 or found["loading"] > 0.1:
            moved[name] = found
    assert moved == {}


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
