"""Measure how soon every page of the site stands, and whether it moves while one reads.

``.venv/bin/python tools/bench_pages.py`` prints the figures for the site that ``make book`` has
built; ``--write`` also writes them to ``book/data``, where "How it was computed" reads them.

Each page is opened from its file in Chromium, in a fresh profile without a network. It stands when
it is loaded, its fonts and formulas are there and painted, and nothing moves any more.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlsplit

import pandas as pd
import psutil
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pages"))

import browsing  # noqa: E402

TABLE = ROOT / "book" / "data" / "bench_pages.csv"
AIM = 1.0  # seconds

# Movements, each a time and the share of the window that moved, are noted from the first moment on.
# A frame is not waited for for ever: once in some thousand pages the browser paints no more.
WATCH = """
window.moved = [];
new PerformanceObserver(list => moved.push(...list.getEntries().map(e => [e.startTime, e.value])))
  .observe({type: "layout-shift", buffered: true});
window.painted = () => new Promise((next, stop) => {
  requestAnimationFrame(next);
  setTimeout(() => stop(new Error("nothing is painted")), 30000);
});
window.standing = new Promise(loaded => addEventListener("load", loaded)).then(async () => {
  await document.fonts.ready;
  await painted();
  await painted();
  const there = performance.now();
  await new Promise(next => setTimeout(next, 400));
  return Math.max(there, ...moved.map(m => m[0])) / 1000;
});
"""

# Scroll to the end, nine tenths of a window at a time; sum up what moved by itself meanwhile.
READ = """async () => {
  const before = moved.length;
  for (let y = 0; y < document.documentElement.scrollHeight; y += 0.9 * innerHeight) {
    scrollTo({top: y, behavior: "instant"});
    await painted();
  }
  await painted();
  return moved.slice(before).reduce((sum, m) => sum + m[1], 0);
}"""


def names(site: Path) -> list[str]:
    """Every page of the site but the listings of source code, by its path."""
    return [name for name in browsing.pages(site) if not name.startswith("_modules")]


def load(tab: Page, page: Path) -> set[str]:
    """Load a page from its file into an empty tab, and watch it; return what it loads."""
    loaded: set[str] = set()
    tab.on("request", lambda request: loaded.add(request.url))
    tab.add_init_script(WATCH)
    tab.goto(page.as_uri(), wait_until="load")
    return loaded


def stand(tab: Page, read: bool = True) -> dict[str, float]:
    """Wait until a page that was just loaded stands, and read it to its end or not at all.

    Returns:
        Seconds until it stood; the share of the window that moved while it loaded and while it was
        read.
    """
    found = {"seconds": tab.evaluate("standing")}
    found["loading"] = tab.evaluate("moved.reduce((sum, m) => sum + m[1], 0)")
    found["reading"] = tab.evaluate(READ) if read else 0.0
    return found


def measure(browser: Browser, page: Path, read: bool = True) -> dict[str, float]:
    """Open a page once, in a wide window, and read it to its end or not at all.

    Returns:
        What `stand` does; its formulas; bytes of the page and of all that it loads.
    """
    with browsing.opened(browser) as (tab, _):
        loaded = load(tab, page)
        found = stand(tab, read)
        found["formulas"] = tab.evaluate("document.querySelectorAll('.math').length")
    files = {unquote(urlsplit(url).path) for url in loaded if url.startswith("file:")}
    found["bytes"] = page.stat().st_size
    found["all bytes"] = sum(Path(file).stat().st_size for file in files)
    return found


def row(name: str, rounds: list[dict[str, float]], others: float) -> dict[str, object]:
    """What the table says of a page."""
    seconds = median(found["seconds"] for found in rounds)
    return {
        "page": name.removeprefix("book/").removesuffix(".html"),
        "formulas": rounds[0]["formulas"],
        "smallest": f"{min(found['seconds'] for found in rounds):.2f}",
        "median seconds": f"{seconds:.2f}",
        "page, kB": round(rounds[0]["bytes"] / 1000),
        "loaded, kB": round(max(found["all bytes"] for found in rounds) / 1000),
        "moved while loading": f"{max(found['loading'] for found in rounds):.3f}",
        "moved while reading": f"{max(found['reading'] for found in rounds):.3f}",
        "other programs, %": round(others),
        "met": "yes" if seconds <= AIM else "no",
    }


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name} to book/data")
    parser.add_argument("--rounds", type=int, default=5, help="how often each page is opened")
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait for rest")
    asked = parser.parse_args()
    if browsing.chromium() is None:
        sys.exit("No Chromium found: install it, or name it in CHROMIUM, to measure the pages.")
    if not asked.site.is_dir():
        sys.exit(f"There is no site in {asked.site}: make book builds it.")
    rows = []
    with browsing.started() as browser:
        for name in names(asked.site):
            page, deadline = asked.site.resolve() / name, time.monotonic() + asked.patience
            while (others := psutil.cpu_percent(interval=0.5)) > 10 and time.monotonic() < deadline:
                pass
            rounds = [measure(browser, page, read=i == 0) for i in range(asked.rounds)]
            rows.append(row(name, rounds, others))
            print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    if asked.write:
        table.to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
