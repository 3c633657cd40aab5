"""One EM iteration on float data, against scikit-learn's."""

from __future__ import annotations

from tests.benchmarks.measure import HASWELL, alternate, python
from tests.benchmarks.report import Report, Row, Table

TYPES = ("float32", "float64")
TARGETS = {"float32": 40, "float64": 25}
CASES = ((3, "cloud"), (3, "clusters"), (5, "cloud"), (8, "cloud"), (12, "cloud"))


def measure(quick: bool) -> Report:
    """Ratios at D = 3 and the cost at more dimensions; scikit-learn's float64, its usual type, is what counts."""
    targets, lines = [], []
    for kernel, environment in {"": {}, ", Haswell": HASWELL}.items():
        for d, kind in CASES[: 2 if quick or kernel else None]:
            times = 3 if d == 3 and not quick else 1
            commands = {
                f"{who} {dtype}": (python("one_iteration", who, d, dtype, kind), times)
                for who in ("emseg", "sklearn")
                for dtype in TYPES
            }
            ns = {name: run.said["ns"] for name, run in alternate(commands, environment).items()}
            lines.append((f"D = {d}, {kind}{kernel}", *(f"{ns[name]:.1f}" for name in commands)))
            for dtype in TYPES if d == 3 else ():
                what = f"raw iteration on float data, {dtype}, D = 3, {kind}{kernel}"
                remark = (
                    f" ({ns['sklearn float32'] / ns['emseg float32']:.3g}× its float32)" if dtype == "float32" else ""
                )
                targets.append(
                    Row.at_least(what, [ns["sklearn float64"] / ns[f"emseg {dtype}"]], TARGETS[dtype], remark)
                )
    head = ("rows", "emseg float32", "emseg float64", "scikit-learn float32", "scikit-learn float64")
    caption = "One EM iteration on a million float rows, K = 4, full covariance, CPU ns per row:"
    return Report(targets, [Table(caption, head, lines)])
