"""Results of the Python functions as files: the same names, contents and rules as those of the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from emseg.errors import UsageError, option
from emseg.image.model import Image
from emseg.output.registry import KINDS, with_labels_of_slices, with_wide_regions, written_always, written_besides
from emseg.output.segmented import Segmented
from emseg.output.store.files import write_all
from emseg.output.store.names import OTHERWISE, REPORT, STDIO, STEM, plan

Folder = str | os.PathLike[str]


def save_segmentation(
    result: Segmented, folder: Folder, name: str, save: tuple[str, ...], overwrite: bool, applied: bool
) -> dict[str, Any]:
    """Write what `emseg segment` or `emseg apply` writes; return the report as written."""
    options = {kind.needs: result.report.get("options", {}).get(kind.needs) for kind in KINDS.values()}
    if applied:
        options = {"partial_volume": result.mixture.mixed_classes() is not None}
    given = result.report.get("options", {})
    options["scribbles"] = given.get("scribbles") or given.get("box")
    options["regions"] = result.regions is not None  # several options ask for them
    extra = written_besides(save, options, applied)
    writers = {kind: partial(entry.write, result) for kind, entry in KINDS.items()}
    always, report = written_always(applied), result.report
    metadata, count = result.image.metadata, result.regions.count if result.regions else 0
    return _written(result.image.name, folder, name, always, REPORT, writers, report, overwrite, metadata, extra, count)


def save_restored(
    image: Image,
    folder: Folder,
    name: str,
    always: Mapping[str, str],
    suffix: str,
    report: Mapping[str, Any],
    overwrite: bool,
    **more: Callable[[], bytes],
) -> dict[str, Any]:
    """Write a restored image, and further files by kind; return the report as written."""
    from emseg.output.pictures.restored_picture import fits_png, restored_file

    named = fits_png(image) or "nifti" in image.metadata  # `plan` names volumes
    always = dict(always) if named else {**always, "image": always["image"].removesuffix(".png") + OTHERWISE["image"]}
    writers: dict[str, Callable[[], bytes]] = {"image": partial(restored_file, image), **more}
    return _written(image.name, folder, name, always, suffix, writers, report, overwrite, image.metadata)


def _written(
    source: str,
    folder: Folder,
    name: str,
    always: Mapping[str, str],
    suffix: str,
    writers: Mapping[str, Callable[[], bytes]],
    facts: Mapping[str, Any],
    overwrite: bool,
    metadata: Mapping[str, Any],
    extra: tuple[str, ...] = (),
    regions: int = 0,
) -> dict[str, Any]:
    where = os.fspath(folder)
    if not isinstance(where, str):
        raise UsageError(f"folder: is {where!r}; give a text or a path")
    if os.path.isfile(where):
        raise UsageError(f"folder: {where!r} is a file; name a folder")
    if not isinstance(overwrite, bool):
        raise UsageError(f"{option('overwrite')} is {overwrite!r}; it must be True or False")
    (job,) = plan([source], os.path.join(".", where) if where == STDIO else where, extra, always, suffix, name or STEM)
    named = with_wide_regions(with_labels_of_slices(job.files, metadata), regions)
    contents = {path: writers[kind] for kind, path in named.items()}
    return write_all(contents, job.report, facts, overwrite, job.place)
