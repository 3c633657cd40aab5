from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from emseg.errors import UsageError
from emseg.output.registry import KINDS, saveable, written_always, written_besides

from .segmented import Result, plane, volume


def test_suffixes_and_names_are_unique() -> None:
    assert len({kind.suffix for kind in KINDS.values()}) == len(KINDS)
    assert all(kind.summary and kind.suffix.startswith(".") for kind in KINDS.values())
    assert not set(saveable()) & set(written_always())


def png(data: bytes) -> Any:
    with Pillow.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def test_every_kind_holds_what_its_summary_says() -> None:
    """Other programs read each file back: Pillow, tifffile, the standard library."""
    result = plane()
    assert result.regions is not None
    assert result.colours is not None
    seen = set()

    def written(name: str) -> bytes:
        seen.add(name)
        return KINDS[name].write(result)

    assert np.array_equal(png(written("labels")), result.labels)
    assert png(written("overlay")).shape == result.labels.shape
    assert np.array_equal(png(written("regions")), result.regions.ids)
    colours = np.concatenate([np.zeros((1, 3), np.uint8), result.colours])
    with Pillow.open(io.BytesIO(written("mean"))) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), colours[result.labels])
    for name, values in (
        ("labels-tiff", result.regions.ids),
        ("posterior", result.posterior()),
        ("entropy", result.entropy()),
        ("fractions", result.fractions()),
        ("bias", result.gain),
    ):
        assert np.array_equal(tifffile.imread(io.BytesIO(written(name))), values), name
    assert [row["e_steps"] for row in csv.DictReader(io.StringIO(written("log").decode()))] == ["1"]
    assert [row["region"] for row in csv.DictReader(io.StringIO(written("regions-csv").decode()))] == ["1", "2", "3"]
    areas = [np.bincount(numbers.ravel())[1:].tolist() for numbers in (result.regions.ids, result.labels)]
    for found, pixels in zip((result, replace(result, regions=None)), areas, strict=True):
        shapes = json.loads(KINDS["geojson"].write(found))["features"]
        assert [shape["properties"]["pixels"] for shape in shapes] == pixels
        masks = json.loads(KINDS["coco"].write(found))["annotations"]
        assert [mask["area"] for mask in masks] == pixels
    assert png(written("cutout"))[..., -1].shape == result.labels.shape
    seen |= {"geojson", "coco"}
    plain = KINDS["labels-tiff"].write(replace(result, regions=None))
    assert np.array_equal(tifffile.imread(io.BytesIO(plain)), result.labels)
    assert {name for name, kind in KINDS.items() if not (kind.beside or kind.package)} - seen == {
        "model"
    }  # see store/test_model_file


@pytest.mark.parametrize("name", ["bias", "regions"])
def test_a_writer_says_what_is_not_there(name: str) -> None:
    with pytest.raises(ValueError, match="looked for"):
        KINDS[name].write(replace(plane(), gain=None, regions=None))


def test_pictures_of_a_volume_are_montages() -> None:
    result: Result = volume()
    pages = png(KINDS["labels"].write(result))
    assert pages.size > result.labels.size  # 5 slices in a grid of 6
    assert np.array_equal(tifffile.imread(io.BytesIO(KINDS["labels-tiff"].write(result))).reshape(20, 6), result.labels)


def test_what_options_bring() -> None:
    assert written_besides((), {}) == ()
    assert written_besides((), {"regions": 10}) == ("regions", "regions-csv")
    assert written_besides(("entropy", "labels-tiff"), {}) == ("labels-tiff", "entropy")
    everything = written_besides(
        ("all",), {"regions": "auto", "bias_field": True, "partial_volume": True, "scribbles": True}
    )
    own = [name for name in saveable() if not KINDS[name].package]
    assert everything == (*own, "regions", "regions-csv")
    assert written_besides(("all",), {}) == tuple(name for name in own if not KINDS[name].needs)
    applied = tuple(name for name in saveable(applied=True) if not KINDS[name].package)
    assert written_besides(("all",), {"partial_volume": True}, applied=True) == applied


def test_a_saved_model_brings_less() -> None:
    assert list(written_always()) == ["labels", "overlay", "log"]
    assert list(written_always(applied=True)) == ["labels", "overlay"]
    assert set(saveable()) - set(saveable(applied=True)) == {"model", "bias", "cutout"}


@pytest.mark.parametrize(("applied", "remedy"), [(False, "add"), (True, "fit the model with")])
def test_a_kind_without_its_option_is_refused(applied: bool, remedy: str) -> None:
    with pytest.raises(UsageError, match=f"save='fractions': there is nothing to write; {remedy} partial_volume=True"):
        written_besides(("fractions",), {"partial_volume": False}, applied)
