"""How many processors there are. Imports nothing heavy: the command line asks."""

from __future__ import annotations

import os
import sys


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
