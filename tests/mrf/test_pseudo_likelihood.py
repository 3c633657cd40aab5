"""The pseudo-likelihood of an image, against its definition pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from emseg.em.convergence import Status
from emseg.em.problem import Problem
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mrf.emission import Emission
from emseg.mrf.fit import FieldFit
from emseg.mrf.lattice import build_lattice
from emseg.mrf.potts import haloed_labels
from emseg.mrf.pseudo_likelihood import pseudo_log_likelihood


@pytest.mark.parametrize("beta", [0.0, 0.8])
def test_it_is_its_definition(beta: float) -> None:
    rng = np.random.default_rng(0)
    x, valid, means = rng.normal(size=(7, 9)), rng.random((7, 9)) < 0.9, np.array([-1.0, 0.2, 1.5])
    q = rng.dirichlet(np.ones(3), (7, 9)) * valid[..., None]
    expected = 0.0
    for i, j in np.argwhere(valid):
        around = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
        votes = sum((q[a, b] for a, b in around if 0 <= a < 7 and 0 <= b < 9), np.zeros(3))
        expected += logsumexp(beta * votes + norm.logpdf(x[i, j], means)) - logsumexp(beta * votes)
    mixture = Mixture(np.full(3, 1 / 3), Gaussian(means[:, None], np.ones((3, 1, 1))), GAUSSIANS["full"])
    problem = Problem(Rows(x.reshape(1, -1), np.ones(x.size)), GAUSSIANS["full"])
    lattice = build_lattice(x.shape, 4, valid=valid)
    emission = Emission(problem, lattice, np.arange(x.size).reshape(x.shape))
    cells = lattice.split(np.moveaxis(q, 2, 0).astype(np.float32))
    labels = haloed_labels(lattice, lattice.split(np.zeros(x.shape, np.uint8)))
    fit = FieldFit(mixture, beta, cells, labels, (beta,), 1, Status.SETTLED)
    assert pseudo_log_likelihood(emission, fit) == pytest.approx(expected, rel=1e-5)
