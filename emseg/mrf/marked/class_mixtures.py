"""Several components for each class, fitted to the pixels that a user has marked and then to those a cut gives it.

A marked object is rarely of one colour: a coat, a face and a shoe are one class. Each class is a mixture of its own,
of as many components as the evidence asks for. A class also holds a little of everything: colours that no stroke has
met cost the same for all classes, instead of deciding by the far tails of Gaussians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.starts.number_of_components import candidates
from emseg.em.variants.em import EM
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.numerics.log_sum_exp import log_sum_exp

Real = NDArray[np.floating[Any]]
Array = NDArray[np.float64]
# Chosen on the tune half of marked objects of BSDS500's train and val parts, see the page `fields` of the guide.
MOST = 6  # components of a class, at most
SAMPLES = 300  # independent samples that strokes are worth, at most: neighbours along a stroke are alike
OUTLIERS = 0.02  # of each class are of any colour
FLOOR = 0.01  # smallest variance of a component, relative to that of the image: shading within a part
MOST_ROWS = 8000  # pixels that a class is fitted to; the standard error of a mean is a percent
REFIT = Stop(tol=1e-3, max_iter=5)  # between two cuts


@dataclass(frozen=True, eq=False)
class ClassMixtures:
    """A mixture for each of K classes.

    Attributes
    ----------
    problem : Problem
        Family, covariance model and floor; its samples are not looked at.
    mixtures : tuple of Mixture
    log_anything : float
        Logarithm of the uniform density over the box of all samples.
    """

    problem: Problem
    mixtures: tuple[Mixture, ...]
    log_anything: float

    @classmethod
    def of_samples(
        cls, problem: Problem, samples: Sequence[tuple[Array, Array]], log_anything: float, rng: np.random.Generator
    ) -> ClassMixtures:
        """As many components as BIC chooses for each class, from its samples (D, N) and their weights (N,)."""
        floored = problem.at_least(FLOOR)
        return cls(floored, tuple(_by_evidence(floored, *given, rng) for given in samples), log_anything)

    def refitted(self, samples: Sequence[tuple[Array, Array]], rng: np.random.Generator) -> ClassMixtures:
        """The same numbers of components, a few steps of EM further on other samples."""
        found = []
        for mixture, (x, weight) in zip(self.mixtures, samples, strict=True):
            problem = replace(self.problem, samples=Rows(x, weight))
            found.append(fit(EM[Mixture](), problem, mixture, REFIT, rng).mixture if weight.size else mixture)
        return replace(self, mixtures=tuple(found))

    def log_densities(self, x: Real) -> NDArray[np.float32]:
        """log f_k(x) of each class for planar samples (D, N), shape (K, N)."""
        out = np.empty((len(self.mixtures), x.shape[1]), np.float32)
        for row, mixture in zip(out, self.mixtures, strict=True):
            own = log_sum_exp(mixture.log_joint(x.astype(np.float64)))
            row[:] = np.logaddexp(own + np.log1p(-OUTLIERS), self.log_anything + np.log(OUTLIERS))
        return out


def _by_evidence(problem: Problem, x: Array, weight: Array, rng: np.random.Generator) -> Mixture:
    """The mixture of up to `MOST` components that BIC chooses for samples worth `SAMPLES`."""
    worth = weight * (min(SAMPLES, weight.sum()) / weight.sum())
    own = replace(problem, samples=Rows(x, worth))
    distinct = min(MOST, np.unique(x, axis=1).shape[1])
    found, _ = candidates(own, 1, distinct, "bic", rng)
    return min(found, key=lambda candidate: candidate.value).mixture
