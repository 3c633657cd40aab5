"""How labels of pixels are paid for: the code length of a map whose neighbours are known."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.restore.bias_field_em import UnevenPixels
from emseg.restore.gain_evidence import (
    LEAST_SHARED,
    NeighbourSample,
    description,
    is_shared,
    neighbour_places,
    shared_savings,
)

MIXTURE = Mixture(
    np.array([0.3, 0.7]), Gaussian(np.array([[0.0], [5.0]]), np.array([[[1.0]], [[4.0]]])), family_of("gaussian")
)


def sampled(image: np.ndarray, most: int = 10**6) -> NeighbourSample:
    places = neighbour_places(np.ones(image.shape, np.bool_), most, np.random.default_rng(0))
    return NeighbourSample(image.ravel()[places][None], np.ones((1, places.size)))


def test_places_have_known_neighbours() -> None:
    known = np.ones((2, 5, 6), np.bool_)
    known[1, 2, 3] = False
    own, left, above = neighbour_places(known, 10**6, np.random.default_rng(0)).reshape(3, -1)
    assert own.size == 2 * 4 * 5 - 3  # the unknown pixel, and those to the right of it and below it
    assert (own - left == 1).all()
    assert (own - above == 6).all()
    assert known.ravel()[np.concatenate([own, left, above])].all()
    assert len(neighbour_places(known, 7, np.random.default_rng(0))) == 21


def test_it_is_density_less_conditional_entropy() -> None:
    rng = np.random.default_rng(1)
    image, gain = rng.normal(2.5, 3, (30, 40)), 1.3
    sample = sampled(image)
    even = image / gain
    scores = [np.log(w) - (even - m) ** 2 / 2 / v - np.log(2 * np.pi * v) / 2 for w, m, v in ((0.3, 0, 1), (0.7, 5, 4))]
    labels = np.argmax(scores, axis=0)
    chosen = np.max(scores, axis=0) - np.log(np.where(labels, 0.7, 0.3)) - np.log(gain)
    entropy, pixels = 0.0, 29 * 39
    triples = list(zip(labels[1:, :-1].ravel(), labels[:-1, 1:].ravel(), labels[1:, 1:].ravel(), strict=True))
    for triple in set(triples):
        together = triples.count(triple)
        context = sum(other[:2] == triple[:2] for other in triples)
        entropy -= together / pixels * np.log(together / context)
    expected = chosen[1:, 1:].mean() - entropy
    found = description(sample, MIXTURE, np.full(3 * pixels, gain))
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_smooth_border_costs_next_to_nothing() -> None:
    halves = np.where(np.arange(60) < 30, 0.0, 5.0)[None].repeat(60, 0)
    mixed = np.random.default_rng(0).permutation(halves.ravel()).reshape(60, 60)
    ones = np.ones(3 * 59 * 59)
    saved = description(sampled(halves), MIXTURE, ones) - description(sampled(mixed), MIXTURE, ones)
    assert saved == pytest.approx(np.log(2), abs=0.03)


def uneven(means: list[float], glow: float, light: bool) -> tuple[UnevenPixels, np.ndarray, Mixture]:
    """Squares of two classes under light that falls to one side, or with a glow of the dark one that rises to it."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:80, :80]
    owner = (y // 10 + x // 10) % 2
    side = 0.3 * (x / 79 - 0.5)
    plane = np.array(means)[owner] * (1 + side * light) + glow * side * (owner == 0) + rng.normal(0, 1, x.shape)
    basis = np.stack([np.ones(plane.size), 2 * x.ravel() / 79 - 1])
    mixture = Mixture(
        np.array([0.5, 0.5]), Gaussian(np.array(means)[:, None], np.ones((2, 1, 1))), family_of("gaussian")
    )
    return UnevenPixels(plane.reshape(1, -1), basis), np.stack([owner == 0, owner == 1]).reshape(2, -1) * 1.0, mixture


def test_a_gain_that_two_classes_show_is_shared() -> None:
    pixels, posterior, mixture = uneven([20, 60], 0, True)
    savings = shared_savings(pixels, mixture, posterior)
    # Within a class, scatter falls from 1 + (mean side)² / 12 to 1 and what the ridge leaves, an eleventh of the side.
    light = [(mean * 0.3) ** 2 / 12 for mean in (20, 60)]
    expected = [0.5 * np.log((1 + part) / (1 + part / 11**2)) for part in light]
    np.testing.assert_allclose(savings, expected, atol=0.05)
    assert is_shared(pixels, mixture, posterior, 0)


def test_glow_of_one_class_is_no_gain() -> None:
    pixels, posterior, mixture = uneven([20, 60], 20, False)
    savings = shared_savings(pixels, mixture, posterior)
    assert savings[0] < LEAST_SHARED
    assert savings[1] < -0.2  # what looks like a gain in the dark class makes the bright one scatter
    assert not is_shared(pixels, mixture, posterior, 0)
    assert is_shared(pixels, mixture, posterior, 0.5)  # others may be burnt out


def test_a_class_that_is_alone_or_zero_shows_no_gain_of_others() -> None:
    pixels, posterior, mixture = uneven([0, 60], 0, True)
    still = pixels.values.copy()
    still[0, posterior[0] > 0] = 0
    assert (shared_savings(UnevenPixels(still, pixels.basis), mixture, posterior) == 0).all()
    alone = np.stack([np.ones(still.size), np.zeros(still.size)])
    assert not is_shared(pixels, mixture, alone, 0)
