"""The measuring itself: what is counted, and what happens when a command fails. No verdict by the clock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.measure import BenchmarkError, Run, alternate, median, run
from tests.benchmarks.report import Row, span

pytestmark = pytest.mark.long


def code(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_cpu_time_and_memory_are_those_of_the_process() -> None:
    idle = run(code("import time; time.sleep(0.3)"))
    assert idle.wall >= 0.3
    assert idle.cpu < idle.wall
    busy = run(code("import time\nwhile time.process_time() < 0.3: pass"))
    assert busy.cpu >= 0.25
    assert run(code("b'1' * 300_000_000")).peak > 300


def test_threads_and_environment_reach_the_process() -> None:
    text = "import json, os; print(json.dumps({k: os.environ[k] for k in ('OMP_NUM_THREADS', 'OPENBLAS_CORETYPE')}))"
    assert run(code(text), {"OPENBLAS_CORETYPE": "x"}).said == {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "x"}


def test_the_last_line_of_a_failure_is_told() -> None:
    with pytest.raises(BenchmarkError, match=r"^ValueError: no$"):
        run(code("raise ValueError('no')"))


def test_runs_alternate(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = {name: (code(f"open({str(log)!r}, 'a').write({name!r})"), times) for name, times in (("a", 3), ("b", 2))}
    assert alternate(commands).keys() == {"a", "b"}
    assert log.read_text() == "ababa"


def test_medians_and_the_largest_peak() -> None:
    runs = [Run(cpu, 1.0, cpu, {"fit": cpu, "init": "kmeans"}) for cpu in (3.0, 1.0, 2.0)]
    assert median(runs) == Run(2.0, 1.0, 3.0, {"fit": 2.0, "init": "kmeans"})


def test_the_worst_case_decides() -> None:
    assert Row.at_least("speed", [31.25, 29], 30) == Row("speed", "29 to 31.2×", "≥ 30×", False)
    assert Row.at_most("time", [0.7, 0.8], 0.8, " s") == Row("time", "0.7 to 0.8 s", "≤ 0.8 s", True)
    assert span([1234.5]) == "1234"
    assert "| speed | 2× | – | – |" in str(Row.table([Row.at_least("speed", [2], None)]))
