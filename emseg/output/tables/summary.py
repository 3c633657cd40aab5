"""What commands print: of `segment` the fit in two lines, then a line for each class, and where the files are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os.path import basename, dirname
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import shown
from emseg.output.pictures.palette import palette

BAR = 24  # characters for a share of 100 %
EIGHTHS = "▏▎▍▌▋▊▉"


def summary_text(report: Mapping[str, Any], colours: NDArray[np.uint8] | None, colour: bool, where: str = "") -> str:
    """Describe a segmentation for people.

    Parameters
    ----------
    report : mapping
    colours : ndarray of uint8, shape (K, 3), or None
        Mean colours of the classes.
    colour : bool
        Show swatches with terminal colours, not just their hexadecimal names.
    where : str
        Path of the report file; the last line names it with the other files.
    """
    k, counts, status = report["K"], list(report["pixel_counts"]), report["status"]
    if report["noise"]:
        counts.append(report["noise"]["pixels"])
    found = report.get("regions")
    parts = _count(sum(count > 0 for count in counts[:k]) or k, "class", "es")
    if found:
        parts = f"{_count(found['count'], 'region')} of {parts}"
    fitted = f"after {_count(report['iterations'], 'iteration')}" if "iterations" in report else "as it was fitted"
    lines = [
        f"{_source(report)}: {_size(report)} in {parts} by {report['features']['spec']}",
        f"  {status.partition(':')[0]} {fitted}, log-likelihood {report['log_likelihood_per_pixel']:.4f} per pixel",
    ]
    labels = palette(len(counts))[1:]
    swatch = len(_swatch(labels[0], False)) + 4 * colour
    mean = "" if colours is None else "mean colour"
    lines.append(f"  class  {'':{swatch}}   share  {'':{BAR}}  {mean}".rstrip())
    for i, count in enumerate(counts):
        share = count / max(sum(counts), 1)
        mean = "" if colours is None else _swatch(colours[i], colour)
        mean += "  noise" if i == k else ""
        lines.append(f"  {i + 1:>5}  {_swatch(labels[i], colour)}  {share:6.1%}  {_bar(share)}  {mean}".rstrip())
    if status.startswith(("not", "degenerate")):
        lines.append(f"  {status}")
    if where:
        folder = f"{dirname(where)}: " if dirname(where) else ""
        lines.append(f"  → {shown(folder + ', '.join([*report['outputs'], basename(where)]))}")
    return "\n".join(lines)


def _source(report: Mapping[str, Any]) -> str:
    """The input's path, and how many files are one image with it."""
    more = len(report["input"].get("files", ())) - 1
    return shown(report["input"]["path"]) + (f" and {more} more" if more > 0 else "")


def _size(report: Mapping[str, Any]) -> str:
    size = report["size"]
    return f"{' × '.join(map(str, size))} {'pixels' if len(size) == 2 else 'voxels'}"


def _count(number: int, thing: str, plural: str = "s") -> str:
    return f"{number} {thing}{'' if number == 1 else plural}"


def _bar(share: float) -> str:
    full, eighths = divmod(round(share * BAR * 8), 8)
    return ("█" * full + EIGHTHS[eighths - 1 : eighths]).ljust(BAR)


def _swatch(rgb: NDArray[np.uint8], colour: bool) -> str:
    r, g, b = (int(channel) for channel in rgb)
    name = f"#{r:02x}{g:02x}{b:02x}"
    return f"\x1b[48;2;{r};{g};{b}m   \x1b[0m {name}" if colour else name


def denoise_text(report: Mapping[str, Any], where: str = "") -> str:
    """Describe a denoised image for people: what was found, and where the files are."""
    of, level = "noise", report["sigma"]
    if report["gain_by_channel"] is not None:
        gains = report["gain_by_channel"]
        of, level = "gain", sum(gains) / len(gains)
    found = "found" if report["options"]["sigma" if of == "noise" else "gain"] == "auto" else "given"
    facts = f"{of} {level:.3g} ({found}), method {report['method']}{_took(report)}"
    return _restored(report, facts, where)


def inpaint_text(report: Mapping[str, Any], where: str = "") -> str:
    """Describe an inpainted image for people."""
    share = report["missing"] / math.prod(report["size"])
    return _restored(report, f"{share:.1%} of them filled in{_took(report)}", where)


def _took(report: Mapping[str, Any]) -> str:
    """The seconds that it took, if they were counted."""
    return f", {report['seconds']:.1f} s" if report["seconds"] else ""


def _restored(report: Mapping[str, Any], facts: str, where: str) -> str:
    line = f"{shown(report['input']['path'])}: {_size(report)}, {facts}"
    folder = f"{dirname(where)}: " if dirname(where) else ""
    files = ", ".join([*report.get("outputs", ()), basename(where)])
    return f"{line}\n  → {shown(folder + files)}" if where else line
