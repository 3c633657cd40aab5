"""Opening model files: what is no ordinary file of sensible size is refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import emseg
from emseg.errors import DataError
from emseg.output.store import model_file
from emseg.output.store.model_file import looks_like_model, read_model


def saved(folder: Path) -> str:
    """The path of a model of two grey values."""
    image = np.array([[10, 12, 11, 90, 93, 91]], np.uint8)
    path = folder / "m.json"
    path.write_bytes(model_file.model_file(emseg.segment(image, k=2)))
    return str(path)


def test_a_model_is_told_from_a_picture_by_its_first_character(tmp_path: Path) -> None:
    assert looks_like_model(saved(tmp_path))
    (tmp_path / "labels.png").write_bytes(b"\x89PNG{")
    (tmp_path / "empty").write_bytes(b"")
    assert not looks_like_model(str(tmp_path / "labels.png"))
    assert not looks_like_model(str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError):
        looks_like_model(str(tmp_path / "none"))


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    model = read_model(saved(tmp_path))
    assert model.features == "gray"
    np.testing.assert_allclose(model.mixture.components.means.ravel(), [11, 274 / 3], rtol=1e-6)


def test_no_file_a_folder_or_a_flood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(DataError, match="not a usable model"):
            read_model(str(path))
    monkeypatch.setattr(model_file, "LARGEST", 100)
    with pytest.raises(DataError, match="too large"):
        read_model(saved(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.json")
    with pytest.raises(DataError, match="no ordinary file"):
        read_model(str(tmp_path / "m.json"))
