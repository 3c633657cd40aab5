"""The number of components: candidates for every K from one sample of the data, judged on all of it.

Fitting each K to all samples would cost as much as many fits. So the candidates are fitted to one set of samples, each
from the one before: a component is split, or one added where the others are far (gaussian and student; other families
are searched for anew). Each candidate is then judged on all the data by a single E-step, so ℓ is that of a definite
mixture, a lower bound on what a full fit would reach, and nothing that only the sample shows can pass for structure.
All criteria are on the scale of -2ℓ, lower is better; N is the number of samples, p that of parameters.

bic   -2ℓ + p log N                     Schwarz (1978)
aic   -2ℓ + 2p                          Akaike (1974)
icl   bic - 2 Σ_i log max_k r_ik        Biernacki, Celeux & Govaert (2000): also counts how much components overlap
mml   twice the message length          Figueiredo & Jain (2002), with the candidates of `emseg.em.starts.annihilation`
elbo  -2 (bound on the evidence + log K!)   variational Bayes (Bishop 2006, section 10.2.4)

A photograph is no mixture of Gaussians, and with a million pixels each further component describes some of the rest:
all but icl then ask for as many as they are offered. icl asks for components that are apart.
"""

from __future__ import annotations

from dataclasses import replace
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

from emseg.em.assignments import RowByRow
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.starts import seeds
from emseg.em.starts.annihilation import annihilate, message_length
from emseg.em.starts.nested_samples import SIZES
from emseg.em.starts.tournament import POLISH, compete, search, views
from emseg.em.variants.em import EM
from emseg.em.variants.vb import VB
from emseg.errors import UsageError, option
from emseg.mixture.family import Real
from emseg.mixture.mixture import Mixture
from emseg.records import record

Array = NDArray[np.float64]
ROUNDS = ((0, 8), (1, 6), (2, 4))  # of the tournament among ways to add a component
ADDED = 6  # of those ways put the new component far from the others
STARTS = 24  # for the largest K, from which annihilation goes down


@record(frozen=True, eq=False)
class Candidate:
    """A mixture of K components, its ℓ over all samples, and the value of the criterion (lower is better)."""

    mixture: Mixture
    log_likelihood: float
    value: float


def candidates(
    problem: Problem, low: int, high: int, criterion: str, rng: np.random.Generator, init: str = "auto", starts: int = 0
) -> tuple[list[Candidate], int]:
    """A judged mixture for each K from low to high, K ascending, and the number of E-steps.

    Parameters
    ----------
    problem : Problem
    low, high : int
    criterion : {"bic", "icl", "aic", "mml", "elbo"}
        With mml, a K that annihilation skips is left out.
    rng : numpy.random.Generator
    init, starts
        How the first K is searched for, see `search`.
    """
    if criterion == "elbo":
        problem.family.normal_model(option("criterion", "elbo"))
    if criterion == "mml" and problem.family.outlier_components:
        raise UsageError(
            f"{option('criterion', 'mml')}: components are annihilated, noise too; leave out {option('noise')}, "
            f"or use {option('criterion', 'icl')}"
        )
    seen = views(problem, rng)
    if criterion == "mml":
        start, e_steps = search(problem, high, rng, init, starts or STARTS)
        draws = min(problem.n, SIZES[min(1, len(seen) - 1)])
        path = list(annihilate(seen[min(1, len(seen) - 1)], start, low, draws))
        found = [_polished(seen[-1], mixture, cost, rng) for mixture, cost in reversed(path)]
    else:
        found, e_steps = [search(problem, low, rng, init, starts)], 0
        while (k := found[-1][0].n_classes) < high:
            larger = (
                compete(seen, _larger(seen[0], found[-1][0], rng), ROUNDS, rng) if problem.family.splittable else None
            )
            found.append(larger or search(problem, k + 1, rng, init, starts))
    judged = [_judged(problem, mixture, criterion, rng) for mixture, _ in found]
    return judged, e_steps + sum(cost for _, cost in found) + len(judged)


def _polished(problem: Problem, mixture: Mixture, cost: int, rng: np.random.Generator) -> tuple[Mixture, int]:
    # By EM, which stays where annihilation has led: faster variants may find a spike of a few samples from there.
    polished = fit(EM[Mixture](), problem, mixture, POLISH, rng)
    return polished.mixture, cost + (polished.trace[-1].e_steps if polished.trace else 0)


def _larger(problem: Problem, mixture: Mixture, rng: np.random.Generator) -> Mixture:
    """A stack of mixtures with one component more: each one split along its longest axis, and some added afar."""
    parts, k = mixture.components, mixture.k
    variances, axes = np.linalg.eigh(parts.matrices)
    step = np.sqrt(variances[:, -1:]) * axes[:, :, -1]
    x, weight = problem.filled.x, problem.filled.weight
    nearest = seeds.squared_distances(x, parts.means.T).min(0) * weight
    far = rng.choice(weight.size, ADDED, p=nearest / nearest.sum())
    owner = np.concatenate([np.arange(k), seeds.squared_distances(x[:, far], parts.means.T).argmin(0)])
    rows = np.arange(len(owner))
    # Every row of the stack is the mixture and a copy of one component at the end, which share that one's weight.
    which = np.concatenate([np.repeat(np.arange(k)[None], len(owner), axis=0), owner[:, None]], axis=1)
    weights, means = mixture.weights[which], parts.means[which].astype(np.float64)
    weights[rows, owner] /= 2
    weights[:, k] /= 2
    means[rows[:k], owner[:k]] -= step
    means[:k, k] += step
    means[k:, k] = x[:, far].T
    return Mixture(weights, replace(parts[which], means=means), mixture.family)


def _judged(problem: Problem, mixture: Mixture, criterion: str, rng: np.random.Generator) -> Candidate:
    """A candidate after an E-step over all samples."""
    n, p = problem.n, mixture.n_parameters
    if criterion == "elbo":
        _, info = VB().init(problem, mixture, rng)
        return Candidate(mixture, info.log_likelihood, -2 * (info.objective + lgamma(mixture.k + 1)))
    found = problem.e_step(mixture, Certainty() if criterion == "icl" else None)
    log_likelihood = float(found.log_likelihood)
    value = {
        "bic": lambda: -2 * log_likelihood + p * log(n),
        "aic": lambda: -2 * log_likelihood + 2 * p,
        "icl": lambda: -2 * log_likelihood + p * log(n) - 2 * float(found.entropy),
        "mml": lambda: 2 * message_length(mixture, log_likelihood, n),
    }[criterion]()
    return Candidate(mixture, log_likelihood, value)


@record(frozen=True)
class Certainty(RowByRow):
    """The posterior, with Σ c_i log max_k r_ik in the place of its entropy."""

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        return r * weight, np.asarray(np.log(r.max(1)) @ weight, np.float64)
