"""`denoise`: image → noise level → patches → image. No files, no printing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg import __version__
from emseg.image.model import Image
from emseg.pipeline.inputs import as_image
from emseg.pipeline.planes import Planes, fitting
from emseg.pipeline.restore_options import DenoiseOptions
from emseg.restore.clipping import unclipped
from emseg.restore.colour import axes_of_colour, turned
from emseg.restore.denoise import denoise_local
from emseg.restore.noise import noise_level
from emseg.restore.work import Crew

Real = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Denoised:
    """An image without its noise.

    Attributes
    ----------
    image : Image
        Pixels in the type of the input, with all else the input had.
    sigma : float
        Noise level, given or found; in units of which white has 255 for images of integers, else as stored.
    report : dict
        What `photo.denoised.json` holds, but for the list of files.
    """

    image: Image
    sigma: float
    report: dict[str, Any]

    @property
    def pixels(self) -> NDArray[Any]:
        """The pixels, shape (H, W, C)."""
        return self.image.pixels


def denoise(
    image: Image | NDArray[Any] | str | os.PathLike[str],
    sigma: float | str = "auto",
    *,
    mask: NDArray[Any] | str | os.PathLike[str] | None = None,
    on_progress: Callable[[float], object] | None = None,
    **options: Any,
) -> Denoised:
    """Take white noise out of an image.

    Parameters
    ----------
    image : Image, ndarray or path
        An array is (H, W) or (H, W, C); three channels are sRGB.
    sigma : float or "auto"
        Standard deviation of the noise: of images of integers in units of which white has 255, else as stored. 0 gives
        the image back as it is.
    mask : ndarray or path, optional
        Same size as the image; where it is zero, pixels stay as they are and have no influence.
    on_progress : callable, optional
        Called with the share that is done, from 0 to 1.
    **options
        The other fields of `DenoiseOptions`.

    Returns
    -------
    Denoised

    Raises
    ------
    UsageError
        If an option makes no sense.
    ImageError, DataError
        If a file cannot be read, or the mask has another size.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> y = 100 + np.random.default_rng(0).normal(0, 10, (32, 32))
    >>> bool(emseg.denoise(y, sigma=10).pixels.std() < 2)
    True
    """
    asked = DenoiseOptions.checked(sigma=sigma, **options)
    begin = time.perf_counter()
    photo = as_image(image)
    planes = Planes.of(photo, None if mask is None else fitting(mask, photo))
    found = _levels(photo, planes, asked)
    level = float(np.sqrt(np.mean(found**2)))
    pixels = photo.pixels
    if level > 0 and (planes.valid is None or planes.valid.any()):
        crew = Crew(asked.threads or os.cpu_count() or 1, on_progress)
        pixels = planes.back(_estimate(photo, planes, found, crew), photo)
    result = replace(photo, pixels=pixels, packed=None)
    facts = {
        "version": __version__,
        "input": {"path": photo.name, "sha256": photo.sha256},
        "options": asdict(asked),
        "size": [photo.shape[1], photo.shape[0]],
        "pixels": int(planes.valid.sum()) if planes.valid is not None else photo.shape[0] * photo.shape[1],
        "sigma": level,
        "sigma_by_channel": found.tolist(),
        "method": "local" if asked.method == "auto" else asked.method,
        "seconds": round(time.perf_counter() - begin, 6),
    }
    return Denoised(result, level, facts)


def _levels(photo: Image, planes: Planes, asked: DenoiseOptions) -> NDArray[np.float64]:
    """The noise level of each channel, (C,)."""
    if asked.sigma != "auto":
        return np.full(len(planes.values), float(asked.sigma))
    ends = planes.ends if photo.pixels.dtype.kind in "ui" else None
    return np.array([noise_level(plane, planes.valid, ends) for plane in planes.values])


def _estimate(photo: Image, planes: Planes, levels: NDArray[np.float64], crew: Crew) -> Real:
    """Planes without noise, (C, H, W)."""
    axes = axes_of_colour(planes.values, photo.colour)
    sigma = np.sqrt(axes**2 @ levels**2)
    found = turned(axes.T, denoise_local(turned(axes, planes.values), sigma, crew))
    if photo.pixels.dtype.kind in "ui":
        return np.stack(
            [
                unclipped(plane, noisy, s, planes.ends)
                for plane, noisy, s in zip(found, planes.values, levels, strict=True)
            ]
        )
    return found
