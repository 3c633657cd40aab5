"""How results show themselves in Python: five lines at most, whatever the size of the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os.path import basename
from typing import Any

import numpy as np

from emseg.errors import shown

WIDEST = 110  # characters of a line
FEW = 8  # classes that a line has room for


def segmentation_text(report: Mapping[str, Any], labels: Any) -> str:
    """Five lines on a segmentation: its size, labels, classes, fit and warnings."""
    counts = [*report["pixel_counts"], *([report["noise"]["pixels"]] if report["noise"] else [])]
    regions = f", {report['regions']['count']} regions" if report.get("regions") else ""
    without = labels.size - sum(counts)
    empty = f"; 0 in {without} pixels without data" if without > 0 else ""
    rounds = f" after {report['iterations']} iterations" if "iterations" in report else ""
    return lines(
        f"Segmentation of {_name(report)}: {_size(report['size'])}, {_classes(report['K'])} by "
        f"{report['features']['spec']}{regions}",
        f"labels: {labels.dtype} {labels.shape}, 1…{len(counts)}{empty}",
        f"shares: {_few(f'{count / max(sum(counts), 1):.1%}' for count in counts)}",
        f"fit: {report['status'].partition(':')[0]}{rounds}, log-likelihood "
        f"{report['log_likelihood_per_pixel']:.4f} per pixel",
        warnings_line(report.get("warnings", ())),
    )


def denoised_text(report: Mapping[str, Any], pixels: Any) -> str:
    """Four lines on a denoised image."""
    gain = report["gain_by_channel"]
    found = f"noise {report['sigma']:.3g}" if gain is None else f"gain {_few(f'{g:.3g}' for g in gain)}"
    return _restored("Denoised", report, pixels, f"{found}, method {report['method']}")


def inpainted_text(report: Mapping[str, Any], pixels: Any) -> str:
    """Four lines on an inpainted image."""
    return _restored("Inpainted", report, pixels, f"filled: {report['missing']} pixels")


def _restored(kind: str, report: Mapping[str, Any], pixels: Any, found: str) -> str:
    head = f"{kind} image of {_name(report)}: {_size(report['size'])}"
    return lines(head, f"pixels: {pixels.dtype} {pixels.shape}", found, warnings_line(report.get("warnings", ())))


def comparison_text(report: Mapping[str, Any]) -> str:
    """Four lines on a comparison of algorithms."""
    best = report["best"]
    ran = [entry["algorithm"] for entry in report["algorithms"] if entry["iterations"] is not None]
    return lines(
        f"Comparison on {_name(report)}: {_size(report['size'])}, {_classes(report['K'])}",
        f"algorithms: {', '.join(ran)}",
        f"best: {best['algorithm']}, log-likelihood {best['log_likelihood_per_pixel']:.6f} per pixel",
        warnings_line(report.get("warnings", ())),
    )


def model_text(features: str, mixture: Any, report: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Four lines on a model, or five if it is known how it was fitted."""
    k, of = mixture.n_classes, f" of {_few(columns)}" if columns else ""
    fitted = (
        [f"fit: {report['status'].partition(':')[0]}, bic {report['bic']:.1f}", warnings_line(report["warnings"])]
        if "bic" in report
        else []
    )
    first = (f"{mean[0]:.4g}" for mean in mixture.components.means[:k])
    return lines(
        f"Model of {_classes(k, mixture.family.name)} by {features}{of}{' and noise' if mixture.k > k else ''}",
        f"weights: {_few(f'{weight:.3f}' for weight in mixture.weights[:k])}",
        f"means of the first feature: {_few(first)}",
        *fitted,
    )


def imputation_text(found: Any) -> str:
    """Four lines on what was filled in."""
    missing, shape = int(np.sum(np.asarray(found.missing))), np.shape(found.completed)
    mixture = "no column varies" if found.mixture is None else str(found.mixture)
    return lines(
        f"Imputation of {' × '.join(map(str, shape))} values, {missing} of them missing",
        f"intervals: low and high, with probability {found.level:g}",
        f"fit: {found.status.value.partition(':')[0]}, {mixture}",
        warnings_line(found.warnings),
    )


def lines(head: str, *others: str) -> str:
    """A head and lines below it, none of them too long."""
    return "\n".join([_short(head), *(_short(f"  {line}") for line in others)])


def warnings_line(warnings: Sequence[str]) -> str:
    """How many warnings there are, and the first of them."""
    if not warnings:
        return "warnings: none"
    return f"warnings: {warnings[0]}" if len(warnings) == 1 else f"{len(warnings)} warnings: {warnings[0]}; …"


def _name(report: Mapping[str, Any]) -> str:
    return shown(basename(report["input"]["path"]))


def _classes(k: int, kind: str = "") -> str:
    return f"{k} {kind}{' ' * bool(kind)}{'class' if k == 1 else 'classes'}"


def _few(texts: Iterable[str]) -> str:
    found = list(texts)
    return ", ".join(found[:FEW]) + (f" and {len(found) - FEW} more" if len(found) > FEW else "")


def _size(size: Sequence[int]) -> str:
    return f"{' × '.join(map(str, size))} {'pixels' if len(size) == 2 else 'voxels'}"


def _short(line: str) -> str:
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"
