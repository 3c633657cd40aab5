"""The options of the command line that say which inputs are read, where results go and what is printed."""

from __future__ import annotations

from emseg.errors import option as spelled
from emseg.options.declaration import INPUTS, MANY, MESSAGES, PIXELS, RESULTS, declared, shell_only
from emseg.options.kinds.basic_kinds import Flag, Kind, Names, Optional, Whole
from emseg.options.kinds.file_kinds import STDIO, Amount, Folder, InputFile, Shard
from emseg.output.registry import KINDS, saveable
from emseg.output.store.names import STEM
from emseg.records import record

BATCH = "segment apply denoise inpaint"
WRITING, TALKING = f"{BATCH} compare", f"{BATCH} compare evaluate"


class EvaluateOptions:
    """What `evaluate` leaves out."""

    ignore: int | None = declared(
        Optional(Whole(None)), None, PIXELS, "True label of pixels to leave out.", "evaluate",
    )  # fmt: skip


@record(frozen=True, eq=False)
class RunOptions:
    """How several inputs are found, read and worked on, where results go, and what is printed."""

    output: str = shell_only(
        Folder(), ".", RESULTS, "Folder for the results, made if need be; - is standard output.", WRITING,
        "-o --output",
    )  # fmt: skip
    overwrite: bool = shell_only(Flag(), False, RESULTS, "Replace files that emseg did not write.", WRITING)
    no_timings: bool = shell_only(
        Flag(), False, RESULTS,
        "Write 0 for all seconds in logs and reports: the same input then gives the same bytes.", WRITING,
    )  # fmt: skip
    max_pixels: int | None = shell_only(
        Amount("N"), None, INPUTS, "Refuse images of more pixels, as 100M; 500M unless given.", BATCH,
    )  # fmt: skip
    max_memory: int | None = shell_only(
        Amount("BYTES"), None, INPUTS, "Refuse images that need more memory, as 8G; unless given, four fifths of the "
        "free memory.", BATCH,
    )  # fmt: skip
    recursive: bool = shell_only(
        Flag(), False, INPUTS, "Look into folders of folders, and keep their tree below the output folder.", BATCH,
        "-r --recursive",
    )  # fmt: skip
    files_from: str | None = shell_only(
        Optional(InputFile((STDIO,))), None, INPUTS,
        "Read further inputs from FILE, one a line; - is standard input.", BATCH,
    )  # fmt: skip
    null: bool = shell_only(
        Flag(), False, INPUTS,
        f"Names in the list of {spelled('files_from')} end with NUL, as those of find -print0 do.", BATCH, "-0 --null",
    )  # fmt: skip
    name: str = shell_only(
        Kind("TEMPLATE"), STEM, RESULTS,
        "What the names of results begin with; {stem}, {name}, {suffix} and {folder} of the input, and {k}.", BATCH,
    )  # fmt: skip
    jobs: int = shell_only(
        Whole(), 1, MANY,
        "Work on N inputs at once, each in a process of its own; 0: as many as there are processors.", BATCH,
        "-j --jobs",
    )  # fmt: skip
    resume: bool = shell_only(
        Flag(), False, MANY, "Skip inputs that have results already, of the same content by the same options.", BATCH,
    )  # fmt: skip
    shard: tuple[int, int] | None = shell_only(
        Shard(), None, MANY, "Work only on the i-th of n equal parts of the inputs.", BATCH,
    )  # fmt: skip
    dry_run: bool = shell_only(
        Flag(), False, MANY, "Say what would be done, and do nothing.", BATCH, "-n --dry-run",
    )  # fmt: skip
    as_json: bool = shell_only(
        Flag(), False, MESSAGES, "Print the result as JSON, one line an input.", TALKING, "--json"
    )
    quiet: bool = shell_only(Flag(), False, MESSAGES, "Print errors only.", WRITING, "-q --quiet")
    verbose: bool = shell_only(
        Flag(), False, MESSAGES, "Show every iteration.", "segment compare", "-v --verbose",
    )  # fmt: skip
    debug: bool = shell_only(Flag(), False, MESSAGES, "Show tracebacks of errors.", f"{TALKING} guide")


def _files(applied: bool = False) -> Names:
    kinds = {name: KINDS[name].summary for name in saveable(applied)}
    return Names(kinds, "KIND", {"all": "all of these that there are, without geojson-wgs84"}, sort=True)


class SaveOptions:
    """More files than are always written."""

    save: tuple[str, ...] = shell_only(
        _files(), (), RESULTS, "Further kinds of files to write, separated by commas.", "segment",
    )  # fmt: skip


class ApplySaveOptions:
    """More files than `apply` always writes."""

    save: tuple[str, ...] = shell_only(
        _files(applied=True), (), RESULTS, "Further kinds of files to write, separated by commas.", "apply",
    )  # fmt: skip


DECLARATIONS = (EvaluateOptions, SaveOptions, ApplySaveOptions, RunOptions)
