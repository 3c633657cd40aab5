"""Mixture and field fitted together, and labels of images for which both are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.convergence import Scheduled, Status
from emseg.em.fit import Row, fit_with_state
from emseg.mixture.mixture import Mixture
from emseg.mrf.emission import Emission
from emseg.mrf.field_em import FieldEM, FieldProblem, maximised
from emseg.mrf.inference import mean_field
from emseg.mrf.inference.protocol import Inference
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.potts import Labels, Real, Votes, best_label, haloed_labels, one_hot
from emseg.records import record

GROWTH = 8  # sweeps of mean field in which β grows from an eighth of its value to all of it
#: For mean field where β is 0: that is EM without a field, and nothing is gained by an early end.
WITHOUT_FIELD = Schedule(iterations=1000, hold=1000, sweeps=1, answer=1, still=1e-6)


@record(frozen=True, eq=False)
class FieldFit:
    """A mixture, the strength of its field, and what they say of the pixels.

    Attributes
    ----------
    mixture : Mixture
    beta : float
    probabilities : ndarray of float32, shape (S, K, M)
        Probability of each class at each pixel: marginals (gibbs, mean-field), or given the neighbours' labels.
    labels : ndarray of uint8, shape (S, halo + M + halo)
        The answer, 0…K-1, with a halo.
    betas : tuple of float
        β after every iteration.
    sweeps : int
        Over the whole field, in all.
    status : Status
        Why the fit ended.
    trace : tuple of Row
        The log of the fit, one row an iteration; empty where nothing was fitted.
    free_energies : tuple of float
        F(q) after every iteration, in nats, if it was watched and the method lowers it.
    """

    mixture: Mixture
    beta: float
    probabilities: Real
    labels: Labels
    betas: tuple[float, ...]
    sweeps: int
    status: Status
    trace: tuple[Row, ...] = ()
    free_energies: tuple[float, ...] = ()


def fit_field(
    emission: Emission,
    start: Mixture,
    labels: Labels,
    method: type[Inference],
    rng: np.random.Generator,
    beta: float | None = None,
    schedule: Schedule | None = None,
    watched: bool = False,
) -> FieldFit:
    """Fit mixture and field; the field alone where the family says so.

    Parameters
    ----------
    emission : Emission
    start : Mixture
    labels : ndarray of uint8
        Labels to start from, with a halo.
    method : class that follows Inference
    rng : numpy.random.Generator
    beta : float, optional
        Strength of the field; estimated unless given.
    schedule : Schedule, optional
        That of the method unless given.
    watched : bool
        Whether to compute the free energy of every iteration, and to check that it does not rise.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class becomes singular.
    """
    plan = schedule or method.schedule
    problem = FieldProblem(emission, labels, beta)
    fit, last = fit_with_state(FieldEM(method, plan, watched), problem, start, Scheduled(plan.iterations), rng)
    if last is None or fit.status is Status.DEGENERATE:
        raise np.linalg.LinAlgError("a class became singular under the field")
    mixture, strength, sweeps = maximised(problem, last), last.betas[-1], len(last.betas) * plan.sweeps + plan.answer
    probabilities, found = last.field.answer(emission.log_densities(mixture), strength, rng, plan.answer)
    return FieldFit(
        mixture, strength, probabilities, found, last.betas, sweeps, fit.status, fit.trace, last.free_energies
    )


def label_pixels(
    emission: Emission,
    mixture: Mixture,
    beta: float,
    method: type[Inference],
    rng: np.random.Generator,
    betas: tuple[float, ...],
) -> FieldFit:
    """Label an image by a mixture and a field that were fitted to parts of it.

    Mean field comes first, while β grows to its value. The method's answer starts from there. Then the mixture is
    fitted once more, to the outcome.

    Parameters
    ----------
    emission : Emission
    mixture : Mixture
    beta : float
    method : class that follows Inference
    rng : numpy.random.Generator
    betas : tuple of float
        β after every iteration of the fit, for the record.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class becomes singular.
    """
    lattice, k = emission.lattice, mixture.k
    log_f = emission.log_densities(mixture)
    q, votes = one_hot(haloed_labels(lattice, best_label(log_f)), k), Votes(lattice, k)
    for turn in range(GROWTH):
        mean_field.sweep(lattice, q, log_f, beta * (turn + 1) / GROWTH, votes=votes)
    field, sweeps = method.of_probabilities(lattice, q), method.schedule.answer
    del q
    probabilities, labels = field.answer(log_f, beta, rng, sweeps)
    found = FieldFit(mixture, beta, probabilities, labels, betas, GROWTH + sweeps, Status.APPLIED)
    if not emission.learns:
        return found
    stats = emission.stats_of_probabilities(probabilities, mixture.link())
    return replace(found, mixture=emission.problem.m_step(stats, mixture))
