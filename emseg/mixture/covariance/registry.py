"""Every covariance model by its name: the one list that options, checks, documentation and tests read.

Importing this module imports no numpy. To add a model that the M-steps of `emseg.mixture.covariance.volume_shape` can
estimate, add one entry here.
"""

from __future__ import annotations

from emseg.records import NamedRecord


class CovarianceEntry(NamedRecord):
    """One covariance model, described without loading it.

    Attributes
    ----------
    name : str
        What the option `covariance` calls it.
    letters : str
        Volume, shape and orientation: equal (E), varying (V) or, the last two, absent (I), as mclust writes them.
    summary : str
        What the components look like, in one line.
    conjugate : bool
        Whether it has a conjugate prior, which variational Bayes needs.
    """

    name: str
    letters: str
    summary: str
    conjugate: bool

    @property
    def knows_no_units(self) -> bool:
        """Whether a model of its kind stays one when an axis is stretched: balls and turned ellipsoids do not."""
        letters = ALIASES.get(self.letters, self.letters)
        return letters[1:] in ("EI", "VI", "EE", "VV") and letters not in ("EII", "VII")


#: Plain names for four of mclust's models.
ALIASES = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
#: mclust's models of several dimensions (Scrucca et al. 2016, The R Journal 8).
MCLUST = ("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")
_SUMMARIES = {
    "full": "each component has its own ellipsoid",
    "tied": "one ellipsoid shared by all components",
    "diag": "ellipsoids along the axes",
    "spherical": "balls, each with its own radius",
    "EII": "balls of one size",
    "VII": "spherical",
    "EEI": "one ellipsoid along the axes",
    "VEI": "ellipsoids along the axes, of one shape",
    "EVI": "ellipsoids along the axes, of one volume",
    "VVI": "diag",
    "EEE": "tied",
    "VEE": "one ellipsoid in several sizes",
    "EVE": "ellipsoids of one volume with common axes",
    "VVE": "ellipsoids with common axes",
    "EEV": "one ellipsoid, turned",
    "VEV": "ellipsoids of one shape",
    "EVV": "ellipsoids of one volume",
    "VVV": "full",
}
#: Inverse Wishart, or inverse gamma along each axis: models whose volume, shape and orientation vary or not as one.
_CONJUGATE = ("VVV", "EEE", "VVI", "EEI", "VII", "EII")
COVARIANCES: dict[str, CovarianceEntry] = {
    name: CovarianceEntry(name, ALIASES.get(name, name), summary, ALIASES.get(name, name) in _CONJUGATE)
    for name, summary in _SUMMARIES.items()
}


def conjugate_models() -> tuple[str, ...]:
    """Names of the covariance models that have a conjugate prior."""
    return tuple(name for name, entry in COVARIANCES.items() if entry.conjugate)
