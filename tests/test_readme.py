"""README and guide against the program: options, files, examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emseg.cli.main import COMMANDS
from emseg.em.fit import Row
from emseg.em.registry import ALGORITHMS
from emseg.features.registry import FEATURES
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import FAMILIES
from emseg.mrf.inference.registry import METHODS
from emseg.options.reference import page
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

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "emseg" / "guide").glob("*.md"))}
DOCUMENTS = {"README": README} | PAGES
EVERYTHING = "\n\n".join(DOCUMENTS.values())
HOME = "https://github.com/emseg/emseg/blob/main/"
RAW = "https://raw.githubusercontent.com/emseg/emseg/main/"
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


def test_the_page_of_options_is_made_from_their_declarations() -> None:
    told = "run `python -m emseg.options.reference > emseg/guide/options.md`"
    assert PAGES["options"] == page(), told


@pytest.mark.parametrize(
    "registry", [FEATURES, ALGORITHMS, FAMILIES, METHODS, COVARIANCES], ids=lambda one: next(iter(one))
)
def test_every_choice_is_in_a_table(registry: dict[str, Any]) -> None:
    cells = "\n".join(line for line in EVERYTHING.splitlines() if line.startswith("| "))
    assert [name for name in registry if f"`{name}`" not in cells] == []


def test_the_table_of_algorithms_is_the_registry() -> None:
    assert dict(table("`--algorithm`")) == {f"`{name}`": entry.summary for name, entry in ALGORITHMS.items()}


def test_the_table_of_families_is_the_registry() -> None:
    assert [row[0].strip("`") for row in table("`--family`")] == list(FAMILIES)


def test_every_output_is_in_a_table() -> None:
    written = [row[0].strip("`") for row in table("file")]
    assert [name.removeprefix(Path(name).name.split(".")[0]) for name in written] == [
        *written_always().values(),
        REPORT,
    ]
    extra = {row[0].strip("`"): row[1].strip("`").removeprefix("photo") for row in table("`--save`")}
    assert extra == {kind: KINDS[kind].suffix for kind in saveable()} | {"all": ""}


@pytest.mark.parametrize(
    ("head", "written"),
    [
        ("comparison", (COMPARE, COMPARE_REPORT)),
        ("denoised", (DENOISE, DENOISE_REPORT)),
        ("inpainted", (INPAINT, INPAINT_REPORT, UNCERTAINTY)),
    ],
)
def test_files_of_the_other_commands(head: str, written: tuple[Any, ...]) -> None:
    files, report, *more = written
    suffixes = ["." + row[0].strip("`").partition(".")[2] for row in table(head)]
    expected = [*files.values(), report, *(text for kind in more for text in kind.values())]
    assert sorted(suffixes) == sorted(expected)


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
