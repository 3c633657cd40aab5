"""Executors: the same results in the same order, whoever does the parts."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from emseg.execution.executor import Executor, Serial
from emseg.execution.processes import Processes


@pytest.fixture(scope="module", params=["serial", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "serial":
        yield Serial()
        return
    with Processes(2) as found:
        yield found


def test_results_come_in_the_order_of_the_arguments(executor: Executor) -> None:
    assert list(executor.map(operator.mul, ((i, 3) for i in range(40)))) == [3 * i for i in range(40)]


def test_arrays_are_worked_on_bit_for_bit_alike(executor: Executor) -> None:
    parts = np.random.default_rng(0).normal(size=(6, 50, 20)).astype(np.float32)
    for found, part in zip(executor.map(partial(np.exp), ((part,) for part in parts)), parts, strict=True):
        assert found.tobytes() == np.exp(part).tobytes()


def test_nothing_to_do_is_done(executor: Executor) -> None:
    assert list(executor.map(abs, [])) == []


def test_an_error_of_the_work_arrives(executor: Executor) -> None:
    with pytest.raises(ValueError, match="domain"):
        list(executor.map(math.sqrt, [(4.0,), (-4.0,)]))
