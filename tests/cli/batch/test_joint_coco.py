"""One COCO file for a batch: with several processes, failures, resumed runs and shards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from emseg.cli.batch.joint_coco import NAME
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # pycocotools 2.0.11
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images in two folders, two of one name, with 2, 3 and 4 discs."""
    (tmp_path / "in" / "sub").mkdir(parents=True)
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:50, :160]
    for name, count in (("a.png", 2), ("b.png", 3), ("sub/a.png", 4)):
        discs = np.hypot(y - 25, x % 40 - 20) < 9
        pixels = 60 + 120 * (discs & (x < 40 * count)) + rng.normal(0, 6, y.shape)
        PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "in" / name)
    return tmp_path


def run(folder: Path, *more: str, inputs: tuple[str, ...] = ("in",), out: str = "out") -> int:
    words = ["segment", *(str(folder / name) for name in inputs), "--recursive", "-k", "2", "--split", "--save", "coco"]
    return attempt(lambda: cli.main([*words, "-o", str(folder / out), *more], "emseg", standalone_mode=False))


def joint(folder: Path, out: str = "out") -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / out / NAME).read_text())
    return facts


def check(folder: Path, names: list[str]) -> None:
    """Every image of the file, with the masks that its own file has."""
    facts = joint(folder)
    assert [image["file_name"] for image in facts["images"]] == names
    ids = [image["id"] for image in facts["images"]]
    assert ids == list(range(1, len(ids) + 1))
    assert [entry["id"] for entry in facts["annotations"]] == list(range(1, len(facts["annotations"]) + 1))
    assert [category["name"] for category in facts["categories"]] == ["class 1", "class 2"]
    for number, name in zip(ids, names, strict=True):
        own = json.loads((folder / "out" / name.replace(".png", ".coco.json")).read_text())["annotations"]
        same = [entry for entry in facts["annotations"] if entry["image_id"] == number]
        assert [{**entry, "id": 0, "image_id": 1} for entry in same] == [{**entry, "id": 0} for entry in own]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_all_images_are_in_one_file(folder: Path, jobs: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--jobs", jobs) == 0
    check(folder, ["a.png", "b.png", "sub/a.png"])
    assert len(joint(folder)["annotations"]) == 9
    assert capfd.readouterr().out.endswith(f"→ {folder / 'out' / NAME}: 3 images, 9 annotations\n")
    before = (folder / "out" / NAME).read_bytes()
    assert run(folder, "--resume", "-q") == 0
    assert (folder / "out" / NAME).read_bytes() == before


def test_pycocotools_reads_it(folder: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="needs pycocotools")
    assert run(folder, "-q") == 0
    loaded = coco.COCO(str(folder / "out" / NAME))
    for number, image in loaded.imgs.items():
        ids = np.zeros((image["height"], image["width"]), int)
        for entry in loaded.loadAnns(loaded.getAnnIds(number, iscrowd=False)):
            ids[loaded.annToMask(entry) > 0] = entry["region"]
        with PIL.Image.open(folder / "out" / image["file_name"].replace(".png", ".regions.png")) as stored:
            np.testing.assert_array_equal(np.asarray(stored), ids)


def test_what_failed_is_left_out_until_it_is_done(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good = (folder / "in" / "b.png").read_bytes()
    (folder / "in" / "b.png").write_bytes(b"no image")
    assert run(folder) == 1
    check(folder, ["a.png", "sub/a.png"])
    assert "2 images, 6 annotations; 1 of 3 inputs missing" in capfd.readouterr().out
    (folder / "in" / "b.png").write_bytes(good)
    assert run(folder, "--resume", "-q") == 0
    check(folder, ["a.png", "b.png", "sub/a.png"])
    (folder / "in" / "b.png").write_bytes(b"no image")  # its old results are of another image
    assert run(folder, "--resume", "-q") == 1
    check(folder, ["a.png", "sub/a.png"])


def test_shards_find_each_others_images(folder: Path) -> None:
    assert run(folder, "--shard", "1/2", "-q") == 0
    check(folder, ["a.png", "sub/a.png"])
    assert run(folder, "--shard", "2/2", "-q") == 0
    check(folder, ["a.png", "b.png", "sub/a.png"])
    assert run(folder, "--shard", "1/2", "--seed", "3", "-q") == 0  # results of other options are not mixed in
    check(folder, ["a.png", "sub/a.png"])


def test_nothing_is_done(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in folder.glob("in/**/*.png"):
        path.write_bytes(b"no image")
    assert run(folder) == 1
    assert not (folder / "out" / NAME).exists()
    assert "not written, because no image is done" in capfd.readouterr().out


def test_a_single_image_has_its_own_file_alone(folder: Path) -> None:
    assert run(folder, "-q", inputs=("in/a.png",)) == 0
    assert not (folder / "out" / NAME).exists()
    assert len(json.loads((folder / "out" / "a.coco.json").read_text())["annotations"]) == 2


def test_dry_runs_and_json(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--dry-run") == 0
    assert capfd.readouterr().out.endswith(f"all inputs → {folder / 'out' / NAME}\n")
    assert not (folder / "out").exists()
    assert run(folder, "--json") == 0
    assert len([json.loads(line) for line in capfd.readouterr().out.splitlines()]) == 3
    check(folder, ["a.png", "b.png", "sub/a.png"])


def test_other_files_are_not_replaced(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "out").mkdir()
    (folder / "out" / NAME).write_text("{}")
    assert run(folder, "-q") == 1
    assert "not written by emseg, or changed since; give --overwrite to replace it" in capfd.readouterr().err
    assert [entry.name for entry in (folder / "out").iterdir()] == [NAME]  # before any work
    assert run(folder, "-q", "--overwrite") == 0
    check(folder, ["a.png", "b.png", "sub/a.png"])
    (folder / "in" / "annotations.png").write_bytes((folder / "in" / "a.png").read_bytes())
    assert run(folder, "-q") == 2
    assert "is also the COCO file of all images; use another --name" in capfd.readouterr().err


def test_pages_are_images(folder: Path) -> None:
    pages = []
    for name in ("a", "b"):
        with PIL.Image.open(folder / "in" / f"{name}.png") as image:
            pages.append(image.copy())
    pages[0].save(folder / "both.tif", save_all=True, append_images=pages[1:])
    assert run(folder, "--page", "all", "-q", inputs=("both.tif",)) == 0
    images = joint(folder)["images"]
    assert [(image["id"], image["file_name"], image["page"]) for image in images] == [
        (1, "both.tif", 1),
        (2, "both.tif", 2),
    ]


def test_one_model_for_all_images(folder: Path) -> None:
    assert run(folder, "-q", "--save", "model", inputs=("in/b.png",), out="model") == 0
    words = ["apply", str(folder / "model" / "b.emseg.json"), str(folder / "in"), "--recursive", "--split", "-q"]
    out = ["--save", "coco", "-o", str(folder / "out")]
    assert attempt(lambda: cli.main([*words, *out], "emseg", standalone_mode=False)) == 0
    check(folder, ["a.png", "b.png", "sub/a.png"])
    assert len(joint(folder)["annotations"]) == 9
    assert (folder / "out" / "a.regions.csv").exists()
