"""Outcomes come from other processes."""

from __future__ import annotations

import pickle

from emseg.cli.batch.outcome import BAD, BEFORE, DONE, Outcome


def test_outcomes_cross_processes() -> None:
    outcome = Outcome(1, BAD, "photo.png: is no image")
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert outcome.out == ""


def test_states_differ() -> None:
    assert len({DONE, BEFORE, BAD}) == 3
