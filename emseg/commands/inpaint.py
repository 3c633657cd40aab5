"""`inpaint`: image and mask → patches with missing pixels → image. No files are written, nothing is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from emseg.commands.results.restored import Restored
from emseg.errors import UsageError, for_python, option
from emseg.execution import steps
from emseg.execution.choose import runner_for
from emseg.execution.runner import Runner
from emseg.image.mask_rule import MaskRule
from emseg.image.missing.nodata import without_given
from emseg.image.model import Image
from emseg.numerics import clock
from emseg.options import checked
from emseg.options.effects import without_effect
from emseg.output.store.names import INPAINT, INPAINT_REPORT, UNCERTAINTY
from emseg.records import record
from emseg.restore.colour_rotation import axes_of_colour, rotated
from emseg.restore.inpaint.rounds import inpaint as inpaint_planes
from emseg.stages.inputs.input_image import ImageLike, MaskLike, as_image, wanted_by
from emseg.stages.inputs.maps.missing_pixels import missing_pixels
from emseg.stages.inputs.memory import Restoring
from emseg.stages.inputs.planes import WHITE, Planes, slices_of, usual
from emseg.version import __version__

if TYPE_CHECKING:
    from emseg.options.keywords import InpaintKeywords

Real = NDArray[np.float32]


@record(frozen=True, eq=False)
class Inpainted(Restored):
    """An image with its missing pixels filled.

    Attributes
    ----------
    image : Image
        Pixels in the type of the input; those that were not missing are the input's to the last bit.
    missing : ndarray of bool, shape (H, W), or (Z, H, W) of a volume
    deviation : ndarray of float32, shape (C, H, W) or (C, Z, H, W), or None
        Conditional standard deviation in stored values, 0 where nothing was missing; None unless asked for.
    report : dict
        What `photo.inpainted.json` holds, but for the list of files.
    """

    image: Image
    missing: NDArray[np.bool_]
    deviation: Real | None
    report: dict[str, Any]

    def __repr__(self) -> str:
        from emseg.output.tables.python_texts import inpainted_text  # for people

        return inpainted_text(self.report, self.pixels)

    def uncertainty(self) -> Image:
        """The deviations as an image."""
        if self.deviation is None:
            raise UsageError(f"there are no deviations; ask for them with {option('uncertainty', True)}")
        place = {name: value for name, value in self.image.metadata.items() if name not in ("nodata", "icc")}
        pixels = np.moveaxis(self.deviation.reshape(-1, *self.image.shape), 0, 2)
        return replace(self.image, pixels=pixels, alpha=None, valid=None, known=None, metadata=place)

    def _files(self) -> tuple[Mapping[str, str], str, Mapping[str, Callable[[], bytes]]]:
        if self.deviation is None:
            return INPAINT, INPAINT_REPORT, {}
        from emseg.output.pictures.restored_picture import restored_file

        uncertainty = partial(restored_file, self.uncertainty())
        return {**INPAINT, **UNCERTAINTY}, INPAINT_REPORT, {"uncertainty": uncertainty}


def inpaint(
    image: ImageLike,
    mask: MaskLike | None = None,
    *,
    on_progress: Callable[[float], object] | None = None,
    **options: Unpack[InpaintKeywords],
) -> Inpainted:
    """Fill missing pixels.

    Parameters
    ----------
    image : array-like, image of PIL, path, file or Image
        An array is (H, W) or (H, W, C), unless `axes` says otherwise; three channels are sRGB. Pixels with NaN are
        missing, and masked ones.
    mask : array-like, path, "alpha" or "nodata", optional
        Same size as the image: pixels that are not zero are missing. "alpha": those of alpha 0. "nodata", and where no
        mask is given: those without data, as the file or `nodata` says. With a mask, they have no influence.
    on_progress : callable, optional
        Called with the share that is done, from 0 to 1.
    **options
        Further options; `help(emseg.inpaint)` and the page `options` of the guide list them.

    Returns
    -------
    Inpainted

    Raises
    ------
    UsageError
        If an option makes no sense, or nothing says what is missing.
    ImageError, DataError
        If a file cannot be read, the mask has another size, or nothing or everything is missing.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> ramp = np.add.outer(np.arange(32.0), np.arange(32.0))
    >>> lost = np.random.default_rng(0).random((32, 32)) < 0.3
    >>> filled = emseg.inpaint(np.where(lost, 0, ramp), lost).pixels
    >>> bool(np.abs(filled - ramp).max() < 4)
    True
    """
    reading, others = checked.reading("inpaint", options)
    settings = checked.inpainting(**others)
    begin = clock.seconds()
    given = as_image(image, Restoring(fills=True), reading, fourth=wanted_by(mask))
    photo = without_given(given, settings.nodata)
    rule = MaskRule(settings.mask_above, settings.grow)
    missing, masked, notices = missing_pixels(given, photo, mask, value=settings.mask_value, rule=rule)
    photo = photo.with_notices(*notices)
    planes = Planes.of(photo, ~missing, complete=False)
    stretch = 1.0 if photo.pixels.dtype in (np.uint8, np.uint16) else _range(planes.values) / WHITE or 1.0
    values = planes.values if stretch == 1 else planes.values / np.float32(stretch)
    axes = axes_of_colour(values[:, None, ~missing], photo.colour)
    factor, shown = None, None
    steps.step("filling in")
    with runner_for(settings.workers, values.size, on_progress) as runner:
        with runner.stage(0, 0.5 if settings.uncertainty else 1):
            found, deviation = _filled(rotated(axes, values), missing, slices_of(photo), runner)
        if settings.uncertainty:
            from emseg.restore.inpaint.calibrate import deviation_factor

            with runner.stage(0.5, 1):
                factor = deviation_factor(rotated(axes, values), missing, np.random.default_rng(settings.seed), runner)
    if factor is not None:
        shown = np.sqrt(np.einsum("dc,dhw->chw", axes**2, deviation**2)).astype(np.float32)
        with np.errstate(over="ignore"):  # of numbers beyond 1e38, the deviation is infinite
            scale = np.float32(factor * stretch * planes.unit)
            shown = np.where(shown > 0, shown * np.where(shown > 0, scale, 0), shown)
    back = rotated(axes.T, found) * np.float32(stretch)
    filled = replace(planes, valid=None).back(back, photo, ~missing)
    if photo.known is not None:  # of a pixel that is known in part, that part is kept
        known = photo.known & ~masked[:, :, None]
        filled[known] = photo.pixels[known]
        if shown is not None:
            shown[np.moveaxis(known, 2, 0)] = 0
    facts = {
        "version": __version__,
        "input": photo.source,
        "options": checked.recorded("inpaint", settings),
        "warnings": [for_python(line) for line in (*without_effect("inpaint", settings), *photo.notices)],
        "size": photo.extent,
        "missing": int(missing.sum()),
        "deviation_factor": factor,
        "seconds": round(clock.seconds() - begin, 6),
    }
    image_filled = _opaque(replace(photo, pixels=filled, packed=None), missing)
    return Inpainted(image_filled, photo.in_space(missing), None if shown is None else photo.in_space(shown), facts)


def _range(values: Real) -> float:
    """How far apart values (C, H, W) are; without those few that are much farther, if there are any."""
    whole, most = float(np.ptp(values)), usual(values.reshape(len(values), -1).T)[1]
    return most if whole > 2 * most > 0 else whole


def _filled(values: Real, missing: NDArray[np.bool_], slices: int, runner: Runner) -> tuple[Real, Real]:
    """Planes with missing pixels filled, and standard deviations; each slice of a volume is an image of its own."""
    parts = zip(np.split(values, slices, axis=1), np.split(missing, slices, axis=0), strict=True)
    done = []
    for i, (part, lost) in enumerate(parts):
        with runner.stage(i / slices, (i + 1) / slices):
            done.append(inpaint_planes(part, lost, runner) if lost.any() else (part, 0 * part))
    return np.concatenate([part for part, _ in done], axis=1), np.concatenate([part for _, part in done], axis=1)


def _opaque(image: Image, missing: NDArray[np.bool_]) -> Image:
    """The image with what was filled made visible."""
    alpha, valid, known = image.alpha, image.valid, image.known
    if alpha is not None:
        top = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1
        alpha = np.where(missing & (alpha == 0), top, alpha).astype(alpha.dtype)
    if valid is not None:
        valid = valid | missing
    if known is not None:
        known = known | missing[:, :, None]
        known = None if known.all() else known
    return replace(image, alpha=alpha, valid=None if valid is None or valid.all() else valid, known=known)
