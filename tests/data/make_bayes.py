"""Write bayes.json beside this file: what scikit-learn's BayesianGaussianMixture makes of the data of sklearn.json.

usage: python tests/data/make_bayes.py        (needs scikit-learn, which the tests do not)

Both sides start from the same responsibilities: those of equal weights, unit covariances and the given means. Only full
covariances are compared; for the others scikit-learn simplifies the Wishart densities.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture

ITERATIONS = {"1": (1, 0.0), "5": (5, 0.0), "converged": (20_000, 1e-15)}
PRIORS = (
    {"alpha": 0.001, "shrinkage": 0.01, "dof": 2.0, "scale": 1.0},
    {"alpha": 0.5, "shrinkage": 1.0, "dof": 0.0, "scale": 0.2},
    {"alpha": 10.0, "shrinkage": 5.0, "dof": 12.5, "scale": 3.0},
)


class FromMeans(BayesianGaussianMixture):
    """Starts from responsibilities that given means imply."""

    start: np.ndarray

    def _initialize_parameters(self, X: np.ndarray, *_: object, **__: object) -> None:
        distance = ((X[:, None] - self.start) ** 2).sum(-1)
        r = np.exp((distance.min(1, keepdims=True) - distance) / 2)
        self._initialize(X, r / r.sum(1, keepdims=True))


def run(x: np.ndarray, means: np.ndarray, prior: dict[str, float], iterations: str) -> dict[str, object]:
    """Parameters of q after some iterations."""
    d = x.shape[1]
    max_iter, tol = ITERATIONS[iterations]
    mixture = FromMeans(
        n_components=len(means),
        reg_covar=0.0,
        tol=tol,
        max_iter=max_iter,
        weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=prior["alpha"],
        mean_precision_prior=prior["shrinkage"],
        degrees_of_freedom_prior=d + prior["dof"],
        covariance_prior=prior["scale"] * np.cov(x.T, bias=True).reshape(d, d),
    )
    mixture.start = means
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(x)
    return {
        "steps": mixture.n_iter_,
        "weights": mixture.weights_.tolist(),
        "means": mixture.means_.tolist(),
        "covariances": mixture.covariances_.tolist(),
    }


def main() -> None:
    """Write the file."""
    sets = json.loads(Path(__file__).with_name("sklearn.json").read_text("utf-8"))["data"]
    runs = [
        {"data": name, "prior": prior, "iterations": iterations}
        | run(np.array(data["x"]), np.array(data["means"]), prior, iterations)
        for name, data in sets.items()
        for prior in PRIORS
        for iterations in ITERATIONS
    ]
    text = json.dumps({"version": sklearn.__version__, "runs": runs}, separators=(",", ":"))
    Path(__file__).with_name("bayes.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
