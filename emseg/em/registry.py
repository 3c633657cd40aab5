"""Every algorithm by its name on the command line: the one list that options, documentation and tests read.

Importing this module imports no numpy; `algorithm` loads what it names. An algorithm's options are the fields of its
dataclass; accelerators have a field `base`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from emseg.errors import UsageError, option
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.em.algorithm import Algorithm
    from emseg.em.problem import Problem
    from emseg.mixture.mixture import Mixture


class Entry(NamedRecord):
    """One algorithm, described without loading it.

    Attributes
    ----------
    module, name : str
        File below `emseg.em`, and class.
    summary : str
        What it is, in one line.
    mixed : bool
        Whether it fits mixed classes, whose parameters are tied to those of the pure ones.
    scheduled : bool
        Whether it ends after so many steps, however little the objective still gains.
    """

    module: str
    name: str
    summary: str
    mixed: bool = True
    scheduled: bool = False

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return self.module.startswith("stochastic.")


ALGORITHMS: dict[str, Entry] = {
    "em": Entry("variants.em", "EM", "classic EM (Dempster, Laird & Rubin 1977)"),
    "map": Entry("variants.map", "Map", "EM with a conjugate prior (Fraley & Raftery 2007)"),
    "gem": Entry("variants.gem", "GEM", "generalised EM: any step that does not lower Q (Dempster et al. 1977)"),
    "ecm": Entry(
        "variants.ecm", "ECM", "conditional M-steps with an E-step before each (Meng & Rubin 1993)", mixed=False
    ),
    "ecme": Entry("variants.ecme", "ECME", "weights maximise the likelihood itself (Liu & Rubin 1994)", mixed=False),
    "sage": Entry("variants.sage", "SAGE", "one component at a time (Celeux et al. 2001)", mixed=False),
    "aitken": Entry("accelerators.aitken", "Aitken", "EM with multivariate Aitken acceleration (Louis 1982)"),
    "cg": Entry("accelerators.cg", "CG", "EM with conjugate gradients (Jamshidian & Jennrich 1993)"),
    "anderson": Entry("accelerators.anderson", "Anderson", "EM with Anderson acceleration (Henderson & Varadhan 2019)"),
    "squarem": Entry("accelerators.squarem", "Squarem", "EM with squared extrapolation (Varadhan & Roland 2008)"),
    "px": Entry(
        "variants.px", "PX", "parameter-expanded EM, for the family student (Liu, Rubin & Wu 1998)", mixed=False
    ),
    "vb": Entry(
        "variants.vb", "VB", "variational Bayes with the complete bound on the evidence (Attias 2000)", mixed=False
    ),
    "cem": Entry("variants.cem", "CEM", "classification EM: hard labels (Celeux & Govaert 1992)"),
    "sem": Entry(
        "stochastic.sem", "SEM", "stochastic EM: drawn labels, averaged (Celeux & Diebolt 1985)", scheduled=True
    ),
    "saem": Entry(
        "stochastic.saem",
        "SAEM",
        "EM with randomness falling to zero (Celeux & Diebolt 1992; Delyon et al. 1999)",
    ),
    "mcem": Entry("stochastic.mcem", "MCEM", "Monte-Carlo EM: ever more draws (Wei & Tanner 1990)"),
    "daem": Entry("variants.daem", "DAEM", "deterministic annealing EM (Ueda & Nakano 1998)"),
    "incremental": Entry("variants.incremental", "Incremental", "EM block by block (Neal & Hinton 1998)"),
    "online": Entry(
        "stochastic.online", "Online", "stepwise EM over minibatches (Cappé & Moulines 2009)", scheduled=True
    ),
}


def without_mixed() -> tuple[str, ...]:
    """Names of the algorithms that cannot fit mixed classes."""
    return tuple(name for name, entry in ALGORITHMS.items() if not entry.mixed)


def algorithm(name: str, base: str = "", options: Mapping[str, str] | None = None) -> Algorithm[Problem, Mixture, Any]:
    """The algorithm of that name.

    Parameters
    ----------
    name : str
    base : str
        For an accelerator, the name of the algorithm that it accelerates; empty for classic EM.
    options : mapping of str to str
        Settings by name, as typed on the command line; the others keep their defaults.

    Raises
    ------
    UsageError
        If there is no such algorithm or option, or a value makes no sense.
    """
    kind = _load(name)
    known = {field.name: field for field in fields(kind)}
    settings: dict[str, Any] = {}
    if base:
        if "base" not in known:
            raise UsageError(f"{option('base', base)}: {name} accelerates nothing; leave it out")
        inner = algorithm(base)
        if not hasattr(inner, "update"):
            raise UsageError(
                f"{option('base', base)}: no fixed-point iteration that could be accelerated; "
                f"use {option('base', 'em')}"
            )
        settings["base"] = inner
    for key, text in (options or {}).items():
        default = known[key].default if key in known else MISSING
        if default is MISSING:
            names = ", ".join(n for n, field in known.items() if field.default is not MISSING) or "none"
            raise UsageError(f"{option('option', key)}: {name} has no such setting; it has {names}")
        try:
            settings[key] = type(default)(text)
        except ValueError:
            raise UsageError(
                f"{option('option', f'{key}={text}')}: expected a {type(default).__name__}, as {key}={default}"
            ) from None
    try:
        return kind(**settings)  # type: ignore[no-any-return]
    except ValueError as error:
        raise UsageError(f"{option('algorithm', name)}: {error}") from None


def _load(name: str) -> Any:
    if name not in ALGORITHMS:
        raise UsageError(f"unknown algorithm {name!r}: choose one of {', '.join(ALGORITHMS)}")
    entry = ALGORITHMS[name]
    return getattr(import_module(f"emseg.em.{entry.module}"), entry.name)
