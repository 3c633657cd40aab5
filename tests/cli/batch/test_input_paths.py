"""From the command line to the list of inputs."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from emseg.cli.batch.input_paths import common_folder, expand, line_of_series
from emseg.errors import UsageError
from emseg.output.store.names import Input


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some files, in the current folder."""
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png", "sub/c.tif", "sub/deep/d.png", ".git/e.png", "s2/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(*arguments: str, **how: object) -> list[str]:
    return [entry.path for entry in expand(arguments, **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "recursive", "found"),
    [
        (["b.png", "a.JPG"], False, ["b.png", "a.JPG"]),
        (["notes.txt", ".hidden.png"], False, ["notes.txt", ".hidden.png"]),  # named: taken at their word
        (["nowhere.png"], False, ["nowhere.png"]),
        (["-"], False, ["-"]),
        (["."], False, ["a.JPG", "b.png"]),
        (["sub"], False, ["sub/c.tif"]),
        (["sub/"], True, ["sub/c.tif", "sub/deep/d.png"]),
        (["."], True, ["a.JPG", "b.png", "s2/b.png", "sub/c.tif", "sub/deep/d.png"]),
        (["*.png"], False, ["b.png"]),
        (["*"], False, ["a.JPG", "b.png", "notes.txt"]),
        (["sub/*"], True, ["sub/c.tif", "sub/deep/d.png"]),
        (["**/*.png"], False, ["b.png", "s2/b.png", "sub/deep/d.png"]),
        (["[ab].*"], False, ["a.JPG", "b.png"]),
    ],
)
def test_files_folders_and_patterns(arguments: list[str], recursive: bool, found: list[str]) -> None:
    assert paths(*arguments, recursive=recursive) == found


@pytest.mark.parametrize("name", ["[a].png", "*.png", "%d.png", "{stem}.png", "-k.png", "new\nline.png", " .png"])
def test_a_file_of_that_name_comes_first(name: str) -> None:
    Path(name).touch()
    assert paths(name) == [name]


def test_a_file_in_a_folder_is_never_an_option() -> None:
    Path("-k.png").touch()
    assert paths(".")[0] == "./-k.png"


@pytest.mark.parametrize(("argument", "problem"), [("empty", "no images in this folder"), ("*.gif", "no file matches")])
def test_nothing_found_is_an_input_with_a_problem(argument: str, problem: str) -> None:
    (entry,) = expand([argument])
    assert problem in entry.problem
    assert entry.problem.startswith(argument)


@pytest.mark.parametrize(
    ("arguments", "folders"),
    [
        (["sub"], ["", "deep"]),
        (["sub", "s2"], ["sub", "sub/deep", "s2"]),
        (["b.png", "s2/b.png"], ["", "s2"]),
        (["s2/b.png"], [""]),
        (["s*/b.png"], ["s2"]),
        (["-", "sub/c.tif"], ["", ""]),
    ],
)
def test_recursive_keeps_the_tree(arguments: list[str], folders: list[str]) -> None:
    assert [entry.folder for entry in expand(arguments, recursive=True)] == folders
    assert {entry.folder for entry in expand(arguments)} == {""}


def test_links_to_folders_are_not_gone_into_twice(tree: Path) -> None:
    (tree / "sub" / "loop").symlink_to(tree, target_is_directory=True)
    assert paths("sub", recursive=True) == ["sub/c.tif", "sub/deep/d.png"]


def test_its_own_results_are_no_inputs() -> None:
    for name in ("b.labels.png", "b.overlay.png", "b.other.png", "c.labels.png"):
        Path(name).touch()
    Path("b.json").write_text(json.dumps({"version": "1", "outputs": {"b.labels.png": "", "b.overlay.png": ""}}))
    Path("c.json").write_text("[1, 2")
    assert paths("*.png") == paths(".")[1:] == ["b.other.png", "b.png", "c.labels.png"]
    assert paths("b.labels.png") == ["b.labels.png"]  # if it is named


@pytest.mark.parametrize("null", [False, True])
def test_lists(monkeypatch: pytest.MonkeyPatch, null: bool) -> None:
    names = [b"b.png", b"*.png", b"sub", b"-", b"latin\xe9.png", b" x "]
    listed = (b"\0" if null else b"\n").join([*names, b""])
    Path("list").write_bytes(listed)
    wanted = ["b.png", "*.png", "sub", "./-", os.fsdecode(b"latin\xe9.png"), " x "]
    assert paths(listed="list", null=null) == wanted
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    assert paths("a.JPG", listed="-", null=null) == ["a.JPG", *wanted]


def test_names_with_line_breaks_go_with_null() -> None:
    Path("list").write_bytes(b"a\nb.png\0")
    assert paths(listed="list", null=True) == ["a\nb.png"]


def test_nul_characters_without_null_are_refused() -> None:
    Path("list").write_bytes(b"a.png\0b.png\0")
    with pytest.raises(UsageError, match="add -0"):
        expand([], listed="list")


def test_standard_input_cannot_be_both() -> None:
    with pytest.raises(UsageError, match="both an image and the list"):
        expand(["-"], listed="-")


def test_a_list_that_cannot_be_read() -> None:
    with pytest.raises(UsageError, match="nowhere: cannot be read"):
        expand([], listed="nowhere")


def test_an_empty_list_is_no_input() -> None:
    assert expand([], listed=os.devnull) == []
    assert expand(["b.png"], listed=os.devnull) == [Input("b.png")]


def test_slices_of_a_series_by_themselves_are_said(tmp_path: Path) -> None:
    """Scanners name slices by numbers, with no ending; a folder of them is a series, and a line says how to take it."""
    pydicom = pytest.importorskip("pydicom")
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(3):
        dataset = pydicom.Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.{number + 1}"
        dataset.SeriesInstanceUID, dataset.ImagePositionPatient = "1.2.9", [0, 0, number]
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        dataset.save_as(folder / f"IM{number}", enforce_file_format=True)
    (folder / "README").write_text("no image")
    paths = [entry.path for entry in expand([str(folder)])]
    assert [Path(path).name for path in paths] == ["IM0", "IM1", "IM2"]
    line = line_of_series(paths)
    assert "IM0 and " in line
    assert line.endswith(
        "are slices of one DICOM series, and each file is an image of its own; --stack makes them a volume"
    )
    assert line_of_series(paths[:1]) == line_of_series([]) == line_of_series([paths[0], str(folder / "README")]) == ""
    assert line_of_series([paths[0], paths[0]]) == ""  # one slice twice
    (folder / "IM1").write_bytes((folder / "IM1").read_bytes()[:140])
    assert line_of_series(paths) == ""


def test_common_folders() -> None:
    assert common_folder(["/a/b/c", "/a/b", "/a/b/d"]) == "/a/b"
    assert common_folder(["/a"]) == "/a"
