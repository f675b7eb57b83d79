"""Ways into the book and out of it: times, map, previews, icons, downloads, tables, citation."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import unicodedata
from bisect import bisect
from copy import copy
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import browsing
import chrome
import citing
import claims_map
import descriptions
import icons
import made
import nbformat
import notebooks
import numpy as np
import onepage
import pdf
import pikepdf
import pypdfium2
import pytest
import reading
import repository
import sharing
import statements
import test_ledger
import yaml
from bs4 import BeautifulSoup, Tag
from PIL import Image
from playwright.sync_api import Browser
from pybtex.database import BibliographyData, parse_string
from pypdf import PdfReader

CHAPTERS = [path.stem for path in notebooks.sources() if path.stem[:2].isdigit()]
LANDING, MAP, TABLES = "book/index.html", "book/map.html", "book/data.html"


def parsed(path: Path) -> BeautifulSoup:
    """A page, of its formulas the words."""
    text, _ = onepage.shortened(path.read_text("utf-8"))
    return BeautifulSoup(text, "html.parser")


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """Every page of the site by its path, but for templates of the theme and the source code."""
    return {
        path.relative_to(site).as_posix(): parsed(path)
        for path in sorted(site.rglob("*.html"))
        if not {"_static", "_modules"} & set(path.parts)
    }


def words_of(tag: object) -> str:
    """The words of a part of a page, one space between."""
    return " ".join(tag.get_text(" ").split())


# Reading times


def counted(stem: str) -> int:
    """Words of prose that a chapter's text counts for, by lines and patterns, without Sphinx."""
    text = (notebooks.SOURCES / f"{stem}.md").read_text("utf-8").split("\n---\n", 1)[1]
    nb = nbformat.read(notebooks.BOOK / f"{stem}.ipynb", as_version=4)
    values = glued(nb)
    text = re.sub(r"\{glue:text\}`([^`]+)`", lambda m: values.get(m[1], m[1]), text)
    total = 0
    for cell in re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", text, re.M | re.S):
        options = re.match(r"(?:---\n(.*?)^---\n|((?::[^\n]*\n)*))", cell, re.M | re.S)
        said = options[0] or ""
        if not re.search(r"hide-input|remove-(?:input|cell)|hide-cell", said):
            code = cell[len(said) :].splitlines()
            total += 8 * sum(bool(line.strip()) for line in code)
        if caption := re.search(r"caption:(.*?)(?=^ {4}\w+:|^tags|^  image|\Z)", said, re.M | re.S):
            total += plain(caption[1])
    prose = re.sub(r"^```\{code-cell\}.*?^```$", "", text, flags=re.M | re.S)
    prose = re.sub(
        r"^(`{3,})\{solution-start\}.*?\{solution-end\}\n\1$", "", prose, flags=re.M | re.S
    )
    prose = re.sub(r"^(`{3,})\{solution\}.*?^\1$", "", prose, flags=re.M | re.S)
    shown = 0
    inside = False  # of a solution
    for cell in nb.cells:
        inside = inside or "{solution-start}" in cell.source
        inside = inside and "{solution-end}" not in cell.source
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and not inside and "remove-output" not in tags:
            kinds = [out.get("data", {}) for out in cell.outputs]
            pictures = {"image/png", "text/html", "text/markdown"}
            shown += sum(bool(pictures & kind.keys()) for kind in kinds)
    return total + plain(prose) + 40 * shown


def glued(nb: nbformat.NotebookNode) -> dict[str, str]:
    """What is glued in a notebook as text, by name: a number, or a whole sentence."""
    found = {}
    for out in (out for cell in nb.cells for out in cell.get("outputs", [])):
        name = out.get("metadata", {}).get("scrapbook", {}).get("name")
        for kind, value in out.get("data", {}).items():
            if name and kind.endswith("text/plain"):
                found[name] = value.strip("'\"")
    return found


def plain(text: str) -> int:
    """Words and formulas of a piece of Markdown."""
    text, displays = re.subn(r"\$\$.*?\$\$", " ", text, flags=re.S)
    text, formulas = re.subn(r"\$[^$\n]+\$", " ", text)
    text = re.sub(r"^`{3,}\{[\w:-]+\}|^:[\w-]+:.*$|^\([\w-]+\)=$|^`{3,}$", " ", text, flags=re.M)
    text = re.sub(r"\{[\w:]+\}`([^`<]*)(?:<[^`]*>)?`", r"\1", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return 30 * displays + 3 * formulas + len(re.findall(r"[^\W_]+(?:['’.,-][^\W_]+)*", text))


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_chapter_says_how_long_it_takes(pages: dict[str, BeautifulSoup], stem: str) -> None:
    said = time_in(words_of(pages[f"book/{stem}.html"].select_one("h1 + .byline")))
    assert said == pytest.approx(counted(stem) / 200, rel=0.05, abs=1)


def time_in(words: str) -> int:
    """The first time in some words, in minutes."""
    hours, minutes = re.search(r"(?:(\d+) h )?(\d+) min", words).groups()
    return 60 * int(hours or 0) + int(minutes)


def test_the_landing_page_has_the_same_times(pages: dict[str, BeautifulSoup]) -> None:
    landing, total = pages[LANDING], 0
    for stem in CHAPTERS:
        card = landing.select_one(f'#the-chapters .sd-card:has(a[href="{stem}.html"])')
        byline = words_of(pages[f"book/{stem}.html"].select_one(".byline"))
        assert time_in(words_of(card.select_one(".sd-card-footer"))) == time_in(byline)
        total += time_in(byline)
    audience = words_of(landing.select_one("#who-it-is-for"))
    assert f"chapters are {reading.spelled(total)} of reading" in audience


def test_the_path_of_half_an_hour_is_one(pages: dict[str, BeautifulSoup]) -> None:
    path = pages[LANDING].select_one("#half-an-hour")
    times = [time_in(words_of(item)) for item in path.select("li")]
    assert sum(times) == time_in(words_of(path.p))
    assert 25 <= sum(times) <= 35
    for link in path.select("li a"):
        page, _, name = link["href"].partition("#")
        assert pages[f"book/{page}"].find(id=name), link["href"]


def test_the_rule_is_the_one_that_is_used(pages: dict[str, BeautifulSoup]) -> None:
    said = words_of(pages[LANDING].select_one("#how-reading-times-are-counted p"))
    names = {"three": 3, "thirty": 30, "eight": 8, "forty": 40}
    numbers = [names[word] for word in re.findall(r"\b(three|thirty|eight|forty)\b", said)]
    assert numbers == [reading.WEIGHTS[k] for k in ("formula", "display", "code", "figure")]
    assert f"{reading.PACE} words a minute" in said


# The map


def test_every_claim_of_the_ledger_is_on_the_map(pages: dict[str, BeautifulSoup]) -> None:
    rows = pages[MAP].select("#the-claims-of-the-ledger tbody tr")
    found = [
        (words_of(row.td).split(" ")[0].rstrip(":"), row.select("a")[-1]["href"]) for row in rows
    ]
    wanted = [
        (claim, test_ledger.LINK.search(cells[-1])["target"]) for claim, cells in test_ledger.rows()
    ]
    assert [claim for claim, _ in found] == [claim for claim, _ in wanted]
    for (_, link), (_, target) in zip(found, wanted, strict=True):
        page, _, name = link.partition("#")
        assert pages[f"book/{page}"].find(id=target), target
        section = pages[f"book/{page}"].find(id=name)
        assert target == name or section.find(id=target) or section.find_parent(id=target), link


def test_every_theorem_of_the_book_is_on_the_map(pages: dict[str, BeautifulSoup]) -> None:
    there = {a["href"] for a in pages[MAP].select("#what-is-proved li a")}
    kinds = "div.proof:not(.definition, .algorithm, .remark, .example):has(> .admonition-title)"
    wanted = {
        f"{stem}.html#{box['id']}"
        for stem in CHAPTERS
        for box in pages[f"book/{stem}.html"].select(kinds)
    }
    assert len(wanted) > 30
    assert there == wanted


def test_all_of_them_have_a_proof() -> None:
    found = [result for name in CHAPTERS for result in statements.results(name)]
    assert [result.label for result in found if not result.proved] == []
    assert "without a proof" not in claims_map.of_theorems()


def test_a_theorem_without_a_proof_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "```{prf:lemma} One\n:label: a\n```\n```{prf:theorem} Two\n:label: b\n```\n"
    monkeypatch.setattr(statements, "text", lambda name: text + "```{prf:proof}\n```\n")
    assert [result.proved for result in statements.results("01-x")] == [False, True]
    assert "(stated without a proof)" in claims_map.of_theorems()


def test_what_chapters_state_and_leave_open_is_there(pages: dict[str, BeautifulSoup]) -> None:
    page = pages[MAP]
    stated = page.select("#what-chapters-state-about-their-own-runs details")
    left = page.select("#what-is-open details")
    assert len(left) == len(CHAPTERS) + 1
    for stem, said, unsaid in zip(CHAPTERS, stated, left, strict=False):
        chapter = pages[f"book/{stem}.html"]
        rows = chapter.select("#does-it-hold-for-yours .cell_output tbody tr")
        assert [words_of(row.td) for row in rows] == [
            words_of(item).removesuffix(" (not stated)") for item in said.select("li")
        ]
        items = chapter.select("#what-this-did-not-show > ul > li")
        assert len(unsaid.select("li")) == len(items) > 0
    later = pages["book/since.html"].select("#what-this-did-not-show > ul > li")
    assert len(left[-1].select("li")) == len(later) > 0


@pytest.mark.parametrize(
    ("words", "ways"),
    [
        ("five draws", ("draws",)),
        ("Exhaustive: every pair", ("exhaustive",)),
        (
            "{prf:ref}`thm-a`; exhaustive in the reflections; ten seeds",
            ("proved", "exhaustive", "draws"),
        ),
        ("ours, proved", ("proved",)),
        ("{prf:ref}`thm-a` for one; five draws ours, measured", ("part", "draws")),
        ("unproved, and as drawn up", ("draws",)),
        ("in two runs", ("cases",)),
    ],
)
def test_how_a_claim_is_settled(words: str, ways: tuple[str, ...]) -> None:
    assert statements.how(words) == ways


def test_what_is_proved_names_its_proof() -> None:
    """In the ledger, and so on the map: what a claim says of itself its line settles."""
    rows = statements.ledger()
    for row in rows:
        said = {"proved", "part"} & {*row.how} or "(proved)" in row.statement
        assert bool(said) == bool(row.proofs), row.claim
    labels = {each.label for name in statements.chapters() for each in statements.results(name)}
    assert {label for row in rows for label in row.proofs} <= labels


# Previews and icons


def test_previews(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    home = repository.site()
    toc = yaml.safe_load((repository.ROOT / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    for name in [toc["root"], *files]:
        page = pages[f"{name}.html"]
        tags = {tag["property"]: tag["content"] for tag in page.select("head meta[property]")}
        assert tags["og:url"] == f"{home}{name}.html"
        assert tags["og:title"] == words_of(page.article.h1).rstrip(" #")
        assert tags["og:site_name"] == "Breaking Symmetry"
        assert tags["og:image"].startswith(home)
        assert (site / tags["og:image"].removeprefix(home)).exists()
        (described,) = page.select('head meta[name="description"]')
        assert described["content"] == tags["og:description"]
        assert 20 < len(tags["og:description"]) <= sharing.LENGTH
    landing, root = pages[LANDING], pages["index.html"]
    assert [str(t) for t in root.select("meta[property]")] == [
        str(t) for t in landing.select("meta[property]")
    ]


def test_descriptions_are_whole(pages: dict[str, BeautifulSoup]) -> None:
    for stem in CHAPTERS:
        (tag,) = pages[f"book/{stem}.html"].select('meta[name="description"]')
        assert tag["content"][-1] in ".?!…"


def test_icons_are_there_and_said_to_be_what_they_are(
    site: Path, pages: dict[str, BeautifulSoup]
) -> None:
    kinds = {".ico": None, ".svg": "image/svg+xml", ".png": None}
    for name, page in pages.items():
        links = page.select('link[rel="icon"], link[rel="apple-touch-icon"]')
        paths = [(site / name).parent / link["href"].split("?")[0] for link in links]
        assert [path.suffix for path in paths] == [".ico", ".svg", ".png"], name
        for path, link in zip(paths, links, strict=True):
            assert path.exists()
            assert link.get("type") == kinds[path.suffix]
    with Image.open(site / "favicon.ico") as icon:
        assert icon.format == "ICO"
        assert icon.info["sizes"] == {(size, size) for size in icons.SIZES}


def test_icons_are_those_of_the_logo(tmp_path: Path) -> None:
    icons.main(tmp_path)
    for name in ("favicon.ico", "apple-touch-icon.png"):
        with Image.open(tmp_path / name) as new, Image.open(icons.SITE / name) as stored:
            apart = np.abs(
                np.asarray(new.convert("RGBA"), int) - np.asarray(stored.convert("RGBA"))
            )
            assert apart.mean() < 2, f"{name}: run tools/icons.py"
    with Image.open(icons.SITE / "apple-touch-icon.png") as touch:
        assert touch.size == (180, 180)
        assert touch.mode == "RGB"


def test_an_icon_shows_the_logos_colours() -> None:
    picture = np.asarray(icons.drawn(48))
    assert picture[5, 5, :3].tolist() == [0xD1, 0x84, 0x2A]  # on the diagonal
    assert picture[5, 17, :3].tolist() == [0x3B, 0x6F, 0xB6]
    assert picture[12, 12, 3] == 0  # between


# What can be taken away


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_chapter_can_be_taken_along(
    site: Path, pages: dict[str, BeautifulSoup], stem: str
) -> None:
    page = pages[f"book/{stem}.html"]
    sources = {".ipynb": notebooks.BOOK / f"{stem}.ipynb", ".md": notebooks.SOURCES / f"{stem}.md"}
    links = [a["href"] for a in page.select(".byline a")]
    assert [Path(link).suffix for link in links] == list(sources)
    for link, source in zip(links, sources.values(), strict=True):
        assert (site / "book" / link).read_bytes() == source.read_bytes()
    button = [a["href"] for a in page.select(".dropdown-download-buttons a")]
    assert {link for link in links} <= set(button)


def test_every_table_can_be_taken_along(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    links = {words_of(a): a["href"] for a in pages[TABLES].select("a.download")}
    assert links.keys() == {path.name for path in descriptions.DATA.glob("*.csv")}
    for name, link in links.items():
        copy = site / "book" / unquote(link)
        assert copy.read_bytes() == (descriptions.DATA / name).read_bytes()


@pytest.mark.parametrize("path", sorted(descriptions.DATA.glob("*.csv")), ids=lambda p: p.stem)
def test_every_column_is_described_and_nothing_else(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    said = descriptions.meanings(path.stem)
    assert sorted(said) == sorted(columns)
    assert all(isinstance(meaning, str) and meaning.strip() for meaning in said.values())
    assert descriptions.what(path.stem)


def test_descriptions_are_of_tables_that_are_there(pages: dict[str, BeautifulSoup]) -> None:
    tables = descriptions.described()["tables"]
    assert tables.keys() == {path.stem for path in descriptions.DATA.glob("*.csv")}
    used = {group for table in tables.values() for group in table.get("groups", ())}
    assert used == descriptions.described()["groups"].keys()
    text = words_of(pages[TABLES].article)
    makefile = (repository.ROOT / "Makefile").read_text("utf-8")
    for name, table in tables.items():
        command = table.get("command", f"make tables NAME={name}")
        assert command in text
        for path in re.findall(r"tools/\w+\.py", command):
            assert (repository.ROOT / path).exists()
        for target in re.findall(r"make (\w+)", command):
            assert f"\n{target}:" in makefile


def test_a_column_described_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "groups": {"g": {"columns": {"a": "x"}}},
        "tables": {"t": {"groups": ["g"], "columns": {"a": "y"}}},
    }
    monkeypatch.setattr(descriptions, "described", lambda: said)
    with pytest.raises(ValueError, match="twice"):
        descriptions.meanings("t")


@pytest.mark.parametrize(
    "said", ["trap:withheld", "trap:nothing[seed=0]", "trap:withheld[task=none]", "no table", ""]
)
def test_a_stored_value_is_one(said: str) -> None:
    with pytest.raises(LookupError):
        made.stored(said)


def test_the_cover_says_what_the_tables_say(pages: dict[str, BeautifulSoup]) -> None:
    first = words_of(pages[LANDING].select_one("h1 + p"))
    with (descriptions.DATA / "single_moves.csv").open(encoding="utf-8") as file:
        (row,) = [row for row in csv.DictReader(file) if row["modulus"] == "61"]
    assert f"all {row['withheld']} missing" in first
    assert f"gets {row['withheld_right']} of them right" in first
    alt = pages[LANDING].select_one("figure.cover img")["alt"]
    assert f"0 of {row['withheld']} right" in alt
    assert f"{row['withheld_right']} of {row['withheld']} right" in alt


# Citation


def bibtex(pages: dict[str, BeautifulSoup]) -> BibliographyData:
    return parse_string(pages[LANDING].select_one("#how-to-cite pre").get_text(), "bibtex")


def bare(text: str) -> str:
    return " ".join(text.replace("{", "").replace("}", "").replace("\\`a", "à").split())


def test_the_entry_of_the_book_is_that_of_the_citation_file(
    pages: dict[str, BeautifulSoup],
) -> None:
    entry = bibtex(pages).entries["breakingsymmetry"]
    said = yaml.safe_load((repository.ROOT / "CITATION.cff").read_text("utf-8"))
    assert bare(entry.fields["title"]) == said["title"]
    assert bare(entry.fields["version"]) == str(said["version"])
    assert [bare(str(p)) for p in entry.persons["author"]] == [a["name"] for a in said["authors"]]
    assert entry.fields["url"] == repository.site()


def test_the_entry_of_the_paper_is_that_of_the_references(pages: dict[str, BeautifulSoup]) -> None:
    entry = bibtex(pages).entries["bernal2026breaking"]
    text = (notebooks.BOOK / "references.bib").read_text("utf-8")
    stored = parse_string(text, "bibtex").entries["bernal2026breaking"]
    for field in ("title", "year", "eprint"):
        assert bare(entry.fields[field]) == bare(stored.fields[field]), field
    names = [[bare(str(p)) for p in e.persons["author"]] for e in (entry, stored)]
    assert names[0] == names[1]
    assert citing.cff()["references"][0]["url"].endswith(stored.fields["eprint"])


# In a browser


@pytest.mark.parametrize("size", [browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_landing_page_tells_it_at_once(
    browser: Browser, site: Path, size: tuple[int, int], scheme: str
) -> None:
    """The sentence, the picture and the ways on stand above the fold."""
    with browsing.opened(browser, size, scheme) as (page, _):
        page.goto((site / LANDING).as_uri())
        for part in ("h1 + p", "figure.cover img", ".ways a"):
            boxes = [element.bounding_box() for element in page.locator(part).all()]
            assert boxes, part
            for box in boxes:
                assert 0 <= box["x"] <= box["x"] + box["width"] <= size[0], part
                assert box["y"] + box["height"] <= size[1], part


# The whole book on paper


@pytest.fixture(scope="module")
def paper(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the one page that is printed, and with the PDF where there is Chromium."""
    folder = tmp_path_factory.mktemp("paper")
    if chrome.chromium() is None:
        onepage.written(site, folder / "pdf" / "book.html")
        return folder
    target = folder / "book.pdf"
    command = [sys.executable, pdf.__file__, "--site", str(site), "--to", str(target)]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    assert target.as_uri() in run.stdout
    return folder


@pytest.fixture(scope="module")
def whole(paper: Path) -> BeautifulSoup:
    """The one page that is printed."""
    path = paper / "pdf" / "book.html"
    assert all(
        (path.parent / src).exists()
        for src in re.findall(r'src="(\.\./[^"?]+)', path.read_text("utf-8"))
    )
    return parsed(path)


def test_the_one_page_has_every_page_of_the_book(whole: BeautifulSoup) -> None:
    toc = yaml.safe_load((repository.ROOT / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    keys = [article["id"] for article in whole.select("article")]
    assert keys == ["index", *(Path(file).name for file in files if file not in onepage.SCREEN)]


def test_names_are_unique_and_links_lead_to_them(whole: BeautifulSoup) -> None:
    names = [tag["id"] for tag in whole.select("[id]")]
    assert len(names) == len(set(names))
    local = {a["href"][1:] for a in whole.select('a[href^="#"]')}
    assert len(local) > 500
    assert {unquote(name) for name in local} - set(names) == set()
    others = {a["href"] for a in whole.select('a[href]:not([href^="#"])')}
    assert [href for href in others if not re.match(r"https?://|mailto:", href)] == []


def shown(tag: Tag) -> str:
    """What a part of a page shows on paper: a picture's description, or words, no folded code."""
    part = copy(tag)
    for left in part.select("a.headerlink, details.hide, button"):
        left.decompose()
    return tag.get("alt") or words_of(part)


@pytest.mark.parametrize(
    "kind", ["figure img", "span.pasted-text", "div.proof", "div.exercise", "div.solution"]
)
def test_the_one_page_keeps_all_that_chapters_have(
    pages: dict[str, BeautifulSoup], whole: BeautifulSoup, kind: str
) -> None:
    articles = {article["id"]: article for article in whole.find_all("article")}
    for stem in CHAPTERS:
        there = articles[stem].select(kind)
        wanted = pages[f"book/{stem}.html"].select(f"article {kind}")
        assert [shown(tag) for tag in there] == [shown(tag) for tag in wanted]


def test_without_chromium_it_is_said_what_to_do(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "chromium", lambda: None)
    monkeypatch.setattr(
        "sys.argv", ["pdf.py", "--site", str(site), "--to", str(tmp_path / "x.pdf")]
    )
    with pytest.raises(SystemExit, match=r"Chromium is needed.*CHROMIUM="):
        pdf.main()
    assert not list(tmp_path.iterdir())


def test_without_a_site_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "chromium", lambda: "chromium")
    monkeypatch.setattr(
        "sys.argv", ["pdf.py", "--site", str(tmp_path), "--to", str(tmp_path / "x")]
    )
    with pytest.raises(SystemExit, match="make book"):
        pdf.main()


@pytest.fixture(scope="module")
def printed(paper: Path) -> PdfReader:
    """The book as a PDF; skipped where there is no Chromium."""
    if chrome.chromium() is None:
        pytest.skip("no Chromium found")
    return PdfReader(paper / "book.pdf")


@pytest.fixture(scope="module")
def texts(printed: PdfReader) -> list[str]:
    """The text of each page."""
    with pypdfium2.PdfDocument(printed.stream) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


@pytest.fixture(scope="module")
def sheets(texts: list[str]) -> list[str]:
    """The text of each page without its number, letters and digits only."""
    return [
        letters(text.rstrip().removesuffix(str(number))) for number, text in enumerate(texts, 1)
    ]


def letters(text: str) -> str:
    """Letters and digits of a text, ligatures taken apart."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))


def without_formulas(tag: Tag) -> str:
    """The words of a part of a page that are not in a formula."""
    part = copy(tag)
    for found in part.select(".math, mjx-container, math, svg, a.headerlink"):
        found.replace_with("\0")
    return part.get_text()


def across(piece: str, sheets: list[str]) -> bool:
    """Whether a piece begins on one page and ends on the next, among what else is there."""
    lengths = range(len(piece) + 1)
    for one, other in pairwise(sheets):
        begun = bisect(lengths, False, key=lambda k, one=one: piece[:k] not in one) - 1
        ended = bisect(
            lengths, False, key=lambda k, other=other: piece[len(piece) - k :] not in other
        )
        if begun + ended - 1 >= len(piece):
            return True
    return False


def test_the_pdf_has_the_text_of_every_chapter(
    sheets: list[str], pages: dict[str, BeautifulSoup]
) -> None:
    """Headings, paragraphs with their numbers, captions, theorems, exercises, solutions."""
    text, missing, asked = "".join(sheets), [], 0
    parts = "h1, h2, h3, p, figcaption, li > p, .proof-title, .admonition-title, dt, td"
    for stem in CHAPTERS:
        for part in pages[f"book/{stem}.html"].select_one("article").select(parts):
            if part.select_one(".byline .take") or part.find_parent("details") or part.find("p"):
                continue
            if part.name == "p" and "byline" in part.get("class", []):
                continue
            pieces = [letters(piece) for piece in without_formulas(part).split("\0")]
            asked += len(pieces)
            missing += [(stem, piece) for piece in pieces if piece not in text]
    assert asked > 4000
    assert [(stem, piece) for stem, piece in missing if not across(piece, sheets)] == []
    assert len(missing) < 100


def test_the_contents_name_the_pages(texts: list[str], sheets: list[str]) -> None:
    text = unicodedata.normalize("NFKC", "\n".join(texts[:15])).replace("\r\n", "\n")
    for number, stem in enumerate(CHAPTERS, 1):
        title = statements.title(stem)
        (line,) = re.findall(rf"^{number}\. {re.escape(title)} *(\d+)\b", text, re.M)
        assert sheets[int(line) - 1].startswith(letters(f"{number}. {title}")), title


def test_each_part_of_the_contents_has_its_page(
    printed: PdfReader, whole: BeautifulSoup, sheets: list[str]
) -> None:
    """The number behind it is that of the page to which its link leads."""
    there, found = printed.named_destinations, ""
    lines = whole.select("nav.book-contents li")
    for line in lines:
        place = there[f"/{unquote(line.a['href'][1:])}"]
        number = printed.get_destination_page_number(place) + 1
        found += f"{letters(words_of(line.a))}{number}"
    assert found in "".join(sheets[:15])
    assert len(lines) > 200


def test_what_a_reader_hears_is_what_a_page_shows(paper: Path, printed: PdfReader) -> None:
    """The pieces of a page are those to which its tags point, also where it was printed again."""
    with pikepdf.open(paper / "book.pdf") as book:
        tags = pikepdf.NumberTree(book.Root.StructTreeRoot.ParentTree)
        for page in book.pages[:40]:
            begun = [each.operands for each in pikepdf.parse_content_stream(page, "BDC")]
            pieces = sorted(int(about.MCID) for _, about in begun if "/MCID" in about)
            assert pieces == list(range(len(tags[int(page.StructParents)])))


def test_links_in_the_pdf_lead_within_it_or_to_the_net(printed: PdfReader) -> None:
    there, within = printed.named_destinations, 0
    for page in printed.pages:
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                within += 1
                assert link["/Dest"] in there
            else:
                assert re.match(r"https?://|mailto:", link["/A"]["/URI"])
    assert within > 1000


def test_the_pdf_has_an_outline(printed: PdfReader) -> None:
    """Of the chapters' titles, none of them doubled, and opened by a reader that can."""
    titles = [entry.title for entry in printed.outline if not isinstance(entry, list)]
    wanted = [f"{number}. {statements.title(stem)}" for number, stem in enumerate(CHAPTERS, 1)]
    assert [title for title in titles if re.match(r"\d", title)] == wanted
    assert printed.metadata.title == "Breaking Symmetry"
