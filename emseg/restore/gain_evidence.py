"""Whether a gain explains an image better than classes that lie where they lie.

The likelihood of a mixture cannot tell. A class that fills one side of an image costs log(1/π) nats a pixel, and a gain
that rises towards that side explains it for nothing. So labels are paid for by what their neighbours leave open, as in
a code that writes pixel after pixel (Rissanen & Langdon 1981, IEEE Trans. Information Theory 27):

    J = mean log f_z(v) - H(z | z to the left, z above),

where z is the most probable class of a pixel. A class with a smooth border costs next to nothing then.

A gain is one for all classes. So the gain that all other classes show must explain a class, too, and that of two or
more: its values scatter less once they are divided by it. Glow of the ground, and objects of several brightnesses, look
like a gain in one class alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.mixture import Mixture
from emseg.records import NamedRecord
from emseg.restore.bias_field_em import LEAST_GAIN, UnevenPixels, least_squares_gain

Array = NDArray[np.float64]
#: Nats a pixel that a gain must save. On 8 synthetic images without a gain J changes by -.49 to +.003; with gains that
#: fall by a tenth or more towards a side or the corners, by +.008 to +.84 where the gain makes fewer pixels wrong.
LEAST_SAVING = 0.005


#: Share of the pixels of a class that counts, and nats a pixel that the gain of the others must save in each of two. On
#: 13 images of nuclei with 2 and 3 classes, gains that made more pixels wrong left .97 to 1.00 of the pixels to one
#: class, or made others scatter more. Gains put on synthetic images save .09 to 1 in two classes.
COUNTS, LEAST_SHARED = 0.05, 0.002
#: Share of burnt-out pixels above which whole classes may be among them. Vignettes with two or three classes, scaled so
#: that 3 to 59 % are burnt out, are found with it; without, one with 54 % was not.
MOST_UNSEEN = 0.25


class NeighbourSample(NamedRecord):
    """Pixels with the ones to their left and above.

    Attributes
    ----------
    values : ndarray, shape (C, 3 N)
        N pixels, their left neighbours, and their upper neighbours.
    basis : ndarray, shape (J, 3 N)
        Basis functions of the gain there.
    """

    values: Array
    basis: Array


def neighbour_places(known: NDArray[np.bool_], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices (3 N,) into a grid: at most so many known pixels, their left neighbours, and their upper neighbours.

    Parameters
    ----------
    known : ndarray of bool, shape (..., H, W)
    most : int
    rng : numpy.random.Generator
    """
    width = known.shape[-1]
    usable = known.copy()
    usable[..., 0] = usable[..., 0, :] = False
    usable[..., 1:] &= known[..., :-1]
    usable[..., 1:, :] &= known[..., :-1, :]
    places = np.flatnonzero(usable)
    if places.size > most:
        places = np.sort(rng.choice(places, most, replace=False))
    return np.concatenate([places, places - 1, places - width])


def description(sample: NeighbourSample, mixture: Mixture, gain: Array) -> float:
    """J in nats a pixel, of a mixture and the gain (3 N,) of a sample.

    Parameters
    ----------
    sample : NeighbourSample
    mixture : Mixture
        Of the values over the gain.
    gain : ndarray, shape (3 N,)
    """
    k, n = mixture.k, sample.values.shape[1] // 3
    joint = mixture.log_joint(sample.values / gain)
    labels = joint.argmax(0)
    own, left, above = labels.reshape(3, n)
    density = joint[own, np.arange(n)] - np.log(mixture.weights)[own]
    density -= len(sample.values) * np.log(gain[:n])
    seen = np.bincount((left * k + above) * k + own, minlength=k**3).reshape(k * k, k) / n
    context = seen.sum(1, keepdims=True)
    shares = seen[seen > 0]
    entropy = float(np.sum(context[context > 0] * np.log(context[context > 0])) - np.sum(shares * np.log(shares)))
    return float(density.mean()) - entropy


def shared_savings(pixels: UnevenPixels, mixture: Mixture, posterior: Array) -> Array:
    """Nats a pixel that the gain which all other classes show saves in each class, (K,); 0 of classes that are small.

    Parameters
    ----------
    pixels : UnevenPixels
    mixture : Mixture
        Of the values over the gain.
    posterior : ndarray, shape (K, N)
    """
    owner, savings = posterior.argmax(0), np.zeros(mixture.k)
    for k in range(mixture.k):
        own = owner == k
        if not COUNTS <= own.mean() <= 1 - COUNTS:
            continue
        others = UnevenPixels(pixels.values[:, ~own], pixels.basis[:, ~own])
        if not others.values.any():  # zeros, which show no gain
            continue
        coefficients, _ = least_squares_gain(others, mixture, posterior[:, ~own])
        gain = coefficients @ pixels.basis[:, own]
        gain = np.maximum(gain / np.abs(gain.mean()), LEAST_GAIN)
        for values in pixels.values[:, own]:
            before, after = values.var(), (values / gain).var()
            if min(before, after) > 0:
                savings[k] += 0.5 * np.log(before / after) - np.log(gain).mean()
    return savings


def is_shared(pixels: UnevenPixels, mixture: Mixture, posterior: Array, unseen: float) -> bool:
    """Whether several classes show one gain, see `shared_savings`.

    A single class has nothing to compare. Nor has one of which the others are among the pixels left out as burnt out,
    the share `unseen` of all.
    """
    if mixture.k == 1 or unseen > MOST_UNSEEN:
        return True
    savings = shared_savings(pixels, mixture, posterior)
    shares = np.bincount(posterior.argmax(0), minlength=mixture.k) / posterior.shape[1]
    return bool(np.count_nonzero(savings > LEAST_SHARED) > 1 and float(shares @ savings) > 0)
