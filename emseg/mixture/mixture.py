"""`Mixture`: component weights and the parameters of one family."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.conditional.missing_patterns import grouped
from emseg.mixture.family import Family

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
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

    @property
    def k(self) -> int:
        """Number of components."""
        return int(self.weights.shape[-1])

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
        t, link = self.family.statistics(x), self.family.link(self)
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
        return Mixture(self.weights, self.family.marginal(self.components, seen), self.family.margin(seen))

    def permuted(self, order: NDArray[np.intp]) -> Mixture:
        """The same mixture with its components in another order."""
        return self[order]

    def canonical_order(self) -> NDArray[np.intp]:
        """Components by the mean of the first feature (darkest first), ties by the next; noise is the last.

        Where components mix with their neighbours, they are in order from the start.
        """
        if self.family.mixes:
            return np.arange(self.k)
        k = self.k - self.family.noisy
        return np.append(np.lexsort(self.components.means[:k].T[::-1]), range(k, self.k)).astype(np.intp)

    def affine(self, shift: Array, scale: Array) -> Mixture:
        """The density of shift + scale · x, for x from this mixture; shift and scale have shape (D,)."""
        if not (np.any(shift) or np.any(scale != 1)):  # all that some families know
            return self
        return Mixture(self.weights, self.components.affine(shift, scale), self.family.affine(shift, scale))

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
        weights = np.exp(theta[: self.k] - theta[: self.k].max())
        components = self.family.unpack(theta[self.k :], self.k, self.d)
        return self.family.tied(Mixture(weights / weights.sum(), components, self.family))
