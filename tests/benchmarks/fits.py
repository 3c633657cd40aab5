"""Log-likelihoods of one image, as a script: IMAGE FEATURES K N_INIT. Prints nats per pixel as JSON.

Ours is `emseg.segment` with its defaults; the peers are scikit-learn's two usual initialisations, otherwise with its
defaults, and, if N_INIT is more than 1, the best of that many k-means ones. All mixtures are scored by `score`, on
the same samples: stored values for rgb and gray, scikit-image's conversion for lab.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def samples(path: str, features: str) -> Array:
    """The pixels' features, shape (N, D)."""
    from PIL import Image

    if features == "gray":
        return np.asarray(Image.open(path).convert("L"), np.float64).reshape(-1, 1)
    pixels = np.asarray(Image.open(path).convert("RGB"))
    if features == "rgb":
        return pixels.reshape(-1, 3).astype(np.float64)
    from skimage.color import rgb2lab

    lab: Array = rgb2lab(pixels).reshape(-1, 3)
    return lab


def score(x: Array, weights: Array, means: Array, covariances: Array) -> float:
    """Mean log-density of rows x (N, D) under a normal mixture."""
    joint = np.empty((len(weights), len(x)))
    for row, weight, mean, covariance in zip(joint, weights, means, covariances, strict=True):
        factor = np.linalg.cholesky(covariance)
        whitened = np.linalg.solve(factor, (x - mean).T)
        log_volume = np.log(np.diag(factor)).sum() + 0.5 * x.shape[1] * np.log(2 * np.pi)
        row[:] = np.log(weight) - log_volume - 0.5 * (whitened * whitened).sum(0)
    return float(np.logaddexp.reduce(joint, axis=0).mean())


def main() -> None:
    """Fit everything and print it."""
    path, features, k, n_init = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    from sklearn.mixture import GaussianMixture

    import emseg

    x = samples(path, features)
    found = emseg.segment(path, k=k, features=features)
    said = {
        "emseg": score(x, found.mixture.weights, found.mixture.components.means, found.mixture.components.covariances),
        "reported": found.report["log_likelihood_per_pixel"],
    }
    settings: dict[str, dict[str, Any]] = {"kmeans": {}, "random_from_data": {"init_params": "random_from_data"}}
    if n_init > 1:
        settings["n_init"] = {"n_init": n_init}
    warnings.simplefilter("ignore")  # that 100 iterations were not enough
    for name, setting in settings.items():
        peer = GaussianMixture(k, random_state=0, **setting).fit(x)
        said[name] = score(x, peer.weights_, peer.means_, peer.covariances_)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
