"""A real browser on the built site: Chromium where one is installed, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chrome import OPTIONS, chromium
from playwright.sync_api import Browser, Page, Request, sync_playwright

WIDE, PHONE = (1280, 900), (390, 844)  # CSS pixels


def pages(site: Path) -> list[str]:
    """Every page of the site, by its path; not those that only lead to another."""
    return [
        path.relative_to(site).as_posix()
        for path in sorted(site.rglob("*.html"))
        if site / "_static" not in path.parents and b'http-equiv="Refresh"' not in path.read_bytes()
    ]


@contextmanager
def started(*options: str) -> Iterator[Browser]:
    """Chromium, without a window, started with further options."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*OPTIONS, *options])
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
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
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
