"""Random sets of options, made from the declarations: a new option is in them as soon as it is declared.

A kind of values that is new gets values of all sorts, until it says here, in `VALUES`, which ones make sense.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from emseg.em.registry import ALGORITHMS, _load
from emseg.features.registry import FEATURES
from emseg.options.by_command import options_of
from emseg.options.declaration import Option
from emseg.options.kinds import basic_kinds as basic
from emseg.options.kinds import file_kinds as files
from emseg.options.kinds import text_kinds as texts
from emseg.options.kinds import value_lists as lists

#: What prints more than lines of emseg's, or would start processes without end.
LEFT_OUT = ("debug", "verbose", "output", "files_from", "null", "recursive", "overwrite")
#: Processes are started rarely, because they take time.
NUMBERS = ("0", "1", "2", "3", "0.5", "0.05", "0.85", "1e-300", "1e-9", "7", "100", "1e9", "1e300")
WHOLE = ("0", "1", "2", "3", "5", "40", "-1", "-3")
LIMITS = ("0,255", "10,", ",200", "0,", "-5,1e300", "100,101", "0,1")
FEATURE_SETS = ("auto", "lab,xy:0.5", "bands,texture", "bands,xy", "rgb,texture", "lab:1e-9", "gray:1e9,xy")
#: Which of the files that go with the images an option takes.
FILES = {
    "mask": ("mask", "labels"), "init": ("model", "mad", "labels"), "scribbles": ("scribbles", "labels"),
    "prior_map": ("prior",), "files_from": ("names",),
}  # fmt: skip
Draw = Callable[[Option, Any, random.Random, Mapping[str, Sequence[str]]], str]


def _number(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    able = [text for text in NUMBERS if _takes(kind, text)] or list(NUMBERS)
    return rng.choice([*able, *kind.words, *kind.words, *kind.words])


def _whole(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    if option.name in ("jobs", "workers"):
        return "1" if rng.random() < 0.9 else "2"
    return rng.choice([text for text in WHOLE if _takes(kind, text)])


def _named(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    return rng.choice([name for name in kind.names if name])


def _names(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    return ",".join(rng.sample(kind.names, rng.randint(1, min(3, len(kind.names)))))


def _file(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    found = [name for group in FILES[option.name] for name in at_hand[group]]
    return rng.choice([*kind.words, *found])


def _features(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    return rng.choice([*FEATURE_SETS, *FEATURES, ",".join(rng.sample(list(FEATURES), 2))])


def _setting(option: Option, kind: Any, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    known = [(field.name, field.default) for name in ALGORITHMS for field in fields(_load(name))]
    name, default = rng.choice([(name, default) for name, default in known if default is not MISSING])
    return f"{name}={rng.choice([default, *WHOLE, *NUMBERS])}"


def _one_of(*values: str) -> Draw:
    return lambda option, kind, rng, at_hand: rng.choice(values)


VALUES: dict[type, Draw] = {
    basic.Whole: _whole,
    basic.Number: _number,
    basic.Choice: _named,
    basic.Names: _names,
    basic.Kind: _one_of("{stem}", "{name}", "{stem}-{folder}", "x"),
    texts.Components: _one_of("1", "2", "2", "3", "3", "4", "5", "40", "auto", "1:3", "2:4"),
    texts.Limits: _one_of(*LIMITS),
    texts.Box: _one_of("0,0,5,5", "3,2,4,6", "0,0,99,99", "11,9,1,1"),
    texts.Features: _features,
    texts.Path: _file,
    texts.Settings: _setting,
    texts.ClassGroups: _one_of("default", "auto", "dark", "bright", "all", "1", "2", "1+2", "2,1", "7"),
    files.InputFile: _file,
    files.ExistingFolder: _one_of("."),
    files.Page: _one_of("1", "2", "all"),
    files.Axes: _one_of("YX", "YXC", "CYX", "ZYX", "TYX", "XY"),
    files.Channels: _one_of("1", "2", "1,2", "3,1"),
    files.Amount: _one_of("1", "100", "1M", "8G"),
    files.Shard: _one_of("1/1", "1/2", "2/2"),
    lists.Values: _one_of("0", "5", "255", "0,255", "1e300", "-1"),
}


ANY = _one_of("0", "1", "2", "0.5", "1,2", "0,0,4,4", "auto", "all", "x", "")


def _takes(kind: Any, text: str) -> bool:
    try:
        kind.parse(text)
    except ValueError:
        return False
    return True


def text_of(option: Option, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> str:
    """A value of the option as the command line spells it."""
    kind = option.kind
    while isinstance(kind, basic.Optional):
        kind = kind.inner
    return VALUES.get(type(kind), ANY)(option, kind, rng, at_hand)


def drawn(command: str, rng: random.Random, at_hand: Mapping[str, Sequence[str]]) -> list[str]:
    """Words of a command line: some options of a command, each with a value."""
    able = [option for option in options_of(command) if option.flags and option.name not in LEFT_OUT]
    words: list[str] = []
    for option in rng.sample(able, min(rng.choice((1, 2, 2, 3, 3, 4, 6)), len(able))):
        words.append(option.flags[-1])
        if not isinstance(option.kind, basic.Flag):
            words.append(text_of(option, rng, at_hand))
    return words
