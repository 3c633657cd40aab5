"""Every option says when it has an effect, and one that has none is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import emseg
from emseg.errors import UsageError, for_command_line, for_python
from emseg.options import checked
from emseg.options.by_command import MODULES, options_of
from emseg.options.declaration import options_in
from emseg.options.declarations.restoration import DenoiseOptions, InpaintOptions
from emseg.options.declarations.running import RunOptions
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.effects import ALWAYS, EFFECT, LIMIT, REFUSED, TOLD, idle_options, without_effect

pytestmark = pytest.mark.long

HERE = __file__
ALL = {option.name for command in MODULES for option in options_of(command)}
#: A value of each option that is refused where it has no effect, alone.
ALONE: dict[str, tuple[str, Any]] = {
    "dof": ("segment", 4.0),
    "base": ("segment", "em"),
    "option": ("segment", {"no such": "1"}),
    "gain": ("denoise", 2.0),
}
#: Options that are told to have no effect by the stage that looks at the inputs, not by `without_effect`.
BY_STAGES = {"mask_above", "grow", "ignore", "stack"}


def test_the_table_has_every_option_and_no_other() -> None:
    assert set(EFFECT) == ALL
    assert set(EFFECT.values()) == {ALWAYS, TOLD, REFUSED, LIMIT}


def test_what_is_told_is_what_the_rules_know() -> None:
    known = {
        entry.name
        for o in (SegmentOptions(), DenoiseOptions(), InpaintOptions(), RunOptions())
        for entry in idle_options(o)
    }
    assert known == {name for name, effect in EFFECT.items() if effect == TOLD} - BY_STAGES


@pytest.mark.parametrize("declarations", [SegmentOptions, DenoiseOptions, InpaintOptions, RunOptions])
def test_defaults_have_nothing_to_tell(declarations: Any) -> None:
    for command in MODULES:
        names = {entry.name: entry for entry in options_in(declarations) if command in entry.commands}
        assert without_effect(command, declarations(**{n: e.default_of(command) for n, e in names.items()})) == ()


@pytest.mark.parametrize("name", [name for name in ALONE if EFFECT[name] == REFUSED])
def test_what_is_refused_alone(name: str) -> None:
    command, value = ALONE[name]
    image = np.random.default_rng(0).integers(0, 255, (8, 8)).astype(float)
    with pytest.raises(UsageError):
        getattr(emseg, command)(image, **{name: value, **({"algorithm": "em"} if name == "base" else {})})


TOLD_LINES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("segment", {"beta": 1.0}, ["beta=1.0 does nothing without mrf; add mrf='auto', or leave it out"]),
    ("segment", {"beta": 1.0, "mrf": "icm"}, []),
    ("segment", {"neighbours": "8", "contrast": True}, ["neighbours='8' does", "contrast=True does"]),
    ("segment", {"neighbours": "8", "contrast": True, "mrf": "icm"}, []),
    ("segment", {"contrast": True, "mrf": "icm", "beta": 0}, ["contrast=True does nothing with beta=0"]),
    ("segment", {"neighbours": 8, "mrf": "icm", "beta": 0.0}, ["neighbours='8' does nothing with beta=0"]),
    ("segment", {"merge": 0.5}, ["merge=0.5 does nothing without regions; add regions='auto', or leave it out"]),
    ("segment", {"merge": 0.5, "regions": 9}, []),
    ("segment", {"merge": 0.5, "split": True}, ["merge=0.5 does nothing with split=True"]),
    ("segment", {"neck": 0.5, "regions": 9}, ["neck=0.5 does nothing without split; add split=True"]),
    ("segment", {"criterion": "bic"}, ["criterion='bic' does nothing where the number of components is given"]),
    ("segment", {"criterion": "bic", "k": "3:3"}, ["criterion='bic' does nothing where the number"]),
    ("segment", {"criterion": "bic", "k": "1:3"}, []),
    ("segment", {"init": HERE, "restarts": 3}, ["restarts=3 does nothing where a file gives the start"]),
    ("segment", {"init": HERE, "seed": 3}, ["seed=3 does nothing where a file gives the start and nothing is drawn"]),
    ("segment", {"init": HERE, "seed": 3, "algorithm": "sem"}, []),
    ("segment", {"init": HERE, "seed": 3, "mrf": "gibbs"}, []),
    ("segment", {"seed": 3}, []),
    ("segment", {"k": 1, "mrf": "icm", "beta": 2.0}, ["mrf='icm' does nothing with one class", "beta=2.0 does"]),
    ("segment", {"k": 1, "mrf": "icm", "noise": True}, []),
    ("segment", {"k": 1, "restarts": 2, "init": "random", "seed": 1}, ["init='random'", "restarts=2", "seed=1"]),
    ("segment", {"tol": 1e-3, "algorithm": "online"}, ["tol=0.001 does nothing with algorithm='online', which ends"]),
    ("segment", {"tol": 1e-3, "algorithm": "em"}, []),
    ("segment", {"floor": 0.1, "family": "poisson"}, ["floor=0.1 does nothing with family='poisson'"]),
    ("segment", {"covariance": "diag", "features": "gray"}, ["covariance='diag' does nothing with one feature"]),
    ("segment", {"covariance": "tied", "features": "gray"}, []),
    ("segment", {"covariance": "diag", "features": "gray,xy"}, []),
    ("impute", {"k": 2}, []),  # whose own criterion is not that of segment
    ("compare", {"covariance": "VVI", "features": "gray"}, ["covariance='VVI' does nothing with one feature"]),
]


@pytest.mark.parametrize(("command", "options", "lines"), TOLD_LINES)
def test_what_does_nothing(command: str, options: dict[str, Any], lines: list[str]) -> None:
    found = [for_python(line) for line in without_effect(command, checked.segmentation(command, **options))]
    assert len(found) == len(lines)
    for line, start in zip(found, lines, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize(("command", "options", "lines"), [case for case in TOLD_LINES if case[0] == "segment"])
def test_what_is_told_to_do_nothing_does_nothing(
    command: str, options: dict[str, Any], lines: list[str], picture: tuple[np.ndarray, np.ndarray], label_file: Any
) -> None:
    """The proof: without the option, the result is the same."""
    if not lines:
        return
    if options.get("init") == HERE:
        options = {**options, "init": label_file(picture[1])}
    image = picture[0][:, :, 0] if options.get("features") == "gray" else picture[0]
    idle = {line.partition("=")[0] for line in lines}
    given = {"k": 3, **options}
    with_it, without = (
        emseg.segment(image, **o) for o in (given, {name: value for name, value in given.items() if name not in idle})
    )
    np.testing.assert_array_equal(with_it.labels, without.labels)
    # Fields sum in single precision.
    assert with_it.report["log_likelihood"] == pytest.approx(without.report["log_likelihood"], rel=1e-9)
    assert [line.partition("=")[0] for line in with_it.report["warnings"] if " does nothing" in line] == [
        line.partition("=")[0] for line in lines
    ]


def test_restoring() -> None:
    (line,) = without_effect("inpaint", InpaintOptions(seed=3))
    assert for_command_line(line) == "--seed 3 does nothing without --uncertainty; add --uncertainty, or leave it out"
    assert without_effect("inpaint", InpaintOptions(seed=3, uncertainty=True)) == ()
    (line,) = without_effect("denoise", DenoiseOptions(sigma=0, method="mixture"))
    assert for_command_line(line).startswith(
        "--method mixture does nothing with --sigma 0, where there is no noise; use"
    )
    assert without_effect("denoise", DenoiseOptions(sigma=0, method="mixture", noise="poisson")) == ()
    assert emseg.denoise(np.eye(9), sigma=0, fast=True).report["warnings"][0].startswith("fast=True does nothing")


def test_running() -> None:
    (line,) = without_effect("segment", RunOptions(output="-", name="x{stem}"))
    assert for_command_line(line).startswith("--name x{stem} does nothing with -o -; name a folder, or leave")
    (line,) = without_effect("segment", RunOptions(dry_run=True, jobs=2))
    assert for_command_line(line).startswith("--jobs 2 does nothing with --dry-run; run without --dry-run")


def test_a_label_to_ignore_that_no_truth_has() -> None:
    truth = np.repeat([[0, 1, 2]], 3, axis=0)
    assert emseg.evaluate(truth, truth, ignore=2)["warnings"] == []
    assert emseg.evaluate(truth, truth, ignore=7)["warnings"] == ["no truth has the label 7, which was to be left out"]
