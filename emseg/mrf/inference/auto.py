"""What `mrf="auto"` does: Gibbs sampling while that takes seconds."""

from __future__ import annotations

from typing import ClassVar

from emseg.mrf.inference.gibbs import Gibbs


class Auto(Gibbs):
    """Gibbs sampling; a large image is labelled by mean field, with the mixture and β of tiles sampled by Gibbs.

    From a signal-to-noise ratio of 1.5 on, mean field with the same parameters has at most .2 percent more wrong
    pixels, and one sweep of it is enough where Gibbs takes 80.
    """

    labels_large: ClassVar[str] = "mean-field"
