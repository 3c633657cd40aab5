"""`--censored` and `--truncated` from image to report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.errors import DataError, UsageError
from emseg.mixture.saved import model_json
from emseg.options.kinds.limits_text import is_limits, limits
from emseg.output.store.model_file import read_model

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
MEANS = np.array([[70.0, 90.0, 60.0], [240.0, 215.0, 190.0]])
MATRIX = np.array([[900.0, 500.0, 300.0], [500.0, 700.0, 200.0], [300.0, 200.0, 500.0]])


def scene(seed: int = 0, side: int = 80, channels: int = 3) -> np.ndarray:
    """Two clusters of colours on an unlimited sensor, (H, W, C)."""
    rng = np.random.default_rng(seed)
    labels = rng.random((side, side)) < 0.4
    root = np.linalg.cholesky(MATRIX)
    return np.asarray(MEANS[labels * 1] + rng.normal(size=(side, side, 3)) @ root.T)[..., :channels]


def clipped(side: int = 80, channels: int = 3) -> np.ndarray:
    return np.clip(np.rint(scene(side=side, channels=channels)), 0, 255).astype(np.uint8)


def test_overexposed_pixels_do_not_pull_the_parameters() -> None:
    """Whole values x stand for x ± ½, so the bounds lie there."""
    plain, censored = (emseg.segment(clipped(), k=2, features="rgb", censored=text) for text in ("", "0.5,254.5"))
    truth = np.abs(censored.mixture.components.means - MEANS).max()
    assert truth < 2.5
    assert np.abs(plain.mixture.components.means - MEANS).max() > 3 * truth
    spread = censored.mixture.components.covariances[1]
    np.testing.assert_allclose(spread, MATRIX, rtol=0.15, atol=40)
    assert np.abs(plain.mixture.components.covariances[1] - MATRIX).max() > 2 * np.abs(spread - MATRIX).max()
    assert censored.report["bounds"]["censored"] == [0.5, 254.5]
    assert censored.report["bounds"]["censored_pixels"] == int(((clipped() == 0) | (clipped() == 255)).any(-1).sum())
    assert plain.report["bounds"] is None


def test_what_was_never_recorded_is_made_up_for() -> None:
    image = scene(side=150)[..., 0]
    recorded = (image >= 40) & (image <= 255)
    found = emseg.segment(np.where(recorded, image, 100.0), k=2, mask=recorded, truncated=(40, 255))
    np.testing.assert_allclose(found.mixture.components.means[:, 0], MEANS[:, 0], atol=4)
    np.testing.assert_allclose(np.sqrt(found.mixture.components.covariances[:, 0, 0]), 30, atol=2.5)
    assert found.report["options"]["truncated"] == "40,255"
    plain = emseg.segment(np.where(recorded, image, 100.0), k=2, mask=recorded)
    assert (np.sqrt(plain.mixture.components.covariances[:, 0, 0]) < 26).all()


def test_labels_and_posteriors_are_those_of_the_densities() -> None:
    found = emseg.segment(clipped(40), k=2, censored="0,255")
    assert found.report["features"]["spec"] == "rgb"
    values = clipped(40).reshape(-1, 3).T.astype(float)
    joint = found.mixture.log_joint(values)
    np.testing.assert_array_equal(found.labels.ravel(), joint.argmax(0) + 1)
    top = np.log(np.exp(joint - joint.max(0)).sum(0)) + joint.max(0)
    np.testing.assert_allclose(found.posterior().reshape(2, -1), np.exp(joint - top), atol=1e-5)
    assert found.report["log_likelihood"] == pytest.approx(top.sum(), rel=1e-9)


def test_a_saved_model_keeps_its_bounds(tmp_path: Path) -> None:
    found = emseg.segment(clipped(40), k=2, censored="0,255")
    path = tmp_path / "m.emseg.json"
    path.write_bytes(model_json(found.report))
    again = emseg.apply(str(path), clipped(40))
    np.testing.assert_array_equal(again.labels, found.labels)
    assert again.report["log_likelihood"] == pytest.approx(found.report["log_likelihood"], rel=1e-9)
    assert not np.allclose(read_model(str(path)).mixture.log_joint(np.full((3, 1), 255.0)), 0)
    more = emseg.segment(clipped(40), k=2, censored="0,255", init=str(path))
    assert more.report["log_likelihood"] == pytest.approx(found.report["log_likelihood"], rel=1e-6)


def test_compare_and_a_range_of_k_go_with_bounds() -> None:
    table = emseg.compare(clipped(24, 1), k=2, censored=",255", algorithms=("em", "anderson", "vb"), max_iter=30)
    status = {row["algorithm"]: row["status"] for row in table.report["algorithms"]}
    assert status["vb"].startswith("not applicable: algorithm='vb': does not go with limits of values")
    assert table.report["options"]["censored"] == ",255"
    assert emseg.segment(clipped(40, 1), k="1:3", censored=",255", criterion="bic").report["K"] == 2


def test_a_field_goes_with_censored_pixels_alone() -> None:
    assert emseg.segment(clipped(24, 1), k=2, censored=",255", mrf="icm").report["mrf"]["method"] == "icm"
    with pytest.raises(UsageError, match="mrf='icm': does not go with truncated"):
        emseg.segment(clipped(24, 1), k=2, truncated="-1,256", mrf="icm")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "lab"}, "censored='0,255': limits of stored values mean nothing to lab; use features='auto'"),
        ({"features": "rgb,xy"}, "mean nothing to rgb,xy; use features='auto'"),
        ({"features": "gray"}, "mean nothing to gray; use features='rgb'"),
        ({"family": "poisson"}, "poisson knows no bounds; use family='gaussian'"),
        ({"family": "student"}, "student knows no bounds; use family='gaussian'"),
        ({"noise": True}, "does not go with noise=True"),
        (
            {"k": "1:2", "criterion": "elbo"},
            "criterion='elbo': variational Bayes knows no bounds",
        ),
        ({"truncated": "0,300"}, "must lie within truncated='0,300'"),
    ],
)
def test_what_does_not_go_together(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        emseg.segment(clipped(16), **({"k": 2, "censored": "0,255"} | options))  # type: ignore[arg-type]


def test_pixels_that_cannot_be() -> None:
    with pytest.raises(DataError, match=r"\d+ pixels lie outside of truncated='10,250', where none were recorded"):
        emseg.segment(clipped(16), k=2, truncated="10,250")
    with pytest.raises(DataError, match="no value of R lies within censored=',3'; move the limits"):
        emseg.segment(clipped(16) // 2 + 10, k=2, censored=",3")


def test_four_bands_at_once_need_independent_ones() -> None:
    bands = np.concatenate([clipped(16), clipped(16)[..., :2]], axis=-1)
    with pytest.raises(UsageError, match="5 bands are more than 3 at once; use covariance='diag'"):
        emseg.segment(bands, k=2, truncated="-1,256")
    bands[0, 0] = 255
    with pytest.raises(UsageError, match="5 bands of a pixel at their bounds are more than 3 at once"):
        emseg.segment(bands, k=2, censored="0,255")
    assert emseg.segment(bands, k=2, censored="0,255", covariance="diag").report["K"] == 2


@pytest.mark.parametrize("text", ["0,255", ",255", "0,", "-inf,3", "1e-3,2", ""])
def test_limits(text: str) -> None:
    assert is_limits(text)


@pytest.mark.parametrize("wrong", ["5", "a,b", "3,3", "4,3", ",", "nan,3", "1,2,3", (1, 2, 3), (2, 1), 7])
def test_no_limits(wrong: object) -> None:
    assert not is_limits(wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"censored is .*must be two limits LO,HI"):
        emseg.segment(clipped(8), k=2, censored=wrong)  # type: ignore[arg-type]


def test_a_pair_is_a_text() -> None:
    assert limits("0,255") == (0, 255)
    assert limits(", 255") == (-np.inf, 255)


def test_a_photograph_overexposed_on_purpose() -> None:
    """The guide's table: without --censored, a component shrinks onto 255, and the others are moved about."""
    over = np.asarray(PIL.Image.open(ROOT / "sample_images" / "camera.png").convert("L")) * 1.21
    clip = np.clip(np.rint(over), 0, 255).astype(np.uint8)
    free = emseg.segment(np.rint(over).astype(np.uint16), k=4, features="gray")
    plain, censored = (emseg.segment(clip, k=4, features="gray", censored=text) for text in ("", ",254.5"))
    assert 0.07 < (clip == 255).mean() < 0.09
    assert plain.mixture.components.covariances.min() < 0.2  # two steps of rounding
    assert (plain.labels == free.labels).mean() < 0.5
    assert (censored.labels == free.labels).mean() > 0.9
    bright = censored.mixture.components[3], free.mixture.components[3]
    assert bright[0].means[0] == pytest.approx(bright[1].means[0], abs=1)
    assert np.sqrt(bright[0].covariances[0, 0]) == pytest.approx(np.sqrt(bright[1].covariances[0, 0]), abs=1.5)
