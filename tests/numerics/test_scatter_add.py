"""Sums by place: with scipy and without, the same to the last bit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from emseg.numerics import scatter_add
from emseg.numerics.scatter_add import Places


@pytest.mark.parametrize(("rows", "count"), [(1, 3), (40, 1), (500, 30), (500, 2000), (500, 70_000)])
def test_sums_are_in_the_order_of_the_rows(rows: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    where, values = rng.integers(0, count, rows), rng.normal(size=(rows, 7)).astype(np.float32)
    wanted = np.zeros((count, 7), np.float32)
    np.add.at(wanted, where, values)
    assert (Places(where, count).summed(values) == wanted).all()
    monkeypatch.setattr(scatter_add, "FEW", 0)
    assert (Places(where, count).summed(values) == wanted).all()
    monkeypatch.setattr(scatter_add, "FEW", 10**9)
    monkeypatch.delitem(sys.modules, "scipy.sparse", raising=False)
    assert (Places(where, count).summed(values) == wanted).all()
