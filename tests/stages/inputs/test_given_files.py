"""Files that say something of the classes: what each becomes, and that none is read unless it is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.errors import UsageError
from emseg.image.model import Image
from emseg.mixture.saved import Model, model_json
from emseg.stages.inputs.given_files import NO_FILES, read_given_files

PHOTO = Image.from_array(np.arange(12, dtype=np.uint8).reshape(3, 4))


def test_names_of_starts_are_no_files() -> None:
    for init in ("auto", "kmeans++", "random"):
        given = read_given_files(PHOTO, k=2, init=init, scribbles="", prior_map="")
        assert (given.scribbles, given.log_prior, given.start) == (None, None, None)
        assert not given.names_classes
    assert not NO_FILES.names_classes


def test_every_file_becomes_numbers(tmp_path: Path) -> None:
    labels = np.array([[1, 0, 0, 2]] * 3, np.uint8)
    PIL.Image.fromarray(labels).save(tmp_path / "labels.png")
    pages = np.stack([np.full((3, 4), 3.0), np.full((3, 4), 1.0)])
    np.save(tmp_path / "pages.npy", pages)
    png, npy = str(tmp_path / "labels.png"), str(tmp_path / "pages.npy")
    given = read_given_files(PHOTO, k=2, init=png, scribbles=png, prior_map=npy)
    assert given.names_classes
    np.testing.assert_array_equal(given.scribbles, labels)
    np.testing.assert_array_equal(given.start, labels)
    np.testing.assert_allclose(np.exp(given.log_prior), pages / 4, rtol=1e-6)
    assert not read_given_files(PHOTO, k=2, init=png, scribbles="", prior_map="").names_classes


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "model.png"
    path.write_bytes(model_json(emseg.segment(PHOTO, k=2).report))
    start = read_given_files(PHOTO, k=2, init=str(path), scribbles="", prior_map="").start
    assert isinstance(start, Model)
    assert start.features == "gray"


@pytest.mark.parametrize("name", ["kmeans", "a folder/that is not.png"])
def test_a_start_that_is_neither_a_name_nor_a_file(name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be read .*give auto, kmeans\+\+, random or a file"):
        read_given_files(PHOTO, k=2, init=name, scribbles="", prior_map="")
