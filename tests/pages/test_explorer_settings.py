"""The explorer's settings: clicks, the text in the address, nonsense in it, and Python's lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import exploring
import pytest
import torch
from playwright.sync_api import Browser, Page
from test_explorer_symmetry import FACTS, MAKERS, facts

import rfm


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with exploring.loaded(browser, tmp_path_factory.mktemp("bare")) as page:
        yield page


STARTS = {
    "withheld": [["withholdMirrors", [1]]],
    "two axes": [["withholdMirrors", [0, 2]]],
    "points": [["withhold", [3, 4, 9, 14]]],
    "random": [["random", 0.5, 11]],
    "moved at random": [["withholdMirrors", [1]], ["moveRandom", 3, 4], ["moveRandom", 2, 9]],
    "all kinds of steps": [
        ["withholdMirrors", [0]],
        ["giveBackRandom", 2, 1],
        ["moveMirrorPairs", 2, 0, 5],
        ["moveRandom", 2, 8],
        ["giveBackRandom", 1, 2],
    ],
    "random, then moved": [["random", 0.6, 1], ["moveRandom", 3, 2]],
}
CLICK = f"""([setting, steps, clicks]) => {{
    const facts = {FACTS}, told = [], {{KIND}} = engine.splits;
    let split = engine.makeTask(setting);
    for (const [name, ...rest] of steps) split = engine.splits[name](split, ...rest);
    for (const i of [null, ...clicks]) {{
        const before = split.kind.slice();
        if (i !== null) split = engine.splits.toggle(split, i);
        const changed = [...before.keys()].filter((j) => before[j] !== split.kind[j]);
        const whole = {{...setting, steps: split.history}};
        const text = engine.settings.encode(whole), back = engine.settings.decode(text);
        told.push({{
            ...facts(split), changed, text,
            from: i === null ? 0 : before[i], to: i === null ? 0 : split.kind[i],
            again: facts(engine.settings.checked(back).split),
            lines: engine.settings.python(whole, 2),
        }});
    }}
    return told;
}}"""


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("operation", "orders"), [("+", [7]), ("÷", [7]), ("-", [2, 3])], ids=str)
def test_clicks(page: Page, operation: str, orders: list[int], start: str) -> None:
    """Each changes one sample, and the text and Python's lines make the same split again."""
    draw, task = random.Random(f"{start}{orders}"), MAKERS[operation](*orders)
    clicks = draw.choices(range(task.n**2), k=12)
    clicks += clicks[-3:] + clicks[:3] + clicks[-1:]  # some of them twice
    setting = {"operation": operation, "orders": orders}
    for told, i in zip(
        page.evaluate(CLICK, [setting, STARTS[start], clicks]), [None, *clicks], strict=True
    ):
        assert told["changed"] == ([] if i is None else [i])
        if i is not None:
            assert (told["from"] == 0) != (told["to"] == 0)  # training or not
        names: dict[str, Any] = {}
        exec(compile(told["lines"].rsplit("\n", 2)[0], start, "exec"), names)
        expected = facts(names["split"])
        assert {name: told[name] for name in expected} == expected
        assert told["again"] == expected


def test_a_second_click_undoes_the_first(page: Page) -> None:
    setting = {"operation": "+", "orders": [7]}
    for start, steps in STARTS.items():
        told = page.evaluate(CLICK, [setting, steps, [20, 20, 0, 0, 9, 9, 33, 33]])
        for before, after in zip(told[::2], told[2::2], strict=False):
            assert before["kind"] == after["kind"], start


def test_a_click_that_leaves_nothing_is_refused(page: Page) -> None:
    said = page.evaluate(
        """() => {
            const task = engine.makeTask({operation: "+", orders: [3]});
            const split = engine.splits.withhold(task, [4]);
            try { engine.splits.toggle(split, 4); } catch (error) { return error.message; }
        }"""
    )
    assert said == "this would leave no test points out of 9 samples"


REFUSED = {
    "withhold(task, [])": "this would leave no test points out of 25 samples",
    "withhold(task, [...Array(25).keys()])": "this would leave no training points",
    "withhold(task, [25])": "points must be sample numbers from 0 to 24",
    "withhold(task, [1.5])": "points must be sample numbers from 0 to 24",
    "withholdMirrors(task, [5])": "there is no mirror 5",
    "random(task, 1.5, 0)": "fraction must be a number between 0 and 1",
    "random(task, NaN, 0)": "fraction must be a number between 0 and 1",
    "random(task, 0.5, -1)": "a seed must be a whole number from 0 to 4294967295, not -1",
    "random(task, 0.5, 2 ** 32)": "a seed must be a whole number",
    "move(split, [0])": "the pair (0, 0) is not in training",
    "giveBack(split, [1])": "the pair (0, 1) is not a withheld point",
    "moveRandom(split, 20, 0)": "this would leave no training points",
    "moveRandom(split, 21, 0)": "asked for 21 of 20 training points",
    "moveRandom(split, -1, 0)": "count must be an integer of at least 0, not -1",
    "giveBackRandom(split, 6, 0)": "asked for 6 of 5 withheld points",
    "moveMirrorPairs(split, 11, 0, 0)": "asked for 11 of 10 pairs mirrored by s in training",
}


@pytest.mark.parametrize("call", REFUSED)
def test_what_a_split_refuses(page: Page, call: str) -> None:
    said = page.evaluate(
        f"""() => {{
            const task = engine.makeTask({{operation: "+", orders: [5]}});
            const split = engine.splits.withholdMirrors(task, [0]);
            try {{ engine.splits.{call}; }} catch (error) {{ return error.message; }}
        }}"""
    )
    assert said is not None
    assert said.startswith(REFUSED[call])


NONSENSE = {
    "": "“” is no part of a setting",
    "#": "“” is no part of a setting",
    "op=plus": "the setting does not name n",
    "op=plus&n=5": "the setting does not name steps",
    "n=5&steps=w:*0": "the setting does not name op",
    "op=and&n=5&steps=w:*0": "op must be plus, minus, times or over, not and",
    "op=plus&op=plus&n=5&steps=w:*0": "the setting names op twice",
    "op=plus&n=5&steps=w:*0&__proto__=1": "“__proto__=1” is no part of a setting",
    "op=plus&n=5&steps=w:*0&colour=red": "“colour=red” is no part of a setting",
    "op=plus&n=&steps=w:*0": "“” is no number",
    "op=plus&n=1e3&steps=w:*0": "the group can have up to 25 elements here, not 1000",
    "op=plus&n=99999999999999&steps=w:*0": "the group can have up to 25 elements here",
    "op=times&n=999983&steps=w:*0": "the modulus of × can be up to 23 here",
    "op=plus&n=5&steps=": "“” is no step of a split",
    "op=plus&n=5&steps=m:1": "a split begins with",
    "op=plus&n=5&steps=constructor:1": "“constructor:1” is no step of a split",
    "op=plus&n=5&steps=w:*0,w:*1": "a split has no step withhold",
    "op=plus&n=5&steps=w:*7": "there is no mirror 7",
    "op=plus&n=5&steps=w:zz": "points must be sample numbers from 0 to 24",
    "op=plus&n=5&steps=w:-1": "points must be sample numbers",
    "op=plus&n=5&steps=w:!": "“!” is no number of a sample",
    "op=plus&n=5&steps=w:~%": "this is no setting",
    "op=plus&n=5&steps=w:~!": "these are no bits of samples",
    "op=plus&n=5&steps=w:~A": "these are no bits of samples",
    "op=plus&n=5&steps=w:~_____w": "points must be sample numbers from 0 to 24",
    "op=plus&n=5&steps=r:0.5": "“r:0.5” is no step of a split",
    "op=plus&n=5&steps=r:x:0": "“x” is no number",
    "op=plus&n=5&steps=r:0.5:0.5": "a seed must be a whole number",
    "op=plus&n=5&steps=w:*0,mr:99:0": "asked for 99 of 20 training points",
    "op=plus&n=5&steps=w:*0,m:0": "the pair (0, 0) is not in training",
    "op=plus&n=5&steps=w:*0&kernel=cubic": "the kernel must be Gaussian or Quadratic, not cubic",
    "op=plus&n=5&steps=w:*0&L=0": "bandwidth must be positive",
    "op=plus&n=5&steps=w:*0&L=1e999": "“1e999” is no number",
    "op=plus&n=5&steps=w:*0&ridge=-1": "ridge must be a finite number of at least 0, not -1",
    "op=plus&n=5&steps=w:*0&power=0": "power must be a positive finite number, not 0",
    "op=plus&n=5&steps=w:*0&" + "x" * 20000: "this is no setting",
}


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_nonsense_in_an_address(page: Page, text: str) -> None:
    said = page.evaluate(
        """(text) => {
            try { engine.settings.decode(text); } catch (error) { return error.message; }
        }""",
        text,
    )
    assert said is not None
    assert said.startswith(NONSENSE[text])


def test_an_address_may_come_percent_encoded(page: Page) -> None:
    texts = ["op=plus&n=3.3&steps=w:*0,m:4", "op%3Dplus%26n=3.3&steps=w%3A%2A0%2Cm:4"]
    found = page.evaluate("(texts) => texts.map(engine.settings.decode)", texts)
    assert found[0] == found[1]


def test_any_text_is_read_or_refused(page: Page) -> None:
    """Texts with a few characters changed: a setting that makes a split, or an Error, no more."""
    draw, letters = random.Random(0), "0123456789=&:*~.,wmrgtopnslus-_e"
    setting, texts = {"operation": "+", "orders": [6]}, []
    whole = page.evaluate(CLICK, [setting, STARTS["all kinds of steps"], [1, 8]])[-1]["text"]
    many = [["withhold", draw.sample(range(36), 18)]]
    bits = page.evaluate(CLICK, [setting, many, [3, 4]])[-1]["text"]
    assert "~" in bits
    for _ in range(3000):
        text = list(draw.choice([whole + "&ridge=0.5", bits]))
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(text))
            text[at : at + draw.randrange(2)] = draw.choice(letters)
        texts.append("".join(text))
    outcomes = page.evaluate(
        """(texts) => texts.map((text) => {
            let setting;
            try { setting = engine.settings.decode(text); }
            catch (error) { return error.constructor === Error ? "refused" : String(error); }
            const {encode, decode, checked} = engine.settings, again = decode(encode(setting));
            const [mine, its] = [setting, again].map((one) => checked(one).split.kind.join(""));
            return mine === its ? "read" : "another split";
        })""",
        texts,
    )
    assert set(outcomes) == {"read", "refused"}
    assert outcomes.count("read") > 50


WORKER = """async (messages) => {
    const worker = engine.startWorker(), answers = [];
    for (const message of messages) {
        answers.push(await new Promise((answered) => {
            worker.onmessage = ({data}) => answered(data);
            worker.postMessage(message);
        }));
    }
    worker.terminate();
    return answers.map(({type, message, iteration, N}) => [type, message ?? iteration ?? N]);
}"""


def test_the_worker_says_what_is_wrong(page: Page) -> None:
    task = rfm.addition(5)
    withheld = task.index(task.reflection(0).fixed_points()).tolist()
    good = {"operation": "+", "orders": [5], "steps": [{"do": "withhold", "points": withheld}]}
    said = page.evaluate(
        WORKER,
        [
            {"type": "step"},
            {"type": "start", "setting": {"operation": "+", "orders": [5]}},
            {"type": "start", "setting": {**good, "power": -1}},
            {"type": "start", "setting": {**good, "ridge": 1e200}},
            *[{"type": "step"}] * 2,
            {"type": "start", "setting": good},
            *[{"type": "step"}] * 2,
        ],
    )
    assert said[0] == ["error", "no run has been started"]
    assert said[1] == ["error", "a setting needs the steps of a split"]
    assert said[2] == ["error", "power must be a positive finite number, not -1"]
    assert said[3] == ["ready", 20]
    with pytest.raises(rfm.RunError) as refused:
        rfm.fit(rfm.withhold(task, task.samples[withheld]), rfm.Gaussian(), 2, ridge=1e200)
    assert said[4] == ["error", "the AGOP has vanished: its largest entry is 0.0e+0"]
    assert "the AGOP has vanished: its largest entry is 0.0e+00" in str(refused.value)
    assert said[5] == ["error", "no run has been started"]
    assert said[6:] == [["ready", 20], ["frame", 1], ["frame", 2]]


def test_random_splits_are_the_same_in_both(page: Page) -> None:
    """The seeds that a reader types, at the largest table."""
    for seed in (0, 1, 2026, 2**32 - 1):
        lines, kind = page.evaluate(
            """(seed) => {
                const task = engine.makeTask({operation: "+", orders: [25]});
                const split = engine.splits.random(task, 0.37, seed);
                const setting = {operation: "+", orders: [25], steps: split.history};
                return [engine.settings.python(setting, 1), [...split.kind]];
            }""",
            seed,
        )
        names: dict[str, Any] = {}
        exec(compile(lines.replace("run = ", "# "), "lines", "exec"), names)
        assert torch.equal(names["split"].kind, torch.tensor(kind, dtype=torch.uint8))
