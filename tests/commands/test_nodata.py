"""No pixel without data becomes part of a class, whatever the options; each command says what it does with it."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import DataError, UsageError
from emseg.image.missing.masks import grown
from emseg.image.model import Image
from emseg.image.read import decode_image
from emseg.mixture.saved import Model

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
H, W = 40, 48
TRUTH = np.ones((H, W), int)
TRUTH[12:28], TRUTH[:, 32:] = 2, 3
MEANS = np.array([[300, 500, 2500, 1200], [600, 900, 1200, 2600], [1250, 1200, 180, 440]])
STACK = (MEANS[TRUTH - 1] + RNG.normal(0, 60, (H, W, 4))).astype(np.int16)
GAPS = np.zeros((H, W), bool)
GAPS[::11], GAPS[30:33, 5:9] = True, True


def with_gaps(value: float, dtype: Any = np.int16) -> np.ndarray:
    """The stack with gaps in its third band."""
    found = STACK.astype(dtype)
    found[GAPS, 2] = value
    return found


def tagged(array: np.ndarray, nodata: str) -> Image:
    buffer = io.BytesIO()
    layout = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(buffer, array, **layout, extratags=[(42113, "s", 0, nodata)])
    return decode_image(buffer.getvalue(), "stack.tif")


WAYS = {
    "tag": lambda: (tagged(with_gaps(-9999), "-9999"), {}),
    "nan": lambda: (with_gaps(np.nan, np.float32), {}),
    "infinite": lambda: (with_gaps(np.inf, np.float32), {}),
    "option": lambda: (with_gaps(-9999), {"nodata": -9999}),
    "zero": lambda: (with_gaps(0, np.float64), {"nodata": [0, 17.5]}),
}


@pytest.mark.parametrize("way", WAYS)
def test_gaps_in_one_band_do_no_harm(way: str) -> None:
    image, options = WAYS[way]()
    dropped = emseg.segment(image, 3, **options)
    np.testing.assert_array_equal(dropped.labels, np.where(GAPS, 0, TRUTH))
    assert any(line.startswith(f"{GAPS.sum()} pixels lack data in some") for line in dropped.report["warnings"])
    assert dropped.report["pixels"] == (~GAPS).sum()
    filled = emseg.segment(image, 3, missing="em", **options)
    np.testing.assert_array_equal(filled.labels, TRUTH)
    assert filled.report["partly_known"] == GAPS.sum()
    applied = emseg.apply(Model(filled.features.spec, filled.mixture), image, missing="em", **options)
    np.testing.assert_array_equal(applied.labels, TRUTH)


CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "student": {"family": "student"},
    "gamma": {"family": "gamma"},
    "poisson": {"family": "poisson"},
    "noise": {"noise": True},
    "diag": {"covariance": "diag"},
    "range": {"k": "1:4"},
    "bounds": {"censored": "1,"},
    "field": {"mrf": "mean-field"},
    "contrast": {"mrf": "graph-cut", "contrast": True},
    "gibbs": {"mrf": "gibbs"},
    "regions": {"regions": 10},
    "auto regions": {"regions": "auto", "k": "1:4"},
    "bias": {"bias_field": True},
    "mixed": {"partial_volume": True},
    "denoised": {"denoise": 5},
    "xy": {"features": "bands,xy:0.1"},
    "texture": {"features": "texture"},
    "no counts": {"compress": False},
}


@pytest.mark.parametrize("options", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("value", [0, 7, np.nan])
@pytest.mark.filterwarnings("error")
def test_no_option_makes_a_class_of_it(options: dict[str, Any], value: float) -> None:
    grey = (20 + 25 * TRUTH + RNG.normal(0, 3, (H, W))).round()
    grey[GAPS] = value
    more = {} if np.isnan(value) else {"nodata": value}
    k = options.get("k", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = emseg.segment(grey, k, **more, **{name: value for name, value in options.items() if name != "k"})
    np.testing.assert_array_equal(found.labels == 0, GAPS)
    posterior, entropy = found.posterior(), found.entropy()
    assert (posterior[:, GAPS] == 0).all()
    np.testing.assert_allclose(posterior[:, ~GAPS].sum(0), 1, rtol=1e-5)
    assert (entropy[GAPS] == 0).all()
    assert np.isfinite(posterior).all()
    assert sum(found.report["pixel_counts"]) + (found.report["noise"] or {"pixels": 0})["pixels"] == (~GAPS).sum()
    if found.regions is not None:
        np.testing.assert_array_equal(np.reshape(found.regions.ids, GAPS.shape) == 0, GAPS)
    if options.get("partial_volume"):
        assert (found.fractions()[:, GAPS] == 0).all()
    if found.gain is not None:
        assert np.isfinite(found.gain).all()


def test_no_data_in_all_bands_is_no_data_with_em_either() -> None:
    stack = with_gaps(-9999)
    stack[30:32, 5:9] = -9999
    found = emseg.segment(stack, 3, nodata=-9999, missing="em")
    np.testing.assert_array_equal(found.labels == 0, (stack == -9999).all(axis=2))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"missing": "em"},
        {"denoise": "auto"},
        {"missing": "em", "denoise": "auto"},
        {"missing": "em", "bias_field": True},
        {"missing": "em", "features": "bands,texture"},
        {"mrf": "auto", "contrast": True},
    ],
    ids=str,
)
def test_what_is_stored_where_there_is_no_data_changes_nothing(options: dict[str, Any]) -> None:
    found = []
    for value in (np.nan, -9999.0, 1e6):
        stack = with_gaps(value, np.float64)
        result = emseg.segment(stack, 3, **options, **({} if np.isnan(value) else {"nodata": value}))
        found.append((result.labels, result.posterior(), result.report["log_likelihood"]))
    for labels, posterior, log_likelihood in found[1:]:
        np.testing.assert_array_equal(labels, found[0][0])
        np.testing.assert_array_equal(posterior, found[0][1])
        assert log_likelihood == found[0][2]


def test_families_that_have_no_density_there_name_the_remedy() -> None:
    grey = (20 + 25 * TRUTH + RNG.normal(0, 3, (H, W))).round()
    grey[GAPS] = 0
    with pytest.raises(DataError, match=r"where gamma has no density; if that is no data, use nodata=0; else mask"):
        emseg.segment(grey, 3, family="gamma")


def test_values_that_the_type_does_not_have_are_refused() -> None:
    with pytest.raises(UsageError, match=r"nodata=-9999 is no value of uint8; give a whole number from 0 to 255"):
        emseg.segment(np.arange(64, dtype=np.uint8).reshape(8, 8), 2, nodata=-9999)


def test_denoise_leaves_it_alone() -> None:
    grey = 100 * TRUTH + RNG.normal(0, 10, (H, W))
    with_hole = np.where(GAPS, -9999, grey)
    found = emseg.denoise(with_hole, 10, nodata=-9999).pixels
    assert (found[GAPS] == -9999).all()
    same = emseg.denoise(np.where(GAPS, np.nan, grey), 10).pixels
    np.testing.assert_allclose(found[~GAPS], same[~GAPS])
    in_part = emseg.denoise(with_gaps(-9999), 60, nodata=-9999, fast=True)
    np.testing.assert_array_equal(in_part.pixels[GAPS], with_gaps(-9999)[GAPS])
    assert in_part.report["warnings"][-1].startswith(
        f"{GAPS.sum()} pixels lack data in some of their channels, and stay"
    )


@pytest.mark.parametrize("way", WAYS)
def test_inpaint_fills_it_where_no_mask_says_otherwise(way: str) -> None:
    y, x = np.mgrid[:H, :W]
    smooth = (1000 + 100 * np.sin(y / 9) + 100 * np.cos(x / 8))[:, :, None] * (1, 1.5, 2, 1)
    image, options = WAYS[way]()
    pixels = image.pixels if isinstance(image, Image) else image
    changed = np.where(pixels == STACK, smooth.round(), pixels).astype(pixels.dtype)[:20, 20:40, 1:3]
    gaps, whole = GAPS[:20, 20:40], smooth[:20, 20:40, 1:3]
    found = emseg.inpaint(tagged(changed, "-9999") if way == "tag" else changed, **options)
    np.testing.assert_array_equal(found.missing, gaps)
    np.testing.assert_array_equal(found.pixels[..., 0], changed[..., 0])
    np.testing.assert_array_equal(found.pixels[~gaps], changed[~gaps])
    assert np.abs(found.pixels - whole)[gaps].max() < 30
    assert found.image.valid is None
    assert found.image.known is None
    if way == "tag":
        same = emseg.inpaint(tagged(changed, "-9999"), "nodata")
        np.testing.assert_array_equal(same.pixels, found.pixels)


def test_inpaint_with_a_mask_leaves_it() -> None:
    y, x = np.mgrid[:H, :W]
    smooth = (1000 + 100 * np.sin(y / 9) + 100 * np.cos(x / 8)).round()
    holed = np.where(GAPS, -9999, smooth)
    mask = np.zeros((H, W), bool)
    mask[14:18, 4:30] = True
    found = emseg.inpaint(holed, mask, nodata=-9999)
    assert (found.pixels[GAPS & ~mask] == -9999).all()
    assert np.abs(found.pixels - smooth)[mask].max() < 20
    assert (
        f"{(GAPS & ~mask).sum()} pixels without data stay as they are; mask='nodata' fills them"
        in found.report["warnings"]
    )
    with pytest.raises(UsageError, match="nothing says which pixels are missing; give a mask, alpha, or nodata"):
        emseg.inpaint(smooth)


def test_impute_takes_it_for_missing() -> None:
    table = STACK.reshape(-1, 4)[::7].astype(float)
    holed = table.copy()
    holed[::5, 1] = -9999
    found = emseg.impute(holed, 3, nodata=-9999)
    same = emseg.impute(np.where(holed == -9999, np.nan, holed), 3)
    np.testing.assert_array_equal(found.missing, holed == -9999)
    np.testing.assert_array_equal(found.completed, same.completed)
    image = emseg.impute(with_gaps(-9999), 3, nodata=-9999)
    np.testing.assert_array_equal(image.missing[..., 2], GAPS)


def test_the_command_line_says_what_it_takes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stack.npy"
    np.save(path, with_gaps(-9999))

    def run(*arguments: str) -> tuple[int, str]:
        texts = [arguments[0], str(path), *arguments[1:], "-o", str(tmp_path / "out"), "--overwrite"]
        code = attempt(lambda: cli.main(texts, "emseg", standalone_mode=False))
        return code, capfd.readouterr().err

    code, told = run("segment", "-k", "3", "--nodata", "-9999,3")
    assert code == 0
    assert f"{path}: --nodata -9999 takes {GAPS.sum()} pixels" in told
    assert f"{path}: --nodata 3 is the value of no pixel; check it" in told
    assert "get label 0; --missing em labels them by the others" in told
    assert run("segment", "-k", "3", "--nodata", "-9999,3", "-q") == (0, "")
    code, told = run("segment", "-k", "3", "--nodata", "0.5")
    assert code == 2
    assert "--nodata 0.5 is no value of int16; give a whole number from -32768 to 32767" in told
    assert run("segment", "--nodata", "some")[0] == 2
    assert "--nodata -9999 takes" in run("denoise", "--fast", "--nodata", "-9999")[1]
    assert "--nodata -9999 takes" in run("compare", "-k", "2", "--algorithms", "em", "--nodata", "-9999")[1]


def test_masks_grow_and_have_limits_in_every_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    grey = (40 * TRUTH + RNG.normal(0, 3, (H, W))).round()
    shades = np.zeros((H, W), np.uint8)
    shades[5:30, 5:40], shades[10:25, 10:35] = 100, 255
    core, larger = shades > 127, grown(shades > 127, 2)
    rule: Any = {"mask": shades, "mask_above": 127, "grow": 2}
    found = emseg.segment(grey, 3, **rule)
    np.testing.assert_array_equal(found.labels > 0, larger)
    assert found.report["options"] | {"mask_above": 127, "grow": 2} == found.report["options"]
    applied = emseg.apply(Model(found.features.spec, found.mixture), grey, **rule)
    np.testing.assert_array_equal(applied.labels, found.labels)
    assert emseg.compare(grey, 3, algorithms=["em"], **rule).report["pixels"] == larger.sum()
    assert emseg.denoise(grey, 3, fast=True, **rule).report["pixels"] == larger.sum()
    assert emseg.inpaint(grey, shades, mask_above=127).report["missing"] == core.sum()
    assert "mask_above=127 counts the darker ones" in emseg.segment(grey, 3, mask=shades).report["warnings"][0]
    told = emseg.segment(grey, 3, grow=2, mask_above=9).report["warnings"]
    assert told == [
        "mask_above=9 does nothing without mask; add one, or leave it out",
        "grow=2 does nothing without mask; add one, or leave it out",
    ]
    np.save(tmp_path / "g.npy", grey)
    np.save(tmp_path / "m.npy", shades)
    texts = ["segment", str(tmp_path / "g.npy"), "-k", "3", "--mask", str(tmp_path / "m.npy"), "--grow", "-1"]
    assert attempt(lambda: cli.main([*texts, "-o", str(tmp_path)], "emseg", standalone_mode=False)) == 0
    assert "count as inside; --mask-above 127 counts" in capfd.readouterr().err
