"""What streams can show: any encoding, colours only where they are wanted, and a width."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import COMMANDS, cli
from emseg.cli.subcommands.guide_command import topics
from emseg.cli.terminal import HANDLER, columns, in_colour, moving, spelled

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "koi8-r", "shift_jis", "cp500", "utf-16", "utf-8")
#: A file name with bytes that are no UTF-8, and one with letters that few encodings have.
NAMES = (os.fsdecode(b"caf\xe9 \xff.png"), "日本é.png")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (20, 30), dtype=np.uint8)
    for name in (*NAMES, "p.png"):
        with open(tmp_path / name, "wb") as file:
            Image.fromarray(noise).save(file, "PNG")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str) -> str:
    """What a command prints to a stream of an encoding; it must succeed."""
    raw = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
        assert attempt(lambda: cli.main(list(arguments), "emseg", standalone_mode=False)) == 0
        sys.stdout.flush()
        return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_that_we_print_is_printed_in_every_encoding(
    encoding: str, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in COMMANDS:
        assert "Usage" in printed(monkeypatch, encoding, name, "--help")
        assert "Usage" in printed(monkeypatch, encoding, "help", name)
    for topic in topics():
        assert printed(monkeypatch, encoding, "guide", topic)
    assert printed(monkeypatch, encoding, "segment", *NAMES, "-k", "2", "-o", "out").count("converged") == 2
    assert (len(list((pictures / "out").glob("*.json")))) == 2
    assert printed(monkeypatch, encoding, "segment", *NAMES, "-n")
    assert printed(monkeypatch, encoding, "denoise", NAMES[0], "-o", "out")
    assert printed(monkeypatch, encoding, "compare", NAMES[1], "-k", "2", "--algorithms", "em", "-o", "out")


def test_a_process_prints_in_the_encoding_it_is_told(pictures: Path) -> None:
    command = [sys.executable, "-m", "emseg", "segment", "p.png", os.fsencode(NAMES[0]), "-k", "2", "-o", "out"]
    for encoding in ("ascii", "cp1252:strict"):
        env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
        done = subprocess.run(command, env=env, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b" -> out: p.labels.png" in done.stdout
        assert "All 2 inputs are done" in done.stdout.decode("ascii" if encoding == "ascii" else "cp1252")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1…K → a × b", "1...K -> a x b"),
        ("██▍", "##-"),
        ("α-expansion, Σ r", "alpha-expansion, Sigma r"),
        ("\udcff and 日", "\\udcff and \\u65e5"),
        ("plain", "plain"),
    ],
)
def test_what_ascii_lacks_is_spelled(text: str, shown: str) -> None:
    assert spelled(text, io.TextIOWrapper(io.BytesIO(), encoding="ascii")) == shown
    assert text.encode("ascii", HANDLER).decode() == shown


def test_streams_without_a_known_encoding_get_plain_text() -> None:
    assert spelled("é", io.StringIO()) == "é"

    class Odd(io.StringIO):
        encoding = "no such encoding"

    assert spelled("é", Odd()) == "\\xe9"


def test_colours_are_for_terminals_whose_users_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")  # counts as not set
    assert in_colour(Terminal())
    assert not in_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not in_colour(Terminal())
    assert moving(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not in_colour(Terminal())
    assert not moving(Terminal())


def test_columns_are_those_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "47")
    assert columns() == 47
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for nonsense in ("", "0", "-3", "wide"):
        monkeypatch.setenv("COLUMNS", nonsense)
        assert columns() > 0


@pytest.mark.parametrize("command", [*COMMANDS, "help", ""])
def test_help_fits_eighty_columns(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = printed(monkeypatch, "utf-8", *([command] if command else []), "--help")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.skipif(sys.platform != "linux", reason="needs pseudo-terminals, as Linux has them")
@pytest.mark.parametrize(
    ("setting", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_escape_sequences_on_a_terminal(setting: dict[str, str], coloured: bool, pictures: Path) -> None:
    from pty import openpty

    ours, theirs = openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "", **setting}
    command = [sys.executable, "-m", "emseg", "segment", "p.png", "-k", "2", "-o", "out"]
    process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 1 << 16):
            text += part
    except OSError:  # which is how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    assert b"converged" in text
    assert (b"\x1b" in text) is coloured
