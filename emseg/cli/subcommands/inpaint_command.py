"""`emseg inpaint`: parse, call `inpaint`, write."""

from __future__ import annotations

from functools import partial
from os import sep, walk
from os.path import isfile, join, normpath, splitext
from typing import Any

import click

from emseg.cli.batch.one_job import opened
from emseg.cli.batch.outcome import Done
from emseg.cli.batch.restored_names import foreseen, suited
from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import warn
from emseg.cli.processor_shares import workers_for_one
from emseg.errors import DataError, UsageError, shown
from emseg.image.formats.registry import VOLUMES
from emseg.output.store.names import INPAINT, INPAINT_REPORT, STDIO, UNCERTAINTY, Job

HELP = """Fill the missing pixels of each INPUT.

\b
Examples:
  emseg inpaint photo.png --mask scratches.png
  emseg inpaint logo.png --mask alpha
  emseg inpaint heights.tif --nodata -9999
  emseg inpaint *.png --mask-dir masks -o whole

\b
Writes, for photo.png:
  photo.inpainted.png    PNG, or .tif where PNG cannot; NIfTI for NIfTI
  photo.uncertainty.tif  with --uncertainty: standard deviation of the filling
  photo.inpainted.json   the report, written last

Known pixels come back to the last bit.
"""
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif", ".npy", ".pbm", ".pgm", ".webp", ".jpg", ".jpeg", *VOLUMES)


@click.command("inpaint", cls=GroupedCommand, help=HELP)
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=Files())
@options("inpaint")
def command(inputs: tuple[str, ...], **given: Any) -> int:
    """Do each input; return the exit code."""
    from emseg.cli.batch.run import Batch  # help does without
    from emseg.options import checked
    from emseg.options.effects import without_effect

    if given["mask_value"] is not None and given["mask_dir"] is None and given["mask"] in (None, "alpha", "nodata"):
        raise UsageError("--mask-value: is a value of a mask; add its file as --mask, or --mask-dir")
    if given["mask"] is not None and given["mask_dir"] is not None:
        raise UsageError("--mask-dir: a folder of masks and a single --mask do not go together; give one of them")
    batch = Batch.of(inputs, given)
    if given["uncertainty"] and batch.settings.output == STDIO:
        raise UsageError("-o -: writes one file to standard output; leave out --uncertainty, or name a folder")
    filling = checked.inpainting(**{name: value for name, value in given.items() if name not in ("mask", "mask_dir")})
    warn(without_effect("inpaint", filling), batch.settings.quiet)
    decisive = {name: value for name, value in given.items() if name != "workers"}
    if given["mask_dir"] is not None:
        decisive["masks"] = _contents(given["mask_dir"])
    always = {**INPAINT, **(UNCERTAINTY if given["uncertainty"] else {})}
    work = partial(_inpaint, batch.settings.overwrite, batch.settings.jobs, given)
    return batch.run(
        "inpaint",
        work,
        decisive,
        reads=("mask",),
        always=always,
        report=INPAINT_REPORT,
        foreseen=partial(_foreseen, batch.settings.overwrite, given),
    )


def _foreseen(overwrite: bool, given: dict[str, Any], job: Job) -> Job:
    """The job with the final names of its files; raise DataError if there is no mask for it."""
    if given["mask_dir"] is not None:
        mask_of(job.source, given["mask_dir"])
    return foreseen(job, overwrite)


def _inpaint(overwrite: bool, jobs: int, given: dict[str, Any], job: Job, alone: bool) -> Done:
    from emseg.cli.batch.write_job import write
    from emseg.commands.inpaint import inpaint
    from emseg.output.pictures.restored_picture import fits_png, restored_file
    from emseg.stages.inputs.input_image import as_image, wanted_by
    from emseg.stages.inputs.memory import Restoring

    image = as_image(opened(job), Restoring(fills=True), fourth=wanted_by(given["mask"]))
    job = suited(job, fits_png(image), overwrite)
    mask = given["mask"] if given["mask_dir"] is None else mask_of(job.source, given["mask_dir"])
    own = {name: value for name, value in given.items() if name not in ("mask", "mask_dir")}
    own["workers"] = workers_for_one(given["workers"], jobs, alone)
    result = inpaint(image, mask, **own)
    contents: dict[str, Any] = {"image": partial(restored_file, result.image)}
    if result.deviation is not None:
        contents["uncertainty"] = partial(restored_file, result.uncertainty())
    report = write(job, contents, result.report, overwrite)
    return Done(report, partial(_summary, report, job), result.notices)


def mask_of(source: str, folder: str) -> str:
    """The mask in a folder that is called like an input, whatever the suffix.

    If there are folders in it that are called like those which the input lies in, it is looked for there first.
    """
    if source == STDIO:
        raise UsageError("-: what comes from standard input has no name to find its mask by; give --mask")
    *parents, name = normpath(source).split(sep)
    suffix = next((end for end in VOLUMES[::-1] if name.lower().endswith(end)), splitext(name)[1])
    stem = name[: len(name) - len(suffix)]
    for i in range(len(parents) + 1):
        for end in (suffix, *SUFFIXES):
            path = join(folder, *(part for part in parents[i:] if part not in ("", "..")), stem + end)
            if isfile(path):
                return path
    raise DataError(f"{shown(source)}: no mask in {shown(folder)}; put {shown(stem)}.png there")


def _contents(folder: str) -> list[tuple[str, str]]:
    """Names and hashes of the files in a folder and in those below."""
    from emseg.output.store.files import file_digest

    found = (join(place, name) for place, _, names in walk(folder) for name in names)
    return [(path, file_digest(path)) for path in sorted(found)]


def _summary(report: dict[str, Any], job: Job) -> str:
    from emseg.output.tables.summary import inpaint_text

    return inpaint_text(report, job.report)
