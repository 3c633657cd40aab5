"""The strength β of the field by maximum pseudo-likelihood (Besag 1975), with a prior near the critical strength.

    log PL(β) = Σ_i [β c_i(z_i) - log Σ_k exp(β c_ik)],    log prior(β) = -½ N λ max(β / β_c - 1.15, 0)²

Above the critical β_c, a Potts field holds large regions together; images that people segment lie a little above it.
The prior is flat below 1.15 β_c, and a little above that it moves the estimate by a percent or two. On images that are
no Potts samples, as large smooth shapes and folded tissue, the pseudo-likelihood climbs without end and over-smooths.
There the prior, which counts for every pixel, holds the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import Real

#: Critical β for two states and weights of 1, times the number of neighbours. 4 neighbours: ln(1 + √2) · 4 (Onsager
#: 1944); 8, 6, 18, 26: Monte-Carlo results on Ising models with equal couplings. A chain has none; it gets that of 2-D.
CRITICAL = {(1, 2): 3.5255, (2, 4): 3.5255, (2, 8): 3.0431, (3, 6): 2.6599, (3, 18): 2.318, (3, 26): 2.238}
# The prior: where it begins, over β_c, and λ. In the BrainWeb T1 volume the best fixed β is 1.09 β_c, and the estimate
# without a prior twice that. Eight noisy images, six of them Potts samples with β of 1.13 to 1.2 β_c: mean errors of
# mean field are 5.6 % with ONSET 1, 1.15 and 1.3, and with STRENGTH .05 to .8. Without the prior they are 5.7 %, and β
# is up to 13 β_c.
ONSET, STRENGTH = 1.15, 0.2
#: Largest change of β in one Newton step, for images that start far from their β. Results are the same from .1 to 1.
LARGEST_STEP = 0.3


def critical_beta(lattice: Lattice, k: int) -> float:
    """Critical β of the Potts model with K labels: ln(1 + √K) on 4 neighbours, where it is known exactly.

    On other lattices it is taken to grow with K in the same way, and to be inverse to the sum of the weights.
    """
    two = CRITICAL[len(lattice.shape), lattice.neighbours] / lattice.total_weight
    return two * float(np.log1p(np.sqrt(max(k, 2))) / np.log1p(np.sqrt(2)))


@dataclass
class Slope:
    """Derivatives of the log pseudo-likelihood at β, summed block by block.

    Attributes
    ----------
    beta : float
    first, second : float
        The derivatives, so far.
    n : float
        Pixels, so far.
    """

    beta: float
    first: float = 0.0
    second: float = 0.0
    n: float = 0.0

    def add(self, c: Real, p: Real, inside: NDArray[Any]) -> None:
        """Add a block of pixels.

        Parameters
        ----------
        c : ndarray of float32, shape (K, B)
            Votes of the neighbours.
        p : ndarray of float32, shape (K, B)
            Probabilities of the labels; zero outside.
        inside : ndarray of bool, shape (B,)
        """
        w = np.multiply(c, np.float32(self.beta))
        np.exp(w, out=w)
        w /= w.sum(0)
        w *= c
        mean = w.sum(0)
        w *= c
        square = w.sum(0)
        np.multiply(p, c, out=w)
        self.first += float(w.sum(dtype=np.float64) - np.sum(mean, where=inside, dtype=np.float64))
        self.second -= float(np.sum(square - mean * mean, where=inside, dtype=np.float64))
        self.n += float(np.count_nonzero(inside))

    def newton(self, critical_beta: float) -> float:
        """β after one step up the log posterior; never negative."""
        if self.n == 0:
            return self.beta
        weight = self.n * STRENGTH / critical_beta**2
        above = self.beta - ONSET * critical_beta
        first = self.first - weight * max(above, 0.0)
        second = self.second - (weight if above > 0 else 0.0)
        if second == 0:
            return self.beta
        return max(0.0, self.beta + float(np.clip(-first / second, -LARGEST_STEP, LARGEST_STEP)))
