from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from emseg.errors import OutputError
from emseg.output.store.files import check_targets, write_all

pytestmark = pytest.mark.long

NAMES = ("p.labels.png", "p.overlay.png", "p.log.csv")


class PowerCut(BaseException):
    """Ends a run wherever it is."""


def contents(folder: Path, run: str, names: tuple[str, ...] = NAMES) -> dict[str, Callable[[], bytes]]:
    return {str(folder / name): partial(f"{name} of run {run}".encode) for name in names}


def write(folder: Path, run: str, names: tuple[str, ...] = NAMES, overwrite: bool = False) -> dict[str, Any]:
    return write_all(contents(folder, run, names), str(folder / "p.json"), {"version": "1", "run": run}, overwrite)


def seen(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def require_honest(folder: Path) -> None:
    """A report that is there lists files that are there."""
    report = folder / "p.json"
    if report.exists():
        for name, digest in json.loads(report.read_bytes())["outputs"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def fail_at(monkeypatch: pytest.MonkeyPatch, call: str, n: int, failure: BaseException) -> None:
    real, count = getattr(os, call), iter(range(1, 1000))

    def sometimes(*arguments: Any) -> Any:
        if next(count) == n:
            raise failure
        return real(*arguments)

    monkeypatch.setattr(os, call, sometimes)


def test_files_and_report(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    report = write(folder, "a")
    assert seen(folder) == {*NAMES, "p.json"}
    assert json.loads((folder / "p.json").read_bytes()) == report
    assert list(report) == ["version", "run", "outputs"]
    assert list(report["outputs"]) == list(NAMES)
    require_honest(folder)


def test_its_own_files_are_replaced(tmp_path: Path) -> None:
    write(tmp_path, "a")
    check_targets(contents(tmp_path, "b"), str(tmp_path / "p.json"))
    write(tmp_path, "b")
    assert (tmp_path / NAMES[0]).read_bytes().endswith(b"run b")
    assert seen(tmp_path) == {*NAMES, "p.json"}


@pytest.mark.parametrize("name", [*NAMES, "p.json"])
def test_a_file_of_the_user_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match=f"{name}: .*overwrite=True"):
        write(tmp_path, "a")
    assert seen(tmp_path) == {name}
    assert (tmp_path / name).read_bytes() == b"mine"
    write(tmp_path, "a", overwrite=True)
    assert seen(tmp_path) == {*NAMES, "p.json"}


def test_a_result_that_was_changed_is_the_users(tmp_path: Path) -> None:
    write(tmp_path, "a")
    (tmp_path / NAMES[1]).write_bytes(b"retouched")
    with pytest.raises(OutputError, match=r"p\.overlay\.png: .*changed since"):
        check_targets(contents(tmp_path, "b"), str(tmp_path / "p.json"))


def test_a_report_of_another_name_lends_no_ownership(tmp_path: Path) -> None:
    write(tmp_path, "a")
    (tmp_path / "q.log.csv").write_bytes((tmp_path / "p.log.csv").read_bytes())
    with pytest.raises(OutputError, match=r"q\.log\.csv"):
        check_targets([str(tmp_path / "q.log.csv")], str(tmp_path / "q.json"))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nul", '{"outputs": {}}', '{"version": 1, "outputs": 3}', "[" * 100_000, "\x00", '"version"'],
)
def test_what_only_looks_like_a_report_is_the_users(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(OutputError, match=r"p\.json: not a report of emseg"):
        write(tmp_path, "a")


@pytest.mark.parametrize("failure", [PowerCut(), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("call", ["replace", "fsync", "remove"])
def test_after_a_failure_anywhere_the_next_run_goes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, failure: BaseException
) -> None:
    expected = (OutputError, PowerCut, KeyboardInterrupt)
    for n in range(1, 30):
        folder = tmp_path / str(n)
        write(folder, "a")
        failed = []
        for run in "bc":  # two failures in a row: nothing is forgotten in between
            with monkeypatch.context() as patch:
                fail_at(patch, call, n, failure)
                try:
                    write(folder, run)
                except expected:
                    failed.append(run)
            require_honest(folder)
            for name in NAMES:
                assert (folder / name).read_bytes() in {f"{name} of run {run}".encode() for run in "abc"}
        write(folder, "d")
        require_honest(folder)
        assert {name for name in seen(folder) if not name.endswith(".tmp")} == {*NAMES, "p.json"}
        if call != "remove":  # then removing is what fails
            assert not any(name.endswith(".tmp") for name in seen(folder))
        if not failed:
            assert n > 2
            return
    pytest.fail("never ran through")


def test_a_failed_first_run_leaves_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of ownership is renamed, the files and the report are linked."""
    for call, n in (("replace", 1), *(("link", n) for n in range(1, 5))):
        folder = tmp_path / f"{call}{n}"
        with monkeypatch.context() as patch:
            fail_at(patch, call, n, PowerCut())
            with pytest.raises(PowerCut):
                write(folder, "a")
        assert "p.json" not in seen(folder)
        write(folder, "b")


def test_a_file_that_appears_while_results_are_made_stays(tmp_path: Path) -> None:
    def appear() -> bytes:
        (tmp_path / NAMES[0]).write_bytes(b"mine")
        return b"the last content"

    files = {**contents(tmp_path, "a"), str(tmp_path / "p.mean.png"): appear}
    with pytest.raises(OutputError, match=r"p\.labels\.png: not written by emseg"):
        write_all(files, str(tmp_path / "p.json"), {"version": "1"})
    assert seen(tmp_path) == {NAMES[0]}
    assert (tmp_path / NAMES[0]).read_bytes() == b"mine"
    write_all(files, str(tmp_path / "p.json"), {"version": "1"}, overwrite=True)
    assert (tmp_path / NAMES[0]).read_bytes() != b"mine"


@pytest.mark.parametrize("name", [*NAMES, "p.json"])
@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_at_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, links: bool
) -> None:
    """Between the check and the call that would rename: also where the file system has no links."""
    real = os.link

    def late(source: str, path: str) -> None:
        if os.path.basename(path) == name:
            Path(path).write_bytes(b"mine")
        if not links:
            raise OSError(errno.EPERM, "Operation not permitted")
        real(source, path)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(OutputError, match=f"{name}: not "):
        write(tmp_path, "a")
    assert seen(tmp_path) == {name}
    assert (tmp_path / name).read_bytes() == b"mine"
    (tmp_path / name).unlink()
    monkeypatch.setattr(os, "link", real)
    write(tmp_path, "b")
    assert seen(tmp_path) == {*NAMES, "p.json"}


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(source: str, path: str) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "link", none)
    for run in "ab":
        write(tmp_path, run)
        require_honest(tmp_path)
        assert seen(tmp_path) == {*NAMES, "p.json"}


def test_another_run_that_gets_there_first_is_no_stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no locks, two runs may rename at the same time."""
    real, first = os.link, iter([True])

    def late(source: str, path: str) -> None:
        if next(first, False):
            write(tmp_path, "other")
        real(source, path)

    monkeypatch.setattr("emseg.output.store.staging.LOCK_SECONDS", 0.0)
    monkeypatch.setattr(os, "link", late)
    write(tmp_path, "a")
    require_honest(tmp_path)
    assert seen(tmp_path) == {*NAMES, "p.json"}
    assert (tmp_path / NAMES[0]).read_bytes().endswith(b"run a")


def test_content_that_cannot_be_made_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a")

    def fail() -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_all({**contents(tmp_path, "b"), str(tmp_path / "x"): fail}, str(tmp_path / "p.json"), {"version": "1"})
    assert seen(tmp_path) == {*NAMES, "p.json"}
    assert (tmp_path / NAMES[0]).read_bytes().endswith(b"run a")
    require_honest(tmp_path)


def test_files_of_an_earlier_run_stay_and_stay_known(tmp_path: Path) -> None:
    more = (*NAMES, "p.posterior.tif")
    write(tmp_path, "a", more)
    assert "p.posterior.tif" not in write(tmp_path, "b")["outputs"]
    write(tmp_path, "c")
    assert (tmp_path / "p.posterior.tif").read_bytes().endswith(b"run a")
    write(tmp_path, "d", more)
    assert seen(tmp_path) == {*more, "p.json"}


def test_equal_contents_are_no_trouble(tmp_path: Path) -> None:
    write_all({str(tmp_path / name): lambda: b"same" for name in "ab"}, str(tmp_path / "p.json"), {"version": "1"})
    assert seen(tmp_path) == {"a", "b", "p.json"}


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write(tmp_path, "a")
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o640}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_in_the_way(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / NAMES[0]).mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_targets(contents(tmp_path, "a"), str(tmp_path / "p.json"), overwrite)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", [NAMES[0], "p.json"])
def test_a_pipe_in_the_way_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(OutputError, match="no ordinary file"):
        check_targets(contents(tmp_path, "a"), str(tmp_path / "p.json"), True)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot be written .*choose another folder") as caught:
        write(tmp_path / "out", "a")
    assert "\n" not in str(caught.value)
    with pytest.raises(OutputError):
        write(tmp_path / "out" / "deeper", "a")


def test_a_name_too_long(tmp_path: Path) -> None:
    long = str(tmp_path / ("x" * 300))
    with pytest.raises(OutputError, match="cannot be written"):
        write_all({long + ".labels.png": lambda: b"1"}, long + ".json", {"version": "1"})
    assert not seen(tmp_path)
