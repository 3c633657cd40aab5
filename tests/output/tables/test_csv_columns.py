from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emseg.output.tables.csv_columns import regions_file, table_csv

from ..segmented import plane


@given(
    whole=hnp.arrays(np.int64, 5),
    parts=hnp.arrays(np.float64, 5, elements=st.floats(-1e9, 1e9)),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1),
)
def test_the_csv_module_reads_it_back(whole: np.ndarray, parts: np.ndarray, name: str) -> None:
    header, *rows = csv.reader(io.StringIO(table_csv({"whole": whole, name + "!": parts}).decode(), newline=""))
    assert header == ["whole", name + "!"]
    assert [int(row[0]) for row in rows] == whole.tolist()
    np.testing.assert_allclose([float(row[1]) for row in rows], parts, rtol=5e-7)  # half of the seventh digit


def test_the_table_of_regions() -> None:
    result = plane()
    assert result.regions is not None
    rows = list(csv.DictReader(io.StringIO(regions_file(result).decode())))
    assert list(rows[0]) == list(result.regions.table)
    assert len(rows) == result.regions.count
    assert regions_file(replace(result, regions=None)) == b"\n"
