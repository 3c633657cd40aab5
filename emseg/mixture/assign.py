"""The last E-step: the most probable component of every sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.mixture import Mixture
from emseg.numerics.log_sum_exp import log_sum_exp, softmax

Array = NDArray[np.float64]
BLOCK = 8192  # samples at a time, whose log-densities stay in the second-level cache


def label_type(k: int) -> type[np.unsignedinteger]:
    """The smallest unsigned integer that holds the labels 0…K."""
    return np.uint8 if k < 1 << 8 else np.uint16 if k < 1 << 16 else np.uint32


def assign(mixture: Mixture, x: Array, weight: Array) -> tuple[NDArray[np.unsignedinteger], float]:
    """Maximum a posteriori labels, and how sure they are.

    Parameters
    ----------
    mixture : Mixture
    x : ndarray, shape (D, N)
    weight : ndarray, shape (N,)

    Returns
    -------
    labels : ndarray of unsigned int, shape (N,)
        1…K.
    log_posterior : float
        Σ_i c_i log max_k r_ik, which turns BIC into ICL.
    """
    labels = np.empty(x.shape[1], label_type(mixture.k))
    log_posterior = 0.0
    for part, joint in _joint_blocks(mixture, x):
        labels[part] = joint.argmax(0) + 1
        log_posterior += float(weight[part] @ (joint.max(0) - log_sum_exp(joint)))
    return labels, log_posterior


def posterior(mixture: Mixture, x: Array) -> NDArray[np.float32]:
    """Responsibilities r_ik of planar samples x (D, N); shape (K, N)."""
    out = np.empty((mixture.k, x.shape[1]), np.float32)
    for part, joint in _joint_blocks(mixture, x):
        out[:, part] = softmax(joint, out=joint)[0]
    return out


def _joint_blocks(mixture: Mixture, x: Array) -> Iterator[tuple[slice, Array]]:
    for start in range(0, x.shape[1], BLOCK):
        part = slice(start, start + BLOCK)
        yield part, mixture.log_joint(x[:, part])
