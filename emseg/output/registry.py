"""Every kind of file that `segment` and `apply` write: the one list that the command line, checks and README read.

To add a kind, write a function that takes a `Segmented` and returns bytes, and add a line to `KINDS`. Importing this
module imports no numpy; a writer is loaded when it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from emseg.errors import UsageError, option
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.output.segmented import Segmented


class Kind(NamedRecord):
    """A kind of result file. A named tuple, because making a data class would take a millisecond of every start.

    Attributes
    ----------
    name : str
        What `save` calls it.
    suffix : str
        What its file's name ends with.
    writer : str
        Module below `emseg.output`, a colon, and the function from a `Segmented` to bytes.
    summary : str
        What the file holds, in one line.
    needs : str
        Option of `segment` without which there is nothing to write; empty for none.
    by_default : bool
        Whether it is written without being named in `save`.
    only_fitted : bool
        Whether there is nothing to write where a saved model was applied.
    beside : str
        Kind that it is written beside, of a NIfTI volume alone; empty for a kind of its own.
    volume_writer : str
        As `writer`, for a NIfTI volume: the file then ends with .nii.gz instead of .tif. Empty where nothing differs.
    package : str
        What it imports that is no dependency of emseg; "all" leaves it out.
    """

    name: str
    suffix: str
    writer: str
    summary: str
    needs: str = ""
    by_default: bool = False
    only_fitted: bool = False
    beside: str = ""
    volume_writer: str = ""
    package: str = ""

    @property
    def volume_suffix(self) -> str:
        """What the file's name ends with for a NIfTI volume."""
        return self.suffix.removesuffix(".tif") + ".nii.gz" if self.volume_writer else self.suffix

    def write(self, result: Segmented) -> bytes:
        """The bytes of the file."""
        of_volume = self.volume_writer and "nifti" in result.image.metadata
        module, function = (self.volume_writer if of_volume else self.writer).split(":")
        data: bytes = getattr(import_module(f"emseg.output.{module}"), function)(result)
        return data


MOST_IDS = (1 << 16) - 1  # regions that a PNG of 16 bits can number
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "labels",
            ".labels.png",
            "pictures.label_pictures:labels_file",
            "label map: 8-bit palette PNG, the stored index is the label; 16-bit grey for more than 255",
            by_default=True,
        ),
        Kind(
            "overlay",
            ".overlay.png",
            "pictures.overlay:overlay_file",
            "the image with its classes, or regions, tinted and outlined",
            by_default=True,
        ),
        Kind(
            "log",
            ".log.csv",
            "tables.convergence_log:log_file",
            "convergence log: a row per iteration",
            by_default=True,
            only_fitted=True,
        ),
        Kind(
            "labels-tiff",
            ".labels.tif",
            "maps.tiff_writer:labels_file",
            "map of the classes, or regions, as plain integers, TIFF",
        ),
        Kind(
            "posterior",
            ".posterior.tif",
            "maps.tiff_writer:posterior_file",
            "probability of each class, float32 TIFF, one page each; NIfTI for NIfTI",
            volume_writer="maps.nifti_writer:posterior_file",
        ),
        Kind(
            "entropy",
            ".entropy.tif",
            "maps.tiff_writer:entropy_file",
            "entropy of the posterior, float32 TIFF, nats; NIfTI for NIfTI",
            volume_writer="maps.nifti_writer:entropy_file",
        ),
        Kind("mean", ".mean.png", "pictures.label_pictures:means_file", "each class in its mean colour"),
        Kind("model", ".emseg.json", "store.model_file:model_file", "the fitted mixture", only_fitted=True),
        Kind("geojson", ".geojson", "maps.geojson:geojson_file", "polygons of the classes, or regions, GeoJSON"),
        Kind(
            "geojson-wgs84",
            ".wgs84.geojson",
            "maps.geojson:wgs84_file",
            "the same in longitude and latitude; needs pyproj",
            package="pyproj",
        ),
        Kind("coco", ".coco.json", "maps.coco:coco_file", "masks of the classes, or regions, COCO"),
        Kind(
            "bias",
            ".bias.tif",
            "maps.tiff_writer:gain_file",
            "estimated illumination, float32 TIFF; NIfTI for NIfTI",
            needs="bias_field",
            only_fitted=True,
            volume_writer="maps.nifti_writer:gain_file",
        ),
        Kind(
            "cutout",
            ".cutout.png",
            "pictures.cutout:cutout_file",
            "the marked object in its own colours, 8-bit PNG; alpha is 0 on the ground and soft at borders",
            needs="scribbles",
            only_fitted=True,
        ),
        Kind(
            "fractions",
            ".fractions.tif",
            "maps.tiff_writer:fractions_file",
            "share of each class in each pixel, float32 TIFF, one page each; NIfTI for NIfTI",
            needs="partial_volume",
            volume_writer="maps.nifti_writer:fractions_file",
        ),
        Kind(
            "regions",
            ".regions.png",
            "pictures.label_pictures:regions_file",
            "map of the regions: palette PNG, the stored index is the region; 16-bit grey for more than 255",
            needs="regions",
            by_default=True,
        ),
        Kind(
            "regions-csv",
            ".regions.csv",
            "tables.csv_columns:regions_file",
            "table of the regions: class, size, place, shape, intensity",
            needs="regions",
            by_default=True,
        ),
        Kind(
            "labels-nifti",
            ".labels.nii.gz",
            "maps.nifti_writer:labels_file",
            "label map in the place of the volume, NIfTI",
            by_default=True,
            beside="labels",
        ),
        Kind(
            "regions-nifti",
            ".regions.nii.gz",
            "maps.nifti_writer:regions_file",
            "map of the regions in the place of the volume, NIfTI",
            by_default=True,
            beside="regions",
        ),
    )
}


def written_always(applied: bool = False) -> dict[str, str]:
    """Suffixes of the kinds that are written for every image, by name; `applied`: of a saved model."""
    return {
        kind.name: kind.suffix
        for kind in KINDS.values()
        if kind.by_default and not (kind.needs or kind.beside or (applied and kind.only_fitted))
    }


def for_volume(suffixes: Mapping[str, str]) -> dict[str, str]:
    """Suffixes by kind for a NIfTI volume, given those for a plane image; kinds that are not in `KINDS` stay."""
    own = {name: KINDS[name].volume_suffix if name in KINDS else suffix for name, suffix in suffixes.items()}
    return own | {kind.name: kind.suffix for kind in KINDS.values() if kind.beside in suffixes}


def saveable(applied: bool = False) -> tuple[str, ...]:
    """Names of the kinds that `save` offers; `applied`: for a saved model."""
    return tuple(kind.name for kind in KINDS.values() if not kind.by_default and not (applied and kind.only_fitted))


def with_labels_of_slices(files: Mapping[str, str], metadata: Mapping[str, Any]) -> dict[str, str]:
    """Results by kind, with a TIFF of labels for a volume that is no NIfTI: a picture shows its slices in a grid."""
    picture = files.get("labels", "")
    if "volume" not in metadata or "nifti" in metadata or not picture.endswith(".png") or "labels-tiff" in files:
        return dict(files)
    return {**files, "labels-tiff": picture.removesuffix(KINDS["labels"].suffix) + KINDS["labels-tiff"].suffix}


def with_wide_regions(files: Mapping[str, str], regions: int) -> dict[str, str]:
    """Results by kind, with a TIFF for the map of so many regions that 16 bits of a PNG do not hold their numbers."""
    picture = files.get("regions", "")
    if regions <= MOST_IDS or not picture.endswith(".png"):
        return dict(files)
    return {**files, "regions": picture.removesuffix(".png") + ".tif"}


def written_besides(save: Iterable[str], options: Mapping[str, Any], applied: bool = False) -> tuple[str, ...]:
    """Names of the kinds that `save` and the other options add to `written_always`.

    Parameters
    ----------
    save : iterable of str
        Names of kinds; "all" stands for every kind that the options allow and that needs no further package.
    options : mapping
        Options of `segment` by name.
    applied : bool
        Whether the results are those of a saved model.

    Raises
    ------
    UsageError
        If a kind needs an option that was not given, or a package that is not installed.
    """
    absent = {kind.name for kind in KINDS.values() if kind.needs and not options.get(kind.needs)}
    for name in save:
        if name in absent:
            remedy = "fit the model with" if applied else "add"
            needed = option(KINDS[name].needs, None if KINDS[name].needs == "scribbles" else True)
            raise UsageError(f"{option('save', name)}: there is nothing to write; {remedy} {needed}")
        package = KINDS[name].package if name in KINDS else ""
        if package:
            from importlib.util import find_spec  # most runs save what needs no package

            if find_spec(package) is None:
                raise UsageError(f"{option('save', name)}: needs {package}; pip install {package}")
    named = (name for name in saveable(applied) if name in save or ("all" in save and not KINDS[name].package))
    brought = (kind.name for kind in KINDS.values() if kind.needs and kind.by_default)
    return tuple(name for name in (*named, *brought) if name not in absent)
