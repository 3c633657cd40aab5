"""Files when calls of the system fail, at any point and for any reason; hostile reports; unusual names and targets."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from emseg.errors import OutputError
from emseg.output.store.files import check_targets, write_all

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
OLD = ("photo.labels.png", "photo.overlay.png", "photo.log.csv")
NEW = (*OLD[:2], "photo.mean.png")  # of the old files one is not written again
ALL = (*OLD, "photo.mean.png")
CLAIMS = ".photo.claims"
DIGEST = hashlib.sha256(b"mine").hexdigest()


def write(folder: Path, text: str, names: tuple[str, ...] = OLD, overwrite: bool = False) -> None:
    files = {str(folder / name): lambda name=name: os.fsencode(f"{text} {name}") for name in names}
    write_all(files, str(folder / "photo.json"), {"version": "1.2.3"}, overwrite)


def look(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def refused(folder: Path, match: str, names: tuple[str, ...] = OLD) -> None:
    """Both the early check and the writing itself say no, in one line, and nothing changes."""
    before = look(folder)
    for attempt in (
        lambda: check_targets([str(folder / name) for name in names], str(folder / "photo.json")),
        lambda: write(folder, "refused", names),
    ):
        with pytest.raises(OutputError, match=match) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert look(folder) == before


class Faults:
    """Makes the n-th of the calls that touch the disk fail, before or after it has done its work."""

    CALLS = ("makedirs", "open", "fsync", "link", "replace", "remove")

    def __init__(self, failure: BaseException | None = None, at: int = 0, late: bool = False) -> None:
        self.failure, self.at, self.late = failure, at, late
        self.count, self.hit = 0, ""

    def wrap(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*args: object, **options: object) -> object:
            self.count += 1
            failure = self.failure if self.count == self.at else None
            if failure:
                self.hit = name
            if failure and not self.late:
                raise failure
            result = call(*args, **options)
            if failure and isinstance(result, int):
                os.close(result)  # whoever would close it never learns its number
            if failure:
                raise failure
            return result

        return wrapped

    @contextmanager
    def around(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in self.CALLS:
                patch.setattr(os, name, self.wrap(name, getattr(os, name)))
            yield


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    write(folder, "old")
    return folder


def count_calls(old: Path, folder: Path) -> int:
    shutil.copytree(old, folder)
    faults = Faults()
    with faults.around():
        write(folder, "new", NEW)
    return faults.count


def require_whole(folder: Path, before: dict[str, bytes], temporary: int) -> None:
    """Every file is the old one or the new one; the report speaks of what is there."""
    after = look(folder)
    claims = after.pop(CLAIMS, None)
    hidden = [name for name in after if name.endswith(".tmp")]
    assert len(hidden) <= temporary
    for name in hidden:
        del after[name]
    report = after.pop("photo.json", None)
    assert set(before) - {"photo.json"} <= set(after) <= set(ALL)
    for name, data in after.items():
        assert data in (before.get(name), f"new {name}".encode())
    if report is None:
        assert claims is not None
    else:
        listed = json.loads(report)["outputs"]
        assert listed == {name: hashlib.sha256(after[name]).hexdigest() for name in listed}
        assert set(listed) in (set(OLD), set(NEW))
        if set(listed) == set(OLD):
            assert after == {name: before[name] for name in OLD}


@contextmanager
def one_line(reason: str) -> Iterator[None]:
    """Expects that an error, if there is one, says why in one line, and does not speak of hidden files."""
    try:
        yield
    except OutputError as error:
        text = str(error)
        if "\n" in text or reason not in text or ".tmp" in text:
            pytest.fail(text)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_a_failure_at_any_call(tmp_path: Path, old: Path, failure: BaseException, late: bool) -> None:
    before, hit = look(old), set()
    for n in range(1, count_calls(old, tmp_path / "count") + 1):
        folder = tmp_path / str(n)
        shutil.copytree(old, folder)
        faults = Faults(failure, n, late)
        with suppress(KeyboardInterrupt), faults.around(), one_line("No space left"):
            write(folder, "new", NEW)
        hit.add(faults.hit)
        require_whole(folder, before, temporary=faults.hit == "remove")
        write(folder, "newer", ALL)  # without --overwrite
        assert {name for name in look(folder) if not name.endswith(".tmp")} == {*ALL, "photo.json"}
    assert hit == set(Faults.CALLS)


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()], ids=repr)
def test_failure_after_failure(tmp_path: Path, old: Path, failure: BaseException) -> None:
    """In one folder, every run is cut short one call later than the one before; the last one goes through."""
    folder = tmp_path / "out"
    calls = count_calls(old, tmp_path / "count")
    shutil.copytree(old, folder)
    for n in range(1, calls + 1):
        with suppress(OutputError, KeyboardInterrupt), Faults(failure, n).around():
            write(folder, f"run {n}", NEW)
    write(folder, "new", ALL)
    assert {name for name in look(folder) if not name.endswith(".tmp")} == {*ALL, "photo.json"}


KILL = """
import os, signal, sys
from emseg.output.store.files import write_all
left = int(sys.argv[2])
def dying(call):
    def wrapped(*args, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **options)
    return wrapped
for name in ("makedirs", "open", "fsync", "link", "replace", "remove"):
    setattr(os, name, dying(getattr(os, name)))
files = {os.path.join(sys.argv[1], name): f"new {name}".encode for name in sys.argv[3:]}
write_all(files, os.path.join(sys.argv[1], "photo.json"), {"version": "1"})
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_between_two_renames(tmp_path: Path, old: Path) -> None:
    before = look(old)
    calls = count_calls(old, tmp_path / "count")
    for n in range(calls - 14, calls, 3):
        folder = tmp_path / str(n)
        shutil.copytree(old, folder)
        done = subprocess.run([sys.executable, "-c", KILL, str(folder), str(n), *NEW], cwd=ROOT, capture_output=True)
        assert done.returncode == -9, done.stderr
        require_whole(folder, before, temporary=10)
        write(folder, "newer", ALL)
        assert {name for name in look(folder) if not name.endswith(".tmp")} == {*ALL, "photo.json"}


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
del sys.argv[1]
from emseg.cli.main import main
main()
"""


def test_a_full_disk(tmp_path: Path, samples: Path) -> None:
    """The system's own refusal to write: one line, exit code 1, and the former results as they were."""
    pytest.importorskip("resource")

    def run(limit: int, k: int) -> subprocess.CompletedProcess[str]:
        command = ["segment", str(samples / "phantom.png"), "-k", str(k), "-o", str(tmp_path)]
        return subprocess.run(
            [sys.executable, "-c", FULL, str(limit), *command], cwd=ROOT, capture_output=True, encoding="utf-8"
        )

    assert run(1 << 30, 3).returncode == 0
    before = look(tmp_path)
    for limit in (1, len(before["phantom.overlay.png"]) // 2):
        done = run(limit, 2)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert "cannot be written (File too large)" in done.stderr
        assert look(tmp_path) == before
    assert run(1 << 30, 2).returncode == 0
    assert json.loads((tmp_path / "phantom.json").read_bytes())["K"] == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"version": "1", "outputs": {}}',
        '{"version": "1", "outputs": {"photo.labels.png": null}}',
        '{"version": "1", "outputs": {"main.js": "dist/main.js"}}',  # another tool's
        '{"version": "1", "outputs": [["a", "b"]]}',
        '{"version": "1", "outputs": ["ab", "cd"]}',
        '{"version": "1", "outputs": "abcd"}',
        f'{{"version": "", "outputs": {{"photo.labels.png": "{DIGEST}"}}}}',
        f'{{"outputs": {{"photo.labels.png": "{DIGEST}"}}}}',
        f'[{{"version": "1", "outputs": {{"photo.labels.png": "{DIGEST}"}}}}]',
        f'{{"version": "1", "outputs": [[["photo.labels.png"], "{DIGEST}"]]}}',
    ],
)
def test_a_report_of_another_tool_stays_and_grants_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "photo.json").write_text(text, "utf-8")
    refused(tmp_path, "photo.json: not a report of emseg")
    (tmp_path / OLD[0]).write_bytes(b"mine")
    refused(tmp_path, f"{OLD[0]}: not written by emseg")


@pytest.mark.parametrize("name", [f"../{OLD[0]}", f"sub/{OLD[0]}", f"./{OLD[0]}", "other.png", ""])
def test_a_report_grants_nothing_beyond_the_names_it_lists(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "photo.json").write_text(json.dumps({"version": "1", "outputs": {name: DIGEST}}), "utf-8")
    for place in (folder, tmp_path):
        (place / OLD[0]).write_bytes(b"mine")
    refused(folder, "not written by emseg")
    with pytest.raises(OutputError):
        check_targets([str(tmp_path / OLD[0])], str(folder / "photo.json"))


def test_a_file_whose_report_is_gone_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "old")
    (tmp_path / "photo.json").unlink()
    refused(tmp_path, "not written by emseg")


def test_a_foreign_report_beside_the_record_of_an_earlier_run(tmp_path: Path) -> None:
    write(tmp_path, "old", ALL)
    write(tmp_path, "new")
    assert CLAIMS in look(tmp_path)
    (tmp_path / "photo.json").write_bytes(b"{}")
    refused(tmp_path, "not a report of emseg", ("photo.mean.png",))


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "precious").write_bytes(b"mine")
    (folder / OLD[0]).symlink_to(tmp_path / "precious")
    refused(folder, "not written by emseg")
    write(folder, "new", overwrite=True)
    assert (tmp_path / "precious").read_bytes() == b"mine"
    assert not (folder / OLD[0]).is_symlink()


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / OLD[0]).symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match=OLD[0]):
        write(tmp_path, "new")
    assert list(tmp_path.iterdir()) == [tmp_path / OLD[0]]


def test_the_longest_names(tmp_path: Path) -> None:
    stem = "x" * (255 - len(".overlay.png"))
    for text in ("old", "new"):
        files = {str(tmp_path / (stem + end)): text.encode for end in (".labels.png", ".overlay.png")}
        write_all(files, str(tmp_path / f"{stem}.json"), {"version": "1"})
    assert len(look(tmp_path)) == 3


def test_a_name_too_long_is_refused_before_any_work(tmp_path: Path) -> None:
    write(tmp_path, "old")
    refused(tmp_path, "cannot be written", (*OLD, "x" * 256))


def test_a_folder_that_is_a_file_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"cannot be written .Not a directory"):
        check_targets([str(tmp_path / "file" / OLD[0])], str(tmp_path / "file" / "photo.json"))


def test_names_of_undecodable_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"photo\xff.labels.png")
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    refused(tmp_path, "not written by emseg", (name,))
    (tmp_path / name).unlink()
    for text in ("old", "new"):
        write(tmp_path, text, (name,))
    assert json.loads((tmp_path / "photo.json").read_bytes())["outputs"].keys() == {name}


def test_a_run_under_another_locale_knows_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ASCII names of files, Python spells "é.labels.png" in lone surrogates."""
    name = "é.labels.png"
    spelled = os.fsencode(name).decode("ascii", "surrogateescape")
    write(tmp_path, "old", (name,))
    report = json.loads((tmp_path / "photo.json").read_text())
    report["outputs"] = {spelled: report["outputs"][name]}
    (tmp_path / "photo.json").write_text(json.dumps(report))
    write(tmp_path, "new", (name,))
    assert (tmp_path / name).read_bytes().startswith(b"new")
    assert CLAIMS not in look(tmp_path)


def test_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("old", "new"):
        write(Path(), text)
    assert set(look(tmp_path)) == {*OLD, "photo.json"}
