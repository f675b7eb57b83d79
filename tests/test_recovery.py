"""A hidden group comes back from its noisy table; what has none gets no certificate.

Oracles: the table that was hidden, all names of small tables by brute force, the beta distribution
of SciPy, sums over loops, and sympy for what a group is called.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import sympy
import torch
from mpmath import mp
from scipy import stats
from sympy.functions.combinatorial.numbers import partition
from tables_recovery import exchanged, held, latin, law_and_key

import rfm
from rfm import recovery
from rfm.matching import Match, balanced, fit, matches, standardised
from rfm.noise import between, chance
from rfm.recovery import Recovery, recover
from rfm.regular import basis, extended, regular_groups
from rfm.shuffling import blocks, same_law, shuffled

GROUPS = {
    "Z_23": rfm.addition(23),
    "Z_24": rfm.addition(24),
    "Z_29": rfm.subtraction(29),
    "Z_31^×": rfm.multiplication(31),
    "Z_5 × Z_5": rfm.addition(5, 5),
    "Z_2 × Z_12": rfm.addition(2, 12),
    "Z_3 × Z_9": rfm.addition(3, 9),
    "Z_2^5": rfm.addition(2, 2, 2, 2, 2),
}
every_group = pytest.mark.parametrize("task", GROUPS.values(), ids=GROUPS)


def planted(task: rfm.Task, noise: float, seed: int = 0) -> torch.Tensor:
    """A feature matrix that is constant on the axes of reflections, and normal noise."""
    drawn = torch.Generator().manual_seed(seed)
    n = task.n
    M = torch.randn(2 * n, 2 * n, generator=drawn, dtype=torch.float64)
    levels = torch.randn(n, generator=drawn, dtype=torch.float64)
    axis = task.mirror(task.samples).view(n, n)
    M[:n, n:] = levels[axis] + noise * M[:n, n:]
    M[n:, :n] = M[:n, n:].T
    M[:n, :n] = M[:n, :n] + M[:n, :n].T
    M[n:, n:] = M[n:, n:] + M[n:, n:].T
    return M


def hidden(task: rfm.Task, noise: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The same with its coordinates shuffled, and the table of results in that order."""
    M, rows, columns = shuffled(planted(task, noise, seed), seed)
    return M, task.labels.view(task.n, task.n)[rows][:, columns]


def noise_matrix(n: int, seed: int) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(seed)
    W = torch.randn(2 * n, 2 * n, generator=drawn, dtype=torch.float64)
    return W + W.T


# ------------------------------------------------------------------------------ what there is


@every_group
def test_a_hidden_group_comes_back(task: rfm.Task) -> None:
    M, labels = hidden(task, noise=0.3)
    found = recover(M)
    assert found is not None
    assert found.certified
    assert found.rivals == 0
    assert same_law(found.law, labels)
    if task.group.orders.max() > 2:  # else a and a⁻¹ are one, and so are the two tables
        assert not same_law(found.stripes, labels)


@every_group
def test_its_table_is_that_of_the_group(task: rfm.Task) -> None:
    """Axioms by all triples; Abelian groups with elements of the same orders are isomorphic."""
    M, _ = hidden(task, noise=0.3, seed=1)
    found = recover(M)
    assert found is not None
    T, every = found.rows, torch.arange(task.n)
    assert torch.equal(T[0], every)
    assert torch.equal(T, T.T)
    assert torch.equal(T[T], T[every[:, None, None], T[None]])  # (ij)k and i(jk)
    orders = []
    for x in range(task.n):
        power, order = x, 1
        while power:
            power, order = int(T[power, x]), order + 1
        orders.append(order)
    assert Counter(orders) == Counter(task.group.orders.tolist())
    invariants = found.permutations.abelian_invariants()
    assert math.prod(invariants) == found.permutations.order() == task.n
    factors = [f"Z_{m}" for m in invariants]
    by_size = [rfm.cyclic(*invariants)] if factors else []
    assert Counter(by_size[0].orders.tolist()) == Counter(orders)


@every_group
def test_in_the_order_found_the_block_is_circulant(task: rfm.Task) -> None:
    """Without noise: its stripes are those of x − y in the product of cyclic groups."""
    M, _ = hidden(task, noise=0.0, seed=2)
    found, n = recover(M), task.n
    assert found is not None
    assert found.share == pytest.approx(1)
    assert found.chance == -math.inf or found.chance < -1000
    C = M[:n, n:][found.row_order][:, found.column_order]
    T = found.group.table
    order = found.group.logarithm[found.row_order]
    assert torch.equal(order, torch.arange(n))
    moduli = found.group.moduli
    assert all(a % b == 0 for a, b in itertools.pairwise(moduli))
    places = torch.tensor(list(itertools.product(*map(range, moduli))))
    difference = (places[None] - places[:, None]) % torch.tensor(moduli)
    number = [tuple(d) for d in difference.view(-1, len(moduli)).tolist()]
    level = dict(zip(number, C.flatten().tolist(), strict=True))
    assert all(level[d] == c for d, c in zip(number, C.flatten().tolist(), strict=True))
    assert torch.equal(T, found.rows)


def test_share_is_that_of_the_means_by_loops() -> None:
    task = rfm.addition(23)
    M, _ = hidden(task, noise=0.5)
    found = recover(M)
    assert found is not None
    C = M[:23, 23:].numpy()
    by_stripe: dict[int, list[float]] = {}
    for a, b in itertools.product(range(23), repeat=2):
        by_stripe.setdefault(int(found.stripes[a, b]), []).append(C[a, b])
    assert sorted(len(cells) for cells in by_stripe.values()) == [23] * 23
    between = sum(len(c) * (np.mean(c) - C.mean()) ** 2 for c in by_stripe.values())
    assert found.share == pytest.approx(between / ((C - C.mean()) ** 2).sum())


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_other_names_sizes_and_diagonal_blocks_change_nothing(scale: float) -> None:
    task = rfm.addition(3, 9)
    M, labels = hidden(task, noise=0.3)
    again, rows, columns = shuffled(M, 5)
    again[:27, :27], again[27:, 27:] = 0, torch.eye(27)
    found = recover(again * scale)
    assert found is not None
    assert found.certified
    assert same_law(found.law, labels[rows][:, columns])
    first = recover(M)
    assert first is not None
    assert found.share == pytest.approx(first.share)


@pytest.mark.parametrize("kernel", [rfm.Gaussian(2.5), rfm.Quadratic()], ids=repr)
def test_a_learned_metric_knows_the_law_before_its_machine(kernel: rfm.Kernel) -> None:
    """The law and the training labels answer every test point, and the next fit not one in 20."""
    task = rfm.addition(31)
    split = rfm.random_split(task, 0.5, seed=1)
    run = rfm.fit(split, kernel, 10, keep_features=True)
    M, rows, columns = shuffled(run.history[9], 3)
    found = recover(M)
    assert found is not None
    assert found.certified
    names = torch.stack([torch.argsort(rows), torch.argsort(columns)])

    def renamed(pairs: torch.Tensor) -> torch.Tensor:
        return torch.stack([names[0][pairs[:, 0]], names[1][pairs[:, 1]]], 1)

    answers = found.answers(renamed(split.train), task.label(split.train), renamed(split.test))
    assert torch.equal(answers, task.label(split.test))
    assert run.table.test_accuracy.iloc[9] < 0.05


# --------------------------------------------------------------------------- what there is not


@pytest.mark.parametrize("n", [23, 24, 31])
@pytest.mark.parametrize("seed", range(3))
def test_noise_gets_no_certificate(n: int, seed: int) -> None:
    found = recover(noise_matrix(n, seed))
    assert found is None or not found.certified


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_entries_and_the_same_spectrum_get_no_certificate(seed: int) -> None:
    task = rfm.addition(23)
    M, _ = hidden(task, noise=0.1)
    drawn = torch.Generator().manual_seed(seed)
    mixed = M.clone()
    C = M[:23, 23:].flatten()[torch.randperm(23 * 23, generator=drawn)].view(23, 23)
    mixed[:23, 23:], mixed[23:, :23] = C, C.T
    Q, _ = torch.linalg.qr(torch.randn(46, 46, generator=drawn, dtype=torch.float64))
    turned = Q @ torch.diag(torch.linalg.eigvalsh(M)) @ Q.T
    for decoy in (mixed, (turned + turned.T) / 2):
        found = recover(decoy)
        assert found is None or not found.certified


@pytest.mark.parametrize("n", [23, 24, 31])
def test_a_latin_square_without_a_group_gets_no_certificate(n: int) -> None:
    square = latin(n, 0)
    symbols = torch.arange(n)
    assert all(torch.equal(line.sort().values, symbols) for line in (*square, *square.T))
    levels = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    M = torch.zeros(2 * n, 2 * n, dtype=torch.float64)
    M[:n, n:], M[n:, :n] = levels[square], levels[square].T
    found = recover(M)
    assert found is None or not found.certified


def test_a_group_table_with_exchanged_rows_is_one() -> None:
    """In Z_p exchanging two rows along a cycle of them exchanges them whole: still the group."""
    task = rfm.addition(23)
    M = planted(task, noise=0.0)
    order = torch.randperm(23, generator=torch.Generator().manual_seed(0))
    both = torch.cat([order, torch.arange(23, 46)])
    found = recover(M[both][:, both])
    assert found is not None
    assert found.certified


@pytest.mark.parametrize("moduli", [(23,), (24,), (29,)])
def test_a_trap_fits_every_group_and_is_refused(moduli: tuple[int, ...]) -> None:
    """Its cross block is a permutation matrix, which n! pairs of permutations keep."""
    task = rfm.addition(*moduli)
    s = task.reflections[0]
    run = rfm.fit(rfm.withhold(task, s.fixed_points()), rfm.Gaussian(2.5), 20)
    M, _, _ = shuffled(run.features, 0)
    found = recover(M)
    assert found is not None
    assert found.share > 0.999
    assert found.chance < -1000
    assert found.rivals > 0
    assert not found.certified


def test_another_law_is_not_taken_for_the_hidden_one() -> None:
    """Same size, another group: a planted Z_5 × Z_5 is not called Z_25, nor the reverse."""
    for task, other in ((rfm.addition(5, 5), [25]), (rfm.addition(25), [5, 5])):
        found = recover(hidden(task, noise=0.2)[0])
        assert found is not None
        assert found.permutations.abelian_invariants() == list(task.group.moduli) != other


def test_a_table_of_a_group_that_does_not_commute_is_not_certified() -> None:
    """C[a, b] depends on the product in the dihedral group of 24 elements."""
    n = 12
    elements = list(itertools.product(range(2), range(n)))

    def product(x: tuple[int, int], y: tuple[int, int]) -> int:
        turned = (-x[1] if y[0] else x[1]) + y[1]
        return elements.index(((x[0] + y[0]) % 2, turned % n))

    levels = torch.randn(24, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    C = torch.stack([levels[[product(x, y) for y in elements]] for x in elements])
    M = torch.zeros(48, 48, dtype=torch.float64)
    M[:24, 24:], M[24:, :24] = C, C.T
    found = recover(shuffled(M, 0)[0])
    assert found is None or not found.certified


@pytest.mark.parametrize("level", [0.0, 2.5])
def test_of_equal_entries_nothing_is_said(level: float) -> None:
    assert recover(torch.full((46, 46), level, dtype=torch.float64)) is None


# ---------------------------------------------------------------------------- the bound on noise


@pytest.mark.parametrize("n", [3, 4, 5, 12, 31, 61])
def test_the_tail_is_above_that_of_the_beta_distribution(n: int) -> None:
    a, b = (n - 1) / 2, (n * n - n) / 2
    ways = math.log10(len(rfm.abelian(n))) + 2 * math.log10(math.factorial(n) / n)
    for share in np.linspace(1 / (n + 1), 0.95, 20):
        exact = stats.beta.sf(share, a, b)
        if exact > 1e-290:
            assert chance(n, share) >= min(0.0, ways + math.log10(exact)) - 1e-9
    assert chance(n, 0.0) == chance(n, 1 / (n + 1)) == 0
    assert chance(n, 1.0) == -math.inf


@pytest.mark.parametrize("n", [2, 3, 8, 12, 29, 64])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_the_bound_is_that_of_the_formula(n: int, share: float) -> None:
    """In numbers of fifty digits; groups are counted by partitions of exponents."""
    with mp.workdps(50):
        a, b, μ, x = mp.mpf(n - 1) / 2, mp.mpf(n * n - n) / 2, mp.mpf(1) / (n + 1), mp.mpf(share)
        groups = math.prod(int(partition(k)) for k in sympy.factorint(n).values())
        names = (mp.factorial(n) / n) ** 2
        bound = mp.log10(groups * names * (x / μ) ** a * ((1 - x) / (1 - μ)) ** b)
        wanted = min(0.0, float(bound)) if x > μ else 0.0
    assert chance(n, share) == pytest.approx(wanted, rel=1e-10, abs=1e-10)


def test_a_metric_of_two_and_two_coordinates_is_one() -> None:
    eye = torch.eye(4, dtype=torch.float64)
    assert blocks(eye).equal(eye)


def test_the_bound_falls_with_the_share_and_with_the_order() -> None:
    for n in (12, 31, 61):
        values = [chance(n, share) for share in np.linspace(0, 1, 101)]
        assert all(a >= b for a, b in itertools.pairwise(values))
    assert chance(61, 0.5) < chance(31, 0.5) < chance(13, 0.5) == 0


@pytest.mark.parametrize("n", [3, 4])
def test_there_are_no_more_stripes_than_counted(n: int) -> None:
    """All names of rows and columns; tables that differ by the names of entries count once."""
    count = 0
    for group in rfm.abelian(n):
        tables = set()
        for p, q in itertools.product(itertools.permutations(range(n)), repeat=2):
            cells = group.table[list(p)][:, list(q)].flatten().tolist()
            first = {value: i for i, value in enumerate(dict.fromkeys(cells))}
            tables.add(tuple(first[value] for value in cells))
        count += len(tables)
    assert count <= len(rfm.abelian(n)) * (math.factorial(n) / n) ** 2


@every_group
def test_the_key_knows_the_share_of_what_was_planted(task: rfm.Task) -> None:
    """All of it without noise, the part of the levels with noise, and little after a shuffle."""
    assert held(planted(task, noise=0.0), task) == pytest.approx(1)
    noisy = planted(task, noise=1.0)
    share = held(noisy, task)
    assert 0.3 < share < 0.8
    assert held(shuffled(noisy, 0)[0], task) < 0.3 < share
    C = standardised(noisy[: task.n, task.n :])
    assert C is not None
    axes = [s.fixed_points() for s in task.reflections]
    means = [float(C[axis[:, 0], axis[:, 1]].mean()) for axis in axes]
    assert share == pytest.approx(sum(mean**2 for mean in means) / task.n)
    one = torch.arange(task.n).expand(task.n, -1)
    assert between(C, one) == pytest.approx(float(C.mean(0).square().mean()))


def test_the_key_knows_the_law_no_later_than_the_search() -> None:
    task = rfm.addition(13)
    split = rfm.random_split(task, 0.7, seed=0)
    run = rfm.fit(split, rfm.Gaussian(bandwidth=2.5), 12, keep_features=True)
    found = law_and_key(run)
    since = found["held_first"]
    assert 0 < since <= found["first"] < len(run.table)
    believed = [chance(task.n, held(M, task)) <= -6 for M in run.history[1 : since + 1]]
    assert believed == [False] * (since - 1) + [True]
    assert found["most_right"] == max(map(sum, run.right.tolist()))


@pytest.mark.parametrize("every", [3, 10])
def test_so_many_labels_are_exchanged(every: int) -> None:
    labels = torch.arange(60)  # all different: what moved can be seen
    other = exchanged(labels, every, torch.Generator().manual_seed(0))
    assert sorted(other.tolist()) == labels.tolist()
    assert 60 // every - 4 <= int((other != labels).sum()) <= 60 // every
    again = exchanged(labels, every, torch.Generator().manual_seed(0))
    assert torch.equal(other, again)


def test_noise_has_the_share_of_the_beta_distribution() -> None:
    n, drawn = 7, np.random.default_rng(0)
    stripes = np.subtract.outer(np.arange(n), np.arange(n)) % n
    shares = []
    for _ in range(2000):
        C = drawn.standard_normal((n, n))
        means = np.array([C[stripes == k].mean() for k in range(n)]) - C.mean()
        shares.append(n * (means**2).sum() / ((C - C.mean()) ** 2).sum())
    fit = stats.kstest(shares, stats.beta((n - 1) / 2, (n * n - n) / 2).cdf)
    assert fit.pvalue > 1e-3


# ------------------------------------------------------------------------------------- its parts


def test_names_do_not_matter_to_a_law() -> None:
    """Against all bijections of the entries of small tables."""
    drawn = np.random.default_rng(0)
    for _ in range(200):
        x, y = (torch.from_numpy(drawn.integers(0, 3, (2, 3))) for _ in range(2))
        names = itertools.permutations(range(3))
        by_force = any((torch.tensor(p)[x] == y).all() for p in names)
        assert same_law(x, y) == same_law(y, x) == by_force
    big = torch.arange(9).view(3, 3)
    assert same_law(big, big.flip(0) * 7 + 1)


def test_shuffling_says_what_it_did() -> None:
    M = noise_matrix(11, 0)
    new, rows, columns = shuffled(M, 4)
    both = [*rows.tolist(), *(11 + columns).tolist()]
    assert all(new[i, j] == M[both[i], both[j]] for i in range(22) for j in range(22))
    assert sorted(rows.tolist()) == sorted(columns.tolist()) == list(range(11))
    assert torch.equal(shuffled(M, 4)[0], new)
    assert not torch.equal(shuffled(M, 5)[0], new)


def test_soft_permutations_have_rows_and_columns_of_sum_one() -> None:
    scores = torch.randn(5, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    P = balanced(scores)
    assert (P > 0).all()
    assert (P.sum(-1) - 1).abs().max() < 1e-12
    assert (P.sum(-2) - 1).abs().max() < 1e-2
    assert torch.equal(balanced(scores + 7).argmax(-1), P.argmax(-1))


def test_a_match_says_how_well_it_fits() -> None:
    M, _ = hidden(rfm.addition(23), noise=0.3)
    C = standardised(M[:23, 23:])
    assert C is not None
    assert C.mean().abs() < 1e-12
    assert C.square().mean() == pytest.approx(1)
    met = list(matches(C, 5))
    assert len(met) == 22
    for match in met:
        moved = sum(
            C[match.rows[a], match.columns[b]] * C[a, b] for a in range(23) for b in range(23)
        )
        assert match.fit == pytest.approx(float(moved) / 23**2)
        assert sorted(match.rows.tolist()) == sorted(match.columns.tolist()) == list(range(23))
    assert sum(match.fit > 0.8 for match in met) > 15


@pytest.mark.parametrize("order", [1, 2, 8, 12, 16, 30, 36, 72])
def test_every_abelian_group_is_taken_apart(order: int) -> None:
    """With its elements renamed; the largest factors first, as the invariant factors are."""
    for group in rfm.abelian(order) if order > 1 else []:
        drawn = torch.randperm(order, generator=torch.Generator().manual_seed(order))
        e = int((drawn == group.identity).nonzero())
        drawn[[0, e]] = drawn[[e, 0]]  # the neutral element is 0
        back = torch.argsort(drawn)
        table = back[group.table[drawn][:, drawn]]
        moduli, elements = basis(table)
        assert math.prod(moduli) == order
        assert all(a % b == 0 for a, b in itertools.pairwise(moduli))
        places = list(itertools.product(*map(range, moduli)))
        number = {place: i for i, place in enumerate(places)}
        assert sorted(elements.tolist()) == list(range(order))
        for (i, x), (j, y) in itertools.product(enumerate(places), repeat=2):
            total = tuple((s + t) % m for s, t, m in zip(x, y, moduli, strict=True))
            assert table[elements[i], elements[j]] == elements[number[total]]
        assert moduli[0] == group.orders.max()
    if order == 1:
        assert basis(torch.zeros(1, 1, dtype=torch.int64)) == ((1,), torch.zeros(1))


def test_groups_are_found_among_junk() -> None:
    """The regular groups of Z_4 × Z_4 and Z_16, from generators between random permutations."""
    drawn = torch.Generator().manual_seed(0)
    junk = [torch.cat([torch.randperm(16, generator=drawn), 16 + torch.randperm(16)])]
    for moduli in ((4, 4), (16,)):
        T = rfm.cyclic(*moduli).table
        steps = [1] if len(moduli) == 1 else [1, 4]
        moves = [torch.cat([T[i], 16 + T[i]]) for i in steps]
        (H,) = regular_groups([*junk, *moves, *junk], 16)
        assert sorted(H[:, 0].tolist()) == sorted((H[:, 16] - 16).tolist()) == list(range(16))
        assert {tuple(h[:16].tolist()) for h in H} == {tuple(t) for t in T.tolist()}
        if len(moduli) > 1:
            assert list(regular_groups([*junk, moves[0]], 16)) == []


def test_what_keeps_a_point_or_does_not_commute_is_left_out() -> None:
    T = rfm.cyclic(6).table
    H = torch.cat([T[[0, 3]], 6 + T[[0, 3]]], 1)
    fixed = torch.tensor([1, 0, 2, 3, 5, 4, 7, 8, 9, 10, 11, 6])
    assert extended(H[:1], fixed) is None
    assert extended(H, H[1]) is None
    turn = torch.cat([T[1], 6 + T[1]])
    assert extended(H, turn) is not None
    assert len(extended(H, turn)) == 6
    flip = torch.tensor([1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10])
    assert extended(torch.cat([turn[None].new_tensor([list(range(12))]), turn[None]]), flip) is None
    half = torch.cat([T[1], 6 + T[2]])  # six rows in one cycle, the columns in two
    assert extended(H[:1], half) is None


def test_answers_are_the_most_frequent_labels_of_a_class() -> None:
    T = rfm.cyclic(5).table
    found = Recovery(T, T, 0.5, 0)
    law = {(a, b): int(found.law[a, b]) for a in range(5) for b in range(5)}
    assert all(law[a, b] == law[(a + 1) % 5, (b - 1) % 5] for a, b in law)
    drawn = np.random.default_rng(0)
    for _ in range(30):
        cells = [tuple(map(int, cell)) for cell in drawn.integers(0, 5, (8, 2))]
        labels = drawn.integers(0, 3, 8).tolist()
        answers = found.answers(torch.tensor(cells), torch.tensor(labels), torch.tensor(list(law)))
        for answer, cell in zip(answers.tolist(), law, strict=True):
            count = Counter(
                y for x, y in zip(cells, labels, strict=True) if law[x] == law[cell]
            ).most_common(2)
            if not count or (len(count) == 2 and count[0][1] == count[1][1]):
                assert answer == -1
            else:
                assert answer == count[0][0]


def test_without_training_samples_there_are_no_answers() -> None:
    T = rfm.cyclic(5).table
    none = torch.empty(0, 2, dtype=torch.int64)
    cells = torch.tensor([[0, 0], [3, 1]])
    found = Recovery(T, T, 0.5, 0).answers(none, none[:, 0], cells)
    assert found.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("chance", "rivals", "certified"),
    [(-6.5, 0, True), (-6.0, 0, True), (-5.9, 0, False), (-5.9, 1, False), (-60.0, 1, False)],
)
def test_at_most_one_in_a_million_and_no_rival(chance: float, rivals: int, certified: bool) -> None:
    T = rfm.cyclic(5).table
    found = Recovery(T, T, 0.5, rivals)
    vars(found)["chance"] = chance  # where it is kept once it is known
    assert found.certified == certified


@pytest.mark.parametrize("moduli", [(7,), (2, 4)], ids=str)
def test_columns_are_named_by_what_takes_column_0_there(moduli: tuple[int, ...]) -> None:
    """In a group that acts on columns that go by other names than the rows."""
    T = rfm.addition(*moduli).group.table
    n = len(T)
    names = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    columns = names[T[:, torch.argsort(names)]]  # h_i(names[j]) = names[i + j]
    found = Recovery(T, columns, 0.5, 0)
    for i in range(n):
        takes_there = [b for b in range(n) if found.law[0, b] == i]
        assert takes_there == [columns[i, 0]]
        assert found.law[i].tolist() == T[i, found.law[0]].tolist()
    assert found.column_order.tolist() == columns[found.row_order, 0].tolist()
    assert found.column_order[0] == 0
    assert found.row_order[0] == 0
    assert repr(found) == "Recovery(share=0.5, rivals=0)"


def test_the_best_pairs_come_first_and_the_largest_share_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of noise, of which nothing is certified, so that all is asked that can be."""
    asked, order, judged = [], [], []
    C = standardised(noise_matrix(6, 3)[:6, 6:])

    def matched(C: torch.Tensor, row: int) -> list[Match]:
        asked.append(row)
        return list(matches(C, row))

    def grouped(moves: list[torch.Tensor], n: int) -> list[torch.Tensor]:
        order.append([fit(C, move[:n], move[n:] - n) for move in moves])
        return list(regular_groups(moves, n))

    def noted(*arguments: object) -> Recovery:
        judged.append(judge(*arguments))
        return judged[-1]

    judge = recovery._judged
    for name, function in (("matches", matched), ("regular_groups", grouped), ("_judged", noted)):
        monkeypatch.setattr(recovery, name, function)
    found = recover(noise_matrix(6, 3))
    assert asked == [0, 1, 2, 3]
    assert [len(fits) for fits in order] == [5, 10, 15, 20]
    for fits in order:
        assert fits == pytest.approx(sorted(fits, reverse=True), abs=1e-12)
    assert len(judged) == 3
    assert len({each.share for each in judged}) == 1, "the same is found again"
    assert found is judged[0]


@pytest.mark.parametrize(
    ("rows", "rivals"), [([0, 2, 4, 1, 3], 1), ([0, 1, 3, 2], 1), ([1, 0, 2, 3, 4], 0)]
)
def test_a_rival_differs_on_at_least_half_of_the_rows(rows: list[int], rivals: int) -> None:
    """Twice modulo 5 has one row in common with each; an exchange of four two, of five three.

    Whoever fits worse is none.
    """
    n = len(rows)
    T = rfm.cyclic(n).table
    levels = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    C = standardised(levels[(T[:, :1] - T[:1]) % n])
    H = torch.cat([T, T + n], 1)
    for value, expected in ((1.0, rivals), (0.9, 0)):
        other = Match(torch.tensor(rows), torch.arange(n), value)
        found = recovery._judged(C, H.flip(0), [other, other])
        assert found.rivals == expected
        assert torch.equal(found.rows, T)
        assert found.share == pytest.approx(1)


def with_cross_block(B: torch.Tensor) -> torch.Tensor:
    """A metric with this cross block."""
    eye = torch.eye(len(B), dtype=B.dtype)
    return torch.cat([torch.cat([eye, B], 1), torch.cat([B.T, eye], 1)])


def permuted_identity(n: int, seed: int) -> torch.Tensor:
    """A metric whose cross block is a permutation matrix: each of n! permutations keeps it."""
    g = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return with_cross_block(torch.eye(n, dtype=torch.float64)[g])


@pytest.mark.parametrize("n", range(3, 18))
def test_what_all_permutations_keep_gets_no_certificate(n: int) -> None:
    """Every group of order n fits, and to say which is to make it up."""
    for seed in range(6):
        found = recover(permuted_identity(n, seed))
        assert found is None or not found.certified, seed
        assert found is None or found.share == pytest.approx(1)


@pytest.mark.parametrize("n", [6, 9, 13])
def test_what_all_permutations_nearly_keep_gets_none_either(n: int) -> None:
    """A trace of a law in what fits every law is none: the trap leaves one in even orders."""
    f = torch.randn(n, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    x = torch.arange(n)
    trace = f[(x[:, None] + x) % n]
    for seed, size in itertools.product(range(3), (1e-6, 1e-4, 1e-3)):
        B = torch.eye(n, dtype=torch.float64)[-x % n] + size * trace
        found = recover(shuffled(with_cross_block(B), seed)[0])
        assert found is None or not found.certified, (seed, size)
    assert recover(shuffled(with_cross_block(trace), 0)[0]).certified


def even(n: int) -> torch.Tensor:
    """A metric with a cross block f(a + b), f(−x) = f(x): turned round it stays the same, too."""
    f = torch.randn(n, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    x = torch.arange(n)
    return with_cross_block((f + f[-x % n])[(x[:, None] + x) % n])


def trapped(n: int) -> torch.Tensor:
    """What the machine has learned when the axis of a reflection is withheld."""
    task = rfm.addition(n)
    split = rfm.withhold(task, task.reflections[0].fixed_points())
    return rfm.fit(split, rfm.Gaussian(), 12).features


@pytest.mark.parametrize("n", [8, 9, 13])
@pytest.mark.parametrize("made", [partial(permuted_identity, seed=1), even, trapped])
def test_rounding_does_not_choose_among_many_symmetries(
    made: Callable[[int], torch.Tensor], n: int
) -> None:
    """On another processor the last digits of a metric are others, and the answer is the same."""
    M, found = shuffled(made(n), 3)[0], []
    drawn = torch.Generator().manual_seed(0)
    for size in (0.0, *[1e-14 * float(M.abs().max())] * 5):
        E = torch.randn(2 * n, 2 * n, generator=drawn, dtype=torch.float64)
        one = recover(M + size * (E + E.T))
        found.append(None if one is None else (one.rivals, one.rows.tolist(), one.certified))
    assert found == found[:1] * len(found)
    assert found[0] is None or not found[0][-1]


def test_too_large_a_metric_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rfm.recovery.LARGEST", 5)
    with pytest.raises(ValueError, match="n, half the rows of M, must be an integer from 2 to 5"):
        recover(noise_matrix(6, 0))
    recover(noise_matrix(5, 0))


WRONG = [
    (lambda: recover(torch.eye(9)), "2n rows"),
    (lambda: recover(torch.eye(2)), "2n rows"),
    (lambda: recover(torch.ones(4, 6)), "square"),
    (lambda: recover(torch.eye(8).index_put((torch.tensor(1),), torch.tensor(2.0))), "symmetric"),
    (lambda: recover(torch.full((8, 8), math.nan)), "finite"),
    (lambda: recover(torch.eye(8), anchors=0), "anchors must be an integer of at least 1"),
    (lambda: recover(torch.eye(8), anchors=True), "anchors must be an integer"),
    (lambda: shuffled(torch.eye(8), "a"), "seed"),
    (lambda: shuffled(torch.eye(7), 0), "2n rows"),
    (lambda: same_law(torch.ones(2, 2), torch.ones(2, 2)), "int64"),
    (lambda: same_law(torch.ones(2, 2).long(), torch.ones(2, 3).long()), "one shape"),
    (lambda: chance(1, 0.5), "n must be an integer from 2 to 4096"),
    (lambda: chance(5, 1.5), "share must be between 0 and 1"),
    (lambda: answers([[5, 0]], [1]), "0, …, 4"),
    (lambda: answers([[0, 0]], [-1]), "from 0 on"),
    (lambda: answers([[0, 0]], [1, 2]), "(1,)"),
]


def answers(train: list[list[int]], labels: list[int]) -> torch.Tensor:
    five = rfm.cyclic(5).table
    found = Recovery(five, five, 0.5, 0)
    return found.answers(torch.tensor(train), torch.tensor(labels), torch.tensor([0, 0]))


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_what_is_wrong_is_said(call, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        call()
