"""Connected regions of labels: SciPy's components where nothing is merged; descriptions with and without texture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from emseg.errors import UsageError, option
from emseg.features.build import build_features
from emseg.image.model import Image
from emseg.stages.labels.connected_regions import FoundRegions, RegionOptions, connected_regions, description_of

RNG = np.random.default_rng(0)
LABELS = (ndimage.gaussian_filter(RNG.normal(size=(40, 50)), 3) > 0).astype(np.uint8) + 1
PHOTO = Image.from_array(np.clip(100 + 60 * LABELS + RNG.normal(0, 5, LABELS.shape), 0, 255).astype(np.uint8))
FEATURES = build_features(PHOTO, "gray")
POSTERIOR = np.stack([LABELS == 1, LABELS == 2]).astype(np.float32)


@pytest.mark.parametrize("merge", ["default", 0.0])
def test_regions_of_one_pixel_or_more_are_connected_components(merge: float | str) -> None:
    def found(smallest: int) -> FoundRegions:
        return connected_regions(PHOTO, LABELS, POSTERIOR, FEATURES, RegionOptions(smallest, merge), classes=2)

    regions, facts, notices = found(1)
    assert notices == ()
    count = sum(ndimage.label(label == LABELS)[1] for label in (1, 2))
    assert regions.count == count == facts["count"]
    assert int(regions.table["area"].sum()) == LABELS.size
    larger = found(60).regions
    assert larger.count < count
    assert larger.table["area"].min() >= 60


def test_a_description_merges_until_the_description_is_shortest() -> None:
    description = description_of(PHOTO, None, FEATURES, with_texture=False)
    wanted = RegionOptions("auto", "default")
    regions, facts, _ = connected_regions(
        PHOTO, LABELS, POSTERIOR, FEATURES, wanted, classes=2, independent_area=2.0, description=description
    )
    assert facts["independent_area"] == pytest.approx(2.0)
    assert 1 <= regions.count <= sum(ndimage.label(label == LABELS)[1] for label in (1, 2))


def test_texture_stands_beside_the_features_unless_it_is_one() -> None:
    photo = Image.from_array(RNG.integers(0, 255, (200, 220)).astype(np.uint8))
    features = build_features(photo, "gray")
    assert len(description_of(photo, None, features, with_texture=False).values) == 1
    assert len(description_of(photo, None, features, with_texture=True).values) > 1
    texture = build_features(photo, "texture")
    assert len(description_of(photo, None, texture, with_texture=True).values) == len(texture.names)


def test_objects_are_told() -> None:
    wanted = RegionOptions("auto", foreground="auto", neck=0.85)
    regions, facts, notices = connected_regions(PHOTO, LABELS, POSTERIOR, FEATURES, wanted, classes=2)
    (group,) = facts["foreground"]
    assert set(regions.classes.tolist()) <= {1, 2}
    assert facts["neck"] == 0.85
    assert notices[0].startswith(f"{regions.count} object")
    assert f"of class {group[0]}, the" in notices[0]
    assert notices[0].endswith(f"; {option('foreground')} decides")
    assert any("left out" in line for line in notices[1:]) == (facts["specks"] > 0)
    named = RegionOptions(3, foreground="2")
    regions, facts, notices = connected_regions(PHOTO, LABELS, POSTERIOR, FEATURES, named, classes=2)
    assert (notices, facts["foreground"]) == ((), [[2]])
    assert set(regions.classes.tolist()) == {2}


def test_a_class_that_there_is_not() -> None:
    with pytest.raises(UsageError, match=r"foreground='2,5': .* has no class 5; there are 2 classes"):
        connected_regions(PHOTO, LABELS, POSTERIOR, FEATURES, RegionOptions(3, foreground="2,5"), classes=2)
