"""The options of the commands that restore images, `denoise` and `inpaint`. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from emseg.errors import option as spelled
from emseg.options import choices
from emseg.options.declaration import MASK, NOISE, PIXELS, WORK, declared
from emseg.options.declarations.pixel_options import grow, mask_above, nodata
from emseg.options.kinds.basic_kinds import Choice, Flag, Number, Optional, Whole, not_negative, positive
from emseg.options.kinds.file_kinds import ExistingFolder, InputFile
from emseg.records import record

DENOISE, INPAINT = "denoise", "inpaint"


def _workers(command: str) -> Any:
    return declared(
        Whole(), 0, WORK,
        "Number of processes that work on one large image; 0: as many as there are processors for it. The result is "
        "the same.", command, recorded=False,
    )  # fmt: skip


class DenoiseMaskOptions:
    """Which pixels are denoised."""

    mask: str | None = declared(
        Optional(InputFile(("alpha",), "FILE|alpha")), None, PIXELS,
        "Image of the same size: where it is 0, pixels stay as they are and have no influence. So white is denoised. "
        "alpha: the opacity of the image itself.",
        "denoise", recorded=False,
    )  # fmt: skip


class InpaintMaskOptions:
    """Which pixels are filled."""

    mask: str | None = declared(
        Optional(InputFile(("alpha", "nodata"), "FILE|alpha|nodata")), None, MASK,
        "Image of the same size: its pixels that are not 0 are filled. So white is filled; in the masks of segment and "
        "denoise, white is kept. alpha: the fully transparent pixels are; nodata: those without data are, which is so, "
        "too, where no mask is given. NaN is always filled.",
        "inpaint", recorded=False,
    )  # fmt: skip
    mask_dir: str | None = declared(
        Optional(ExistingFolder()), None, MASK,
        "Folder with a mask for each input, of the same name, whatever its suffix; that of a/photo.png is looked for "
        "in DIR/a first.", "inpaint",
        python=False, recorded=False,
    )  # fmt: skip


@record(frozen=True)
class DenoiseOptions:
    """Options of `emseg.denoise` and of the command of that name.

    Each attribute is an option. `help(emseg.denoise)` and the page `options` of the guide say what it means.
    """

    sigma: float | str = declared(
        Number("a number of 0 or more", ("auto",), not_negative, metavar="auto|S"), "auto", NOISE,
        "Standard deviation of the noise: for 8 and 16 bits in units in which white is 255, for other images as "
        f"stored. auto: estimated; with {spelled('noise', 'poisson')} it is that of the noise on top, and auto is 0. "
        "0 gives the image back as it is.",
        DENOISE,
    )  # fmt: skip
    method: str = declared(
        Choice(choices.METHODS), "auto", NOISE,
        "What the patches of the image are taken for.", DENOISE,
    )  # fmt: skip
    fast: bool = declared(
        Flag(), False, NOISE,
        "A tenth of the time, a little worse: one round instead of several, or a mixture that is not fitted.", DENOISE,
    )  # fmt: skip
    noise: str = declared(
        Choice(choices.NOISES), "gaussian", NOISE,
        "Kind of the noise.", DENOISE,
    )  # fmt: skip
    gain: float | str = declared(
        Number("a number above 0", ("auto",), positive, metavar="auto|G"), "auto", NOISE,
        f"Stored value of one photon; goes with {spelled('noise', 'poisson')}.", DENOISE,
    )  # fmt: skip
    nodata: tuple[float, ...] = nodata(DENOISE)
    mask_above: float | None = mask_above(DENOISE)
    grow: int = grow(DENOISE)
    workers: int = _workers(DENOISE)

    @property
    def chosen(self) -> str:
        """The method that `auto` stands for, or the one given."""
        return "local" if self.method == "auto" else self.method


@record(frozen=True)
class InpaintOptions:
    """Options of `emseg.inpaint` and of the command of that name.

    Each attribute is an option. `help(emseg.inpaint)` and the page `options` of the guide say what it means.
    """

    mask_value: float | None = declared(
        Optional(Number("a finite number", metavar="V")), None, MASK,
        "Fill the pixels where the mask has this value; unless given, where it is not 0. Of palettes the index counts.",
        INPAINT,
    )  # fmt: skip
    uncertainty: bool = declared(
        Flag(), False, MASK,
        "Also give the standard deviation of the filled pixels, calibrated on known pixels; takes twice as long.",
        INPAINT,
    )  # fmt: skip
    nodata: tuple[float, ...] = nodata(INPAINT)
    mask_above: float | None = mask_above(INPAINT, MASK)
    grow: int = grow(INPAINT, MASK)
    seed: int = declared(
        Whole(), 0, MASK, "Seed of the choice of the pixels that calibrate the standard deviation.", INPAINT,
    )  # fmt: skip
    workers: int = _workers(INPAINT)


DECLARATIONS = (DenoiseMaskOptions, InpaintMaskOptions, DenoiseOptions, InpaintOptions)
