"""Tissues of a volume, as a script: METHOD SOURCE OUTPUT [NAME=VALUE …]. Labels 1, 2, 3, darkest first; 0 outside.

SOURCE is an .npz with `image` and `mask`, (Z, Y, X), and `spacing`. METHOD is one of the functions below; the settings
are theirs. emseg's own job is done in the same way, so that its time too holds what a process takes to start and read.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def emseg(image: Any, mask: Any, spacing: Any, **how: Any) -> Any:
    """This package; k=4 takes what is outside for a class of its own."""
    from types import SimpleNamespace

    import emseg as package

    header = SimpleNamespace(get_zooms=lambda: tuple(spacing[::-1]))
    about = {"volume": image.shape, "nifti": {"header": header}}
    slices = {} if image.shape[2] == 1 else about
    flat = package.Image(image if not slices else image.reshape(-1, image.shape[2], 1), "gray", metadata=slices)
    whole = how.get("k", 3) == 4
    inside = None if whole else mask.reshape(flat.shape).astype(np.uint8)
    labels = package.segment(flat, mask=inside, **{"k": 3, **how}).labels.reshape(image.shape)
    return labels - 1 if whole else labels


def dipy(image: Any, mask: Any, spacing: Any, beta: float = 0.1, whole: bool = False) -> Any:
    """Its HMRF, which wants the background at zero and labels it 0."""
    from dipy.segment.tissue import TissueClassifierHMRF

    values = (image if whole else np.where(mask, image, 0)).astype(np.float32)
    found = TissueClassifierHMRF(verbose=False).classify(values, 3, beta)
    return np.asarray(found[1])


def atropos(image: Any, mask: Any, spacing: Any, beta: float = 0.2) -> Any:
    """Of ANTs, from k-means."""
    import ants

    volume, inside = (ants.from_numpy(array.astype(np.float32), spacing=list(spacing)) for array in (image, mask))
    how = {"i": "kmeans[3]", "m": f"[{beta},1x1x1]", "c": "[20,0]"}
    return ants.atropos(a=volume, x=inside, **how)["segmentation"].numpy()


def sklearn(image: Any, mask: Any, spacing: Any) -> Any:
    """A Gaussian mixture of the values alone."""
    from sklearn.mixture import GaussianMixture

    values = image[mask][:, None].astype(float)
    mixture = GaussianMixture(3, n_init=3, random_state=0).fit(values)
    labels = np.zeros(image.shape, int)
    labels[mask] = 1 + mixture.means_[:, 0].argsort().argsort()[mixture.predict(values)]
    return labels


def _value(text: str) -> Any:
    if text in ("True", "False"):
        return text == "True"
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text


if __name__ == "__main__":
    method, source, output, *settings = sys.argv[1:]
    given = np.load(source)
    arguments = {name: _value(text) for name, _, text in (entry.partition("=") for entry in settings)}
    found = globals()[method](given["image"], given["mask"] > 0, given["spacing"], **arguments)
    np.save(output, np.asarray(found).astype(np.uint8))
