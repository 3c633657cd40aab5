"""The runner tells the share of the whole task that is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from emseg.execution.runner import Runner


def doubled(part: int, more: int) -> int:
    return 2 * part + more


class Counting:
    """An executor that counts how often it is used."""

    def __init__(self) -> None:
        self.uses = 0

    def map(self, work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        self.uses += 1
        return (work(*given) for given in arguments)


def test_parts_get_their_inputs() -> None:
    assert list(Runner().run(doubled, [1, 2, 3], lambda part: (10 * part,))) == [12, 24, 36]


def test_shares_of_nested_stages() -> None:
    shares: list[float] = []
    runner = Runner(on_progress=shares.append)
    with runner.stage(0.5, 1), runner.stage(0, 0.5):
        list(runner.run(doubled, [1, 2], lambda part: (0,)))
    assert shares == pytest.approx([0.625, 0.75])
    with runner.stage(0.75, 1):
        list(runner.run(doubled, [1], lambda part: (0,)))
    assert shares[-1] == 1
    list(runner.run(doubled, [1, 2, 3, 4], lambda part: (0,)))
    assert shares[3:] == pytest.approx([0.25, 0.5, 0.75, 1])


def test_a_single_part_does_not_go_to_the_executor() -> None:
    executor = Counting()
    runner = Runner(executor)
    assert list(runner.run(doubled, [4], lambda part: (0,))) == [8]
    assert executor.uses == 0
    assert list(runner.run(doubled, [4, 5], lambda part: (0,))) == [8, 10]
    assert executor.uses == 1
