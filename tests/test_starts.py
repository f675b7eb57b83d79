"""Random starts and their means over groups, against sums over the whole group."""

from __future__ import annotations

import pytest
import torch

import rfm
from rfm.starts import averaged, entry_orbits, symmetrised, wishart

TASKS = [rfm.addition(5), rfm.addition(6), rfm.subtraction(2, 4), rfm.multiplication(7)]


def conjugate(M: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """Π M Πᵀ for the permutation that takes coordinate i to c[i]."""
    image = torch.empty_like(M)
    image[c[:, None], c] = M
    return image


def closure(maps: list[torch.Tensor]) -> list[torch.Tensor]:
    """All products of some permutations, made by those that are no product of earlier ones."""
    found, generators = {tuple(range(len(maps[0])))}, []
    for c in maps:
        if tuple(c.tolist()) in found:
            continue
        generators.append(c)
        new = set(found)
        while new:
            new = {tuple(g[list(p)].tolist()) for p in new for g in generators} - found
            found |= new
    return [torch.tensor(p) for p in found]


def moves(task: rfm.Task) -> dict[str, list]:
    n, e = task.n, task.group.identity
    same, inverse = torch.arange(n), task.group.inverses
    return {
        "reflection": [task.reflections[1]],
        "rotations": [task.rotation(task.group.values[1]), task.rotation(task.group.values[-1])],
        "translation": [rfm.Equivalence(task, same, 1, 1, False)],
        "negation and swap": [rfm.Equivalence(task, inverse, e, e, True)],
        "all equivalences": list(rfm.equivalences(task)),
    }


@pytest.mark.parametrize("task", TASKS, ids=str)
@pytest.mark.parametrize("name", list(moves(TASKS[0])))
def test_mean_is_that_over_the_whole_group(task: rfm.Task, name: str) -> None:
    some, M = moves(task)[name], wishart(task, 3, width=40)
    group = closure([g.coordinates() for g in some])
    expected = torch.stack([conjugate(M, c) for c in group]).mean(0)
    found = symmetrised(M, some)
    assert (found - expected).abs().max() < 1e-12
    for g in some:
        assert torch.equal(conjugate(found, g.coordinates()), found), "exactly"
    assert torch.equal(found, found.T)
    assert torch.linalg.eigvalsh(found).min() > -1e-12


def test_a_symmetric_start_stays_symmetric() -> None:
    task = rfm.addition(9)
    s = task.reflections[0]
    M0 = symmetrised(wishart(task, 0), [s])
    run = rfm.fit(rfm.withhold(task, s.fixed_points()), rfm.Gaussian(2.5), 6, M0=M0)
    assert rfm.odd_part(run.features, s).norm() < 1e-10 * run.features.norm()


def test_a_random_metric_is_that_of_its_seed_and_width() -> None:
    task = rfm.addition(6)
    M = wishart(task, 4)
    assert M.shape == (12, 12)
    assert M.dtype == torch.float64
    assert torch.equal(M, wishart(task, 4))
    assert not torch.equal(M, wishart(task, 5))
    assert torch.linalg.matrix_rank(wishart(task, 0, width=5)) == 5
    many = torch.stack([wishart(task, seed, width=64) for seed in range(400)])
    assert (many.mean(0) - torch.eye(12)).abs().max() < 0.05
    assert float(many[:, 0, 1].std()) == pytest.approx(1 / 8, rel=0.15)


PLUS, OTHER = rfm.addition(5), rfm.addition(6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wishart(5, 0), "task"),
        (lambda: wishart(PLUS, 0, width=0), "width"),
        (lambda: wishart(PLUS, "a"), "seed"),
        (lambda: entry_orbits([]), "one or more"),
        (lambda: entry_orbits([PLUS.identity, 3]), "symmetries or equivalences"),
        (lambda: entry_orbits([PLUS.identity, OTHER.identity]), "one task"),
        (lambda: symmetrised(torch.eye(12), [PLUS.identity]), "M"),
        (lambda: averaged(torch.eye(10), torch.zeros(9, 9, dtype=torch.int64)), "orbits"),
        (lambda: averaged(torch.eye(10), torch.zeros(10, 10)), "orbits"),
    ],
)
def test_bad_input_is_told(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
