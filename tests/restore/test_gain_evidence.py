"""How labels of pixels are paid for: the code length of a map whose neighbours are known."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.restore.gain_evidence import NeighbourSample, description, neighbour_places

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
