"""A fourth channel that says nothing of itself: opacity or a band, by its values and by options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.errors import DataError, for_python
from emseg.image.missing.fourth_channel import is_opacity
from emseg.image.read import read_image
from emseg.mixture.saved import Model

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
H, W = 24, 30
PARTS = np.repeat([[60, 120, 60], [170, 150, 140]], W // 2, axis=0)[None].repeat(H, 0)
RGB = np.clip(PARTS + RNG.normal(0, 8, (H, W, 3)), 0, 255).astype(np.uint8)
CLEAR = np.zeros((H, W), bool)
CLEAR[:9, :12] = True
ALPHA = np.where(CLEAR, 0, 255).astype(np.uint8)
SOFT = ALPHA.copy()
SOFT[9, :12] = 77
NIR = np.where(np.arange(W) % 10 < 5, 40, 190)[None] + RNG.integers(0, 20, (H, W))
NIR = NIR.astype(np.uint8)


def four(last: np.ndarray) -> np.ndarray:
    return np.dstack([RGB, last])


def tiff(path: Path, array: np.ndarray, kind: str = "unspecified", photometric: str = "rgb", **more: Any) -> Path:
    extra = [kind] if photometric == "rgb" else [kind] * 3
    tifffile.imwrite(path, array, photometric=photometric, extrasamples=extra, planarconfig="contig", **more)
    return path


def told(found: Any) -> list[str]:
    return [line for line in found.report["warnings"] if "fourth" in line]


@pytest.mark.parametrize(
    ("last", "opacity"),
    [
        (ALPHA, True),
        (SOFT, True),
        (np.full((H, W), 255, np.uint8), True),
        (np.where(RNG.random((H, W)) < 0.02, 255, 0).astype(np.uint8), True),
        (NIR, False),
        (np.full((H, W), 128, np.uint8), True),
        (np.zeros((H, W), np.uint8), False),
        (np.where(RNG.random((H, W)) < 0.9, 0, RNG.integers(1, 256, (H, W))).astype(np.uint8), False),  # sparse light
        (ALPHA * np.uint16(257), True),
        (ALPHA.astype(np.uint16), False),
        (ALPHA / 255, True),
        (ALPHA.astype(float), False),
        (ALPHA.astype(np.int16), False),
    ],
    ids=range(13),
)
def test_what_looks_like_opacity(last: np.ndarray, opacity: bool) -> None:
    colours = np.ones((H, W, 3), last.dtype)
    assert is_opacity(np.dstack([colours, last])) == opacity


def sources(folder: Path, array: np.ndarray) -> list[Any]:
    np.save(folder / "x.npy", array)
    return [array, folder / "x.npy", tiff(folder / "x.tif", array)]


@pytest.mark.parametrize("last", [ALPHA, SOFT], ids=["sharp", "soft"])
def test_arrays_with_opacity_are_taken_as_pictures_are(last: np.ndarray, tmp_path: Path) -> None:
    PIL.Image.fromarray(four(last)).save(tmp_path / "x.png")
    wanted = emseg.segment(tmp_path / "x.png", 2)
    assert told(wanted) == []
    for source in sources(tmp_path, four(last)):
        found = emseg.segment(source, 2)
        np.testing.assert_array_equal(found.labels, wanted.labels)
        assert found.report["features"]["spec"] == "lab"
        (line,) = told(found)
        assert line.startswith("its fourth channel is taken as opacity, because it is mostly full or clear")
        assert line.endswith("features='bands' takes it as a band")
        assert found.report["input"]["fourth_channel"] == "opacity"


def test_where_bands_are_asked_for_it_is_a_band(tmp_path: Path) -> None:
    for source in (*sources(tmp_path, four(ALPHA)), read_image(tmp_path / "x.npy")):
        found = emseg.segment(source, 2, features="bands")
        assert found.report["features"]["names"] == ["band 1", "band 2", "band 3", "band 4"]
        assert (found.labels > 0).all()
        assert len(told(found)) == 1
        assert told(found)[0].startswith("its fourth channel is taken as a band")


def test_near_infrared_is_a_band_by_its_values(tmp_path: Path) -> None:
    for source in sources(tmp_path, four(NIR)):
        found = emseg.segment(source, 2)
        assert found.report["features"]["spec"] == "bands"
        (line,) = told(found)
        assert line == "its fourth channel is taken as a band like the others; mask='alpha' takes it as opacity"
        colours = emseg.segment(source, 2, features="rgb")
        assert colours.report["features"]["names"] == ["R", "G", "B"]
        assert "is left out; features='bands' takes it as a band" in told(colours)[0]
        model = Model(found.features.spec, found.mixture)
        np.testing.assert_array_equal(emseg.apply(model, source).labels, found.labels)
        applied = emseg.apply(Model(colours.features.spec, colours.mixture), source)
        np.testing.assert_array_equal(applied.labels, colours.labels)
        assert "is left out; channels='1,2,3,4' takes it as a band" in told(applied)[0]


def test_grey_with_three_more_and_envi_are_bands(tmp_path: Path) -> None:
    path = tiff(tmp_path / "x.tif", four(ALPHA), photometric="minisblack")
    (tmp_path / "y.dat").write_bytes(four(ALPHA).tobytes())
    header = f"ENVI\nsamples = {W}\nlines = {H}\nbands = 4\ndata type = 1\ninterleave = bip\n"
    (tmp_path / "y.hdr").write_text(header)
    for source in (path, tmp_path / "y.hdr"):
        found = emseg.segment(source, 2)
        assert found.report["features"]["spec"] == "bands"
        assert len(told(found)) == 1
        by_alpha = emseg.segment(source, 2, mask="alpha")
        np.testing.assert_array_equal(by_alpha.labels > 0, ~CLEAR)
        assert by_alpha.report["features"]["spec"] == "lab"


def test_opacity_as_a_mask_has_a_limit_and_grows(tmp_path: Path) -> None:
    PIL.Image.fromarray(four(SOFT)).save(tmp_path / "x.png")
    for source in (tmp_path / "x.png", four(SOFT), PIL.Image.fromarray(four(SOFT))):
        plain = emseg.segment(source, 2)
        np.testing.assert_array_equal(plain.labels > 0, SOFT > 0)
        (line,) = [line for line in plain.report["warnings"] if "transparent" in line]
        assert line.startswith("12 pixels are partly transparent, and count as opaque")
        assert line.endswith("mask='alpha' with mask_above=127 leaves out the clearer ones")
        found = emseg.segment(source, 2, mask="alpha", mask_above=127)
        np.testing.assert_array_equal(found.labels > 0, SOFT > 127)
        assert not any("partly" in line for line in found.report["warnings"])
        assert (emseg.segment(source, 2, mask="alpha", grow=-2).labels > 0).sum() < (SOFT > 0).sum() - 20
    with pytest.raises(DataError, match="has no alpha; give the file of a mask"):
        emseg.segment(RGB, 2, mask="alpha")


def test_opacity_that_a_tiff_declares_but_that_is_none(tmp_path: Path) -> None:
    path = tiff(tmp_path / "x.tif", four(NIR), "unassalpha")
    found = emseg.segment(path, 2)
    assert found.report["features"]["spec"] == "lab"
    (line,) = found.report["warnings"]
    assert line.startswith("one of its bands is declared to be opacity, but few of its values are clear or full")
    assert line.endswith("channels='1,2,3,4' takes all as bands")
    chosen = emseg.segment(path, 2, channels="1,2,3,4")
    assert chosen.report["features"]["names"] == ["band 1", "band 2", "band 3", "band 4"]
    assert (chosen.labels > 0).all()


def test_restoring(tmp_path: Path) -> None:
    for source in sources(tmp_path, four(ALPHA)):
        found = emseg.denoise(source, 8, fast=True)
        assert found.pixels.shape == (H, W, 4 if isinstance(source, np.ndarray) else 3)
        np.testing.assert_array_equal(np.asarray(found.image.alpha), ALPHA)
        assert "channels='1,2,3,4' takes it as a band" in told(found)[0]
    filled = emseg.inpaint(four(ALPHA), "alpha")
    np.testing.assert_array_equal(filled.missing, CLEAR)
    np.testing.assert_array_equal(emseg.inpaint(four(SOFT + (SOFT == 255) * 200), "alpha").missing, CLEAR)


def test_masked_arrays_keep_what_is_masked() -> None:
    hidden = np.zeros((H, W, 4), bool)
    hidden[20:, :, 1], hidden[15, :, 3] = True, True
    array = np.ma.masked_array(four(ALPHA), hidden)
    found = emseg.segment(array, 2)
    np.testing.assert_array_equal(found.labels > 0, ~(CLEAR | hidden.any(axis=2)))
    bands = emseg.segment(array, 2, features="bands")
    np.testing.assert_array_equal(bands.labels > 0, ~hidden.any(axis=2))


def test_lines_are_spelled_for_their_reader() -> None:
    (line,) = emseg.segment(four(NIR), 2).notices
    assert for_python(line).endswith("mask='alpha' takes it as opacity")


def test_a_last_channel_like_opacity_is_a_band_and_a_line_says_so(tmp_path: Path) -> None:
    two = np.dstack([RGB[..., 0], ALPHA])
    wide = np.dstack([RGB, NIR, ALPHA])
    tifffile.imwrite(tmp_path / "two.tif", two.astype(np.uint16) * 257, photometric="minisblack", planarconfig="contig")
    for image, without in ((two, "1"), (wide, "1,2,3,4"), (tmp_path / "two.tif", "1")):
        (line,) = emseg.segment(image, 2).report["warnings"]
        start = "its last channel is taken as a band, though all of it is clear or full; "
        assert line == f"{start}channels='{without}' leaves it out"
    assert not emseg.segment(two, 2, channels="1,2").report["warnings"]  # asked for
    assert not emseg.segment(np.dstack([RGB[..., 0], SOFT]), 2).report["warnings"]
