"""One thread for matrix products, and a fair share of processes."""

from __future__ import annotations

import os

import pytest

from emseg.cli.processor_shares import THREADS, one_thread, workers_for_one


def test_one_thread_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREADS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(THREADS[1], "7")
    one_thread()
    assert [os.environ[variable] for variable in THREADS] == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("workers", "jobs", "alone", "found"),
    [
        (3, 1, True, 3),
        (3, 4, False, 3),
        (0, 1, True, 0),
        (0, 4, True, 0),  # a single image has all processors, however many were to work side by side
        (0, 1, False, 0),
        (0, 4, False, 2),
        (0, 16, False, 1),
        (0, 0, False, 1),
    ],
)
def test_a_fair_share_of_eight_processors(
    workers: int, jobs: int, alone: bool, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emseg.execution.processors.processors", lambda: 8)
    assert workers_for_one(workers, jobs, alone) == found
