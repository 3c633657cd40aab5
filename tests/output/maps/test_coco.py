"""COCO: the same pixels as polygons and run lengths."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emseg.output.maps.coco import coco_file, parts_coco
from emseg.output.maps.map_parts import MapParts
from emseg.regions.graph import components

from ..segmented import plane, volume

LABELS = np.random.default_rng(0).integers(0, 4, (12, 17)).astype(np.uint8)


def classes(labels: NDArray[Any], k: int) -> MapParts:
    return MapParts(labels, np.arange(1, k + 1), "class")


def regions(labels: NDArray[Any]) -> MapParts:
    """The connected parts of labels."""
    numbers = components(labels)
    first = np.unique(numbers, return_index=True)[1][int(numbers.min() == 0) :]
    return MapParts(numbers, labels.flat[first].astype(int), "region")


def rings_and_specks() -> NDArray[Any]:
    """Regions with holes, regions in holes, and regions that touch themselves in a corner."""
    y, x = np.mgrid[:40, :60]
    labels = (np.hypot(y - 20, x - 25) // 4 % 2 + 1).astype(np.uint8)
    labels[2:9, 45:55] = np.array([[1, 2], [2, 1]])[y[2:9, 45:55] % 2, x[2:9, 45:55] % 2]
    labels[30:35, 50:] = 0
    return labels


def decoded(entry: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    runs = entry["segmentation"]["counts"]
    return np.repeat(np.arange(len(runs)) % 2, runs).reshape(width, height).T == 1


def test_run_lengths_are_the_masks_of_classes() -> None:
    facts = json.loads(parts_coco(classes(LABELS, 4), 4, "in/photo.png"))
    assert facts["images"] == [{"id": 1, "file_name": "photo.png", "width": 17, "height": 12}]
    assert [category["id"] for category in facts["categories"]] == [1, 2, 3, 4]
    assert facts["categories"][1]["name"] == "class 2"
    assert [entry["category_id"] for entry in facts["annotations"]] == [1, 2, 3]
    for entry in facts["annotations"]:
        mask = decoded(entry, 12, 17)
        np.testing.assert_array_equal(mask, entry["category_id"] == LABELS)
        assert entry["iscrowd"] == 0
        assert entry["area"] == mask.sum()
        x, y, width, height = entry["bbox"]
        rows, columns = np.nonzero(mask)
        assert (x, y, x + width, y + height) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_labels_that_do_not_occur_have_no_mask() -> None:
    facts = json.loads(parts_coco(classes(np.zeros((3, 4), np.uint8), 2), 2, "x.png"))
    assert facts["annotations"] == []
    assert len(facts["categories"]) == 2
    full = json.loads(parts_coco(classes(np.full((3, 4), 2, np.uint8), 2), 2, "x.png"))
    assert [entry["segmentation"]["counts"] for entry in full["annotations"]] == [[0, 12]]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools 2.0.11
@pytest.mark.parametrize("seed", range(6))
def test_pycocotools_gives_every_region_back(seed: int, tmp_path: Any) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="needs pycocotools")
    rng = np.random.default_rng(seed)
    labels = rings_and_specks() if seed == 0 else rng.integers(0, 3, rng.integers(1, 40, 2)).astype(np.uint8)
    parts = regions(labels)
    (tmp_path / "a.json").write_bytes(parts_coco(parts, 3, "x.png"))
    loaded = coco.COCO(str(tmp_path / "a.json"))
    ids = loaded.getAnnIds(iscrowd=False)
    assert len(ids) == len(set(ids)) == len(parts.classes)
    for entry in loaded.loadAnns(ids):
        mask = loaded.annToMask(entry)
        np.testing.assert_array_equal(mask, parts.numbers == entry["region"])
        assert entry["category_id"] == labels[mask > 0][0]
        assert entry["area"] == mask.sum()
        rows, columns = np.nonzero(mask)
        wanted = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert entry["bbox"] == wanted


def test_regions_are_polygons_unless_they_have_holes() -> None:
    parts = regions(rings_and_specks())
    entries = json.loads(parts_coco(parts, 2, "x.png"))["annotations"]
    kinds = {type(entry["segmentation"]) for entry in entries}
    assert kinds == {list, dict}
    for entry in entries:
        if isinstance(entry["segmentation"], list):
            (polygon,) = entry["segmentation"]
            x, y = np.array(polygon[::2]), np.array(polygon[1::2])
            assert abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2 == entry["area"]
        else:
            np.testing.assert_array_equal(decoded(entry, 40, 60), parts.numbers == entry["region"])


def test_regions_come_before_classes() -> None:
    result = plane()
    assert result.regions is not None
    facts = json.loads(coco_file(result))
    assert [entry["region"] for entry in facts["annotations"]] == list(range(1, result.regions.count + 1))
    assert [entry["category_id"] for entry in facts["annotations"]] == result.regions.classes.tolist()


def test_slices_of_a_volume_are_images() -> None:
    result = volume((5, 4, 6))
    facts = json.loads(coco_file(result))
    assert [(image["id"], image["slice"]) for image in facts["images"]] == [(z + 1, z) for z in range(5)]
    assert {(image["width"], image["height"]) for image in facts["images"]} == {(6, 4)}
    ids = [entry["id"] for entry in facts["annotations"]]
    assert ids == list(range(1, len(ids) + 1))
    labels = result.labels.reshape(5, 4, 6)
    for entry in facts["annotations"]:
        mask = decoded(entry, 4, 6)
        np.testing.assert_array_equal(mask, labels[entry["image_id"] - 1] == entry["category_id"])
