"""README and guide against the program: options, files, examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from emseg.cli.main import COMMANDS
from emseg.cli.subcommands import apply_command, compare_command, denoise_command, inpaint_command
from emseg.cli.subcommands.segment_command import command
from emseg.em.fit import Row
from emseg.em.registry import ALGORITHMS
from emseg.features.registry import FEATURES
from emseg.options.by_command import options_of
from emseg.output.registry import KINDS, saveable, written_always
from emseg.output.store.names import (
    COMPARE,
    COMPARE_REPORT,
    DENOISE,
    DENOISE_REPORT,
    INPAINT,
    INPAINT_REPORT,
    REPORT,
    UNCERTAINTY,
)

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "emseg" / "guide").glob("*.md"))}
DOCUMENTS = {"README": README} | PAGES
EVERYTHING = "\n\n".join(DOCUMENTS.values())
HOME = "https://github.com/emseg/emseg/blob/main/"
RAW = "https://raw.githubusercontent.com/emseg/emseg/main/"
OPTIONS = [param for param in command.params if isinstance(param, click.Option)]
SHELL = [
    pytest.param(block, id=f"{name}-{n}")
    for name, text in DOCUMENTS.items()
    for n, block in enumerate(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    if re.search(r"(?<![\w/])emseg \w", block)
]
PYTHON = [
    pytest.param(block, id=f"{name}-{n}")
    for name, text in DOCUMENTS.items()
    for n, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
]


def table(head: str) -> list[list[str]]:
    """Cells of the rows of the table that starts with this column."""
    lines = EVERYTHING.partition(f"\n| {head} |")[2].splitlines()[2:]
    rows = lines[: lines.index("")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_every_option_is_in_the_table_and_no_other() -> None:
    documented = {name for row in table("option") for name in re.findall(r"(?<![\w-])--?[a-z0][a-z-]*", row[0])}
    assert documented == {name for option in OPTIONS for name in option.opts} | {"-h", "--help"}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(option.name))
def test_the_table_has_the_defaults(option: click.Option) -> None:
    (row,) = [row for row in table("option") if option.opts[-1] in re.split(r"[` ]", row[0])]
    assert row[2].split(":")[0].strip("`") == (str(option.default) if option.show_default else "")


def test_the_table_names_every_choice() -> None:
    cells = {re.findall(r"--[a-z-]+", row[0])[-1]: row[1] + row[2] for row in table("option")}
    for option in OPTIONS:
        for choice in option.type.choices if isinstance(option.type, click.Choice) else ():
            assert f"`{choice}`" in cells[option.opts[-1]], f"{option.opts[-1]} {choice}"
    for name in (*FEATURES, *ALGORITHMS):
        assert f"`{name}`" in EVERYTHING


def test_every_output_is_in_a_table() -> None:
    written = [row[0].strip("`") for row in table("file")]
    assert [name.removeprefix(Path(name).name.split(".")[0]) for name in written] == [
        *written_always().values(),
        REPORT,
    ]
    extra = {row[0].strip("`"): row[1].strip("`").removeprefix("photo") for row in table("`--save`")}
    assert extra == {kind: KINDS[kind].suffix for kind in saveable()} | {"all": ""}


def test_options_of_apply() -> None:
    section = PAGES["options"].partition("## `emseg apply`")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(--?[a-z0][a-z-]*)`", section))
    own = [param.opts for param in apply_command.command.params if isinstance(param, click.Option)]
    assert all(named & set(names) for names in own), own
    assert named <= {name for names in own for name in names}


def test_options_and_files_of_compare() -> None:
    section = PAGES["options"].partition("## `emseg compare`")[2].partition("\n## ")[0]
    shared = section[section.index("`-k`") :]
    rows = {name: row for row in table("option of `compare`") for name in re.findall(r"--[a-z-]+", row[0])}
    for option in (param for param in compare_command.command.params if isinstance(param, click.Option)):
        assert option.opts[-1] in rows or f"`{option.opts[0]}`" in shared, option.opts
    assert rows["--start"][2] == "`kmeans++`"
    own = [str(entry.defaults["compare"]) for entry in options_of("compare") if "compare" in entry.defaults]
    assert rows["--tol"][2] == ", ".join(own)
    written = [row[0].strip("`").removeprefix("coffee") for row in table("comparison")]
    assert sorted(written) == sorted([*COMPARE.values(), COMPARE_REPORT])


@pytest.mark.parametrize(
    ("name", "group", "written"),
    [
        ("denoise", denoise_command.command, (DENOISE, DENOISE_REPORT)),
        ("inpaint", inpaint_command.command, (INPAINT, INPAINT_REPORT, UNCERTAINTY)),
    ],
)
def test_options_and_files_of_restoring(name: str, group: click.Command, written: tuple[Any, ...]) -> None:
    rows = {option: row for row in table(f"option of `{name}`") for option in re.findall(r"--[a-z-]+", row[0])}
    shared = [param.opts for param in command.params]
    for option in (param for param in group.params if isinstance(param, click.Option)):
        assert option.opts[-1] in rows or option.opts in shared, option.opts
        if option.opts[-1] in rows:
            expected = str(option.default) if option.show_default and option.default is not None else ""
            assert rows[option.opts[-1]][2].strip("`") == expected
            for choice in option.type.choices if isinstance(option.type, click.Choice) else ():
                assert f"`{choice}`" in rows[option.opts[-1]][1] + rows[option.opts[-1]][2]
    files, report, *more = written
    suffixes = [row[0].strip("`").partition(".")[2] for row in table(f"{name}d" if name[-1] == "e" else f"{name}ed")]
    assert [f".{suffix}" for suffix in suffixes] == [
        *files.values(),
        report,
        *(text for kind in more for text in kind.values()),
    ]


def test_the_log_has_the_columns_it_says() -> None:
    assert f"`{','.join(Row.__dataclass_fields__)}`" in README


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """The README's links are whole addresses, so that they work on an index of packages too."""
    folder = ROOT if name == "README" else ROOT / "emseg" / "guide"
    for link in re.findall(r"\]\(([^)#]+)\)", DOCUMENTS[name]):
        assert name != "README" or link.startswith((HOME, RAW)), link
        own = link.removeprefix(HOME).removeprefix(RAW)
        assert "://" in own or ((folder if own == link else ROOT) / own).exists(), link


def test_it_opens_with_two_commands() -> None:
    assert README.startswith("# emseg\n\n```sh\nmake demo")


def test_the_indexes_list_every_page() -> None:
    pages = set(PAGES) - {"index"}
    assert set(re.findall(r"^\| ([a-z-]+) \|", PAGES["index"], re.MULTILINE)) - {"topic"} == pages
    assert set(re.findall(r"/emseg/guide/([a-z-]+)\.md", README)) == pages


def test_every_command_is_in_the_readme() -> None:
    assert [row[0].strip("`") for row in table("command")] == list(COMMANDS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_sentences_are_short(name: str) -> None:
    """At most 25 words a sentence; tables, headings and code are no sentences."""
    text = re.sub(r"```.*?```", "", DOCUMENTS[name], flags=re.DOTALL)
    prose = [line for line in text.splitlines() if not line.lstrip().startswith(("|", "#", "<", "!"))]
    sentences = re.split(r"(?<=[.!?])\s+|\n\s*\n", "\n".join(prose))
    too_long = [sentence for sentence in sentences if len(sentence.split()) > 25]
    assert not too_long, too_long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sample_images").symlink_to(ROOT / "sample_images", target_is_directory=True)
    return tmp_path


@pytest.mark.parametrize("block", SHELL)
def test_shell_examples_run(block: str, folder: Path) -> None:
    if "parallel " in block and not shutil.which("parallel"):
        pytest.skip("needs GNU parallel")
    (folder / "bin").mkdir()
    command = folder / "bin" / "emseg"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m emseg "$@"\n')
    command.chmod(0o755)
    paths = {"PYTHONPATH": str(ROOT), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-euc", block], cwd=folder, env=os.environ | paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("block", PYTHON)
def test_python_examples_run(block: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    exec(block, {})
