"""How many processors each piece of work may use: threads of matrix products, and processes for one image."""

from __future__ import annotations

import os

#: Environment variables that numpy's libraries read when they are loaded, one for each library it may be built with.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread() -> None:
    """Give matrix products one thread, whatever the environment says.

    Sums by several threads end in other bits, and results must not depend on the machine. Nothing is lost: emseg's
    matrices are narrow, and several processes share out what is large.
    """
    for variable in THREADS:
        os.environ[variable] = "1"


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
