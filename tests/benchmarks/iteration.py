"""One EM iteration on float data, against scikit-learn's."""

from __future__ import annotations

from tests.benchmarks.measure import HASWELL, alternate, python
from tests.benchmarks.report import Report, Row, Table

TYPES = ("float32", "float64")
TARGETS = {"float32": 40, "float64": 25}
DIMENSIONS = (3, 5, 8, 12)


def measure(quick: bool) -> Report:
    """Ratios at D = 3 and the cost at more dimensions; scikit-learn's float64, its usual type, is what counts."""
    times = 1 if quick else 3
    targets, lines = [], []
    for kernel, environment in {"": {}, ", Haswell": HASWELL}.items():
        for d in DIMENSIONS if not (quick or kernel) else (3,):
            commands = {
                f"{who} {dtype}": (python("one_iteration", who, d, dtype), times if d == 3 else 1)
                for who in ("emseg", "sklearn")
                for dtype in TYPES
            }
            ns = {name: run.said["ns"] for name, run in alternate(commands, environment).items()}
            lines.append((f"D = {d}{kernel}", *(f"{ns[name]:.1f}" for name in commands)))
            for dtype in TYPES if d == 3 else ():
                what = f"raw iteration on float data, {dtype}, D = 3{kernel}"
                same = (
                    f" ({ns['sklearn float32'] / ns['emseg float32']:.3g}× its float32)" if dtype == "float32" else ""
                )
                targets.append(Row.at_least(what, [ns["sklearn float64"] / ns[f"emseg {dtype}"]], TARGETS[dtype], same))
    head = ("K = 4, full covariance", "emseg float32", "emseg float64", "scikit-learn float32", "scikit-learn float64")
    return Report(targets, [Table("One EM iteration on a million float rows, CPU ns per row:", head, lines)])
