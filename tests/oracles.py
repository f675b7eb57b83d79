"""What the tests compare `rfm` with, written down a second time and without it.

Group operations and symmetries in Python integers, element by element; kernels, kernel machine and
AGOP as a textbook has them, on dense vectors, with derivatives by `torch.func`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.func import jacrev, vmap

import rfm
from rfm.groups import Value

Pair = tuple[Value, Value]


@dataclass(frozen=True)
class Arithmetic:
    """One operation in Python integers: its elements, labels and the table of symmetries of [B].

    Attributes:
        task: the task that is to agree.
        elements: the elements of A as a reader writes them.
        star: a ⋆ b, the group's own operation.
        invert: a⁻¹.
        label: the operation to be learned.
        rotate: (k, a, b) ↦ r^k (a, b).
        reflect: (k, a, b) ↦ sr^k (a, b).
        fixed: (k, a) ↦ the b for which sr^k fixes (a, b).
    """

    task: rfm.Task
    elements: tuple[Value, ...]
    star: Callable[[Value, Value], Value]
    invert: Callable[[Value], Value]
    label: Callable[[Value, Value], Value]
    rotate: Callable[[Value, Value, Value], Pair]
    reflect: Callable[[Value, Value, Value], Pair]
    fixed: Callable[[Value, Value], Value]

    def values(self, pairs: Tensor) -> list[Pair]:
        """The pairs of positions as pairs of elements."""
        names = self.task.group.values
        return [(names[a], names[b]) for a, b in pairs.tolist()]

    def all_pairs(self) -> Iterator[Pair]:
        """All n² pairs, in any order."""
        return product(self.elements, repeat=2)

    def act(self, g: rfm.Symmetry, pair: Pair) -> Pair:
        """Image of a pair of elements under an element of Dih(A), by the table."""
        k = self.task.group.values[g.k]
        return (self.reflect if g.reflects else self.rotate)(k, *pair)


def plus(n: int) -> Arithmetic:
    return Arithmetic(
        rfm.addition(n),
        tuple(range(n)),
        star=lambda a, b: (a + b) % n,
        invert=lambda a: -a % n,
        label=lambda a, b: (a + b) % n,
        rotate=lambda k, a, b: ((a + k) % n, (b - k) % n),
        reflect=lambda k, a, b: ((b - k) % n, (a + k) % n),
        fixed=lambda k, a: (a + k) % n,
    )


def minus(n: int) -> Arithmetic:
    return Arithmetic(
        rfm.subtraction(n),
        tuple(range(n)),
        star=lambda a, b: (a + b) % n,
        invert=lambda a: -a % n,
        label=lambda a, b: (a - b) % n,
        rotate=lambda k, a, b: ((a + k) % n, (b + k) % n),
        reflect=lambda k, a, b: ((-b - k) % n, (-a - k) % n),
        fixed=lambda k, a: (-a - k) % n,
    )


def times(p: int) -> Arithmetic:
    return Arithmetic(
        rfm.multiplication(p),
        tuple(range(1, p)),
        star=lambda a, b: a * b % p,
        invert=lambda a: pow(a, -1, p),
        label=lambda a, b: a * b % p,
        rotate=lambda k, a, b: (a * k % p, b * pow(k, -1, p) % p),
        reflect=lambda k, a, b: (b * pow(k, -1, p) % p, a * k % p),
        fixed=lambda k, a: a * k % p,
    )


def over(p: int) -> Arithmetic:
    return Arithmetic(
        rfm.division(p),
        tuple(range(1, p)),
        star=lambda a, b: a * b % p,
        invert=lambda a: pow(a, -1, p),
        label=lambda a, b: a * pow(b, -1, p) % p,
        rotate=lambda k, a, b: (a * k % p, b * k % p),
        reflect=lambda k, a, b: (pow(b * k, -1, p), pow(a * k, -1, p)),
        fixed=lambda k, a: pow(a * k, -1, p),
    )


def by_component(task: rfm.Task, *parts: Arithmetic) -> Arithmetic:
    """The same operation in every component of a product of cyclic groups."""

    def lift(name: str) -> Callable:
        operations = [getattr(part, name) for part in parts]

        def componentwise(*arguments: tuple[int, ...]):
            results = [op(*digits) for op, *digits in zip(operations, *arguments, strict=True)]
            if name in ("rotate", "reflect"):  # a pair for each component: make it a pair of tuples
                return tuple(zip(*results, strict=True))
            return tuple(results)

        return componentwise

    names = ("star", "invert", "label", "rotate", "reflect", "fixed")
    elements = tuple(product(*(part.elements for part in parts)))
    return Arithmetic(task, elements, **{name: lift(name) for name in names})


def arithmetics() -> list[Arithmetic]:
    """The groups every law is tested on: prime, even, two products, × and ÷."""
    return [
        plus(7),
        minus(7),
        plus(8),
        minus(8),
        by_component(rfm.addition(3, 5), plus(3), plus(5)),
        by_component(rfm.subtraction(3, 5), minus(3), minus(5)),
        by_component(rfm.addition(2, 4), plus(2), plus(4)),
        by_component(rfm.subtraction(2, 4), minus(2), minus(4)),
        times(11),
        over(13),
    ]


class Rational(rfm.RadialKernel):
    """1 / (1 + u/ℓ²), with a method of each kind: a kernel that `rfm` does not have."""

    def __init__(self, scale: float = 2.0):
        self.scale = scale

    def profile(self, u: Tensor) -> Tensor:
        return 1 / (1 + u / self.scale**2)

    def value_(self, u: Tensor) -> Tensor:
        return u.div_(self.scale**2).add_(1).reciprocal_()

    def weight(self, u: Tensor) -> Tensor:
        return 2 / self.scale**2 * self.profile(u) ** 2

    def weight_(self, u: Tensor) -> Tensor:
        return self.value_(u).square_().mul_(2 / self.scale**2)


class Rooted(rfm.RadialKernel):
    """(1 + r) e^{−r}, r = √3 ‖x − x′‖_M / 2, by nothing but its profile."""

    def profile(self, u: Tensor) -> Tensor:
        r = (3 * u).sqrt() / 2
        return (1 + r) * torch.exp(-r)


class Cubic(rfm.InnerProductKernel):
    """(xᵀMx′)³: by nothing but its profile."""

    def profile(self, u: Tensor) -> Tensor:
        return u**3


Profile = Callable[[Tensor], Tensor]


def _of_root(function: Profile, factor: float) -> Profile:
    """A function of r = √(factor · u), which is 1 at 0 and has no slope there."""

    def profile(u: Tensor) -> Tensor:
        away = torch.where(u > 0, u, 1.0)  # keeps the derivative of the root at 0 out of the way
        return torch.where(u > 0, function(torch.sqrt(factor * away)), 1.0)

    return profile


_matern = _of_root(lambda r: (1 + r) * torch.exp(-r), 3 / 4)


KERNELS: dict[str, rfm.Kernel] = {
    "gaussian": rfm.Gaussian(),
    "gaussian-narrow": rfm.Gaussian(0.8),
    "quadratic": rfm.Quadratic(),
    "laplace": rfm.Laplace(1.5),
    "matern": rfm.Matern(2.0),
    "matern-smooth": rfm.Matern(1.5, smoothness=2.5),
    "rooted": Rooted(),
    "rational": Rational(),
    "cubic": Cubic(),
}
PROFILES: dict[str, Profile] = {
    "gaussian": lambda u: torch.exp(-u / 12.5),
    "gaussian-narrow": lambda u: torch.exp(-u / (2 * 0.64)),
    "quadratic": lambda t: t * t,
    "laplace": _of_root(lambda r: torch.exp(-r), 1 / 2.25),
    "matern": _matern,
    "matern-smooth": _of_root(lambda r: (1 + r + r * r / 3) * torch.exp(-r), 5 / 2.25),
    "rooted": _matern,
    "rational": lambda u: 1 / (1 + u / 4),
    "cubic": lambda t: t * t * t,
}
RADIAL = {*KERNELS} - {"quadratic", "cubic"}
ROOTS = {"laplace", "matern", "matern-smooth", "rooted"}  # rounding of u counts by its root


def dense_kernel(name: str, M: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """k(x, x′) for two dense vectors, by name of the kernel."""
    profile = PROFILES[name]
    if name in RADIAL:
        return lambda x, y: profile((x - y) @ M @ (x - y))
    return lambda x, y: profile(x @ M @ y)


def dense_gram(name: str, X: Tensor, Y: Tensor, M: Tensor) -> Tensor:
    """Kernel matrix of dense rows."""
    k = dense_kernel(name, M)
    return vmap(lambda x: vmap(lambda y: k(x, y))(Y))(X)


def dense_predictor(name: str, X: Tensor, α: Tensor, M: Tensor) -> Callable[[Tensor], Tensor]:
    """f(x) = Σ_i α_i k(x, x_i) of one dense vector."""
    k = dense_kernel(name, M)
    return lambda x: vmap(lambda centre: k(x, centre))(X) @ α


def dense_agop(name: str, X: Tensor, α: Tensor, M: Tensor, centred: bool) -> Tensor:
    """AGOP over the rows of X, from Jacobians by automatic differentiation."""
    jacobians = vmap(jacrev(dense_predictor(name, X, α, M)))(X)  # (N, c, d)
    if centred:
        jacobians = jacobians - jacobians.mean(0)
    return torch.einsum("ncd,nce->de", jacobians, jacobians) / len(X)


def random_metric(d: int, seed: int, rank: int | None = None) -> Tensor:
    """A symmetric positive semi-definite (d, d) matrix with no structure, of trace d."""
    root = torch.randn(
        d, d if rank is None else rank, generator=torch.Generator().manual_seed(seed)
    ).double()
    M = root @ root.T
    return M * d / M.trace()


def random_pairs(task: rfm.Task, count: int, seed: int) -> Tensor:
    """Distinct pairs, in no order."""
    order = torch.randperm(task.n**2, generator=torch.Generator().manual_seed(seed))
    return task.samples[order[:count]]


def same(actual: Tensor, expected: Tensor, rtol: float) -> None:
    """Assert that two matrices differ by at most `rtol` of the largest entry expected."""
    scale = float(expected.abs().max())
    assert scale > 0
    error = float((actual - expected).abs().max()) / scale
    assert error <= rtol, f"off by {error:.1e} of the largest entry, more than {rtol:.0e}"
