"""Mean field: the independent assignment q that is nearest to the Potts posterior.

    F(q) = Σ_i Σ_k q_ik (log q_ik - log f_k(x_i)) - β Σ_{i~j} w_ij Σ_k q_ik q_jk

is, but for the partition function of the field, the Kullback-Leibler divergence of Πq_i from p(z | x). A phase's pixels
do not interact, so setting q_i ∝ exp(log f_k(x_i) + β c_ik) for all of them minimises F over the phase exactly, and F
never rises.
"""

from __future__ import annotations

import numpy as np

from emseg.mrf.inference.gibbs import Visit
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import STEEP, Real, Support, width


def sweep(
    lattice: Lattice,
    q: Real,
    log_f: Real,
    beta: float,
    visit: Visit | None = None,
    support: Support | None = None,
) -> None:
    """Update every pixel's assignment once, in place.

    Parameters
    ----------
    lattice : Lattice
    q : ndarray of float32, shape (S, K, margin + M + margin)
        A state, zero outside.
    log_f : ndarray of float32, shape (S, K, M)
        Log-densities less the largest at each pixel.
    beta : float
    visit : callable, optional
        Receives phase, cells, support and the new assignment.
    support : Support, optional
        Buffers to use again.
    """
    k = log_f.shape[1]
    support = support or Support(lattice, k)
    own, size = lattice.core(q), width(k)
    total = np.empty(size, np.float32)
    steep = beta * lattice.largest_support > STEEP
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(size):
            e, norm = own[s, :, part], total[: part.stop - part.start]
            c = support.of_shares(q, s, part)
            np.multiply(c, np.float32(beta), out=e)
            e += log_f[s, :, part]
            if steep:
                e -= e.max(0)
            np.exp(e, out=e)
            np.add.reduce(e, axis=0, out=norm)
            np.divide(lattice.inside[s, part], norm, out=norm)
            e *= norm
            if visit:
                visit(s, part, c, e)


def free_energy(lattice: Lattice, q: Real, log_f: Real, beta: float) -> float:
    """F(q) of a state, for log-densities less their largest (which sum to a constant)."""
    k = log_f.shape[1]
    support, own = Support(lattice, k), lattice.core(q)
    total = 0.0
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(width(k)):
            r = own[s, :, part]
            c = support.of_shares(q, s, part)
            c *= np.float32(-0.5 * beta)
            c -= log_f[s, :, part]
            c += np.log(np.maximum(r, np.finfo(np.float32).tiny))
            c *= r
            total += float(c.sum(dtype=np.float64))
    return total
