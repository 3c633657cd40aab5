"""Options of the commands that restore images."""

from __future__ import annotations

from typing import Any

import click

from emseg.cli.options import _checked, _option
from emseg.pipeline.restore_options import METHODS, DenoiseOptions

DEFAULT = DenoiseOptions()


def _level(value: Any) -> float | str:
    if value == "auto":
        return "auto"
    try:
        level = float(value)
    except ValueError:
        level = -1.0
    if not 0 <= level < float("inf"):
        raise ValueError(f"{value!r} is no noise level; give a number of 0 or more, or auto")
    return level


MASKED = (
    _option("--mask", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
            help="Image of the same size: where it is zero, pixels stay as they are and have no influence."),
)  # fmt: skip
NOISE = (
    _option("--sigma", metavar="auto|S", callback=_checked(_level), default=DEFAULT.sigma,
            help="Standard deviation of the noise, in units of which white has 255; of floating point numbers, as "
                 "stored."),
    _option("--method", type=click.Choice(METHODS), default=DEFAULT.method,
            help="Local Gaussians, which auto is."),
)  # fmt: skip
THREADS = (
    _option("--threads", type=click.IntRange(0), metavar="N", default=DEFAULT.threads,
            help="Threads that work on one image; 0: as many as there are processors."),
)  # fmt: skip
