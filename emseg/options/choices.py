"""What options offer by name, each with its meaning; from the registries where there is one. Imports nothing heavy."""

from __future__ import annotations

from emseg.em.registry import ALGORITHMS as ENTRIES
from emseg.mixture.covariance.registry import COVARIANCES as SHAPES
from emseg.mixture.families.registry import FAMILIES as KINDS
from emseg.mrf.inference.registry import METHODS as INFERENCES

ALGORITHMS = {name: entry.summary for name, entry in ENTRIES.items()}
COVARIANCES = {name: entry.summary for name, entry in SHAPES.items()}
FAMILIES = {name: entry.summary for name, entry in KINDS.items()}
FIELDS = {
    "default": "marked where pixels are marked, else none",
    "none": "the mixture alone",
    "marked": "several components a class, fitted to the marked pixels, and minimum cuts along edges of the image",
} | {name: entry.summary for name, entry in INFERENCES.items()}
INITS = ("auto", "kmeans++", "random")
CRITERIA = {
    "auto": "icl of as many samples as are independent; in white noise, the pseudo-likelihood of a field; "
    "with regions, the length of the image's description",
    "icl": "bic, and the entropy of the labels (Biernacki, Celeux & Govaert 2000)",
    "bic": "the Bayesian information criterion (Schwarz 1978)",
    "aic": "Akaike's information criterion (Akaike 1974)",
    "mml": "the length of a message that holds the parameters (Figueiredo & Jain 2002)",
    "elbo": "the bound on the evidence by variational Bayes",
}
MISSING = {
    "drop": "they get label 0",
    "em": "they get a label by what is known of them",
}
STRAY = {
    "auto": "they do not, in drawings of flat colours and where they are few",
    "fit": "they count like all others",
}
NEIGHBOURS = ("auto", "4", "8", "6", "18", "26")
STARTS = {  # of `compare`
    "kmeans++": "one draw of k-means++",
    "random": "one draw of random pixels",
    "search": "where `segment` would start",
}
METHODS = {  # of `denoise`
    "auto": "local",
    "mixture": "one mixture for all patches, fitted to the image",
    "local": "a Gaussian for the patches around each pixel",
}
NOISES = {  # of `denoise`
    "gaussian": "white, the same everywhere",
    "poisson": "that of counted photons",
}
