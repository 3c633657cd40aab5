"""ECME: Liu & Rubin (1994), The ECME algorithm, Biometrika 81.

CM-step 1   means, covariances (and first weights, and ν) by EM's M-step
CM-step 2   π, and ν of Student's t = argmax ℓ: the observed likelihood itself, not its bound

ℓ is concave in π and its maximum is where Karush, Kuhn & Tucker say: mean(f_k/f) ≤ 1, with equality where π_k > 0. The
logarithm of the largest mean(f_k/f) bounds what the weights can still gain per sample. Each pass of the E-step yields
these means, g_k = n_k/N = π_k mean(f_k/f), and the curvature H = mean(r rᵀ), and so a Newton step s = π'/π, the
minimiser of ½ (s - 1)ᵀH (s - 1) - (g - π)ᵀ s over s ≥ 0 (Kim, Carbonetto, Stephens & Anitescu 2020). Shortened to
1/(1 + m) of its length, m the largest fall of any s_k below 1, it cannot lower ℓ: along it -log(Σ_k s_k r_ik) has at
most 1/(1 - m t)² of its first curvature. The last pass is the E-step of the next iteration.

ν comes by secant steps, one a pass (`emseg.em.variants.secant_dof`), together with the weights'. A pass that ends lower
than the one before is followed by EM's own step from there, which cannot end lower.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.expectation import Expectation
from emseg.em.problem import EMPTY, Problem
from emseg.em.variants.secant_dof import DofSearch
from emseg.mixture.family import Real
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.records import record

Array = NDArray[np.float64]
#: Smallest curvature, relative to the largest. Below it, components can hardly be told apart; it only shortens steps.
ALIKE = 1e-6


@record(frozen=True)
class ECME:
    """Expectation, then conditional maximisation of either.

    Attributes
    ----------
    slack : float
        Weights, and ν, are at their optimum when they can gain no more than this, in nats per sample.
    passes : int
        Largest number of steps on ℓ an iteration.
    """

    slack: float = 1e-10
    passes: int = 4
    monotone = True

    def __post_init__(self) -> None:
        if not (self.slack >= 0 and self.passes >= 1):
            raise ValueError("slack must not be negative, passes at least 1")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[ECMEState, Info]:
        """The state at a starting mixture."""
        state = ECMEState(start, problem.e_step(start))
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: ECMEState, rng: np.random.Generator) -> tuple[ECMEState, Info]:
        """The M-step, then Newton steps on the weights."""
        mixture = problem.m_step(state.expectation.stats, state.mixture)
        if problem.family.tails:
            return self._with_dof(problem, mixture, state.search)
        for e_steps in range(1, self.passes + 2):
            found = _e_step(problem, mixture)
            g = found.stats.n / problem.n
            if e_steps > self.passes or np.log((g / mixture.weights).max()) <= self.slack:
                break
            mixture = replace(mixture, weights=newton(mixture.weights, g, np.asarray(found.products) / problem.n))
        new = ECMEState(mixture, found)
        return new, exact_info(new, e_steps)

    def _with_dof(self, problem: Problem, mixture: Mixture, known: DofSearch | None) -> tuple[ECMEState, Info]:
        """Steps on the weights and ν from the θ of the M-step; the highest point is the next state."""
        best, e_steps, fell = _Pass.at(problem, mixture, known), 1, False
        while e_steps <= self.passes and best.gain(problem) > self.slack:
            there = best.em_step(problem) if fell else best.newton_step(problem)
            new = _Pass.at(problem, there, best.search, best)
            e_steps += 1
            if new.expectation.objective >= best.expectation.objective:
                best, fell = new, False
            elif fell:
                break  # rounding
            else:
                fell = True
        state = ECMEState(best.mixture, best.expectation, best.search)
        return state, exact_info(state, e_steps)


@record(frozen=True, eq=False)
class ECMEState(State[Mixture]):
    """With what the search for ν has learned, for a family that has one."""

    search: DofSearch | None = None


@record(frozen=True, eq=False)
class _Pass:
    """An E-step at a mixture with its Σ c r rᵀ, and the search for ν so far."""

    mixture: Mixture
    expectation: Expectation
    search: DofSearch

    @classmethod
    def at(cls, problem: Problem, mixture: Mixture, known: DofSearch | None, last: _Pass | None = None) -> _Pass:
        """The pass at θ; `last` is the pass before it of the same iteration."""
        found = _e_step(problem, mixture)
        search = DofSearch.after_e_step(problem, mixture, found.stats, known)
        return cls(mixture, found, search.with_rate(last.search) if last else search)

    def gain(self, problem: Problem) -> float:
        """About what weights or ν can still add to ℓ, per sample."""
        g = self.expectation.stats.n / problem.n
        return max(float(np.log((g / self.mixture.weights).max())), float(self.search.residual**2 @ g))

    def newton_step(self, problem: Problem) -> Mixture:
        """θ after a Newton step on the weights and a secant step on ν."""
        g = self.expectation.stats.n / problem.n
        weights = newton(self.mixture.weights, g, np.asarray(self.expectation.products) / problem.n)
        return self.search.next_mixture(problem, replace(self.mixture, weights=weights))

    def em_step(self, problem: Problem) -> Mixture:
        """θ after EM's step of both."""
        stats = self.expectation.stats
        (name,) = problem.family.tails
        return problem.conditional(name, stats, replace(self.mixture, weights=problem.weights(stats)))


def newton(weights: Array, g: Array, curvature: Array) -> Array:
    """Weights that do not lower ℓ, from g = mean(r), shape (K,), and H = mean(r rᵀ), shape (K, K)."""
    from scipy.optimize import nnls

    values, vectors = np.linalg.eigh(curvature)
    # More curvature than there is between components that are alike only shortens the step between them.
    root = np.sqrt(np.maximum(values, ALIKE * values[-1]))
    s, _ = nnls(root[:, None] * vectors.T, root * vectors.sum(0) + vectors.T @ (g - weights) / root)
    change = s - 1
    new = np.maximum(weights * (1 + change / (1 + max(0.0, -float(change.min())))), EMPTY)
    return np.asarray(new / new.sum())


def _e_step(problem: Problem, mixture: Mixture) -> Expectation:
    """The E-step with Σ c r rᵀ."""
    found = problem.e_step(mixture, WithProducts())
    return replace(found, entropy=found.fitted - found.complete)


@record(frozen=True)
class WithProducts:
    """The posterior, and the sum of its products."""

    def begin(self, rows: Rows, pattern: tuple[int, ...] = ()) -> ProductSum:
        """A sum over these rows."""
        return ProductSum()


class ProductSum:
    """Sums Σ c r rᵀ over one block after another."""

    def __init__(self) -> None:
        self.products: Array | float = 0.0

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        counts = r * weight
        self.products = self.products + counts[0] @ r[0].T
        return counts, np.zeros(len(r))
