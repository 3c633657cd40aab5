"""What `segment` prints: the fit in a line, then a line a region."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import dirname, join
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.output.palette import palette

BAR = 24  # characters for a share of 100 %


def summary_text(report: Mapping[str, Any], colours: NDArray[np.uint8] | None, colour: bool, where: str = "") -> str:
    """Describe a segmentation for people.

    Parameters
    ----------
    report : mapping
    colours : ndarray of uint8, shape (K, 3), or None
        Mean colours of the regions.
    colour : bool
        Show swatches with terminal colours, not just their hexadecimal names.
    where : str
        Path of the report file, whose folder the last line names.
    """
    width, height = report["size"]
    k, counts = report["K"], report["pixel_counts"]
    total = max(sum(counts), 1)
    status = report["status"].partition(":")[0]
    head = (
        f"{report['input']['path']}  {width} × {height}, K = {k}, {report['features']['spec']}: {status} after"
        f" {report['iterations']} iterations, log-likelihood {report['log_likelihood_per_pixel']:.4f} per pixel"
    )
    lines = [head]
    labels = palette(k)[1:] if k < 256 else np.zeros((k, 3), np.uint8)
    for i in range(k):
        share = counts[i] / total
        bar = ("█" * round(share * BAR)).ljust(BAR)
        mean = "" if colours is None else f"  {_swatch(colours[i], colour)}"
        lines.append(f"  {_swatch(labels[i], colour)} {i + 1:>3}  {share:6.1%}  {bar}{mean}".rstrip())
    if report["status"].startswith(("not", "degenerate")):
        lines.append(f"  {report['status']}")
    if where:
        lines.append(f"  → {', '.join(join(dirname(where), name) for name in report['outputs'])}, {where}")
    return "\n".join(lines)


def _swatch(rgb: NDArray[np.uint8], colour: bool) -> str:
    r, g, b = (int(channel) for channel in rgb)
    name = f"#{r:02x}{g:02x}{b:02x}"
    return f"\x1b[48;2;{r};{g};{b}m   \x1b[0m {name}" if colour else name
