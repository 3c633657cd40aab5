"""From a segmentation to its files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from emseg.cli.batch.write_job import write
from emseg.commands.segment import Segmentation
from emseg.errors import DataError
from emseg.image.model import Image
from emseg.output.pictures.palette import palette
from emseg.output.store.names import Job

PICTURES = ("labels", "overlay", "mean", "geojson", "coco")


def save(result: Segmentation, job: Job, overwrite: bool = False) -> dict[str, Any]:
    """Write the files of `job`, the report last; return the report as written.

    Raises
    ------
    OutputError
        If a file cannot be written, or is not emseg's to replace.
    """
    return write(job, {kind: partial(_content, kind, result) for kind in job.files}, result.report, overwrite)


def _content(kind: str, result: Segmentation) -> bytes:
    """The bytes of one kind of file; what its writer needs is imported only now."""
    image, shown = result.image, palette(result.mixture.k)
    labels = result.labels
    if kind in PICTURES and "volume" in image.metadata:  # they show the slices in a grid
        image, labels = _laid_out(image, labels)
    match kind:
        case "labels":
            from emseg.output.pictures.png_encoder import label_png

            return label_png(labels, shown, image.metadata.get("resolution"))
        case "overlay":
            from emseg.output.pictures.overlay import overlay_png

            if result.regions:  # asked for, so they are what is to be seen
                labels = _ids(result)
                shown = palette(int(labels.max()))
            return overlay_png(image, labels, shown)
        case "mean":
            from emseg.output.pictures.png_encoder import mean_png

            return mean_png(labels, shown[1:] if result.colours is None else result.colours)
        case "regions":
            from emseg.output.pictures.png_encoder import label_png

            ids = _ids(result)
            return label_png(ids, palette(int(ids.max())), image.metadata.get("resolution"))
        case "regions-csv":
            from emseg.output.tables.csv_columns import table_csv

            return table_csv(result.regions.table if result.regions else {})
        case "bias":
            from emseg.output.maps.tiff_writer import planes_tiff

            assert result.gain is not None  # asked for with the file
            return planes_tiff(result.gain, image.metadata)
        case "fractions":
            from emseg.output.maps.tiff_writer import planes_tiff

            return planes_tiff(result.fractions(), image.metadata)
        case "log":
            from emseg.output.tables.convergence_log import log_csv

            return log_csv(result.trace)
        case "model":
            from emseg.mixture.saved import model_json

            return model_json(result.report)
        case "labels-tiff":
            from emseg.output.maps.tiff_writer import labels_tiff

            return labels_tiff(labels, image.metadata)
        case "labels-nifti":
            from emseg.output.maps.nifti_writer import labels_nifti

            return labels_nifti(labels, image.metadata)
        case "geojson":
            from emseg.output.maps.geojson import regions_geojson

            return regions_geojson(labels, len(shown) - 1, image.metadata, result.colours)
        case "coco":
            from emseg.output.maps.coco import regions_coco

            return regions_coco(labels, len(shown) - 1, image.name)
        case _:
            from emseg.output.maps.tiff_writer import planes_tiff

            return planes_tiff(result.entropy() if kind == "entropy" else result.posterior(), image.metadata)


def _ids(result: Segmentation) -> Any:
    """The regions as a picture can hold them: of a volume the slices in a grid, and no more than 16 bits."""
    assert result.regions is not None  # asked for with the file
    ids, metadata = result.regions.ids, result.image.metadata
    if result.regions.count >= 1 << 16:
        raise DataError(f"{result.image.name}: {result.regions.count} regions do not fit a PNG; use larger --regions")
    if "volume" in metadata:
        from emseg.output.maps.nifti_writer import montage

        ids = montage(ids, metadata["volume"])
    return ids.astype("u2")


def _laid_out(image: Image, labels: Any) -> tuple[Image, Any]:
    """The slices of a volume side by side; where the grid has none, there is no data."""
    from emseg.output.maps.nifti_writer import montage

    volume = image.metadata["volume"]
    laid = montage(image.pixels, volume)
    there = labels > 0 if image.valid is None else image.valid
    return replace(image, pixels=laid, packed=None, valid=montage(there, volume)), montage(labels, volume)
