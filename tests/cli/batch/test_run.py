"""What every command of many inputs can do, shown with `segment`: resume, shards, names, pipes, several processes."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
ENDS = (".json", ".labels.png", ".log.csv", ".overlay.png")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four small pictures a.png to d.png in the folder `in` of the current folder."""
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    for name in "abcd":
        pixels = rng.integers(0, 255, (12, 16, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in"


def run(*arguments: object) -> int:
    texts = ["segment", "-k", "2", *map(str, arguments)]
    return attempt(lambda: cli.main(texts, "emseg", standalone_mode=False))


def files(folder: Path | str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def named(*stems: str) -> list[str]:
    return sorted(stem + end for stem in stems for end in ENDS)


def content(folder: Path | str) -> dict[str, Any]:
    """All files, without the seconds that a run took."""
    found: dict[str, Any] = {}
    for name in files(folder):
        data = (Path(folder) / name).read_bytes()
        if name.endswith(".json"):
            facts = json.loads(data)
            facts.pop("seconds")
            facts["outputs"] = sorted(facts["outputs"])
            found[name] = facts
        elif name.endswith(".csv"):
            found[name] = [row.rpartition(b",")[0] for row in data.splitlines()]
        else:
            found[name] = data
    return found


def test_a_folder(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("in", "-o", "out") == 0
    assert files("out") == named(*"abcd")
    assert capsys.readouterr().out.splitlines()[-1] == "All 4 inputs are done"


def test_several_processes_do_what_one_does(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    for jobs in (1, 2):
        assert run("in", "-o", f"out{jobs}", "--jobs", jobs, "--json") == 1
        out, err = capsys.readouterr()
        facts = {found["input"]["path"]: found for found in map(json.loads, out.splitlines())}
        assert sorted(facts) == ["in/a.png", "in/b.png", "in/bad.png", "in/c.png", "in/d.png"]
        assert facts["in/bad.png"]["error"] == err.splitlines()[0].removeprefix("emseg: ")
        assert "error" not in facts["in/a.png"]
        assert len(err.splitlines()) == 2
        assert err.startswith("emseg: in/bad.png: ")
        assert err.endswith("1 of 5 inputs failed\n")
    assert content("out1") == content("out2")


def test_standard_input_beside_several_processes(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((photos / "a.png").read_bytes())))
    assert run("in", "-", "-o", "out", "--jobs", 2, "-q") == 0
    assert files("out") == named("a", "b", "c", "d", "stdin")
    assert Path("out/stdin.labels.png").read_bytes() == Path("out/a.labels.png").read_bytes()
    assert json.loads(Path("out/stdin.json").read_bytes())["input"]["path"] == "stdin"


def test_resume_does_what_is_left_and_no_more(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("in", "-o", "out", "-q") == 0
    whole = content("out")
    stamps = {name: os.stat(f"out/{name}").st_mtime_ns for name in files("out")}
    os.remove("out/a.json")  # as if killed
    Path("out/.a.claims").write_text(json.dumps({"version": 1, "outputs": []}))
    os.remove("out/b.overlay.png")  # lost
    assert run("in", "-o", "out", "--resume", "--overwrite") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All 4 inputs are done, 2 of them before"
    assert content("out") == whole
    again = {name for name in files("out") if os.stat(f"out/{name}").st_mtime_ns != stamps[name]}
    assert again == set(named("a", "b"))


@pytest.mark.parametrize(
    ("change", "done"),
    [
        (["--seed", "1"], False),
        (["--save", "mean"], False),
        (["--mask", "mask.png"], False),
        (["--jobs", "2"], True),
        (["--json"], True),
        (["--overwrite"], True),
    ],
)
def test_other_options_are_another_result(
    photos: Path, change: list[str], done: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.full((12, 16), 255, np.uint8)).save("mask.png")
    assert run("in/a.png", "in/b.png", "-o", "out", "-q") == 0
    before = os.stat("out/a.json").st_mtime_ns
    assert run("in/a.png", "in/b.png", "-o", "out", "-q", "--resume", *change) == 0
    assert (os.stat("out/a.json").st_mtime_ns == before) is done


def test_another_image_or_mask_is_another_result(photos: Path) -> None:
    mask = np.full((12, 16), 255, np.uint8)
    Image.fromarray(mask).save("mask.png")
    how = ("in/a.png", "-o", "out", "-q", "--resume", "--mask", "mask.png")
    assert run(*how) == 0
    for change in range(3):
        before = os.stat("out/a.json").st_mtime_ns
        if change == 1:
            shutil.copy("in/b.png", "in/a.png")
        elif change == 2:
            mask[:, 0] = 0
            Image.fromarray(mask).save("mask.png")
        assert run(*how) == 0
        assert (os.stat("out/a.json").st_mtime_ns == before) is (change == 0)


def test_resume_prints_the_reports_of_all(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for _ in range(2):
        assert run("in", "-o", "out", "--json", "--resume") == 0
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[1]
    assert lines[0].count("\n") == 4


def test_resume_does_not_take_changed_results_for_its_own(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("in/a.png", "-o", "out", "-q") == 0
    Path("out/a.labels.png").write_bytes(b"mine")
    assert run("in/a.png", "-o", "out", "-q", "--resume") == 1
    assert Path("out/a.labels.png").read_bytes() == b"mine"


def test_shards_are_the_whole(photos: Path) -> None:
    assert run("in", "-o", "whole", "-q") == 0
    for part in (1, 2, 3):
        assert run("in", "-o", "parts", "-q", "--shard", f"{part}/3") == 0
        assert run("in", "-o", f"part{part}", "-q", "--shard", f"{part}/3") == 0
    assert content("parts") == content("whole")
    assert [len(files(f"part{part}")) for part in (1, 2, 3)] == [8, 4, 4]


def test_a_dry_run_changes_nothing(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("in", "-o", "out", "-n", "--shard", "2/2") == 0
    out, err = capsys.readouterr()
    assert [line.partition(" → ")[0] for line in out.splitlines()] == ["in/b.png", "in/d.png"]
    assert "out/b.labels.png" in out
    assert not Path("out").exists()
    Path("out").mkdir()
    Path("out/a.labels.png").touch()
    assert run("in", "-o", "out", "-n", "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[1])["would_write"][0] == "out/b.labels.png"
    assert "out/a.labels.png: not written by emseg" in err


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stem}_{k}", "a_2"),
        ("{folder}-{name}", "in-a.png"),
        ("{suffix}/{stem}", "png/a"),
        ("{{{stem}}}", "{a}"),
        ("%d", "%d"),
    ],
)
def test_templates(photos: Path, template: str, name: str) -> None:
    assert run("in/a.png", "-o", "out", "-q", "--name", template) == 0
    assert files("out") == named(name)


@pytest.mark.parametrize(
    "template",
    [
        *("../{stem}", "/tmp/{stem}", "x/../../{stem}", "link/{stem}", "..", "x/", "", "{}"),
        *("{stem", "{nonsense}", "{stem.__class__}", "{stem!r}", "{stem:9}"),
    ],
)
def test_templates_that_are_refused(photos: Path, template: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir()
    Path("out/link").symlink_to(photos, target_is_directory=True)
    assert run("in/a.png", "-o", "out", "--name", template) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert files("out") == []


def test_x_beside_x(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("in/a.png", "in/a.gif")
    Path("in/sub").mkdir()
    shutil.copy("in/a.png", "in/sub/a.png")
    assert run("in", "-o", "out") == 2
    assert run("in/a.png", "in/sub/a.png", "-o", "out") == 2
    assert not Path("out").exists()
    assert run("in/a.png", "in/sub/a.png", "-o", "out", "-q", "--recursive") == 0
    assert files("out") == named("a", "sub/a")
    assert run("in", "-o", "both", "-q", "--name", "{name}") == 0
    assert files("both") == named("a.gif", "a.png", "b.png", "c.png", "d.png")


def test_pages(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.open(photos / f"{name}.png") for name in "abc"]
    frames[0].save("in/all.gif", save_all=True, append_images=frames[1:])
    assert run("in/all.gif", "-o", "one", "-q", "--page", 2) == 0
    assert files("one") == named("all")
    assert run("in/all.gif", "in/d.png", "in/none.png", "-o", "out", "--page", "all") == 1
    assert files("out") == named("all.p1", "all.p2", "all.p3", "d")
    assert "1 of 5 inputs failed" in capsys.readouterr().err
    assert Path("out/all.p2.labels.png").read_bytes() == Path("one/all.labels.png").read_bytes()
    assert run("in/all.gif", "-o", "one", "-q", "--page", 3, "--resume") == 0  # another page is another result
    assert Path("out/all.p3.labels.png").read_bytes() == Path("one/all.labels.png").read_bytes()


@pytest.mark.parametrize("limit", [["--max-pixels", "100"], ["--max-memory", "1k"]])
def test_limits(photos: Path, limit: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if limit[0] == "--max-memory":
        Image.new("L", (2000, 2000)).save("in/a.png")
    assert run("in/a.png", "-o", "out", *limit) == 1
    assert limit[0] in capsys.readouterr().err


class Binary(io.TextIOWrapper):
    """Standard output that keeps its bytes."""

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize("source", ["in/a.png", "-"])
def test_to_standard_output(photos: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((photos / "a.png").read_bytes())))
    monkeypatch.setattr(sys, "stdout", Binary(io.BytesIO()))
    assert run(source, "-o", "-") == 0
    data = sys.stdout.buffer.getvalue()  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), emseg.segment(str(photos / "a.png"), k=2).labels)
    assert files(photos) == ["a.png", "b.png", "c.png", "d.png"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["in", "-o", "-"],
        ["in/a.png", "-o", "-", "--json"],
        ["in/a.png", "-o", "-", "--save", "mean"],
        ["in/a.png", "-0"],
        ["in", "--shard", "3/2"],
        ["in", "--shard", "0/2"],
        ["in", "--shard", "1"],
        ["in", "--shard", "-1/2"],
        ["in", "--jobs", "-1"],
        ["in", "--page", "0"],
        ["in", "--page", "some"],
        ["in", "--max-pixels", "many"],
        ["in", "--max-memory", "0"],
        ["in", "--max-memory", "-5"],
        ["-", "--page", "all"],
        ["--files-from", "nowhere"],
        ["--files-from", "in"],
        ["-", "--files-from", "-"],
        [],
    ],
)
def test_nonsense_is_one_line(photos: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_empty_folders_and_patterns_fail_alone(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert run("empty", "in/a.png", "*.gif", "empty/", "in/b.png/", "-o", "out", "-q") == 1
    assert files("out") == named("a")
    assert len(capsys.readouterr().err.splitlines()) == 5


def test_a_bar_on_terminals(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert run("in", "-o", "out") == 0
    assert "4/4" in sys.stderr.getvalue()  # type: ignore[attr-defined]


def shell(script: str, folder: Path) -> tuple[int, str]:
    """Exit code and stderr of a shell that knows `emseg`."""
    emseg = f'"{sys.executable}" -m emseg'
    done = subprocess.run(
        ["sh", "-c", script.replace("emseg", emseg)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


BAD_OUT = "standard output: cannot be written (Bad file descriptor); check where it goes"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full and a shell")
@pytest.mark.parametrize(
    ("script", "code", "line"),
    [
        ("emseg segment in/a.png -k 2 -o - > /dev/full", 1, "standard output: cannot be written (No space"),
        ("emseg segment in -k 2 -o out --json > /dev/full", 1, "standard output: cannot be written (No space"),
        ("{ emseg segment in -k 2 -o out --json; echo $? > code; } | true", 0, ""),
        ("{ emseg segment in/a.png -k 2 -o -; echo $? > code; } | true", 0, ""),
        # Closed: results are written, but what was to be printed is not.
        ("emseg segment in -k 2 -o out --jobs 2 <&- >&- 2>&-", 1, ""),
        ("emseg segment in -k 2 -o out --jobs 2 -q <&- >&- 2>&-", 0, ""),
        (
            "emseg segment in -k 2 -o out >&-; c=$?; ls out | grep -c '^[a-z].*json$' | grep -qx 4 && exit $c",
            1,
            BAD_OUT,
        ),
        ("emseg segment in -k 2 -o out > /dev/full; c=$?; test -e out/a.json && exit $c", 1, "No space"),
        ("emseg segment in/a.png -k 2 -o - >&-", 1, BAD_OUT),
        ("emseg segment in/a.png -k 2 -o out --json >&-", 1, BAD_OUT),
        ("emseg compare in/a.png -k 2 -o out --algorithms em >&-", 1, BAD_OUT),
        ("emseg --help >&-", 1, BAD_OUT),
        ("emseg segment --help > /dev/full", 1, "standard output: cannot be written (No space"),
        ("emseg help denoise >&-", 1, BAD_OUT),
        ("emseg --version >&-", 1, BAD_OUT),
        ("emseg guide >&-", 1, BAD_OUT),
        ("{ emseg guide options; echo $? > code; } | true", 0, ""),
        ("emseg segment nowhere.png 2> /dev/full", 1, ""),
        ("emseg segment nowhere.png 2>&-", 1, ""),
        ("emseg segment in/a.png -k 2 -o - < in/a.png | emseg segment - -k 2 -o out", 0, ""),
        (": | emseg segment - -k 2 -o out", 1, "stdin: the file is empty"),
        ("emseg segment . -k 2 -o out < /dev/null", 1, ".: no images in this folder"),
    ],
)
def test_odd_streams(photos: Path, script: str, code: int, line: str) -> None:
    found, err = shell(script, photos.parent)
    assert found == code
    assert line in err
    assert err.count("\n") == (1 if line else 0)
    if Path("code").exists():
        assert Path("code").read_text().strip() in ("141", "1", "0")


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from emseg.__main__ import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs limits on file sizes")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_fails_every_input_and_harms_none(photos: Path, jobs: str) -> None:
    assert run("in", "-o", "out", "-q") == 0
    before = {name: Path("out", name).read_bytes() for name in files("out")}
    limit = min(len(data) for name, data in before.items() if name.endswith(".json")) // 2
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(limit), "segment", "in", "-k", "3", "-o", "out", "--jobs", jobs],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line.endswith("inputs failed") for line in done.stderr.splitlines()] == [False] * 4 + [True]
    assert {name: Path("out", name).read_bytes() for name in files("out")} == before


def stack(*arguments: object) -> int:
    return run("--stack", "in/a.png", "in/b.png", "-o", "out", *arguments)


def test_a_stack_is_one_input(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stack() == 0
    assert files("out") == named("a")
    assert capsys.readouterr().out.startswith("in/a.png and 1 more: 16 × 12 pixels")
    before = content("out")
    assert stack("--resume") == 0
    assert "done before" in capsys.readouterr().out
    assert content("out") == before
    shutil.copy(photos / "c.png", photos / "b.png")  # another second file is another result
    assert stack("--resume", "--json") == 0
    found = json.loads(capsys.readouterr().out)["input"]
    assert [entry["path"] for entry in found["files"]] == ["in/a.png", "in/b.png"]
    assert found["channel_names"] == ["a 1", "a 2", "a 3", "b 1", "b 2", "b 3"]
    assert content("out") != before
    assert run("in/a.png", "-o", "out", "--resume") == 0  # the same name, another input
    assert "files" not in json.loads((Path("out") / "a.json").read_text())["input"]


def test_stacks_are_planned_as_others(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stack("--dry-run") == 0
    assert capsys.readouterr().out.startswith("in/a.png, in/b.png → out/a.labels.png")
    shutil.copy(photos / "b.png", photos / "a.labels.png")
    assert run("--stack", "in/a.png", "in/a.labels.png", "-o", "in") == 2  # never over a file of the stack
    assert "would replace an input" in capsys.readouterr().err
    assert run("--stack", "in/a.png", "in/none.png", "-o", "out") == 1
    assert capsys.readouterr().err.startswith("emseg: in/none.png: no such file")
    assert run("--stack", "in/a.png", "-", "-o", "out") == 2
    assert run("--stack", "in/a.png", "-o", "out", "--json") == 0
    assert "--stack does nothing with one input" in capsys.readouterr().err


def test_pages_of_a_stack_go_together(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.new("L", (16, 12), 40 * n) for n in range(3)]
    for frame in frames:
        frame.putpixel((3, 3), 255)
    for name, count in (("x", 3), ("y", 3), ("z", 2)):
        frames[0].save(photos / f"{name}.tif", save_all=True, append_images=frames[1:count])
    assert run("--stack", "in/x.tif", "in/y.tif", "--page", "all", "-o", "out", "-q") == 0
    assert files("out") == named("x.p1", "x.p2", "x.p3")
    assert run("--stack", "in/x.tif", "in/z.tif", "--page", "all", "-o", "out") == 2
    assert "in/x.tif has 3, in/z.tif has 2" in capsys.readouterr().err
