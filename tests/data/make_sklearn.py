"""Write sklearn.json beside this file: what scikit-learn's GaussianMixture makes of small data sets from given starts.

usage: python tests/data/make_sklearn.py        (needs scikit-learn, which the tests do not)

Every number of the data and of the starts is a short decimal, so that both sides read the very same one. The penalty
of emseg and scikit-learn's reg_covar are the same thing where one matrix is shared, so only `tied` is run with a floor.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

MODELS = ("full", "tied", "diag", "spherical")
ITERATIONS = {"1": (1, 0.0), "5": (5, 0.0), "converged": (100_000, 1e-15)}
SHAPES = {"1-D": (1, 400, 2), "3-D": (3, 400, 3), "5-D": (5, 250, 3)}  # D, N, K
APART = 4.0  # distance between neighbouring centres, along the diagonal


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Samples (N, D) of K overlapping, correlated components of unequal size, and K distinct starting means."""
    d, n, k = SHAPES[name]
    rng = np.random.default_rng(d)
    centres = APART * np.arange(k)[:, None] / np.sqrt(d) + 0.3 * rng.normal(size=(k, d))
    label = rng.choice(k, n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    shapes = np.eye(d) + 0.25 * rng.normal(size=(k, d, d))
    x = centres[label] + np.einsum("nij,nj->ni", shapes[label], rng.normal(size=(n, d)))
    return x.round(2), (centres + 0.5 * rng.normal(size=(k, d))).round(2)


def run(x: np.ndarray, means: np.ndarray, model: str, reg_covar: float, iterations: str) -> dict[str, object]:
    """Parameters and log-likelihood after some iterations from equal weights, unit covariances and these means."""
    k, d = means.shape
    start = {"full": np.stack([np.eye(d)] * k), "tied": np.eye(d), "diag": np.ones((k, d)), "spherical": np.ones(k)}
    max_iter, tol = ITERATIONS[iterations]
    mixture = GaussianMixture(
        k,
        covariance_type=model,
        reg_covar=reg_covar,
        tol=tol,
        max_iter=max_iter,
        init_params="random",
        random_state=0,
        weights_init=np.full(k, 1 / k),
        means_init=means,
        precisions_init=start[model],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(x)
    found = np.asarray(mixture.covariances_)
    covariances = {
        "full": lambda: found,
        "tied": lambda: np.stack([found] * k),
        "diag": lambda: found[:, :, None] * np.eye(d),
        "spherical": lambda: found[:, None, None] * np.eye(d),
    }[model]()
    return {
        "steps": mixture.n_iter_,
        "weights": mixture.weights_.tolist(),
        "means": mixture.means_.tolist(),
        "covariances": covariances.tolist(),
        "log_likelihood": float(mixture.score(x)) * len(x),
    }


def main() -> None:
    """Write the file."""
    sets, runs = {}, []
    for name in SHAPES:
        x, means = data(name)
        sets[name] = {"x": x.tolist(), "means": means.tolist()}
        for model, reg_covar in [*((model, 0.0) for model in MODELS), ("tied", 0.05)]:
            for iterations in ITERATIONS:
                case = {"data": name, "covariance": model, "floor": reg_covar, "iterations": iterations}
                runs.append(case | run(x, means, model, reg_covar, iterations))
    text = json.dumps({"version": sklearn.__version__, "data": sets, "runs": runs}, separators=(",", ":"))
    Path(__file__).with_name("sklearn.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
