"""From keywords to options: unknown ones, wrong values, a command's own defaults, and what a report lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emseg.errors import ImageError, UsageError
from emseg.options import checked
from emseg.options.declarations.restoration import DenoiseOptions, InpaintOptions
from emseg.options.declarations.segmentation import SegmentOptions


def test_defaults_are_those_of_the_command() -> None:
    assert checked.segmentation("segment") == SegmentOptions()
    assert checked.segmentation("compare") == SegmentOptions(tol=1e-8, max_iter=500)
    assert checked.segmentation("impute") == SegmentOptions(k="auto", criterion="bic", tol=1e-7, floor=1e-4)
    assert checked.denoising() == DenoiseOptions()
    assert checked.inpainting() == InpaintOptions()
    assert checked.segmentation("compare", tol=1e-3).tol == 1e-3


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("segment", {"colour": 1}, "unknown option 'colour'; there are k, criterion, features"),
        ("segment", {"level": 0.5}, "unknown option 'level'"),
        ("compare", {"mrf": "auto"}, "mrf does not go with compare; it takes k, features"),
        ("apply", {"k": 3}, "k does not go with apply; it takes"),
        ("segment", {"k": 0}, "k is 0; it must be a whole number of 1 or more, a range LO:HI as '2:9', or 'auto'"),
        ("segment", {"tol": float("nan")}, "tol is nan; it must be a number of 0 or more"),
        ("segment", {"beta": 10**400}, "beta is 1000"),
        ("segment", {"beta": 1e38}, "beta is 1e+38; it must be a number of 0 or more, up to 1e6, or 'auto'"),
        ("segment", {"seed": np.ones((20, 20))}, "it must be a whole number of 0 or more"),
    ],
)
def test_nonsense_is_one_line(command: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked.segmentation(command, **options)
    assert str(caught.value).startswith(message) or str(caught.value).endswith(message)
    assert "\n" not in str(caught.value)


def test_files_are_looked_for_before_any_work() -> None:
    with pytest.raises(ImageError, match=r"prior_map='no\.tif': is no file"):
        checked.segmentation("segment", prior_map="no.tif")


def test_single_options() -> None:
    assert checked.value("impute", "level", np.float32(0.5)) == 0.5
    assert checked.value("compare", "algorithms", ["em", "vb"]) == ("em", "vb")
    for level in (0, 1, 90, "0.9", None):
        with pytest.raises(UsageError, match=r"level is .*; it must be a number between 0 and 1"):
            checked.value("impute", "level", level)


def test_what_a_report_lists() -> None:
    found = checked.recorded("compare", checked.segmentation("compare", dof=3, family="student"), start="random")
    assert found["dof"] == 3
    assert found["start"] == "random"
    assert "mrf" not in found
    assert "workers" not in checked.recorded("denoise", DenoiseOptions())
    settings = {"order": "3"}
    options = SegmentOptions(option=settings)
    assert checked.recorded("segment", options)["option"] == settings
    assert checked.recorded("segment", options)["option"] is not settings
