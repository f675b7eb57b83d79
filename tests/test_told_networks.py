"""What networks do at their edges: what is left out, what is shown, what is refused, and ties."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch

import rfm
from rfm.machine import TIE
from rfm.networks import Mirrored, NetworkSetting, Paired, Random, ReLU, Square, Weights, train
from rfm.networks.record import judged
from rfm.networks.waves import Waves

ADD, S3 = rfm.addition(5), rfm.composition(rfm.symmetric(3))
SPLIT = rfm.random_split(ADD, 0.6, 0)
SWAP = ADD.reflection(1)


def said(call: Callable[[], object], kind: type[Exception] = ValueError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_what_stands_for_what_is_left_out() -> None:
    parameters = inspect.signature(train).parameters.values()
    assert {p.name: p.default for p in parameters if p.default is not p.empty} == {
        **{"activation": Square(), "start": Random(), "steps": 1000, "width": 256, "rate": 0.01},
        **{"decay": 1.0, "batch": None, "optimiser": None, "every": 10, "seed": 0},
    }
    assert Random() == Random(1.0)
    assert Mirrored(SWAP) == Mirrored(SWAP, 1.0, 0.0)


@pytest.mark.parametrize("activation", [Square(), ReLU()], ids=repr)
def test_an_activation_knows_whether_it_is_even(activation: rfm.networks.Activation) -> None:
    z = torch.linspace(-2, 2, 9)
    assert activation.even is torch.equal(activation(z), activation(-z))


def test_what_is_shown_of_a_record_is_short() -> None:
    run = train(SPLIT, steps=2, width=3)
    assert repr(run.weights) == f"Weights(task={ADD!r})"
    assert "right=" not in repr(run)
    waves = repr(Waves.of(run.weights))
    assert waves.startswith("Waves(frequency=")
    assert waves.count("=") == 1


def test_points_are_right_in_the_end_if_they_are_in_the_last_row() -> None:
    rows = torch.eye(4, 10).bool()
    assert torch.equal(replace(train(SPLIT, steps=1, width=2), right=rows).correct(), rows[3])


@pytest.mark.parametrize("withheld", [True, False])
def test_a_row_of_the_table_from_its_definitions(withheld: bool) -> None:
    split = rfm.random_split(ADD, 0.4, 3)
    if withheld:
        split = rfm.withhold(ADD, SWAP.fixed_points()).move_random(4, 0)
    dice = torch.Generator().manual_seed(1)
    scores = torch.randint(4, (25, 5), generator=dice).double()  # with ties
    Y = ADD.one_hot_labels(ADD.samples)
    scores += 2 * Y
    row, right = judged(split, scores, Y)
    lead = [
        float(s[k] - max(x for j, x in enumerate(s.tolist()) if j != k))
        for s, k in zip(scores, ADD.labels.tolist(), strict=True)
    ]
    kinds = [rfm.Kind(k).name.lower() for k in split.kind.tolist()]
    ok = dict.fromkeys((*dict.fromkeys(kinds), "train", "test", "random", "withheld", "moved"), ())
    for name in ok:
        ok[name] = [
            x > 0
            for x, k in zip(lead, kinds, strict=True)
            if k == name or (name == "test" and k != "train")
        ]
    share = {name: sum(found) / len(found) if found else math.nan for name, found in ok.items()}
    loss = (scores - Y).square().sum(1).tolist()
    trained = [k == "train" for k in kinds]
    train_loss = [x for x, t in zip(loss, trained, strict=True) if t]
    test_loss = [x for x, t in zip(loss, trained, strict=True) if not t]
    wanted = {
        **{
            f"{name}_accuracy": share[name]
            for name in ("train", "test", "random", "withheld", "moved")
        },
        "train_loss": sum(train_loss) / len(train_loss),
        "test_loss": sum(test_loss) / len(test_loss),
        "margin": min(x for x, t in zip(lead, trained, strict=True) if x > 0 and not t),
        "train_margin": min(x for x, t in zip(lead, trained, strict=True) if t),
    }
    assert [*row] == [*wanted]
    assert row == pytest.approx(wanted, nan_ok=True)
    assert (
        right.tolist() == ok["test"] == [x > 0 for x, t in zip(lead, trained, strict=True) if not t]
    )
    assert 0 < sum(right) < len(right)


def test_a_lead_that_is_a_tie_is_not_right() -> None:
    scores = torch.zeros(25, 5).double()
    tie = TIE[torch.float64]
    scores[torch.arange(25), ADD.labels] = tie
    row, right = judged(SPLIT, scores, scores)
    assert not right.any()
    assert math.isnan(row["margin"])
    assert row["train_margin"] == tie
    assert judged(SPLIT, scores * 1.001, scores)[1].all()


def test_what_needs_a_group_that_commutes_says_so() -> None:
    weights = Random().draw(S3, 4, 0)
    assert said(lambda: Waves.of(weights)).startswith("a wave ")
    assert said(weights.frequency_shares).startswith("a frequency ")


LAYER = "layer must be a float64 tensor of shape "
U, V = torch.zeros(10, 3).double(), torch.zeros(3, 5).double()
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Weights(ADD, U[:9], V), f"the first {LAYER}(10, 3)"),
    (lambda: Weights(ADD, U.float(), V), f"the first {LAYER}(10, 3)"),
    (lambda: Weights(ADD, 5, V), f"the first {LAYER}(10, 0)"),
    (lambda: Weights(ADD, torch.tensor(1.0).double(), V), f"the first {LAYER}(10, 0)"),
    (lambda: Weights(ADD, U[:, :0], V[:0]), f"the first {LAYER}(10, 0)"),
    (lambda: Weights(ADD, U, V[:2]), f"the second {LAYER}(3, 5)"),
    (lambda: Weights(ADD, U, V.T), f"the second {LAYER}(3, 5)"),
    (lambda: Weights(ADD, U, V.float()), f"the second {LAYER}(3, 5)"),
    (lambda: Weights(ADD, U, V / 0), "the second layer has entries that are not finite"),
    (lambda: Weights(ADD, U / 0, V), "the first layer has entries that are not finite"),
    (lambda: Random(0), "scale must be a positive number, not 0"),
    (lambda: Random(math.inf), "scale must be a positive number, not inf"),
    (lambda: Random().draw(ADD, 0, 0), "width must be an integer of at least 1, not 0"),
    (lambda: Paired(SWAP).draw(ADD, 0, 0), "width must be an integer of at least 1, not 0"),
    (lambda: Paired(SWAP).draw(ADD, 3, 0), "paired neurons need an even width, not 3"),
    (
        lambda: Paired(ADD.rotation(1)),
        f"mirror must be a reflection, not {ADD.rotation(1)!r}",
    ),
    (lambda: Mirrored(SWAP, odd=-0.1), "odd must be a number from 0 to 1, not -0.1"),
    (lambda: Mirrored(SWAP, odd=1.1), "odd must be a number from 0 to 1, not 1.1"),
    (lambda: Mirrored(SWAP, noise=-0.1), "noise must be a number from 0 on, not -0.1"),
    (
        lambda: Mirrored(SWAP).draw(rfm.addition(7), 3, 0),
        f"mirror must be a reflection of {rfm.addition(7)}, not of {ADD}",
    ),
    (lambda: train(SPLIT, steps=0), "steps must be an integer of at least 1, not 0"),
    (lambda: train(SPLIT, width=0), "width must be an integer of at least 1, not 0"),
    (lambda: train(SPLIT, every=0), "every must be an integer of at least 1, not 0"),
    (lambda: train(SPLIT, rate=0), "rate must be a positive number, not 0"),
    (lambda: train(SPLIT, decay=-1), "decay must be a number from 0 on, not -1"),
    (lambda: train(SPLIT, batch=0), "batch must be an integer from 1 to 15, not 0"),
    (lambda: train(SPLIT, batch=16), "batch must be an integer from 1 to 15, not 16"),
    (
        lambda: train(SPLIT, optimiser="SGD"),
        "optimiser must be a function of a list of tensors, not 'SGD'",
    ),
    (
        lambda: train(SPLIT, start=Random().draw(rfm.addition(7), 3, 0)),
        f"weights for {rfm.addition(7)} cannot be trained on {ADD}",
    ),
    (
        lambda: train(SPLIT.flip_labels(0.2, 0)),
        "networks are trained on the task's own labels, and some are flipped here",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_is_refused(call: Callable[[], object], message: str) -> None:
    assert said(call) == message


def test_the_edges_of_what_is_allowed() -> None:
    Random(5e-324).draw(ADD, 1, 0)
    assert train(SPLIT, steps=1, width=1, every=1, batch=1, decay=0, rate=5e-324).weights.width == 1
    assert train(SPLIT, steps=1, width=1, batch=15).settings["batch"] == 15
    assert Paired(SWAP).draw(ADD, 2, 0).width == 2
    Mirrored(SWAP, odd=0, noise=0)
    Mirrored(SWAP, odd=1)


def test_what_a_record_says_of_itself() -> None:
    made = train(SPLIT, ReLU(), Random(2.0), 3, width=4, rate=0.5, decay=0.25, batch=2, seed=6)
    told = {
        **{"task": ADD.name, "split": "; ".join(SPLIT.history), "activation": "ReLU()"},
        **{"start": "Random(scale=2.0)", "steps": 3, "width": 4, "rate": 0.5, "decay": 0.25},
        **{"batch": 2, "seed": "seed 6"},
    }
    assert made.settings == told
    assert made.table.index.name == "step"
    assert [*made.table.index] == [0, 3]
    again = train(SPLIT, ReLU(), made.weights, 3, width=9, seed=torch.Generator().manual_seed(6))
    assert again.settings == {
        **told,
        **{"start": "given", "rate": 0.01, "decay": 1.0, "batch": "all"},
        "seed": "generator of seed 6",
    }
    assert again.split is SPLIT


def test_what_a_table_of_networks_shows() -> None:
    setting = NetworkSetting(SPLIT, Square(), {"steps": 3, "batch": 2, "seed": 4}, {"what": "a"})
    shown = {
        **{"what": "a", "task": ADD.name, "split": "; ".join(SPLIT.history)},
        **{"activation": "Square()", "start": "Random(scale=1.0)", "steps": 3, "width": 256},
        **{"rate": 0.01, "decay": 1.0, "batch": 2, "every": 10, "seed": 4},
    }
    assert setting.values == shown
    assert [*setting.values] == [*shown]
    whole = replace(setting, options={"steps": 3})
    assert whole.values == {**shown, "batch": "all", "seed": 0}
    setting.check()


def test_a_setting_is_run_with_so_many_threads() -> None:
    @dataclass(frozen=True)
    class Watching(Square):
        def __call__(self, z: torch.Tensor) -> torch.Tensor:
            seen.append(torch.get_num_threads())
            return super().__call__(z)

    before = torch.get_num_threads()
    setting = NetworkSetting(SPLIT, Watching(), {"steps": 1, "width": 1}, {})
    for threads in (before, before + 1):
        seen: list[int] = []
        setting.run(threads)
        assert {*seen} == {threads}
        assert torch.get_num_threads() == before


@pytest.mark.parametrize("name", ["task", "split", "seconds", "version", "torch", "rate"])
def test_labels_that_are_taken(name: str) -> None:
    message = said(NetworkSetting(SPLIT, Square(), {}, {name: 1}).check)
    assert message.startswith("labels ")
    assert repr(name) in message


@pytest.mark.parametrize(
    ("place", "kind"),
    [("split", "Split"), ("kernel", "Activation"), ("options", "Mapping"), ("labels", "Mapping")],
)
def test_settings_of_other_kinds(place: str, kind: str) -> None:
    setting = replace(NetworkSetting(SPLIT, Square(), {}, {}), **{place: 5})
    message = said(setting.check, TypeError)
    assert place in message
    assert kind in message
