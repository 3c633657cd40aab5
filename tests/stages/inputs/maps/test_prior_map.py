"""`--prior-map`: pages decide where values do not, and must match."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

import emseg
from emseg.errors import ImageError, UsageError

pytestmark = pytest.mark.long

Z = np.zeros((40, 50), int)
Z[:, 25:] = 1
Z[10:30, 15:35] = 2
MEANS = np.array([100.0, 160.0, 100.0])  # classes 0 and 2 look the same


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_pages_tell_apart_what_looks_the_same(tmp_path: Path, suffix: str) -> None:
    image = np.random.default_rng(0).normal(MEANS[Z], 8)
    inner = np.zeros(Z.shape, bool)
    inner[8:32, 13:37] = True
    pages = np.stack([np.where(inner, 0.1, 0.5), np.full(Z.shape, 0.4), np.where(inner, 0.5, 0.0)]).astype(np.float32)
    path = tmp_path / f"atlas{suffix}"
    np.save(path, 8 * pages) if suffix == ".npy" else tifffile.imwrite(path, pages, photometric="minisblack")
    found = emseg.segment(image, k=3, mrf="auto", prior_map=str(path))
    assert (found.labels == Z + 1).mean() > 0.93
    np.testing.assert_allclose(found.mixture.components.means.ravel(), MEANS, atol=4)


def test_maps_must_match(tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(MEANS[Z], 8)

    def attempt(pages: np.ndarray, **how: object) -> None:
        np.save(tmp_path / "atlas.npy", pages)
        emseg.segment(image, **({"k": 3, "mrf": "icm", "prior_map": str(tmp_path / "atlas.npy")} | how))

    with pytest.raises(UsageError, match="give a page of 50 × 40 pixels for each of k=3"):
        attempt(np.ones((2, 40, 50)))
    with pytest.raises(UsageError, match="give a page of 50 × 40 pixels"):
        attempt(np.ones((3, 40, 51)))
    with pytest.raises(ImageError, match="give probabilities"):
        attempt(-np.ones((3, 40, 50)))
    (tmp_path / "bad.tif").write_bytes(b"II*no")
    with pytest.raises(ImageError, match=r"bad\.tif: cannot be read as planes"):
        emseg.segment(image, k=3, mrf="icm", prior_map=str(tmp_path / "bad.tif"))


def test_without_a_field_the_prior_takes_the_place_of_weights(tmp_path: Path) -> None:
    """Known parameters: with the classes far apart in most places, the posterior is Bayes' rule at each pixel."""
    rng = np.random.default_rng(0)
    prior = np.stack([np.full(Z.shape, 0.9), np.full(Z.shape, 0.1)])
    prior[:, :, 25:] = prior[::-1, :, 25:]
    z = (rng.random(Z.shape) < prior[1]).astype(int)
    image = rng.normal(np.array([100.0, 130.0])[z], 12)
    np.save(tmp_path / "atlas.npy", prior)
    found = emseg.segment(image, k=2, prior_map=str(tmp_path / "atlas.npy"))
    means, variances = found.mixture.components.means.ravel(), found.mixture.components.covariances.ravel()
    np.testing.assert_allclose(means, [100, 130], atol=2)
    density = np.exp(-0.5 * (image - means[:, None, None]) ** 2 / variances[:, None, None])
    density *= prior / np.sqrt(variances)[:, None, None]
    np.testing.assert_allclose(found.posterior(), density / density.sum(0), atol=2e-3)


def test_a_prior_that_says_nothing_gets_a_line() -> None:
    image = np.random.default_rng(0).normal(100 + 60 * (Z > 0), 12)
    some = np.ones((2, *Z.shape))
    some[:, :3, :5] = 0
    for prior, line in (
        (0 * some, "the prior map is 0 everywhere, and so says nothing of the classes; leave out prior_map"),
        (some, "prior_map is 0 for all classes in 15 pixels, where it says nothing of them"),
    ):
        assert emseg.segment(image, k=2, prior_map=prior).report["warnings"] == [line]
    image[:3, :5] = np.nan  # where there is no data, nothing needs to be said
    assert line not in emseg.segment(image, k=2, prior_map=some).report["warnings"]
