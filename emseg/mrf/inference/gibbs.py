"""Gibbs sampling of the Potts posterior, phase by phase (Geman & Geman 1984)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import OUTSIDE, STEEP, Labels, Real, Support, width

#: Sees, for each block, the phase, the cells, the support c (K, B) and p(z_i = k | neighbours, x), which is zero
#: outside; both arrays are used again.
Visit = Callable[[int, slice, Real, Real], None]


def sweep(
    lattice: Lattice,
    labels: Labels,
    log_f: Real,
    beta: float,
    rng: np.random.Generator,
    visit: Visit | None = None,
    support: Support | None = None,
) -> None:
    """Draw every pixel's label once, given its neighbours and its value; labels, a state, change in place.

    Parameters
    ----------
    lattice : Lattice
    labels : ndarray of uint8, shape (S, margin + M + margin)
    log_f : ndarray of float32, shape (S, K, M)
        Log-densities less the largest at each pixel.
    beta : float
    rng : numpy.random.Generator
    visit : callable, optional
        Receives the conditional probabilities; they estimate marginals with less noise than the drawn labels do
        (Rao-Blackwell).
    support : Support, optional
        Buffers to use again.
    """
    k = log_f.shape[1]
    support = support or Support(lattice, k)
    size = width(k)
    p, total, draw = np.empty((k, size), np.float32), np.empty(size, np.float32), np.empty(size, np.float32)
    above, own = np.empty(size, np.bool_), lattice.core(labels)
    blank = np.where(lattice.inside, 0, OUTSIDE).astype(np.uint8)
    steep = beta * lattice.largest_support > STEEP
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(size):
            n = part.stop - part.start
            e, cumulative, u, over = p[:, :n], total[:n], draw[:n], above[:n]
            c = support.of_labels(labels, s, part)
            np.multiply(c, np.float32(beta), out=e)
            e += log_f[s, :, part]
            if steep:
                e -= e.max(0)
            np.exp(e, out=e)
            np.add.reduce(e, axis=0, out=cumulative)
            rng.random(out=u, dtype=np.float32)
            if visit:
                np.divide(lattice.inside[s, part], cumulative, out=cumulative)
                e *= cumulative
            else:
                u *= cumulative
            z = own[s, part]
            np.copyto(cumulative, e[0])
            z[:] = u >= cumulative
            for share in e[1:-1]:
                cumulative += share
                np.greater_equal(u, cumulative, out=over)
                z += over.view(np.uint8)
            z |= blank[s, part]
            if visit:
                visit(s, part, c, e)
