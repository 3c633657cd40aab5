"""The options of the command line that say which inputs are read, where results go and what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emseg.errors import option as spelled
from emseg.options.declaration import declared
from emseg.options.file_kinds import STDIO, Amount, ExistingFolder, Folder, InputFile, Page, Shard
from emseg.options.kinds import Flag, Kind, Names, Optional, Whole
from emseg.options.restoration import MASK
from emseg.options.segmentation import PIXELS
from emseg.output.registry import saveable
from emseg.output.store.names import STEM

INPUTS, RESULTS, MANY, MESSAGES = "Inputs", "Results", "Many inputs", "Messages"
BATCH = "segment apply denoise inpaint"
WRITING, TALKING = f"{BATCH} compare", f"{BATCH} compare evaluate"


@dataclass(frozen=True)
class MaskOptions:
    """Which pixels count. Python functions take arrays, too, as an argument of their own."""

    mask: str | None = declared(
        Optional(InputFile()), None, PIXELS,
        "Image of the same size: only its pixels that are not 0 are used; outside, the label is 0.",
        "segment apply compare", recorded=False,
    )  # fmt: skip


@dataclass(frozen=True)
class DenoiseMaskOptions:
    """Which pixels are denoised."""

    mask: str | None = declared(
        Optional(InputFile()), None, PIXELS,
        "Image of the same size: where it is 0, pixels stay as they are and have no influence.",
        "denoise", recorded=False,
    )  # fmt: skip


@dataclass(frozen=True)
class InpaintMaskOptions:
    """Which pixels are filled."""

    mask: str | None = declared(
        Optional(InputFile(("alpha",), "FILE|alpha")), None, MASK,
        "Image of the same size: its pixels that are not 0 are filled; alpha: the fully transparent pixels are. NaN is "
        "always filled.", "inpaint", recorded=False,
    )  # fmt: skip
    mask_dir: str | None = declared(
        Optional(ExistingFolder()), None, MASK, "Folder with a mask for each input, of the same name.", "inpaint",
        python=False, recorded=False,
    )  # fmt: skip


@dataclass(frozen=True)
class EvaluateOptions:
    """What `evaluate` leaves out."""

    ignore: int | None = declared(
        Optional(Whole(None)), None, PIXELS, "True label of pixels to leave out.", "evaluate",
    )  # fmt: skip


def _shell(kind: Kind, default: object, group: str, help: str, commands: str, flags: str | None = None) -> Any:
    """An option that Python functions do not have, and that does not decide what is computed."""
    return declared(kind, default, group, help, commands, flags=flags, python=False, recorded=False)


@dataclass(frozen=True)
class SaveOptions:
    """More files than are always written."""

    save: tuple[str, ...] = _shell(
        Names(saveable(), "KIND", ("all",), sort=True), (), RESULTS,
        f"Also write {', '.join(saveable())}, or all.", "segment",
    )  # fmt: skip


@dataclass(frozen=True)
class ApplySaveOptions:
    """More files than `apply` always writes."""

    save: tuple[str, ...] = _shell(
        Names(saveable(applied=True), "KIND", ("all",), sort=True), (), RESULTS,
        f"Also write {', '.join(saveable(applied=True))}, or all.", "apply",
    )  # fmt: skip


@dataclass(frozen=True)
class OutputOptions:
    """Where results go."""

    output: str = _shell(
        Folder(), ".", RESULTS, "Folder for the results, made if need be; - is standard output.", WRITING,
        "-o --output",
    )  # fmt: skip
    overwrite: bool = _shell(Flag(), False, RESULTS, "Replace files that emseg did not write.", WRITING)


@dataclass(frozen=True)
class BatchOptions:
    """How several inputs are found, read and worked on."""

    page: int | str = _shell(
        Page(), 1, INPUTS,
        "Page, frame or array of files that hold several; all: each of them, as photo.p1, photo.p2, …", BATCH,
    )  # fmt: skip
    max_pixels: int | None = _shell(
        Amount("N"), None, INPUTS, "Refuse images of more pixels, as 100M; 500M unless given.", BATCH,
    )  # fmt: skip
    max_memory: int | None = _shell(
        Amount("BYTES"), None, INPUTS, "Refuse images that need more memory, as 8G; unless given, four fifths of the "
        "free memory.", BATCH,
    )  # fmt: skip
    recursive: bool = _shell(
        Flag(), False, INPUTS, "Look into folders of folders, and keep their tree below the output folder.", BATCH,
        "-r --recursive",
    )  # fmt: skip
    files_from: str | None = _shell(
        Optional(InputFile((STDIO,))), None, INPUTS,
        "Read further inputs from FILE, one a line; - is standard input.", BATCH,
    )  # fmt: skip
    null: bool = _shell(
        Flag(), False, INPUTS,
        f"Names in the list of {spelled('files_from')} end with NUL, as those of find -print0 do.", BATCH, "-0 --null",
    )  # fmt: skip
    name: str = _shell(
        Kind("TEMPLATE"), STEM, RESULTS,
        "What the names of results begin with; {stem}, {name}, {suffix} and {folder} of the input, and {k}.", BATCH,
    )  # fmt: skip
    jobs: int = _shell(
        Whole(), 1, MANY,
        "Work on N inputs at once, each in a process of its own; 0: as many as there are processors.", BATCH,
        "-j --jobs",
    )  # fmt: skip
    resume: bool = _shell(
        Flag(), False, MANY, "Skip inputs that have results already, of the same content by the same options.", BATCH,
    )  # fmt: skip
    shard: tuple[int, int] | None = _shell(
        Shard(), None, MANY, "Work only on the i-th of n equal parts of the inputs.", BATCH,
    )  # fmt: skip
    dry_run: bool = _shell(
        Flag(), False, MANY, "Say what would be done, and do nothing.", BATCH, "-n --dry-run",
    )  # fmt: skip


@dataclass(frozen=True)
class MessageOptions:
    """What is printed."""

    as_json: bool = _shell(Flag(), False, MESSAGES, "Print the result as JSON, one line an input.", TALKING, "--json")
    quiet: bool = _shell(Flag(), False, MESSAGES, "Print errors only.", WRITING, "-q --quiet")
    verbose: bool = _shell(
        Flag(), False, MESSAGES, "Show every iteration.", "segment compare", "-v --verbose",
    )  # fmt: skip
    debug: bool = _shell(Flag(), False, MESSAGES, "Show tracebacks of errors.", f"{TALKING} guide")
