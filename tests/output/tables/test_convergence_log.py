from __future__ import annotations

import csv
import io
import math
from dataclasses import astuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emseg.em.fit import Row
from emseg.output.tables.convergence_log import log_csv

HEADER = "iteration,objective,log_likelihood,elbo,kl,delta,e_steps,seconds"
COUNT, NUMBER = st.integers(0, 10**6), st.floats()


@given(st.lists(st.builds(Row, COUNT, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, COUNT, NUMBER), max_size=5))
def test_every_number_comes_back(rows: list[Row]) -> None:
    header, *lines = csv.reader(io.StringIO(log_csv(rows).decode("ascii"), newline=""))
    assert header == HEADER.split(",")
    for row, line in zip(rows, lines, strict=True):
        back = [float(value) for value in line]
        assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(astuple(row), back, strict=True))


def test_lines_end_as_on_unix() -> None:
    assert log_csv([]) == f"{HEADER}\n".encode()
    assert log_csv([Row(0, -1.5, -1.5, -1.5, 0.0, 0.0, 1, 0.25)]).split(b"\n")[1:] == [
        b"0,-1.5,-1.5,-1.5,0.0,0.0,1,0.25",
        b"",
    ]


def test_numpy_numbers_are_plain_numbers() -> None:
    row = Row(0, *[float(x) for x in (1, 2, 3, 4)], np.float64(0.1), 1, 0.0)
    assert b"np." not in log_csv([row])
    assert b",0.1,1," in log_csv([row])
