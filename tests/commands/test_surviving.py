"""Variational Bayes empties components that the image does not need; labels and report hold the others."""

from __future__ import annotations

import numpy as np
import pytest

import emseg

Picture = tuple[np.ndarray, np.ndarray]


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_labels_are_those_of_the_components_that_survive(picture: Picture, covariance: str) -> None:
    found = emseg.segment(picture[0], k=8, algorithm="vb", features="rgb", covariance=covariance, max_iter=3000)
    report = found.report
    assert 3 <= report["surviving"] < 8
    assert report["K"] == report["surviving"] == 8 - report["emptied"] == len(report["weights"])
    assert sorted(set(found.labels.ravel())) == list(range(1, report["K"] + 1))
    assert sum(report["weights"]) == pytest.approx(1)
    assert len(report["pixel_counts"]) == len(found.posterior()) == report["K"]
    assert emseg.segment(picture[0], k=3, algorithm="vb").report["emptied"] == 0
