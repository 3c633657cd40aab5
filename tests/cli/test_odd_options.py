"""Random sets of options on odd images: results that are whole and finite, or one line."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.output.store.files import file_digest
from tests.cli.odd_images import write_all
from tests.cli.option_sets import drawn

# Where an objective falls that must not, the user gets a line that asks to report it: what is tested here is whether
# results are whole. `tests/em/test_contract.py` holds that none falls.
OBJECTIVES = "default::emseg.em.fit.MonotonicityWarning"
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings(OBJECTIVES)]

#: How often each command is drawn.
COMMANDS = ("segment",) * 8 + ("denoise", "denoise", "inpaint", "inpaint", "apply", "apply", "compare", "evaluate")
FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
Museum = tuple[list[str], Mapping[str, Sequence[str]]]


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Museum]:
    folder, here = tmp_path_factory.mktemp("odd"), os.getcwd()
    found = write_all(folder)
    os.chdir(folder)
    yield found
    os.chdir(here)


def command_line(rng: random.Random, museum: Museum) -> list[str]:
    """A command with options, and one odd image or several of them."""
    images, at_hand = museum
    command = rng.choice(COMMANDS)
    options = drawn(command, rng, at_hand)
    if command == "evaluate":
        return [command, *options, *rng.choices([*at_hand["labels"], *at_hand["mask"], *images], k=2)]
    first = [rng.choice([*at_hand["model"], *at_hand["mad"]])] if command == "apply" else []
    several = 1 if command == "compare" else rng.choice((1, 1, 1, 2))
    return [command, "-o", "out", *options, *first, *rng.sample(images, several)]


def faults(words: list[str], code: int, out: str, err: str) -> list[str]:
    """What is wrong with the end of a run."""
    found = [f"exit code {code}"] if code not in (0, 1, 2) else []
    for word in ("internal error", "Traceback", "Warning"):
        found += [f"{word} on stderr"] if word in err else []
    found += [f"strange line {line!r}" for line in err.splitlines() if not line.startswith("emseg: ")]
    if code and not err:
        found.append("fails without a line")
    if "--json" in words:
        found += _numbers(out.splitlines(), "output")
    written = {str(path) for path in Path("out").rglob("*") if path.is_file()}
    named: set[str] = set()
    for path in sorted(written):
        if path.endswith((".json", ".geojson")):
            found += _numbers([Path(path).read_text()], path)
            facts = json.loads(Path(path).read_text())
            outputs = facts.get("outputs", {}) if isinstance(facts, dict) else {}
            beside = {str(Path(path).parent / name): digest for name, digest in outputs.items()}
            named |= {path, *beside} if "outputs" in facts else set()
            found += [f"{name} is not what its report says" for name in beside if not _is(name, beside[name])]
    return found + [f"{path} is in no report" for path in sorted(written - named - {"out/annotations.coco.json"})]


def _is(path: str, digest: str) -> bool:
    return os.path.isfile(path) and file_digest(path) == digest


def _numbers(texts: Sequence[str], name: str) -> list[str]:
    wrong: list[str] = []
    for text in texts:
        try:
            json.loads(text, parse_constant=lambda word: wrong.append(f"{word} in {name}"))
        except ValueError:
            wrong.append(f"{name} is no JSON: {text[:80]}")
    return wrong


def judge(words: list[str], capfd: Any) -> None:
    shutil.rmtree("out", ignore_errors=True)
    code = attempt(lambda: cli.main(words, "emseg", standalone_mode=False))
    out, err = capfd.readouterr()
    wrong = faults(words, code, out, err)
    assert not wrong, f"emseg {' '.join(words)}\n{wrong}\n{err}"


@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=60, suppress_health_check=FIXTURE)
def test_some_options_on_odd_images(rng: random.Random, museum: Museum, capfd: Any) -> None:
    judge(command_line(rng, museum), capfd)


@pytest.mark.slow
@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=3300, suppress_health_check=FIXTURE)
def test_many_options_on_odd_images(rng: random.Random, museum: Museum, capfd: Any) -> None:
    judge(command_line(rng, museum), capfd)
