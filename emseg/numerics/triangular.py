"""Many small triangular matrices at once."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", bound=np.floating[Any])
LEAF = 8  # rows and columns, up to which all matrices are inverted together, row by row


def inverse_lower(lower: NDArray[Real]) -> NDArray[Real]:
    """Inverses of lower triangular matrices, shape (G, M, M).

    By halves, [[A, 0], [C, B]]⁻¹ = [[A⁻¹, 0], [-B⁻¹ C A⁻¹, B⁻¹]]: nearly all of it is products of matrices, which are
    ten times quicker than LAPACK is on matrices as small as these.
    """
    n = lower.shape[-1]
    if n <= LEAF:
        return _by_rows(lower)
    half = n // 2
    found = np.zeros_like(lower)
    a, b = inverse_lower(lower[:, :half, :half]), inverse_lower(lower[:, half:, half:])
    found[:, :half, :half], found[:, half:, half:] = a, b
    found[:, half:, :half] = -(b @ (lower[:, half:, :half] @ a))
    return found


def _by_rows(lower: NDArray[Real]) -> NDArray[Real]:
    """Row i of the inverse is (e_i - Σ_{j<i} l_ij · row j) / l_ii."""
    planar = np.ascontiguousarray(np.moveaxis(lower, 0, -1))
    found = np.zeros_like(planar)
    for i in range(len(planar)):
        found[i, i] = 1 / planar[i, i]
        if i:
            found[i, :i] = -np.einsum("jg,jkg->kg", planar[i, :i], found[:i, :i]) * found[i, i]
    return np.moveaxis(found, -1, 0)
