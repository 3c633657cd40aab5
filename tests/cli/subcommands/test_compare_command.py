"""`emseg compare` as a user runs it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.em.registry import ALGORITHMS
from emseg.output.tables.convergence_log import COLUMNS

pytestmark = pytest.mark.long

FILES = ["photo.compare.csv", "photo.compare.json", "photo.compare.svg"]
TWO = ("--algorithms", "em,squarem")


@pytest.fixture
def photo(tmp_path: Path, samples: Path) -> Path:
    """A small picture, in a folder of its own."""
    with Image.open(samples / "astronaut.png") as picture:
        picture.convert("RGB").resize((60, 40)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main(["compare", *map(str, arguments)], "emseg", standalone_mode=False))


def test_three_files_and_a_table(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 3, *TWO, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    out, err = capsys.readouterr()
    assert err == ""
    report = json.loads((tmp_path / "out" / "photo.compare.json").read_text("utf-8"))
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    for entry in report["algorithms"]:
        _name, e_steps, iterations, _, log_likelihood, gap, status = lines[entry["algorithm"]]
        assert (int(e_steps), int(iterations)) == (entry["e_steps"], entry["iterations"])
        assert float(log_likelihood) == pytest.approx(entry["log_likelihood_per_pixel"], abs=1e-6)
        assert float(gap) == pytest.approx(entry["gap_per_pixel"], rel=0.06, abs=1e-12)
        assert entry["status"].startswith(status)
    assert lines["algorithm"][-1] == "status"
    assert "photo.compare.svg" in out


def test_several_files_as_one_image(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.png"
    Image.open(photo).convert("L").transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(other)
    assert run("--stack", photo, other, "-k", 2, *TWO, "-q", "-o", tmp_path / "out") == 0
    report = json.loads((tmp_path / "out" / "photo.compare.json").read_text("utf-8"))
    assert [Path(file["path"]).name for file in report["input"]["files"]] == ["photo.png", "other.png"]
    assert (
        report["features"]["names"] == ["photo 1", "photo 2", "photo 3", "other"]
        or len(report["features"]["names"]) == 4
    )
    capsys.readouterr()
    assert run(photo, other, "-k", 2) == 2
    assert "compare takes one image, not 2; --stack takes several files as one image" in capsys.readouterr().err
    assert run("--stack", photo, "-k", 2, *TWO, "-o", tmp_path / "one") == 0
    assert "--stack does nothing with one input" in capsys.readouterr().err
    assert run("--stack", photo, tmp_path / "none.png", "-k", 2) == 1
    assert run("--stack", "no*such", "-k", 2) == 1


def test_the_csv_holds_every_trace(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-k", 3, *TWO, "-q", "-o", tmp_path) == 0
    report = json.loads((tmp_path / "photo.compare.json").read_text("utf-8"))
    with open(tmp_path / "photo.compare.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["algorithm", *COLUMNS]
    for entry in report["algorithms"]:
        own = [row for row in rows if row["algorithm"] == entry["algorithm"]]
        assert [int(row["iteration"]) for row in own] == list(range(entry["iterations"] + 1))
        assert float(own[-1]["log_likelihood"]) == entry["log_likelihood"]


def test_the_picture_names_every_algorithm_in_both_panels(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-k", 3, *TWO, "-q", "-o", tmp_path) == 0
    tree = ElementTree.parse(tmp_path / "photo.compare.svg")
    words = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert [words.count(name) for name in ("em", "squarem", "E-steps")] == [2, 2, 2]
    assert words[0] == "photo.png: 3 components, 2 algorithms from one k-means++ start"


def test_json_is_the_report(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 2, *TWO, "--json", "-o", tmp_path) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == json.loads((tmp_path / "photo.compare.json").read_text("utf-8"))


def test_all_algorithms_unless_named(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 2, "--max-iter", 5, "-o", tmp_path) == 0
    out = capsys.readouterr().out
    assert {line.split()[0] for line in out.splitlines()} >= set(ALGORITHMS)


def test_files_of_others_are_kept_and_own_ones_replaced(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photo.compare.svg").write_text("mine")
    assert run(photo, "-k", 2, *TWO, "-q", "-o", tmp_path) == 1
    assert "not written by emseg" in capsys.readouterr().err
    assert (tmp_path / "photo.compare.svg").read_text() == "mine"
    assert run(photo, "-k", 2, *TWO, "-q", "-o", tmp_path, "--overwrite") == 0
    assert run(photo, "-k", 3, *TWO, "-q", "-o", tmp_path) == 0


def test_verbose_shows_every_iteration(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 2, *TWO, "-v", "-o", tmp_path) == 0
    heads = [line for line in capsys.readouterr().err.splitlines() if line in ("em", "squarem")]
    assert heads == ["em", "squarem"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--algorithms", "em,magic"], "'magic' is none of em"),
        (["--start", "auto"], "kmeans++"),
        (["--algorithm", "em"], "No such option"),
        (["--save", "all"], "No such option"),
    ],
)
def test_nonsense_is_a_usage_error(
    photo: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, *arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_missing_image_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nowhere.png", "-o", tmp_path / "out") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_result_does_not_replace_its_image(photo: Path, tmp_path: Path) -> None:
    odd = tmp_path / "x.png"
    odd.write_bytes(photo.read_bytes())
    link = tmp_path / "x.compare.svg"
    link.symlink_to(odd)
    assert run(odd, *TWO, "-q", "-o", tmp_path) == 2


def test_standard_output_has_no_room_for_three(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, *TWO, "-o", "-") == 2
    assert "name a folder" in capsys.readouterr().err
