from __future__ import annotations

import os
import sys

import pytest

from emseg.execution.processors import processors


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which processors a process may use")
def test_only_those_that_this_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert processors() == len(before)
