"""Seconds by step add up to the time that passed."""

from __future__ import annotations

import pytest

from emseg.stages.stopwatch import Stopwatch


def test_steps_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 10.5, 13.0000004, 13.25])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    watch = Stopwatch()
    for step in ("read", "fit", "labels"):
        watch.lap(step)
    assert watch.seconds == {"read": 0.5, "fit": 2.5, "labels": 0.25}
    assert list(watch.seconds) == ["read", "fit", "labels"]
