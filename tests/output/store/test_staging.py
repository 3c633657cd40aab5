"""Results go into the folder that was meant, whatever becomes of its name in the middle of a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emseg.errors import OutputError
from emseg.output.store import staging
from emseg.output.store.files import write_all
from emseg.output.store.names import plan
from emseg.output.store.staging import HANDLES, pinned

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links that anybody may make")


@pytest.fixture
def swap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to write to; `swapped` puts a link to another one in its place."""
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("elsewhere").mkdir()
    return tmp_path


def swapped() -> None:
    os.rename("out", "moved")
    os.symlink("elsewhere", "out")


def write(content: object = lambda: b"labels") -> None:
    (job,) = plan(["p.png"], "out", always={"labels": ".labels.png"})
    write_all({job.files["labels"]: content}, job.report, {"version": "1"}, place=job.place)  # type: ignore[dict-item]


@pytest.mark.parametrize("handles", [HANDLES, "/no/such/folder"])
def test_a_folder_swapped_for_a_link_before_the_results_are_written(
    swap: Path, monkeypatch: pytest.MonkeyPatch, handles: str
) -> None:
    monkeypatch.setattr(staging, "HANDLES", handles)
    (job,) = plan(["p.png"], "out", always={"labels": ".labels.png"})
    swapped()
    with pytest.raises(OutputError, match="out: is not the folder any more that it was at the start") as caught:
        write_all({job.files["labels"]: lambda: b"labels"}, job.report, {"version": "1"}, place=job.place)
    assert "\n" not in str(caught.value)
    assert os.listdir("elsewhere") == []
    assert os.listdir("moved") == []


@pytest.mark.skipif(not os.path.isdir(HANDLES), reason="needs paths of handles")
def test_a_folder_swapped_while_results_are_written(swap: Path) -> None:
    def content() -> bytes:
        swapped()
        return b"labels"

    write(content)
    assert os.listdir("elsewhere") == []
    assert sorted(os.listdir("moved")) == ["p.json", "p.labels.png"]


def test_a_link_that_was_there_is_followed(swap: Path) -> None:
    swapped()
    write()
    assert sorted(os.listdir("elsewhere")) == ["p.json", "p.labels.png"]
    write()


def test_folders_are_made(tmp_path: Path) -> None:
    with pinned(str(tmp_path / "a" / "b")) as path:
        Path(path, "c").touch()
    assert (tmp_path / "a" / "b" / "c").exists()


def test_errors_name_the_folder(swap: Path) -> None:
    Path("out", "p.labels.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"^out/p\.labels\.png: not written by emseg"):
        write()
    for text, error in (("File name too long", OutputError), ("No space left", OutputError)):
        with pytest.raises(error, match=text) as caught:
            write_all({f"out/{'x' * 300 if 'long' in text else 'y'}": full}, "out/y.json", {"version": "1"})
        assert HANDLES not in str(caught.value)


def full() -> bytes:
    raise OSError(28, "No space left on device")
