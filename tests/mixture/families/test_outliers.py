from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.em.starts.tournament import search
from emseg.errors import UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.outliers import with_outliers
from emseg.mixture.families.poisson import PoissonFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

CENTRES = np.array([[0.0, 0.0], [4.0, 0.0]])


def littered(n: int = 1200, share: float = 0.2) -> np.ndarray:
    """Two unit balls, and samples spread evenly over a box of 40 by 40; (2, N)."""
    rng = np.random.default_rng(0)
    balls = CENTRES[rng.integers(2, size=n)] + rng.normal(size=(n, 2))
    litter = rng.uniform(-20, 20, (round(n * share / (1 - share)), 2))
    return np.ascontiguousarray(np.concatenate([balls, litter]).T)


def posed(x: np.ndarray, model: str = "full") -> tuple[Problem, Mixture]:
    family = with_outliers(GAUSSIANS[model], x)
    balls = Mixture(np.full(2, 0.5), Gaussian(CENTRES + 0.5, np.stack([np.eye(2)] * 2)), GAUSSIANS[model])
    start = Mixture(*family.with_outliers(balls.weights, balls.components), family)
    return Problem(Rows(x, np.ones(x.shape[1])), family, 1e-9), start


def test_the_density_is_that_of_gaussians_beside_a_box() -> None:
    x = littered()
    problem, mixture = posed(x)
    volume = np.prod(x.max(1) - x.min(1))
    parts = mixture.components
    joint = [
        np.log(w) + multivariate_normal(mean, sigma).logpdf(x.T)
        for w, mean, sigma in zip(mixture.weights[:2], parts.means[:2], parts.covariances[:2], strict=True)
    ]
    joint.append(np.full(x.shape[1], np.log(mixture.weights[2] / volume)))
    np.testing.assert_allclose(mixture.log_joint(x), joint)
    assert float(problem.e_step(mixture).log_likelihood) == pytest.approx(logsumexp(joint, axis=0).sum())


def test_outliers_no_longer_drag_the_others() -> None:
    problem, start = posed(littered())
    found = fit(algorithm("em"), problem, start, Stop(1e-9, 2000), np.random.default_rng(0)).mixture
    assert found.weights[2] == pytest.approx(0.2, abs=0.02)
    np.testing.assert_allclose(found.components.means[:2], CENTRES, atol=0.15)
    np.testing.assert_allclose(found.components.covariances[:2], np.stack([np.eye(2)] * 2), atol=0.2)
    plain = Problem(problem.samples, GAUSSIANS["full"], 1e-9)
    dragged = fit(algorithm("em"), plain, start.classes_only(), Stop(1e-9, 2000), np.random.default_rng(0)).mixture
    assert max(np.linalg.det(matrix) for matrix in dragged.components.covariances) > 100


def test_the_search_finds_them_from_nothing() -> None:
    problem, _ = posed(littered())
    found, _ = search(problem, 2, np.random.default_rng(0))
    assert found.k == 3
    order = found.canonical_order()
    assert order[-1] == 2
    np.testing.assert_allclose(found.permuted(order).components.means[:2], CENTRES, atol=0.2)


@pytest.mark.parametrize("variant", [name for name in ALGORITHMS if name != "online"])
def test_every_algorithm_takes_it(variant: str) -> None:
    """To EM's optimum where it climbs the likelihood; near it where labels are hard, drawn or shrunk by a prior."""
    problem, start = posed(littered(), "VEV")
    if variant in {"vb", "px"}:
        with pytest.raises(UsageError, match="noise" if variant == "vb" else "student"):
            fit(algorithm(variant), problem, start, Stop(1e-9, 5), np.random.default_rng(0))
        return
    em, found = (
        fit(algorithm(name), problem, start, Stop(1e-9, 500), np.random.default_rng(0)) for name in ("em", variant)
    )
    off = (em.trace[-1].log_likelihood - found.trace[-1].log_likelihood) / problem.n
    exact = algorithm(variant).monotone and variant not in {"map", "cem"}
    assert -1e-9 <= off < (1e-6 if exact else 0.05)


@pytest.mark.parametrize("model", ["full", "tied", "VEE"])
def test_coordinates_and_parameters_leave_the_noise_out(model: str) -> None:
    x = littered()
    _, mixture = posed(x, model)
    theta = mixture.pack()
    assert theta.size == mixture.n_parameters + 1  # logits count one too many
    assert mixture.n_parameters == mixture.classes_only().n_parameters + 1
    back = mixture.unpack(theta)
    np.testing.assert_allclose(back.weights, mixture.weights)
    np.testing.assert_allclose(back.log_joint(x), mixture.log_joint(x))


def test_moving_the_samples_moves_the_box() -> None:
    x = littered()
    _, mixture = posed(x)
    shift, scale = np.array([3.0, -1.0]), np.array([2.0, 0.5])
    moved = mixture.affine(shift, scale).log_joint(shift[:, None] + scale[:, None] * x)
    np.testing.assert_allclose(moved, mixture.log_joint(x) - np.log(scale).sum())


def test_other_families_have_noise_too() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.poisson(5, 900), rng.poisson(40, 900), rng.integers(0, 2000, 200)])[None].astype(float)
    problem = Problem(Rows(x, np.ones(x.size)), with_outliers(PoissonFamily(), x), 1e-9)
    start, _ = search(problem, 2, rng)
    found = fit(algorithm("em"), problem, start, Stop(1e-9, 500), rng).mixture
    np.testing.assert_allclose(np.sort(found.components.means[:2, 0]), [5, 40], rtol=0.05)
    assert found.weights[2] == pytest.approx(0.1, abs=0.02)


def test_a_box_without_volume_is_refused() -> None:
    with pytest.raises(ValueError, match="same everywhere"):
        with_outliers(GAUSSIANS["full"], np.array([[1.0, 2], [3, 3]]))
