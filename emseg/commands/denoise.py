"""`denoise`: image → noise level → patches → image. No files are written, nothing is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from emseg.commands.results.restored import Restored
from emseg.em.fit import Row
from emseg.errors import DataError, for_python, option
from emseg.execution import steps
from emseg.execution.choose import runner_for
from emseg.execution.runner import Runner
from emseg.features.feature import require_squares
from emseg.image.mask_rule import MaskRule
from emseg.image.missing.nodata import without_given
from emseg.image.model import Image
from emseg.numerics import clock
from emseg.options import checked
from emseg.options.declarations.restoration import DenoiseOptions
from emseg.options.effects import without_effect
from emseg.output.store.names import DENOISE, DENOISE_REPORT
from emseg.records import record
from emseg.restore.colour_rotation import axes_of_colour, rotated
from emseg.restore.denoising import denoise_fast, denoise_local, denoise_mixture
from emseg.restore.noise.anscombe import Anscombe, photon_gain
from emseg.restore.noise.censored_patches import Censored
from emseg.restore.noise.level import SIDE as NOISE_SIDE
from emseg.restore.noise.level import noise_level
from emseg.restore.noise.unclip import unclipped
from emseg.stages.inputs.input_image import ImageLike, MaskLike, as_image, idle_rule, mask_of_same_size, wanted_by
from emseg.stages.inputs.memory import Restoring
from emseg.stages.inputs.planes import WHITE, Ends, Planes, left_alone, slices_of
from emseg.version import __version__

if TYPE_CHECKING:
    from emseg.options.keywords import DenoiseKeywords

Real = NDArray[np.float32]
Array = NDArray[np.float64]
#: Noise relative to the range of the values, below which single precision does not see it.
FAINT = 1e-6
LEAST = 1e-15  # noise level whose square single precision still holds with all digits
HIDDEN = 1000.0  # times the noise of photons, noise on top leaves nothing of it to see
ALL_WHITE = f"beside noise of {option('sigma')} that of photons is nothing, so all of it is taken as white"
MOST = 1e5  # noise level, above which all that is left is the mean anyway
FEW = 2 * NOISE_SIDE**2  # whole patches, from which the noise level cannot be told


@record(frozen=True, eq=False)
class Denoised(Restored):
    """An image without its noise.

    Attributes
    ----------
    image : Image
        Pixels in the type of the input, with all else the input had.
    sigma : float
        Noise level, given or found; of unsigned integers of 8 and 16 bits in units of which white has 255, else as
        stored.
    report : dict
        What `photo.denoised.json` holds, but for the list of files.
    trace : tuple of Row
        The log of the fit of a patch mixture, if there was one.
    """

    image: Image
    sigma: float
    report: dict[str, Any]
    trace: tuple[Row, ...] = ()

    def __repr__(self) -> str:
        from emseg.output.tables.python_texts import denoised_text  # for people

        return denoised_text(self.report, self.pixels)

    def _files(self) -> tuple[Mapping[str, str], str, Mapping[str, Callable[[], bytes]]]:
        return DENOISE, DENOISE_REPORT, {}


def denoise(
    image: ImageLike,
    sigma: float | str = "auto",
    *,
    mask: MaskLike | None = None,
    on_progress: Callable[[float], object] | None = None,
    **options: Unpack[DenoiseKeywords],
) -> Denoised:
    """Take white noise out of an image.

    Parameters
    ----------
    image : array-like, image of PIL, path, file or Image
        An array is (H, W) or (H, W, C), unless `axes` says otherwise; three channels are sRGB.
    sigma : float or "auto"
        Standard deviation of the noise: of unsigned integers of 8 and 16 bits in units of which white has 255, else as
        stored. 0 gives the image back as it is.
    mask : array-like, path or "alpha", optional
        Same size as the image; where it is zero, pixels stay as they are and have no influence. "alpha": the opacity of
        the image itself.
    on_progress : callable, optional
        Called with the share that is done, from 0 to 1.
    **options
        Further options; `help(emseg.denoise)` and the page `options` of the guide list them.

    Returns
    -------
    Denoised

    Raises
    ------
    UsageError
        If an option makes no sense.
    ImageError, DataError
        If a file cannot be read, the mask has another size, no pixel has data, or there are too few to find the noise
        level by.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> y = 100 + np.random.default_rng(0).normal(0, 10, (32, 32))
    >>> bool(emseg.denoise(y, sigma=10).pixels.std() < 2)
    True
    """
    reading, others = checked.reading("denoise", options)
    settings = checked.denoising(sigma=sigma, **others)
    begin = clock.seconds()
    photo = without_given(as_image(image, Restoring(), reading, fourth=wanted_by(mask)), settings.nodata)
    rule = MaskRule(settings.mask_above, settings.grow)
    inside, notices = (None, idle_rule(rule)) if mask is None else mask_of_same_size(mask, photo, rule)
    photo = photo.with_notices(*notices, *left_alone(photo))
    planes = Planes.of(photo, inside, slices=slices_of(photo))
    estimate = _poisson if settings.noise == "poisson" else _white
    steps.step("measuring noise")
    with runner_for(settings.workers, planes.values.size, on_progress) as runner:
        found = estimate(photo, planes, settings, runner)
    photo = photo.with_notices(*found.notices)
    result = replace(photo, pixels=found.pixels(photo, planes), packed=None)
    facts = {
        "version": __version__,
        "input": photo.source,
        "options": checked.recorded("denoise", settings),
        "warnings": [for_python(line) for line in (*without_effect("denoise", settings), *photo.notices)],
        "size": photo.extent,
        "pixels": int(planes.valid.sum()) if planes.valid is not None else photo.shape[0] * photo.shape[1],
        "sigma": found.level,
        "sigma_by_channel": found.sigma.tolist(),
        "gain_by_channel": found.gain.tolist() if settings.noise == "poisson" else None,
        "method": settings.chosen,
        "iterations": max(len(found.trace) - 1, 0),
        "trace": [{"iteration": row.iteration, "log_likelihood": row.log_likelihood} for row in found.trace],
        "seconds": round(clock.seconds() - begin, 6),
    }
    return Denoised(result, found.level, facts, found.trace)


@record(frozen=True, eq=False)
class _Found:
    """Planes without noise (None: there was none), noise levels and gains by channel, and the log of a fit."""

    values: Real | None
    sigma: Array
    gain: Array
    trace: tuple[Row, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def level(self) -> float:
        """Noise level over all channels."""
        most = float(self.sigma.max())
        return most and most * float(np.sqrt(np.mean((self.sigma / most) ** 2)))

    def pixels(self, photo: Image, planes: Planes) -> NDArray[Any]:
        """Pixels in the type of the input."""
        return photo.pixels if self.values is None else planes.back(self.values, photo)


def _white(photo: Image, planes: Planes, settings: DenoiseOptions, runner: Runner) -> _Found:
    """White noise, the same everywhere."""
    values, unit = planes.values, planes.unit / planes.grey
    if settings.sigma == "auto":
        sigma = np.array([noise_level(plane, planes.valid, planes.ends) for plane in values])
        _require_enough(photo, planes, sigma)
        told = sigma * unit
    else:
        told = np.full(len(values), float(settings.sigma))
        sigma = np.full(len(values), min(float(settings.sigma) / unit, MOST))
    gain = np.zeros(len(values))
    if sigma.max() <= max(FAINT * np.ptp(values), LEAST):
        return _Found(None, told, gain)
    found, trace = _estimate(values, sigma, photo.colour, settings, runner, slices_of(photo), planes.ends)
    return _Found(found, told, gain, trace)


def _poisson(photo: Image, planes: Planes, settings: DenoiseOptions, runner: Runner) -> _Found:
    """Noise of counted photons, stabilised channel by channel."""
    require_squares(photo.pixels if planes.valid is None else photo.pixels[planes.valid], photo.name)
    stored = (planes.values.astype(np.float64) + planes.shift) * planes.unit
    sigma = 0.0 if settings.sigma == "auto" else float(settings.sigma) * planes.grey
    photons = float(np.ptp(stored)) if settings.gain == "auto" else HIDDEN * _photon_noise(stored, settings.gain)
    if sigma > photons:
        return replace(_white(photo, planes, settings, runner), gain=np.zeros(len(stored)), notices=(ALL_WHITE,))
    gain = np.array([
        photon_gain(plane, planes.valid, sigma) if settings.gain == "auto" else float(settings.gain) for plane in stored
    ])  # fmt: skip
    if settings.gain == "auto":
        _require_enough(photo, planes, gain)
    levels = np.full(len(stored), sigma / planes.grey)
    if not gain.all():
        return _Found(None, levels, gain)
    transforms = [Anscombe(g, sigma) for g in gain.tolist()]
    stable = np.stack([t.forward(plane) for t, plane in zip(transforms, stored, strict=True)])
    # The scale is of no account but to the mixture of photographs, for which white has 255.
    if FAINT * float(np.ptp(stable)) >= 1:
        return _Found(None, levels, gain)
    unit = WHITE / max(float(stable.max()), 1.0)
    rows = stable.shape[1] // slices_of(photo)
    middle = np.repeat(stable[:, ::rows, :1], rows, axis=1) * unit
    white = (stable * unit - middle).astype(np.float32)
    found, trace = _estimate(white, np.full(len(white), unit), photo.colour, settings, runner, slices_of(photo))
    means = [t.inverse(plane) for t, plane in zip(transforms, (found + middle) / unit, strict=True)]
    return _Found((np.stack(means) / planes.unit - planes.shift).astype(np.float32), levels, gain, trace)


def _photon_noise(stored: Array, gain: float | str) -> float:
    """The largest standard deviation of the noise of photons, of a given gain; stored values (C, H, W)."""
    return float(np.sqrt(float(gain))) * float(np.sqrt(max(float(stored.max()), 0.0)))


def _require_enough(photo: Image, planes: Planes, found: Array) -> None:
    """Raise DataError where no noise was found because there was nowhere to look for it."""
    if found.any():
        return
    valid = np.ones(photo.shape, bool) if planes.valid is None else planes.valid
    whole = np.lib.stride_tricks.sliding_window_view(np.pad(valid, NOISE_SIDE), (NOISE_SIDE, NOISE_SIDE)).all((2, 3))
    if whole.sum() <= FEW:
        raise DataError(f"{photo.name}: too few pixels to find the noise level by; give it as a number")


def _estimate(
    values: Real,
    levels: Array,
    colour: str,
    settings: DenoiseOptions,
    runner: Runner,
    slices: int = 1,
    ends: Ends | None = None,
) -> tuple[Real, tuple[Row, ...]]:
    """Planes without noise, (C, H, W), and the log of the fit, if there was one (of a volume, that of the last slice).

    The slices of a volume lie below one another; each is an image of its own. At `ends`, noise was cut off.
    """
    if slices > 1:
        parts = []
        rows = values.shape[1] // slices
        for i, part in enumerate(np.split(values, slices, axis=1)):
            own = ends and (ends[0][i * rows, None], ends[1][i * rows, None])
            with runner.stage(i / slices, (i + 1) / slices):
                parts.append(_estimate(part, levels, colour, settings, runner, 1, own))
        return np.concatenate([part for part, _ in parts], axis=1), parts[-1][1]
    steps.step("removing noise")
    limits = ends and (float(ends[0][0, 0]), float(ends[1][0, 0]))
    axes = axes_of_colour(values, colour)
    sigma = np.sqrt(axes**2 @ levels**2)
    planes = rotated(axes, values)
    if settings.chosen == "local":
        censored = Censored(values, levels, limits, axes) if limits else None
        work = denoise_fast if settings.fast else denoise_local
        return rotated(axes.T, work(planes, sigma, runner, censored if censored and censored.exist else None)), ()
    found, fit = denoise_mixture(planes, sigma, runner, settings.fast)
    trace = fit.trace if fit else ()
    found = rotated(axes.T, found)
    if limits:
        pairs = zip(found, values, levels.tolist(), strict=True)
        found = np.stack([unclipped(plane, noisy, s, limits) if s else plane for plane, noisy, s in pairs])
    return found, trace
