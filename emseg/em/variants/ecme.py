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
than the one before is followed by EM's own step from there, which cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import EMPTY, Problem
from emseg.em.variants.secant_dof import Tails
from emseg.mixture.family import Real
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

Array = NDArray[np.float64]
ALIKE = 1e-6  # smallest curvature, relative to the largest


@dataclass(frozen=True)
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

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """The state at a starting mixture."""
        state = State(start, problem.e_step(start))
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: State[Mixture], rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """The M-step, then Newton steps on the weights."""
        mixture = problem.m_step(state.expectation.stats, state.mixture)
        if problem.family.tails:
            return self._with_tails(problem, mixture, state.tails if isinstance(state, ECMEState) else None)
        for e_steps in range(1, self.passes + 2):
            new, curvature = _pass(problem, mixture)
            g = new.expectation.stats.n / problem.n
            if e_steps > self.passes or np.log((g / mixture.weights).max()) <= self.slack:
                break
            mixture = replace(mixture, weights=newton(mixture.weights, g, curvature / problem.n))
        return new, exact_info(new, e_steps)

    def _with_tails(self, problem: Problem, mixture: Mixture, known: Tails | None) -> tuple[State[Mixture], Info]:
        """Steps on the weights and ν from the θ of the M-step; the highest point is the next state."""
        best, e_steps, fell = _evaluated(problem, mixture, known), 1, False
        while e_steps <= self.passes and best.gain(problem) > self.slack:
            new = _evaluated(problem, best.plain(problem) if fell else best.ahead(problem), best.tails, best)
            e_steps += 1
            if new.expectation.objective >= best.expectation.objective:
                best, fell = new, False
            elif fell:
                break  # rounding
            else:
                fell = True
        return best, exact_info(best, e_steps)


@dataclass(frozen=True, eq=False)
class ECMEState(State[Mixture]):
    """With the place of ν, and Σ c r rᵀ."""

    tails: Tails
    curvature: Array

    def gain(self, problem: Problem) -> float:
        """About what weights or ν can still add to ℓ, per sample."""
        g = self.expectation.stats.n / problem.n
        return max(float(np.log((g / self.mixture.weights).max())), float(self.tails.residual**2 @ g))

    def ahead(self, problem: Problem) -> Mixture:
        """θ after a Newton step on the weights and a secant step on ν."""
        g = self.expectation.stats.n / problem.n
        weights = newton(self.mixture.weights, g, self.curvature / problem.n)
        return self.tails.ahead(problem, replace(self.mixture, weights=weights))

    def plain(self, problem: Problem) -> Mixture:
        """θ after EM's step of both."""
        stats = self.expectation.stats
        (name,) = problem.family.tails
        return problem.conditional(name, stats, replace(self.mixture, weights=problem.weights(stats)))


def _evaluated(problem: Problem, mixture: Mixture, known: Tails | None, last: ECMEState | None = None) -> ECMEState:
    """The pass at θ, and what it and the last one say of ν."""
    found, curvature = _pass(problem, mixture)
    tails = Tails.at(problem, mixture, found.expectation.stats, known)
    return ECMEState(mixture, found.expectation, tails.learned(last.tails) if last else tails, curvature)


def newton(weights: Array, g: Array, curvature: Array) -> Array:
    """Weights that do not lower ℓ, from g = mean(r), shape (K,), and H = mean(r rᵀ), shape (K, K)."""
    from scipy.optimize import nnls

    values, vectors = np.linalg.eigh(curvature)
    # Like components can hardly be told apart: more curvature than there is only shortens the step between them.
    root = np.sqrt(np.maximum(values, ALIKE * values[-1]))
    s, _ = nnls(root[:, None] * vectors.T, root * vectors.sum(0) + vectors.T @ (g - weights) / root)
    change = s - 1
    new = np.maximum(weights * (1 + change / (1 + max(0.0, -float(change.min())))), EMPTY)
    return np.asarray(new / new.sum())


def _pass(problem: Problem, mixture: Mixture) -> tuple[State[Mixture], Array]:
    """The E-step, and Σ c r rᵀ."""
    found = problem.e_step(mixture, WithProducts())
    return State(mixture, replace(found, entropy=found.log_likelihood - found.complete)), np.asarray(found.products)


@dataclass(frozen=True)
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
