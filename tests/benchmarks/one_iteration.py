"""Cost of one EM iteration on float samples, as a script: WHO D TYPE ROWS. Prints ns per row as JSON.

A million rows in D dimensions: "cloud" is one standard normal, "clusters" are four normals of different shapes, which
EM separates within the iterations measured, so that many densities leave the range of floats. Both sides start from
the same 4 rows, unit covariances and equal weights. Ours: E-step and M-step, CPU time of 10 after 2 to warm up.
scikit-learn: CPU time of a fit with 11 iterations less that of one with 1, over 10, which leaves out its initialisation
and last E-step.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

ROWS, K, ITERATIONS = 1_000_000, 4, 10


def samples(d: int, kind: str) -> NDArray[np.float64]:
    """The rows, shape (N, D)."""
    rng = np.random.default_rng(0)
    if kind == "cloud":
        return rng.standard_normal((ROWS, d))
    shapes = rng.standard_normal((K, d, d)) / np.sqrt(d)
    centres = 1.5 * rng.standard_normal((K, d))
    x = np.concatenate([rng.standard_normal((ROWS // K, d)) @ a + c for a, c in zip(shapes, centres, strict=True)])
    rng.shuffle(x)
    standard: NDArray[np.float64] = (x - x.mean(0)) / x.std(0)
    return standard


def emseg_seconds(x: NDArray[np.floating]) -> float:
    """CPU seconds of one iteration of ours."""
    from emseg.em.problem import Problem
    from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
    from emseg.mixture.mixture import Mixture
    from emseg.mixture.samples import Rows

    d = x.shape[1]
    full = GAUSSIANS["full"]
    problem = Problem(Rows(np.ascontiguousarray(x.T), np.ones(len(x), x.dtype)), full)
    start = Gaussian(x[:K].astype(np.float64), np.broadcast_to(np.eye(d), (K, d, d)))
    mixture = Mixture(np.full(K, 1 / K), start, full)

    def iterate(times: int) -> None:
        nonlocal mixture
        for _ in range(times):
            mixture = problem.m_step(problem.e_step(mixture).stats)

    iterate(2)
    return cpu_seconds(lambda: iterate(ITERATIONS)) / ITERATIONS


def sklearn_seconds(x: NDArray[np.floating]) -> float:
    """CPU seconds of one iteration of scikit-learn's."""
    from sklearn.mixture import GaussianMixture

    warnings.simplefilter("ignore")  # that it has not converged
    start = {
        "weights_init": np.full(K, 1 / K),
        "means_init": x[:K],
        "precisions_init": np.array([np.eye(x.shape[1])] * K),
    }

    def fit(iterations: int) -> None:
        GaussianMixture(
            K, tol=0, max_iter=iterations, init_params="random_from_data", random_state=0, **start
        ).fit(x)  # fmt: skip

    fit(1)
    once = cpu_seconds(lambda: fit(1))
    return (cpu_seconds(lambda: fit(1 + ITERATIONS)) - once) / ITERATIONS


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    who, d, dtype, kind = sys.argv[1:]
    rows = samples(int(d), kind).astype(dtype)
    print(json.dumps({"ns": 1e9 / ROWS * {"emseg": emseg_seconds, "sklearn": sklearn_seconds}[who](rows)}))
