"""A model that does not suit an image: a line says how many pixels are far from every class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli

TRUTH = np.mgrid[:60, :80][1] > 30


def drawn(dark: float, bright: float, channels: int = 1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    planes = [np.where(TRUTH, bright, dark) + rng.normal(0, 4, TRUTH.shape) for _ in range(channels)]
    return np.clip(np.stack(planes, -1).round(), 0, 255).astype(np.uint8).squeeze()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("family", ["gaussian", "student", "poisson", "gamma"])
def test_most_pixels_are_far(channels: int, family: str) -> None:
    spec = "bands" if family in {"poisson", "gamma"} else "auto"
    model = emseg.segment(drawn(60, 90, channels), k=2, family=family, features=spec)
    assert emseg.apply(model, drawn(62, 91, channels, seed=1)).report["warnings"] == []
    (line,) = emseg.apply(model, drawn(200, 250, channels)).report["warnings"]
    assert line == (
        "100 % of the pixels are far from every class of the model, and their labels mean little; "
        "give an image like those the model was fitted to, in the same units"
    )


def test_half_an_image_of_something_else_is_no_reason() -> None:
    model = emseg.segment(drawn(60, 90), k=2)
    half = drawn(60, 90)
    half[:, 45:] = 250
    assert emseg.apply(model, half).report["warnings"] == []
    half[:, 35:] = 250
    (line,) = emseg.apply(model, half).report["warnings"]
    assert line.startswith("56 % of the pixels")


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import PIL.Image

    for name, image in (("fitted", drawn(60, 90)), ("other", drawn(160, 240))):
        PIL.Image.fromarray(image).save(tmp_path / f"{name}.png")
    out = ["-o", str(tmp_path)]
    fit = ["segment", str(tmp_path / "fitted.png"), "-k", "2", "--save", "model", *out]
    assert attempt(lambda: cli.main(fit, "emseg", standalone_mode=False)) == 0
    use = ["apply", str(tmp_path / "fitted.emseg.json"), str(tmp_path / "other.png"), *out]
    assert attempt(lambda: cli.main(use, "emseg", standalone_mode=False)) == 0
    assert "100 % of the pixels are far from every class of the model" in capsys.readouterr().err
