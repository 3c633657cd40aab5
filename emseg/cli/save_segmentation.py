"""The files of a segmentation: as they are foreseen before the work, and as they are written."""

from __future__ import annotations

from functools import partial
from os.path import exists, lexists
from typing import TYPE_CHECKING, Any

from emseg.cli.batch.one_job import opened
from emseg.cli.batch.write_job import write
from emseg.errors import ImageError, OutputError
from emseg.image.formats.registry import HEAD, format_of
from emseg.output.registry import KINDS, with_labels_of_slices, with_wide_regions
from emseg.output.segmented import Segmented
from emseg.output.store.names import STDIO, Job

if TYPE_CHECKING:
    from emseg.image.model import Image


def save(result: Segmented, job: Job, overwrite: bool = False) -> dict[str, Any]:
    """Write the files of `job`, the report last; return the report as written.

    Raises
    ------
    OutputError
        If a file cannot be written, or is not emseg's to replace.
    """
    count = result.regions.count if result.regions else 0
    job = job._replace(files=with_wide_regions(with_labels_of_slices(job.files, result.image.metadata), count))
    return write(job, {kind: partial(KINDS[kind].write, result) for kind in job.files}, result.report, overwrite)


def foreseen(job: Job) -> Job:
    """The job with all files that the run will write; raise ImageError if that takes reading it, which fails."""
    if not _may_be_volume(job):
        return job
    return job._replace(files=with_labels_of_slices(job.files, _image(job).metadata))


def _image(job: Job) -> Image:
    from emseg.stages.inputs.input_image import as_image

    if not job.stack:
        return as_image(opened(job))
    from emseg.options.declarations.reading import ReadingOptions

    return as_image(opened(job), reading=ReadingOptions(stack=True))


def require_writable(job: Job, overwrite: bool) -> None:
    """Raise unless all files of a segmentation can be written, so that no work is lost.

    Raises
    ------
    OutputError
        If the TIFF of labels that a volume gets besides is there, and is not emseg's.
    DataError
        If longitudes and latitudes are wanted of an image that has none.
    """
    if "geojson-wgs84" in job.files and job.source != STDIO:
        from emseg.output.maps.ground_system import to_longitude_latitude

        image = _image(job)
        to_longitude_latitude(image.metadata.get("geotiff", {}), image.name)
    (path,) = {*with_labels_of_slices(job.files, {"volume": ()}).values()} - {*job.files.values()} or ("",)
    if path and lexists(path):
        from emseg.output.store.files import check_targets

        try:
            check_targets([path], job.report, overwrite)
        except OutputError:
            if path in foreseen(job).files.values():
                raise


def _may_be_volume(job: Job) -> bool:
    """Whether a file may hold slices, by its first bytes and the axes that the user names."""
    if STDIO in (job.report, job.source) or not exists(job.source):
        return False
    try:
        with open(job.source, "rb") as file:
            found = format_of(file.read(HEAD), job.source)
    except (OSError, ImageError):  # which the run tells
        return False
    if not found.takes_axes or found.holds_volumes:
        return False
    return "Z" in job.axes or found.holds_slices
