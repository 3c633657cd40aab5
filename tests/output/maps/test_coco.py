"""COCO: the same pixels as run lengths."""

from __future__ import annotations

import json

import numpy as np

from emseg.output.maps.coco import classes_coco, coco_file

from ..segmented import volume

LABELS = np.random.default_rng(0).integers(0, 4, (12, 17)).astype(np.uint8)


def test_run_lengths_are_the_masks() -> None:
    facts = json.loads(classes_coco(LABELS, 4, "in/photo.png"))
    assert facts["images"] == [{"id": 1, "file_name": "photo.png", "width": 17, "height": 12}]
    assert [category["id"] for category in facts["categories"]] == [1, 2, 3, 4]
    assert [entry["category_id"] for entry in facts["annotations"]] == [1, 2, 3]
    for entry in facts["annotations"]:
        runs = entry["segmentation"]["counts"]
        mask = np.repeat(np.arange(len(runs)) % 2, runs).reshape(17, 12).T == 1
        np.testing.assert_array_equal(mask, entry["id"] == LABELS)
        assert entry["area"] == mask.sum()
        x, y, width, height = entry["bbox"]
        rows, columns = np.nonzero(mask)
        assert (x, y, x + width, y + height) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_labels_that_do_not_occur_have_no_mask() -> None:
    facts = json.loads(classes_coco(np.zeros((3, 4), np.uint8), 2, "x.png"))
    assert facts["annotations"] == []
    assert len(facts["categories"]) == 2
    full = json.loads(classes_coco(np.full((3, 4), 2, np.uint8), 2, "x.png"))
    assert [entry["segmentation"]["counts"] for entry in full["annotations"]] == [[0, 12]]


def test_a_volume_is_a_montage() -> None:
    result = volume((5, 4, 6))
    facts = json.loads(coco_file(result))
    assert sum(entry["area"] for entry in facts["annotations"]) == result.labels.size
    assert facts["images"][0]["width"] * facts["images"][0]["height"] > result.labels.size
