"""A real browser on the built site: Chromium where one is installed, driven by Playwright.

What is wrong for those who read by ear, by keyboard or in the dark is found there by axe.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from chrome import OPTIONS, chromium
from playwright.sync_api import Browser, Page, Request, sync_playwright

WIDE, PHONE = (1280, 900), (390, 844)  # CSS pixels
BAD = ("error", "warning")  # in the console
COLOURS = ("color-contrast", "link-in-text-block")  # of axe's rules, those about them
AXE = {"resultTypes": ["violations"], "preload": False}  # a page from a file fetches nothing
AT_ONCE = "<style class=at-once>* { transition: none !important; }</style>"
SHOWN = """async ([scheme, style]) => {
  const { documentElement: root, head } = document;
  if (!document.querySelector(".at-once")) head.insertAdjacentHTML("beforeend", style);
  while (root.dataset.theme !== scheme) await new Promise(requestAnimationFrame);
}"""
FOUND = """async ([where, options]) => {
  const { violations } = await axe.run(where, options);
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, any }) => {
    return { rule: id, impact, html: html.slice(0, 200), data: any[0]?.data };
  }));
}"""
ALONE = """(wanted) => {
  const kept = new Set();
  for (let part of document.querySelectorAll(wanted))
    for (; part && !kept.has(part); part = part.parentElement) kept.add(part);
  const clear = (box) => {
    for (const part of box.children)
      if (!kept.has(part)) part.replaceChildren();
      else if (!part.matches(wanted)) clear(part);
  };
  clear(document.body);
}"""
CODE = re.compile(r'<div class="highlight"><pre>.*</pre></div>', re.DOTALL)  # of a listing


def pages(site: Path) -> list[str]:
    """Every page of the site, by its path; not those that only lead to another."""
    return [
        path.relative_to(site).as_posix()
        for path in sorted(site.rglob("*.html"))
        if site / "_static" not in path.parents and b'http-equiv="Refresh"' not in path.read_bytes()
    ]


def gathered(site: Path, folder: Path) -> dict[str, Path]:
    """The listings of source code on few pages, of which each has the code of all that are alike.

    Two are alike if they stand in one folder and differ in nothing but their name and their code.

    Args:
        site: the folder of the built site.
        folder: where these pages are written; what they load is the site's.

    Returns:
        The first listing of each kind, by its path, ↦ the page that stands for all of them.
    """
    kinds: dict[tuple[Path, str], list[tuple[Path, str]]] = defaultdict(list)
    for path in sorted((site / "_modules").rglob("*.html")):
        frame, code = _taken_apart(path, "/".join(path.relative_to(site).with_suffix("").parts[1:]))
        kinds[path.parent, frame].append((path, code))
    found = {}
    for number, alike in enumerate(kinds.values()):
        (first, own), target = alike[0], folder / f"listings-{number}.html"
        text = first.read_text(encoding="utf-8")
        text = text.replace(own, "".join(code for _, code in alike)) if own else text
        text = text.replace("<head>", f'<head><base href="{first.as_uri()}">')
        target.write_text(text, encoding="utf-8")
        found[first.relative_to(site).as_posix()] = target
    return found


def _taken_apart(listing: Path, name: str) -> tuple[str, str]:
    """What stands around the code of a listing, without the name of its module, and the code."""
    text = listing.read_text(encoding="utf-8")
    code = CODE.search(text)
    frame = CODE.sub("", text).replace(name, "").replace(name.replace("/", "."), "")
    return frame, code[0] if code else ""


@contextmanager
def started() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, size: tuple[int, int] = WIDE, scheme: str = "light"
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a fresh profile without a network, and what goes wrong on it as it happens.

    Args:
        browser: the browser.
        size: width and height in CSS pixels.
        scheme: ``light`` or ``dark``, what the reader's system prefers.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True
    )
    page, wrong = context.new_page(), []
    page.on("console", lambda said: said.type in BAD and wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.extend(_missing(request)))
    try:
        yield page, wrong
    finally:
        context.close()


def _missing(request: Request) -> list[str]:
    """That something is missing; what a page no longer asks for when it is left is not."""
    ended = request.url.startswith("blob:") or request.failure == "net::ERR_ABORTED"
    return [] if ended else [f"failed: {request.url} ({request.failure})"]


def show(page: Page, scheme: str) -> None:
    """Show a page in the light or in the dark, at once: no colour is on its way to another."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(SHOWN, [scheme, AT_ONCE])


def axe(page: Page, where: str = "html", **options: object) -> list[dict[str, Any]]:
    """What axe finds in a part of a page: each fault's rule, impact, element and data.

    Args:
        page: the page.
        where: a selector of the part.
        options: of axe, besides those that it always gets.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(FOUND, [where, AXE | options])


def colours(page: Page, where: str = "html") -> list[dict[str, Any]]:
    """What axe finds in the colours of a part of a page."""
    return axe(page, where, runOnly={"type": "rule", "values": COLOURS})


def alone(page: Page, wanted: str) -> None:
    """Leave of a page what is selected, and empty boxes around it: axe takes time for all else."""
    page.evaluate(ALONE, wanted)
