"""Labels for pixels that are known in part: EM on what is known, or filling in first. Which is better, and when.

Both are judged on pixels of which one or two of three channels are lost; of pixels that are lost altogether EM says
nothing, so there filling in is judged alone.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

import emseg

pytestmark = pytest.mark.long

CENTRES = np.array([[60, 90, 140], [110, 150, 60], [160, 60, 120]])
SIDE = 48


def scene(cell: int) -> tuple[np.ndarray, np.ndarray]:
    """Squares of three colours, so many pixels a side, in noise; and which is which."""
    rng = np.random.default_rng(0)
    truth = np.kron(rng.integers(3, size=(SIDE // cell,) * 2), np.ones((cell, cell), int))
    noisy = CENTRES[truth] + rng.normal(0, 18, (SIDE, SIDE, 3))
    return np.clip(np.rint(noisy), 1, 255).astype(np.uint8), truth


def scattered(share: float) -> np.ndarray:
    """Known values where single ones are lost at random."""
    return np.random.default_rng(1).random((SIDE, SIDE, 3)) > share


def stripes(width: int) -> np.ndarray:
    """Known values where each channel has lost a stripe of its own."""
    known = np.ones((SIDE, SIDE, 3), bool)
    for channel in range(3):
        known[:, 16 * channel : 16 * channel + width, channel] = False
    return known


def wrong(labels: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """Share of wrong labels under the naming that fits best."""
    return min(float((np.array(names)[labels[where] - 1] != truth[where]).mean()) for names in permutations(range(3)))


def both(cell: int, known: np.ndarray) -> tuple[float, float]:
    """Share of wrong labels among pixels known in part: by EM with missing data, and after filling in each channel."""
    pixels, truth = scene(cell)
    judged = known.any(axis=2) & ~known.all(axis=2)
    by_em = emseg.segment(pixels, k=3, features="rgb", mask=known.astype(np.uint8), missing="em")
    return wrong(by_em.labels, truth, judged), wrong(after_filling(pixels, known), truth, judged)


def after_filling(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    channels = [emseg.inpaint(pixels[:, :, c], ~known[:, :, c]).pixels for c in range(3)]
    return emseg.segment(np.stack(channels, axis=2), k=3, features="rgb").labels


def test_single_values_lost_among_neighbours_that_tell_are_better_filled_in() -> None:
    em, filled = both(12, scattered(0.5))
    assert filled < 0.02
    assert 0.05 < em < 0.15  # as much as one or two noisy channels can tell


def test_where_whole_stretches_of_a_channel_are_lost_em_is_better() -> None:
    em, filled = both(12, stripes(16))
    assert em < 0.06
    assert filled > 2 * em


def test_where_neighbours_tell_nothing_em_is_better() -> None:
    em, filled = both(1, scattered(0.2))
    assert em < 0.1
    assert filled > 1.5 * em


def test_pixels_that_are_lost_altogether_have_labels_only_after_filling_in() -> None:
    pixels, truth = scene(12)
    known = np.repeat(np.random.default_rng(1).random((SIDE, SIDE, 1)) > 0.3, 3, axis=2)
    lost = ~known[:, :, 0]
    by_em = emseg.segment(pixels, k=3, features="rgb", mask=known.astype(np.uint8), missing="em").labels
    assert (by_em[lost] == 0).all()
    filled = after_filling(pixels, known)
    assert wrong(filled, truth, lost) < 0.02
    assert abs(wrong(filled, truth, ~lost) - wrong(by_em, truth, ~lost)) < 0.01  # no harm to the others
