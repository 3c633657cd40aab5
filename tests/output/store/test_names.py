from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import UsageError
from emseg.output.registry import saveable, with_labels_of_slices
from emseg.output.store.names import COMPARE, COMPARE_REPORT, Input, plan
from tests.benchmarks.measure import run_apart

ROOT = Path(__file__).parents[3]


def test_names_come_from_the_stem() -> None:
    (job,) = plan(["in/my.photo.png"], "out", ["model"])
    assert list(job.files.values()) == [
        f"out/my.photo{end}" for end in (".labels.png", ".overlay.png", ".log.csv", ".emseg.json")
    ]
    assert job.report == "out/my.photo.json"


def test_all_files_of_many_inputs_differ() -> None:
    jobs = plan([f"{i}.png" for i in range(20)], "out", saveable())
    paths = [path for job in jobs for path in (*job.files.values(), job.report)]
    assert len(set(paths)) == len(paths) == 20 * (4 + len(saveable()))


@pytest.mark.parametrize("inputs", [["a/x.png", "b/x.png"], ["x.png", "x.jpg"]])
def test_two_inputs_may_not_write_one_file(inputs: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{inputs[1]}: .* also that of {inputs[0]}"):
        plan(inputs, "out")


def test_one_input_named_twice(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    for other in (str(tmp_path / "x.png"), f"{tmp_path}/../{tmp_path.name}/x.png"):
        with pytest.raises(UsageError, match=r"x\.png: is named twice; name it once"):
            plan([str(tmp_path / "x.png"), other], "out")


def test_a_result_may_not_replace_an_input(tmp_path: Path) -> None:
    inputs = [str(tmp_path / "x.png"), str(tmp_path / "x.labels.png")]
    with pytest.raises(UsageError, match="would replace an input"):
        plan(inputs, str(tmp_path))
    assert len(plan(inputs, str(tmp_path / "out"))) == 2


def test_a_link_in_the_place_of_a_result_may_not_lead_to_an_input(tmp_path: Path) -> None:
    """Where the link itself would be replaced, and not what it leads to: the user most likely means the input."""
    (tmp_path / "x.png").touch()
    (tmp_path / "other.png").touch()
    (tmp_path / "out").mkdir()
    link = tmp_path / "out" / "x.overlay.png"
    link.symlink_to(tmp_path / "x.png")
    with pytest.raises(UsageError, match=r"x\.overlay\.png would replace an input"):
        plan([str(tmp_path / "x.png")], str(tmp_path / "out"))
    link.unlink()
    link.symlink_to(tmp_path / "other.png")  # which is no input
    (job,) = plan([str(tmp_path / "x.png")], str(tmp_path / "out"))
    assert job.files["overlay"] == str(link)


def test_links_are_seen_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UsageError, match="would replace an input"):
        plan([str(tmp_path / "x.png"), str(tmp_path / "link" / "x.overlay.png")], str(tmp_path))


def test_folders_are_kept_below_the_output() -> None:
    inputs = [Input("a/x.png", "a"), Input("b/x.png", "b/deep"), Input("x.png")]
    assert [job.report for job in plan(inputs, "out")] == ["out/a/x.json", "out/b/deep/x.json", "out/x.json"]


def test_pages_are_marked() -> None:
    jobs = plan([Input("x.tif", page=2, mark=".p2"), Input("x.tif", page=3, mark=".p3")], "out")
    assert [(job.page, job.files["labels"]) for job in jobs] == [
        (2, "out/x.p2.labels.png"),
        (3, "out/x.p3.labels.png"),
    ]


def test_volumes_that_are_no_nifti_have_a_tiff_of_labels() -> None:
    files = plan(["x.tif"], "out")[0].files
    added = with_labels_of_slices(files, {"volume": (2, 3, 4)})
    assert set(added.items()) - set(files.items()) == {("labels-tiff", "out/x.labels.tif")}
    assert with_labels_of_slices(added, {"volume": (2, 3, 4)}) == added
    assert with_labels_of_slices(files, {}) == files
    nifti = plan(["x.nii"], "out")[0].files
    assert with_labels_of_slices(nifti, {"volume": (2, 3, 4), "nifti": {}}) == nifti
    assert with_labels_of_slices({"image": "x.denoised.tif"}, {"volume": (2, 3, 4)}) == {"image": "x.denoised.tif"}


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.NII.GZ"])
def test_volumes_have_one_more(name: str) -> None:
    (job,) = plan([name], "out", ["model"])
    assert job.files["labels-nifti"] == "out/x.labels.nii.gz"
    assert job.report == "out/x.json"
    (job,) = plan([name], "out", always=COMPARE, report=COMPARE_REPORT)
    assert "labels-nifti" not in job.files


def test_an_input_with_a_problem_has_no_results() -> None:
    jobs = plan([Input("x.png"), Input("x.png", problem="there is none")], "out")
    assert [bool(job.files) for job in jobs] == [True, False]
    assert jobs[1].problem == "there is none"


def test_standard_output_takes_one() -> None:
    (job,) = plan(["x.png"], "-")
    assert (job.files, job.report) == ({"labels": "-"}, "-")
    with pytest.raises(UsageError, match="one input"):
        plan(["x.png", "y.png"], "-")


def test_fields_of_a_template() -> None:
    (job,) = plan(["in/x.tar.png"], "out", name="{folder}_{stem}_{suffix}_{name}_{k}", fields={"k": "4"})
    assert job.report == "out/in_x.tar_png_x.tar.png_4.json"


@pytest.mark.parametrize("name", ["{k}", "{stem", "stem}", "{stem!s}", "{stem:>9}", "{}", "{0}", "", "a/", "\0"])
def test_templates_that_make_no_sense(name: str) -> None:
    with pytest.raises(UsageError, match="name="):
        plan(["x.png"], "out", name=name)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..", "../out2/x"])
def test_nothing_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        plan(["x.png"], str(tmp_path / "out"), name=name)
    plan(["x.png"], str(tmp_path / "out"), name="a/../b/..x")


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "in").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "out" / "fine").symlink_to("in", target_is_directory=True)
    (tmp_path / "door").symlink_to("out", target_is_directory=True)
    for folder in ("out", "door"):
        with pytest.raises(UsageError, match="would leave the output folder"):
            plan([Input("x.png", "link")], str(tmp_path / folder))
        plan([Input("x.png", "fine")], str(tmp_path / folder))


@given(st.lists(st.tuples(st.sampled_from(["", "d"]), st.text("ab./", min_size=1, max_size=4)), min_size=1, max_size=4))
def test_quick_names_are_those_by_the_book(entries: list[tuple[str, str]]) -> None:
    """Of plain names: as the template is filled in, and joined, for names with braces."""
    for folder, path in entries:
        try:
            (quick,) = plan([Input(path, folder)], "out")
        except UsageError:
            with pytest.raises(UsageError):
                plan([Input(path, folder)], "out", name="{stem}{k}", fields={"k": ""})
            continue
        (slow,) = plan([Input(path, folder)], "out", name="{stem}{k}", fields={"k": ""})
        assert quick == slow


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        (["x.png", "x.emseg.png"], "x.emseg.json is also that of x.png"),
        (["x.png", "y.png", "a/y.tif"], "also that of y.png"),
        (["x.png", "out/y.log.csv", "y.png"], "y.log.csv would replace an input"),
        (["x.nii.gz", "x.png"], "also that of"),
    ],
)
def test_results_that_meet_by_their_ends(inputs: list[str], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        plan(inputs, "out", ["model"])
    assert len(plan([*inputs[:1], "z.png"], "out", ["model"])) == 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs wait4")
def test_a_dry_run_of_a_million_names(tmp_path: Path) -> None:
    """300 MB and less; seconds are for people to read, since they depend on the machine."""
    names = tmp_path / "names.txt"
    names.write_text("".join(f"pictures/day{i // 1000}/photo{i:07d}.png\n" for i in range(1_000_000)))
    words = ["segment", "--files-from", str(names), "-n", "-k", "3", "-o", str(tmp_path / "out")]
    into = 'exec "$@" > "$0"'
    found = run_apart(["sh", "-c", into, str(tmp_path / "told.txt"), sys.executable, "-m", "emseg", *words])
    with (tmp_path / "told.txt").open() as told:
        assert sum(1 for _ in told) == 1_000_000
    print(f"{found.cpu:.1f} s of CPU, {found.peak:.0f} MB")
    assert found.peak < 300
