"""Every component family by its name on the command line, and what holds the parameters of each."""

from __future__ import annotations

from emseg.mixture.family import Components, Family
from emseg.mixture.gamma import Gamma, GammaFamily
from emseg.mixture.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.poisson import Poisson, PoissonFamily
from emseg.mixture.von_mises import VonMises, VonMisesFamily

KINDS: dict[str, type[Components]] = {
    "gaussian": Gaussian,
    "poisson": Poisson,
    "gamma": Gamma,
    "von-mises": VonMises,
}


def family_of(name: str, covariance: str = "full") -> Family:
    """The family of that name; a covariance model is for Gaussians."""
    if name == "gaussian":
        return GAUSSIANS[covariance]
    others: dict[str, Family] = {"poisson": PoissonFamily(), "gamma": GammaFamily(), "von-mises": VonMisesFamily()}
    return others[name]
