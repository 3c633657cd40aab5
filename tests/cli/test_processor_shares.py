"""Threads and processes are shared out, and the user's own choice stays."""

from __future__ import annotations

import os

import pytest

from emseg.cli.processor_shares import THREADS, one_thread, share_threads, workers_for_one


@pytest.mark.parametrize(("given", "shared"), [("1", "1"), ("8", "4"), ("3", "1"), ("many", "many")])
def test_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch, given: str, shared: str) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    share_threads(2)
    assert os.environ["OMP_NUM_THREADS"] == shared
    assert "MKL_NUM_THREADS" not in os.environ


def test_one_thread_unless_the_user_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREADS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(THREADS[1], "7")
    one_thread()
    assert [os.environ[variable] for variable in THREADS] == ["1", "7", "1"]


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
