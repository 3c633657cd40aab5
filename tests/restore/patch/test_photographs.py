"""The mixture of photographs: its file there and back, and what the file holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.restore.patch.patch_mixture import D, PatchMixture, coordinates
from emseg.restore.patch.patches import cut
from emseg.restore.patch.photographs import SMALLEST, decode, encode, photographs


def covariances(mixture: PatchMixture) -> np.ndarray:
    axes = mixture.axes.astype(float)
    return (axes * mixture.variances[:, None]) @ axes.swapaxes(1, 2)


def random_mixture(k: int = 3) -> PatchMixture:
    """Variances from 1000 down to less than are stored, in no order."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(k, D, D)))[0]
    variances = np.stack([rng.permutation(1000 * 0.8 ** np.arange(D)) for _ in range(k)])
    return PatchMixture(np.array([0.5, 0.2, 0.3]), axes, variances)


def test_a_mixture_survives_its_file_to_half_precision() -> None:
    mixture = random_mixture()
    again = decode(encode(mixture))
    assert again.weights == pytest.approx(mixture.weights, rel=1e-6)
    kept = PatchMixture(mixture.weights, mixture.axes, np.where(mixture.variances > SMALLEST, mixture.variances, 0))
    # Each entry of an axis is rounded to 11 bits; errors of D entries add up in a covariance.
    half = float(np.finfo(np.float16).eps) * np.sqrt(D)
    error = np.linalg.norm(covariances(again) - covariances(kept), axis=(1, 2))
    assert (error < half * np.linalg.norm(covariances(kept), axis=(1, 2))).all()


def test_axes_that_were_not_stored_have_no_variance() -> None:
    mixture, again = random_mixture(), decode(encode(random_mixture()))
    assert (np.diff(again.variances) <= 0).all()
    assert ((again.variances > 0).sum(1) == (mixture.variances > SMALLEST).sum(1)).all()
    assert np.allclose(again.axes.swapaxes(1, 2) @ again.axes, np.eye(D), atol=1e-5)


def test_the_file_is_small_and_its_mixture_is_proper() -> None:
    mixture = photographs()
    assert mixture.k == 100
    assert mixture.weights.sum() == pytest.approx(1)
    assert (mixture.weights > 0).all()
    assert len(encode(mixture)) < 1_000_000
    assert np.allclose(mixture.axes.swapaxes(1, 2) @ mixture.axes, np.eye(D), atol=1e-5)
    assert np.allclose(
        covariances(decode(encode(mixture))), covariances(mixture), atol=1e-3 * covariances(mixture).max()
    )


def test_the_mixture_knows_photographs_from_noise(photo: np.ndarray) -> None:
    """Patches of a photograph are likelier than patches of white noise with the same energy."""
    x = coordinates(cut(photo)[::7])[1:].copy()
    noise = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
    noise *= np.sqrt((x * x).sum(0) / (noise * noise).sum(0))
    mixture = replace(photographs(), noise=4.0)
    of_photo, of_noise = (np.logaddexp.reduce(mixture.log_joint(part), axis=0) for part in (x, noise))
    assert (of_photo > of_noise).mean() > 0.95
