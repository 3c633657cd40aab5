"""What a component family is: a sufficient statistic, and the way from its expectation to parameters and back.

An exponential family has log f(x) = η · T(x), where T begins with the constant 1 and η_0 holds what normalises the
density. The E-step needs η (the e-projection), the M-step the parameters at which E[T] equals a given mean (the
m-projection); everything between the two is `Stats`.

`Family` lists what every family must do. What most families do alike stands in `StandardBehaviour`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.components import Components
from emseg.mixture.standard_behaviour import StandardBehaviour
from emseg.mixture.stats import Stats
from emseg.mixture.support import ANY_NUMBER, Support

if TYPE_CHECKING:
    from emseg.mixture.conjugate_prior import ConjugatePrior, PriorStrength

Array = NDArray[np.float64]
Real = NDArray[np.floating[Any]]


class Family(StandardBehaviour):
    """A family of component densities.

    Attributes
    ----------
    kind : type
        What holds its parameters.
    support : Support
        Which values have a density.
    """

    kind: ClassVar[type[Components]]
    support: ClassVar[Support] = ANY_NUMBER

    @classmethod
    def of_options(cls, covariance: str, dof: str | float) -> Self:
        """The family that options ask for; most take neither a covariance model nor degrees of freedom."""
        return cls()

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are estimated."""
        return self.kind.parts()

    @property
    def classes_only(self) -> Family:
        """The family of the classes alone, without a component of outliers."""
        return self

    @property
    def log_linear(self) -> Family:
        """The family of densities that are log-linear in T(x) to which this one adds something hidden, if it does."""
        return self

    @property
    def start_family(self) -> Family:
        """The family in which a start is searched for; `from_start` brings its mixture into this one."""
        return self

    def marginal_family(self, seen: NDArray[np.intp]) -> Family:
        """The family of the densities of some dimensions: one that shares nothing among components."""
        return self

    def affine(self, shift: Array, scale: Array) -> Family:
        """The family of shift + scale · x, for x of this one."""
        return self

    def spread(self, basis: Array, log_volume: float) -> Family:
        """The family of B z, for z of this one; log_volume is what densities with respect to pivots are larger by."""
        return self

    def collapsed(self, pivots: NDArray[np.intp], log_volume: float) -> Family:
        """Inverse of `spread`."""
        return self

    @abstractmethod
    def n_monomials(self, d: int) -> int:
        """P, the length of T(x), in D dimensions."""

    @abstractmethod
    def monomials(self, x: Real, out: Real) -> None:
        """Write T(x) but for its constant, which `out[0]` holds already: planar x (D, B) → out (P, B)."""

    def statistics(self, x: Real) -> Real:
        """T(x) of planar samples (D, N); shape (P, N)."""
        t = np.ones((self.n_monomials(len(x)), x.shape[1]), x.dtype)
        self.monomials(x, t)
        return t

    @abstractmethod
    def natural(self, components: Any) -> Array:
        """η, shape (..., K, P), with log f_k(x) = η_k · T(x).

        Raises
        ------
        numpy.linalg.LinAlgError
            If a component has no density.
        """

    @abstractmethod
    def scores(self, components: Any, psi: Array | float, prior: Any = None) -> tuple[Array, Array]:
        """η, and the logarithm of the penalty ψ and the prior at these parameters, shape (...)."""

    @abstractmethod
    def m_projection(
        self,
        stats: Stats,
        psi: Array | float,
        d: int,
        previous: Any = None,
        prior: Any = None,
    ) -> Any:
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
        prior : ConjugatePrior, optional
            One that `default_prior` of this family makes. With it, the parameters are those of the largest posterior
            density.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a component shrinks onto a value, which only ψ = 0 allows.
        """

    @abstractmethod
    def conditional(self, part: str, stats: Stats, components: Any, psi: Array | float, prior: Any = None) -> Any:
        """The components with one part replaced by its best value given the others: a conditional M-step."""

    @abstractmethod
    def default_prior(self, total: Stats, k: int, d: int, strength: PriorStrength) -> ConjugatePrior:
        """A conjugate prior of K components that is centred on the samples.

        Parameters
        ----------
        total : Stats
            Of all samples, as of one component.
        k : int
        d : int
            Dimension of the samples.
        strength : PriorStrength

        Raises
        ------
        UsageError
            If the prior of this family has no such parameter.
        """

    def grain(self, covariance: Array) -> Array:
        """E[T(x + u)] - T(x) of the complete data, shape (P,), for u of mean 0 and this covariance (D, D).

        It is one number for all x: of families for which it is not, it is that of `start_coordinates`. Nothing, unless
        a family knows better.
        """
        return np.zeros(self.n_monomials(len(covariance)))

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
