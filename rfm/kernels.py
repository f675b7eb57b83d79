"""Kernels on one-hot pairs under a metric M, and the weights their gradients need.

Two families cover the usual ones. A radial kernel is φ(‖x − x′‖²_M), an inner-product kernel is
ψ(xᵀMx′). A new kernel is a subclass with one method, its profile φ or ψ::

    class Cauchy(rfm.RadialKernel):
        def profile(self, u):
            return 1 / (1 + u)

What else a machine needs of it, torch derives. :func:`rfm.check_kernel` tries it out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from rfm.arguments import flag, pairs_below, square
from rfm.gradients import grouped_products
from rfm.onehot import columns, squared_norms, sum_rows
from rfm.pieces import rows_at_a_time
from rfm.spectral import outer_products

RESOLUTION = 8  # squared distances below this many ε of the entries of M they are made of are 0


class Kernel(ABC):
    """k_M(x, x′) on one-hot pairs: a function of one number u for each pair of samples.

    The gradient of a kernel machine f = Σ_i α_i k_M(·, x_i) at x is M Σ_i α_i w_i (x_i − x) for a
    radial and M Σ_i α_i w_i x_i for an inner-product kernel, w_i given by :meth:`weights`.

    A subclass defines :meth:`profile`. It may define :meth:`weight` where the derivative has a
    better form than torch finds, and ``value_`` and ``weight_``, the same two functions with leave
    to overwrite their argument, to be fast: at the sizes of interest a spare matrix costs as much
    as the factorisation saves. What any of them returns is what counts. A subclass of a finished
    kernel that redefines one of them loses those that were derived from it.
    """

    translation_invariant: bool

    @abstractmethod
    def profile(self, u: Tensor) -> Tensor:
        """φ(u) or ψ(u), each entry by itself; shape and dtype of ``u``."""

    def weight(self, u: Tensor) -> Tensor:
        """The gradient weight, −2φ′(u) or ψ′(u), by default from the profile by torch."""
        return self._factor() * derivative(self.profile, u)

    def value_(self, u: Tensor) -> Tensor:
        """:meth:`profile`, which may overwrite ``u``; what is returned counts."""
        return self.profile(u)

    def weight_(self, u: Tensor) -> Tensor:
        """:meth:`weight`, which may overwrite ``u``; what is returned counts."""
        return self.weight(u)

    def gram(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        """Kernel values (N, N′) for pairs ``x`` (N, 2) and ``y`` (N′, 2), written to ``out``.

        Raises:
            ValueError: if these are not pairs of positions for ``M``, which is no symmetric
                (2n, 2n) matrix of finite numbers, or the kernel does not return what it should.
        """
        M = metric(M)
        return Kernel.values(self, *_pairs(x, y, M), M, out)

    def weights(self, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        """Gradient weights w (N, N′) for pairs ``x`` (N, 2) and ``y`` (N′, 2).

        Raises:
            ValueError: as :meth:`gram`.
        """
        M = metric(M)
        x, y = _pairs(x, y, M)
        return self._family().slopes(self, x, M)(y)

    def values(self, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
        """:meth:`gram` for pairs and a metric that were checked before: looks at none of them."""
        return self._apply(self.value_, x, y, M, out)

    def slopes(self, x: Tensor, M: Tensor) -> Callable[[Tensor], Tensor]:
        """:meth:`weights` as a function of y, for pairs and a metric that were checked before."""
        return lambda y: self._apply(self.weight_, x, y, M, None)

    def gradient_products(self, x: Tensor, α: Tensor, M: Tensor, centred: bool) -> Tensor:
        """Σ_{j,c} (g_jc − ḡ_c)(g_jc − ḡ_c)ᵀ, (2n, 2n), g_jc the gradient of output c at x_j.

        Args:
            x: (N, 2) training pairs.
            α: (N, c) coefficients.
            M: (2n, 2n).
            centred: whether the mean ḡ_c over the samples is subtracted; zero stands for it if not.

        Raises:
            ValueError: as :meth:`gram`, or if α is not such a matrix of the dtype of ``M``.
        """
        x, α, M = fitted(x, α, M, centred)

        def squared(through: Tensor | None) -> Tensor:
            weights, radial = self.slopes(x, M), self.translation_invariant
            return grouped_products(weights, radial, x, α, len(M) // 2, centred, through)

        return outer_products(M, squared)

    def __init_subclass__(cls, **options: object) -> None:
        """A method that a class redefines takes those with it that a parent derived from it."""
        super().__init_subclass__(**options)

        def place(name: str) -> int:  # of the class that defines it, in the order of look-up
            return next(i for i, c in enumerate(cls.__mro__) if name in vars(c))

        for name, derived in DERIVED.items():
            for other in derived:
                if place(name) < place(other):
                    setattr(cls, other, getattr(cls._family(), other))
        for name, other, by in (("gram", "values", _by_gram), ("weights", "slopes", _by_weights)):
            if name in vars(cls):
                setattr(cls, other, by)

    @classmethod
    def _family(cls) -> type[Kernel]:
        """The abstract class that it comes from."""
        return next(c for c in cls.__mro__ if c.__module__ == __name__)

    def _apply(
        self,
        function_: Callable[[Tensor], Tensor],
        x: Tensor,
        y: Tensor,
        M: Tensor,
        out: Tensor | None,
    ) -> Tensor:
        """A function of every u, a few rows at a time."""
        out = M.new_empty(len(x), len(y)) if out is None else out
        table = self._table(y, M)
        rows = rows_at_a_time(len(y), M.device)
        for some, block in zip(x.split(rows), out.split(rows), strict=True):
            u = self._finish_(sum_rows(some, table, block), some, y, M)
            if (found := self.checked(function_, u)).data_ptr() != block.data_ptr():
                block.copy_(found)
        return out

    def checked(self, function_: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
        """What a method of the kernel returns for ``u``.

        Raises:
            ValueError: if that is not a tensor of the shape and dtype of ``u``.
        """
        shape, dtype = u.shape, u.dtype
        found = function_(u)
        if not isinstance(found, Tensor) or (found.shape, found.dtype) != (shape, dtype):
            what = f"{found.dtype} {tuple(found.shape)}" if isinstance(found, Tensor) else found
            raise ValueError(
                f"{self!r} must return a tensor like its argument, {dtype} {tuple(shape)}, not "
                f"{what}"
            )
        return found.detach()

    @abstractmethod
    def _factor(self) -> float:
        """What the derivative of the profile is multiplied by to give the weight."""

    @abstractmethod
    def _table(self, y: Tensor, M: Tensor) -> Tensor:
        """(2n, N′): what the rows a and n+b must hold for u, up to what :meth:`_finish_` adds."""

    @abstractmethod
    def _finish_(self, sums: Tensor, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        """The u of ``x`` (N, 2) and ``y`` from the sums of table rows (N, N′), in place."""


def _by_gram(kernel: Kernel, x: Tensor, y: Tensor, M: Tensor, out: Tensor | None = None) -> Tensor:
    """The values of a kernel that defines ``gram`` by itself."""
    return kernel.gram(x, y, M, out=out)


def _by_weights(kernel: Kernel, x: Tensor, M: Tensor) -> Callable[[Tensor], Tensor]:
    """The slopes of a kernel that defines ``weights`` by itself."""
    return lambda y: kernel.weights(x, y, M)


# What a kernel loses when it redefines a method: the versions derived from the old one.
DERIVED = {
    "profile": ("weight", "value_", "weight_", "gradient_products"),
    "weight": ("weight_", "gradient_products"),
    "value_": (),
    "weight_": ("gradient_products",),
}


class RadialKernel(Kernel):
    """φ(u) of the squared distance u = ‖x − x′‖²_M = xᵀMx + x′ᵀMx′ − 2xᵀMx′.

    A subclass gives φ as ``profile``. The weight is −2φ′(u). Where φ has no derivative at 0, as a
    function of the distance like exp(−√u) has none, the weight there counts as 0: it multiplies a
    difference x − x′ of length 0. A distance that the entries of M do not resolve is 0.
    """

    translation_invariant = True

    def slopes(self, x: Tensor, M: Tensor) -> Callable[[Tensor], Tensor]:
        """:meth:`weights` as a function of y, for pairs and a metric that were checked before."""
        at_zero = self.checked(self.weight_, torch.zeros(1, 1, dtype=M.dtype))  # needs no GPU
        if bool(torch.isfinite(at_zero).all()):
            return super().slopes(x, M)

        def weight_(u: Tensor) -> Tensor:
            coincide = u == 0
            return self.checked(self.weight_, u).masked_fill(coincide, 0)

        return lambda y: self._apply(weight_, x, y, M, None)

    def _factor(self) -> float:
        return -2.0

    def _table(self, y: Tensor, M: Tensor) -> Tensor:
        table = columns(y, M).mul_(-2)
        table[: M.shape[0] // 2] += squared_norms(y, M)  # each x has exactly one first operand
        return table

    def _finish_(self, sums: Tensor, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        # A sum of entries of M is known to a few ε of the largest, which stand on its diagonal.
        diagonal = RESOLUTION * torch.finfo(M.dtype).eps * M.diagonal()
        n = len(M) // 2
        known = [diagonal[z[:, 0]] + diagonal[n + z[:, 1]] for z in (x, y)]
        sums.add_(squared_norms(x, M)[:, None])
        return sums.masked_fill_(sums <= known[0][:, None] + known[1], 0.0)


class InnerProductKernel(Kernel):
    """ψ(u) of the inner product u = xᵀMx′.

    A subclass gives ψ as ``profile``. The weight is ψ′(u).
    """

    translation_invariant = False

    def _factor(self) -> float:
        return 1.0

    def _table(self, y: Tensor, M: Tensor) -> Tensor:
        return columns(y, M)

    def _finish_(self, sums: Tensor, x: Tensor, y: Tensor, M: Tensor) -> Tensor:
        return sums


def derivative(function: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    """The derivative of a function of one number at each entry of ``u``, by torch.

    Raises:
        ValueError: if the function is not made of torch's differentiable operations, or does not
            return a tensor of the shape of ``u``.
    """
    at = u.detach().clone().requires_grad_()
    try:
        with torch.enable_grad():
            values = function(at.clone())  # a clone, so that it may be overwritten
            shape = values.shape
            (slope,) = torch.autograd.grad(values.sum(), at)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(
            "torch cannot derive the weight of this kernel: make the profile of torch's "
            f"differentiable operations, or define weight(u) ({error})"
        ) from error
    if shape != u.shape:
        raise ValueError(
            f"a profile must return a tensor of the shape of its argument, {tuple(u.shape)}, not "
            f"{tuple(shape)}"
        )
    return slope


def metric(M: Tensor) -> Tensor:
    """M, without its gradient, after making sure that it can be a metric.

    Raises:
        ValueError: unless it is a symmetric (2n, 2n) matrix of finite float64 or float32 numbers.
    """
    M = square(M, "M")
    if M.dtype not in (torch.float32, torch.float64) or len(M) % 2:
        what = M.dtype, tuple(M.shape)
        raise ValueError(f"M must be a (2n, 2n) matrix of float64 or float32, not {what}")
    return M


def fitted(x: Tensor, α: Tensor, M: Tensor, centred: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The arguments of :meth:`Kernel.gradient_products`, after making sure that they go together.

    Raises:
        ValueError: if they do not.
    """
    M = metric(M)
    x, _ = _pairs(x, x, M)
    flag(centred, "centred")
    if (
        not isinstance(α, Tensor)
        or (α.dtype, α.device, α.ndim) != (M.dtype, M.device, 2)
        or not 0 < len(x) == len(α)
    ):
        raise ValueError(
            f"α must be a tensor of shape (N, c), N = {len(x)} > 0, with the dtype and device "
            f"of M, {M.dtype} on {M.device}"
        )
    return x, α.detach(), M


def _pairs(x: Tensor, y: Tensor, M: Tensor) -> tuple[Tensor, Tensor]:
    """The arguments x and y, (N, 2) and (N′, 2), after making sure that M has their positions."""
    x, y = (pairs_below(pairs, len(M) // 2) for pairs in (x, y))
    if x.ndim != 2 or y.ndim != 2:
        raise ValueError("a kernel needs lists of pairs, of shapes (N, 2) and (N′, 2)")
    return x, y
