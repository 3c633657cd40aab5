"""The Student family, against scipy's densities, integration over the hidden weights, and nudges of the optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import gammaln, psi

from emseg.mixture.conjugate_prior import NormalInverseWishart
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import RANGE, START, Student, StudentFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats

pytestmark = pytest.mark.long

K, D, N = 3, 2, 60
DOFS: tuple[Any, ...] = ("each", "common", 4.0)
MODELS = ("full", "diag", "EII", "EEE", "VEI", "EVE", "VEV")


def of(model: str = "full", dof: str | float = "each") -> StudentFamily:
    family = family_of("student", model, dof)
    assert isinstance(family, StudentFamily)
    return family


def components(rng: np.random.Generator, family: StudentFamily, k: int = K, d: int = D) -> Student:
    factor = rng.normal(size=(k, d, d))
    any_ = Student(rng.normal(size=(k, d)), factor @ np.swapaxes(factor, 1, 2) + np.eye(d), rng.uniform(2, 20, k))
    return family.constrained(np.full(k, 1 / k), any_)


def posterior(rng: np.random.Generator, family: StudentFamily, x: np.ndarray) -> Stats:
    """Statistics of an E-step at some mixture."""
    mixture = Mixture(np.full(K, 1 / K), components(rng, family), family)
    t, link = family.statistics(x), mixture.link()
    found = link.gather(rng.dirichlet(np.ones(K), x.shape[1]).T, link.eta @ t, t)
    return Stats(found[:, 0].copy(), found)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("model", ["full", "diag"])
def test_the_density_is_scipys(d: int, model: str) -> None:
    rng = np.random.default_rng(d)
    family = of(model)
    parts, x, weights = components(rng, family, d=d), 3 * rng.normal(size=(d, N)), rng.dirichlet(np.ones(K))
    expected = [
        np.log(weight) + stats.multivariate_t(mean, scale, df=nu).logpdf(x.T)
        for weight, mean, scale, nu in zip(weights, parts.means, parts.scales, parts.dof, strict=True)
    ]
    np.testing.assert_allclose(Mixture(weights, parts, family).log_joint(x), expected, rtol=1e-12, atol=1e-12)


def test_weights_of_many_degrees_of_freedom_leave_a_normal_density() -> None:
    family = of("full", 1e7)
    parts = family.constrained(np.ones(1), Student(np.array([[1.0, 2]]), np.array([[[2.0, 1], [1, 3]]]), np.ones(1)))
    x = 3 * np.random.default_rng(0).normal(size=(2, N))
    expected = stats.multivariate_normal(parts.means[0], parts.scales[0]).logpdf(x.T)
    np.testing.assert_allclose(Mixture(np.ones(1), parts, family).log_joint(x)[0], expected, rtol=1e-4)


def test_eta_is_that_of_the_complete_data_and_the_weights_are_integrated_out() -> None:
    """f(x) = ∫ exp(η · T(x, u)) u^(D/2 - 1) du, and the E-step's T is its expectation given x, by quadrature."""
    rng = np.random.default_rng(0)
    family = of()
    parts, x = components(rng, family, 1), np.array([[0.3], [2.0]])
    mixture = Mixture(np.ones(1), parts, family)
    t, link, eta = family.statistics(x)[:, 0], mixture.link(), family.natural(parts)[0]
    gathered = link.gather(np.ones((1, 1)), link.eta @ t[:, None], t[:, None])[0]

    def density(u: float, weight: Any) -> float:
        full = np.concatenate([[1.0], u * t, [np.log(u) - u]])
        return float(np.exp(eta @ full) * u ** (D / 2 - 1) * weight(full))

    total = integrate.quad(density, 0, 60, (lambda full: 1.0,), epsabs=1e-12)[0]
    assert np.log(total) == pytest.approx(mixture.log_joint(x)[0, 0], rel=1e-8)
    for place in range(gathered.size):
        mean = integrate.quad(density, 0, 60, (lambda full, place=place: full[place],), epsabs=1e-12)[0] / total
        assert gathered[place] == pytest.approx(mean, rel=1e-7)


@pytest.mark.parametrize("dof", DOFS)
@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_every_vector_is_a_set_of_components(model: str, dof: str | float, seed: int) -> None:
    family, rng = of(model, dof), np.random.default_rng(seed)
    parts = components(rng, family)
    theta = family.pack(parts)
    assert theta.size == family.n_parameters(K, D)
    np.testing.assert_allclose(family.pack(family.unpack(theta, K, D)), theta, rtol=1e-7, atol=1e-9)
    # Condition numbers stay far below 1e16, from which rounding makes matrices indefinite.
    wild = family.unpack(theta + rng.normal(size=theta.size), K, D)
    assert np.isfinite(family.natural(wild)).all()
    wild = family.unpack(theta + 20, K, D)
    assert ((wild.dof >= RANGE[0]) & (wild.dof <= RANGE[1])).all()


PRIOR = NormalInverseWishart(
    mean=np.array([0.5, -0.5]), scale=np.array([[1.0, 0.2], [0.2, 2.0]]), dof=5.0, shrinkage=0.3
)


@pytest.mark.parametrize("prior", [None, PRIOR])
@pytest.mark.parametrize("dof", DOFS)
@pytest.mark.parametrize("model", MODELS)
def test_the_m_step_is_a_maximum_and_so_is_each_conditional_one(model: str, dof: str | float, prior: Any) -> None:
    """No nudge raises Q = η · t + log p."""
    rng = np.random.default_rng(1)
    family = of(model, dof)
    if prior and not family.normal.products:
        prior = replace(prior, scale=np.diag(np.diag(prior.scale)))
    found, start, psi_ = posterior(rng, family, 2 * rng.normal(size=(D, N))), components(rng, family), 0.3

    def value(parts: Student) -> float:
        eta, log_prior = family.scores(parts, psi_, prior)
        return float((eta * found.t).sum() + log_prior)

    best = family.m_projection(found, psi_, D, start, prior)
    theta, most = family.pack(best), value(best)
    for _ in range(40):
        assert value(family.unpack(theta + 0.03 * rng.normal(size=theta.size), K, D)) <= most
    assert value(start) < most
    last = value(start)
    for part in family.free:
        new = family.conditional(part, found, start, psi_, prior)
        for other in set(Student.parts()) - {part}:
            np.testing.assert_array_equal(getattr(new, other), getattr(start, other))
        assert (
            value(new)
            >= last - 8 * np.finfo(np.float64).eps * np.abs(family.scores(new, psi_, prior)[0] * found.t).sum()
        )
        start, last = new, value(new)


def test_nu_solves_its_equation() -> None:
    """log(ν/2) - ψ(ν/2) + 1 + Σ r (log u - u) / n = 0, over one component or all."""
    rng = np.random.default_rng(2)
    x = rng.standard_t(3, (D, 400))
    for dof in ("each", "common"):
        family = of("full", dof)
        found = posterior(rng, family, x)
        nu = family.m_projection(found, 0.0, D).dof
        n, s = (found.n, found.t[:, -1]) if dof == "each" else (found.n.sum(), found.t[:, -1].sum())
        np.testing.assert_allclose(np.log(nu / 2) - psi(nu / 2) + 1 + s / n, 0, atol=1e-12)
    assert len(set(nu)) == 1
    for s, end in ((-1e9, RANGE[0]), (-1.0, RANGE[1]), (0.0, RANGE[1])):
        t = found.t.copy()
        t[:, -1] = s * found.n
        np.testing.assert_allclose(family.m_projection(Stats(found.n, t), 0.0, D).dof, end, rtol=1e-9)


def test_statistics_of_labels_lead_to_moments_and_a_moderate_nu() -> None:
    x = np.random.default_rng(3).normal(size=(D, N))
    family = of()
    found = family.m_projection(family.completed(family.statistics(x).sum(1)[None]), 0.0, D)
    np.testing.assert_allclose(found.means[0], x.mean(1))
    np.testing.assert_allclose(found.scales[0], np.cov(x, bias=True))
    np.testing.assert_allclose(found.dof, START)


def test_covariances_are_infinite_for_heavy_tails() -> None:
    scales = np.stack([np.array([[2.0, 0], [0, 1]])] * 3)
    found = Student(np.zeros((3, 2)), scales, np.array([4.0, 2.0, 1.0])).covariances
    np.testing.assert_allclose(found[0], 2 * scales[0])
    assert np.isinf(found[1:]).all()


def test_moving_the_samples_moves_the_density() -> None:
    rng = np.random.default_rng(4)
    family = of()
    mixture = Mixture(np.full(K, 1 / K), components(rng, family), family)
    shift, scale, x = rng.normal(size=D), rng.uniform(0.5, 2, D), rng.normal(size=(D, N))
    moved = mixture.affine(shift, scale).log_joint(shift[:, None] + scale[:, None] * x)
    np.testing.assert_allclose(moved + np.log(scale).sum(), mixture.log_joint(x), rtol=1e-11)


def test_parameters_that_make_no_sense_are_refused() -> None:
    fine = Student(np.zeros((2, 2)), np.stack([np.eye(2)] * 2), np.ones(2))
    fine.check()
    for bad, reason in (
        (Student(fine.means, -fine.scales, fine.dof), "scales are not positive"),
        (Student(fine.means, fine.scales, np.array([1.0, 0])), "dof must be above 0"),
        (Student(fine.means, fine.scales, np.ones(3)), "shapes"),
    ):
        with pytest.raises(ValueError, match=reason):
            bad.check()


def test_single_precision_is_as_good_as_can_be() -> None:
    rng = np.random.default_rng(5)
    family = of()
    mixture = Mixture(np.full(K, 1 / K), components(rng, family), family)
    x, counts = rng.normal(size=(D, N)), rng.dirichlet(np.ones(K), N).T
    found = []
    for kind in (np.float64, np.float32):
        t, link = family.statistics(x.astype(kind)), mixture.link()
        forms = link.eta.astype(kind) @ t
        joint = forms.copy()
        link.log_joint(joint, t)
        assert joint.dtype == kind
        found.append((joint, link.gather(counts.astype(kind), forms, t)))
    for double, single in zip(*found, strict=True):
        np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", ["full", "diag", "VEV"])
def test_what_is_missing_is_expected(model: str) -> None:
    """E[u x xᵀ | x_o] and the rest, from weights drawn given x_o and then values drawn given both."""
    rng = np.random.default_rng(6)
    family, d, seen = of(model), 3, np.array([0, 2])
    whole = components(rng, family, 1, d)
    x = rng.normal(size=(2, 1))
    margin = family.marginal_family(seen)
    mixture = Mixture(np.ones(1), family.marginal(whole, seen), margin)
    t, link = margin.statistics(x), mixture.link()
    gathered = link.gather(np.ones((1, 1)), link.eta @ t, t)
    lifted = family.lift(Stats(gathered[:, 0].copy(), gathered), whole, seen).t[0]
    mean, scale, nu = whole.means[0], whole.scales[0], whole.dof[0]
    offset = x[:, 0] - mean[seen]
    across = np.linalg.solve(scale[np.ix_(seen, seen)], scale[seen, 1])
    delta = offset @ np.linalg.solve(scale[np.ix_(seen, seen)], offset)
    u = rng.gamma((nu + 2) / 2, 2 / (nu + delta), 400_000)
    left = scale[1, 1] - across @ scale[seen, 1]
    drawn = np.stack([x[0].repeat(u.size), mean[1] + across @ offset + rng.normal(size=u.size) * (left / u) ** 0.5,
                      x[1].repeat(u.size)])  # fmt: skip
    expected = np.concatenate([[1], (u * family.statistics(drawn)).mean(1), [(np.log(u) - u).mean()]])
    np.testing.assert_allclose(lifted, expected, rtol=0.01, atol=0.01)


def test_names_of_all_covariance_models_are_families_and_count_their_parameters() -> None:
    for name in COVARIANCES:
        normal = family_of("gaussian", name).n_parameters(K, D)
        assert [of(name, dof).n_parameters(K, D) - normal for dof in DOFS] == [K, 1, 0]
        assert of(name).shared == (("scales",) if "E" in COVARIANCES[name].letters else ())
    assert of("full", "common").shared == ("dof",)


def test_the_constant_is_that_of_the_complete_density() -> None:
    """-½(D log 2π + log|Σ|) + ½ν log ½ν - log Γ(½ν), and ½ν for log u - u."""
    parts = Student(np.zeros((1, 1)), np.array([[[4.0]]]), np.array([6.0]))
    eta = of().natural(parts)[0]
    assert eta[0] == pytest.approx(-0.5 * np.log(2 * np.pi * 4) + 3 * np.log(3) - gammaln(3))
    np.testing.assert_allclose(eta[1:], [0, 0, -1 / 8, 3])
    assert isinstance(parts.gaussian, Gaussian)
