"""Files that end with their own hash: emseg's are replaced, others are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emseg.errors import OutputError
from emseg.output.store.sealed_file import check_sealed, is_sealed, write_sealed


def test_what_is_written_is_json_and_known(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_sealed(str(path), (b'"a":[1', b",2", b"]"))
    facts = json.loads(path.read_bytes())
    assert facts["a"] == [1, 2]
    assert facts["info"]["description"] == "made by emseg"
    assert is_sealed(str(path))
    write_sealed(str(path), (b'"a":[]',))
    assert json.loads(path.read_bytes())["a"] == []
    assert [entry.name for entry in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "edit", [lambda b: b + b" ", lambda b: b.replace(b"1", b"3", 1), lambda b: b[1:], lambda b: b""]
)
def test_what_was_changed_is_not_replaced(tmp_path: Path, edit: object) -> None:
    path = tmp_path / "a.json"
    write_sealed(str(path), (b'"a":[1]',))
    path.write_bytes(edit(path.read_bytes()))  # type: ignore[operator]
    assert not is_sealed(str(path))
    for attempt in (lambda: check_sealed(str(path)), lambda: write_sealed(str(path), (b'"a":[]',))):
        with pytest.raises(OutputError, match="not written by emseg, or changed since; give overwrite=True"):
            attempt()
    write_sealed(str(path), (b'"a":[]',), overwrite=True)
    assert is_sealed(str(path))


def test_long_files_and_files_that_end_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed(str(path), (b'"a":"', b"x" * (3 << 20), b'"'))
    assert is_sealed(str(path))
    data = bytearray(path.read_bytes())
    data[1 << 20] = ord("y")
    path.write_bytes(data)
    assert not is_sealed(str(path))


def test_folders_and_failures(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write_sealed(str(tmp_path / "a.json"), (b"",))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_sealed(str(tmp_path / "file" / "a.json"), (b"",))

    def failing() -> object:
        yield b'"a":['
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot be written"):
        write_sealed(str(tmp_path / "b.json"), failing())  # type: ignore[arg-type]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.json", "file"]
