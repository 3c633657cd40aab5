"""What needs pixels or files to be refused is refused before the first E-step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.em.problem import Problem
from emseg.errors import DataError, EmsegError, ImageError, UsageError
from emseg.features.build import build_features
from emseg.image.model import Image
from emseg.mixture.saved import model_json
from emseg.stages.inputs.checks import check_field, check_image, check_samples

pytestmark = pytest.mark.long

FINE = np.random.default_rng(0).integers(1, 255, (24, 30, 3)).astype(np.uint8)
GRAY = FINE[:, :, 0]
VOLUME = Image(GRAY.astype(np.float32)[:, :, None], "gray", metadata={"volume": (4, 6, 30)})


def png(folder: Path, name: str, labels: np.ndarray) -> str:
    PIL.Image.fromarray(labels.astype(np.uint8)).save(folder / name)
    return str(folder / name)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Files that do not fit the images above, by name."""
    shape = GRAY.shape
    halves = np.where(np.arange(30) < 15, 1, 2) * np.ones(shape)
    np.save(tmp_path / "two.npy", np.ones((2, *shape)))
    np.save(tmp_path / "small.npy", np.ones((3, 5, 5)))
    np.save(tmp_path / "negative.npy", -np.ones((3, *shape)))
    (tmp_path / "no.tif").write_bytes(b"II*no")
    (tmp_path / "gray.json").write_bytes(model_json(emseg.segment(GRAY, k=2).report))
    return {
        "gone": str(tmp_path / "gone.png"),
        "two pages": str(tmp_path / "two.npy"),
        "small pages": str(tmp_path / "small.npy"),
        "negative pages": str(tmp_path / "negative.npy"),
        "no TIFF": str(tmp_path / "no.tif"),
        "model": str(tmp_path / "gray.json"),
        "halves": png(tmp_path, "halves.png", halves),
        "small": png(tmp_path, "small.png", halves[:5]),
        "empty": png(tmp_path, "empty.png", 0 * halves),
        "five": png(tmp_path, "five.png", np.where(halves == 2, 5, halves)),
    }


@pytest.fixture
def no_fit(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The files, and any E-step fails from now on."""

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("an E-step was made")

    monkeypatch.setattr(Problem, "e_step", fail)
    return files


LIMITED = {"k": 2, "censored": "0,255"}
REFUSALS: dict[str, tuple[Any, dict[str, Any], type[EmsegError], str]] = {
    "neighbours of a volume": (GRAY, {"mrf": "auto", "neighbours": 6}, UsageError, "use 4 or 8"),
    "neighbours of a plane": (VOLUME, {"mrf": "auto", "neighbours": 8}, UsageError, "use 6 or 18 or 26"),
    "a colour of grey": (GRAY, {"features": "lab"}, UsageError, "does not fit a grey image"),
    "texture of a volume": (VOLUME, {"features": "texture"}, UsageError, "does not fit a volume"),
    "one pixel": (GRAY[:1, :1], {"mrf": "auto"}, DataError, "all pixels are equal"),
    "few values": (GRAY // 100, {"k": 4}, DataError, "3 distinct values cannot make 4"),
    "few values for a range": (GRAY // 100, {"k": "2:4"}, DataError, "3 distinct values cannot make 4"),
    "many classes": (FINE, {"k": 300, "mrf": "icm"}, DataError, "a field holds up to 254 classes"),
    "many classes with noise": (FINE, {"k": 254, "mrf": "icm", "noise": True}, DataError, "up to 254 classes"),
    "a field of parts": (
        np.where(FINE > 200, np.nan, FINE),
        {"k": 2, "missing": "em", "mrf": "icm", "features": "rgb"},
        DataError,
        "a field needs all channels",
    ),
    "a mask of another size": (GRAY, {"mask": np.ones((3, 3))}, DataError, "3x3 pixels"),
    "no pixel": (GRAY, {"mask": np.zeros(GRAY.shape)}, DataError, "masked"),
    "zeros of speckle": (GRAY // 100, {"k": 2, "family": "gamma"}, DataError, "gamma has no density"),
    "negative counts": (GRAY - 100.0, {"k": 2, "family": "poisson"}, DataError, "poisson has no density"),
    "no angle": (GRAY, {"k": 2, "family": "von-mises"}, UsageError, "is no angle"),
    "beyond what is recorded": (GRAY, {"k": 2, "truncated": "10,250"}, DataError, "pixels lie outside of"),
    "nothing within": (GRAY // 2 + 10, {"k": 2, "censored": ",3"}, DataError, "no value of gray lies within"),
    "limits of colour": (GRAY, {**LIMITED, "features": "rgb"}, UsageError, "does not fit a grey image"),
    "limits of a grey colour": (FINE, {**LIMITED, "features": "gray"}, UsageError, "use features='rgb'"),
    "no prior map": (GRAY, {"k": 3, "prior_map": "gone"}, EmsegError, r"gone\.png"),
    "a prior map of K - 1": (GRAY, {"k": 3, "prior_map": "two pages"}, UsageError, "give a page of 30 × 24"),
    "a small prior map": (GRAY, {"k": 3, "prior_map": "small pages"}, UsageError, "give a page of 30 × 24"),
    "a negative prior map": (GRAY, {"k": 3, "prior_map": "negative pages"}, ImageError, "give probabilities"),
    "a damaged prior map": (GRAY, {"k": 3, "prior_map": "no TIFF"}, ImageError, r"no\.tif: cannot be read"),
    "no scribbles": (GRAY, {"k": 2, "scribbles": "gone"}, EmsegError, r"gone\.png"),
    "small scribbles": (GRAY, {"k": 2, "scribbles": "small"}, ImageError, "give a label map of the image's size"),
    "scribbles of five": (GRAY, {"k": 2, "scribbles": "five"}, UsageError, "holds label 5 of 2 components"),
    "scribbles of two": (GRAY, {"k": 3, "scribbles": "halves"}, UsageError, "label 3 of 3 marks no valid pixel"),
    "scribbles that are masked": (
        GRAY,
        {"k": 2, "scribbles": "halves", "mask": np.arange(30) < 12 + np.zeros(GRAY.shape)},
        UsageError,
        "label 2 of 2 marks no valid pixel",
    ),
    "scribbles that contradict": (
        np.tile(np.arange(15, dtype=np.uint8), (24, 2)),
        {"k": 2, "scribbles": "halves"},
        DataError,
        "labels 1 and 2 contradict",
    ),
    "no start": (GRAY, {"k": 2, "init": "gone"}, EmsegError, r"gone\.png"),
    "a small start": (GRAY, {"k": 2, "init": "small"}, ImageError, "give a label map of the image's size"),
    "an empty start": (GRAY, {"k": 2, "init": "empty"}, UsageError, "holds no label above 0"),
    "a start of two": (GRAY, {"k": 3, "init": "halves"}, UsageError, "holds 2 components, not 3; use k=2"),
    "a model of two": (GRAY, {"k": 3, "init": "model"}, UsageError, "holds 2 components, not 3; use k=2"),
    "a model of grey": (FINE, {"k": 2, "init": "model"}, UsageError, "use features='gray'"),
    "a model of another family": (
        GRAY,
        {"k": 2, "init": "model", "family": "student"},
        UsageError,
        "family='gaussian'",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_nobody_waits_for_a_refusal(name: str, no_fit: dict[str, str]) -> None:
    image, options, error, message = REFUSALS[name]
    given = {key: no_fit.get(value, value) if isinstance(value, str) else value for key, value in options.items()}
    with pytest.raises(error, match=message):
        emseg.segment(image, **given)


def test_the_e_step_is_what_fails_where_nothing_is_refused(no_fit: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="an E-step was made"):
        emseg.segment(GRAY, k=2)


@pytest.mark.parametrize(("shape", "fine"), [((24, 30), ("auto", "4", "8")), ((4, 6, 30), ("auto", "6", "18", "26"))])
def test_neighbourhoods_are_those_of_the_dimensions(shape: tuple[int, ...], fine: tuple[str, ...]) -> None:
    photo = VOLUME if len(shape) == 3 else Image.from_array(GRAY)
    for neighbours in ("auto", "4", "8", "6", "18", "26"):
        check_image(photo, features="auto", mrf="none", neighbours=neighbours)  # which nobody looks at
        if neighbours in fine:
            check_image(photo, features="auto", mrf="gibbs", neighbours=neighbours)
        else:
            with pytest.raises(UsageError, match=f"neighbours={neighbours}: does not go with {len(shape)} dimensions"):
                check_image(photo, features="auto", mrf="gibbs", neighbours=neighbours)


@pytest.mark.parametrize("values", [1, 2, 3, 7])
def test_as_many_components_as_there_are_values(values: int) -> None:
    photo = Image.from_array(np.arange(42).reshape(6, 7) % values)
    features = build_features(photo, "gray") if values > 1 else None
    if features is None:
        with pytest.raises(DataError, match="all pixels are equal"):
            emseg.segment(photo, k=1)
        return
    check_samples(photo, features, values)
    with pytest.raises(DataError, match=f"use k={values} or smaller"):
        check_samples(photo, features, values + 1)


def test_as_many_classes_as_a_field_holds() -> None:
    photo = Image.from_array(GRAY)
    features = build_features(photo, "gray")
    check_field(photo, features, 254)
    with pytest.raises(DataError, match="use a smaller k, or mrf='none'"):
        check_field(photo, features, 255)


def test_features_that_are_equal_where_pixels_are_not_are_named() -> None:
    grey = np.repeat(np.arange(60, dtype=np.uint8).reshape(6, 10, 1), 3, axis=2)
    with pytest.raises(DataError, match=r"equal in .?features='hue'.?, .* compare pixels by another feature"):
        emseg.segment(grey, 2, features="hue")
