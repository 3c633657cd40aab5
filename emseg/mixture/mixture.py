"""`Mixture`: component weights and the parameters of one family."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.conditional.missing_patterns import grouped
from emseg.mixture.family import Family, Real
from emseg.numerics.log_sum_exp import softmax
from emseg.records import record

if TYPE_CHECKING:
    from emseg.mixture.conditional.predictive import Predictive
    from emseg.mixture.links.link import Link
    from emseg.mixture.standard_behaviour import MixedClass

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class Mixture:
    """A finite mixture, or a stack of them along leading axes.

    Attributes
    ----------
    weights : ndarray, shape (..., K)
        π, positive, summing to one.
    components : Components
        The parameters of K densities, of the family's `kind`; all have means (..., K, D).
    family : Family
    """

    weights: Array
    components: Any
    family: Family

    def __repr__(self) -> str:
        return f"Mixture of {self.k} {self.family.name} components in {self.d} dimensions"

    @property
    def k(self) -> int:
        """Number of components."""
        return int(self.weights.shape[-1])

    @property
    def n_classes(self) -> int:
        """Number of components that stand for classes: all but that of outliers, which is the last."""
        return self.k - self.family.outlier_components

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return int(self.components.means.shape[-1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: weights and those of the components."""
        return self.k - 1 + self.family.n_parameters(self.k, self.d)

    def __getitem__(self, which: int | slice | NDArray[np.intp]) -> Mixture:
        """One mixture, or some, of a stack."""
        return Mixture(self.weights[which], self.components[which], self.family)

    def log_joint(self, x: Array) -> Array:
        """log π_k f_k(x) for planar samples x (D, N), or of what was observed of them, not NaN; shape (K, N)."""
        if np.isnan(x).any():
            return self._log_joint_by_pattern(x)
        t, link = self.family.statistics(x), self.link()
        if link:
            joint: Array = link.eta @ t
            link.log_joint(joint, t)
            return joint
        eta = self.family.natural(self.components)
        eta[:, 0] += np.log(self.weights)
        return np.asarray(eta @ t)

    def _log_joint_by_pattern(self, x: Array) -> Array:
        """By the marginal mixture of what was observed; log π_k where nothing was."""
        joint = np.repeat(np.log(self.weights)[:, None], x.shape[1], axis=1)
        for seen, which in grouped(x):
            joint[:, which] = self.marginal(seen).log_joint(x[np.ix_(seen, which)])
        return joint

    def marginal(self, seen: NDArray[np.intp]) -> Mixture:
        """The mixture of some dimensions."""
        components = self.family.marginal(self.components, seen)
        return Mixture(self.weights, components, self.family.marginal_family(seen))

    def permuted(self, order: NDArray[np.intp]) -> Mixture:
        """The same mixture with its components in another order."""
        return self[order]

    def canonical_order(self) -> NDArray[np.intp]:
        """Components by the mean of the first feature (darkest first), ties by the next; outliers are the last."""
        return self.family.canonical_order(self.components)

    def link(self) -> Link | None:
        """How log π_k f_k(x) comes from T(x); None where it is η · T(x) itself."""
        return self.family.link(self.weights, self.components)

    def tied(self) -> Mixture:
        """The mixture with weights and components that agree, where the family ties them to each other."""
        return Mixture(*self.family.tied(self.weights, self.components), self.family)

    def as_start_of(self, family: Family) -> Mixture:
        """The mixture of a family that EM starts from, where this one is of the family's `start_family`."""
        return Mixture(*family.from_start(self.weights, self.components), family)

    def classes_only(self) -> Mixture:
        """The mixture of the classes alone, without a component of outliers."""
        if not self.family.outlier_components:
            return self
        weights = self.weights[: self.n_classes]
        return Mixture(weights / weights.sum(), self.components[: self.n_classes], self.family.classes_only)

    def purity(self, x: Real) -> NDArray[np.float32] | None:
        """P(x is of one class alone | x) for planar samples (D, N), shape (N,); None where all are."""
        return self.family.purity(self.weights, self.components, x)

    def class_shares(self, x: Real) -> NDArray[np.float32] | None:
        """E[share of class j | x, label k] for planar samples (D, N), (K, K, N); None where all are of one class."""
        return self.family.class_shares(self.weights, self.components, x)

    def mixed_classes(self) -> list[MixedClass] | None:
        """The classes of mixed pixels; None where all pixels are of one class."""
        return self.family.mixed_classes(self.weights, self.components)

    def predictive(self, x: Array, seen: NDArray[np.intp]) -> Predictive:
        """The conditional densities of the dimensions that were not seen, given those that were.

        Parameters
        ----------
        x : ndarray, shape (D_o, N)
        seen : ndarray of int, shape (D_o,)
            Where it is empty, these are marginal densities.

        Raises
        ------
        UsageError
            If the family has no quantiles: angles have no smallest value.
        """
        joint = np.repeat(np.log(self.weights)[:, None], x.shape[1], axis=1)
        if seen.size:
            joint = self.marginal(seen).log_joint(x)
        return self.family.predictive(self.components, softmax(joint, out=joint)[0], x, seen)

    def affine(self, shift: Array, scale: Array) -> Mixture:
        """The density of shift + scale · x, for x from this mixture; shift and scale have shape (D,)."""
        if not (np.any(shift) or np.any(scale != 1)):  # all that some families know
            return self
        return Mixture(self.weights, self.components.affine(shift, scale), self.family.affine(shift, scale))

    def spread(self, basis: Array, log_volume: float) -> Mixture:
        """The mixture of B z, see `Family.spread`."""
        return Mixture(self.weights, self.components.spread(basis), self.family.spread(basis, log_volume))

    def collapsed(self, pivots: NDArray[np.intp], triangle: Array, log_volume: float) -> Mixture:
        """The mixture of z, for pivots that are a triangular function (R, R) of it."""
        components = self.components.collapsed(pivots, triangle)
        return Mixture(self.weights, components, self.family.collapsed(pivots, log_volume))

    def pack(self) -> Array:
        """θ: softmax logits and the components' coordinates. Any real vector unpacks to a valid mixture."""
        return self._packed

    @cached_property
    def _packed(self) -> Array:
        logits = np.log(self.weights)
        theta = np.concatenate([logits - logits.mean(), self.family.pack(self.components)])
        theta.flags.writeable = False
        return theta

    def unpack(self, theta: Array) -> Mixture:
        """The mixture with parameters θ and this one's shape and family."""
        weights, _ = softmax(theta[: self.k])
        components = self.family.unpack(theta[self.k :], self.k, self.d)
        return Mixture(weights, components, self.family).tied()
