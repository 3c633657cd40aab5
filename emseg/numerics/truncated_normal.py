"""Normal distributions cut to a box: its probability, and the mean and second moments within it.

One dimension has a closed form, through the scaled complementary error function, so that no tail is too far. In more
dimensions the first one is integrated over numerically, and the others, given it, are a box in one dimension less:

P = ∫ φ(z) P(rest | z) dz

The integrand is log-concave. Its logarithm lies below that of the largest density at z, which finds the stretch of z
that counts however far out the box lies; there, Gauss and Legendre's rule is applied between the places where one of
the other bounds sets in. All terms are positive, so the tails are as accurate, relatively, as the bulk; differences of
bivariate distribution functions (Owen 1956; Genz 2004), and moments by their recursion (Tallis 1961; Manjunath &
Wilhelm 2021), cancel there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.log_sum_exp import softmax
from emseg.numerics.truncated_line import LOG_2PI, Cut, legendre, line

Array = NDArray[np.float64]
MOST = 3  # dimensions that are cut at once, unless they are independent; cost grows with NODES^(MOST - 1)
# Errors below are the largest of log P and the moments of 120 random boxes in two and three dimensions, against 64
# nodes a stretch; medians are 3e-15 from 16 nodes on.
NODES = 24  # of each stretch: 2e-10; 16 give 4e-7, 32 give 1e-13
# In twice the log-density: what lies deeper below the maximum than this does not count. 50 gives 2e-9, 30 gives 4e-5.
DROP = 80.0
# Standard deviations within which a bound sets in, where stretches end: 2e-10; from 5 to 8 all is below 1e-8.
WIDTH = 6.5
NEWTON = 12  # steps to the ends; 8 give the same to the bit, 4 give 6e-9
POINTS = 30_000  # of integrals looked at at once, which fit the second-level cache


def cut(means: Array, covariances: Array, low: Array, high: Array, nodes: int = NODES) -> Cut:
    """Normal distributions cut to low ≤ x ≤ high.

    Parameters
    ----------
    means : ndarray, shape (..., C)
    covariances : ndarray, shape (..., C, C)
        Positive definite.
    low, high : ndarray, shape (..., C)
        May be infinite; low < high.
    nodes : int
        Points of each stretch of an integral; `NODES` are accurate to 1e-14 mostly, and to 1e-9 at worst.

    Returns
    -------
    Cut
        Leading axes are broadcast.
    """
    box = _in_parts(covariances, low - means, high - means, nodes)
    cross = box.first[..., :, None] * means[..., None, :]
    second = box.second + cross + np.swapaxes(cross, -1, -2) + means[..., :, None] * means[..., None, :]
    return Cut(box.log_p, box.first + means, second)


def _in_parts(covariances: Array, low: Array, high: Array, nodes: int) -> Cut:
    """As `centred`, for few boxes at a time: their points stay in the cache."""
    c = low.shape[-1]
    lead = np.broadcast_shapes(covariances.shape[:-2], low.shape[:-1], high.shape[:-1])
    size = max(1, POINTS // nodes ** (c - 1))
    if c == 1 or int(np.prod(lead)) <= size:
        return centred(covariances, low, high, nodes)
    flat = np.broadcast_to(covariances, (*lead, c, c)).reshape(-1, c, c)
    lower, upper = (np.broadcast_to(bound, (*lead, c)).reshape(-1, c) for bound in (low, high))
    parts = [slice(start, start + size) for start in range(0, len(flat), size)]
    boxes = [centred(flat[part], lower[part], upper[part], nodes) for part in parts]
    log_p, first, second = (np.concatenate(values) for values in zip(*boxes, strict=True))
    return Cut(log_p.reshape(lead), first.reshape(*lead, c), second.reshape(*lead, c, c))


def centred(covariances: Array, low: Array, high: Array, nodes: int = NODES) -> Cut:
    """As `cut`, for means of zero."""
    scale = np.sqrt(np.einsum("...ii->...i", covariances))
    one = low.shape[-1] == 1
    unit = covariances / (scale[..., :, None] * scale[..., None, :])
    box = line(low / scale, high / scale) if one else _standard(unit, low / scale, high / scale, nodes)
    return Cut(box.log_p, box.first * scale, box.second * (scale[..., :, None] * scale[..., None, :]))


def independent(means: Array, variances: Array, low: Array, high: Array) -> Cut:
    """Normal distributions of independent dimensions cut to a box.

    Parameters
    ----------
    means, variances, low, high : ndarray, shape (..., C)
    """
    scale = np.sqrt(variances)
    cut_line = line(((low - means) / scale)[..., None], ((high - means) / scale)[..., None])
    first = means + scale * cut_line.first[..., 0]
    squares = means**2 + 2 * means * scale * cut_line.first[..., 0] + variances * cut_line.second[..., 0, 0]
    eye = np.eye(first.shape[-1])
    second = first[..., :, None] * first[..., None, :] * (1 - eye) + squares[..., None] * eye
    return Cut(cut_line.log_p.sum(-1), first, second)


def rough(means: Array, covariances: Array, low: Array, high: Array) -> Cut:
    """As `cut`, in any number of dimensions, to about a hundredth: Mendell & Elston (1974), Biometrics 30.

    One dimension is cut after the other, each as if what is left of the cuts before were normal again.
    """
    lead = np.broadcast_shapes(covariances.shape[:-2], means.shape[:-1], low.shape[:-1], high.shape[:-1])
    c = means.shape[-1]
    means, low, high = (np.broadcast_to(values, (*lead, c)) for values in (means, low, high))
    left, log_p = np.broadcast_to(covariances, (*lead, c, c)), np.zeros(lead)
    for j in range(c):
        slope = left[..., :, j] / left[..., None, j, j]
        one = cut(means[..., [j]], left[..., [j], :][..., [j]], low[..., [j]], high[..., [j]])
        step = one.first - means[..., [j]]
        spared = left[..., [j], j] - (one.second[..., 0] - one.first**2)
        means = means + slope * step
        left = left - (spared * slope)[..., :, None] * slope[..., None, :]
        log_p = log_p + one.log_p
    return Cut(log_p, means, left + means[..., :, None] * means[..., None, :])


def _standard(unit: Array, low: Array, high: Array, nodes: int) -> Cut:
    """As `cut`, for means of zero and variances of one in two dimensions or more."""
    slope, rest = _given_first(unit)
    z, log_w = _points(unit, low, high, nodes)
    shift = slope[..., None, :] * z[..., None]  # mean of the others, given z
    inner = centred(rest[..., None, :, :], low[..., None, 1:] - shift, high[..., None, 1:] - shift, nodes)
    log_density = log_w - 0.5 * z**2 - 0.5 * LOG_2PI + inner.log_p
    share, log_p = softmax(log_density, axis=-1)
    mean = shift + inner.first
    first = np.concatenate([(share * z).sum(-1)[..., None], (share[..., None] * mean).sum(-2)], axis=-1)
    across = shift[..., :, None] * inner.first[..., None, :]
    square = inner.second + across + np.swapaxes(across, -1, -2) + shift[..., :, None] * shift[..., None, :]
    second = np.empty((*first.shape, first.shape[-1]))
    second[..., 0, 0] = (share * z * z).sum(-1)
    second[..., 0, 1:] = second[..., 1:, 0] = ((share * z)[..., None] * mean).sum(-2)
    second[..., 1:, 1:] = (share[..., None, None] * square).sum(-3)
    return Cut(log_p, first, second)


def _points(unit: Array, low: Array, high: Array, nodes: int) -> tuple[Array, Array]:
    """Points z of the first dimension, and the logarithms of their weights; shape (..., Q).

    The largest density at z is exp(-p(z)/2), p(z) = z² + the squared distance of the box of the others from their mean.
    p is convex: from outside, Newton's steps go to where it is p_min + DROP and never too far.
    """
    with np.errstate(all="ignore"):
        nearest, least = _nearest(unit, low, high)
        centre, slope, rest = nearest[..., 0], *_given_first(unit)
        reach = np.sqrt(least + DROP)
        ends = []
        for side, bound in ((-1.0, low[..., 0]), (1.0, high[..., 0])):
            z = side * reach
            for _ in range(NEWTON):
                value, derivative = _profile(z, slope, rest, low, high)
                step = (value - least - DROP) / derivative
                z = z - np.where(step * side > 0, step, 0.0)
            ends.append(np.maximum(z, bound) if side < 0 else np.minimum(z, bound))
        spread = np.sqrt(np.einsum("...ii->...i", rest))
        inner = [centre]
        for bound in (low[..., 1:], high[..., 1:]):
            for j in np.flatnonzero(np.isfinite(bound).reshape(-1, bound.shape[-1]).any(0)):
                for sign in (-WIDTH, WIDTH):
                    at = (bound[..., j] + sign * spread[..., j]) / slope[..., j]
                    inner.append(np.where(np.isfinite(at), at, centre))
        cuts = np.sort(np.clip(np.stack(np.broadcast_arrays(*inner), -1), ends[0][..., None], ends[1][..., None]), -1)
        edges = np.concatenate([ends[0][..., None], cuts, ends[1][..., None]], -1)
        points, weights = legendre(nodes)
        half = 0.5 * np.diff(edges)
        z = (0.5 * (edges[..., 1:] + edges[..., :-1]))[..., None] + half[..., None] * points
        log_w = np.log(half)[..., None] + np.log(weights)
    return z.reshape(*z.shape[:-2], -1), log_w.reshape(*z.shape[:-2], -1)


def _given_first(unit: Array) -> tuple[Array, Array]:
    """Slope of the others' mean in the first dimension, (..., C-1), and their covariance given it."""
    slope = unit[..., 1:, 0]
    return slope, unit[..., 1:, 1:] - slope[..., :, None] * slope[..., None, :]


def _profile(z: Array, slope: Array, rest: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """p(z) and its derivative."""
    shift = slope * z[..., None]
    point, distance = _nearest(rest, low[..., 1:] - shift, high[..., 1:] - shift)
    pull = np.linalg.solve(rest, point[..., None])[..., 0] if rest.shape[-1] > 1 else point / rest[..., 0]
    return z**2 + distance, 2 * z - 2 * (slope * pull).sum(-1)


def _nearest(covariances: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Point of each box that is nearest to zero, (..., C), and its squared Mahalanobis distance, (...)."""
    if low.shape[-1] == 1:
        point = np.clip(0.0, low, high)
        return point, (point**2 / covariances[..., 0])[..., 0]
    within = ((low <= 0) & (high >= 0)).all(-1)
    least = np.where(within, 0.0, np.inf)
    nearest = np.zeros((*least.shape, low.shape[-1]))
    for j in range(low.shape[-1]):
        others = [i for i in range(low.shape[-1]) if i != j]
        slope = covariances[..., others, j] / covariances[..., j, None, j]
        rest = covariances[..., others, :][..., others]
        rest = rest - slope[..., :, None] * covariances[..., others, j][..., None, :]
        for bound in (low[..., j], high[..., j]):
            shift = slope * bound[..., None]
            point, distance = _nearest(rest, low[..., others] - shift, high[..., others] - shift)
            distance = distance + bound**2 / covariances[..., j, j]
            closer = distance < least  # never where the bound is infinite
            least = np.where(closer, distance, least)
            nearest[..., j] = np.where(closer, bound, nearest[..., j])
            nearest[..., others] = np.where(closer[..., None], point + shift, nearest[..., others])
    return nearest, least
