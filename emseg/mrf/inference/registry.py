"""Every way to infer the labels of a field, by its name on the command line.

Options, command line, documentation and tests read this list. Importing it imports no numpy; `inference` loads what it
names. To add a method, write one file with a class that follows `emseg.mrf.inference.protocol.Inference`, and add one
line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.mrf.inference.protocol import Inference


class Entry(NamedRecord):
    """Where in `emseg.mrf.inference` a method lives, and what it is, in one line.

    Attributes
    ----------
    module, name : str
        File and class.
    summary : str
    extra : str
        The extra of the package that makes it faster; empty for none.
    """

    module: str
    name: str
    summary: str
    extra: str = ""


METHODS: dict[str, Entry] = {
    "auto": Entry("auto", "Auto", "gibbs; beyond 1.5 megapixels, fitted by tiles and labelled by mean-field"),
    "gibbs": Entry("gibbs", "Gibbs", "sampled labels, averaged: fewest wrong pixels (Geman & Geman 1984)"),
    "mean-field": Entry("mean_field", "MeanField", "independent pixels nearest to the posterior: quick (Zhang 1992)"),
    "icm": Entry("icm", "ICM", "each pixel's best label given its neighbours: quickest (Besag 1986)"),
    "graph-cut": Entry("graph_cut", "GraphCut", "α-expansion: labels of low energy (Boykov et al. 2001)", "graphcut"),
}


def inference(name: str) -> type[Inference]:
    """The method of that name.

    Parameters
    ----------
    name : str
        A key of `METHODS`.

    Returns
    -------
    class that follows `Inference`

    Raises
    ------
    KeyError
        If there is none.
    """
    entry = METHODS[name]
    kind: type[Inference] = getattr(import_module(f"emseg.mrf.inference.{entry.module}"), entry.name)
    return kind
