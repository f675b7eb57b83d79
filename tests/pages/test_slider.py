"""The slider of chapter 05 shows the stored run, its frames are made of it, and it can be used."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import browsing
import frames
import numpy as np
import pytest
import slider
import tables
import torch
from matplotlib import colormaps
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from test_tables import differences, read

import rfm

LINES = read(frames.TABLE)
SHARED = {"own": False, "shared": True}
CHAPTER = "book/05-grokking.html"


# The frames


@pytest.fixture(scope="module")
def run() -> rfm.Run:
    """The whole run, made again."""
    return frames.setting().run()


def test_the_run_is_that_of_the_stored_table() -> None:
    """Counts of right points come out the same in two tables that were made apart."""
    stored = read(tables.DATA / "grokking_course.csv")[0]
    columns = frames.setting().columns
    assert all(line[name] == stored[name] == columns[name] for line in LINES for name in columns)
    assert [line["t"] for line in LINES] == [str(t) for t in range(len(LINES))]
    assert " ".join(line["right"] for line in LINES) == stored["course"]
    assert LINES[1]["votes"] == stored["votes_first"]
    assert LINES[int(stored["flat"]) - 1]["votes"] == stored["votes_flat"]


def test_the_table_comes_out_the_same_again(run: rfm.Run) -> None:
    fresh = frames.rows(run, frames.setting().columns)
    assert len(fresh) == len(LINES)
    exact = {"train_size", "train_right", "points", "right", "votes", "t"}
    for line, again in zip(LINES, fresh.to_dict("records"), strict=True):
        numbers = {name: float(again[name] or "nan") for name in ("largest", "size", "deviation")}
        stored = {name: line[name] or "nan" for name in numbers} | {n: line[n] for n in exact}
        assert differences(stored, numbers | {n: again[n] for n in exact}) == []
        profiles = [[float(v) for v in row["profile"].split()] for row in (line, again)]
        assert profiles[0] == pytest.approx(profiles[1], abs=2e-3)


@pytest.mark.parametrize("name", SHARED)
def test_the_pictures_come_out_the_same_again(run: rfm.Run, name: str) -> None:
    stored = frames.pictures(frames.SHEETS / f"{name}.png", len(LINES)).astype(int)
    fresh = frames.shades(frames.metrics(run), SHARED[name]).astype(int)
    assert stored.shape == fresh.shape
    assert np.abs(stored - fresh).max() <= 1  # rounding may decide between two shades
    assert (stored != fresh).mean() < 1e-3


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("t", [1, 10, 29])
def test_a_picture_is_what_the_table_says(run: rfm.Run, name: str, t: int) -> None:
    """Its colours, against matplotlib on the metric, with the end of the scale from the table."""
    end = float(LINES[t if name == "own" else -1]["largest"])
    assert name == "own" or end == max(float(line["largest"]) for line in LINES)
    M = run.history[t].numpy().copy()
    np.fill_diagonal(M, 0)
    wanted = colormaps["RdBu_r"]((M / end + 1) / 2)[:, :, :3]
    with Image.open(frames.SHEETS / f"{name}.png") as image:
        sheet = np.asarray(image.convert("RGB")) / 255
    row, column = divmod(t, 6)
    found = sheet[122 * row : 122 * (row + 1), 122 * column : 122 * (column + 1)]
    assert np.abs(found - wanted).max() < 0.03


def test_mean_votes_by_class_against_counting() -> None:
    task = rfm.addition(5)
    split = rfm.random_split(task, 0.6, seed=1)
    A = torch.randn(10, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    M = A + A.T
    C, sums = M[5:, :5], [0.0] * 5
    for a, b in split.test.tolist():
        for r in range(5):
            voters = [(c, d) for c, d in split.train.tolist() if (c + d) % 5 == r]
            votes = [float(C[b, c] + C[d, a]) ** 2 for c, d in voters]
            sums[(r - a - b + 2) % 5] += sum(votes) / len(votes)
    assert frames.profile(M, split) == pytest.approx([5 * value / sum(sums) for value in sums])


def test_pictures_are_found_on_a_sheet(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).integers(0, 2 * frames.LEVELS + 1, (8, 4, 4), np.uint8)
    frames.sheet(drawn).save(tmp_path / "sheet.png")
    assert (frames.pictures(tmp_path / "sheet.png", 8) == drawn).all()


def test_the_slider_is_light_and_fits_its_sheets() -> None:
    assert slider.COLUMNS == frames.COLUMNS
    assert frames.COLOURS in Path(slider.__file__).read_text(encoding="utf-8")
    weight = sum(path.stat().st_size for path in frames.SHEETS.iterdir()) + len(slider.markup())
    assert weight < 700_000


# On the page


@contextmanager
def opened(
    browser: Browser, site: Path, size: tuple[int, int] = browsing.WIDE
) -> Iterator[tuple[Page, list[str]]]:
    """The chapter, the slider in view, and what goes wrong there or is asked of a network."""
    with browsing.opened(browser, size) as (page, wrong):
        page.on("request", lambda request: wrong.extend(abroad(request.url)))
        page.goto((site / CHAPTER).as_uri())
        page.locator(".slider").scroll_into_view_if_needed()
        expect(page.locator("canvas")).to_have_attribute("data-shown", f"own {slider.FIRST}")
        yield page, wrong


def abroad(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:")) else [url]


@pytest.fixture(scope="module")
def window(browser: Browser, site: Path) -> Iterator[tuple[Page, list[str]]]:
    """One window for many tests."""
    with opened(browser, site) as window:
        yield window


@pytest.fixture
def page(window: tuple[Page, list[str]]) -> Iterator[Page]:
    """That window, the slider where it begins. Nothing may go wrong."""
    page, wrong = window
    page.emulate_media(media="null", reduced_motion="null")
    page.get_by_label("of this picture").check()
    handle_of(page).fill(str(slider.FIRST))
    expect(page.locator("canvas")).to_have_attribute("data-shown", f"own {slider.FIRST}")
    yield page
    assert wrong == []


def handle_of(page: Page) -> Locator:
    return page.get_by_role("slider", name="Iterations done")


ALONE = "position: fixed; left: 0; top: 0; width: 122px; height: 122px; z-index: 9999"


@contextmanager
def alone(page: Page) -> Iterator[None]:
    """The picture where a pixel of the screen is an entry."""
    picture = page.locator("canvas")
    picture.evaluate("(canvas, style) => canvas.setAttribute('style', style)", ALONE)
    yield
    picture.evaluate("canvas => canvas.removeAttribute('style')")


def colours(page: Page) -> np.ndarray:
    """The colours of the picture that is alone, (122, 122, 3)."""
    seen = page.screenshot(clip={"x": 0, "y": 0, "width": 122, "height": 122})
    return np.asarray(Image.open(io.BytesIO(seen)).convert("RGB")).astype(int)


def stored_colours(name: str, t: int) -> np.ndarray:
    shades = frames.pictures(frames.SHEETS / f"{name}.png", len(LINES))[t]
    return frames.palette()[shades].astype(int)


def agree(page: Page, name: str, t: int) -> bool:
    """Whether picture t of a sheet is seen."""
    with alone(page):
        return np.abs(colours(page) - stored_colours(name, t)).max() <= 1


def test_keys_go_through_the_table(page: Page) -> None:
    """Each iteration's numbers are those of its row, its picture that of the sheet."""
    handle = handle_of(page)
    handle.focus()
    page.keyboard.press("Home")
    with alone(page):
        for t, line in enumerate(LINES):
            expect(handle).to_have_value(str(t))
            words = f"{t} of {len(LINES) - 1} iterations"
            expect(handle).to_have_attribute("aria-valuetext", words)
            expect(page.locator("canvas")).to_have_attribute("data-shown", f"own {t}")
            assert np.abs(colours(page) - stored_colours("own", t)).max() <= 1, t
            check_words(page, t, line)
            page.keyboard.press("ArrowRight")
    assert not agree(page, "own", 10), "any picture would have passed"


def check_words(page: Page, t: int, line: dict[str, str]) -> None:
    """What is said of iteration t are the numbers of its row."""
    says = page.locator(".slider output")
    bold = [int(text) for text in says.locator("b").all_inner_texts()]
    assert bold == [int(line["votes"]), int(line["right"])]
    text = says.inner_text().replace("\n", "")
    assert f"of {line['points']} test" in text
    assert f"{line['train_right']} of {line['train_size']} training" in text
    if t:
        assert f"deviation {float(line['deviation']):.2f}." in text
        assert f"is {float(line['size']):.3f} of" in text
        share = f"({100 * int(line['votes']) / int(line['points']):.1f} %)"
        assert share in text


def test_the_charts_follow(page: Page) -> None:
    """The marker stands on the lines, and the bars are the stored votes."""
    for t in (0, 13, 29):
        handle_of(page).fill(str(t))
        for kind, column, of in (("vote", "votes", "points"), ("machine", "right", "points")):
            dot = page.locator(f"circle.slider-{kind}")
            x, y = (float(dot.get_attribute(name)) for name in ("cx", "cy"))
            points = page.locator(f"polyline.slider-{kind}").first.get_attribute("points").split()
            assert points[t] == f"{x:.1f},{y:.1f}"
            low, high = 144, 8  # where 0 % and 100 % are drawn
            share = int(LINES[t][column]) / int(LINES[t][of])
            assert (low - y) / (low - high) == pytest.approx(share, abs=1e-6)
        heights = page.locator(".slider-votes rect").evaluate_all(
            "bars => bars.map((bar) => Number(bar.getAttribute('height')))"
        )
        stored = [float(value) for value in LINES[t]["profile"].split()] or [0.0] * 61
        assert [2 * height / 136 for height in heights] == pytest.approx(stored, abs=1e-6)


def test_dragging_changes_the_picture(page: Page) -> None:
    box = handle_of(page).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 10 / 29, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, middle, steps=5)
    page.mouse.up()
    expect(page.locator("canvas")).to_have_attribute("data-shown", "own 29")
    assert agree(page, "own", 29)


def test_one_scale_for_all_pictures(page: Page) -> None:
    handle_of(page).fill("12")
    page.get_by_label("of all pictures").check()
    expect(page.locator("canvas")).to_have_attribute("data-shown", "shared 12")
    assert agree(page, "shared", 12)
    end = f"+{max(float(line['largest']) for line in LINES):.2g}"
    assert page.locator(".slider-high").inner_text() == end
    page.get_by_label("of this picture").check()
    end = f"+{float(LINES[12]['largest']):.2g}"
    expect(page.locator(".slider-high")).to_have_text(end)


def test_it_plays_to_the_end_and_can_be_stopped(page: Page) -> None:
    handle, says = (
        handle_of(page),
        page.locator(".slider output"),
    )
    handle.fill("26")
    page.get_by_role("button", name="Play").click()
    expect(says).to_have_attribute("aria-live", "off")
    expect(handle).to_have_value("29")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(says).to_have_attribute("aria-live", "polite")
    page.get_by_role("button", name="Play").click()  # from the start
    page.get_by_role("button", name="Pause").click()
    before = handle.input_value()
    assert int(before) < 5
    page.wait_for_timeout(1000)
    assert handle.input_value() == before


def test_nothing_moves_for_those_who_want_it_so(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    handle = handle_of(page)
    page.get_by_role("button", name="Next").click()
    page.wait_for_timeout(1000)
    assert handle.input_value() == str(slider.FIRST + 1)


@pytest.mark.parametrize("size", [browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])
def test_it_fits_and_is_accessible(browser: Browser, site: Path, size: tuple[int, int]) -> None:
    with opened(browser, site, size) as (page, wrong):
        inside = page.evaluate(
            "[...document.querySelectorAll('.slider *')].every(e => e.getBoundingClientRect().right"
            " <= document.querySelector('.slider').getBoundingClientRect().right + 1)"
        )
        assert inside
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wrong == []
        browsing.alone(page, "#fig-frames")
        for t in (0, 10):
            handle_of(page).fill(str(t))
            found = browsing.axe(page, "#fig-frames")
            browsing.show(page, "dark")
            found += browsing.colours(page, "#fig-frames")
            browsing.show(page, "light")
            assert [(one["rule"], one["html"]) for one in found] == []


def test_in_print_the_still_picture_stands_there(page: Page) -> None:
    picture = page.locator("#fig-frames > img")
    expect(picture).to_be_hidden()
    page.emulate_media(media="print")
    expect(picture).to_be_visible()
    expect(page.locator(".slider")).to_be_hidden()


def test_without_a_script_the_still_picture_stands_there(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    try:
        page = context.new_page()
        page.goto((site / CHAPTER).as_uri())
        expect(page.locator("#fig-frames > img")).to_be_visible()
        expect(page.locator(".slider")).to_be_hidden()
        alt = page.locator("#fig-frames > img").get_attribute("alt")
        assert f"{LINES[slider.FIRST]['right']} of {LINES[slider.FIRST]['points']}" in alt
    finally:
        context.close()


def test_the_first_picture_is_the_still_one() -> None:
    text = (tables.ROOT / "book" / "src" / "05-grokking.md").read_text(encoding="utf-8")
    assert re.search(r"^at = (\d+)", text, re.MULTILINE)[1] == str(slider.FIRST)


def test_only_that_page_loads_it(site: Path) -> None:
    loading = {
        path.relative_to(site).as_posix()
        for path in site.rglob("*.html")
        if "slider/slider." in path.read_text(encoding="utf-8")
    }
    assert loading == {CHAPTER}
