"""How far a jump may go: as far as the E-step at hand can vouch for.

Q(θ' | θ), the expected complete log-likelihood plus the penalty, is highest at θ' = Φ(θ), and ℓ(θ') + log p(θ') is at
least Q(θ' | θ) plus the entropy of the responsibilities. So by how much Q falls short of its maximum at θ' is how far
θ' goes beyond what is known of ℓ, in units that do not depend on coordinates, data or family: twice the nats of that
are the squared length of the jump in the information of the complete data. A jump beyond so many nats per sample is
shortened. Where it rises even so, the next leash is four times as long, and after a failure shorter again.

Without a leash, early jumps end in other basins now and then, and some of these have lower optima: three of the 148
fits of mclust's by Anderson acceleration, with it none. Q comes from the statistics, and costs no E-step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.accelerators.trial import Base, trial
from emseg.em.algorithm import State
from emseg.em.problem import Problem
from emseg.em.q_function import expected
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
LEASH, LONGEST = 0.005, 0.1  # nats per sample
CHANGE = 4.0
SLACK = 1.05  # of the leash: near enough
HALVINGS = 20


def leashed(
    problem: Problem, state: State[Mixture], mapped: Mixture, origin: Array, aim: Array, leash: float
) -> tuple[float, Mixture]:
    """The share of the way from a point to an aim that a leash allows, in 0…1, and the mixture there.

    Parameters
    ----------
    problem : Problem
        With the prior that the base climbs with.
    state : State
        θ and its E-step.
    mapped : Mixture
        Φ(θ), which maximises Q.
    origin, aim : ndarray, shape (p,)
        Ends of the way, packed.
    leash : float
        Nats per sample.
    """
    stats, most = state.expectation.stats, leash * problem.n
    top = expected(problem, mapped, stats)
    share, there = 1.0, mapped
    for _ in range(HALVINGS):
        with np.errstate(all="ignore"):
            there = mapped.unpack(origin + share * (aim - origin))
            lost = top - expected(problem, there, stats)
        if lost <= SLACK * most:
            return share, there
        share *= float(np.clip(np.sqrt(most / lost), 0.1, 0.9))  # what is lost grows with the square of the way
    return 0.0, mapped


def leap(
    base: Base, problem: Problem, state: State[Mixture], mapped: Mixture, aim: Array | None, leash: float
) -> tuple[State[Mixture] | None, float]:
    """The E-step at an aim, or on the way there from Φ(θ) as far as a leash allows, and the leash if that is accepted.

    The state is None where there is no aim or no mixture at it.
    """
    if aim is None or not np.isfinite(aim).all():
        return None, leash
    image = mapped.pack()
    share, there = leashed(problem.with_prior(base.prior(problem, mapped.k)), state, mapped, image, aim, leash)
    landed = trial(base, problem, there) if share > 0 else None
    return landed, longer(leash) if share < 1 else leash


def longer(leash: float) -> float:
    """The leash after a success at its end."""
    return min(CHANGE * leash, LONGEST)


def shorter(leash: float) -> float:
    """The leash after a failure."""
    return max(leash / CHANGE, LEASH)
