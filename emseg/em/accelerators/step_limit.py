"""How far a jump may go: as far as the E-step at hand can vouch for.

Q(θ' | θ), the expected complete log-likelihood plus the penalty, is highest at θ' = Φ(θ). ℓ(θ') + log p(θ') is at least
Q(θ' | θ) plus the entropy of the responsibilities. So the fall of Q from its maximum to its value at θ' says how far θ'
goes beyond what is known of ℓ, in units that do not depend on coordinates, data or family: twice that fall, in nats, is
the squared length of the jump in the information of the complete data.

A jump that falls by more nats per sample than the step limit is shortened. Where a shortened jump rises even so, the
next limit is four times as large; after a failure it is smaller again. Without a limit, early jumps end in other basins
now and then, and some of these have lower optima: in three of the 148 fits of mclust's by Anderson acceleration, and
with the limit in none. Q comes from the statistics, and costs no E-step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.accelerators.trial import Base, trial
from emseg.em.algorithm import State
from emseg.em.problem import Problem
from emseg.em.q_function import q_value
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
#: Nats per sample, at first and at most. With these, all 148 fits of mclust's end where EM's do, or higher.
FIRST_LIMIT, LARGEST_LIMIT = 0.005, 0.1
FACTOR = 4.0  # on the limit after a success, and one over it after a failure, as for SQUAREM's steplength
NEAR_ENOUGH = 1.05  # times the limit: a jump that falls by no more than this is not shortened further
ATTEMPTS = 20  # to shorten a jump; each takes off a tenth at least


def within_limit(
    problem: Problem, state: State[Mixture], mapped: Mixture, origin: Array, aim: Array, limit: float
) -> tuple[float, Mixture]:
    """The share of the way from a point to an aim that a limit allows, in 0…1, and the mixture there.

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
    limit : float
        Nats per sample.
    """
    stats, most = state.expectation.stats, limit * problem.n
    top = q_value(problem, mapped, stats)
    share, there = 1.0, mapped
    for _ in range(ATTEMPTS):
        with np.errstate(all="ignore"):
            there = mapped.unpack(origin + share * (aim - origin))
            fall = top - q_value(problem, there, stats)
        if fall <= NEAR_ENOUGH * most:
            return share, there
        share *= float(np.clip(np.sqrt(most / fall), 0.1, 0.9))  # the fall grows with the square of the way
    return 0.0, mapped


def limited_jump(
    base: Base, problem: Problem, state: State[Mixture], mapped: Mixture, aim: Array | None, limit: float
) -> tuple[State[Mixture] | None, float]:
    """The E-step at an aim, or on the way there from Φ(θ) as far as a limit allows; and the limit if that is accepted.

    The state is None where there is no aim or no mixture at it.
    """
    if aim is None or not np.isfinite(aim).all():
        return None, limit
    image = mapped.pack()
    climbed = problem.with_prior(base.prior(problem, mapped.k))
    share, there = within_limit(climbed, state, mapped, image, aim, limit)
    found = trial(base, problem, there) if share > 0 else None
    return found, raised(limit) if share < 1 else limit


def raised(limit: float) -> float:
    """The limit after a success at its end."""
    return min(FACTOR * limit, LARGEST_LIMIT)


def lowered(limit: float) -> float:
    """The limit after a failure."""
    return max(limit / FACTOR, FIRST_LIMIT)
