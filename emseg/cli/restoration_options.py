"""Options of the commands that restore images."""

from __future__ import annotations

from math import isfinite
from os.path import isfile
from typing import Any

import click

from emseg.cli.denoise_option import _level
from emseg.cli.shared_options import _checked, _option
from emseg.execution.processors import processors
from emseg.options.restoration import METHODS, NOISES, DenoiseOptions, InpaintOptions

DEFAULT = DenoiseOptions()
FILLING = InpaintOptions()


def _number(value: float | None) -> float | None:
    if value is not None and not isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return value


def _mask(value: str | None) -> str | None:
    if value not in (None, "alpha") and not isfile(value):
        raise ValueError(f"{value!r} is no file; give an image of the same size, or alpha")
    return value


def _gain(value: Any) -> float | str:
    gain = _level(value)
    if gain == 0:
        raise ValueError("0 is no gain; give a number above 0, or auto")
    return gain


MASKED = (
    _option("--mask", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
            help="Image of the same size: where it is zero, pixels stay as they are and have no influence."),
)  # fmt: skip
NOISE = (
    _option("--sigma", metavar="auto|S", callback=_checked(_level), default=DEFAULT.sigma,
            help="Standard deviation of the noise, in units of which white has 255; other than for 8 and 16 bits, as "
                 "stored."),
    _option("--method", type=click.Choice(METHODS), default=DEFAULT.method,
            help="One mixture for all patches, fitted to the image, or local Gaussians, which auto is."),
    _option("--fast", is_flag=True,
            help="Coarser rounds, or the mixture as it is: a tenth of the time, a little worse."),
    _option("--noise", type=click.Choice(NOISES), default=DEFAULT.noise,
            help="White noise, or that of counted photons."),
    _option("--gain", metavar="auto|G", callback=_checked(_gain), default=DEFAULT.gain,
            help="Stored value of one photon, for poisson; --sigma is then what noise comes on top."),
)  # fmt: skip
HOLES = (
    _option("--mask", metavar="FILE|alpha", callback=_checked(_mask),
            help="Image of the same size: pixels that are not zero are filled; alpha: those of alpha 0. NaN is always "
                 "filled."),
    _option("--mask-dir", type=click.Path(exists=True, file_okay=False), metavar="DIR",
            help="Folder with a mask for each input, of the same name."),
    _option("--mask-value", type=float, metavar="V", callback=_checked(_number),
            help="Fill the pixels where the mask has this value."),
    _option("--uncertainty", is_flag=True,
            help="Also write the standard deviation of what is filled in; takes twice as long."),
    _option("--seed", type=click.IntRange(0), metavar="N", default=FILLING.seed,
            help="Seed of the pixels that are held out to calibrate it."),
)  # fmt: skip
WORKERS = (
    _option("--workers", type=click.IntRange(0), metavar="N", default=DEFAULT.workers,
            help="Processes that work on one large image; 0: its share of the processors."),
)  # fmt: skip


def share_of(workers: int, jobs: int, alone: bool) -> int:
    """How many processes work on an image, of which several are done at once: 0 is all that there could be."""
    at_once = 1 if alone else jobs or processors()
    return workers or (0 if at_once == 1 else max(1, processors() // at_once))
