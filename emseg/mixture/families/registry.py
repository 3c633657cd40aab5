"""Every component family by its name: the one list that options, checks, documentation and tests read.

Importing this module imports no numpy; `family_of` loads what it names. To add a family, write its file and add one
entry here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.mixture.family import Family


class FamilyEntry(NamedRecord):
    """One family of component densities, described without loading it.

    Attributes
    ----------
    name : str
        What the option `family` calls it.
    module : str
        Where below `emseg.mixture.families` its class lives.
    class_name : str
    summary : str
        What the components are, in one line.
    support : str
        Which values have a density.
    options : tuple of str
        Options of `segment` that only some families take and this one does: `covariance`, `dof`, `censored`,
        `truncated`, `partial_volume`; and `level` of `impute`, which needs quantiles.
    algorithms : tuple of str
        Algorithms that only some families run and this one does: `vb`, `px`, and `ecm`, which needs several parts.
    """

    name: str
    module: str
    class_name: str
    summary: str
    support: str
    options: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()

    def load(self) -> type[Family]:
        """The class of the family."""
        found: type[Family] = getattr(import_module(f"emseg.mixture.families.{self.module}"), self.class_name)
        return found


FAMILIES: dict[str, FamilyEntry] = {
    entry.name: entry
    for entry in (
        FamilyEntry(
            "gaussian",
            "gaussian",
            "GaussianFamily",
            "normal distributions, under a covariance model",
            "any number",
            ("covariance", "censored", "truncated", "partial_volume", "level"),
            ("vb", "ecm"),
        ),
        FamilyEntry(
            "student",
            "student",
            "StudentFamily",
            "t distributions, which outliers do not pull, under one too",
            "any number",
            ("covariance", "dof", "level"),
            ("px", "ecm"),
        ),
        FamilyEntry(
            "poisson",
            "poisson",
            "PoissonFamily",
            "counts, such as photons: the variance is the mean",
            "numbers of 0 or more",
            ("level",),
        ),
        FamilyEntry(
            "gamma",
            "gamma",
            "GammaFamily",
            "speckle, as of SAR and ultrasound: the spread grows with the mean; values above 0",
            "numbers above 0",
            ("level",),
            ("ecm",),
        ),
        FamilyEntry(
            "von-mises",
            "von_mises",
            "VonMisesFamily",
            "angles, such as hue and orientation",
            "radians",
            algorithms=("ecm",),
        ),
    )
}


def families_with(option: str) -> tuple[str, ...]:
    """Names of the families that take an option which only some families take."""
    return tuple(name for name, entry in FAMILIES.items() if option in entry.options)


def families_running(algorithm: str) -> tuple[str, ...]:
    """Names of the families that run an algorithm which only some families run."""
    return tuple(name for name, entry in FAMILIES.items() if algorithm in entry.algorithms)


def family_of(name: str, covariance: str = "full", dof: str | float = "each") -> Family:
    """The family of that name.

    Parameters
    ----------
    name : str
        A name of `FAMILIES`.
    covariance : str
        A name of `emseg.mixture.covariance.registry.COVARIANCES`, for families under a covariance model.
    dof : {"each", "common"} or float
        Degrees of freedom of Student distributions.

    Raises
    ------
    KeyError
        If there is no such family or covariance model.
    """
    return FAMILIES[name].load().of_options(covariance, dof)
