from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.accelerators.trial import trial, trial_at
from emseg.em.variants.em import EM


def test_a_trial_is_the_e_step_where_there_is_a_mixture(overlapping) -> None:
    problem, start = overlapping()
    there = trial_at(EM(), problem, start, start.pack())
    assert there is not None
    direct = problem.e_step(start)
    assert abs(there.expectation.objective - direct.objective) <= direct.rounding
    assert trial_at(EM(), problem, start, np.full(start.pack().size, 1e300)) is None  # squares overflow
    nowhere = replace(start, components=replace(start.components, covariances=np.zeros((3, 2, 2))))
    assert trial(EM(), problem, nowhere) is None
