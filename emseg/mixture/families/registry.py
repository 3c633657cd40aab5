"""Every component family by its name on the command line. Those that are not asked for are not loaded."""

from __future__ import annotations

from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.family import Family


def family_of(name: str, covariance: str = "full", dof: str | float = "each") -> Family:
    """The family of that name; a covariance model is for gaussian and student, degrees of freedom are for student.

    Raises
    ------
    KeyError
        If there is none.
    """
    match name:
        case "gaussian":
            return GAUSSIANS[covariance]
        case "student":
            from emseg.mixture.families.student import StudentFamily

            return StudentFamily(GAUSSIANS[covariance], dof)
        case "poisson":
            from emseg.mixture.families.poisson import PoissonFamily

            return PoissonFamily()
        case "gamma":
            from emseg.mixture.families.gamma import GammaFamily

            return GammaFamily()
        case "von-mises":
            from emseg.mixture.families.von_mises import VonMisesFamily

            return VonMisesFamily()
    raise KeyError(name)
