from __future__ import annotations

import numpy as np

from emseg.features.kinds.chroma import chroma

from .colours import stored


def transfer(linear: np.ndarray) -> np.ndarray:
    """SRGB values of linear light (IEC 61966-2-1)."""
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def test_it_ignores_how_much_light_there_is() -> None:
    surface = np.random.default_rng(0).uniform(0.3, 1, (3, 50))
    found = [chroma(transfer(surface * light)) for light in (1.0, 0.7, 0.5)]
    red, green, blue = np.log(surface)
    expected = np.stack([(red - blue) / np.sqrt(2), (2 * green - red - blue) / np.sqrt(6)])
    for plane in found:
        np.testing.assert_allclose(plane, expected, atol=0.05)  # ε of a hundredth of white


def test_grey_is_the_origin() -> None:
    np.testing.assert_allclose(chroma(stored("uint8"))[:, :3], 0, atol=1e-14)


def test_it_keeps_lengths_of_the_plane() -> None:
    """Distances are those of log colours once the grey axis is projected out."""
    values = stored("float64")
    linear = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
    log = np.log(linear + 0.01)
    flat = log - log.mean(0)
    np.testing.assert_allclose(np.linalg.norm(chroma(values), axis=0), np.linalg.norm(flat, axis=0), atol=1e-12)
