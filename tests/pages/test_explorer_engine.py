"""The explorer's machine is the package's, in a real browser, in a worker, read from a file."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import exploring
import golden
import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page

import rfm

ASK = """
    globalThis.asking = () => {
        const worker = engine.startWorker();
        const ask = (message) => new Promise((answered, failed) => {
            worker.onmessage = ({data}) => answered(data);
            worker.onerror = (event) => failed(new Error(event.message));
            worker.postMessage(message);
        });
        return {worker, ask};
    };
    globalThis.base64 = (array) => btoa(Array.from(new Uint8Array(array.buffer),
        (byte) => String.fromCharCode(byte)).join(""));
    globalThis.doubles = (text) => new Float64Array(Uint8Array.from(atob(text),
        (c) => c.charCodeAt(0)).buffer);
"""
RUN = """async ([setting, iterations]) => {
    const {worker, ask} = asking(), frames = [], ready = await ask({type: "start", setting});
    if (ready.type !== "ready") return [ready];
    for (let t = 1; t <= iterations; t++) {
        const frame = await ask({type: "step"});
        frames.push(frame);
        if (frame.type === "error") break;
        const task = engine.makeTask(setting), {elements} = engine.decompose(task, frame.M);
        for (const [name, value] of Object.entries(frame)) {
            if (value instanceof Float64Array) frame[name] = base64(value);
            if (value instanceof Uint8Array) frame[name] = [...value];
        }
        frame.elements = elements;
    }
    worker.terminate();
    return frames;
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with exploring.loaded(browser, tmp_path_factory.mktemp("bare")) as page:
        page.add_script_tag(content=ASK)
        yield page


def doubles(text: str) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype="<f8").copy())


def text(array: np.ndarray | torch.Tensor) -> str:
    return base64.b64encode(np.asarray(array, dtype="<f8").tobytes()).decode()


# ------------------------------------------------------------------------------- golden runs


@pytest.mark.parametrize("name", golden.CASES)
def test_golden_runs(page: Page, name: str) -> None:
    told = json.loads((golden.GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    frames = page.evaluate(RUN, [told["setting"], golden.ITERATIONS])
    assert [frame["type"] for frame in frames] == ["frame"] * golden.ITERATIONS, frames[-1]
    d = 2 * golden.CASES[name].task().n
    for t, (frame, row) in enumerate(zip(frames, told["rows"], strict=True)):
        wander = max(told["wander"][max(t - 1, 0) : t + 1])  # of the metric before and after
        assert frame["iteration"] == t + 1
        if (stored := told["M"].get(str(t + 1))) is not None:
            far = golden.distance(doubles(frame["M"]).reshape(d, d), golden.unpacked(stored))
            assert far < max(1e-9, 30 * wander), (t + 1, far)
        for what in ("right", "predicted"):
            unsure = set(told[f"unsure_{what}"][t])
            pairs = enumerate(zip(frame[what], told[what][t], strict=True))
            assert all(x == int(y, 36) for i, (x, y) in pairs if i not in unsure), (what, t + 1)
        assert frame["elements"] == told["elements"][t], t + 1
        assert frame["orbitBaseline"] == told["orbit_baseline"]
        if not told["unsure_right"][t]:
            for kind in ("train", "test", "random", "withheld", "moved"):
                assert frame[f"{kind}Accuracy"] == row[f"{kind}_accuracy"], (kind, t + 1)
        assert frame["jitter"] == pytest.approx(row["jitter"], rel=1e-9, abs=0), t + 1
        # The smallest pivot, and what a jitter was added to, has the rounding of K over its size.
        loose = {
            "condition": max(1e-5, 10 * (wander + 1e-13) * row["condition"]),
            "tie": 1e-3 if row["jitter"] else 1e-6,
        }
        for mine, its in (
            *(("tie", "tie"), ("condition", "condition"), ("step", "step"), ("turn", "turn")),
            *(("trainLoss", "train_loss"), ("testLoss", "test_loss"), ("margin", "margin")),
        ):
            if row[its] is None or (its == "margin" and told["unsure_right"][t]):
                assert its == "margin"
                continue
            allowed = pytest.approx(row[its], rel=loose.get(its, 1e-6), abs=100 * wander)
            assert frame[mine] == allowed, (mine, t + 1)


@pytest.mark.parametrize("name", golden.CASES)
def test_python_makes_the_same_run(page: Page, name: str) -> None:
    case = golden.CASES[name]
    lines = page.evaluate(
        "([setting, T]) => engine.settings.python(setting, T)", [case.setting, golden.ITERATIONS]
    )
    lines = lines.replace("iterations=", "warn=False, iterations=")
    names: dict[str, Any] = {}
    exec(compile(lines, name, "exec"), names)  # the lines are what is tested
    split, run = case.split(case.task()), names["run"]
    assert names["split"].alike(split)
    assert torch.equal(names["split"].kind, split.kind)
    assert names["split"].mirrors == split.mirrors
    again = rfm.fit(split, case.kernel, golden.ITERATIONS, warn=False, **case.options)
    assert torch.equal(run.features, again.features)
    settings = [{k: v for k, v in one.settings.items() if k != "split"} for one in (run, again)]
    assert settings[0] == settings[1]


@pytest.mark.parametrize("name", golden.CASES)
def test_a_setting_comes_back_from_its_text(page: Page, name: str) -> None:
    setting = golden.CASES[name].setting
    found, size, split = page.evaluate(
        """(setting) => {
            const {encode, decode} = engine.settings, text = encode(setting);
            const found = decode("#" + text);
            const again = encode(found);
            if (again !== text || /[^\\w=&:*.~,+-]/.test(text)) throw new Error(text);
            return [found, text.length, [...engine.settings.checked(found).split.kind].join("")];
        }""",
        setting,
    )
    assert found == {
        "bandwidth": 2.5,
        "ridge": 0,
        "power": 0.5,
        "centred": True,
        **setting,
    }
    assert size < 200
    assert split == "".join(
        map(str, golden.CASES[name].split(golden.CASES[name].task()).kind.tolist())
    )


# ----------------------------------------------------------------------------- linear algebra


def symmetric(d: int, seed: int, rank: int | None = None) -> np.ndarray:
    A = np.random.default_rng(seed).standard_normal((d, rank or d))
    return A @ A.T if rank else (A + A.T) / 2


@pytest.mark.parametrize("d", [1, 2, 3, 4, 7, 14, 26, 50])
def test_eigenvalues_are_those_of_numpy(page: Page, d: int) -> None:
    for M in (symmetric(d, d), symmetric(d, d + 1, max(1, d // 2)), np.ones((d, d)), np.eye(d)):
        values, vectors = map(
            doubles,
            page.evaluate(
                """([text, d]) => {
                    const found = engine.parts.spectral.eigen(doubles(text), d);
                    return [base64(found.values), base64(found.vectors)];
                }""",
                [text(M), d],
            ),
        )
        V, scale = vectors.reshape(d, d).numpy(), np.abs(M).max() * d
        assert np.allclose(V @ V.T, np.eye(d), rtol=0, atol=1e-14 * d)
        assert np.allclose(V.T @ np.diag(values) @ V, M, rtol=0, atol=1e-14 * scale)
        assert np.allclose(np.sort(values), np.linalg.eigvalsh(M), rtol=0, atol=1e-14 * scale)


@pytest.mark.parametrize("s", [0.25, 0.5, 1.0, 2.0])
def test_powers_have_the_floor_of_the_package(page: Page, s: float) -> None:
    """Eigenvalues on either side of 10·d·ε of the largest: those below must come out as zero."""
    d = 12
    Q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))
    floor = 10 * d * np.finfo(float).eps
    for small in (-1e-3, -floor / 2, 0, floor / 3, 3 * floor, 1e-6):
        values = np.array([1.0] * 4 + [0.3] * 4 + [small] * 4)
        M = torch.from_numpy(Q * values @ Q.T)
        M = (M + M.T) / 2
        found = page.evaluate(
            "([text, d, s]) => base64(engine.parts.spectral.matrixPower(doubles(text), d, s))",
            [text(M), d, s],
        )
        found, expected = doubles(found).reshape(d, d), rfm.matrix_power(M, s)
        allowed = 1e-12 if s >= 0.5 or small < 1e-6 else 1e-10
        if small == 3 * floor:  # rounding of M is a share of so small an eigenvalue
            allowed = max(0.2 * small**s, 1e-13)
        assert float((found - expected).abs().max()) < allowed, small


@pytest.mark.parametrize("N", [1, 2, 3, 5, 23, 24, 25, 47, 48, 50, 100, 151])
def test_solutions_are_those_of_numpy(page: Page, N: int) -> None:
    K, c = symmetric(N, N, N + 3) + np.eye(N), 4
    Y = np.random.default_rng(N).standard_normal((N, c))
    L, x, jitter = page.evaluate(
        """([K, Y, N]) => {
            const {factorise, solve} = engine.parts.solving;
            const factor = factorise(doubles(K), N, 0.5, new Float64Array(N * N));
            return [base64(factor.L), base64(solve(factor, doubles(Y))), factor.jitter];
        }""",
        [text(K), text(np.ascontiguousarray(Y.T)), N],
    )
    ridged = K + 0.5 * np.eye(N)
    assert np.allclose(np.tril(doubles(L).reshape(N, N)), np.linalg.cholesky(ridged), rtol=1e-11)
    assert np.allclose(doubles(x).reshape(c, N).T, np.linalg.solve(ridged, Y), rtol=1e-9)
    assert jitter == 0


def test_jitter_is_that_of_the_package(page: Page) -> None:
    """Smallest pivots around N·ε, matrices without rank, and one that no jitter helps."""
    eps = np.finfo(float).eps
    rest = np.diag([1.0] * 9 + [0.0])
    last = np.zeros((10, 10))
    last[9, 9] = eps
    matrices = [rest + share * last for share in (0, 2, 9, 11, 30, 1e4)]
    matrices += [symmetric(10, 1, 4), 7 * np.ones((10, 10)), np.diag([1.0] * 9 + [-1e-3])]
    matrices += [np.zeros((10, 10)), np.full((10, 10), np.nan)]
    for K in matrices:
        found = page.evaluate(
            """([K, N]) => {
                try {
                    const {jitter, ridge, largest, condition} = engine.parts.solving.factorise(
                        doubles(K), N, 0, new Float64Array(N * N));
                    return [jitter, ridge, largest, condition];
                } catch (error) { return error.message; }
            }""",
            [text(K), 10],
        )
        try:
            factor = rfm.factorise(torch.from_numpy(K.copy()), warn=False)
        except rfm.SingularKernelError as error:
            beginning = str(error)[: str(error).find("with ") if "even with" in str(error) else 60]
            assert found[: len(beginning)] == beginning
        else:
            expected = [factor.jitter, factor.ridge, factor.largest]
            assert found[:3] == pytest.approx(expected, rel=1e-12, abs=0)
            assert found[3] == pytest.approx(factor.condition, rel=1e-3)


@pytest.mark.parametrize("centred", [True, False])
def test_gradients_on_the_range_of_a_singular_metric(page: Page, centred: bool) -> None:
    """Where rounding would be seen, gradients go to the range of M before they are squared."""
    task = rfm.addition(6)
    split = rfm.random_split(task, 0.7, 0)
    α = torch.randn(
        len(split.train), 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    even = torch.cat([torch.ones(6), torch.zeros(6)]).double()  # Σ_{u<n} h_jc = 0 in any case
    v, tilted = torch.linspace(1, 2, 12).double(), even.clone()
    tilted[0] += 1e-4
    for M, calls in (
        (torch.outer(v, v), 1),
        (torch.eye(12).double(), 1),
        (1e-9 * torch.eye(12) + torch.outer(v, v), 1),
        (torch.outer(tilted, tilted), 2),
        (torch.outer(even, even), 2),
    ):
        K = rfm.Gaussian().gram(split.train, split.train, M)
        found = page.evaluate(
            """([K, M, x, α, centred]) => {
                const {spectral, gradients} = engine.parts, N = x.length, w = doubles(K);
                for (let i = 0; i < N; i++) for (let j = 0; j < N; j++)
                    w[i * N + j] *= i === j ? 0 : 1 / 6.25;
                let calls = 0;
                const squared = (through) => {
                    calls++;
                    return gradients.groupedProducts(w, x, doubles(α), 6, centred, through);
                };
                try {
                    return [base64(spectral.outerProducts(doubles(M), 12, squared)), calls];
                } catch (error) { return [error.message, calls]; }
            }""",
            [text(K), text(M), task.index(split.train).tolist(), text(α.T.contiguous()), centred],
        )
        assert found[1] == calls
        if torch.equal(M, torch.outer(even, even)):
            with pytest.raises(ArithmeticError) as lost:
                rfm.Gaussian().gradient_products(split.train, α, M, centred)
            assert found[0] == str(lost.value)
        else:
            expected = rfm.Gaussian().gradient_products(split.train, α, M, centred)
            assert golden.distance(doubles(found[0]).reshape(12, 12), expected) < 1e-10


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
def test_a_machine_of_any_targets(page: Page, kernel: rfm.Kernel) -> None:
    """Large targets of one class, so that its coefficients decide what a tie is; a large ridge."""
    task, generator = rfm.division(7), torch.Generator().manual_seed(3)
    split = rfm.random_split(task, 0.6, 4)
    A = torch.randn(12, 12, dtype=torch.float64, generator=generator)
    M, N = A @ A.T / 12, len(split.train)
    for ridge, largest in ((0.1, None), (0.1, 0), (0.1, 3), (1e11, None)):
        Y = torch.rand(N, 6, dtype=torch.float64, generator=generator)
        if largest is not None:
            Y[:, largest] *= 1e9
        machine = rfm.KernelMachine.fit(split.train, Y, kernel, M, ridge)
        found = page.evaluate(
            """([M, YT, train, test, ridge, name]) => {
                const {kernels, machines} = engine.parts, N = train.length;
                const kernel = name === "Gaussian" ? kernels.gaussian(2.5) : kernels.quadratic();
                const scratch = {K: new Float64Array(N * N), L: new Float64Array(N * N)};
                const machine = machines.fit(
                    {kernel, M: doubles(M), n: 6, train, YT: doubles(YT), ridge, scratch});
                const trained = machine.trainPredictions();
                return [machine.αT, machine.predict(test), trained].map(base64)
                    .concat(machine.resolution(trained));
            }""",
            [
                *(text(M), text(Y.T.contiguous())),
                *(task.index(pairs).tolist() for pairs in (split.train, split.test)),
                *(ridge, type(kernel).__name__),
            ],
        )
        α, tested, trained = map(doubles, found[:3])
        assert golden.distance(α.reshape(6, N).T, machine.coefficients) < 1e-10
        assert golden.distance(tested.reshape(-1, 6), machine.predict(split.test)) < 1e-10
        assert golden.distance(trained.reshape(N, 6), machine.train_predictions()) < 1e-9
        assert found[3] == pytest.approx(machine.resolution, rel=1e-9)


@pytest.mark.parametrize("bandwidth", [1e-8, 1e-7, 2.5])
def test_distances_that_a_metric_does_not_resolve_are_zero(page: Page, bandwidth: float) -> None:
    """Many samples are one under a metric of rank 1; a small bandwidth would see its rounding."""
    task = rfm.addition(6)
    generator = torch.Generator().manual_seed(2)
    v = torch.randint(1, 4, (12,), generator=generator).double() / 7
    M = torch.outer(v, v)
    found = page.evaluate(
        """([M, L]) => {
            const x = [...Array(36).keys()], kernel = engine.parts.kernels.gaussian(L);
            const once = kernel.gram(doubles(M), 6, x, x);
            return [base64(once), base64(kernel.gram(doubles(M), 6, x, x.slice()))];
        }""",
        [text(M), bandwidth],
    )
    expected = rfm.Gaussian(bandwidth).gram(task.samples, task.samples, M)
    assert int((expected == 1).sum()) > 36
    for K in found:
        assert torch.allclose(doubles(K).reshape(36, 36), expected, rtol=1e-12, atol=1e-300)


# ---------------------------------------------------------------------- what is read off a matrix

MAKERS = {"+": rfm.addition, "−": rfm.subtraction, "×": rfm.multiplication, "÷": rfm.division}
TABLES = [("+", [2]), ("+", [3]), ("−", [4]), ("+", [5]), ("+", [2, 2]), ("−", [3, 3])]
TABLES += [("×", [7]), ("÷", [11]), ("+", [12]), ("+", [25])]


@pytest.mark.parametrize(("operation", "orders"), TABLES, ids=str)
def test_what_stands_out_is_what_the_package_says(
    page: Page, operation: str, orders: list[int]
) -> None:
    """Planted elements under noise, of sizes on both sides of what is noticed."""
    task, generator = MAKERS[operation](*orders), torch.Generator().manual_seed(0)
    d, matrices = task.dimension, [torch.zeros(task.dimension, task.dimension).double()]
    for noise in (0.0, 1e-12, 1e-7, 1e-2):
        for size in (1.0, 0.15, 0.09, 1e-9):
            M = torch.eye(d, dtype=torch.float64)
            chosen = torch.randint(2 * task.n, (2,), generator=generator).tolist()
            for g, share in zip(chosen, (1.0, size), strict=True):
                P = task.symmetries[g].matrix()
                M = M - share * (P + P.T)
            N = torch.randn(d, d, dtype=torch.float64, generator=generator)
            matrices.append(M + noise * (N + N.T))
    found = page.evaluate(
        """([setting, texts]) => {
            const task = engine.makeTask(setting);
            return texts.map((text) => {
                const parts = engine.decompose(task, doubles(text));
                return {...parts, coefficients: [...parts.coefficients],
                        deviations: [...parts.deviations], standsOut: [...parts.standsOut]};
            });
        }""",
        [{"operation": operation, "orders": orders}, [text(M) for M in matrices]],
    )
    number = {g: i for i, g in enumerate(task.symmetries)}
    for M, parts in zip(matrices, found, strict=True):
        expected = rfm.decompose(M, task)
        assert parts["elements"] == [number[g] for g in expected.elements]
        assert parts["standsOut"] == expected.stands_out.long().tolist()
        close = {"rel": 1e-9, "abs": 1e-14}
        assert parts["coefficients"] == pytest.approx(expected.coefficients.tolist(), **close)
        assert parts["background"] == pytest.approx(expected.background.tolist(), **close)
        assert parts["deviations"] == pytest.approx(expected.deviations.tolist(), **close)
        assert parts["residual"] == pytest.approx(expected.residual, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", ["moved", "minus", "times", "product", "two-mirrors", "random"])
def test_odd_parts_and_axes(page: Page, name: str) -> None:
    """The odd part under each reflection, and how many points on the withheld axes are right."""
    case = golden.CASES[name]
    split = case.split(case.task())
    d, task = split.task.dimension, split.task
    axes = [g.k for g in split.mirrors]
    on_axis = torch.isin(task.mirror(task.samples), torch.tensor(axes)) & (split.kind != 0)
    for frame in page.evaluate(RUN, [case.setting, 10])[4:]:
        M = doubles(frame["M"]).reshape(d, d)
        odd = [float(rfm.odd_part(M, g).norm() / M.norm()) for g in task.reflections]
        assert doubles(frame["oddParts"]).tolist() == pytest.approx(odd, rel=1e-9, abs=1e-15)
        assert frame["oddPart"] == (doubles(frame["oddParts"])[axes[0]] if axes else None)
        right = torch.tensor(frame["right"], dtype=torch.float64)[on_axis]
        assert frame["axisAccuracy"] == (float(right.mean()) if len(right) else None)


def test_a_score_for_each_class(page: Page) -> None:
    """Scores, leads and predictions of one frame belong together, and are the package's."""
    case = golden.CASES["over"]
    split = case.split(case.task())
    n, label = split.task.n, split.task.labels
    frame = page.evaluate(RUN, [case.setting, 1])[0]
    scores = doubles(frame["scores"]).reshape(n * n, n)
    run = rfm.fit(split, case.kernel, 1)
    test = split.kind != 0
    assert doubles(frame["lead"])[test].tolist() == pytest.approx(
        run.predictions["margin"].tolist(), abs=1e-12
    )
    assert doubles(frame["lead"]).tolist() == golden.leads(scores, label).tolist()
    assert scores.argmax(1).tolist() == frame["predicted"]
    assert torch.allclose(scores[~test], split.task.one_hot_labels(split.train), atol=1e-12)


# ------------------------------------------------------------------------- settings at random


def drawn(draw: random.Random) -> tuple[dict[str, Any], list[list[Any]]]:
    """A setting without its steps, and calls that make its split."""
    operation = draw.choice("+−×÷")
    orders = (
        [draw.choice([5, 7, 11])]
        if operation in "×÷"
        else draw.choice([[5], [6], [7], [8], [9], [2, 3], [2, 4], [3, 3]])
    )
    n = MAKERS[operation](*orders).n
    setting = {
        "operation": operation,
        "orders": orders,
        "kernel": draw.choice(["Gaussian", "Quadratic"]),
        "bandwidth": draw.choice([1, 2.5, 4.25]),
        "ridge": draw.choice([0, 0, 0.01, 0.5]),
        "power": draw.choice([0.25, 0.5, 0.5, 1]),
        "centred": draw.random() < 0.7,
    }
    seed = draw.randrange(2**32)
    calls = draw.choice(
        [
            [["random", draw.uniform(0.3, 0.9), seed]],
            [["withholdMirrors", [draw.randrange(n)]]],
            [["withholdMirrors", [draw.randrange(n)]], ["moveRandom", draw.randrange(1, 4), seed]],
            [["withhold", draw.sample(range(n * n), draw.randrange(1, n))]],
        ]
    )
    return setting, calls


@pytest.mark.parametrize("seed", range(24))
def test_settings_at_random(page: Page, seed: int) -> None:
    """Five iterations, and what Python makes of the lines that go with them."""
    setting, calls = drawn(random.Random(seed))
    steps, lines = page.evaluate(
        """([setting, calls]) => {
            let split = engine.makeTask(setting);
            for (const [name, ...rest] of calls) split = engine.splits[name](split, ...rest);
            const steps = split.history;
            return [steps, engine.settings.python({...setting, steps}, 5)];
        }""",
        [setting, calls],
    )
    frames = page.evaluate(RUN, [{**setting, "steps": steps}, 5])
    names: dict[str, Any] = {}
    exec(lines.replace("iterations=", "warn=False, keep_features=True, iterations="), names)
    run, d = names["run"], names["task"].dimension
    assert len(frames) == len(run.table)
    test = (run.split.kind != 0).tolist()
    for frame, M, right, (_, row) in zip(
        frames, run.history[1:], run.right, run.table.iterrows(), strict=True
    ):
        assert frame["jitter"] == pytest.approx(row["jitter"], rel=1e-6, abs=0)
        assert frame["tie"] == pytest.approx(row["tie"], rel=1e-2 if row["jitter"] else 1e-6)
        far = golden.distance(doubles(frame["M"]).reshape(d, d), M)
        assert far < (1e-6 if row["jitter"] else 1e-9), (setting, frame["iteration"], far)
        lead = doubles(frame["lead"])[test].abs() / frame["tie"]
        sure = (lead < 1 / golden.NEAR) | (lead > golden.NEAR)
        mine = torch.tensor(frame["right"])[test].bool()
        assert torch.equal(mine[sure], right[sure])


@pytest.mark.parametrize("kernel", [rfm.Gaussian(), rfm.Quadratic()], ids=repr)
def test_sixty_iterations(page: Page, kernel: rfm.Kernel) -> None:
    """As many as the page offers: every test point that is no near tie is judged alike."""
    task = rfm.addition(13)
    split = rfm.withhold(task, task.reflection(0).fixed_points()).move(task.pair(0, 2))
    run = rfm.fit(split, kernel, 60, warn=False)
    setting = {"operation": "+", "orders": [13], "kernel": type(kernel).__name__}
    setting["steps"] = golden.CASES["moved"].setting["steps"]
    frames = page.evaluate(RUN, [setting, 60])
    test, unsure = (split.kind != 0).tolist(), 0
    for frame, right in zip(frames, run.right, strict=True):
        lead = doubles(frame["lead"])[test].abs() / frame["tie"]
        sure = (lead < 1 / golden.NEAR) | (lead > golden.NEAR)
        unsure += int((~sure).sum())
        assert torch.equal(torch.tensor(frame["right"])[test].bool()[sure], right[sure])
    assert unsure < 0.03 * 60 * len(split.test)
