"""Data that several algorithms are tried on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emseg.em.problem import Problem
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

Pose = Callable[..., tuple[Problem, Mixture]]
CENTRES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


@pytest.fixture
def overlapping() -> Pose:
    """Three groups of 150, 100 and 80 samples that overlap, and a start between them."""

    def pose(seed: int = 0, model: str = "full", apart: float = 2.0) -> tuple[Problem, Mixture]:
        rng = np.random.default_rng(seed)
        x = np.concatenate(
            [rng.normal(0, 1, (2, 150)), rng.normal(apart, 1, (2, 100)), rng.normal(-apart, 0.5, (2, 80))], 1
        )
        balls = Gaussian(np.array([[0.0, 0.1], [1, 1], [-1, -1.1]]), np.stack([np.eye(2)] * 3))
        shared = GAUSSIANS[model]
        return Problem(Rows(x, np.ones(330)), shared), Mixture(np.full(3, 1 / 3), balls, shared)

    return pose


@pytest.fixture
def triangle() -> Pose:
    """Three unit balls at the corners of a triangle, and a start near them."""

    def pose(n: int = 600, side: float = 5.0, seed: int = 0, model: str = "full") -> tuple[Problem, Mixture]:
        rng = np.random.default_rng(seed)
        x = side * CENTRES[rng.integers(3, size=n)] + rng.normal(size=(n, 2))
        means = side * CENTRES + 0.5 * rng.normal(size=(3, 2))
        shared = GAUSSIANS[model]
        start = Mixture(np.full(3, 1 / 3), Gaussian(means, np.stack([np.eye(2)] * 3)), shared)
        return Problem(Rows(np.ascontiguousarray(x.T), np.ones(n)), shared, 1e-6), start

    return pose
