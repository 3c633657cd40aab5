"""`regions`: the map, the table, and what becomes of them in files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import UsageError, for_python

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Two squares of one colour, apart, on a ground, with specks."""
    rng = np.random.default_rng(0)
    image = np.full((40, 60), 60.0)
    image[5:20, 5:20] = image[25:38, 40:58] = 180
    image += rng.normal(0, 5, image.shape)
    image[30, 10:12] = 180
    return np.clip(image.round(), 0, 255).astype(np.uint8)


def test_regions_and_their_table(picture: np.ndarray) -> None:
    found = emseg.segment(picture, k=2, regions=10)
    regions, table = found.regions, found.regions.table
    assert regions.count == 3
    assert found.report["regions"] == {"count": 3, "least": 10, "merge": 0.0}
    assert table["area"].tolist() == [2400 - 225 - 234, 225, 234]
    assert table["label"].tolist() == [1, 2, 2]
    for column, expected in {
        "left": [0, 5, 40],
        "top": [0, 5, 25],
        "width": [60, 15, 18],
        "height": [40, 15, 13],
    }.items():
        assert table[column].tolist() == expected
    assert table["x"][1:].tolist() == pytest.approx([12, 48.5])
    assert table["y"][1:].tolist() == pytest.approx([12, 31])
    assert (table["confidence"] > 0.99).all()
    for region in (1, 2, 3):
        assert table["gray"][region - 1] == pytest.approx(picture[regions.ids == region].mean())
    assert emseg.segment(picture, k=2, regions=1).regions.count == 4


def test_regions_that_look_alike_become_one() -> None:
    image = np.repeat(np.array([50, 53, 200], np.uint8), 20)[None].repeat(30, 0) + np.arange(60, dtype=np.uint8) % 3
    apart, joined = (emseg.segment(image, k=3, regions=10, merge=merge).regions.count for merge in (0, 1))
    assert apart > joined == 2


def test_no_data_has_no_region(picture: np.ndarray) -> None:
    mask = np.ones_like(picture)
    mask[:, 30:36] = 0
    found = emseg.segment(picture, k=2, regions=10, mask=mask, mrf="icm")
    assert (found.regions.ids[mask == 0] == 0).all()
    assert found.regions.count == 4
    assert found.regions.table["area"].sum() == mask.sum()


def test_files(picture: np.ndarray, tmp_path: Path) -> None:
    PIL.Image.fromarray(picture).save(tmp_path / "p.png")
    arguments = ["segment", str(tmp_path / "p.png"), "-k", "2", "--regions", "10", "-o", str(tmp_path / "out"), "-q"]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    with PIL.Image.open(tmp_path / "out" / "p.regions.png") as stored:
        ids = np.asarray(stored)
    with open(tmp_path / "out" / "p.regions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["area"]) for row in rows] == np.bincount(ids.ravel())[1:].tolist()
    assert list(rows[0])[:3] == ["region", "class", "area"]
    assert "p.regions.csv" in (tmp_path / "out" / "p.json").read_text()


def test_many_regions_are_16_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    PIL.Image.fromarray(rng.integers(0, 2, (64, 64)).astype(np.uint8) * 200).save(tmp_path / "p.png")
    arguments = ["segment", str(tmp_path / "p.png"), "-k", "2", "--regions", "1", "--merge", "0", "-q"]
    assert attempt(lambda: cli.main([*arguments, "-o", str(tmp_path)], "emseg", standalone_mode=False)) == 0
    with PIL.Image.open(tmp_path / "p.regions.png") as stored:
        assert np.asarray(stored).max() > 255


def test_surfaces_under_changing_light_are_covered(shared_data: Path) -> None:
    name = "IITP-close__BONCH-01"
    truth = np.load(shared_data / "colorseg" / "gt" / f"{name}.npz")["segs"]
    found = emseg.segment(shared_data / "colorseg" / "images" / f"{name}.png", k=6, regions=200, merge=1)
    plain, joined = (emseg.evaluate(ids, [truth], 0)["scores"] for ids in (found.labels, found.regions.ids))
    assert joined["covering"] > plain["covering"] + 0.05


def test_nonsense_is_refused(picture: np.ndarray) -> None:
    for how in ({"regions": -1}, {"merge": -0.5}, {"merge": float("nan")}):
        with pytest.raises(UsageError, match="it must be"):
            emseg.segment(picture, k=2, **how)


def nuclei() -> tuple[np.ndarray, np.ndarray]:
    """Sixty discs in 16 bits, half of them in touching pairs, and their numbers."""
    rng, shape = np.random.default_rng(3), (512, 512)
    y, x = np.mgrid[: shape[0], : shape[1]]
    truth = np.zeros(shape, np.uint16)

    def put(cy: float, cx: float, r: float) -> None:
        truth[(np.hypot(y - cy, x - cx) < r) & (truth == 0)] = truth.max() + 1

    places = [(40 + i * 54, 40 + j * 54) for i in range(9) for j in range(9)]
    rng.shuffle(places)
    for cy, cx in places[:30]:
        put(cy, cx, rng.uniform(9, 12))
    for cy, cx in places[30:45]:
        angle = rng.uniform(0, np.pi)
        away = 9.5 * np.array([np.sin(angle), np.cos(angle)])
        put(cy + away[0], cx + away[1], 10.5)
        put(cy - away[0], cx - away[1], 10.5)
    return (300 + 900 * (truth > 0) + rng.normal(0, 60, shape)).clip(0, 4095).astype(np.uint16), truth


@pytest.mark.parametrize("how", [{}, {"regions": 20}, {"regions": "auto"}, {"k": 3}, {"mrf": "icm"}, {"missing": "em"}])
@pytest.mark.parametrize("dark", [False, True])
def test_touching_nuclei_are_split(how: dict, dark: bool) -> None:
    image, truth = nuclei()
    found = emseg.segment(4095 - image if dark else image, split=True, **{"k": 2, **how})
    assert found.regions is not None
    ids = found.regions.ids
    assert found.regions.count == found.report["regions"]["count"] == 60
    assert found.report["regions"]["touching"] == 45
    for number in range(1, 61):
        own = truth == number
        best = np.bincount(ids[own]).argmax()
        assert np.count_nonzero(own & (ids == best)) > 0.9 * np.count_nonzero(own | (ids == best))
    assert ("the dark part" in found.notices[-1]) == dark
    assert found.report["warnings"] == [for_python(line) for line in found.notices]


def test_options_of_objects() -> None:
    image, _ = nuclei()
    assert emseg.segment(image, k=2, foreground="bright").regions.count == 45
    assert emseg.segment(image, k=2, foreground=2, regions=10).regions.table["label"].tolist() == [2] * 45
    assert emseg.segment(image, k=2, foreground="dark").regions.count == 1
    assert emseg.segment(image, k=2, split=True, foreground="all", regions=20).regions.count > 61
    assert emseg.segment(image, k=2, split=True, neck=0.3).regions.count == 45
    single = emseg.segment(image, k=1, split=True)
    assert single.regions.count == 0
    assert single.notices[-1].startswith("no objects, because all pixels are of one class")
    with pytest.raises(UsageError, match="foreground='3': there is no class 3 with k=2"):
        emseg.segment(image, k=2, foreground=3)
    line = "merge=1.0 does nothing with split=True; leave out split=True, or leave it out"
    assert line in emseg.segment(image, k=2, split=True, merge=1).report["warnings"]
    line = "neck=0.5 does nothing without split; add split=True, or leave it out"
    assert line in emseg.segment(image, k=2, neck=0.5).report["warnings"]


def test_split_on_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tifffile.imwrite(tmp_path / "n.tif", nuclei()[0])
    arguments = ["segment", str(tmp_path / "n.tif"), "-k", "2", "--split", "--save", "coco,geojson,labels-tiff"]
    assert attempt(lambda: cli.main([*arguments, "-o", str(tmp_path / "out")], "emseg", standalone_mode=False)) == 0
    out, err = capfd.readouterr()
    assert "in 60 regions of 2 classes" in out
    assert "60 objects of class 2, the bright part, because" in err
    assert err.rstrip().endswith("--foreground decides")
    ids = tifffile.imread(tmp_path / "out" / "n.labels.tif")
    assert np.unique(ids).tolist() == list(range(61))
    for name, key in (("n.coco.json", "annotations"), ("n.geojson", "features")):
        assert len(json.loads((tmp_path / "out" / name).read_text())[key]) == 60


def test_a_volume_in_millimetres(tmp_path: Path) -> None:
    """Five boxes; one in a single slice along the first row of y, one along the last."""
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
    boxes = [((5, 12), (10, 18), (3, 9)), ((20, 30), (20, 30), (10, 20)), ((30, 36), (2, 8), (22, 27))]
    boxes += [((5, 10), (44, 50), (5, 6)), ((5, 10), (0, 6), (6, 7))]
    truth = np.zeros((40, 50, 30))
    for box in boxes:
        truth[tuple(slice(*ends) for ends in box)] = 1
    stored = (100 + 100 * truth + np.random.default_rng(0).normal(0, 5, truth.shape)).astype(np.float32)
    image = nibabel.Nifti1Image(stored, np.diag([-1.0, 1, 2, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "v.nii.gz")
    arguments = ["segment", str(tmp_path / "v.nii.gz"), "-k", "2", "--regions", "5", "-q", "-o", str(tmp_path)]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    with open(tmp_path / "v.regions.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["class"] == "2"]
    found = {
        tuple(
            (int(row[a]), int(row[a]) + int(row[b]))
            for a, b in (("left", "width"), ("top", "height"), ("front", "depth"))
        )
        for row in rows
    }
    assert found == set(boxes)
    for row in rows:
        sides = [int(row[name]) for name in ("width", "height", "depth")]
        assert int(row["area"]) == np.prod(sides)
        assert float(row["volume_mm3"]) == 2 * np.prod(sides)
        assert float(row["solidity"]) == 1
        assert int(row["touches_border"]) == (row["top"] == "0" or int(row["top"]) + sides[1] == 50)
        middle = [int(row[name]) + (side - 1) / 2 for name, side in zip(("left", "top", "front"), sides, strict=True)]
        assert [float(row[name]) for name in "xyz"] == pytest.approx(middle)
        assert float(row["min_gray"]) < float(row["mean_gray"]) < float(row["max_gray"])
        assert float(row["mean_gray"]) == pytest.approx(200, abs=4)


def test_a_channel_called_like_a_column_takes_nothing_away() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.normal(np.where(np.arange(400) < 200, 50, 90)[None, :, None], 4, (10, 400, 2))
    image = emseg.Image(pixels, "bands", channel_names=("area", "x"))
    table = emseg.segment(image, k=2, features="bands", regions=9).regions.table
    assert table["area"].tolist() == [2000, 2000]
    assert table["mean_area"] == pytest.approx([50, 90], abs=1)


def test_what_python_saves_and_shows(tmp_path: Path) -> None:
    found = emseg.segment(nuclei()[0], k=2, split=True)
    assert repr(found.regions).startswith("60 regions, with the columns region, class, area, left")
    found.save(tmp_path, name="n", save=("coco",))
    assert {"n.regions.png", "n.regions.csv", "n.coco.json"} <= {path.name for path in tmp_path.iterdir()}
