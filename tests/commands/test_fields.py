"""Markov random fields of whole images and volumes, as users have them."""

from __future__ import annotations

import numpy as np
import pytest

import emseg


@pytest.mark.parametrize("partial_volume", [False, True])
def test_zeros_around_a_brain_are_one_class_whatever_the_type(partial_volume: bool) -> None:
    """They have no spread at all in floats: the field's least spread must not put them into another class."""
    rng = np.random.default_rng(4)
    z, y, x = np.mgrid[:24, :26, :12]
    r = ((z - 12) / 10) ** 2 + ((y - 13) / 11) ** 2 + ((x - 6) / 5) ** 2
    truth = np.select([r < 0.3, r < 0.65, r < 1], [3, 2, 1])
    values = np.where(truth > 0, 100.0 * truth + rng.normal(0, 8, truth.shape), 0).astype(np.float32)
    found = emseg.segment(values, 4, axes="ZYX", mrf="icm", partial_volume=partial_volume)
    assert emseg.evaluate(found.labels, [truth])["scores"]["error"] < 0.01


def test_a_prior_map_that_says_nothing_changes_nothing() -> None:
    truth = 1 + (np.arange(60)[None] >= 25) + np.zeros((40, 1), int)
    values = np.where(truth == 1, 60, 180) + np.random.default_rng(0).normal(0, 6, truth.shape)
    found = emseg.segment(values, 2, prior_map=np.full((2, 40, 60), 0.5))
    np.testing.assert_array_equal(found.labels, truth)
