"""The options that say what is taken of a file or an array: its page, axes and channels. Imports nothing heavy."""

from __future__ import annotations

from emseg.errors import option as spelled
from emseg.options.declaration import INPUTS, declared
from emseg.options.kinds.basic_kinds import Flag, Optional
from emseg.options.kinds.file_kinds import Axes, Channels, Page
from emseg.records import record

IMAGES = "segment apply compare denoise inpaint impute"


@record(frozen=True, eq=False)
class ReadingOptions:
    """What is taken of a file or an array that holds more than one plain image."""

    page: int | str | None = declared(
        Optional(Page()), None, INPUTS,
        "Page, frame, time point, series or array of files that hold several; unless given, the first. On the command "
        "line all means each of them, as photo.p1, photo.p2 and so on.",
        IMAGES, recorded=False, helps={"compare": "Page, frame, time point, series or array of a file of several."},
    )  # fmt: skip
    axes: str = declared(
        Axes(), "", INPUTS,
        "What the axes of an array mean, a letter each, in the order they are stored: Y and X the image, C channels, "
        "S samples, Z slices of a volume; any other letter counts pages, as T for time. Unless given, as the file "
        f"says; {spelled('axes', 'CYX')} takes the pages of a TIFF for channels.",
        IMAGES, recorded=False,
    )  # fmt: skip
    channels: tuple[int | str, ...] = declared(
        Channels(), (), INPUTS,
        "Channels to use, by number from 1 or by name, as 1,3 or DAPI,GFP; all of them unless given.",
        IMAGES, recorded=False,
    )  # fmt: skip
    truncated_ok: bool = declared(
        Flag(), False, INPUTS,
        "Read PNG, JPEG, GIF and TIFF files that end early as far as their rows are there; the others hold no data.",
        IMAGES, recorded=False,
    )  # fmt: skip
    stack: bool = declared(
        Flag(), False, INPUTS,
        "Take all inputs for one image: the channels of each file are further features of the same pixels. Their grids "
        "must agree. Results have the name of the first.", "segment apply compare impute", recorded=False,
        helps={"apply": "Take all inputs for one image, as the model was fitted to."},
    )  # fmt: skip


DECLARATIONS = (ReadingOptions,)
