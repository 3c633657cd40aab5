"""What is done without being told how."""

from __future__ import annotations

from emseg.mrf.inference.auto import Auto
from emseg.mrf.inference.gibbs import Gibbs
from emseg.mrf.inference.registry import METHODS


def test_it_is_gibbs_but_for_the_labels_of_large_images() -> None:
    assert (Auto.name, Auto.schedule, Auto.largest_whole) == (Gibbs.name, Gibbs.schedule, Gibbs.largest_whole)
    assert (Auto.labels_large, Gibbs.labels_large) == ("mean-field", "gibbs")
    assert next(iter(METHODS)) == "auto"
