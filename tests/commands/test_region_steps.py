"""More regions than 16 bits can number: nothing is lost, and a line says where their map is."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli

pytestmark = pytest.mark.long


def dots(*shape: int) -> np.ndarray:
    """Bright pixels apart from each other on a dark ground."""
    image = np.full(shape, 40, np.uint8)
    image[tuple(slice(None, None, 2) for _ in shape)] = 200
    return image


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a PNG could number 20 regions."""
    for module in ("output.registry", "output.pictures.label_pictures", "commands.region_steps"):
        monkeypatch.setattr(f"emseg.{module}.MOST_IDS", 20)


@pytest.mark.usefixtures("few")
def test_their_map_is_a_tiff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(dots(12, 16)).save(tmp_path / "dots.png")
    arguments = ["segment", str(tmp_path / "dots.png"), "-k", "2", "--regions", "1", "-o", str(tmp_path / "out")]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    line = "49 regions are more than a PNG numbers, so their map is a TIFF of 32 bits; larger --regions gives fewer"
    assert line in capsys.readouterr().err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "dots.regions.tif" in names
    assert "dots.regions.png" not in names
    ids = tifffile.imread(tmp_path / "out" / "dots.regions.tif")
    assert ids.dtype == np.uint32
    assert len(np.unique(ids)) == 49
    assert attempt(lambda: cli.main([*arguments, "--resume"], "emseg", standalone_mode=False)) == 0
    assert "done before" in capsys.readouterr().out
    result = emseg.segment(dots(12, 16), 2, regions=1)
    assert result.warnings == (line.replace("--regions", "regions"),)
    result.save(tmp_path / "python", name="x")
    assert (tifffile.imread(tmp_path / "python" / "x.regions.tif") == ids).all()
    assert result.overlay().shape == (12, 16, 3)


@pytest.mark.usefixtures("few")
def test_volumes(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(dots(8, 8, 4).T, np.eye(4)), tmp_path / "v.nii.gz")
    emseg.segment(tmp_path / "v.nii.gz", 2, regions=1).save(tmp_path / "out")
    stored = np.asarray(nibabel.load(tmp_path / "out" / "v.regions.nii.gz").dataobj)
    assert len(np.unique(stored)) == 33
    pages = tifffile.imread(tmp_path / "out" / "v.regions.tif")
    np.testing.assert_array_equal(pages, stored.T)


@pytest.mark.slow
def test_really_many(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(dots(120, 120, 40).T, np.eye(4)), tmp_path / "v.nii.gz")
    result = emseg.segment(tmp_path / "v.nii.gz", 2, regions=1)
    assert result.regions is not None
    assert result.regions.count == 60 * 60 * 20 + 1
    result.save(tmp_path / "out", save="all")
    stored = nibabel.load(tmp_path / "out" / "v.regions.nii.gz")
    assert stored.get_data_dtype() == np.int32
    np.testing.assert_array_equal(np.asarray(stored.dataobj).T, result.regions.ids)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "v.regions.tif"), result.regions.ids)
