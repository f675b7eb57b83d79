"""The explorer's tables, symmetries and splits are those of the package, in a real browser."""

from __future__ import annotations

import random
from collections.abc import Iterator

import exploring
import pytest
import torch
from playwright.sync_api import Browser, Page

import rfm

MAKERS = {
    "+": rfm.addition,
    "-": rfm.subtraction,
    "×": rfm.multiplication,
    "÷": rfm.division,
}
TASKS = [
    *(("+", [n]) for n in (2, 3, 4, 5, 8, 9, 12, 25)),
    *(("-", [n]) for n in (2, 6, 7, 10)),
    *(("+", orders) for orders in ([2, 2], [2, 3], [3, 3], [2, 4], [2, 2, 2], [2, 2, 3], [5, 5])),
    *(("-", orders) for orders in ([2, 2], [3, 3], [4, 2])),
    *((symbol, [p]) for symbol in "×÷" for p in (3, 5, 7, 11, 23)),
]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with exploring.loaded(browser, tmp_path_factory.mktemp("bare")) as page:
        yield page


def task_of(operation: str, orders: list[int]) -> rfm.Task:
    return MAKERS[operation](*orders)


@pytest.mark.parametrize(("operation", "orders"), TASKS, ids=str)
def test_tables_and_symmetries(page: Page, operation: str, orders: list[int]) -> None:
    task = task_of(operation, orders)
    found = page.evaluate(
        """(setting) => {
            const task = engine.makeTask(setting), all = task.symmetries;
            const samples = [...task.label.keys()];
            return {
                n: task.n, name: task.name, identity: task.identity, values: task.values,
                label: [...task.label], mirror: [...task.mirror],
                logarithm: [...task.group.logarithm],
                names: all.map((g) => g.name),
                images: all.map(({g}) => samples.map((i) => task.act(g, i))),
                coordinates: all.map(({g}) => [...task.coordinates(g)]),
                products: all.map(({g}) => all.map((h) => task.compose(g, h.g))),
                inverses: all.map(({g}) => task.inverse(g)),
                pairs: samples.map(task.pair),
            };
        }""",
        {"operation": operation, "orders": orders},
    )
    number = {g: i for i, g in enumerate(task.symmetries)}
    expected = {
        "n": task.n,
        "name": task.name,
        "identity": task.group.identity,
        "values": [task.element(i) for i in range(task.n)],
        "label": task.labels.tolist(),
        "mirror": task.mirror(task.samples).tolist(),
        "logarithm": task.logarithm.tolist(),
        "names": [g.name for g in task.symmetries],
        "images": [g.on_samples().tolist() for g in task.symmetries],
        "coordinates": [g.coordinates().tolist() for g in task.symmetries],
        "products": [[number[g * h] for h in task.symmetries] for g in task.symmetries],
        "inverses": [number[g.inverse()] for g in task.symmetries],
        "pairs": [f"({task.element(a)}, {task.element(b)})" for a, b in task.samples.tolist()],
    }
    assert found == expected


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"operation": "^", "orders": [5]}, "the operation must be one of"),
        ({"operation": "+", "orders": []}, "the modulus must be a whole number"),
        ({"operation": "+", "orders": [2.5]}, "the modulus must be a whole number"),
        ({"operation": "+"}, "the modulus must be a whole number"),
        ({"operation": "+", "orders": [26]}, "up to 25 elements here, not 26"),
        ({"operation": "+", "orders": [5, 6]}, "up to 25 elements here, not 30"),
        ({"operation": "-", "orders": [1]}, "at least 2"),
        ({"operation": "×", "orders": [9]}, "odd prime modulus, not 9"),
        ({"operation": "×", "orders": [2]}, "odd prime modulus, not 2"),
        ({"operation": "÷", "orders": [3, 5]}, "odd prime modulus, not 3, 5"),
        ({"operation": "÷", "orders": [29]}, "up to 23 here, not 29"),
    ],
)
def test_what_is_not_allowed_is_said(page: Page, setting: dict, said: str) -> None:
    told = (
        "(setting) => { try { engine.makeTask(setting); } catch (error) { return error.message; } }"
    )
    assert said in page.evaluate(told, setting)


@pytest.mark.parametrize(("operation", "orders"), TASKS, ids=str)
def test_subgroups(page: Page, operation: str, orders: list[int]) -> None:
    task = task_of(operation, orders)
    draw = random.Random(f"{operation}{orders}")
    chosen = [[]] + [draw.choices(range(2 * task.n), k=k) for k in (1, 1, 2, 2, 2, 3, 3)]
    point = draw.randrange(task.n**2)
    found = page.evaluate(
        """([setting, chosen, point]) => {
            const task = engine.makeTask(setting);
            return chosen.map((gs) => {
                const H = engine.symmetry.generate(task, gs);
                const orbit = engine.symmetry.orbit(H, point);
                return [H.name, H.order, H.elements, H.generators, orbit];
            });
        }""",
        [{"operation": operation, "orders": orders}, chosen, point],
    )
    number = {g: i for i, g in enumerate(task.symmetries)}
    for gs, (name, order, elements, generators, orbit) in zip(chosen, found, strict=True):
        H = rfm.generate(task.identity, *(task.symmetries[g] for g in gs))
        assert (name, order) == (H.name, H.order)
        assert elements == [number[g] for g in H.elements]
        assert generators == [number[g] for g in H.generators]
        assert orbit == torch.nonzero(H.orbit(task.samples[[point]])).flatten().tolist()


def test_random_numbers_are_those_of_torch(page: Page) -> None:
    seeds = [
        0,
        1,
        2,
        7,
        42,
        5489,
        2**31 - 1,
        2**31,
        2**32 - 1,
        *random.Random(0).choices(range(2**32), k=20),
    ]
    sizes = [0, 1, 2, 3, 10, 81, 121, 342, 624, 625, 1000]
    found = page.evaluate(
        """([sizes, seeds]) => sizes.map((m) => seeds.map((seed) =>
            [...engine.parts.random.randperm(m, seed)]))""",
        [sizes, seeds],
    )
    for m, of_size in zip(sizes, found, strict=True):
        for seed, order in zip(seeds, of_size, strict=True):
            expected = torch.randperm(m, generator=torch.Generator().manual_seed(seed))
            assert order == expected.tolist(), (m, seed)


def facts(split: rfm.Split) -> dict:
    """What the browser says of a split, as the package has it."""
    number = {g: i for i, g in enumerate(split.task.symmetries)}
    H = rfm.stabiliser(split)
    return {
        "kind": split.kind.tolist(),
        "mirrors": [g.k for g in split.mirrors],
        "name": H.name,
        "elements": [number[g] for g in H.elements],
        "generators": [number[g] for g in H.generators],
        "baseline": split.orbit_baseline(),
    }


FACTS = """(split) => {
    const H = engine.symmetry.stabiliser(split);
    return {kind: [...split.kind], mirrors: split.mirrors, name: H.name, elements: H.elements,
            generators: H.generators, baseline: engine.splits.orbitBaseline(split)};
}"""


def made(page: Page, task: rfm.Task, operation: str, orders: list[int], steps: list) -> list[dict]:
    """The splits after each of the steps [name of the function, arguments …], in the browser."""
    return page.evaluate(
        f"""([setting, steps]) => {{
            const facts = {FACTS};
            let split = engine.makeTask(setting);
            return steps.map(([name, ...rest]) => {{
                split = engine.splits[name](split, ...rest);
                return facts(split);
            }});
        }}""",
        [{"operation": operation, "orders": orders}, steps],
    )


LARGER = [one for one in TASKS if one[1] != [2] and one not in (("×", [3]), ("÷", [3]))]


@pytest.mark.parametrize(("operation", "orders"), LARGER, ids=str)
def test_splits(page: Page, operation: str, orders: list[int]) -> None:
    task = task_of(operation, orders)
    draw, n = random.Random(f"{operation}{orders} split"), task.n
    k, seed, fraction = draw.randrange(n), draw.randrange(2**32), draw.uniform(0.3, 0.8)
    mirror = task.reflections[k]

    split = rfm.withhold(task, mirror.fixed_points())
    expected, steps = [split], [["withholdMirrors", [k]]]
    for seed in draw.choices(range(1000), k=2):
        expected.append(expected[-1].move_random(1, seed))
        steps.append(["moveRandom", 1, seed])
    point = int(task.index(expected[-1].train)[draw.randrange(len(expected[-1].train))])
    if len(expected[-1].train) > 1:
        expected.append(expected[-1].move(task.samples[[point]]))
        steps.append(["move", [point]])
    try:
        expected.append(expected[-1].move_mirror_pairs(1, mirror, seed))
        steps.append(["moveMirrorPairs", 1, k, seed])
    except ValueError:
        assert n <= 4
    expected.append(expected[-1].give_back_random(1, seed))
    steps.append(["giveBackRandom", 1, seed])
    withheld = task.index(expected[-1].of_kind(rfm.Kind.WITHHELD)).tolist()
    expected.append(expected[-1].give_back(task.samples[withheld[:1]]))
    steps.append(["giveBack", withheld[:1]])
    assert made(page, task, operation, orders, steps) == [facts(one) for one in expected]

    expected, steps = [rfm.random_split(task, fraction, seed)], [["random", fraction, seed]]
    expected.append(expected[-1].move_random(min(2, len(expected[-1].train) - 1), seed))
    steps.append(["moveRandom", min(2, len(expected[0].train) - 1), seed])
    assert made(page, task, operation, orders, steps) == [facts(one) for one in expected]

    points = draw.sample(range(n**2), k=draw.randrange(1, n**2))
    expected, steps = [rfm.withhold(task, task.samples[points])], [["withhold", points]]
    assert made(page, task, operation, orders, steps) == [facts(one) for one in expected]


def test_halves_are_rounded_as_python_does(page: Page) -> None:
    for n, fraction in [(3, 0.5), (5, 0.5), (5, 0.1), (5, 0.7), (7, 0.5), (9, 0.5), (10, 0.005)]:
        if not round(fraction * n**2):
            continue
        (found,) = made(page, rfm.addition(n), "+", [n], [["random", fraction, 0]])
        assert found == facts(rfm.random_split(rfm.addition(n), fraction, 0))


def test_a_page_loads_what_the_engine_is_made_of() -> None:
    text = (exploring.ROOT / "book" / "explorer.md").read_text(encoding="utf-8")
    for name in exploring.NAMES:
        assert f'src="../_static/explorer/{name}.js"' in text


def test_mirror_images(page: Page) -> None:
    task = rfm.subtraction(3, 3)
    found = page.evaluate(
        """() => {
            const task = engine.makeTask({operation: "-", orders: [3, 3]});
            return engine.symmetry.mirrorImages(task, 5);
        }"""
    )
    assert found == [int(task.index(g(task.samples[5]))) for g in task.reflections]
