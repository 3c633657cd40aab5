"""The rate matrix of EM, learned from pairs θ, Φ(θ), and the jump to the limit that it foretells.

J = ∂Φ/∂θ maps differences of θ to those of Φ(θ): with the one as columns of V and the other of U, J = U V⁺ on what V
spans, and 0 elsewhere. Near its limit EM is the linear map e → J e, so the limit is θ + (I - J)⁻¹ (Φ(θ) - θ).

Two things make that a way upwards, and not just to any fixed point. An eigenvalue λ > 1 means that EM is leaving a
saddle; 1 - λ is taken without its sign, which goes on in EM's direction where Newton's method would turn back. And
directions that V barely shows are faded out: there U V⁺ is rounding multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDING = 100 * float(np.finfo(np.float64).eps)  # of the length of θ: shorter differences are rounding
ILL_CONDITIONED = 1e8  # condition of eigenvectors, of which half the digits of a double are then lost


def rate(points: Sequence[Array], images: Sequence[Array], least_share: float) -> tuple[Array, Array]:
    """J = A Pᵀ from points θ and their images Φ(θ), oldest first; `least_share` as in `predicted_fixed_point`.

    Returns
    -------
    action : ndarray, shape (p, m)
        A = J P.
    basis : ndarray, shape (p, m)
        P, orthonormal; Pᵀ A has the eigenvalues of J that the points have shown.
    """
    basis, extent, mix = np.linalg.svd(np.diff(points, axis=0).T, full_matrices=False)
    least = max(least_share * extent[0], ROUNDING * float(np.linalg.norm(points[-1])), float(np.finfo(float).tiny))
    share = extent / least
    # 1 / extent for the long, and 0 for the short; smooth between, so that nothing turns on what rounding decides.
    inverse = share**3 / (1 + share**4) / least
    action: Array = np.diff(images, axis=0).T @ (mix.T * inverse)
    return action, basis


def predicted_fixed_point(
    points: Sequence[Array], images: Sequence[Array], least_share: float, distance: Callable[[Array, Array], Array]
) -> Array | None:
    """The limit that the points and their images foretell, seen from the last point.

    Parameters
    ----------
    points, images : sequence of ndarray, shape (p,)
        θ and Φ(θ), oldest first; two at least.
    least_share : float
        Directions of less than this share of the longest extent of the points count for little.
    distance : callable
        From |1 - λ|, complex where rounding made λ so, and the share of Φ(θ) - θ along each eigenvector, relative to
        the longest way between points, to what is to be divided by: |1 - λ| itself, or more for shorter jumps.

    Returns
    -------
    ndarray, shape (p,), or None
        None where J makes no sense.
    """
    action, basis = rate(points, images, least_share)
    values, vectors = np.linalg.eig(basis.T @ action)
    if np.linalg.cond(vectors) > ILL_CONDITIONED:
        return None
    parts = np.linalg.solve(vectors, basis.T @ (images[-1] - points[-1]))
    way = max(float(np.linalg.norm(np.diff(points, axis=0), 2)), float(np.finfo(float).tiny))
    # Not the modulus, which has a kink where two real eigenvalues become a complex pair.
    gap = np.where(values.real > 1, values - 1, 1 - values)
    reach: Array = vectors @ (parts / distance(gap, parts / way))
    aim: Array = images[-1] + action @ reach.real
    return aim
