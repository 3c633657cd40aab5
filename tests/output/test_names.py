from __future__ import annotations

from pathlib import Path

import pytest

from emseg.errors import UsageError
from emseg.output.names import EXTRA, plan


def test_names_come_from_the_stem() -> None:
    (job,) = plan(["in/my.photo.png"], "out", ["model"])
    assert list(job.files.values()) == [
        f"out/my.photo{end}" for end in (".labels.png", ".overlay.png", ".log.csv", ".emseg.json")
    ]
    assert job.report == "out/my.photo.json"


def test_all_files_of_many_inputs_differ() -> None:
    jobs = plan([f"{i}.png" for i in range(20)], "out", EXTRA)
    paths = [path for job in jobs for path in (*job.files.values(), job.report)]
    assert len(set(paths)) == len(paths) == 20 * (4 + len(EXTRA))


@pytest.mark.parametrize("inputs", [["a/x.png", "b/x.png"], ["x.png", "x.jpg"], ["x.png", "x.png"]])
def test_two_inputs_may_not_write_one_file(inputs: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{inputs[1]}: .* also that of {inputs[0]}"):
        plan(inputs, "out")


def test_a_result_may_not_replace_an_input(tmp_path: Path) -> None:
    inputs = [str(tmp_path / "x.png"), str(tmp_path / "x.labels.png")]
    with pytest.raises(UsageError, match="would replace an input"):
        plan(inputs, str(tmp_path))
    assert len(plan(inputs, str(tmp_path / "out"))) == 2


def test_links_are_seen_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UsageError, match="would replace an input"):
        plan([str(tmp_path / "x.png"), str(tmp_path / "link" / "x.overlay.png")], str(tmp_path))
