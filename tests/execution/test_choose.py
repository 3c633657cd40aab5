"""Only a large image is worth the start of processes."""

from __future__ import annotations

import pytest

from emseg.execution import choose
from emseg.execution.choose import LARGE, runner_for
from emseg.execution.executor import Serial
from emseg.execution.processes import Processes


@pytest.mark.parametrize(("workers", "size"), [(1, LARGE), (8, LARGE - 1), (0, 10)])
def test_one_worker_or_a_small_image_is_done_here(workers: int, size: int) -> None:
    with runner_for(workers, size, None) as runner:
        assert isinstance(runner.executor, Serial)


def test_so_many_workers_as_asked_for() -> None:
    with runner_for(3, LARGE, print) as runner:
        assert isinstance(runner.executor, Processes)
        assert runner.executor.count == 3
        assert runner.on_progress is print


def test_zero_is_as_many_as_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "processors", lambda: 5)
    with runner_for(0, LARGE, None) as runner:
        assert isinstance(runner.executor, Processes)
        assert runner.executor.count == 5


def test_without_an_interpreter_to_start_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "can_start", lambda: False)
    with runner_for(4, LARGE, None) as runner:
        assert isinstance(runner.executor, Serial)
