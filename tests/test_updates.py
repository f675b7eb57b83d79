"""Rules for the next metric, against definitions by automatic differentiation, and their laws."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from oracles import KERNELS, dense_predictor, random_metric, random_pairs, same
from torch import Tensor
from torch.func import jacrev, vmap

import rfm
from rfm import KernelMachine
from rfm.updates import AGOP, FACT, Diagonal, Update, fact

PLUS, TIMES = rfm.addition(7), rfm.multiplication(11)
TRAINING = {
    "half of x + y mod 7": (PLUS, random_pairs(PLUS, 25, seed=1)),
    "some of x * y mod 11": (TIMES, random_pairs(TIMES, 40, seed=2)),
    "one row of the table": (PLUS, torch.tensor([[2, b] for b in range(7)])),
    "two points": (PLUS, torch.tensor([[2, 3], [4, 4]])),
}
RULES = AGOP(), AGOP(0.25, centred=False), Diagonal(), Diagonal(1.0), FACT(), FACT(averaged=False)
every_kernel = pytest.mark.parametrize("name", KERNELS)
every_training_set = pytest.mark.parametrize("data", TRAINING.values(), ids=TRAINING)
every_rule = pytest.mark.parametrize("rule", RULES, ids=repr)


def fitted(name: str, task: rfm.Task, train: Tensor, M: Tensor, ridge: float) -> KernelMachine:
    return KernelMachine.fit(train, task.one_hot_labels(train), KERNELS[name], M, ridge)


def root(M: Tensor, s: float) -> Tensor:
    values, vectors = torch.linalg.eigh((M + M.T) / 2)
    return vectors @ torch.diag(values.clamp(min=0) ** s) @ vectors.T


# ------------------------------------------------------------------------------------------- FACT


@every_kernel
@every_training_set
def test_fact_is_made_of_loss_gradients_and_inputs(
    name: str, data: tuple[rfm.Task, Tensor]
) -> None:
    """−(1/N λ′) Σ ∇ₓℓ(x_i) x_iᵀ for ℓ = ½‖f − y‖², weight decay λ′ = λ/N, by torch.func."""
    (task, train), ridge = data, 0.37
    M = random_metric(task.dimension, seed=3)
    machine = fitted(name, task, train, M, ridge)
    X, Y = task.one_hot(train), task.one_hot_labels(train)
    f = dense_predictor(name, X, machine.coefficients, M)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return (f(x) - y).square().sum() / 2

    gradients = vmap(jacrev(loss))(X, Y)
    wanted = -(gradients.T @ X) / ridge
    same(fact(machine), wanted, 1e-9)


@pytest.mark.parametrize("name", ["gaussian", "quadratic"])
def test_fact_has_a_limit_for_no_ridge(name: str) -> None:
    task, train = TRAINING["half of x + y mod 7"]
    M = random_metric(task.dimension, seed=4)
    none, small = (fact(fitted(name, task, train, M, ridge)) for ridge in (0.0, 1e-9))
    same(small, none, 1e-5)


@pytest.mark.parametrize("averaged", [True, False])
@pytest.mark.parametrize("name", ["gaussian", "quadratic"])
def test_fact_is_the_published_root(name: str, averaged: bool) -> None:
    """M ← W², W = (F M² Fᵀ)^{1/8} or (F Fᵀ)^{1/4}."""
    task, train = TRAINING["some of x * y mod 11"]
    M = random_metric(task.dimension, seed=5)
    machine = fitted(name, task, train, M, 0.1)
    F, found = fact(machine), FACT(averaged)(machine)  # found is W²
    if averaged:
        same(torch.linalg.matrix_power(found, 4), F @ M @ M @ F.T, 1e-9)
    else:
        same(found @ found, F @ F.T, 1e-9)


def test_where_the_metric_stands_still_it_is_its_fact() -> None:
    """M = F on the range of M, which is a proper subspace here."""
    task = rfm.addition(7)
    split = rfm.random_split(task, 0.6, 0)
    run = rfm.fit(split, rfm.Quadratic(), 900, update=FACT(), stop=rfm.converged(1e-11))
    M, Y = run.features, task.one_hot_labels(split.train)
    F = fact(KernelMachine.fit(split.train, Y, rfm.Quadratic(), M))
    values, vectors = torch.linalg.eigh(M)
    inside = vectors[:, values > 1e-9 * values[-1]]
    assert inside.shape[1] < 14
    same(F @ inside @ inside.T, M, 1e-8)


def test_without_the_mean_the_quadratic_kernel_runs_away() -> None:
    split = rfm.random_split(rfm.addition(7), 0.8, 0)
    with pytest.raises(rfm.RunError) as ended:
        rfm.fit(split, rfm.Quadratic(), 60, update=FACT(averaged=False))
    assert ended.value.iteration < 20


# --------------------------------------------------------------------------------------- diagonal


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("power", [0.5, 1.0, 0.25])
def test_diagonal_is_that_of_the_agop(power: float, centred: bool) -> None:
    task, train = TRAINING["half of x + y mod 7"]
    M = random_metric(task.dimension, seed=6)
    machine = fitted("gaussian", task, train, M, 0.0)
    found = Diagonal(power, centred)(machine)
    wanted = machine.agop(centred).diagonal() ** power
    same(found, torch.diag(wanted), 1e-12)


def test_a_coordinate_that_is_not_seen_has_no_weight() -> None:
    """An operand that no training pair has."""
    train = torch.tensor([[a, b] for a in range(1, 7) for b in range(7)])
    machine = fitted("quadratic", PLUS, train, torch.eye(14, dtype=torch.float64), 0.0)
    found = Diagonal()(machine).diagonal()
    assert found[0] == 0
    assert (found[1:] > 0).all()


@pytest.mark.parametrize("rounding", [1e-17, -1e-17])
def test_a_square_that_is_rounding_has_no_weight(rounding: float) -> None:
    """Its root would be some billionths of the largest, and is no number if it is negative."""
    agop = torch.diag(torch.tensor([4.0, rounding, 1.0, 1e-9], dtype=torch.float64))
    machine = SimpleNamespace(agop=lambda centred: agop)
    wanted = torch.tensor([2.0, 0.0, 1.0, 10**-4.5], dtype=torch.float64)
    same(Diagonal()(machine).diagonal(), wanted, 1e-12)


@pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()])
@pytest.mark.parametrize("task", [rfm.addition(7), rfm.subtraction(8), rfm.addition(3, 5)])
def test_in_the_trap_a_diagonal_metric_is_a_number(task: rfm.Task, kernel: rfm.Kernel) -> None:
    """Swap and translations keep the training set, and lead from any coordinate to any other."""
    split = rfm.withhold(task, task.reflections[task.group.identity].fixed_points())
    run = rfm.fit(split, kernel, 8, update=Diagonal(), keep_features=True)
    for M in run.history:
        same(M, M[0, 0] * torch.eye(task.dimension, dtype=M.dtype), 1e-10)


# ------------------------------------------------------------------------------- laws of all rules


@every_rule
def test_the_next_metric_is_symmetric_and_positive(rule: Update) -> None:
    task, train = TRAINING["half of x + y mod 7"]
    machine = fitted("gaussian", task, train, random_metric(14, seed=7), 0.0)
    M = rule(machine)
    same(M, M.T, 1e-12)
    values = torch.linalg.eigvalsh(M)
    assert values[0] > -1e-9 * values[-1]


@every_rule
@pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()])
def test_what_renames_coordinates_renames_the_metric(rule: Update, kernel: rfm.Kernel) -> None:
    """RFM on Q·(training set) gives Q M Qᵀ, for every rule (equivariance)."""
    task = rfm.addition(7)
    for g in list(rfm.equivalences(task))[5::97]:
        split = rfm.random_split(task, 0.6, 1)
        kind = torch.empty_like(split.kind)
        kind[g.on_samples()] = split.kind
        renamed = rfm.Split(task, kind)
        averaged = rule if not (isinstance(rule, FACT) and not rule.averaged) else FACT()
        M, N = (rfm.fit(s, kernel, 3, update=averaged).features for s in (split, renamed))
        where, moved = g.coordinates(), torch.empty_like(M)
        moved[where[:, None], where] = M
        same(N, moved, 1e-7)


@pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()])
def test_every_rule_keeps_the_symmetry_of_the_trap(kernel: rfm.Kernel) -> None:
    task = rfm.addition(11)
    mirror = task.reflection(3)
    split = rfm.withhold(task, mirror.fixed_points())
    for rule in (AGOP(), Diagonal(), FACT()):
        M = rfm.fit(split, kernel, 5, update=rule).features
        assert float(rfm.odd_part(M, mirror).norm()) < 1e-9 * float(M.norm())


# ------------------------------------------------------------------------------------------ in fit


def test_the_agop_is_what_is_done_if_nothing_is_said() -> None:
    split = rfm.random_split(PLUS, 0.6, 0)
    for given, rule in (({}, AGOP()), ({"power": 0.25, "centred": False}, AGOP(0.25, False))):
        plain = rfm.fit(split, rfm.Gaussian(), 4, **given)
        named = rfm.fit(split, rfm.Gaussian(), 4, update=rule)
        assert torch.equal(plain.features, named.features)
        assert plain.settings["update"] == named.settings["update"] == repr(rule)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"update": "AGOP"}, "update must be"),
        ({"update": FACT}, "update must be"),
        ({"update": FACT(), "power": 1.0}, "power and centred belong to the AGOP"),
        ({"update": AGOP(), "centred": False}, "power and centred belong to the AGOP"),
        ({"update": Diagonal(), "translations": True}, "computes the AGOP only"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict, what: str) -> None:
    split = rfm.withhold(PLUS, PLUS.reflection(0).fixed_points())
    with pytest.raises(ValueError, match=what):
        rfm.fit(split, rfm.Gaussian(), 2, **options)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: AGOP(0), "power must be"),
        (lambda: Diagonal(-1), "power must be"),
        (lambda: Diagonal(0.5, 1), "centred must be"),
        (lambda: FACT("yes"), "averaged must be"),
    ],
)
def test_a_rule_says_what_it_cannot_be(make, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        make()


class Crooked(Update):
    def __call__(self, machine: KernelMachine) -> Tensor:
        return machine.M + torch.triu(machine.M + 1)


class Half(Update):
    def __call__(self, machine: KernelMachine) -> Tensor:
        return machine.M.float()


class Small(Update):
    def __call__(self, machine: KernelMachine) -> Tensor:
        return machine.M[:2, :2]


@pytest.mark.parametrize(
    ("rule", "what"),
    [(Crooked(), "is not symmetric"), (Half(), "float64"), (Small(), r"\(14, 14\)")],
)
def test_a_rule_of_ones_own_is_checked(rule: Update, what: str) -> None:
    split = rfm.random_split(PLUS, 0.6, 0)
    with pytest.raises(rfm.RunError, match=what):
        rfm.fit(split, rfm.Gaussian(), 2, update=rule)


def test_a_table_tells_rules_apart_by_label_and_key(tmp_path) -> None:
    split = rfm.random_split(PLUS, 0.6, 0)
    settings = [
        rfm.Setting(split, rfm.Gaussian(), {"iterations": 2, "update": rule}, {"rule": repr(rule)})
        for rule in (AGOP(), FACT(), Diagonal())
    ]
    assert len({setting.key for setting in settings}) == 3
    table = rfm.sweep(settings, tmp_path / "rules.csv", progress=False)
    assert table.rule.tolist() == [repr(AGOP()), repr(FACT()), repr(Diagonal())]
