"""The explorer in a real browser, read from files and without a network.

What its scenes say is compared with what they compute, and that with `rfm`: the page's own lines of
Python are run. Everything can be done with the keyboard, and nothing that an address may hold
breaks the page.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path

import browsing
import pytest
import repository
from playwright.sync_api import Browser, Page, expect

import rfm

TRAP = "op=plus&n=19&steps=w:*0"
MOVED = f"{TRAP},m:1t&iterations=10"  # in the end some entries are right, some wrong
KINDS = {"withheld": rfm.Kind.WITHHELD, "moved": rfm.Kind.MOVED, "entries": rfm.Kind.RANDOM}
Course = list[dict[str, int]]


@pytest.fixture
def address(site: Path) -> str:
    """Where the explorer is."""
    return (site / "book" / "explorer.html").as_uri()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One window for many tests, and what goes wrong in it."""
    with browsing.opened(browser) as opened:
        yield opened


@pytest.fixture
def tab(window: tuple[Page, list[str]]) -> Iterator[Page]:
    """That window, empty. Nothing may go wrong in it in the course of a test."""
    tab, wrong = window
    tab.goto("about:blank")
    tab.emulate_media(media="null", reduced_motion="null")
    tab.mouse.move(0, 0)
    wrong.clear()
    yield tab
    assert wrong == []


@pytest.fixture
def page(tab: Page, address: str) -> Page:
    """The explorer as it opens."""
    go(tab, address)
    return tab


def go(page: Page, address: str) -> None:
    if page.url != "about:blank":  # another # alone would not load the page anew
        page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#explorer[data-ready]")


def kept(page: Page) -> str:
    return page.inner_text(".x-kept-name")


def cell(page: Page, a: int, b: int, n: int = 19) -> str:
    return f'.x-cell[data-i="{a * n + b}"]'


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def run(page: Page) -> None:
    """Run to the end."""
    page.click(".x-run")
    page.wait_for_function(
        """() => {
        const [at, total] = document.querySelector(".x-told").textContent.match(/\\d+/g);
        return at === total;
    }"""
    )


def course(page: Page) -> Course:
    """How many of each kind are right at each iteration, read by drawing the slider along."""
    return page.evaluate(
        """() => {
        const slider = document.querySelector(".x-slide input"), course = [];
        for (let t = 1; t <= Number(slider.max); t++) {
            slider.value = t;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            const all = [...document.querySelectorAll(".x-figure")].map((figure) => {
                const [number, name] = [...figure.children].map((child) => child.textContent);
                return [name.split(" ")[0], parseInt(number)];
            });
            course.push(Object.fromEntries(all));
        }
        return course;
    }"""
    )


def by_the_package(python: str) -> Course:
    """The same course by the package, from the lines that the page gives."""
    names: dict[str, object] = {}
    exec(python, names)
    run = names["run"]
    assert isinstance(run, rfm.Run)
    kinds = run.split.test_kind
    return [
        {name: int(right[kinds == kind].sum()) for name, kind in KINDS.items() if kind in kinds}
        for right in run.right
    ]


def python_of(page: Page) -> str:
    if not page.is_visible(".x-code"):
        press(page, "As Python")
    return page.inner_text(".x-code code")


def first(counts: list[int], wanted: int) -> int:
    return counts.index(wanted) + 1


# What a scene computes → what its sentence must then say. A key is the name of the scene.


def trap(c: Course) -> str:
    assert all(one["withheld"] == 0 for one in c)
    return (
        "The diagonal is withheld, a mirror keeps the rest, and in no iteration is one of the 19 "
        "entries right."
    )


def one_moved(c: Course) -> str:
    return (
        "(3, 8) is taken away too, and its mirror image stays: the mirror is broken, and in the "
        f"end {c[-1]['withheld']} of the 19 are right."
    )


def pair_moved(c: Course) -> str:
    assert all(one["withheld"] == one["moved"] == 0 for one in c)
    return (
        "(8, 3) is taken away as well: the mirror is whole again, and none of the 21 entries left "
        "out is ever right."
    )


def one_held_out(c: Course) -> str:
    assert all(one["withheld"] == 0 for one in c)
    return (
        "360 of 361 entries are shown. The last lies on the axis of a mirror that keeps them, and "
        "is never right."
    )


def two_held_out(c: Course) -> str:
    assert c[-1]["withheld"] == 2
    return (
        "(3, 8) and (12, 4) are held out. No mirror keeps what is left, and in the end both are "
        "right."
    )


def even(c: Course) -> str:
    assert all(one["withheld"] == 0 for one in c)
    assert c[-1]["moved"] == 1
    return (
        "Modulo 20 one entry moved is not enough: in the end it is right itself, but none of the "
        "20 withheld ever is."
    )


def quadratic(c: Course) -> str:
    found = [one["withheld"] for one in c]
    most = max(found)
    return (
        f"With one entry moved, {most} of the 19 are right by iteration {first(found, most)}, but "
        f"then they are lost: {found[-1]} is right at iteration {len(found)}."
    )


def grokking(c: Course) -> str:
    found = [one["entries"] for one in c]
    numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    quiet = next(t for t, right in enumerate(found) if right)
    assert all(right == 108 for right in found[first(found, 108) :])
    return (
        f"A random 70 % is shown. For {numbers[quiet]} iterations none of the other 108 is right; "
        f"at iteration {first(found, 108)} all of them are."
    )


SCENES = {
    "The trap": (trap, "⟨s⟩ · C₂"),
    "One moved": (one_moved, "nothing"),
    "A pair moved": (pair_moved, "⟨s⟩ · C₂"),
    "One held out": (one_held_out, "⟨sr^5⟩ · C₂"),
    "Two held out": (two_held_out, "nothing"),
    "An even table": (even, "nothing"),
    "Quadratic": (quadratic, "nothing"),
    "Grokking": (grokking, "nothing"),
}


VERDICTS = {  # one is right, and are two; all of two are both
    "One moved": "The mirror is broken, and 14 of the 19 entries withheld are right.",
    "Quadratic": "The mirror is broken, and 1 of the 19 entries withheld is right.",
    "Two held out": "Both entries withheld are right.",
}


@pytest.fixture(scope="module")
def scenes(browser: Browser, site: Path) -> Iterator[Page]:
    """The explorer, opened once for all scenes: one click shows the next."""
    with browsing.opened(browser) as (page, wrong):
        go(page, (site / "book" / "explorer.html").as_uri())
        yield page
        assert wrong == []


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_does_what_its_sentence_says(scenes: Page, name: str) -> None:
    page, (says, keeps) = scenes, SCENES[name]
    page.get_by_role("navigation", name="Scenes").get_by_role("link", name=name).click()
    assert kept(page) == keeps
    run(page)
    found = course(page)
    assert page.inner_text(".x-scene-told") == says(found)
    assert page.inner_text(".x-verdict") == VERDICTS.get(name, page.inner_text(".x-verdict"))
    assert found == by_the_package(python_of(page))


def test_all_scenes_are_tried(page: Page) -> None:
    assert page.locator(".x-scene a").all_inner_texts() == list(SCENES)


def test_one_click_opens_the_trap(page: Page) -> None:
    """The story of chapters 06 and 07: run, click one cell, and it runs again by itself."""
    run(page)
    assert page.inner_text(".x-number") == "0 / 19"
    page.click(cell(page, 3, 8))
    assert kept(page) == "nothing"
    expect(page.locator(".x-told")).to_have_text("iteration 30 of 30", timeout=60_000)
    assert page.locator(".x-number").all_inner_texts() == ["14 / 19", "1 / 1"]
    assert "The mirror is broken" in page.inner_text(".x-verdict")


def test_what_keeps_the_training_set_follows_the_clicks(page: Page) -> None:
    assert kept(page) == "⟨s⟩ · C₂"
    page.click(cell(page, 3, 8))
    assert kept(page) == "nothing"
    page.click(cell(page, 8, 3))
    assert kept(page) == "⟨s⟩ · C₂"
    page.click(cell(page, 3, 8))
    assert "(8, 3)" in python_of(page)
    press(page, "Undo")
    assert kept(page) == "⟨s⟩ · C₂"
    press(page, "Undo")
    press(page, "Undo")
    assert kept(page) == "⟨s⟩ · C₂"
    assert page.get_by_role("button", name="Undo", exact=True).is_disabled()
    press(page, "Redo")
    assert kept(page) == "nothing"
    assert "task.pair(3, 8)" in python_of(page)


def test_what_can_no_longer_be_pressed_keeps_the_focus(page: Page, address: str) -> None:
    """Else a reader with a keyboard would start again at the top of the page."""
    focused = "document.activeElement.textContent"
    page.click(cell(page, 3, 8))
    page.get_by_role("button", name="Undo", exact=True).focus()
    page.keyboard.press("Enter")
    assert kept(page) == "⟨s⟩ · C₂"
    assert page.get_by_role("button", name="Undo", exact=True).is_disabled()
    assert page.evaluate(focused) == "Undo"
    page.keyboard.press("Enter")  # does nothing
    assert kept(page) == "⟨s⟩ · C₂"
    go(page, f"{address}#{TRAP}&iterations=2")
    page.get_by_role("button", name="Step", exact=True).focus()
    for t in (1, 2, 2):
        page.keyboard.press("Enter")
        expect(page.locator(".x-told")).to_have_text(f"iteration {t} of 2")
    assert page.evaluate(focused) == "Step"


def test_a_point_goes_back_though_no_other_was_out_in_between(tab: Page, address: str) -> None:
    """One is given back, then another moved: without what came before, the order turns."""
    go(tab, f"{address}#op=plus&n=19&steps=w:1t")
    for i in (0, 65, 101, 0):
        tab.click(f'.x-cell[data-i="{i}"]')
        assert tab.inner_text("#explorer > .x-error") == ""
    names: dict[str, object] = {}
    exec(python_of(tab), names)
    split = names["split"]
    assert isinstance(split, rfm.Split)
    assert split.task.index(split.test).tolist() == [101]


def test_what_was_refused_is_not_said_for_ever(tab: Page, address: str) -> None:
    go(tab, f"{address}#op=plus&n=5&steps=w:0")
    tab.click('.x-cell[data-i="0"]')
    assert "no test points" in tab.inner_text("#explorer > .x-error")
    press(tab, "Step")
    assert tab.inner_text("#explorer > .x-error") == ""


@pytest.mark.parametrize(
    ("setting", "slope"),
    [("op=plus&n=4&steps=w:*2", 1), ("op=plus&n=3&steps=w:*0", 1), ("op=minus&n=5&steps=w:*0", -1)],
)
def test_an_axis_lies_along_its_cells(tab: Page, address: str, setting: str, slope: int) -> None:
    go(tab, f"{address}#{setting}")
    lines = tab.eval_on_selector_all(
        ".x-axes line",
        "all => all.map(l => (l.x2.baseVal.value - l.x1.baseVal.value) * "
        "(l.y2.baseVal.value - l.y1.baseVal.value))",
    )
    assert lines
    assert all(product * slope > 0 for product in lines)


def test_the_link_holds_the_setting_wherever_one_is_on_the_page(tab: Page, address: str) -> None:
    go(tab, f"{address}#op=minus&n=7&steps=w:*0")
    tab.evaluate("location.hash = 'what-you-see'")
    tab.evaluate(
        "document.execCommand = () => { window.copied = "
        "document.activeElement.value; return true; }"
    )
    tab.evaluate(
        "navigator.clipboard && (navigator.clipboard.writeText = async (text) => "
        "{ window.copied = text; })"
    )
    press(tab, "Copy link")
    tab.wait_for_function("window.copied")
    assert tab.evaluate("window.copied") == f"{address}#op=minus&n=7&steps=w:*0"


def test_words_of_others_in_an_address_are_left_alone(tab: Page, address: str) -> None:
    go(tab, f"{address}?utm_source=x&highlight=mirror")
    assert tab.inner_text("#explorer > .x-error") == ""
    assert "⟨s⟩" in kept(tab)


def test_a_section_can_be_linked_to(tab: Page, address: str) -> None:
    go(tab, f"{address}#what-you-see")
    tab.wait_for_function("scrollY > 300")


def test_step_pause_reset_and_slider(page: Page) -> None:
    told = page.locator(".x-told")
    press(page, "Step")
    expect(told).to_have_text("iteration 1 of 30")
    press(page, "Step")
    expect(told).to_have_text("iteration 2 of 30")
    page.locator(".x-slide input").press("ArrowLeft")
    expect(told).to_have_text("iteration 1 of 30")
    press(page, "Go on")
    expect(page.locator(".x-run")).to_have_text("Pause")
    expect(told).to_have_text(re.compile(r"iteration ([5-9]|\d\d) of 30"))
    press(page, "Pause")
    page.wait_for_timeout(500)  # what has been asked for still comes
    at = told.inner_text()
    page.wait_for_timeout(500)
    assert told.inner_text() == at
    press(page, "Reset")
    expect(told).to_have_text("iteration 0 of 30")
    assert page.inner_text(".x-number") == "? / 19"


def test_answers_to_an_earlier_run_are_dropped(page: Page) -> None:
    """A frame of one table that comes late must not be taken for one of another."""
    links = page.get_by_role("navigation", name="Scenes").get_by_role("link")
    for name in ("Grokking", "An even table", "One moved", "An even table"):
        page.click(".x-run")
        links.get_by_text(name).click()
    run(page)
    assert course(page) == by_the_package(python_of(page))


def test_the_page_is_at_hand_while_it_computes(tab: Page, address: str) -> None:
    """Clicks are taken and the run can be stopped at any time; the speed is told, not judged."""
    go(tab, f"{address}#{TRAP}&iterations=500")
    begun = time.perf_counter()
    tab.click(".x-run")
    tab.wait_for_timeout(1000)
    tab.hover(cell(tab, 4, 9))
    assert tab.inner_text(".x-sample-box").startswith("4 + 9 = 13")
    tab.click(".x-run")
    expect(tab.locator(".x-run")).to_have_text("Go on")
    done = int(tab.inner_text(".x-told").split()[1])
    print(f"{done / (time.perf_counter() - begun):.1f} iterations a second")
    assert 0 < done < 500


def test_an_address_holds_the_whole_setting(page: Page, browser: Browser) -> None:
    press(page, "Your own …")
    page.get_by_label("Operation").select_option("÷")
    page.get_by_label("Modulus").fill("17")
    page.get_by_label("Modulus").press("Enter")
    page.get_by_label("Kernel").select_option("Quadratic")
    page.get_by_label("Ridge").fill("0.001")
    page.get_by_label("Power").fill("0.75")
    page.get_by_label("Iterations").fill("12")
    page.get_by_label("Gradients centred").uncheck()
    press(page, "Draw a share")
    page.get_by_label("Seed").fill("5")
    press(page, "Move at random")
    page.click(cell(page, 3, 8, 16))
    lines = python_of(page)
    for part in (
        "rfm.division(17)",
        "rfm.Quadratic()",
        "ridge=0.001",
        "power=0.75",
        "iterations=12",
        "centred=False",
        "rfm.random_split(task, 0.7, 0)",
        "seed=5",
    ):
        assert part in lines
    with browsing.opened(browser) as (other, wrong):
        go(other, page.url)
        assert python_of(other) == lines
        assert other.url == page.url
        run(other)
        assert course(other) == by_the_package(lines)
        assert wrong == []


def test_a_place_on_the_page_is_no_setting(page: Page) -> None:
    page.click(cell(page, 3, 8))
    page.evaluate("location.hash = 'what-you-see'")
    page.wait_for_timeout(100)
    assert page.locator("#explorer > .x-error").inner_text() == ""
    assert kept(page) == "nothing"


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "op=plus&n=19&steps=w:*99",
        "op=plus&n=99999999&steps=w:*0",
        "op=times&n=18&steps=w:*0",
        f"{TRAP}&iterations=100000000",
        f"{TRAP}&L=-1",
        f"{TRAP}&L=Infinity",
        "op=plus&n=3&steps=" + "mr:1:0," * 4000,
        "%E0%A4%A",
        "__proto__=1",
        "op=plus&n=19&steps=constructor:1",
    ],
)
def test_an_address_that_is_no_setting_gets_a_sentence(tab: Page, address: str, text: str) -> None:
    go(tab, f"{address}#{text}")
    told = tab.locator("#explorer > .x-error").inner_text()
    assert told.startswith("The address holds no setting that can be shown: ")
    assert tab.locator("#explorer img").count() == 0
    assert told.endswith(" Shown instead: The trap.")
    assert tab.locator(".x-scenes [aria-current]").inner_text() == "The trap"
    press(tab, "Step")
    expect(tab.locator(".x-told")).to_have_text("iteration 1 of 30")


def test_nonsense_typed_into_the_address_leaves_the_run_alone(page: Page) -> None:
    press(page, "Step")
    expect(page.locator(".x-told")).to_have_text("iteration 1 of 30")
    before = page.evaluate("location.hash")
    page.evaluate("location.hash = '#op=nonsense'")
    error = page.locator("#explorer > .x-error")
    expect(error).to_contain_text("holds no setting that can be shown")
    expect(error).to_contain_text("The one before stays.")
    assert page.evaluate("location.hash") == before
    assert page.inner_text(".x-told") == "iteration 1 of 30"
    press(page, "Step")
    expect(page.locator(".x-told")).to_have_text("iteration 2 of 30")
    assert error.inner_text() == ""


def test_a_run_that_cannot_go_on_says_why(tab: Page, address: str) -> None:
    go(tab, f"{address}#{TRAP}&ridge=1e300")
    press(tab, "Step")
    expect(tab.locator("#explorer > .x-error")).to_contain_text("vanished")
    tab.click(cell(tab, 3, 8))  # and the page goes on
    assert kept(tab) == "nothing"


def test_what_cannot_be_is_said_next_to_its_field(page: Page) -> None:
    press(page, "Your own …")
    for label, typed, says in (
        ("Modulus", "1", "A modulus must be at least 2, not 1"),
        ("Modulus", "3, -3", "A modulus must be at least 2, not −3"),
        ("Modulus", "2.5", "The modulus must be a whole number"),
        ("Modulus", "", "The modulus must be a whole number"),
        ("Modulus", "26", "up to 25 elements"),
        ("Bandwidth", "-1", "positive"),
        ("Bandwidth", "1,000", "without comma"),
        ("Ridge", "much", "must be a number"),
        ("Power", "0", "positive"),
        ("Iterations", "0", "whole number from 1"),
    ):
        field = page.get_by_label(label)
        before = page.url, field.input_value()
        field.fill(typed)
        field.press("Enter")
        error = page.locator(f"#{field.get_attribute('aria-describedby')}")
        assert says in error.inner_text(), label
        assert field.get_attribute("aria-invalid") == "true"
        assert page.url == before[0]
        field.fill(before[1])
        field.press("Enter")
    for label, typed, does in (
        ("Entries to hold out", "(3, 99)", "Hold these out"),
        ("Share in training", "0", "Draw a share"),
        ("Entries to hold out", "(3, 8), 4", "Hold these out"),
        ("Entries to move", "342", "Move at random"),
        ("Seed", "-1", "Draw a share"),
    ):
        page.get_by_label(label).fill(typed)
        press(page, does)
        shown = page.locator(f"#{page.get_by_label(label).get_attribute('aria-describedby')}")
        assert shown.inner_text(), label
        assert page.locator(".x-panel .x-error:not(:empty)").count() == 1
    page.get_by_label("Seed").fill("1")
    assert page.locator(".x-panel .x-error:not(:empty)").count() == 0


def test_every_button_makes_the_split_that_it_names(page: Page) -> None:
    press(page, "Your own …")
    page.get_by_label("Axis to withhold").select_option("4")
    press(page, "Add it")
    assert page.evaluate("location.hash").endswith("steps=w:*0.4")
    press(page, "Withhold")
    assert kept(page) == "⟨sr^4⟩ · C₂"
    page.get_by_label("Mirror of the pair").select_option("4")
    press(page, "Move a mirror pair")
    assert kept(page) == "⟨sr^4⟩ · C₂"
    press(page, "Give one back")
    assert "340 in training" not in page.inner_text(".x-kept-cell")
    assert "341 in training, 18 withheld and 2 moved" in page.inner_text(".x-kept-cell")
    page.get_by_label("Share in training").fill("0,7 %")
    page.get_by_label("Seed").fill("5")
    press(page, "Draw a share")
    assert page.evaluate("location.hash").endswith("steps=r:0.007:5")
    page.get_by_label("Entries to hold out").fill("[3, 8] (12, 4)")
    press(page, "Hold these out")
    assert "task.samples[[65, 232]]" in python_of(page)


@pytest.mark.parametrize(
    ("split", "can"), [("w:*0", True), ("r:0.7:0", False), ("w:1t", False), ("w:1t.6g", True)]
)
def test_a_point_can_be_given_back_where_one_is_withheld(
    tab: Page, address: str, split: str, can: bool
) -> None:
    """And where another is left to be asked for."""
    go(tab, f"{address}#op=plus&n=19&steps={split}")
    press(tab, "Your own …")
    back = tab.get_by_role("button", name="Give one back", exact=True)
    assert back.get_attribute("aria-disabled") == (None if can else "true")
    before = tab.inner_text(".x-kept-cell")
    back.click(force=True)
    assert (tab.inner_text(".x-kept-cell") != before) == can
    assert tab.locator(".x-panel .x-error:not(:empty)").count() == 0


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("w:1t", "A mirror keeps the training set, and the one entry withheld is wrong so far."),
        ("w:0.k", "A mirror keeps the training set, and neither of the 2 entries withheld is"),
        ("w:*0", "A mirror keeps the training set, and not one of the 19 entries withheld is"),
    ],
)
def test_one_two_and_many_entries_are_told_as_such(
    tab: Page, address: str, setting: str, told: str
) -> None:
    go(tab, f"{address}#op=plus&n=19&steps={setting}")
    press(tab, "Step")
    expect(tab.locator(".x-verdict")).to_contain_text(told)


def test_two_broken_mirrors_are_two(tab: Page, address: str) -> None:
    """And two entries that mirror each other are needed to move a pair."""
    go(tab, f"{address}#op=plus&n=4.4&steps=w:*0.5,m:1")
    press(tab, "Step")
    expect(tab.locator(".x-verdict")).to_contain_text("The mirrors are broken, and not one")
    go(tab, f"{address}#op=plus&n=3&steps=w:1.2.3.5.6.7")
    press(tab, "Your own …")
    press(tab, "Move a mirror pair")
    expect(tab.locator(".x-panel .x-error:not(:empty)")).to_have_text(
        "No two entries in training are mirror images under sr^1."
    )


def test_back_from_a_scene_leads_to_what_was_there(tab: Page, address: str) -> None:
    go(tab, f"{address}#op=plus&n=7&steps=w:*0")
    tab.click(".x-scenes a >> nth=3")
    expect(tab.locator(".x-scenes [aria-current]")).to_have_text("One held out")
    tab.go_back()
    expect(tab.locator(".x-kept-cell")).to_contain_text("42 in training and 7 withheld")
    assert tab.locator(".x-scenes [aria-current]").count() == 0
    tab.go_forward()
    expect(tab.locator(".x-scenes [aria-current]")).to_have_text("One held out")


def test_with_the_keyboard_alone(tab: Page, address: str) -> None:
    page = tab
    go(page, f"{address}#{TRAP}&iterations=10")

    def walk_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"no way to {selector}")

    page.focus(".x-scenes a")
    walk_to(".x-run")
    page.keyboard.press("Enter")
    expect(page.locator(".x-live")).to_contain_text(
        "Iteration 10: 0 of 19 withheld entries right", timeout=60_000
    )
    walk_to(".x-cell")
    assert page.locator(".x-cell[tabindex='0']").count() == 1
    for key in ["ArrowDown"] * 3 + ["End"] + ["ArrowLeft"] * 10:
        page.keyboard.press(key)
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "3 + 8 = 11, in training"
    assert page.inner_text(".x-sample-box").startswith("3 + 8 = 11")
    page.keyboard.press("Space")
    assert kept(page) == "nothing"
    assert "(3, 8) is out of training" in page.inner_text(".x-live")
    assert page.evaluate("document.activeElement.dataset.i") == "65"  # the focus stays
    expect(page.locator(".x-live")).to_contain_text("14 of 19", timeout=60_000)
    label = page.get_attribute(cell(page, 3, 8), "aria-label")
    assert label == "3 + 8 = 11, moved out, predicted 11, right"
    page.keyboard.press("Enter")
    assert kept(page) == "⟨s⟩ · C₂"


def test_colours_are_not_the_only_sign(tab: Page, address: str) -> None:
    """Right, wrong, withheld and training differ in what is drawn, not in the colour alone."""
    go(tab, f"{address}#{MOVED}")
    run(tab)
    signs = {
        state: tab.evaluate(
            """s => { const style = getComputedStyle(document.querySelector(
                `.x-grid .x-cell[data-state="${s}"]`), "::after");
                return style.content + style.clipPath; }""",
            state,
        )
        for state in ("train", "right", "wrong")
    }
    assert len(set(signs.values())) == 3


@pytest.mark.parametrize("size", [browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_serious_and_nothing_is_too_wide(
    browser: Browser, address: str, size: tuple[int, int]
) -> None:
    with browsing.opened(browser, size) as (page, wrong):
        go(page, f"{address}#{MOVED}")
        press(page, "Your own …")
        python_of(page)
        run(page)
        page.focus(cell(page, 3, 3))
        assert wrong == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0]
        browsing.alone(page, "#explorer")
        found = browsing.axe(page, "#explorer")
        browsing.show(page, "dark")
        found += browsing.colours(page, "#explorer")
        assert [(one["rule"], one["html"]) for one in found if serious(one)] == []


def serious(fault: dict[str, str]) -> bool:
    return fault["impact"] in ("critical", "serious")


def test_the_picture_is_a_png(tab: Page, address: str, tmp_path: Path) -> None:
    go(tab, f"{address}#{TRAP}&iterations=2")
    run(tab)
    with tab.expect_download() as download:
        press(tab, "As a picture")
    picture = tmp_path / download.value.suggested_filename
    download.value.save_as(picture)
    data = picture.read_bytes()
    assert picture.name == "explorer-plus-19-iteration-2.png"
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) == 2400
    assert len(data) > 50_000


@pytest.mark.parametrize(
    "setting", [f"{MOVED}", "op=over&n=7&steps=w:*0", "op=plus&n=3.5&steps=r:0.7:0"]
)
def test_the_picture_says_all_that_the_page_says(tab: Page, address: str, setting: str) -> None:
    """Headings, titles, legends and key of the page stand in it, within its edges."""
    go(tab, f"{address}#{setting}")
    press(tab, "Step")
    expect(tab.locator(".x-told")).to_contain_text("iteration 1 of")
    tab.evaluate(
        """() => {
        const own = XMLSerializer.prototype.serializeToString;
        XMLSerializer.prototype.serializeToString = function (page) {
            document.body.append(globalThis.sheet = page.cloneNode(true));
            return own.call(this, page);
        };
    }"""
    )
    with tab.expect_download():
        press(tab, "As a picture")
    words = tab.evaluate("[...sheet.querySelectorAll('text')].map((text) => text.textContent)")
    heads, key, lines = (
        ".x-head",
        ".x-table-legend li",
        ".x-board .x-chart:not([hidden]) > .x-lines",
    )
    for part in (heads, key, ".x-board .x-legend li", ".x-board h3"):
        for said in tab.locator(part).all():
            if said.is_visible():
                assert said.text_content() in words, part
    assert words.count("iteration") == tab.locator(lines).filter(visible=True).count() - 2
    assert any(word.startswith("Iteration 1: ") for word in words)
    outside = """() => {
        const edge = sheet.getBoundingClientRect();
        return [...sheet.querySelectorAll("text")].filter((text) => {
            const box = text.getBoundingClientRect();
            return box.left < edge.left || box.right > edge.right || box.bottom > edge.bottom;
        }).map((text) => text.textContent);
    }"""
    assert tab.evaluate(outside) == []


@pytest.mark.parametrize("chapter", ["02", "05", "06", "07", "08", "09"])
def test_a_chapter_leads_to_a_setting(tab: Page, site: Path, chapter: str) -> None:
    """The link of a chapter opens a setting, not the excuse for none."""
    (path,) = (site / "book").glob(f"{chapter}-*.html")
    _, article = path.read_text(encoding="utf-8").split("<article")
    link = re.search(r'<a [^>]*href="(explorer\.html\?[^"]*)"', article)
    assert link
    go(tab, (site / "book").as_uri() + "/" + html.unescape(link[1]))
    assert tab.locator("#explorer > .x-error").inner_text() == ""
    wanted = {"06": "The trap", "07": "The trap", "08": "One held out", "05": "Grokking"}
    if chapter in wanted:
        assert tab.locator(".x-scenes [aria-current]").inner_text() == wanted[chapter]


def test_printed_it_is_the_picture_without_the_controls(tab: Page, address: str) -> None:
    go(tab, f"{address}#{TRAP}&iterations=2")
    run(tab)
    tab.emulate_media(media="print")
    assert tab.is_visible(".x-table")
    assert tab.is_visible(".x-result")
    assert not tab.is_visible(".x-run")
    assert not tab.is_visible(".x-scenes")


def test_nothing_moves_where_that_is_not_wanted(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    style = "getComputedStyle(document.querySelector('.x-grid .x-cell')).transitionDuration"
    assert page.evaluate(style) == "0s"


def test_without_javascript_a_sentence_says_so(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(address)
    assert "needs JavaScript" in page.content()
    assert page.is_visible(".x-scene >> nth=0")
    context.close()


def test_the_page_loads_every_script_and_no_other() -> None:
    book = repository.ROOT / "book"
    text = (book / "explorer.md").read_text(encoding="utf-8")
    named = re.findall(r'src="\.\./_static/explorer/([\w-]+\.js)"', text)
    assert sorted(named) == sorted(path.name for path in (book / "site/explorer").glob("*.js"))
    assert named[-1] == "page-start.js"
