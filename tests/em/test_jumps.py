"""Accelerators guard their jumps: wherever one lands, the fit goes on from EM's own point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from emseg.em.anderson import Anderson
from emseg.em.convergence import Status, Stop
from emseg.em.em import EM
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.squarem import Squarem
from emseg.mixture.gaussian import GAUSSIANS, Gaussian
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
    """Adds a vector to every correction."""

    by: float = 0.0

    def _correction(self, points: tuple[np.ndarray, ...], residuals: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.full(points[0].shape, self.by) * np.where(np.arange(points[0].size) % 2, 1, -1)


@pytest.mark.parametrize("by", [3.0, 60.0, 500.0, 2e3, np.nan])
def test_a_bad_anderson_jump_is_replaced_by_em(by: float) -> None:
    problem, start = posed()
    found = fit(Reckless(by=by), problem, start, Stop(0, 20), np.random.default_rng(0))
    plain = fit(EM(), problem, start, Stop(0, 20), np.random.default_rng(0))
    assert found.status is Status.MAX_ITER
    assert [row.objective for row in found.trace] == pytest.approx([row.objective for row in plain.trace], rel=1e-12)
    assert found.trace[-1].e_steps == 1 + 20 + 4  # steps 2, 8, 14 and 20 try to jump; the others fill the memory


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


def test_acceleration_saves_e_steps() -> None:
    problem, start = posed()
    used = {
        name: fit(algorithm, problem, start, Stop(1e-9, 5000), np.random.default_rng(0)).trace[-1].e_steps
        for name, algorithm in {"em": EM(), "anderson": Anderson(), "squarem": Squarem()}.items()
    }
    assert used["anderson"] < used["em"] / 2
    assert used["squarem"] < used["em"] / 2
