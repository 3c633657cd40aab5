"""How well a mixture with a field explains an image: the pseudo-likelihood of its pixels.

    log PL(x) = Σ_i log Σ_k P(z_i = k | neighbours) f_k(x_i),    P(z_i = k | neighbours) ∝ exp(β c_ik)

with the votes c_ik of the neighbours' probabilities under mean field. Where models are compared, it stands in for the
likelihood, whose partition function cannot be computed (Stanford & Raftery 2002, IEEE Trans. Pattern Anal. Mach.
Intell. 24; Forbes & Peyrard 2003, the same 25).
"""

from __future__ import annotations

import numpy as np

from emseg.mrf.emission import Emission
from emseg.mrf.fit import FieldFit
from emseg.mrf.potts import Votes, block_size
from emseg.numerics.log_sum_exp import log_sum_exp


def pseudo_log_likelihood(emission: Emission, fit: FieldFit) -> float:
    """log PL of all pixels in nats, in the features' own units.

    Parameters
    ----------
    emission : Emission
    fit : FieldFit
        By mean field.
    """
    lattice, k = emission.lattice, fit.mixture.k
    log_f, total = emission.log_densities_and_level(fit.mixture)
    q, votes = lattice.with_halo(fit.probabilities), Votes(lattice, k)
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(block_size(k)):
            prior = votes.of_probabilities(q, s, part)
            prior *= np.float32(fit.beta)
            gain = log_sum_exp(prior + log_f[s, :, part]) - log_sum_exp(prior)
            total += float(np.sum(gain, where=lattice.inside[s, part], dtype=np.float64))
    return total
