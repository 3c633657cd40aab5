"""What distinguishes the outcome of a run from the golden one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tests.golden.option_sets import TOLERANCES
from tests.golden.runs import Outcome

AGREEMENT = 0.999  # least share of the pixels of an image; processors agree in 0.9999
TOGETHER = 0.9997  # least share of the pixels of all images; processors agree in 0.99998
TOLERANCE = 1e-6  # largest relative difference of log-likelihoods


def differences(name: str, golden: Outcome, found: Outcome) -> Iterator[str]:
    """Each difference in a few words; none if the outcomes agree.

    Parameters
    ----------
    name : str
        The option set, which may have a tolerance of its own.
    golden, found : Outcome
    """
    if golden.code or found.code:
        if golden.code != found.code:
            yield f"exit code {found.code}, was {golden.code} {found.said.strip()[:300]}".rstrip()
        return
    for kind, expected in golden.maps.items():
        grid = found.maps.get(kind)
        if grid is None or grid.shape != expected.shape:
            yield f"{kind} of shape {grid if grid is None else grid.shape}, was {expected.shape}"
        elif (share := agreement(kind, expected, grid)) < AGREEMENT:
            yield f"{kind} agree in {share:.3%} of the pixels ({round((1 - share) * grid.size)} differ)"
    before, now = golden.report, found.report
    if now["K"] != before["K"]:
        yield f"K is {now['K']}, was {before['K']}"
    off = abs(now["log_likelihood"] / before["log_likelihood"] - 1)
    if not off <= TOLERANCES.get(name, TOLERANCE):
        yield f"log_likelihood {now['log_likelihood']:.6f}, was {before['log_likelihood']:.6f} (relative {off:.1e})"
    if _verdict(now["status"]) != _verdict(before["status"]) and not _hidden(before["status"], now["status"]):
        yield f"status {now['status']!r}, was {before['status']!r}"
    if missing := golden.paths - found.paths:
        yield f"report lacks {', '.join(sorted(missing))}"


def together(pairs: Sequence[tuple[Outcome, Outcome]]) -> Iterator[str]:
    """The same for the labels of all images of an option set: a small change shows in several of them."""
    shares = [
        agreement("labels", golden.maps["labels"], found.maps["labels"])
        for golden, found in pairs
        if golden.code == found.code == 0 and golden.maps["labels"].shape == found.maps["labels"].shape
    ]
    if shares and (share := float(np.mean(shares))) < TOGETHER:
        yield f"labels agree in {share:.3%} of the pixels on average"


def agreement(kind: str, golden: np.ndarray, found: np.ndarray) -> float:
    """Share of pixels in which two maps agree.

    Labels have a canonical order and are compared as they are. Regions are numbered by where they begin, so each is
    matched with the one that it shares most pixels with.
    """
    if kind == "labels":
        return float(np.mean(golden == found))
    pairs, counts = np.unique(np.stack((golden.ravel(), found.ravel())), axis=1, return_counts=True)
    shares = []
    for side in pairs:
        most = np.zeros(side.max() + 1)
        np.maximum.at(most, side, counts)
        shares.append(most.sum() / golden.size)
    return float(min(shares))


def _verdict(status: str) -> str:
    """The part of a status before its explanation: which of several reasons holds may depend on rounding."""
    return status.partition(":")[0]


def _hidden(before: str, now: str) -> bool:
    """Whether both statuses are those of a narrow component, whose rounding 0.1.0 took for convergence."""
    from emseg.em.convergence import Status  # late: make_golden runs the code of another checkout

    return before == Status.STALLED.value and now == Status.HIDDEN.value
