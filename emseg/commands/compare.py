"""`compare`: the EM family side by side, from one start on the same samples. No files, no printing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from emseg.commands.shared_steps import (
    channels_as_meant,
    chosen_features,
    features_to_fit,
    picture_and_mask,
    problem_to_fit,
)
from emseg.em.accelerators.anderson import Anderson
from emseg.em.convergence import Status, Stop
from emseg.em.fit import Fit, Row, fit
from emseg.em.problem import Problem
from emseg.em.registry import ALGORITHMS, algorithm
from emseg.em.starts import seeds
from emseg.em.starts.nested_samples import nested_samples
from emseg.em.starts.tournament import FLOOR, search
from emseg.errors import UsageError, for_python
from emseg.execution import steps
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.options import checked
from emseg.options.effects import without_effect
from emseg.records import record
from emseg.stages.fitting import without_extent
from emseg.stages.inputs.checks import check_image
from emseg.stages.inputs.input_image import ImageLike, MaskLike
from emseg.stages.report import input_report
from emseg.stages.start import sound_start

if TYPE_CHECKING:
    from emseg.options.keywords import CompareKeywords

#: Opens a view of the fit of the algorithm of that name. It returns a function that is called with each row of the log.
Watch = Callable[[str], AbstractContextManager[Callable[[Row], object] | None]]
#: How the best fit goes on, down to rounding: distances of all algorithms are measured from its end.
POLISH = Stop(tol=0.0, max_iter=300)


@record(frozen=True, eq=False)
class Comparison:
    """Several algorithms from one start.

    Attributes
    ----------
    traces : dict of str to tuple of Row
        The log of every algorithm; empty for one that could not run.
    report : dict
        What `photo.compare.json` holds, but for the list of files. `best` is the reference of all gaps.
    notices : tuple of str
        What the user should know of how the picture was taken; `warnings` of the report has these lines, too.
    """

    traces: dict[str, tuple[Row, ...]]
    report: dict[str, Any]
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from emseg.output.tables.python_texts import comparison_text  # for people

        return comparison_text(self.report)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What you should know of how the image was taken, a line each."""
        return tuple(self.report.get("warnings", ()))


def compare(
    image: ImageLike,
    k: int = 4,
    *,
    algorithms: str | Sequence[str] = (),
    start: str = "kmeans++",
    mask: MaskLike | None = None,
    watch: Watch = lambda name: nullcontext(),
    **options: Unpack[CompareKeywords],
) -> Comparison:
    """Fit one mixture to one image by several algorithms, all from the same start.

    Parameters
    ----------
    image : array-like, image of PIL, path, file or Image
    k : int
        Number of components.
    algorithms : str or sequence of str
        Names, or one text with commas between them, of `emseg.em.registry.ALGORITHMS`; all of them unless given.
    start : {"kmeans++", "random", "search"}
        One draw of k-means++ or of random seeds, which leaves the algorithms a way to go, or the start that `segment`
        searches for, from which they only finish.
    mask : array-like, path or "alpha", optional
        Same size as the image; only where it is non-zero are pixels used. "alpha": the opacity of the image itself.
    watch : callable, optional
        Opened around every fit.
    **options
        Those of `segment` that say what is read, what is fitted, and when a fit ends. `tol` is 1e-8 unless given, so
        that the traces show how each algorithm ends, and `max_iter` 500.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        If an option makes no sense, or no algorithm goes with this image.
    ImageError, DataError
        As `emseg.segment`.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> image = np.random.default_rng(0).normal([[0.0] * 20 + [5.0] * 20] * 10)
    >>> found = emseg.compare(image, k=2, algorithms="em,anderson")
    >>> sorted(found.traces)
    ['anderson', 'em']
    """
    reading, others = checked.reading("compare", options)
    settings = checked.segmentation("compare", k=k, **others)
    algorithms = checked.value("compare", "algorithms", algorithms)
    start = checked.value("compare", "start", start)
    photo, inside = picture_and_mask(image, mask, settings, reading)
    photo = channels_as_meant(photo, settings.features)
    check_image(photo, features=settings.features, mrf="none", neighbours="auto")
    features = features_to_fit(photo, inside, settings)
    photo = photo.with_notices(*without_effect("compare", settings), *chosen_features(features))
    problem = replace(problem_to_fit(features, settings), lifted=False)  # gaps are of what algorithms climb
    with sound_start(problem):
        first = _start(problem, k, start, np.random.default_rng(settings.seed))
    stop, seed = Stop(settings.tol, settings.max_iter), settings.seed
    runs = {name: _run(name, problem, first, seed, stop, watch) for name in algorithms or ALGORITHMS}
    if not any(isinstance(run, Fit) and run.trace for run in runs.values()):
        raise next((run for run in runs.values() if isinstance(run, UsageError)), without_extent(photo.name))
    traces = {name: run.trace if isinstance(run, Fit) else () for name, run in runs.items()}
    recorded = checked.recorded("compare", settings, start=start)
    return Comparison(traces, _report(photo, features, recorded, problem, runs), photo.notices)


def _start(problem: Problem, k: int, how: str, rng: np.random.Generator) -> Mixture:
    """The mixture that every algorithm starts from."""
    if how == "search":
        return search(problem, k, rng)[0]
    rows = nested_samples(problem.filled, rng)[-1]
    draw = (
        seeds.kmeans_pp(problem.family.start_coordinates(rows.x), rows.weight, k, 1, rng)
        if how == "kmeans++"
        else seeds.random(rows.weight, k, 1, rng)
    )
    cells = replace(problem.at_least(FLOOR), samples=rows)  # a cell may hold a single sample
    return cells.m_step(seeds.voronoi_stats(rows, problem.family, draw))[0]


def _run(name: str, problem: Problem, start: Mixture, seed: int, stop: Stop, watch: Watch) -> Fit[Mixture] | UsageError:
    """One fit, or why there is none. Its random numbers do not depend on which other algorithms run."""
    try:
        variant = algorithm(name)
        steps.step(f"fitting by {name}")
        with watch(name) as on_iteration:
            return fit(variant, problem, start, stop, np.random.default_rng([seed, 1]), on_iteration)
    except UsageError as error:
        return error


def _report(
    photo: Image,
    features: Features,
    options: Mapping[str, Any],
    problem: Problem,
    runs: Mapping[str, Fit[Mixture] | UsageError],
) -> dict[str, Any]:
    """The content of `photo.compare.json`, but for `outputs`; likelihoods as in a report of `segment`."""
    n = features.n_pixels
    leader, best = _best(problem, {name: run for name, run in runs.items() if isinstance(run, Fit) and run.trace})
    return {
        **input_report(photo, features),
        "options": dict(options),
        "warnings": [for_python(line) for line in photo.notices],
        "K": options["k"],
        "best": {"algorithm": leader, "log_likelihood": best, "log_likelihood_per_pixel": best / n},
        "algorithms": list(_entries(runs, best, n)),
    }


def _best(problem: Problem, fits: dict[str, Fit[Mixture]]) -> tuple[str, float]:
    """Who came to the highest likelihood, and the maximum there: the end of that fit, followed down to rounding."""
    sound = {name: run for name, run in fits.items() if run.status is not Status.DEGENERATE} or fits
    leader = max(sound, key=lambda name: sound[name].trace[-1].log_likelihood)
    polished = fit(Anderson(), problem, sound[leader].mixture, POLISH, np.random.default_rng(0))
    rows = [*polished.trace, *(row for run in sound.values() for row in run.trace)]
    return leader, max(row.log_likelihood for row in rows)


def _entries(runs: Mapping[str, Fit[Mixture] | UsageError], best: float, n: int) -> Iterator[dict[str, Any]]:
    """What the table shows of every algorithm; None where there is no number."""
    for name, run in runs.items():
        last = run.trace[-1] if isinstance(run, Fit) and run.trace else None
        yield {
            "algorithm": name,
            "e_steps": last and last.e_steps,
            "iterations": last and last.iteration,
            "seconds": last and round(last.seconds, 6),
            "log_likelihood": last and last.log_likelihood,
            "log_likelihood_per_pixel": last and last.log_likelihood / n,
            "gap_per_pixel": last and (best - last.log_likelihood) / n,
            "status": run.status.value if isinstance(run, Fit) else f"not applicable: {run}",
        }
