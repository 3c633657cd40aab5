"""What a reader says of a picture comes into every report, spelled for Python, and into every result as it is."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.commands.apply import apply
from emseg.commands.compare import compare
from emseg.commands.denoise import denoise
from emseg.commands.inpaint import inpaint
from emseg.commands.segment import segment
from emseg.errors import option
from emseg.image.model import Image
from emseg.mixture.saved import Model

LINE = f"a band is left out; use {option('page', 2)}"
SPELLED = "a band is left out; use page=2"


@pytest.fixture
def photo() -> Image:
    pixels = np.random.default_rng(0).normal(np.repeat([[50.0, 200.0]], 24, 0).repeat(12, 1), 4).round()
    return Image.from_array(pixels).with_notices(LINE)


def test_reports_have_the_notices_of_the_picture(photo: Image) -> None:
    fitted = segment(photo, 2, beta=2.0)
    assert fitted.report["warnings"][-1] == SPELLED
    assert len(fitted.report["warnings"]) == 2
    mask = np.zeros(photo.shape, bool)
    mask[4, 4] = True
    model = Model(fitted.features.spec, fitted.mixture)
    for found in (
        fitted,
        apply(model, photo),
        compare(photo, 2, algorithms=["em"], max_iter=3),
        denoise(photo, 4.0, fast=True),
        inpaint(photo, mask),
    ):
        assert found.notices == (LINE,)
        assert found.report["warnings"][-1] == SPELLED
