"""How many processors each piece of work may use: threads of matrix products, and processes for one image."""

from __future__ import annotations

import os
from contextlib import suppress

#: Environment variables that numpy's libraries read when they are loaded, one for each library it may be built with.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread() -> None:
    """Use one thread unless the user has chosen.

    emseg's matrices are narrow, and starting a pool of threads takes longer than a fit.
    """
    for variable in THREADS:
        os.environ.setdefault(variable, "1")


def share_threads(count: int) -> None:
    """Share out the threads among so many processes."""
    for variable in THREADS:
        with suppress(KeyError, ValueError):
            os.environ[variable] = str(max(1, int(os.environ[variable]) // count))


def workers_for_one(workers: int, jobs: int, alone: bool) -> int:
    """How many processes work on one image.

    Parameters
    ----------
    workers : int
        The number that the user wants; 0 for a fair share.
    jobs : int
        How many images are worked on at once; 0 for as many as there are processors.
    alone : bool
        Whether there is a single image.

    Returns
    -------
    int
        0 stands for all processors.
    """
    from emseg.execution.processors import processors

    at_once = 1 if alone else jobs or processors()
    return workers or (0 if at_once == 1 else max(1, processors() // at_once))
