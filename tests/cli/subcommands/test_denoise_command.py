"""`emseg denoise` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.image.read import read_image

pytestmark = pytest.mark.long


@pytest.fixture
def photo(tmp_path: Path, samples: Path) -> Path:
    """A small noisy picture with transparency, in a folder of its own."""
    with Image.open(samples / "astronaut.png") as picture:
        pixels = np.asarray(picture.convert("RGBA").resize((60, 40)), float)
    pixels[:, :, :3] += np.random.default_rng(0).normal(0, 15, (40, 60, 3))
    pixels[:5, :5, 3] = 0
    pixels[5:9, :5, 3] = 77
    Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main(["denoise", *map(str, arguments)], "emseg", standalone_mode=False))


def test_a_picture_a_report_and_two_lines(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["photo.denoised.json", "photo.denoised.png"]
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[1].endswith("photo.denoised.png, photo.denoised.json")
    report = json.loads((tmp_path / "out" / "photo.denoised.json").read_text("utf-8"))
    assert report["outputs"].keys() == {"photo.denoised.png"}
    before, after = (np.asarray(Image.open(path)) for path in (photo, tmp_path / "out" / "photo.denoised.png"))
    assert after.shape == before.shape
    assert (after[:, :, 3] == before[:, :, 3]).all()
    assert (after[:5, :5] == before[:5, :5]).all()
    assert (after != before).any()


def test_floating_point_numbers_become_a_tiff(photo: Path, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).normal(5, 1, (30, 40)).astype(np.float32)).save(tmp_path / "f.tif")
    assert run(tmp_path / "f.tif", "--sigma", 1, "-q", "-o", tmp_path / "out") == 0
    found = read_image(tmp_path / "out" / "f.denoised.tif")
    assert found.pixels.dtype == np.float32
    assert found.pixels.std() < 0.4


def test_a_dry_run_names_a_tiff_and_says_what_would_fail(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "float.npy", np.asarray(Image.open(photo), np.float32))
    (tmp_path / "bad.png").write_bytes(photo.read_bytes()[:200])
    assert run(tmp_path / "float.npy", tmp_path / "bad.png", "-n", "-o", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert "float.denoised.tif" in printed.out
    assert "bad.png" in printed.err
    assert not (tmp_path / "out").exists()


def test_no_input_is_replaced_by_a_tiff(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "float.npy", np.asarray(Image.open(photo), np.float32))
    assert run(tmp_path / "float.npy", "-q", "-o", tmp_path) == 0
    before = (tmp_path / "float.denoised.tif").read_bytes()
    arguments = (tmp_path / "float.npy", tmp_path / "float.denoised.tif", "--sigma", 50, "-o", tmp_path)
    assert run(*arguments, "--overwrite") == 2
    assert "would replace an input" in capsys.readouterr().err
    assert (tmp_path / "float.denoised.tif").read_bytes() == before


def test_a_tiff_is_not_made_again_nor_another_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.random.default_rng(0).normal(5, 1, (30, 40)).astype(np.float32)).save(tmp_path / "f.tif")
    arguments = (tmp_path / "f.tif", "--sigma", 1, "-o", tmp_path / "out", "--resume")
    assert run(*arguments) == 0
    monkeypatch.setattr("emseg.commands.denoise.denoise", None)  # what follows must not come to it
    capsys.readouterr()
    assert run(*arguments) == 0
    assert "done before" in capsys.readouterr().out
    (tmp_path / "out" / "f.denoised.tif").write_text("someone else's")
    assert run(*arguments) == 1
    assert "not written by emseg" in capsys.readouterr().err


def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path) -> None:
    noisy = np.random.default_rng(0).normal(30000, 2000, (30, 40)).astype(np.uint16)
    Image.fromarray(noisy).save(tmp_path / "deep.png")
    assert run(tmp_path / "deep.png", "-q", "-o", tmp_path / "out") == 0
    found = read_image(tmp_path / "out" / "deep.denoised.png").pixels
    assert found.dtype == np.uint16
    assert found.std() < 800
    assert len(np.unique(found)) > 256


def test_of_photons_the_gain_is_told(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--noise", "poisson", "-o", tmp_path / "out") == 0
    gains = json.loads((tmp_path / "out" / "photo.denoised.json").read_text("utf-8"))["gain_by_channel"]
    assert f"gain {np.mean(gains):.3g} (found)" in capsys.readouterr().out
    assert run(photo, "--noise", "poisson", "--gain", 3, "-o", tmp_path / "out") == 0
    assert "gain 3 (given)" in capsys.readouterr().out


def test_a_colour_profile_is_carried(photo: Path, tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(photo) as picture:
        picture = picture.convert("RGB")
        picture.save(tmp_path / "a.jpg", icc_profile=icc)
        picture.save(tmp_path / "b.tif", icc_profile=icc)
        tifffile.imwrite(tmp_path / "c.tif", np.asarray(picture, np.uint16) * 257, photometric="rgb", iccprofile=icc)
        tifffile.imwrite(tmp_path / "d.tif", np.asarray(picture, np.float32), photometric="rgb", iccprofile=icc)
        picture.convert("L").save(tmp_path / "e.png", icc_profile=icc)  # does not fit
    assert run(*sorted(tmp_path.glob("[a-e].*")), "--sigma", 0, "-q", "-o", tmp_path / "out") == 0
    found = {path.name[0]: path for path in (tmp_path / "out").glob("*.denoised.[pt]*")}
    assert found["c"].suffix == ".png"
    for name in "abc":
        with Image.open(found[name]) as picture:
            assert picture.info["icc_profile"] == icc
            assert np.asarray(picture).shape == (*read_image(photo).shape, 3)
    with tifffile.TiffFile(found["d"]) as file:
        assert file.pages[0].tags["InterColorProfile"].value == icc
    with Image.open(found["e"]) as picture:
        assert "icc_profile" not in picture.info


def test_an_image_with_a_place_on_earth_stays_a_tiff(photo: Path, tmp_path: Path) -> None:
    pixels = np.asarray(Image.open(photo).convert("L")).copy()
    pixels[:3] = 7
    tags = [(33550, "d", 3, (2.0, 2.0, 0.0), True), (33922, "d", 6, (0.0, 0, 0, 5e5, 6e6, 0), True)]
    tifffile.imwrite(tmp_path / "map.tif", pixels, extratags=[*tags, (42113, "s", 0, "7", True)])
    assert run(tmp_path / "map.tif", "--sigma", 9, "-q", "-o", tmp_path / "out") == 0
    with tifffile.TiffFile(tmp_path / "out" / "map.denoised.tif") as file:
        found = file.pages[0]
        assert found.tags[33550].value == (2, 2, 0)
        assert found.tags[42113].value == "7"
        assert (found.asarray()[:3] == 7).all()
        assert (found.asarray() != pixels).any()


def test_several_inputs_a_mask_and_resume(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.uint8(255) * (np.arange(60) > 30)[None].repeat(40, 0)).save(tmp_path / "mask.png")
    (tmp_path / "b.png").write_bytes(photo.read_bytes())
    arguments = (photo, tmp_path / "b.png", "--mask", tmp_path / "mask.png", "-o", tmp_path / "out", "--resume")
    assert run(*arguments) == 0
    capsys.readouterr()
    assert run(*arguments) == 0
    assert capsys.readouterr().out.count("done before") == 2
    before, after = (np.asarray(Image.open(path)) for path in (photo, tmp_path / "out" / "b.denoised.png"))
    assert (after[:, :31] == before[:, :31]).all()
    assert (after[:, 31:, :3] != before[:, 31:, :3]).any()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--sigma", "-1"], 2, "give a number of 0 or more, or auto, not '-1'"),
        (["--sigma", "lots"], 2, "or auto, not 'lots'"),
        (["--method", "magic"], 2, "magic"),
        (["--gain", "0"], 2, "give a number above 0, or auto, not '0'"),
        (["--gain", "3"], 2, "--gain 3.0: is the value of a photon; it goes with --noise poisson"),
        (["-k", "3"], 2, "No such option"),
    ],
)
def test_nonsense_is_one_line(
    photo: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, *arguments) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_mask_of_another_size(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (5, 5), 255).save(tmp_path / "mask.png")
    assert run(photo, "--mask", tmp_path / "mask.png", "-o", tmp_path / "out") == 1
    assert "give a mask of the image's size" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_standard_output(photo: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(photo, "-o", "-") == 0
    assert capfdbinary.readouterr().out.startswith(b"\x89PNG")
