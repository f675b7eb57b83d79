"""RFM in exact rational arithmetic: quadratic kernel, power s = 1, n = 3, dense, by the textbook.

f(x) = Σ_i α_i (xᵀMx_i)², K α = Y solved exactly, ∇f_c(x_j) = Σ_i α_ic 2 (x_jᵀMx_i) M x_i.
"""

from __future__ import annotations

import pytest
import torch
from sympy import Matrix, Rational, eye, zeros

import rfm

N = 3
TASKS = {
    "sum": (rfm.addition(N), lambda a, b: (a + b) % N),
    "difference": (rfm.subtraction(N), lambda a, b: (a - b) % N),
}
TRAIN = [(0, 0), (0, 1), (1, 2), (2, 0), (2, 2)]
TEST = [(a, b) for a in range(N) for b in range(N) if (a, b) not in TRAIN]


def rational_metric() -> Matrix:
    """Symmetric and positive definite, no two entries of which agree for a reason."""
    root = Matrix(
        2 * N, 2 * N, lambda i, j: Rational((3 * i * i + 5 * i * j + 7 * j + 2) % 11 - 5, 4)
    )
    return root * root.T / 6 + eye(2 * N)


METRICS = {"identity": eye(2 * N), "rational": rational_metric()}


def code(a: int, b: int) -> Matrix:
    """Column vector e_a ‖ e_b."""
    return Matrix([int(u in (a, N + b)) for u in range(2 * N)])


def exact_step(label, M: Matrix, ridge: Rational, centred: bool) -> tuple[Matrix, Matrix]:
    """The next M, and the scores of the test points under this one (a row each)."""
    xs = [code(*pair) for pair in TRAIN]
    size = len(xs)
    Y = Matrix(size, N, lambda i, c: int(label(*TRAIN[i]) == c))
    K = Matrix(size, size, lambda i, j: (xs[i].T * M * xs[j])[0] ** 2)
    α = (K + ridge * eye(size)).LUsolve(Y)
    scores = Matrix(
        len(TEST),
        N,
        lambda t, c: sum(α[i, c] * (code(*TEST[t]).T * M * xs[i])[0] ** 2 for i in range(size)),
    )
    agop = zeros(2 * N, 2 * N)
    for c in range(N):
        gradients = []
        for x in xs:
            gradient = zeros(2 * N, 1)
            for i in range(size):
                gradient += α[i, c] * 2 * (x.T * M * xs[i])[0] * M * xs[i]
            gradients.append(gradient)
        mean = sum(gradients, zeros(2 * N, 1)) / size if centred else zeros(2 * N, 1)
        for gradient in gradients:
            agop += (gradient - mean) * (gradient - mean).T
    return agop / size, scores


def to_torch(matrix: Matrix) -> torch.Tensor:
    return torch.tensor([[float(x) for x in row] for row in matrix.tolist()], dtype=torch.float64)


@pytest.mark.parametrize("operation", TASKS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("centred", [True, False], ids=["centred", "raw"])
@pytest.mark.parametrize("ridge", [Rational(0), Rational(1, 3)], ids=["ridge 0", "ridge 1/3"])
def test_one_and_two_iterations_are_exact(operation, metric, centred, ridge) -> None:
    task, label = TASKS[operation]
    M = METRICS[metric]
    split = rfm.withhold(task, torch.tensor(TEST))
    assert split.train.tolist() == [list(pair) for pair in TRAIN]
    for iterations in (1, 2):
        M, scores = exact_step(label, M, ridge, centred)
        run = rfm.fit(
            split,
            rfm.Quadratic(),
            iterations,
            ridge=float(ridge),
            power=1.0,
            centred=centred,
            M0=to_torch(METRICS[metric]),
        )
        expected = to_torch(M)
        tolerance = 1e-12 if iterations == 1 else 1e-9
        assert (run.features - expected).abs().max() <= tolerance * expected.abs().max()
        for row, exact in zip(run.predictions.itertuples(), scores.tolist(), strict=True):
            assert (row.a, row.b) == TEST[row.Index]
            rivals = [score for c, score in enumerate(exact) if c != label(row.a, row.b)]
            margin = float(exact[label(row.a, row.b)] - max(rivals))
            assert row.margin == pytest.approx(margin, abs=tolerance)
            assert row.correct == (margin > 1e-9)
        assert run.table["jitter"].max() == 0
