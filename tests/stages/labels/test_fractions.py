"""`--partial-volume`: fractions of known mixtures, labels, files, and one line for what does not go with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.em.registry import without_mixed
from emseg.errors import UsageError

pytestmark = pytest.mark.long

MEANS, NOISE = np.array([60.0, 120.0, 200.0]), 5.0


def mixed_image(seed: int = 0, three_d: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Smooth blobs in three grey values, drawn at four times the resolution: image and true fractions (3, …)."""
    rng = np.random.default_rng(seed)
    shape = (24, 28, 26) if three_d else (96, 112)
    fine = np.meshgrid(*(np.linspace(0, n / 6, 4 * n) for n in shape), indexing="ij", sparse=True)
    height = sum(np.sin(f * rng.normal(size=1) + rng.uniform(0, 6)) for f in fine for _ in range(2))
    height = height + np.sin(0.8 * sum(fine))
    kind = np.digitize(height, np.quantile(height, [0.4, 0.7]))
    blocks = [length for n in shape for length in (n, 4)]
    axes = tuple(range(1, 2 * len(shape), 2))
    held = np.stack([(kind == k).reshape(blocks).mean(axes) for k in range(3)])
    return np.tensordot(MEANS, held, 1) + NOISE * rng.normal(size=shape), held


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main([str(word) for word in arguments], "emseg", standalone_mode=False))


@pytest.mark.parametrize("mrf", ["none", "auto", "mean-field", "icm", "graph-cut"])
def test_fractions_of_known_mixtures_are_found(mrf: str) -> None:
    image, held = mixed_image()
    plain = emseg.segment(image, k=3, mrf=mrf)
    found = emseg.segment(image, k=3, mrf=mrf, partial_volume=True)
    fractions = found.fractions()
    assert fractions.shape == held.shape
    np.testing.assert_allclose(fractions.sum(0), 1, atol=1e-5)
    assert np.sqrt(((fractions - held) ** 2).mean()) < 0.75 * np.sqrt(((plain.posterior() - held) ** 2).mean())
    np.testing.assert_array_equal(found.labels, fractions.argmax(0) + 1)
    wrong = [(result.labels != held.argmax(0) + 1).mean() for result in (plain, found)]
    assert wrong[1] < 0.75 * wrong[0]
    np.testing.assert_allclose(found.mixture.components.means[:, 0], MEANS, atol=2)
    np.testing.assert_allclose(np.sqrt(found.mixture.components.covariances[:, 0, 0]), NOISE, atol=2)
    assert found.report["pixel_counts"] == np.bincount(found.labels.ravel(), minlength=4)[1:].tolist()


@pytest.mark.parametrize("mrf", ["none", "auto"])
def test_volumes_with_masks(mrf: str) -> None:
    image, held = mixed_image(three_d=True)
    flat = emseg.Image(
        image.astype(np.float32).reshape(-1, image.shape[2], 1), "gray", metadata={"volume": image.shape}
    )
    mask = np.ones(flat.shape, np.uint8)
    mask[:28, :9] = 0
    found = emseg.segment(flat, k=3, mrf=mrf, partial_volume=True, mask=mask)
    inside = mask.reshape(image.shape) > 0
    fractions = found.fractions()
    assert fractions.shape == held.shape
    assert (found.labels[~inside] == 0).all()
    assert (fractions[:, ~inside] == 0).all()
    np.testing.assert_allclose(fractions[:, inside].sum(0), 1, atol=1e-5)
    assert (found.labels != held.argmax(0) + 1)[inside].mean() < 0.06


def test_large_images_are_fitted_by_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    from emseg.mrf import tiles
    from emseg.mrf.inference.mean_field import MeanField
    from emseg.stages.labels import field

    image, _ = mixed_image()
    whole = emseg.segment(image, k=3, mrf="mean-field", partial_volume=True)
    monkeypatch.setattr(MeanField, "largest_whole", 0)
    monkeypatch.setattr(field, "SAMPLE", 4096)
    monkeypatch.setitem(tiles.TILE_SIDE, 2, 32)
    parts = emseg.segment(image, k=3, mrf="mean-field", partial_volume=True)
    assert (whole.labels == parts.labels).mean() > 0.98
    np.testing.assert_array_equal(whole.mixture.components.means, parts.mixture.components.means)


def test_the_report_names_the_mixed_classes() -> None:
    image, held = mixed_image()
    report = emseg.segment(image, k=3, partial_volume=True).report
    assert [entry["between"] for entry in report["mixed"]] == [[1, 2], [2, 3]]
    means = np.array(report["means"])[:, 0]
    assert report["mixed"][0]["mean"] == pytest.approx([(means[0] + means[1]) / 2])
    truly = (held.max(0) < 1) & (held[2] == 0)
    assert report["mixed"][0]["weight"] == pytest.approx(truly.mean(), abs=0.05)
    assert report["n_parameters"] == 2 + 3 + 3 + 2
    assert emseg.segment(image, k=3).report["mixed"] is None


def test_colours_mix_too() -> None:
    image, held = mixed_image()
    rng = np.random.default_rng(1)
    bands = np.stack([image, 255 - 0.7 * image + NOISE * rng.normal(size=image.shape)], axis=-1)
    found = emseg.segment(bands, k=3, features="bands", partial_volume=True)
    assert np.sqrt(((found.fractions() - held) ** 2).mean()) < 0.1


def test_files_and_a_model_that_applies(tmp_path: Path) -> None:
    image, _ = mixed_image()
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(np.clip(image.round(), 0, 255).astype(np.uint8)).save(path)
    out = tmp_path / "out"
    assert run("segment", path, "-k", 3, "--partial-volume", "--save", "all", "-q", "-o", out) == 0
    fractions = tifffile.imread(out / "photo.fractions.tif")
    assert fractions.shape == (3, *image.shape)
    assert fractions.dtype == np.float32
    np.testing.assert_allclose(fractions.sum(0), 1, atol=1e-5)
    model = out / "photo.emseg.json"
    assert run("apply", model, path, "--save", "fractions", "-q", "-o", tmp_path / "again") == 0
    for name in ("photo.labels.png", "photo.fractions.tif"):
        first, second = (tmp_path / folder / name for folder in ("out", "again"))
        if name.endswith(".tif"):
            np.testing.assert_allclose(tifffile.imread(second), tifffile.imread(first), atol=1e-5)
        else:
            assert second.read_bytes() == first.read_bytes()
    assert run("segment", path, "-k", 3, "--partial-volume", "--init", model, "-q", "-o", tmp_path / "third") == 0


def test_one_line_where_there_are_no_fractions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, _ = mixed_image()
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(np.clip(image.round(), 0, 255).astype(np.uint8)).save(path)
    assert run("segment", path, "-k", 3, "--save", "fractions", "-o", tmp_path) == 2
    assert "--save fractions: there is nothing to write; add --partial-volume" in capsys.readouterr().err
    assert run("segment", path, "-k", 3, "--save", "model", "-q", "-o", tmp_path) == 0
    assert run("apply", tmp_path / "photo.emseg.json", path, "--save", "fractions", "-o", tmp_path / "b") == 2
    expected = "--save fractions: there is nothing to write; fit the model with --partial-volume"
    assert expected in capsys.readouterr().err
    with pytest.raises(UsageError, match="fractions: pixels hold one class each; use partial_volume"):
        emseg.segment(image, k=3).fractions()


@pytest.mark.parametrize(
    "how",
    [
        {"k": 1},
        {"k": "2:4"},
        {"noise": True},
        {"censored": "0,255"},
        {"truncated": "-100,400"},
        {"missing": "em"},
        *({"algorithm": name} for name in without_mixed()),
        {"base": "px"},
    ],
)
def test_what_does_not_go_together_is_one_line(how: dict) -> None:
    image, _ = mixed_image()
    options = {"k": 3, "features": "gray", **how}
    with pytest.raises(UsageError, match=r"^partial_volume=True: does not go with .*; leave one of them out$"):
        emseg.segment(image, partial_volume=True, **options)


@pytest.mark.parametrize("option", ["scribbles", "prior_map"])
def test_nor_does_it_go_with_classes_that_are_named(option: str, tmp_path: Path) -> None:
    image, held = mixed_image()
    path = tmp_path / "known.npy"
    np.save(path, held)
    with pytest.raises(UsageError, match=f"partial_volume=True: does not go with {option}"):
        emseg.segment(image, k=3, partial_volume=True, **{option: str(path)})
