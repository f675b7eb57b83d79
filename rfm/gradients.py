"""Sums of outer products of a fit's gradients over a training set, without the gradient tensor.

The gradient of output c at x_j is g_jc = M h_jc, with h_jc = Σ_i α_ic w_ij x_i for an inner-product
kernel and h_jc = Σ_i α_ic w_ij (x_i − x_j) for a radial one. Means over j are subtracted, or not.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rfm.pieces import outputs_at_a_time, samples_at_a_time
from rfm.spectral import nonzero


def grouped_products(
    weights: Callable[[Tensor], Tensor],
    translation_invariant: bool,
    x: Tensor,
    α: Tensor,
    n: int,
    centred: bool,
    through: Tensor | None = None,
) -> Tensor:
    """Σ_{j,c} (h_jc − h̄_c)(h_jc − h̄_c)ᵀ for any kernel, gradients grouped by operand.

    With one-hot pairs coordinate u of Σ_i α_ic w_ij x_i is a sum over the samples i whose first
    (u < n) or second (u ≥ n) operand is u: 2N²c multiplications where the gradient tensor takes
    N²cd. For a radial kernel x_i − x_j stands for x_i, so Σ_i α_ic w_ij is subtracted at the two
    coordinates of x_j.

    The sum of squares minus the square of the sum over N is the centred one in exact arithmetic. In
    floating point it turns directions in which all h_jc agree into noise, so h_1c is subtracted
    from every h_jc first: it shifts the mean, and changes no centred product.

    Args:
        weights: gradient weights w (N, m) of all samples ``x`` at m of them, (m, 2).
        translation_invariant: whether the kernel is radial.
        x: (N, 2) int64 training pairs.
        α: (N, c) coefficients.
        n: the number of values that an operand can have.
        centred: whether the mean h̄_c of each output is subtracted.
        through: an (r, 2n) matrix that every h_jc is multiplied by before it is squared; None
            stands for the identity.

    Returns:
        (2n, 2n), or (r, r), dtype of ``α``.
    """
    (N, c), (a, b) = α.shape, x.unbind(1)
    grouped = [_group_by(operand, α, n) for operand in (a, b)]
    r = 2 * n if through is None else len(through)
    total, sums, origin = α.new_zeros(r, r), α.new_zeros(r, c), None
    for j in torch.arange(N, device=a.device).split(samples_at_a_time(n, a.device)):
        w, column = weights(x[j]), torch.arange(len(j), device=a.device)  # w is (N, m)
        if translation_invariant:
            w[j, column] = 0.0  # times x_j − x_j: a large one would drown the others in rounding
        h = w.new_empty(2 * n, len(j), c)
        for half, (members, their_α) in zip(h.split(n), grouped, strict=True):
            _grouped_product(w, members, their_α, out=half)
        if translation_invariant:
            own = h[:n].sum(0)  # Σ_i α_ic w_ij, (m, c)
            h[a[j], column] -= own
            h[n + b[j], column] -= own
        if centred:
            origin = h[:, 0].clone() if origin is None else origin
            h -= origin[:, None]
        h = h.flatten(1) if through is None else through @ h.flatten(1)
        sums += h.view(r, len(j), c).sum(1)
        half = r // 2
        total[:half, :half].addmm_(h[:half], h[:half].T)
        total[half:].addmm_(h[half:], h.T)
    total[:half, half:] = total[half:, :half].T
    if centred:
        total.addmm_(sums, sums.T, alpha=-1 / N)
    return total


def quadratic_products(x: Tensor, α: Tensor, M: Tensor, centred: bool) -> Tensor:
    """Σ_{j,c} (g_jc − ḡ_c)(g_jc − ḡ_c)ᵀ for the quadratic kernel: its gradients are linear in x_j.

    With w_ij = 2 x_iᵀM x_j and S_c = Σ_i α_ic x_i x_iᵀ it is g_jc = 2 P_c x_j, P_c = M S_c M. So
    the sum is 4 Σ_c P_c T P_c, with T = Σ_j (x_j − x̄)(x_j − x̄)ᵀ the scatter matrix of the samples:
    no sum over pairs of samples is left, and some n⁴ multiplications stand for N²n. N T is made of
    whole numbers, so it is exact, and so are its null directions; those of M are gone before
    anything is squared.

    Args:
        x: (N, 2) int64 training pairs.
        α: (N, c) coefficients.
        M: (2n, 2n) symmetric metric.
        centred: whether the mean ḡ_c of each output is subtracted.

    Returns:
        (2n, 2n), dtype of ``M``.
    """
    N, n = len(x), len(M) // 2
    a, b = x[:, 0], n + x[:, 1]
    places = (a, a), (b, b), (a, b), (b, a)  # x xᵀ has ones there
    NT = M.new_zeros(2 * n, 2 * n)
    for place in places:
        NT.index_put_(place, M.new_full((N,), N), accumulate=True)
    if centred:
        sum_x = NT.diagonal() / N
        NT -= torch.outer(sum_x, sum_x)
    V, values = nonzero(M)  # P_c = V p_c Vᵀ
    r, VΛ = len(values), V * values
    NT, core = V.T @ NT @ V, M.new_zeros(r, r)
    for some in α.split(outputs_at_a_time(n, α.device), dim=1):
        S = M.new_zeros(2 * n, 2 * n, some.shape[1])
        for place in places:
            S.index_put_(place, some, accumulate=True)
        p = VΛ.T @ S.permute(2, 0, 1) @ VΛ  # (c, r, r), symmetric
        left = (p @ NT).transpose(0, 1).reshape(r, -1)  # the p_c N VᵀTV side by side
        core.addmm_(left, p.reshape(-1, r), alpha=4 / N)
    total = V @ core @ V.T
    return (total + total.T) / 2


def _group_by(operand: Tensor, α: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Training samples listed by operand: members (n·k,), and their coefficients (n, k, c).

    k is the size of the largest group; shorter ones are filled up with coefficient zero.
    """
    order = torch.argsort(operand, stable=True)
    counts = torch.bincount(operand, minlength=n)
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(operand), device=operand.device) - starts[operand[order]]
    members = operand.new_zeros(n, int(counts.max()))
    grouped = α.new_zeros(*members.shape, α.shape[1])
    members[operand[order], place] = order
    grouped[operand[order], place] = α[order]
    return members.flatten(), grouped


def _grouped_product(w: Tensor, members: Tensor, α: Tensor, out: Tensor) -> None:
    """Write to ``out`` (n, m, c): for each group, the sum of w_ij α_ic over its members i."""
    n, k, _ = α.shape
    torch.bmm(w.index_select(0, members).view(n, k, -1).mT, α, out=out)
