"""Accelerators guard their jumps: wherever one lands, the fit goes on from EM's own point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from emseg.em.accelerators import step_limit
from emseg.em.accelerators.aitken import Aitken
from emseg.em.accelerators.anderson import Anderson
from emseg.em.accelerators.squarem import Squarem
from emseg.em.convergence import Status, Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.q_function import q_value
from emseg.em.variants.em import EM
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows


def posed() -> tuple[Problem, Mixture]:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (2, 150)), rng.normal(2, 1, (2, 150))], axis=1)
    balls = Gaussian(np.array([[0.0, 0], [1, 1]]), np.stack([np.eye(2)] * 2))
    start = Mixture(np.full(2, 0.5), balls, GAUSSIANS["full"])
    return Problem(Rows(x, np.ones(300)), start.family), start


@dataclass(frozen=True)
class Reckless(Anderson):
    """Adds a vector to every jump's aim."""

    by: float = 0.0

    def _aim(self, points: tuple[np.ndarray, ...], images: tuple[np.ndarray, ...], damping: float) -> np.ndarray:
        return images[-1] + self.by * np.where(np.arange(points[0].size) % 2, -1, 1)


def without_limit(problem: Problem, state: Any, mapped: Mixture, origin: Any, aim: np.ndarray, length: float) -> Any:
    with np.errstate(all="ignore"):
        return 1.0, mapped.unpack(aim)


@pytest.mark.parametrize("by", [3.0, 60.0, 500.0, 2e3, np.nan])
def test_a_bad_anderson_jump_is_replaced_by_em(by: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_limit, "within_limit", without_limit)
    problem, start = posed()
    found = fit(Reckless(by=by), problem, start, Stop(0, 20), np.random.default_rng(0))
    plain = fit(EM(), problem, start, Stop(0, 20), np.random.default_rng(0))
    assert found.status is Status.MAX_ITER
    assert [row.objective for row in found.trace] == pytest.approx([row.objective for row in plain.trace], rel=1e-12)
    assert found.trace[-1].e_steps == 1 + 20 + 19  # every step but the first tries to jump


@pytest.mark.parametrize("variance", [0.0, np.nan])
@pytest.mark.parametrize("algorithm", [Anderson(), Squarem()], ids=["anderson", "squarem"])
def test_a_jump_to_no_mixture_is_replaced_by_em(
    algorithm: Anderson | Squarem, variance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, start = posed()
    plain = fit(EM(), problem, start, Stop(0, 12), np.random.default_rng(0))

    def singular(self: Mixture, theta: np.ndarray) -> Mixture:
        return Mixture(self.weights, Gaussian(self.components.means, np.full((2, 2, 2), variance)), self.family)

    monkeypatch.setattr(Mixture, "unpack", singular)
    found = fit(algorithm, problem, start, Stop(0, 6), np.random.default_rng(0))
    assert found.status is Status.MAX_ITER
    stride = 2 if isinstance(algorithm, Squarem) else 1
    expected = [row.objective for row in plain.trace[::stride]][:7]
    assert [row.objective for row in found.trace] == pytest.approx(expected, rel=1e-12)


def test_a_limit_ends_where_the_expected_likelihood_has_fallen_by_it() -> None:
    problem, start = posed()
    state = EM().evaluate(problem, start)
    mapped = EM().update(problem, state)
    image, far = mapped.pack(), 5 * np.where(np.arange(mapped.pack().size) % 2, 1, -1)
    lost = []
    for length in (1e-4, 1e-2):
        share, there = step_limit.within_limit(problem, state, mapped, image, image + far, length)
        assert there.pack() == pytest.approx(image + share * far)
        ends = (mapped, mapped.unpack(image + share * far))
        top, end = (q_value(problem, mixture, state.expectation.stats) for mixture in ends)
        lost.append((top - end) / problem.n)
        assert 0.1 * length < lost[-1] <= 1.05 * length
        assert step_limit.within_limit(problem, state, mapped, image, image + share * far, length)[0] == 1
    assert lost[0] < lost[1]


@pytest.mark.parametrize("algorithm", [Anderson(), Aitken(), Squarem()], ids=["anderson", "aitken", "squarem"])
def test_jumps_are_limited_and_success_raises_the_limit(algorithm: Anderson, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, start = posed()
    lengths: list[float] = []

    def note(*arguments: Any) -> tuple[float, Mixture]:
        lengths.append(arguments[-1])
        return within_limit(*arguments)

    within_limit = step_limit.within_limit
    monkeypatch.setattr(step_limit, "within_limit", note)
    fit(algorithm, problem, start, Stop(1e-9, 200), np.random.default_rng(0))
    assert lengths[0] == step_limit.FIRST_LIMIT
    assert set(lengths) <= {
        step_limit.FIRST_LIMIT,
        4 * step_limit.FIRST_LIMIT,
        16 * step_limit.FIRST_LIMIT,
        step_limit.LARGEST_LIMIT,
        step_limit.LARGEST_LIMIT / 4,
    }


def test_acceleration_saves_e_steps() -> None:
    problem, start = posed()
    used = {
        name: fit(algorithm, problem, start, Stop(1e-9, 5000), np.random.default_rng(0)).trace[-1].e_steps
        for name, algorithm in {"em": EM(), "anderson": Anderson(), "squarem": Squarem()}.items()
    }
    assert used["anderson"] < used["em"] / 2
    assert used["squarem"] < used["em"] / 2
