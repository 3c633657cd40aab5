from __future__ import annotations

from pathlib import Path

import numpy as np

import emseg
from emseg.mixture.saved import read_model
from emseg.output.tables.saved_model import model_file


def test_what_is_written_is_the_mixture(tmp_path: Path) -> None:
    result = emseg.segment(np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8), 3)
    (tmp_path / "x.emseg.json").write_bytes(model_file(result))
    model = read_model(str(tmp_path / "x.emseg.json"))
    assert model.features == "lab"
    np.testing.assert_allclose(model.mixture.weights, result.mixture.weights, rtol=1e-12)
    np.testing.assert_allclose(model.mixture.components.means, result.mixture.components.means, rtol=1e-12)
