"""The benchmarks end, with a table of what was measured, however they are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.benchmarks.__main__ import measured, within
from tests.benchmarks.measure import ROOT
from tests.benchmarks.report import Report, Row

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a clock that interrupts")
FINE = Report([Row("fine", "1", "1", True)])


def test_a_group_that_takes_too_long_is_a_row() -> None:
    def slow(quick: bool) -> Report:
        time.sleep(60)
        return FINE

    begin = time.monotonic()
    (row,) = measured("slow", slow, False, 0.05).targets
    assert time.monotonic() - begin < 30
    assert "stopped after" in row.measured
    assert "--only slow" in row.measured
    assert measured("fine", lambda quick: FINE, False, 5.0) is FINE
    assert "no time" in measured("late", lambda quick: FINE, False, -1.0).targets[0].measured
    with within(0):  # no limit
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_measured_is_printed_when_it_is_stopped(number: int) -> None:
    words = [sys.executable, "-m", "tests.benchmarks", "--quick"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Measured on")
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert b"Targets:" in rest
    assert b"| what | measured | target | met? |" in rest
