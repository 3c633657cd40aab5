"""Which features `auto` is, and the values that families refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emseg.errors import DataError, UsageError
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.stages.inputs.measurement import measure_features

COLOUR = np.random.default_rng(0).integers(1, 255, (20, 30, 3)).astype(np.uint8)
GRAY, BANDS = COLOUR[:, :, 0], np.concatenate([COLOUR, COLOUR[:, :, :1]], axis=2)


def measured(pixels: np.ndarray, inside: np.ndarray | None = None, **options: Any) -> Features:
    usual = {"spec": "auto", "family": "gaussian", "missing": "drop", "compress": True}
    rest = {"stored_values": False, "may_be_texture": False}
    return measure_features(Image.from_array(pixels), inside, **{**usual, **rest, **options})


@pytest.mark.parametrize(
    ("pixels", "options", "spec"),
    [
        (COLOUR, {}, "lab"),
        (GRAY, {}, "gray"),
        (BANDS, {}, "bands"),
        (COLOUR, {"stored_values": True}, "rgb"),
        (GRAY, {"stored_values": True}, "gray"),
        (COLOUR, {"family": "poisson"}, "rgb"),
        (COLOUR, {"family": "von-mises"}, "hue"),
        (COLOUR, {"spec": "lab,xy:0.5", "stored_values": True}, "lab,xy:0.5"),
        (np.where(COLOUR > 250, np.nan, COLOUR), {"missing": "em"}, "rgb"),
        (np.where(COLOUR > 250, np.nan, COLOUR) / 255, {"missing": "drop"}, "lab"),
    ],
)
def test_auto(pixels: np.ndarray, options: dict[str, Any], spec: str) -> None:
    assert measured(pixels, **options).spec == spec


def test_families_of_no_location_and_scale_see_the_values_as_they_are() -> None:
    found = measured(GRAY, family="gamma")
    assert (found.shift == 0).all()
    assert (found.scale == 1).all()
    assert set(found.x[0]) == set(GRAY.ravel())
    assert not (measured(GRAY).shift == 0).all()


def test_texture_is_looked_at_only_where_it_may_be() -> None:
    rng = np.random.default_rng(0)
    fine = rng.normal(size=(200, 200))
    coarse = np.repeat(np.repeat(rng.normal(size=(50, 50)), 4, axis=0), 4, axis=1)
    mosaic = np.where(np.arange(200) < 100, fine, coarse) * 40 + 120
    assert measured(mosaic, may_be_texture=True).spec == "texture"
    assert set(measured(mosaic, may_be_texture=True).evidence or {}) == {"gray", "valley", "texture"}
    assert measured(mosaic).spec == "gray"
    assert measured(mosaic, may_be_texture=True, stored_values=True).spec == "gray"


@pytest.mark.parametrize(
    ("pixels", "family", "spec", "error", "message"),
    [
        (GRAY - 100.0, "poisson", "auto", DataError, r"gray is below 0 in \d+ pixels"),
        (GRAY // 128, "gamma", "auto", DataError, r"gray is not above 0 in \d+ pixels"),
        (GRAY, "poisson", "gray:2", UsageError, "weights do nothing with family='poisson'"),
        (GRAY, "von-mises", "auto", UsageError, "gray is no angle; use features='hue', or a float image"),
    ],
)
def test_what_has_no_density(pixels: np.ndarray, family: str, spec: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        measured(pixels, family=family, spec=spec)


def test_the_count_is_of_pixels_inside() -> None:
    pixels, inside = GRAY.astype(float).copy(), np.zeros(GRAY.shape, bool)
    pixels[:2, :5] = 0
    inside[1:] = True
    with pytest.raises(DataError, match="gray is not above 0 in 5 pixels"):
        measured(pixels, inside, family="gamma")
    pixels[1, :5] = 1
    measured(pixels, inside, family="gamma")
