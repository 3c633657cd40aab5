"""What a component family is: a sufficient statistic, and the way from its expectation to parameters and back.

An exponential family has log f(x) = η · T(x), where T begins with the constant 1 and η_0 holds what normalises the
density. The E-step needs η (the e-projection), the M-step the parameters at which E[T] equals a given mean (the
m-projection); everything between the two is `Stats`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.stats import Stats

if TYPE_CHECKING:
    from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
Real = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Components(ABC):
    """Parameters of K densities, or a stack of such sets along leading axes: every field is (..., K, …)."""

    @classmethod
    def parts(cls) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(entry.name for entry in fields(cls))

    def __getitem__(self, which: Any) -> Self:
        """Some of the components, or of the sets in a stack."""
        return type(self)(*(getattr(self, name)[which] for name in self.parts()))

    @abstractmethod
    def check(self) -> None:
        """Raise ValueError, saying why, unless these are parameters of K densities in D dimensions."""

    def updated(self, new: Self, k: int, shared: tuple[str, ...] = ()) -> Self:
        """With component k, and the shared parameters of all, taken from `new`."""
        values = {name: np.array(getattr(new if name in shared else self, name), np.float64) for name in self.parts()}
        for name, value in values.items():
            value[k] = getattr(new, name)[k]
        return type(self)(**values)


def require(condition: Any, wanted: str) -> None:
    """Raise ValueError unless a condition holds everywhere."""
    if not np.all(condition):
        raise ValueError(wanted)


class Family(ABC):
    """A family of component densities.

    Attributes
    ----------
    name : str
        Name on the command line.
    kind : type
        What holds its parameters.
    shared : tuple of str
        Parameters of which components have something in common.
    noisy : bool
        Whether the last component is uniform noise.
    tails : mapping of str to (float, float)
        Parameters that the hidden data know much better than the samples, and their ranges: EM crawls along them, ECME
        does not.
    mixes : bool
        Whether samples may be mixtures of neighbouring components. What the labels around a sample are says little of
        how it is mixed, so the parameters are those of the samples alone.
    location_scale : bool
        Whether samples may be moved and stretched: components have means and the `matrices` of a covariance model.
    """

    name: ClassVar[str]
    kind: ClassVar[type[Components]]
    shared: tuple[str, ...] = ()
    tails: Mapping[str, tuple[float, float]] = {}
    location_scale: ClassVar[bool] = False
    noisy: ClassVar[bool] = False
    mixes: ClassVar[bool] = False

    @classmethod
    def of_options(cls, covariance: str, dof: str | float) -> Family:
        """The family that options ask for; most take neither a covariance model nor degrees of freedom."""
        return cls()

    @property
    def bare(self) -> Family:
        """The family without noise."""
        return self

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are estimated."""
        return self.kind.parts()

    @property
    def plain(self) -> Family:
        """The family of densities that are log-linear in T(x) to which this one adds something hidden, if it does."""
        return self

    @abstractmethod
    def n_monomials(self, d: int) -> int:
        """P, the length of T(x), in D dimensions."""

    @abstractmethod
    def monomials(self, x: Real, out: Real) -> None:
        """Write T(x) but for its constant, which `out[0]` holds already: planar x (D, B) → out (P, B)."""

    @abstractmethod
    def natural(self, components: Any) -> Array:
        """η, shape (..., K, P), with log f_k(x) = η_k · T(x).

        Raises
        ------
        numpy.linalg.LinAlgError
            If a component has no density.
        """

    def link(self, mixture: Mixture) -> Any:
        """How log π_k f_k(x) comes from T(x), a `Link`; None where it is η · T(x) itself.

        Where it is not, T belongs to the complete data, and η · T is their log-density.
        """
        return None

    @abstractmethod
    def scores(self, components: Any, psi: Array | float, prior: Any = None) -> tuple[Array, Array]:
        """η, and the logarithm of the penalty ψ and the prior at these parameters, shape (...)."""

    @abstractmethod
    def m_projection(self, stats: Stats, psi: Array | float, d: int, previous: Any = None, prior: Any = None) -> Any:
        """The components whose E[T] matches the statistics, pulled by the penalty ψ and the prior.

        Parameters
        ----------
        stats : Stats
            With n > 0 everywhere.
        psi : ndarray, shape (D,), or float
            Size of the penalty that keeps components from shrinking onto a value; 0 for none.
        d : int
            Dimension of the samples.
        previous : Components, optional
            Where a model without a closed form starts from.
        prior : optional
            With it, the parameters are those of the largest posterior density.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a component shrinks onto a value, which only ψ = 0 allows.
        """

    @abstractmethod
    def conditional(self, part: str, stats: Stats, components: Any, psi: Array | float, prior: Any = None) -> Any:
        """The components with one part replaced by its best value given the others: a conditional M-step."""

    def completed(self, t: Array) -> Stats:
        """Statistics of the complete data from sums of T(x) by component, (..., K, P): hard labels, to start from."""
        return Stats(t[..., 0].copy(), t)

    def conformed(self, weights: Array, components: Any) -> Any:
        """The components as this family has them, from ones of its kind that share, or hold fixed, other parameters."""
        return components

    def tied(self, mixture: Mixture) -> Mixture:
        """The mixture with weights and components that agree, where the family ties them to each other."""
        return mixture

    def pinned(self, stats: Stats, components: Any) -> Stats:
        """Statistics whose M-step has the locations of these components, and the best of the other parameters."""
        return stats

    def margin(self, seen: NDArray[np.intp]) -> Family:
        """What the densities of some dimensions belong to: a family that shares nothing."""
        return self

    @abstractmethod
    def marginal(self, components: Any, seen: NDArray[np.intp]) -> Any:
        """The densities of some dimensions alone."""

    @abstractmethod
    def lift(self, stats: Stats, components: Any, seen: NDArray[np.intp]) -> Stats:
        """Expected statistics of samples of which some dimensions were seen, E[T(x) | x_o, k] summed.

        Parameters
        ----------
        stats : Stats
            The statistics of what was seen, in as many dimensions.
        components : Components
            (..., K, …), in all dimensions.
        seen : ndarray of int, shape (D_o,)
        """

    @abstractmethod
    def predicted(self, components: Any, x: Real, seen: NDArray[np.intp]) -> Array:
        """E[x_m | x_o, k] of the other dimensions, from planar x_o (D_o, N); shape (K, D - D_o, N)."""

    @abstractmethod
    def n_parameters(self, k: int, d: int) -> int:
        """Free parameters of K components in D dimensions."""

    @abstractmethod
    def pack(self, components: Any) -> Array:
        """Unconstrained coordinates of K components, shape (M,)."""

    @abstractmethod
    def unpack(self, theta: Array, k: int, d: int) -> Any:
        """Inverse of `pack`; every real vector is a set of components."""

    def affine(self, shift: Array, scale: Array) -> Family:
        """The family of shift + scale · x, for x of this one."""
        return self

    def embed(self, x: Real) -> Real:
        """Planar samples (D, N) in coordinates, (E, N), in which Euclidean distances suit the family."""
        return x

    def statistics(self, x: Real) -> Real:
        """T(x) of planar samples (D, N); shape (P, N)."""
        t = np.ones((self.n_monomials(len(x)), x.shape[1]), x.dtype)
        self.monomials(x, t)
        return t
