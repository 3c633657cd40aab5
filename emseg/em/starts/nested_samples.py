"""Smaller samples of the data, on which starts are found."""

from __future__ import annotations

import numpy as np

from emseg.mixture.samples import Rows, Samples, gathered, one_a_share

#: Rows of each sample: each round of the tournament takes one as large or a larger one.
SIZES = (1024, 4096, 16384)


def nested_samples(samples: Samples, rng: np.random.Generator) -> list[Rows]:
    """Stratified samples of increasing size, each row drawn in proportion to its weight, for cheap early iterations.

    A row that outweighs its share of the sample is taken as it is, and the rest drawn from the others. The largest
    sample is all rows where they are few. A sample shows narrow components as they are; the cells of a histogram, with
    their scatter summed, would blur them.
    """
    drawn: list[Rows] = []
    total = samples.weight.sum(dtype=np.float64)
    for size in SIZES:
        if samples.n_rows <= 2 * size:
            return [*drawn, gathered(samples)]
        heavy = samples.weight >= total / size
        light = np.cumsum(np.where(heavy, 0.0, samples.weight), dtype=np.float64)
        rest = size - int(heavy.sum())
        weight = np.zeros(samples.n_rows)
        if rest > 0:
            found = one_a_share(light, rest, rng)
            weight = np.bincount(found, minlength=samples.n_rows) * (light[-1] / rest)
        np.copyto(weight, samples.weight, where=heavy)
        kept = np.flatnonzero(weight)
        drawn.append(Rows(samples.take(kept).x, weight[kept].astype(samples.dtype)))
    return drawn
