"""What most families do alike: nothing is hidden, no component is for outliers, no pixel is mixed."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.mixture.stats import Stats
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.mixture.conditional.predictive import Predictive
    from emseg.mixture.covariance.model import CovarianceModel
    from emseg.mixture.links.link import Link

Array = NDArray[np.float64]
Real = NDArray[np.floating[Any]]
Indices = NDArray[np.intp]


class MixedClass(NamedRecord):
    """A class of pixels that mix two components.

    Attributes
    ----------
    between : tuple of int
        The two components, 0…K-1.
    weight : float
        Share of the pixels.
    mean : ndarray, shape (D,)
        Of its samples.
    """

    between: tuple[int, int]
    weight: float
    mean: Array


class StandardBehaviour(ABC):
    """Defaults of `Family`, each overridden where a family differs.

    Attributes
    ----------
    name : str
        What the option `family` calls it.
    shared : tuple of str
        Parameters of which components have something in common.
    tails : mapping of str to (float, float)
        Parameters that the hidden data know much better than the samples, and their ranges: EM crawls along them, ECME
        does not.
    location_scale : bool
        Whether samples may be moved and stretched: components have means and the `matrices` of a covariance model.
    outlier_components : int
        Components at the end that stand for outliers and not for a class: 0 or 1.
    splittable : bool
        Whether a component can be split in two along its longest axis.
    refitted_in_field : bool
        Whether parameters are fitted again where a Markov random field says more of the labels.
    """

    name: ClassVar[str]
    shared: tuple[str, ...] = ()
    tails: Mapping[str, tuple[float, float]] = {}
    outlier_components: ClassVar[int] = 0
    location_scale: ClassVar[bool] = False
    refitted_in_field: ClassVar[bool] = True

    @property
    def splittable(self) -> bool:
        """Components that have the matrices of a covariance model can be split."""
        return self.location_scale

    def link(self, weights: Array, components: Any) -> Link | None:
        """How log π_k f_k(x) comes from T(x); None where it is η · T(x) itself.

        Where it is not, T belongs to the complete data, and η · T is their log-density.
        """
        return None

    def completed(self, t: Array) -> Stats:
        """Statistics of the complete data from sums of T(x) by component, (..., K, P): hard labels, to start from."""
        return Stats(t[..., 0].copy(), t)

    def constrained(self, weights: Array, components: Any) -> Any:
        """The components under this family's constraints, from ones that share, or hold fixed, other parameters."""
        return components

    def tied(self, weights: Array, components: Any) -> tuple[Array, Any]:
        """Weights and components that agree, where the family ties them to each other."""
        return weights, components

    def from_start(self, weights: Array, components: Any) -> tuple[Array, Any]:
        """Weights and components of this family from those of a start in `start_family`."""
        return weights, components

    def holding_locations(self, stats: Stats, components: Any) -> Stats:
        """Statistics whose M-step has the locations of these components, and the best of the other parameters."""
        return stats

    def own_grain(self, covariance: Array, means: Array) -> Array:
        """What `Family.grain` takes, from the covariance (D, D) of the rounding of samples with such means (D,)."""
        return covariance

    def start_coordinates(self, x: Real) -> Real:
        """Planar samples (D, N) in coordinates, (E, N), in which Euclidean distances suit the family."""
        return x

    def start_owners(self, owner: Indices, distance: Real, weight: Real, k: int) -> Indices:
        """Which component each sample belongs to at a start.

        Parameters
        ----------
        owner : ndarray of int, shape (S, N)
            The nearest of the seeds, in each of S starts.
        distance : ndarray, shape (S, N)
            Squared distance to it, in `start_coordinates`.
        weight : ndarray, shape (N,)
        k : int
            Number of seeds; K where a sample is an outlier.

        Returns
        -------
        ndarray of int, shape (S, N)
        """
        return owner

    def canonical_order(self, components: Any) -> Indices:
        """Components by the mean of the first feature (darkest first), ties by the next."""
        return np.asarray(np.lexsort(components.means.T[::-1]), np.intp)

    def with_outliers(self, weights: Array, components: Any) -> tuple[Array, Any]:
        """Weights and components of `classes_only`, and the component of outliers if the family has one."""
        return weights, components

    def outlier_log_density(self) -> float | None:
        """Logarithm of the density of outliers, which is the same everywhere; None if they have no component."""
        return None

    def purity(self, weights: Array, components: Any, x: Real) -> NDArray[np.float32] | None:
        """P(x is of one class alone | x) for samples (D, N), shape (N,); None where all are."""
        return None

    def class_shares(self, weights: Array, components: Any, x: Real) -> NDArray[np.float32] | None:
        """E[share of class j | x, label k] for samples (D, N), shape (K, K, N); None where all are of one class."""
        return None

    def mixed_classes(self, weights: Array, components: Any) -> list[MixedClass] | None:
        """The classes of mixed pixels; None where all pixels are of one class."""
        return None

    def predictive(self, components: Any, weight: Array, x: Array, seen: Indices) -> Predictive:
        """The conditional densities of the dimensions that were not seen, given those that were.

        Parameters
        ----------
        components : Components
        weight : ndarray, shape (K, N)
            Responsibilities given what was seen.
        x : ndarray, shape (D_o, N)
        seen : ndarray of int, shape (D_o,)

        Raises
        ------
        UsageError
            If the family has no quantiles: angles have no smallest value.
        """
        raise UsageError(f"impute: {self.name} has no quantiles; use another {option('family')}")

    def normal_model(self, purpose: str) -> CovarianceModel:
        """The covariance model, where densities are normal and nothing of a sample is hidden.

        Parameters
        ----------
        purpose : str
            What needs it, as an option that a message begins with.

        Raises
        ------
        UsageError
            For every other family.
        """
        raise UsageError(f"{purpose}: {self.name} is not normal; use {option('family', 'gaussian')}")

    def hidden_scale_model(self, purpose: str) -> CovarianceModel:
        """The covariance model of the scale matrices, where a sample's scale is hidden.

        Raises
        ------
        UsageError
            For every other family.
        """
        raise UsageError(f"{purpose}: {self.name} has no hidden scale to expand; use {option('family', 'student')}")
